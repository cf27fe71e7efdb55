"""Filled campaigns: every number opens its rows, every row says why, the draw is repeated by its file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import pytest_asyncio
from click.testing import CliRunner
from sqlalchemy import text

from followup.campaigns import ledger, redraw
from followup.cli.draws import draw
from followup.store.database import Database
from tests.browser import shop
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.test_campaigns import Enter

CUSTOMERS, DAYS = 140, 18


@pytest_asyncio.fixture
async def boss(enter: Enter, database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Browser]:
    """A supervisor of a shop that has lived for some weeks."""
    monkeypatch.setenv("FOLLOWUP_NOW", shop.NOW.isoformat())
    await shop.live(database, CUSTOMERS, days=DAYS)
    yield await enter("supervisor")


async def _exported(boss: Browser, link: str) -> list[dict[str, str]]:
    path, _, given = unescape(link).partition("?")
    async with boss.client.get(f"{path}/ledger.csv?{given}") as answer:
        return list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"))))


async def test_a_filled_ledger(boss: Browser, enter: Enter, database: Database, tmp_path: Path) -> None:
    """One test, because the weeks take longer to live than all there is to ask about them."""
    await _every_number_opens_exactly_its_rows(boss)
    await _every_row_says_why(boss)
    await _the_calendars_numbers_open_their_rows(boss)
    await _a_customer_page_shows_all_campaigns(boss, database)
    await _an_auditor_draws_again(enter, database, tmp_path)


async def _every_number_opens_exactly_its_rows(boss: Browser) -> None:
    checked = 0
    for campaign_id in (1, 2, 3):
        here = f"/console/campaigns/{campaign_id}"
        for page in (await boss.get(here), await boss.get(f"{here}?q=王&stage=completed")):  # whatever is filtered by at present
            numbers = re.findall(rf'<a href="({here}[^"/]*)"[^>]*>(?:<span>[^<]*</span>)?(?:<strong>)?(\d+)(?:</strong>)?</a>', page)
            assert len(numbers) >= 3, page
            for link, number in dict.fromkeys(numbers):
                assert len(await _exported(boss, link)) == int(number), (link, number)
                checked += 1
    listed = await boss.get("/console/campaigns")
    for link, number in re.findall(r'<li class="\w+"><a href="([^"]+)">\S+ (\d+)</a></li>', listed):
        assert len(await _exported(boss, link)) == int(number), (link, number)
        checked += 1
    assert checked > 60


async def _every_row_says_why(boss: Browser) -> None:
    seen = set()
    for campaign_id in (1, 2, 3, 4):
        for row in await _exported(boss, f"/console/campaigns/{campaign_id}"):
            seen.add(row["进展"])
            assert len(row["说明"]) >= 4 and re.search("[\u4e00-\u9fff]", row["说明"]), row
            if row["进展"] == "不联系":
                assert row["说明"] == f"不联系，因为{row['原因']}" and row["原因"]
    assert {"不联系", "等待联系", "完成", "未响应", "未抽中"} <= seen, seen
    page = text_of(await boss.get("/console/campaigns/3?stage=waiting"))
    assert "任务暂停着，恢复以后再联系（原定" in page, page


async def _the_calendars_numbers_open_their_rows(boss: Browser) -> None:
    page = await boss.get("/console/campaigns/1/calendar?month=2026-11")
    links = re.findall(r'href="(/console/campaigns/1/calendar\?day=[^"#]+&(?:amp;)?what=\w+)#day"[^>]*>(?:\S+ )?(\d+)</a>', page)
    assert len(links) > 20, page
    for link, number in links:
        shown = text_of(await boss.get(unescape(link)))
        assert f"共 {number} 条" in shown, (link, number)


async def _a_customer_page_shows_all_campaigns(boss: Browser, database: Database) -> None:
    async with database.session() as session:
        found = await session.execute(
            text("SELECT contact_id FROM campaign_ledger WHERE stage = 'waiting' GROUP BY 1 HAVING count(DISTINCT campaign_id) > 1 LIMIT 1")
        )
        contact_id = found.scalar_one_or_none() or (
            await session.execute(text("SELECT contact_id FROM campaign_ledger WHERE stage = 'waiting' AND campaign_id = 2 LIMIT 1"))
        ).scalar_one()
        names = set(
            await session.scalars(
                text("SELECT DISTINCT name FROM campaigns JOIN campaign_entries AS entry ON entry.campaign_id = campaigns.id WHERE contact_id = :id"), {"id": contact_id}
            )
        )
    page = text_of(await boss.get(f"/console/customers/{contact_id}"))
    assert len(names) > 1 and all(name in page for name in names) and re.search(r"等到 \d+月\d+日 10:00 联系|恢复以后再联系（原定 \d+月", page), page


async def _an_auditor_draws_again(enter: Enter, database: Database, tmp_path: Path) -> None:
    auditor = await enter("auditor")
    page = await auditor.get("/console/campaigns/1/draws")
    assert "followup campaigns draw draws-1.csv" in page and "20261012" in page
    async with auditor.client.get("/console/campaigns/1/draws.csv") as answer:
        written = await answer.read()
    lots = redraw.from_csv(written.decode("utf-8-sig"))
    assert len(lots) == CUSTOMERS and any(one.kind == "补抽" for one in lots)
    async with database.session() as session:
        draws = {one.id: one for one in await ledger.draws(session, 1)}
    for one in redraw.again(lots):
        (stratum,) = (s for s in draws[one.number].strata if s["name"] == one.stratum)
        assert (one.wrong, one.drawn) == ([], stratum["drawn"])
    assert sum(one.drawn for one in redraw.top_ups(lots)) == sum(s["drawn"] for d in draws.values() if d.kind == "top_up" for s in d.strata)
    # Every number leads to the customers behind it.
    links = [(dict(parse_qsl(unescape(query))), int(number)) for query, number in re.findall(r'<a href="/console/campaigns/1\?([^"]+)">(\d+)</a>', page)]
    assert {"first", "more", "top_up", "any", "1"} <= {wanted["draw"] for wanted, _ in links}
    async with database.session() as session:
        for wanted, number in links:
            found = await ledger.rows(session, 1, **wanted, limit=1000)
            assert len({row.contact_id for row in found}) == number, wanted
    assert "补抽抽中的" in await auditor.get("/console/campaigns/1?draw=top_up") and "编号 1 抽中的" in await auditor.get("/console/campaigns/1?draw=1")
    file = tmp_path / "draws-1.csv"
    file.write_bytes(written)
    result = CliRunner().invoke(draw, [str(file)])
    assert result.exit_code == 0 and "重抽的结果和名单完全一致。" in result.output, result.output
    lines = written.decode("utf-8-sig").splitlines()
    chosen = next(n for n, line in enumerate(lines) if line.endswith("首次抽样") and ",30," in line)
    lines[chosen] = re.sub(r",\d+,首次抽样$", ",,", lines[chosen])
    file.write_text("\n".join(lines), encoding="utf-8")
    result = CliRunner().invoke(draw, [str(file)])
    assert result.exit_code == 1 and "不一致的客户 1 位" in result.output
    async with database.session() as session:
        assert "campaign.draws" in set(await session.scalars(text("SELECT action FROM audit_log")))

"""Two versions of a script in one campaign, as staff begin, read and end it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import func, select

from followup import clock
from followup.campaigns.run import run_campaigns
from followup.campaigns.send import send_batch
from followup.scripts import load, published
from followup.store.database import Database
from followup.store.models import Case
from followup.store.script_models import ScriptComparison
from followup.store.staff_models import AuditEntry
from tests.integration.campaigns.conftest import Provider, invite
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.test_campaigns import NOW, _now, customers, draft  # noqa: F401  (_now: the clock and the ways of every test here)
from tests.integration.console.test_scripts import FILE, NEW, OLD, SCRIPT, begin, row_of, write

Enter = Callable[..., Awaitable[Browser]]


async def approved(enter: Enter, reviewer: Browser, database: Database) -> int:
    """A draft that was looked over and is not published; its id."""
    author = await enter("trainer", "小训")
    made = await begin(author)
    await write(author, database, made, FILE.replace(OLD, NEW))
    assert await reviewer.post(f"{made}/approve", seen=(await row_of(database, made)).version, reason="可以试试") == f"{made}?told=approved"
    return int(made.rpartition("/")[2])


async def going(boss: Browser) -> str:
    """A running campaign's address."""
    path = f"/console/campaigns/{await draft(boss)}"
    await boss.post(f"{path}/edit/talk", name="签收回访", var_company="招远汇商城", var_agent="小汇", seen=1)
    await boss.post(f"{path}/start")
    return path


async def minute(database: Database) -> None:
    await run_campaigns(database, clock.now(), 1)
    await send_batch(database, {"sms": Provider()}, invite, clock.now(), daily_cap=1, per_minute={}, limit=1000)


async def the_one(database: Database) -> ScriptComparison:
    async with database.session() as session:
        return (await session.scalars(select(ScriptComparison))).one()


async def test_an_approved_draft_is_compared_and_chosen_for_the_rest_without_being_published(enter: Enter, database: Database) -> None:
    await customers(database, 30)
    boss = await enter("supervisor", "主管王")
    path = await going(boss)
    assert "还没有可以对比的第二份话术" in text_of(await boss.get(f"{path}/compare"))
    source = f"draft:{await approved(enter, boss, database)}"
    assert "小训的草稿（换个问法）" in text_of(await boss.get(f"{path}/compare"))
    assert await boss.post(f"{path}/compare", second=source, percent="50", reason="哪种问法好") == f"{path}/compare"
    assert load.load_script(SCRIPT).questions[0].ask == OLD  # still nobody else's
    await minute(database)
    async with database.session() as session:
        sides = dict(map(tuple, await session.execute(select(Case.side, func.count()).group_by(Case.side))))
    page = text_of(await boss.get(f"{path}/compare"))
    assert f"邀请 {sides['first']} 位 {sides['second']} 位" in page and "人数相符" in page
    assert "人还太少" in page
    row = await the_one(database)
    assert "请写明原因" in await boss.post(f"{path}/compare/stop", 400, seen=row.id, chosen="second", why=" ")
    await boss.post(f"{path}/compare/stop", seen=row.id, chosen="second", why="答完的多")
    page = text_of(await boss.get(f"{path}/compare"))
    assert "第 1 次对比：选了 B" in page and "答完的多（主管王）" in page
    async with database.session() as session:
        actions = set(await session.scalars(select(AuditEntry.action)))
    assert {"script.approve", "campaign.compare", "campaign.compared"} <= actions


async def test_a_draft_campaign_may_be_set_up_with_a_comparison_from_its_first_customer(enter: Enter, database: Database) -> None:
    await customers(database, 6)
    boss = await enter("supervisor")
    campaign = await draft(boss)
    path = f"/console/campaigns/{campaign}"
    assert f"{path}/compare" in await boss.get(f"{path}/edit/talk")
    await boss.post(f"{path}/compare", second=f"draft:{await approved(enter, boss, database)}", percent="50", reason="")
    await boss.post(f"{path}/edit/talk", name="签收回访", var_company="招远汇商城", var_agent="小汇", seen=1)
    await boss.post(f"{path}/start")
    await minute(database)
    async with database.session() as session:
        assert await session.scalar(select(func.count()).where(Case.comparison_id.is_not(None))) == 6


async def test_what_is_no_candidate_any_more_is_refused_and_what_was_typed_stays(enter: Enter, database: Database) -> None:
    boss = await enter("supervisor")
    path = await going(boss) if await customers(database, 1) else ""
    made = await approved(enter, boss, database)
    assert "请选用来对比的话术" in await boss.post(f"{path}/compare", 400, second="draft:99", percent="30", reason="为什么呢")
    page = await boss.post(f"{path}/compare", 400, second=f"draft:{made}", percent="99", reason="为什么呢")
    assert "5% 到 95% 之间" in page and 'value="为什么呢"' in page


async def test_who_only_reads_campaigns_reads_the_comparison_and_changes_nothing(enter: Enter, database: Database) -> None:
    boss, auditor = await enter("supervisor"), await enter("auditor")
    await customers(database, 3)
    path = await going(boss)
    assert "没有对比过" in text_of(await auditor.get(f"{path}/compare"))
    await auditor.post(f"{path}/compare", 403, second="file:0", percent="50")
    await boss.post(f"{path}/compare", second=f"draft:{await approved(enter, boss, database)}", percent="50", reason="")
    page = await auditor.get(f"{path}/compare")
    assert "正在对比" in page and "结束对比" not in page


async def test_an_approved_draft_can_still_be_published_or_taken_back(enter: Enter, database: Database) -> None:
    boss = await enter("supervisor")
    made = f"/console/scripts/drafts/{await approved(enter, boss, database)}"
    await boss.post(f"{made}/publish", seen=(await row_of(database, made)).version, reason="")
    assert load.load_script(SCRIPT).questions[0].ask == NEW
    other = await enter("trainer", "另一位")
    mine = await begin(other)
    await write(other, database, mine, published.text_of(load.find(SCRIPT)).replace(NEW, OLD))
    await boss.post(f"{mine}/approve", seen=(await row_of(database, mine)).version)
    await other.post(f"{mine}/approve", 403)
    await other.post(f"{mine}/back")
    assert (await row_of(database, mine)).state == "draft"

"""Quality inspection: samples, the sheet beside its talk, two at once, corrections, results, who sees what."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from followup.console.quality.sheet import sheet
from followup.settings import SHANGHAI
from followup.store.database import Database
from followup.store.models import Message
from followup.store.staff_models import AuditEntry, Inspection, InspectionCorrection, InspectionSample, StaffMessage
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import Said, Written, write_talk

Enter = Callable[..., Awaitable[Browser]]
MORNING = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
QUALITY = "/console/quality"
EVIL = "<img src=x onerror=alert(1)>\"'{{7*7}}"
FULL = {f"score_{one.id}": one.points for one in sheet().criteria}


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", MORNING.isoformat())


async def writes(database: Database, talk: Written, user_id: int, text: str = "您好，我是客服小王。", forbidden: tuple[str, ...] = (), minutes: int = 30) -> int:
    """A colleague's line in a talk."""
    async with database.session() as session:
        line = Message(case_id=talk.case_id, direction="out", text=text, status="sent", channel="web", channel_message_id=f"s{minutes}-{user_id}", created_at=MORNING + timedelta(minutes=minutes))
        session.add(line)
        await session.flush()
        session.add(StaffMessage(message_id=line.id, user_id=user_id, forbidden=list(forbidden)))
        return line.id


async def open_sheet(browser: Browser, talk: Written) -> str:
    """The path of the sheet that a talk's button leads to."""
    return await browser.post(f"{QUALITY}/talks/{talk.case_id}")


async def seen(browser: Browser, path: str) -> str:
    return re.findall(r'name="seen" value="([^"]*)"', await browser.get(path))[0]


async def fill(browser: Browser, path: str, status: int = 303, **fields: Any) -> str:
    """Everything in full, but what `fields` say."""
    fields.setdefault("seen", await seen(browser, path) if "seen" not in fields else "")
    return await browser.post(path, status=status, **{**FULL, **fields})


async def cases_of(database: Database, sample: str) -> list[str]:
    async with database.session() as session:
        return list(await session.scalars(select(Inspection.case_id).where(Inspection.sample_id == int(sample.rsplit("/", 1)[1])).order_by(Inspection.id)))


# —— samples ————————————————————————————————————————————————————————


async def test_an_empty_page_says_what_to_do(enter: Enter) -> None:
    assert "还没有抽样" in await (await enter("supervisor")).get(QUALITY)
    auditor = await (await enter("auditor")).get(QUALITY)
    assert "主管抽样以后" in auditor and "<form class=\"card draw\"" not in auditor


async def test_the_same_seed_draws_the_same_talks_again(enter: Enter, database: Database) -> None:
    talks = [await write_talk(database, name=f"客户{number}") for number in range(12)]
    supervisor, other = await enter("supervisor"), await enter("admin")
    first = await supervisor.post(f"{QUALITY}/samples", number=5, unit="count", seed=42)
    again = await other.post(f"{QUALITY}/samples", number=5, unit="count", seed=42)
    different = await supervisor.post(f"{QUALITY}/samples", number=5, unit="count", seed=43)
    drawn = await cases_of(database, first)
    assert first != again and drawn == await cases_of(database, again) != await cases_of(database, different)
    assert len(set(drawn)) == 5 and set(drawn) <= {talk.case_id for talk in talks}
    page = text_of(await supervisor.get(f"{first}?check=1"))
    assert "5 场全部相同" in page and "种子 42" in page
    async with database.session() as session:
        entries = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "quality.sample"))).all()
    assert [entry.detail["seed"] for entry in entries] == [42, 42, 43] and entries[0].detail["rows"] == 5


async def test_without_a_seed_one_is_made_up_and_kept(enter: Enter, database: Database) -> None:
    for number in range(4):
        await write_talk(database, name=f"客户{number}")
    supervisor = await enter("supervisor")
    first = await supervisor.post(f"{QUALITY}/samples", number=50, unit="percent")
    async with database.session() as session:
        seed = await session.scalar(select(InspectionSample.seed))
    again = await supervisor.post(f"{QUALITY}/samples", number=50, unit="percent", seed=seed)
    assert len(await cases_of(database, first)) == 2 and await cases_of(database, first) == await cases_of(database, again)


async def test_conditions_narrow_the_draw(enter: Enter, database: Database) -> None:
    supervisor, agent = await enter("supervisor"), await enter("agent")
    plain = await write_talk(database)
    complaint = await write_talk(database, outcome="complained", channel="wechat")
    staffed = await write_talk(database, at=MORNING - timedelta(days=9))
    await writes(database, staffed, agent.user_id)
    fruit = await write_talk(database, script="fruit_order")
    demo = await write_talk(database, is_demo=True)
    await write_talk(database, status="open", outcome=None)  # still under way
    await write_talk(database, [])  # nobody said anything

    async def drawn(**wish: Any) -> set[str]:
        return set(await cases_of(database, await supervisor.post(f"{QUALITY}/samples", number=100, unit="percent", seed=1, **wish)))

    everything = {one.case_id for one in (plain, complaint, staffed, fruit)}
    assert await drawn() == everything
    assert await drawn(demo=1) == everything | {demo.case_id}
    assert await drawn(complaint=1) == {complaint.case_id} == await drawn(channel="wechat")
    assert await drawn(script="fruit_order") == {fruit.case_id}
    assert await drawn(who="staff") == {staffed.case_id} == await drawn(who=agent.user_id) == await drawn(last="2026-11-12")
    assert await drawn(who="bot") == everything - {staffed.case_id}
    async with database.session() as session:
        rows = await session.execute(select(Inspection.case_id, Inspection.agent_id).distinct())
        assert {agent_id for case_id, agent_id in rows if case_id == staffed.case_id} == {agent.user_id}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"number": ""}, "1 到 500 场"), ({"number": "-5"}, "1 到 500 场"), ({"number": "9" * 50_000}, "1 到 500 场"),
        ({"number": "5", "seed": "x"}, "种子请填写"), ({"number": "5", "script": "'; DROP TABLE cases; --"}, "没有符合条件的会话"),
        ({"number": "5", "who": "99999999999999999"}, "没有符合条件的会话"),
    ],
)  # fmt: skip
async def test_what_cannot_be_drawn_is_told_and_nothing_is_kept(enter: Enter, database: Database, fields: dict[str, str], text: str) -> None:
    await write_talk(database)
    page = await (await enter("supervisor")).post(f"{QUALITY}/samples", status=400, **fields)
    assert text in page
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(InspectionSample)) == 0


async def test_a_talk_that_came_later_is_told_by_the_check(enter: Enter, database: Database) -> None:
    await write_talk(database)
    supervisor = await enter("supervisor")
    sample = await supervisor.post(f"{QUALITY}/samples", number=100, unit="percent", seed=1)
    await write_talk(database)
    assert "1 场相同，0 场不再抽到，1 场是新的" in await supervisor.get(f"{sample}?check=1")


# —— the sheet ——————————————————————————————————————————————————————


async def test_one_click_leads_from_a_talk_to_its_sheet_and_twice_to_the_same(enter: Enter, database: Database) -> None:
    talk, one, other = await write_talk(database), await enter("supervisor"), await enter("admin")
    assert f'action="{QUALITY}/talks/{talk.case_id}"' in await one.get(f"/console/talks/{talk.case_id}")
    paths = await asyncio.gather(*(browser.post(f"{QUALITY}/talks/{talk.case_id}") for browser in (one, other, one, other)))
    assert len(set(paths)) == 1
    page = text_of(await one.get(paths[0]))
    assert "王强先生" in page and all(criterion.name in page for criterion in sheet().criteria)
    assert "单场质检" in await one.get(QUALITY)


async def test_a_talk_of_a_sample_opens_the_samples_sheet(enter: Enter, database: Database) -> None:
    talk, supervisor = await write_talk(database), await enter("supervisor")
    await supervisor.post(f"{QUALITY}/samples", number=1, seed=1)
    async with database.session() as session:
        waiting = await session.scalar(select(Inspection.id))
    assert await open_sheet(supervisor, talk) == f"{QUALITY}/sheets/{waiting}"
    await fill(supervisor, f"{QUALITY}/sheets/{waiting}")
    assert await open_sheet(supervisor, talk) != f"{QUALITY}/sheets/{waiting}"  # that one is done


async def test_hints_stand_beside_the_criteria(enter: Enter, database: Database) -> None:
    agent, supervisor = await enter("agent", "坐席甲"), await enter("supervisor")
    talk = await write_talk(
        database,
        [Said("太慢了，我很不满意", "dissatisfied", reply="好的，下一个问题。", answers=[("price", None)]), Said("嗯嗯那个", "inform", 0.4)],
        outcome="complained",
    )
    line = await writes(database, talk, agent.user_id, "你到底想不想解决？我不知道。", forbidden=("早就改掉的忌语",))
    text = text_of(page := await supervisor.get(await open_sheet(supervisor, talk)))
    assert "服务忌语“我不知道”（坐席 坐席甲）" in text and "服务忌语“早就改掉的忌语”" in text
    assert "客户说“太慢了，我很不满意”以后，我们没有道歉或安抚" in text
    assert "系统对这句话没有把握：“嗯嗯那个”" in text
    assert "有 1 个问题没有得到答案" in text and "结果是投诉，但是没有工单" in text
    assert re.search(rf'class="line ours marked" id="message-{line}"', page)


async def test_a_filled_sheet_is_added_up_and_locked(enter: Enter, database: Database) -> None:
    talk, supervisor = await write_talk(database), await enter("supervisor")
    path = await open_sheet(supervisor, talk)
    await fill(supervisor, path, score_phrases=20, comment="称呼很好\n语速可以慢一点" + EVIL)
    page = await supervisor.get(path)
    assert "总分 <strong>95</strong> / 100" in page and "已经锁定" in page and EVIL not in page
    assert f'action="{path}"' not in page and f'action="{path}/correct"' in page
    assert "已经填好并锁定" in await fill(supervisor, path, status=409)
    async with database.session() as session:
        one = (await session.scalars(select(Inspection))).one()
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "quality.fill"))).one()
    assert (one.total, one.scores["phrases"], one.inspector_id, one.agent_id) == (95, 20, supervisor.user_id, None)
    assert entry.detail == {"case": talk.case_id, "total": 95}  # no comment: it may hold the customer's words


@pytest.mark.parametrize("score", ["", "26", "-1", "2.5", "二十"])
async def test_a_score_out_of_bounds_is_told_and_the_rest_is_still_there(enter: Enter, database: Database, score: str) -> None:
    talk, supervisor = await write_talk(database), await enter("supervisor")
    path = await open_sheet(supervisor, talk)
    page = await fill(supervisor, path, status=400, score_phrases=score, comment="写了很久的评语")
    assert "“规范用语”请填写 0 到 25 的整数" in page and "写了很久的评语" in page
    async with database.session() as session:
        assert (await session.scalars(select(Inspection.total))).one() is None


async def test_of_two_inspectors_at_once_the_second_is_told_and_nothing_is_lost(enter: Enter, database: Database) -> None:
    talk, one, other = await write_talk(database), await enter("supervisor"), await enter("admin")
    path = await open_sheet(one, talk)
    old = await seen(other, path)
    await fill(one, path, comment="先保存的")
    page = await fill(other, path, status=409, seen=old, score_phrases=3, comment="后保存的")
    assert "已经由别人填写或者更正" in page and "先保存的" in page and "后保存的" in page and 'value="3"' in page
    async with database.session() as session:
        assert (await session.scalars(select(Inspection.comment))).one() == "先保存的"


async def test_of_many_inspectors_in_the_same_moment_one_is_kept(enter: Enter, database: Database) -> None:
    talk = await write_talk(database)
    browsers = [await enter("supervisor", f"主管{number}") for number in range(4)]
    path = await open_sheet(browsers[0], talk)
    stamp = await seen(browsers[0], path)

    async def send(number: int, browser: Browser) -> int:
        data = {"csrf": browser.csrf, "seen": stamp, **{key: str(value) for key, value in FULL.items()}, "comment": f"第{number}位"}
        async with browser.client.post(path, data=data, allow_redirects=False) as answer:
            return answer.status

    statuses = await asyncio.gather(*(send(number, browser) for number, browser in enumerate(browsers)))
    assert sorted(statuses) == [303, 409, 409, 409]


async def test_a_correction_keeps_what_was_there(enter: Enter, database: Database) -> None:
    talk, one, other = await write_talk(database), await enter("supervisor", "主管甲"), await enter("supervisor", "主管乙")
    path = await open_sheet(one, talk)
    await fill(one, path, score_records=0, comment="没有记录")
    stale = await seen(other, path)
    assert "请写明更正的原因" in await fill(other, f"{path}/correct", status=400, seen=stale)
    assert "没有改动" in await fill(other, f"{path}/correct", status=400, seen=stale, score_records=0, comment="没有记录", reason="没改")
    await other.post(f"{path}/correct", seen=stale, **FULL, comment="记录在备注里", reason="看漏了备注")
    text = text_of(await one.get(path))
    assert "主管乙 在 11月20日 10:00 更正：总分 85 → 100，记录完整 0 → 15，评语原来是“没有记录”。原因：看漏了备注" in text
    assert "又" not in (page := await one.post(f"{path}/correct", status=409, seen=stale, **FULL, comment="我也改", reason="我也改")) and "已经由别人" in page
    async with database.session() as session:
        kept = (await session.scalars(select(InspectionCorrection))).one()
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "quality.correct"))).one()
        sheet_ = (await session.scalars(select(Inspection))).one()
    assert kept.before["scores"]["records"] == 0 and kept.after["scores"]["records"] == 15
    assert (entry.detail["before"], entry.detail["after"]) == (85, 100)
    assert sheet_.inspector_id == one.user_id  # who judged first stays


async def test_nobody_judges_his_own_work(enter: Enter, database: Database) -> None:
    talk, one, other = await write_talk(database), await enter("supervisor", "主管甲"), await enter("supervisor", "主管乙")
    await writes(database, talk, one.user_id)
    path = await open_sheet(other, talk)
    page = await one.get(path)
    assert "这是您自己的会话" in page and f'action="{path}"' not in page
    stamp = await seen(other, path)
    await one.post(path, status=403, seen=stamp, **FULL, agent="")
    await other.post(path, seen=stamp, **FULL, agent=one.user_id)
    await one.post(f"{path}/correct", status=403, seen="1-0", **FULL, agent=one.user_id, reason="给自己加分")


async def test_whose_work_it_is_can_be_said_but_only_of_who_wrote(enter: Enter, database: Database) -> None:
    talk, supervisor = await write_talk(database), await enter("supervisor")
    agents = [await enter("agent", "坐席甲"), await enter("agent", "坐席乙")]
    stranger = await enter("agent", "坐席丙")
    for minutes, agent in enumerate([agents[0], agents[1], agents[1]]):
        await writes(database, talk, agent.user_id, minutes=30 + minutes)
    path = await open_sheet(supervisor, talk)
    async with database.session() as session:
        assert (await session.scalars(select(Inspection.agent_id))).one() == agents[1].user_id  # who wrote most
    assert "请选择检查的是谁的工作" in await fill(supervisor, path, status=400, agent=stranger.user_id)
    await fill(supervisor, path, agent=agents[0].user_id)
    assert "坐席甲的工作" in await supervisor.get(path)


# —— who sees what ————————————————————————————————————————————————————


async def test_an_agent_sees_only_the_filled_sheets_about_own_work(enter: Enter, database: Database) -> None:
    supervisor, mine, other = await enter("supervisor"), await enter("agent", "坐席甲"), await enter("agent", "坐席乙")
    talk = await write_talk(database)
    await writes(database, talk, mine.user_id)
    path = await open_sheet(supervisor, talk)
    await mine.get(path, status=403)  # not judged yet
    await fill(supervisor, path, agent=mine.user_id, score_empathy=10, comment="可以先道歉")
    assert await mine.get(QUALITY, status=303) == ""
    results = text_of(await mine.get(f"{QUALITY}/results"))
    assert "我的质检结果" in results and "90.0" in results and "可以先道歉" in results
    page = await mine.get(path)
    assert "可以先道歉" in page and "/correct" not in page and f"{QUALITY}/samples" not in page
    await other.get(path, status=403)
    theirs = text_of(await other.get(f"{QUALITY}/results"))
    assert "还没有您的质检结果" in theirs and "坐席甲" not in theirs
    for there in ("/calibration", "/messages", "/samples/1", "/summary.csv"):
        await mine.get(QUALITY + there, status=403)
    await mine.post(path, status=403, **FULL)


@pytest.mark.parametrize("number", ["0", "999999999", "999999999999999999", "9999999999999999999999", "-1", "1;DROP TABLE inspections", "1%20OR%201=1", "０"])
async def test_forged_numbers_lead_nowhere(enter: Enter, database: Database, number: str) -> None:
    supervisor = await enter("supervisor")
    for there in (f"/sheets/{number}", f"/samples/{number}"):
        await supervisor.get(QUALITY + there, status=404)
    for there in (f"/sheets/{number}", f"/sheets/{number}/correct", f"/talks/{number}"):
        await supervisor.post(QUALITY + there, status=404, **FULL)
    await supervisor.post(f"{QUALITY}/talks/{'0' * 32}", status=404)


# —— results ————————————————————————————————————————————————————————


async def test_results_per_colleague_and_for_the_bot_and_their_export(enter: Enter, database: Database) -> None:
    supervisor, agent = await enter("supervisor"), await enter("agent", "=cmd|'/C calc'!A0")
    for number, points in enumerate((25, 5)):
        talk = await write_talk(database, name=f"客户{number}")
        await writes(database, talk, agent.user_id)
        await fill(supervisor, await open_sheet(supervisor, talk), agent=agent.user_id, score_phrases=points, comment="=HYPERLINK(\"http://evil\")")
    bot = await open_sheet(supervisor, await write_talk(database))
    await fill(supervisor, bot)
    text = text_of(await supervisor.get(f"{QUALITY}/results"))
    assert "90.0" in text and "80–100" in text and "智能助手" in text and "100.0" in text
    for what, column in (("summary", 0), ("sheets", 1)):
        async with supervisor.client.get(f"{QUALITY}/{what}.csv") as answer:
            lines = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
        assert any(line[column] == "'=cmd|'/C calc'!A0" for line in lines) and not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line)
        async with supervisor.client.get(f"{QUALITY}/{what}.xlsx") as answer:
            book = load_workbook(io.BytesIO(await answer.read()))
        cells = [cell for row in book.active.iter_rows() for cell in row]
        assert any(str(cell.value).startswith("=cmd") for cell in cells) and not any(cell.data_type == "f" for cell in cells)
    summary = list(csv.reader(io.StringIO(text_of_csv := (await supervisor.get(f"{QUALITY}/summary.csv")).lstrip("\ufeff"))))
    assert text_of_csv and [line[1:4] for line in summary[1:]] == [["2026-11", "2", "90.0"], ["合计", "2", "90.0"], ["2026-11", "1", "100.0"], ["合计", "1", "100.0"]]


async def test_the_lowest_scores_and_different_judgements_are_listed(enter: Enter, database: Database) -> None:
    one, other = await enter("supervisor", "主管甲"), await enter("supervisor", "主管乙")
    low, high = await write_talk(database, name="低分"), await write_talk(database, name="高分")
    await fill(one, await open_sheet(one, high))
    await fill(one, await open_sheet(one, low), score_accuracy=0, score_phrases=0, comment="读错了三处")
    sample = await other.post(f"{QUALITY}/samples", number=100, unit="percent", seed=1)
    for number in re.findall(r'href="(/console/quality/sheets/\d+)"', await other.get(sample)):
        await fill(other, number)
    text = text_of(page := await other.get(f"{QUALITY}/calibration"))
    assert page.index("低分先生") < page.index("高分先生") and "读错了三处" in text
    assert "主管甲 50 、 主管乙 100" in text


async def test_what_colleagues_wrote_with_forbidden_phrases_is_listed(enter: Enter, database: Database) -> None:
    supervisor, agent, polite = await enter("supervisor"), await enter("agent", "坐席甲"), await enter("agent", "坐席乙")
    assert "没有发现服务忌语" in await supervisor.get(f"{QUALITY}/messages")
    talk = await write_talk(database)
    await writes(database, talk, agent.user_id, "我不知道。" + EVIL, forbidden=("我不知道",))
    await writes(database, talk, polite.user_id)
    page = await supervisor.get(f"{QUALITY}/messages?last=2026-11-21")
    assert "坐席甲" in text_of(page) and "可以说" in page and EVIL not in page
    assert text_of(page).count("11月20日 10:30") == 1
    assert "没有发现" in await supervisor.get(f"{QUALITY}/messages?who={polite.user_id}")
    assert "没有发现" in await supervisor.get(f"{QUALITY}/messages?last=2026-11-01&who=x'--")

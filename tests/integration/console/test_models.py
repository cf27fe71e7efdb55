"""Models in the console: what is live, training, comparisons, going live and back, and how well customers are understood."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from followup.settings import SHANGHAI
from followup.store.database import Database
from followup.store.models import User
from followup.store.staff_models import Annotation, AuditEntry
from followup.store.training_models import ExampleChange, ModelDeployment, ModelVersion
from followup.training import deploy, versions
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.made_up_models import a_machine, a_version, flip, report
from tests.integration.console.written_talks import Said, write_talk

Enter = Callable[..., Awaitable[Browser]]
MODELS = "/console/models"
BROKEN = {"talks": {"played": 792, "broken": [{"talk": "bank/loan", "why": "客户：开车呢\n期望：道别"}], "failing": []}}


async def wanted(database: Database) -> versions.Wanted | None:
    async with database.session() as session:
        return await versions.wanted(session)


async def promoted(database: Database, version: int, reason: str = "") -> int:
    async with database.session() as session:
        return await deploy.promote(session, None, version, reason)


async def seen(database: Database) -> str:
    present = await wanted(database)
    return str(present.deployment) if present else "none"


# —— training ————————————————————————————————————————————————————————————


async def test_without_any_training_the_page_says_what_to_do(enter: Enter) -> None:
    text_shown = text_of(await (await enter("trainer")).get(MODELS))
    assert "还没有训练过" in text_shown and "训练新版本" in text_shown and "还没有机器报到" in text_shown


async def test_a_trainer_begins_a_training_and_sees_how_far_it_is(enter: Enter, database: Database) -> None:
    trainer = await enter("trainer")
    assert await trainer.post(f"{MODELS}/train", begin="yes") == f"{MODELS}#training"
    page = await trainer.get(MODELS)
    assert "排队等待" in page and "取消训练" in page and "训练新版本" not in page and 'hx-trigger="every 1s"' in page
    async with database.session() as session:
        row = (await session.scalars(select(ModelVersion))).one()
        row.state, row.phase, row.done, row.total, row.started_at = "running", "replaying", 400, 800, func.now()  # type: ignore[assignment]
        assert row.by_user_id == trainer.user_id
    part = await trainer.get(f"{MODELS}/progress")
    assert 'value="92"' in part and "重走全部会话" in part and "400 / 800 场" in part


async def test_a_second_training_is_refused_in_words(enter: Enter) -> None:
    trainer = await enter("trainer")
    await trainer.post(f"{MODELS}/train", begin="yes")
    assert "已经有一次训练在进行" in await trainer.post(f"{MODELS}/train", 409, begin="yes")


async def test_the_page_is_loaded_anew_when_the_training_ends(enter: Enter, database: Database) -> None:
    trainer = await enter("trainer")
    await trainer.post(f"{MODELS}/train", begin="yes")
    async with trainer.client.get(f"{MODELS}/progress") as answer:
        assert "HX-Refresh" not in answer.headers
    async with database.session() as session:
        row = (await session.scalars(select(ModelVersion))).one()
        row.state, row.error = "failed", "Rasa 训练没有成功。内存不足"
    async with trainer.client.get(f"{MODELS}/progress") as answer:
        assert answer.headers["HX-Refresh"] == "true"
    assert "内存不足" in await trainer.get(MODELS)


async def test_a_training_is_cancelled(enter: Enter, database: Database) -> None:
    trainer = await enter("trainer")
    await trainer.post(f"{MODELS}/train", begin="yes")
    async with database.session() as session:
        number = (await session.scalars(select(ModelVersion.id))).one()
    assert await trainer.post(f"{MODELS}/{number}/cancel") == f"{MODELS}#training"
    assert "已取消" in await trainer.get(MODELS)
    assert "没有在训练" in await trainer.post(f"{MODELS}/{number}/cancel", 409)


# —— a comparison ————————————————————————————————————————————————————————


async def test_a_report_is_told_in_a_sentence_and_check_by_check(enter: Enter, database: Database) -> None:
    live = await a_version(database)
    number = await a_version(database, report(compared_with=live))
    shown = text_of(await (await enter("trainer")).get(f"{MODELS}/{number}"))
    assert f"与第 {live} 版比较，在 3,550 句固定测试句上，正确率从 95.0% 升到 95.5%；改对 1 句，改错 1 句。" in shown
    assert "重走 792 场会话，没有走不通的。各项都在允许的范围内，可以上线。" in shown
    assert shown.count("通过") >= 10 and "没有通过" not in shown
    assert "最差：业务咨询 eat_pear，93.0% → 90.0%" in shown
    assert "29,682 句，96 个意图，2 个文件" in shown and "含还没有交出的 2 处" in shown


async def test_what_blocks_is_said_at_its_check_and_broken_talks_are_shown(enter: Enter, database: Database) -> None:
    flips = [flip("别打了", "do_not_contact", "do_not_contact", "refuse")]
    number = await a_version(database, report(accuracy=0.9, flips=flips, **BROKEN))
    shown = text_of(await (await enter("auditor")).get(f"{MODELS}/{number}"))
    assert "固定测试句的正确率从 95.0% 降到 90.0%，超过允许的 0.5%。" in shown
    assert "丢了 1 句" in shown and "例如“别打了”" in shown
    assert "1 场（共重走 792 场）" in shown and "bank/loan" in shown and "期望：道别" in shown
    assert "不能直接上线" in shown


async def test_the_intents_are_sorted_as_asked(enter: Enter, database: Database) -> None:
    number = await a_version(database, report())
    browser = await enter("trainer")

    async def order(query: str) -> list[str]:
        page = await browser.get(f"{MODELS}/{number}{query}")
        found = page[page.index('id="intents"') :]
        return sorted(("consent", "driving", "faq/eat_pear"), key=lambda intent: found.index(f"<code>{intent}</code>"))

    assert await order("") == ["faq/eat_pear", "consent", "driving"], "what got worse comes first"
    assert await order("?sort=lines&order=down") == ["consent", "driving", "faq/eat_pear"]
    assert await order("?sort=recall") == ["faq/eat_pear", "driving", "consent"]


async def test_flips_are_filtered_and_come_in_pages(enter: Enter, database: Database) -> None:
    worse = [flip(f"听错了的第{n}句", "busy", "busy", "wait") for n in range(35)]
    number = await a_version(database, report(flips=[flip("听对了的一句", "busy", "wait", "busy"), *worse]))
    browser = await enter("trainer")
    first = text_of(await browser.get(f"{MODELS}/{number}?kind=worse"))
    assert "听错了的第0句" in first and "听对了的一句" not in first and "共 35 条，第 1 / 2 页" in first
    assert "在忙 0.61 请稍等 0.93" in first, "both readings"
    second = text_of(await browser.get(f"{MODELS}/{number}?kind=worse&page=2"))
    assert "听错了的第34句" in second and "听错了的第0句" not in second
    better = text_of(await browser.get(f"{MODELS}/{number}?kind=better"))
    assert "听对了的一句" in better and "听错了" not in better


async def test_a_trainer_reads_customers_lines_masked_and_others_as_they_are(enter: Enter, database: Database) -> None:
    talk = await write_talk(database, [Said("我是王强，打13987654321找我", "inform")], name="王强")
    said = flip("", "call_later", "inform", "call_later", message_id=talk.messages[0])
    number = await a_version(database, report(corrected=[said]))
    masked = await (await enter("trainer")).get(f"{MODELS}/{number}")
    assert "王强" not in masked and "13987654321" not in masked and "139****4321" in masked
    assert f"/console/talks/{talk.case_id}#message-{talk.messages[0]}" in masked
    assert "我是王强，打13987654321找我" in await (await enter("supervisor")).get(f"{MODELS}/{number}")


async def test_a_line_whose_customer_was_erased_has_no_words(enter: Enter, database: Database) -> None:
    number = await a_version(database, report(corrected=[flip("", "busy", "wait", "busy", message_id=987654)]))
    assert "客户的资料已经删除" in await (await enter("supervisor")).get(f"{MODELS}/{number}")


async def test_there_is_no_page_of_a_version_that_is_not_there(enter: Enter) -> None:
    supervisor = await enter("supervisor")
    for path in ("/12345", "/12345/promote"):
        assert "没有找到" in await supervisor.get(f"{MODELS}{path}", 404)
    await supervisor.post(f"{MODELS}/12345/promote", 404, seen="none")


# —— live and back ———————————————————————————————————————————————————————


async def test_a_supervisor_has_a_version_go_live_and_sees_the_machines_switch(enter: Enter, database: Database) -> None:
    number = await a_version(database, report())
    await a_machine(database, "web-1")
    await a_machine(database, "web-2")
    supervisor = await enter("supervisor")
    assert "2 台机器在运行" in await supervisor.get(f"{MODELS}/{number}/promote")
    assert await supervisor.post(f"{MODELS}/{number}/promote", seen="none", reason="更懂开车的客户") == f"{MODELS}#machines"
    page = text_of(await supervisor.get(MODELS))
    assert f"正在换成第 {number} 版：2 台机器，0 台已经换好。" in page and page.count("等待接手") == 2
    present = await wanted(database)
    assert present is not None and present.version == number
    await a_machine(database, "web-1", number, deployment=present.deployment)
    async with supervisor.client.get(f"{MODELS}/machines") as answer:
        assert "HX-Refresh" not in answer.headers and "1 台已经换好" in await answer.text()
    await a_machine(database, "web-2", number, deployment=present.deployment)
    async with supervisor.client.get(f"{MODELS}/machines") as answer:
        assert answer.headers["HX-Refresh"] == "true"
    assert f"现在回答客户的是： 第 {number} 版" in text_of(await supervisor.get(MODELS))


async def test_a_machine_that_did_not_take_it_says_why_and_it_may_be_tried_again(enter: Enter, database: Database) -> None:
    number = await a_version(database, report())
    await a_machine(database, "web-1", None, state="failed", deployment=await promoted(database, number), error="内存不足，没有启动成功")
    supervisor = await enter("supervisor")
    page = text_of(await supervisor.get(MODELS))
    assert "有 1 台机器没有接手" in page and "内存不足，没有启动成功" in page and "语料文件的模型" in page
    again = f'href="{MODELS}/{number}/promote"'
    assert again in await supervisor.get(MODELS) and again not in await (await enter("trainer")).get(MODELS)
    assert "再试一次上线" in await supervisor.get(f"{MODELS}/{number}")
    await supervisor.post(f"{MODELS}/{number}/promote", seen=await seen(database))
    assert "等待接手" in await supervisor.get(MODELS)


async def test_a_machine_that_gave_no_sign_of_life_is_not_waited_for(enter: Enter, database: Database) -> None:
    number = await a_version(database, report())
    await promoted(database, number)
    await a_machine(database, "web-1", seen_at=datetime(2026, 1, 1, tzinfo=SHANGHAI))
    page = await (await enter("auditor")).get(MODELS)
    assert "没有在运行" in page and "hx-trigger" not in page


async def test_a_blocked_version_is_refused_without_a_reason_and_goes_with_one(enter: Enter, database: Database) -> None:
    number = await a_version(database, report(accuracy=0.9))
    supervisor = await enter("supervisor")
    asked = await supervisor.get(f"{MODELS}/{number}/promote")
    assert "这一版没有通过比较" in asked and "必填" in asked
    refused = await supervisor.post(f"{MODELS}/{number}/promote", 400, seen="none", reason="  ")
    assert "主管写明原因，可以放行" in refused and await wanted(database) is None
    await supervisor.post(f"{MODELS}/{number}/promote", seen="none", reason="客户投诉多，先上")
    async with database.session() as session:
        row = (await session.scalars(select(ModelDeployment))).one()
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "model.promote"))).one()
    assert (row.overridden, row.reason, row.by_user_id) == (True, "客户投诉多，先上", supervisor.user_id)
    assert entry.detail == {"reason": "客户投诉多，先上", "overridden": True}
    audit = text_of(await (await enter("auditor")).get("/console/audit"))
    assert "让模型上线" in audit and "没有通过比较也上线" in audit


@pytest.mark.parametrize("role", ["trainer", "auditor"])
async def test_who_may_not_decide_is_offered_nothing_and_refused(enter: Enter, database: Database, role: str) -> None:
    number = await a_version(database, report())
    await promoted(database, await a_version(database))
    browser = await enter(role)
    for path in (MODELS, f"{MODELS}/{number}"):
        page = await browser.get(path)
        assert "/promote" not in page and "/rollback" not in page
    await browser.post(f"{MODELS}/{number}/promote", 403, seen="none")
    await browser.post(f"{MODELS}/rollback", 403, seen="none", reason="不行")


async def test_going_back_needs_a_reason_and_names_where_it_leads(enter: Enter, database: Database) -> None:
    first, second = await a_version(database, report()), await a_version(database, report())
    await promoted(database, first)
    await promoted(database, second)
    supervisor = await enter("supervisor")
    assert f"退回第 {first} 版" in await supervisor.get(MODELS)
    assert f"退回第 {first} 版？" in await supervisor.get(f"{MODELS}/rollback")
    state = await seen(database)
    assert "请写明原因" in await supervisor.post(f"{MODELS}/rollback", 400, seen=state)
    await supervisor.post(f"{MODELS}/rollback", seen=state, reason="听不懂梨")
    present = await wanted(database)
    assert present is not None and present.version == first


async def test_two_who_go_back_at_once_go_back_one_version(enter: Enter, database: Database) -> None:
    numbers = [await a_version(database, report()) for _ in range(3)]
    for number in numbers:
        await promoted(database, number)
    state = await seen(database)
    one, other = await enter("supervisor"), await enter("admin")
    await one.post(f"{MODELS}/rollback", seen=state, reason="不行")
    assert "已经由同事换过" in await other.post(f"{MODELS}/rollback", 409, seen=state, reason="不行")
    present = await wanted(database)
    assert present is not None and present.version == numbers[1]


async def test_without_an_older_version_there_is_nowhere_to_go_back_to(enter: Enter, database: Database) -> None:
    supervisor = await enter("supervisor")
    assert "没有更早的版本可以退回" in await supervisor.get(f"{MODELS}/rollback")
    assert "没有更早的版本可以退回" in await supervisor.post(f"{MODELS}/rollback", 400, seen="none", reason="不行")


async def test_a_version_whose_file_is_gone_is_not_offered(enter: Enter, database: Database) -> None:
    number = await a_version(database, report(), archive=None)
    supervisor = await enter("supervisor")
    page = await supervisor.get(f"{MODELS}/{number}")
    assert "已按保留规则清理" in page and "/promote" not in page
    assert "按保留规则清理" in await supervisor.post(f"{MODELS}/{number}/promote", 400, seen="none")


# —— figures —————————————————————————————————————————————————————————————


async def test_figures_without_anything_say_so(enter: Enter) -> None:
    shown = text_of(await (await enter("trainer")).get(f"{MODELS}/figures"))
    for sentence in ("客户还没有说过话", "没有人标注", "没有核对出听错的话", "还没有让模型上过线"):
        assert sentence in shown


async def test_the_weeks_count_what_staff_said_above_what_the_model_believed(enter: Enter, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
    monkeypatch.setenv("FOLLOWUP_NOW", at.isoformat())
    lines = [Said("在忙", "busy", 0.95), Said("嗯呐", "consent", 0.4), Said("那个", "inform", 0.9), Said("梨", "faq/eat_pear", 0.5)]
    talk = await write_talk(database, lines, at=at - timedelta(days=1))
    await write_talk(database, [Said("演示", "inform", 0.1)], name="演示", phone="13800000001", is_demo=True, at=at)
    await write_talk(database, [Said("好", "consent")], name="上周", phone="13800000002", at=at - timedelta(days=14))
    async with database.session() as session:
        user = User(name="甲", role="trainer", password_hash="x")
        session.add(user)
        await session.flush()
        notes = [(2, "out_of_scope"), (3, "faq")]  # the third was wrong, the fourth was right
        session.add_all([Annotation(message_id=talk.messages[place], intent=intent, user_id=user.id, at=at) for place, intent in notes])
        session.add(ExampleChange(by_user_id=user.id, kind="add", text="开着车", intent="driving", at=at - timedelta(days=2)))
        session.add(ExampleChange(by_user_id=user.id, kind="add", text="不要了", intent="refuse", at=at, state="withdrawn"))
    shown = text_of(await (await enter("trainer")).get(f"{MODELS}/figures"))
    assert "11月2日 100.0 1 0 11月9日 — 0 0 11月16日 50.0 4 1" in shown
    assert "与回访无关 1 1 提供信息" in shown
    assert "11月18日 1 0 1 11月19日 0 0 0 11月20日 2 2 0" in shown


async def test_the_effect_of_a_promotion_is_a_week_before_against_a_week_after(enter: Enter, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 11, 10, 12, tzinfo=SHANGHAI)
    monkeypatch.setenv("FOLLOWUP_NOW", (at + timedelta(days=9)).isoformat())
    first, second = await a_version(database, report()), await a_version(database, report(accuracy=0.9))
    await promoted(database, first)
    await promoted(database, second, "先上")
    async with database.session() as session:
        for days, version in ((-2, first), (0, second)):
            await session.execute(text("UPDATE model_deployments SET at = :at WHERE version_id = :v"), {"at": at + timedelta(days=days), "v": version})
    for number, (days, sure) in enumerate(((-5, 0.3), (-1, 0.9), (-1, 0.4), (1, 0.9), (6, 0.9), (8, 0.2))):
        await write_talk(database, [Said("在忙", "busy", sure)], name=f"客户{number}", phone=f"1380000000{number}", at=at + timedelta(days=days))
    shown = text_of(await (await enter("supervisor")).get(f"{MODELS}/figures"))
    assert f"第 {second} 版 放行 命令行：先上 11月10日 12:00 50.0% 2 句 100.0% 2 句 ＋50.0" in shown
    assert f"第 {first} 版 命令行 11月8日 12:00 0.0% 1 句 50.0% 2 句 ＋50.0" in shown, "only until the next one came"


async def test_whatever_stands_in_a_report_or_a_reason_is_text(enter: Enter, database: Database) -> None:
    evil = "<img src=x onerror=alert(1)>"
    broken = {"played": 1, "broken": [{"talk": evil, "why": evil}], "failing": []}
    number = await a_version(database, report(flips=[flip(evil, "busy", evil, "busy")], talks=broken), error=evil)
    await a_machine(database, "web-1", state="failed", error=evil, deployment=await promoted(database, number, evil))
    supervisor = await enter("supervisor")
    for path in ("", f"/{number}", f"/{number}/promote", "/rollback", "/figures"):
        page = await supervisor.get(MODELS + path)
        assert "<img src=x" not in page, path
    assert "&lt;img src=x" in await supervisor.get(f"{MODELS}/figures"), "the reason is shown"

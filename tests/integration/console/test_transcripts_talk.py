"""One talk: what was said and how it was read, corrections that the figures use, intents, notes, masking, printing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from followup import clock
from followup.console.transcripts.filters import talk_link
from followup.settings import SHANGHAI
from followup.store.database import Database
from followup.store.figures import talks_between
from followup.store.models import Answer, Note, Ticket
from followup.store.staff_models import Annotation, AnswerCorrection, AuditEntry
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import LOAN, Said, Written, write_talk

Enter = Callable[..., Awaitable[Browser]]
NOBODY = "0" * 32


async def a_misread_talk(database: Database, **more: Any) -> Written:
    said = [
        Said("方便", "consent", 0.99),
        Said("贵倒是不贵", "dissatisfied", 0.55, answers=[("price", "不满意")], reply="那您觉得贷款期限怎么样？"),
        Said("一般吧", "neutral", 0.9, answers=[("term", "一般")]),
    ]
    return await write_talk(database, said, **more)


async def stored(database: Database, answer_id: int) -> Any:
    async with database.session() as session:
        return (await session.get_one(Answer, answer_id)).value


def correction(talk: Written, question: str = "price") -> str:
    return f"/console/talks/{talk.case_id}/answers/{talk.answers[question]}"


async def test_a_line_is_shown_with_its_reading_and_the_answer_it_led_to(enter: Enter, database: Database) -> None:
    talk = await a_misread_talk(database)
    page = text_of(await (await enter("agent")).get(talk_link(talk.case_id)))
    line = page[page.index("贵倒是不贵") : page.index("那您觉得贷款期限怎么样")]
    assert "不满意 55%" in line and "置信度低" in line
    assert "利率" in line or "收费" in line  # the question's own words
    assert re.search(r"→ .+：\s*不满意", line)


async def test_every_act_of_a_line_is_shown(enter: Enter, database: Database) -> None:
    acts = [{"intent": "satisfied", "confidence": 0.9, "text": "挺好"}, {"intent": "busy", "confidence": 0.8, "text": "在忙"}]
    talk = await write_talk(database, [Said("挺好，在忙", "busy", acts=acts)])
    page = text_of(await (await enter("agent")).get(talk_link(talk.case_id)))
    assert "“挺好”满意 90%" in page and "“在忙”在忙 80%" in page


async def test_what_is_known_of_the_case_stands_beside_it(enter: Enter, database: Database) -> None:
    talk = await a_misread_talk(database, ticket="complaint", outcome="complained", channel="wechat")
    async with database.session() as session:
        session.add(Note(case_id=talk.case_id, kind="handover", text="请同事回电", message_id=None))
    page = text_of(await (await enter("agent")).get(talk_link(talk.case_id)))
    for text in ("13812345678", "车贷业务满意度回访，第 1 版", "首次，微信", "公司名称 演示公司", "客户服务部", "转人工", "请同事回电"):
        assert text in page, text


async def test_an_enquiry_and_the_customer_it_names_lead_to_each_other(enter: Enter, database: Database) -> None:
    talk = await a_misread_talk(database)
    enquiry = await write_talk(database, name="访客", phone="13812345678", is_anonymous=True, claimed=talk, script="inbound_enquiry", ticket="request")
    agent = await enter("agent")
    there = await agent.get(talk_link(enquiry.case_id))
    assert "王强先生 · 13812345678（号码相同，未核实）" in text_of(there) and talk_link(talk.case_id) in there
    here = await agent.get(talk_link(talk.case_id))
    assert talk_link(enquiry.case_id) in here and "诉求" in text_of(here)  # its ticket is shown here too


async def test_a_corrected_answer_counts_in_the_figures_and_is_kept_with_who_when_and_why(enter: Enter, database: Database) -> None:
    talk = await a_misread_talk(database)
    agent = await enter("agent", "坐席甲")
    back = await agent.post(f"{correction(talk)}?unsure=1", value="很满意", reason="说的是不贵", seen="0")
    assert back == f"{talk_link(talk.case_id)}?unsure=1#answer-{talk.answers['price']}"
    page = text_of(await agent.get(back.partition("#")[0]))
    assert "坐席甲 在" in page and "由“不满意”更正为“很满意”：说的是不贵" in page and "（已更正）" in page
    async with database.session() as session:
        (figures,) = await talks_between(session, LOAN, date(2026, 11, 1), date(2026, 11, 30))
        kept = (await session.scalars(select(AnswerCorrection))).one()
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "answer.correct"))).one()
    assert figures.value("price") == "很满意" and figures.answers["price"].words == "贵倒是不贵"
    assert (kept.before, kept.after, kept.reason, kept.user_id) == ("不满意", "很满意", "说的是不贵", agent.user_id)
    assert entry.detail["case"] == talk.case_id and (entry.detail["before"], entry.detail["after"]) == ("不满意", "很满意")
    assert "有更正" in await agent.get("/console/talks?corrected=1")


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"value": "很满意", "reason": "", "seen": "0"}, 400, "请写明更正的原因"),
        ({"value": "不满意", "reason": "错了", "seen": "0"}, 400, "没有改动"),
        ({"value": "非常好", "reason": "错了", "seen": "0"}, 400, "请从选项里选一个"),
        ({"value": "很满意", "reason": "错了", "seen": "7"}, 409, "您的更正没有保存"),
    ],
)
async def test_a_correction_that_cannot_be_changes_nothing_and_says_why(
    enter: Enter, database: Database, fields: dict[str, str], status: int, text: str
) -> None:
    talk = await a_misread_talk(database)
    agent = await enter("agent")
    assert text in await agent.post(correction(talk), status=status, **fields)
    assert await stored(database, talk.answers["price"]) == "不满意"
    async with database.session() as session:
        assert (await session.scalars(select(AnswerCorrection))).all() == []


async def test_of_two_who_correct_at_once_the_second_is_told(enter: Enter, database: Database) -> None:
    talk = await a_misread_talk(database)
    one, other = await enter("agent", "坐席甲"), await enter("agent", "坐席乙")
    await one.post(correction(talk), value="很满意", reason="说的是不贵", seen="0")
    page = await other.post(correction(talk), status=409, value="一般", reason="听起来一般", seen="0")
    assert "由“不满意”更正为“很满意”" in text_of(page)
    (seen,) = re.findall(rf'answers/{talk.answers["price"]}"[\s\S]*?name="seen" value="(\d+)"', page)
    await other.post(correction(talk), value="一般", reason="听起来一般", seen=seen)
    assert await stored(database, talk.answers["price"]) == "一般"


async def test_an_answer_can_be_corrected_to_none(enter: Enter, database: Database) -> None:
    talk = await a_misread_talk(database)
    await (await enter("agent")).post(correction(talk), value="__none__", reason="没有回答", seen="0")
    assert await stored(database, talk.answers["price"]) is None


async def test_what_was_computed_from_the_answer_is_computed_again(enter: Enter, database: Database) -> None:
    talk = await write_talk(
        database,
        [Said("两分", "give_score", answers=[("satisfaction", "不满意")]),
         Said("再见", "goodbye", answers=[("comparison", {"first": "一般", "second": "不满意", "change": -1, "direction": "worse"})])],
        script="after_service_satisfaction", variables={"company": "演示公司", "first_score": "一般"},
    )  # fmt: skip
    await (await enter("agent")).post(correction(talk, "satisfaction"), value="很满意", reason="打字打错了", seen="0")
    assert (await stored(database, talk.answers["comparison"]))["direction"] == "better"


AMOUNT = {"bad": 3, "total": 12, "ratio": 0.25, "at_least_half": False}


async def a_talk_with_bad_fruit(database: Database) -> tuple[Written, int]:
    """Three of twelve pears were bad: 15 of 60 yuan are promised, and a ticket says so."""
    given = {"bad": 3, "total": 12, "amount": 15}
    talk = await write_talk(
        database,
        [Said("有坏的", answers=[("spoiled", True)]), Said("12个坏了3个", answers=[("spoiled_amount", AMOUNT), ("compensation", given)])],
        script="fruit_order", variables={"company": "演示公司", "box_price": 60, "box_count": 12},
    )  # fmt: skip
    async with database.session() as session:
        ticket = Ticket(
            case_id=talk.case_id, topic="spoiled", kind="compensation", severity=3, department="售后部", reason="坏了3个",
            words=[{"text": "坏了3个"}], data={**given, "order": "A1"}, due_at=clock.now(),
        )  # fmt: skip
        session.add(ticket)
    return talk, ticket.id


@pytest.mark.parametrize(
    ("question", "fields", "amount", "shown"),
    [
        ("spoiled_amount", {"bad": 5, "total": 12}, {"bad": 5, "total": 12, "amount": 25}, "15 元 → 25 元"),
        ("spoiled_amount", {"bad": 6, "total": 12}, None, "15 元 → 不再按比例赔付"),  # half: another box or the money back
        ("spoiled", {"value": "false"}, None, "15 元 → 不再按比例赔付"),
    ],
)
async def test_the_compensation_and_its_ticket_follow_a_correction(
    enter: Enter, database: Database, question: str, fields: dict[str, Any], amount: Any, shown: str
) -> None:
    talk, number = await a_talk_with_bad_fruit(database)
    agent = await enter("agent")
    assert "15 元" in text_of(await agent.get(f"/console/tickets/{number}"))
    await agent.post(correction(talk, question), reason="数错了", seen="0", **fields)
    assert await stored(database, talk.answers["compensation"]) == amount
    async with database.session() as session:
        assert (await session.get_one(Ticket, number)).data == {"order": "A1", **(amount or {})}
    page = text_of(await agent.get(f"/console/tickets/{number}"))
    assert "赔付重新计算" in page and shown in page


async def test_who_solves_a_ticket_whose_compensation_changed_meanwhile_is_told(enter: Enter, database: Database) -> None:
    talk, number = await a_talk_with_bad_fruit(database)
    agent = await enter("agent")
    (seen, *_) = re.findall(r'name="seen" value="([^"]*)"', await agent.get(f"/console/tickets/{number}"))
    await agent.post(correction(talk, "spoiled_amount"), bad=5, total=12, reason="数错了", seen="0")
    assert "又有了变化" in await agent.post(f"/console/tickets/{number}/solve", status=409, seen=seen, solution="已经转账15元")


async def test_an_answer_of_another_talk_is_not_found(enter: Enter, database: Database) -> None:
    talk, other = await a_misread_talk(database), await a_misread_talk(database)
    agent = await enter("agent")
    for path in (
        f"/console/talks/{talk.case_id}/answers/{other.answers['price']}",
        f"/console/talks/{NOBODY}/answers/{talk.answers['price']}",
        f"/console/talks/{talk.case_id}/answers/999999",
    ):
        await agent.post(path, status=404, value="很满意", reason="错了", seen="0")
    await agent.post(f"/console/talks/{talk.case_id}/messages/{other.messages[0]}", status=404, intent="busy")
    await agent.post(f"/console/talks/{NOBODY}/notes", status=404, text="你好")
    await agent.get(talk_link(NOBODY), status=404)


async def test_an_intent_put_right_waits_for_the_trainers(enter: Enter, database: Database) -> None:
    talk = await a_misread_talk(database)
    trainer = await enter("trainer", "训练师甲")
    path = f"/console/talks/{talk.case_id}/messages/{talk.messages[1]}"
    await trainer.post(path, intent="satisfied", comment="双重否定")
    assert "标注：满意（训练师甲，" in text_of(await trainer.get(talk_link(talk.case_id))).replace(" ", "")
    async with database.session() as session:
        kept = (await session.scalars(select(Annotation))).one()
    assert (kept.message_id, kept.intent, kept.comment, kept.status) == (talk.messages[1], "satisfied", "双重否定", "new")
    assert "请选择意图" in await trainer.post(path, status=400, intent="nonsense")


async def test_a_colleagues_note_stands_under_the_talk(enter: Enter, database: Database) -> None:
    talk = await a_misread_talk(database)
    agent = await enter("agent", "坐席甲")
    await agent.post(f"/console/talks/{talk.case_id}/notes", text="已经<b>回电</b>")
    page = await agent.get(talk_link(talk.case_id))
    assert "已经&lt;b&gt;回电&lt;/b&gt;" in page and "坐席甲" in text_of(page)
    assert "请写备注的内容" in await agent.post(f"/console/talks/{talk.case_id}/notes", status=400, text="  ")


@pytest.mark.parametrize(
    ("role", "corrects", "notes", "exports"),
    [
        ("admin", True, True, True),
        ("supervisor", True, True, True),
        ("agent", True, True, False),
        ("trainer", True, True, False),
        ("auditor", False, False, True),
    ],
)
async def test_each_role_sees_and_does_what_it_may(
    enter: Enter, database: Database, role: str, corrects: bool, notes: bool, exports: bool
) -> None:
    talk = await a_misread_talk(database)
    browser = await enter(role)
    page = await browser.get(talk_link(talk.case_id))
    assert ("保存更正" in page, "保存标注" in page, "保存备注" in page) == (corrects, corrects, notes)
    assert (f"{talk_link(talk.case_id)}/print" in page) == exports
    changed, done = (303, 200) if corrects else (403, 403), 200 if exports else 403
    await browser.post(correction(talk), status=changed[0], value="很满意", reason="错了", seen="0")
    await browser.post(f"/console/talks/{talk.case_id}/messages/{talk.messages[0]}", status=changed[0], intent="busy")
    await browser.post(f"/console/talks/{talk.case_id}/notes", status=303 if notes else 403, text="备注")
    await browser.get(f"{talk_link(talk.case_id)}/print", status=done)
    await browser.get(f"{talk_link(talk.case_id)}/talk.txt", status=done)


async def test_trainers_see_the_words_but_not_the_person(enter: Enter, database: Database) -> None:
    said = [Said("我叫王强，住在杭州市西湖区文三路100号3单元，电话13912345678，车牌浙A12345", answers=[("contact", "13912345678")])]
    talk = await write_talk(
        database, said, ticket="complaint", reason="请打13912345678",
        variables={"company": "演示公司", "plate": "浙A12345", "address": "文三路100号"},
    )  # fmt: skip
    trainer = await enter("trainer")
    page = await trainer.get(talk_link(talk.case_id))
    for personal in ("王强", "13812345678", "13912345678", "浙A12345", "文三路", "西湖"):
        assert personal not in page, personal
    assert "王*先生" in page and "139****5678" in page and "演示公司" in page
    everything = await (await enter("agent")).get(talk_link(talk.case_id))
    assert "文三路100号3单元" in everything


async def test_trainers_do_not_correct_what_they_do_not_see(enter: Enter, database: Database) -> None:
    said = [Said("叫我小王", answers=[("caller", "王强")]), Said("13812345678", answers=[("phone", "13812345678")])]
    talk = await write_talk(database, said, script="inbound_enquiry")
    trainer, agent = await enter("trainer"), await enter("agent")
    for question in talk.answers:
        assert f"answers/{talk.answers[question]}" not in await trainer.get(talk_link(talk.case_id))
        await trainer.post(correction(talk, question), status=400, value="张三", reason="错了", seen="0")
        assert f"answers/{talk.answers[question]}" in await agent.get(talk_link(talk.case_id))


async def test_what_customers_write_is_text_and_never_markup(enter: Enter, database: Database) -> None:
    evil = "<img src=x onerror=alert(1)>\"'{{77777*77777}}"
    talk = await write_talk(database, [Said(evil, answers=[("suggestions", evil)])], ticket="complaint", reason=evil, variables={"company": evil})
    supervisor = await enter("supervisor")
    for path in ("", "/print"):
        page = await supervisor.get(talk_link(talk.case_id) + path)
        assert "<img" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page and "6049261729" not in page


async def test_next_and_previous_go_through_the_filtered_list(enter: Enter, database: Database) -> None:
    talks = [
        await write_talk(database, [Said("利率高")] if number != 1 else [Said("还行")], at=datetime(2026, 11, 20 - number, 10, tzinfo=SHANGHAI))
        for number in range(4)
    ]
    agent = await enter("agent")

    async def beside(number: int, query: str) -> tuple[str | None, str | None]:
        page = await agent.get(f"{talk_link(talks[number].case_id)}{query}")
        found = [re.search(rf'data-key="{key}"[^>]*href="([^"]+)"', page) for key in ("previous", "next")]
        return tuple(match[1].replace("&amp;", "&") if match else None for match in found)  # type: ignore[return-value]

    def link(number: int, query: str = "") -> str:
        return talk_link(talks[number].case_id) + query

    searched = "?q=%E5%88%A9%E7%8E%87"
    assert await beside(0, "") == (None, link(1))
    assert await beside(1, "") == (link(0), link(2))
    assert await beside(0, searched) == (None, link(2, searched))
    assert await beside(2, searched) == (link(0, searched), link(3, searched))
    assert await beside(1, searched) == (link(0, searched), link(2, searched))  # no longer in the list itself
    assert await beside(3, "?sort=oldest") == (None, link(2, "?sort=oldest"))


async def test_a_talk_is_printed_and_written_out_and_both_are_in_the_log(enter: Enter, database: Database) -> None:
    talk = await a_misread_talk(database)
    supervisor = await enter("supervisor", "主管甲")
    page = text_of(await supervisor.get(f"{talk_link(talk.case_id)}/print"))
    assert "贵倒是不贵" in page and "主管甲" in page
    text = await supervisor.get(f"{talk_link(talk.case_id)}/talk.txt")
    assert "客户：贵倒是不贵\r\n" in text and "智能助手：那您觉得贷款期限怎么样？" in text
    async with database.session() as session:
        entries = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "talk.export").order_by(AuditEntry.id))).all()
    assert [(entry.object_id, entry.detail) for entry in entries] == [(talk.case_id, {"format": "print"}), (talk.case_id, {"format": "txt"})]


async def test_an_empty_talk_says_so(enter: Enter, database: Database) -> None:
    talk = await write_talk(database, [], outcome=None, status="new")
    page = text_of(await (await enter("agent")).get(talk_link(talk.case_id)))
    assert "还没有记下答案" in page and "还没有备注" in page

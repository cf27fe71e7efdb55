"""Whatever dies whenever: each message is answered once, in order."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from followup.dialogue.effects import Outcome, SetOutcome
from followup.store import records
from followup.store.models import Contact, DoNotContact, Message, Note, RasaEvent
from followup.talk.inbox import Trigger, accept, accept_trigger
from followup.talk.rasa_client import RasaClient
from followup.supervise.discreet_logging import DiscreetFormatter
from followup.talk.turn import Patience, TurnFailed, drain

from .conftest import APOLOGY, Line, MakeCase
from .fake_rasa import (
    ANSWER_500,
    ANSWER_EMPTY,
    DIE_AFTER_STORING,
    DIE_BEFORE_STORING,
    SAY_NUL,
)

PATIENT = Patience(tries=100, time=timedelta(hours=1))


async def drain_until_done(line: Line) -> int:
    """What the job does with its retries, without the waiting. Returns how many retries it took."""
    for tries in range(20):
        try:
            await line.drain()
            return tries
        except TurnFailed:
            continue
    raise AssertionError("never done")


async def block(line: Line) -> None:
    async with line.database.session() as session:
        contact = (await session.scalars(select(Contact))).one()
        session.add(DoNotContact(contact_id=contact.id))


async def trigger(line: Line, trigger: Trigger, key: str = "t") -> None:
    async with line.database.session() as session:
        await accept_trigger(session, line.case_id, trigger, key)


async def test_a_message_is_answered_with_what_rasa_said(line: Line) -> None:
    accepted = await line.hears("有点贵")
    assert await line.drain() == 1
    first, second = await line.rows("out")
    assert (first.text, first.quick_replies, first.channel) == ("答：有点贵", None, "web")
    assert (second.text, second.quick_replies) == ("满意吗？", ["满意", "不满意"])
    assert {first.in_reply_to, second.in_reply_to} == {accepted.message_id}
    assert {first.status, second.status} == {"queued"}
    (row,) = await line.rows("in")
    assert (row.status, row.intent, row.confidence) == ("handled", "inform", 0.9)
    assert row.acts == [{"intent": "inform", "confidence": 0.9, "text": "有点贵"}]


async def test_rasa_gets_the_case_the_message_and_the_time_it_came(line: Line) -> None:
    accepted = await line.hears("明天下午")
    await line.drain()
    (row,) = await line.rows("in")
    (body,) = line.rasa.asked
    assert body["sender"] == line.case_id
    assert body["metadata"]["message_id"] == accepted.message_id
    assert body["metadata"]["received_at"].endswith("+08:00")
    assert body["metadata"]["direction"] == "in"
    assert row.created_at.isoformat() != ""


async def test_messages_are_answered_in_the_order_they_came(line: Line) -> None:
    words = [f"第{number}句" for number in range(8)]
    for one in words:
        await line.hears(one)
    await line.drain()
    assert line.rasa.texts == words
    assert await line.said() == [f"答：{one}" for one in words]


@pytest.mark.parametrize("fault", [DIE_BEFORE_STORING, DIE_AFTER_STORING, ANSWER_EMPTY, ANSWER_500])
@pytest.mark.parametrize("times", [1, 2])
async def test_a_turn_that_broke_is_answered_once(line: Line, fault: str, times: int) -> None:
    line.patience = PATIENT
    line.rasa.faults.extend([fault] * times)
    await line.hears("第一句")
    await line.hears("第二句")
    await drain_until_done(line)
    assert await line.said() == ["答：第一句", "答：第二句"]
    assert line.rasa.asked_again == 0
    assert {row.status for row in await line.rows("in")} == {"handled"}


async def test_a_kill_between_rasas_answer_and_the_outbox_is_made_good_without_rasa(line: Line) -> None:
    class Killed(BaseException):
        pass

    class DiesAfterTheAnswer:
        async def post(self, sender: str, text: str, metadata: dict) -> None:
            await line.client.post(sender, text, metadata)
            raise Killed

    await line.hears("有点贵")
    with pytest.raises(Killed):
        await drain(line.database, DiesAfterTheAnswer(), line.case_id, apology=APOLOGY)
    assert await line.said() == []
    await line.drain()
    assert await line.said() == ["答：有点贵"]
    assert line.rasa.texts == ["有点贵"]


async def test_a_conversation_let_go_by_a_cancelled_turn_can_be_taken_up(line: Line) -> None:
    await line.hears("有点贵")
    line.rasa.gate.clear()
    turn = asyncio.create_task(line.drain())
    while not line.rasa.asked:
        await asyncio.sleep(0.01)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    line.rasa.gate.set()
    while line.rasa.holding:
        await asyncio.sleep(0.01)
    await drain_until_done(line)
    assert await line.said() == ["答：有点贵"]


async def test_fifty_turns_at_once_answer_once(line: Line) -> None:
    await line.hears("方便")
    handled = await asyncio.gather(*(line.drain() for _ in range(50)))
    assert sum(handled) == 1
    assert line.rasa.texts == ["方便"]
    assert await line.said() == ["答：方便"]


async def test_a_conversation_has_one_turn_at_a_time(line: Line) -> None:
    async def one(number: int) -> None:
        await line.hears(f"第{number}句")
        await line.drain()

    await asyncio.gather(*(one(number) for number in range(20)))
    assert line.rasa.overlaps == 0
    assert sorted(line.rasa.texts) == sorted(f"第{number}句" for number in range(20))
    assert len(await line.said()) == 20


async def test_a_message_that_arrives_while_a_turn_is_held_is_not_left_behind(line: Line) -> None:
    line.rasa.gate.clear()
    await line.hears("第一句")
    turn = asyncio.create_task(line.drain())
    while not line.rasa.asked:
        await asyncio.sleep(0.01)
    await line.hears("第二句")
    assert await line.drain() == 0  # its own job finds the conversation taken, and ends
    line.rasa.gate.set()
    assert await turn == 2
    assert await line.said() == ["答：第一句", "答：第二句"]


async def test_two_customers_are_served_at_the_same_time(line: Line, make_case: MakeCase) -> None:
    other = Line(line.database, line.rasa, line.client, await make_case())
    line.rasa.gate.clear()
    await line.hears("我在")
    await other.hears("我也在")
    turns = asyncio.gather(line.drain(), other.drain())
    while len(line.rasa.holding) < 2:
        await asyncio.sleep(0.01)
    line.rasa.gate.set()
    assert await turns == [1, 1]
    assert await other.said() == ["答：我也在"]


async def test_a_message_nobody_can_answer_is_given_up_visibly(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(DiscreetFormatter("%(message)s"))
    line.rasa.always = ANSWER_EMPTY
    line.patience = Patience(tries=3, time=timedelta(0))
    await line.hears("救命")
    assert await drain_until_done(line) == 2
    (row,) = await line.rows("in")
    assert (row.status, row.tries) == ("failed", 3)
    assert f"given up after 3 tries: {row.error} talk={line.case_id} message={row.id}" in caplog.text
    assert await line.said() == [APOLOGY]
    async with line.database.session() as session:
        (note,) = await session.scalars(select(Note))
    assert (note.kind, note.text) == ("unanswered", "救命")


async def test_a_reply_that_cannot_be_written_does_not_hold_the_conversation_up(line: Line) -> None:
    line.rasa.faults.append(SAY_NUL)
    await line.hears("第一句")
    await line.hears("第二句")
    await drain_until_done(line)
    assert await line.said() == [APOLOGY, "答：第二句"]
    assert [row.status for row in await line.rows("in")] == ["failed", "handled"]


async def test_a_short_outage_costs_no_message_its_answer(line: Line) -> None:
    line.patience = Patience(tries=1, time=timedelta(minutes=10))
    line.rasa.faults.extend([ANSWER_500] * 10)
    await line.hears("救命")
    assert await drain_until_done(line) == 10
    assert await line.said() == ["答：救命"]


async def test_after_a_message_was_given_up_the_next_one_is_answered(line: Line) -> None:
    line.rasa.faults.extend([ANSWER_EMPTY] * 3)
    await line.hears("第一句")
    await line.hears("第二句")
    await drain_until_done(line)
    assert await line.said() == [APOLOGY, "答：第二句"]


async def test_rasa_that_is_not_there_is_waited_for(line: Line) -> None:
    await line.hears("方便")
    async with RasaClient("http://127.0.0.1:9") as nobody:
        with pytest.raises(TurnFailed):
            await drain(line.database, nobody, line.case_id, apology=APOLOGY)
    (row,) = await line.rows("in")
    assert (row.status, row.tries) == ("received", 1)
    await line.drain()
    assert await line.said() == ["答：方便"]


async def test_a_stored_turn_without_a_word_for_the_customer_is_a_failure(line: Line) -> None:
    accepted = await line.hears("方便")
    async with line.database.session() as session:
        for kind, name in (("user", ""), ("action", "action_listen")):
            data = f'{{"event": "{kind}", "name": "{name}", "metadata": {{"direction": "in"}}}}'
            message_id = accepted.message_id if kind == "user" else None
            session.add(RasaEvent(sender_id=line.case_id, type_name=kind, message_id=message_id, data=data))
            await session.flush()
    with pytest.raises(TurnFailed, match="nothing was said"):
        await line.drain()


async def test_no_customers_text_is_a_command(line: Line) -> None:
    for words in ("/restart", '/do_not_contact{"a": 1}', "  /start_followup"):
        await line.hears(words)
    await line.drain()
    slash = "\uff0f"  # full-width: to Rasa, just a character
    assert line.rasa.texts == [f"{slash}restart", f'{slash}do_not_contact{{"a": 1}}', f"{slash}start_followup"]
    assert [row.text for row in await line.rows("in")][0] == "/restart"


async def test_a_trigger_reaches_rasa_as_it_is(line: Line) -> None:
    await trigger(line, Trigger.START)
    await line.drain()
    assert line.rasa.texts == ["/start_followup"]
    assert line.rasa.asked[0]["metadata"]["direction"] == "system"
    assert [row.channel for row in await line.rows("out")] == ["web", "web"]


async def test_a_reply_to_a_trigger_goes_where_the_customer_was_heard_last(line: Line) -> None:
    await line.hears("在", channel="wechat")
    await line.drain()
    await trigger(line, Trigger.RESUME)
    await line.drain()
    assert {row.channel for row in await line.rows("out")} == {"wechat"}


@pytest.mark.parametrize("kind", list(Trigger))
async def test_nothing_is_begun_after_an_opt_out(line: Line, kind: Trigger) -> None:
    await trigger(line, Trigger.START, "start")
    await line.drain()
    await trigger(line, kind, "later")
    await block(line)  # while its turn waits
    before = len(await line.rows("out"))
    await line.drain()
    assert line.rasa.texts == ["/start_followup"]
    assert len(await line.rows("out")) == before
    assert (await line.rows("system"))[-1].error == "suppressed: do not contact"


async def test_a_customer_on_the_list_who_writes_is_answered(line: Line) -> None:
    await block(line)
    await line.hears("我想问一下")
    await line.drain()
    assert await line.said() == ["答：我想问一下"]


async def test_a_customer_on_the_list_who_opens_the_link_is_answered(line: Line) -> None:
    await block(line)
    async with line.database.session() as session:
        await accept(session, line.case_id, "web", "start", Trigger.START, direction="system")
    await line.drain()
    assert await line.said() == ["答：/start_followup"]


async def test_nobody_is_asked_whether_they_are_there_while_they_speak(line: Line) -> None:
    await trigger(line, Trigger.START, "start")
    await trigger(line, Trigger.SILENCE, "silence")
    await line.hears("我在")
    await line.drain()
    assert line.rasa.texts == ["/start_followup", "我在"]


async def test_the_good_bye_of_a_silence_that_ended_the_talk_before_a_kill_is_still_said(line: Line) -> None:
    """Found by tests/long/test_a_thousand_kills.py: the outcome was written, the worker killed before Rasa stored the turn."""
    await trigger(line, Trigger.START, "start")
    await line.drain()
    await trigger(line, Trigger.SILENCE, "silence-end")
    await _ended_by_the_newest_message(line)
    await line.drain()
    assert await line.said() == ["答：/start_followup", "答：/silence"]


async def test_a_silence_in_a_talk_that_another_message_ended_is_not_spoken_of(line: Line) -> None:
    await trigger(line, Trigger.START, "start")
    await line.hears("没有了")
    await _ended_by_the_newest_message(line)
    await trigger(line, Trigger.SILENCE, "silence-end")
    await line.drain()
    assert line.rasa.texts == ["/start_followup", "没有了"]
    assert (await line.rows("system"))[-1].error == "suppressed: the talk has ended"


async def _ended_by_the_newest_message(line: Line) -> None:
    async with line.database.session() as session:
        newest = (await session.scalars(select(Message).order_by(Message.id.desc()).limit(1))).one()
        await records.apply(session, line.case_id, newest.id, [SetOutcome(Outcome.UNREACHABLE, "silent")], newest.created_at)


async def test_the_web_processes_are_told_of_a_reply(line: Line) -> None:
    import psycopg

    connection = await psycopg.AsyncConnection.connect(line.database.url, autocommit=True)
    async with connection:
        await connection.execute("LISTEN followup_out")
        await line.hears("方便")
        await line.drain()
        notification = await anext(connection.notifies(timeout=60))
    assert notification.payload == line.case_id


async def test_a_long_text_is_cut_for_rasa_only(line: Line) -> None:
    await line.hears("好" * 10_000, "long")
    await line.drain()
    assert len(line.rasa.texts[0]) == 2000


async def test_a_handled_message_is_never_looked_at_again(line: Line) -> None:
    await line.hears("方便")
    await line.drain()
    assert await line.drain() == 0
    async with line.database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM messages WHERE direction = 'out'")) == 2
        assert (await session.scalars(select(Message).where(Message.status == "received"))).all() == []

"""A colleague speaks: the bot is silent, nothing is lost, and never do two speak at once. Real PostgreSQL throughout."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from followup import clock
from followup.dialogue.effects import Outcome
from followup.store import records
from followup.store.messages import TO_A_COLLEAGUE
from followup.store.models import Attempt, Callback, Case, Contact, DoNotContact, Message, Ticket, User
from followup.store.staff_models import StaffMessage, TakeOver
from followup.store.takeovers import Standing, name_shown_before, speaker_of, standing
from followup.talk import takeover, watch
from followup.talk.inbox import Trigger, accept_trigger
from followup.talk.takeover import NotPossible
from followup.talk.turn import TurnFailed

from .conftest import Line
from .fake_rasa import ANSWER_500

PATIENCE = timedelta(minutes=10)


async def colleague(line: Line, name: str = "wang") -> int:
    async with line.database.session() as session:
        user = User(name=name, password_hash="x", role="agent")
        session.add(user)
        await session.flush()
        return user.id


async def open_talk(line: Line) -> None:
    """The opening is said and the customer has answered once."""
    async with line.database.session() as session:
        await accept_trigger(session, line.case_id, Trigger.START, "start")
    await line.drain()
    await line.hears("方便")
    await line.drain()


async def take(line: Line, user: int, name: str = "小王", wait: float = 60) -> Standing:
    async with takeover.quiet(line.database, line.case_id, wait=wait) as session:
        return await takeover.begin(session, line.case_id, user, name)


async def says(line: Line, user: int, words: str, key: str = "") -> takeover.Written:
    async with line.database.session() as session:
        return await takeover.say(session, line.case_id, user, words, key or words)


async def give_back(line: Line, user: int | None) -> None:
    async with takeover.quiet(line.database, line.case_id) as session:
        await takeover.hand_back(session, line.case_id, user)


async def end(line: Line, user: int, outcome: Outcome, reason: str = "", **more) -> None:
    async with takeover.quiet(line.database, line.case_id) as session:
        await takeover.close(session, line.case_id, user, outcome, reason, **more)


async def case_of(line: Line) -> Case:
    async with line.database.session() as session:
        return await session.get_one(Case, line.case_id)


async def everything(line: Line) -> list[tuple[str, str]]:
    """Who said what, in the order of the transcript."""
    async with line.database.session() as session:
        rows = await session.scalars(
            select(Message).where(Message.case_id == line.case_id, Message.direction != "system").order_by(Message.id)
        )
        return [
            ("客户" if row.direction == "in" else speaker_of("out", row.acts) or "助手", row.text)
            for row in rows
            if row.text != "满意吗？"
        ]


async def jobs(line: Line) -> int:
    async with line.database.session() as session:
        return await session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")) or 0


async def test_the_bot_is_silent_while_a_colleague_speaks_and_nothing_is_lost(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    asked = len(line.rasa.asked)
    await line.hears("你们怎么回事")
    await line.drain()
    await says(line, user, "您好，我来帮您看。")
    await line.hears("好的")
    await line.drain()
    assert len(line.rasa.asked) == asked
    assert await everything(line) == [
        ("助手", "答：/start_followup"),
        ("客户", "方便"),
        ("助手", "答：方便"),
        ("助手", "已经为您接通人工，客服小王为您服务。"),
        ("客户", "你们怎么回事"),
        ("小王", "您好，我来帮您看。"),
        ("客户", "好的"),
    ]
    heard = await line.rows("in")
    assert [row.status for row in heard] == ["handled"] * 3
    assert [row.error for row in heard] == [None, TO_A_COLLEAGUE, TO_A_COLLEAGUE]
    line_of_staff = (await line.rows("out"))[-1]
    assert line_of_staff.in_reply_to == heard[1].id
    assert (line_of_staff.channel, line_of_staff.status) == ("web", "queued")


async def test_only_one_colleague_takes_a_talk_and_the_other_is_told_who(line: Line) -> None:
    await open_talk(line)
    users = [await colleague(line, f"user{number}") for number in range(6)]
    results = await asyncio.gather(*(take(line, user) for user in users), return_exceptions=True)
    taken = [one for one in results if isinstance(one, Standing)]
    refused = [one for one in results if isinstance(one, NotPossible)]
    assert len(taken) == 1 and len(refused) == 5
    assert {(one.key, one.who) for one in refused} == {("taken", taken[0].account)}
    async with line.database.session() as session:
        assert await session.scalar(select(func.count()).select_from(TakeOver)) == 1


async def test_taking_what_one_has_already_changes_nothing(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    first, second = await take(line, user), await take(line, user, "别的名字")
    assert (first.id, first.shown) == (second.id, second.shown)
    assert [words for who, words in await everything(line)].count("已经为您接通人工，客服小王为您服务。") == 1


async def test_the_turn_under_way_is_finished_before_a_colleague_speaks(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    line.rasa.gate.clear()
    await line.hears("有点贵")
    turn = asyncio.create_task(line.drain())
    while len(line.rasa.asked) < 3:
        await asyncio.sleep(0.01)
    taking = asyncio.create_task(take(line, user))
    await asyncio.sleep(0.25)
    assert not taking.done()
    line.rasa.gate.set()
    await asyncio.gather(turn, taking)
    assert (await everything(line))[-2:] == [("助手", "答：有点贵"), ("助手", "已经为您接通人工，客服小王为您服务。")]


async def test_a_turn_that_does_not_end_is_named_and_nothing_is_taken(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    line.rasa.gate.clear()
    await line.hears("有点贵")
    turn = asyncio.create_task(line.drain())
    while len(line.rasa.asked) < 3:
        await asyncio.sleep(0.01)
    with pytest.raises(NotPossible, match="turn_runs"):
        await take(line, user, wait=0.2)
    line.rasa.gate.set()
    await turn
    async with line.database.session() as session:
        assert await standing(session, line.case_id) is None


async def test_a_message_whose_job_came_while_the_talk_was_being_taken_gets_another_one(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    before = await jobs(line)
    async with takeover.quiet(line.database, line.case_id) as session:
        await line.hears("在吗")  # its job of its own finds the talk held, and goes
        assert await line.drain() == 0
        await takeover.begin(session, line.case_id, user, "小王")
    assert await jobs(line) == before + 2


async def test_what_rasa_had_heard_before_the_colleague_came_is_still_answered(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)

    class Killed(BaseException):
        pass

    class DiesAfterTheAnswer:
        async def post(self, sender: str, words: str, metadata: dict) -> None:
            await line.client.post(sender, words, metadata)
            raise Killed

    from followup.talk.turn import drain

    await line.hears("有点贵")
    with pytest.raises(Killed):
        await drain(line.database, DiesAfterTheAnswer(), line.case_id, apology="")
    await take(line, user)
    await line.drain()
    assert ("助手", "答：有点贵") in await everything(line)
    assert line.rasa.asked_again == 0


async def test_a_message_that_rasa_could_not_take_waits_for_the_colleague(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    line.rasa.faults.append(ANSWER_500)
    await line.hears("有点贵")
    with pytest.raises(TurnFailed):
        await line.drain()
    await take(line, user)
    await line.drain()
    assert (await line.rows("in"))[-1].status == "handled"
    assert ("助手", "答：有点贵") not in await everything(line)


async def test_handing_back_tells_rasa_how_and_the_bot_goes_on(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    await line.hears("说给同事的")
    await line.drain()
    await give_back(line, user)
    await line.hears("满意")
    await line.drain()
    assert line.rasa.texts[-2:] == ["/resume_followup", "满意"]
    assert [body["metadata"].get("colleague") for body in line.rasa.asked[-2:]] == ["handed_back", None]
    assert "说给同事的" not in line.rasa.texts
    async with line.database.session() as session:
        (row,) = (await session.scalars(select(TakeOver))).all()
    assert row.how_ended == "handed_back" and row.ended_at is not None


async def test_what_was_written_to_the_colleague_a_moment_before_handing_back_is_not_the_bots(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    await line.hears("这句是给同事的")  # its turn does not come before the end
    await give_back(line, user)
    await line.hears("这句是给助手的")
    await line.drain()
    assert line.rasa.texts[-2:] == ["/resume_followup", "这句是给助手的"]
    heard = await line.rows("in")
    assert [(row.text, row.status, row.error) for row in heard[-2:]] == [
        ("这句是给同事的", "handled", TO_A_COLLEAGUE),
        ("这句是给助手的", "handled", None),
    ]


async def test_customers_who_write_while_it_is_handed_back_are_heard_by_exactly_one(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)

    async def write(number: int) -> None:
        await asyncio.sleep(number * 0.004)
        await line.hears(f"第{number}句")
        await line.drain()

    async def back() -> None:
        await asyncio.sleep(0.03)
        await give_back(line, user)
        await line.drain()

    await asyncio.gather(back(), *(write(number) for number in range(16)))
    await line.drain()
    heard = {row.text: row for row in await line.rows("in") if row.text != "方便"}
    to_rasa = [words for words in line.rasa.texts if words.startswith("第")]
    to_colleague = [words for words, row in heard.items() if row.error == TO_A_COLLEAGUE]
    assert sorted([*to_rasa, *to_colleague]) == sorted(heard)
    assert {row.status for row in heard.values()} == {"handled"}
    # Rasa heard of the hand-over before it heard any of them.
    place = line.rasa.texts.index("/resume_followup")
    assert all(line.rasa.texts.index(words) > place for words in to_rasa)
    assert line.rasa.overlaps == 0 and line.rasa.asked_again == 0


async def test_whoever_writes_after_it_was_handed_back_is_told_and_nothing_is_sent(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    await give_back(line, user)
    with pytest.raises(NotPossible, match="not_taken"):
        await says(line, user, "还有一句")
    assert ("小王", "还有一句") not in await everything(line)


async def test_writing_and_handing_back_at_once_sends_the_line_before_the_end_or_not_at_all(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    for number in range(8):
        await take(line, user)
        sent, _ = await asyncio.gather(
            says(line, user, f"收尾{number}"), give_back(line, user), return_exceptions=True
        )
        await line.drain()
        rows = [row for row in await line.rows("out") if row.text == f"收尾{number}"]
        assert len(rows) == (not isinstance(sent, NotPossible))
        resumed = (await line.rows("system"))[-1]
        assert all(row.id < resumed.id for row in rows)


async def test_a_line_sent_twice_is_one_line(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    results = await asyncio.gather(*(says(line, user, "您稍等", "k1") for _ in range(5)))
    assert len({one.message_id for one in results}) == 1
    assert sum(not one.duplicate for one in results) == 1
    async with line.database.session() as session:
        assert await session.scalar(select(func.count()).select_from(StaffMessage)) == 1


async def test_nobody_writes_in_a_talk_that_another_has_taken(line: Line) -> None:
    await open_talk(line)
    one, other = await colleague(line, "one"), await colleague(line, "other")
    await take(line, one)
    with pytest.raises(NotPossible) as problem:
        await says(line, other, "我也来")
    assert (problem.value.key, problem.value.who) == ("taken", "one")
    with pytest.raises(NotPossible):
        await give_back(line, other)
    await give_back(line, None)  # somebody who may end anybody's


async def test_a_killed_web_process_leaves_nothing_held_and_nothing_half(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)

    class Killed(BaseException):
        pass

    with pytest.raises(Killed):
        async with takeover.quiet(line.database, line.case_id) as session:
            await takeover.begin(session, line.case_id, user, "小王")
            raise Killed
    assert ("助手", "已经为您接通人工，客服小王为您服务。") not in await everything(line)
    await line.hears("在吗")
    assert await line.drain() == 1
    assert line.rasa.texts[-1] == "在吗"


async def test_a_talk_that_was_handed_over_is_open_again_and_has_an_attempt_of_its_own(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    async with line.database.session() as session:
        from followup.dialogue.effects import SetOutcome

        await records.apply(session, line.case_id, None, [SetOutcome(Outcome.HANDED_OVER, "转人工")], clock.now())
    await take(line, user)
    case = await case_of(line)
    assert (case.status, case.outcome) == ("open", None)
    async with line.database.session() as session:
        attempts = (await session.scalars(select(Attempt).order_by(Attempt.number))).all()
    assert [(one.reason, one.outcome) for one in attempts] == [("first", "handed_over"), ("colleague", None)]


@pytest.mark.parametrize("status", ["new", "closed"])
async def test_who_is_not_there_is_not_spoken_to(line: Line, status: str) -> None:
    user = await colleague(line)
    if status == "closed":
        await open_talk(line)
        async with line.database.session() as session:
            long_ago = clock.now() - timedelta(days=2)
            await session.execute(update(Message).values(created_at=long_ago))
            await session.execute(update(Case).values(status="closed", outcome="completed"))
    with pytest.raises(NotPossible, match="not_begun" if status == "new" else "gone"):
        await take(line, user)


async def test_somebody_on_the_list_is_not_written_to_after_the_talk(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    async with line.database.session() as session:
        contact = (await session.scalars(select(Contact))).one()
        session.add(DoNotContact(contact_id=contact.id))
        await session.execute(update(Case).values(status="closed", outcome="do_not_contact"))
    with pytest.raises(NotPossible, match="do_not_contact"):
        await take(line, user)


async def test_closing_gives_the_outcome_and_rasa_learns_that_it_is_over(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    await end(line, user, Outcome.COMPLAINED, "客户说等了两个小时")
    case = await case_of(line)
    assert (case.status, case.outcome, case.outcome_reason) == ("closed", "complained", "客户说等了两个小时")
    await line.drain()
    assert line.rasa.asked[-1]["metadata"]["colleague"] == "closed"
    assert (await case_of(line)).outcome == "complained"
    async with line.database.session() as session:
        (ticket,) = (await session.scalars(select(Ticket))).all()
    assert (ticket.kind, ticket.reason) == ("complaint", "客户说等了两个小时")


async def test_closing_for_good_stops_all_contact_and_rasa_still_learns_of_it(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    await end(line, user, Outcome.DO_NOT_CONTACT, "客户要求不再联系")
    await line.drain()
    assert line.rasa.asked[-1]["metadata"]["colleague"] == "closed"
    async with line.database.session() as session:
        assert await session.scalar(select(func.count()).select_from(DoNotContact)) == 1


async def test_an_appointment_is_kept_by_a_colleague_not_by_the_bot(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    when = clock.now() + timedelta(days=1)
    with pytest.raises(NotPossible, match="no_time"):
        await end(line, user, Outcome.APPOINTED, "", at_time=None)
    await end(line, user, Outcome.APPOINTED, "明天再打", at_time=when)
    case = await case_of(line)
    assert (case.status, case.outcome) == ("closed", "handed_over")
    await line.drain()
    asked = len(line.rasa.asked)
    async with line.database.session() as session:
        await watch.resume_due_callbacks(session, when + timedelta(minutes=1))
    await line.drain()
    assert len(line.rasa.asked) == asked
    async with line.database.session() as session:
        assert [(one.status, one.reason) for one in await session.scalars(select(Callback))] == [("due", "request_human")]


async def waited(line: Line, minutes: float) -> int:
    """The minute's task, `minutes` after now."""
    return await takeover.expire(line.database, clock.now() + timedelta(minutes=minutes), PATIENCE)


async def test_a_colleague_who_is_away_while_the_customer_waits_loses_the_talk(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    await line.hears("人呢")
    await line.drain()
    assert await waited(line, 9) == 0
    assert await waited(line, 11) == 1
    await line.drain()
    assert line.rasa.asked[-1]["metadata"]["colleague"] == "expired"
    async with line.database.session() as session:
        (row,) = (await session.scalars(select(TakeOver))).all()
        (booked,) = (await session.scalars(select(Callback))).all()
    assert row.how_ended == "expired"
    assert (booked.reason, booked.words) == ("request_human", "人呢")


async def test_a_customer_who_reads_does_not_wait(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    await line.hears("人呢")
    await line.drain()
    await says(line, user, "您稍等，我查一下")
    assert await waited(line, 30) == 0
    assert await waited(line, 61) == 1  # nobody says anything for an hour: the colleague has gone without handing back
    await line.drain()
    assert line.rasa.asked[-1]["metadata"]["colleague"] == "left"
    async with line.database.session() as session:
        assert await session.scalar(select(func.count()).select_from(Callback)) == 0


async def test_a_line_written_in_the_last_moment_keeps_the_talk(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    await line.hears("人呢")
    await line.drain()
    results = await asyncio.gather(waited(line, 11), says(line, user, "来了"), return_exceptions=True)
    said = ("小王", "来了") in await everything(line)
    async with line.database.session() as session:
        stands = await standing(session, line.case_id) is not None
    # Either the line was in time and the colleague keeps the talk, or it was not sent and the colleague is told.
    assert (said, stands, isinstance(results[1], NotPossible)) in [(True, True, False), (False, False, True)]


async def test_nobody_is_nudged_while_a_colleague_speaks(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    await take(line, user)
    async with line.database.session() as session:
        assert await watch.nudge_the_silent(session, clock.now() + timedelta(minutes=30)) == 0
    await give_back(line, user)
    await line.drain()
    async with line.database.session() as session:
        assert await watch.nudge_the_silent(session, clock.now() + timedelta(minutes=30)) == 1


async def test_a_silence_that_was_noticed_before_the_colleague_came_is_not_spoken_of(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    async with line.database.session() as session:
        await accept_trigger(session, line.case_id, Trigger.SILENCE, "silence-1")
    await take(line, user)
    await line.drain()
    assert "/silence" not in line.rasa.texts


async def test_the_name_of_the_last_time_is_remembered(line: Line) -> None:
    await open_talk(line)
    user = await colleague(line)
    async with line.database.session() as session:
        assert await name_shown_before(session, user) is None
    await take(line, user, "小王")
    async with line.database.session() as session:
        assert await name_shown_before(session, user) == "小王"
        assert (await standing(session, line.case_id)).shown == "小王"



"""What a reply changes is written once, however often it is asked for."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text

from followup.dialogue.effects import (
    BookCallback,
    Outcome,
    RaiseTicket,
    SetOutcome,
    StopContact,
    StoreAnswer,
    TakeNote,
    WithdrawTicket,
)
from followup.store import records
from followup.store.database import Database
from followup.store.models import (
    Answer,
    Attempt,
    Base,
    Callback,
    Case,
    DoNotContact,
    RasaEvent,
    Ticket,
)
from followup.store.staff_models import TicketEvent
from followup.talk.inbox import accept

AT = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Friday
ANSWER = StoreAnswer("price", "dissatisfied", "有点贵", "scale3:word")
TICKET = RaiseTicket("price", "dissatisfaction", 3, "销售部", "有点贵")


class Talk:
    """A case whose messages can be made and whose effects applied in one line."""

    def __init__(self, database: Database, case_id: str) -> None:
        self.database, self.case_id, self.count = database, case_id, 0

    async def says(self, words: str = "嗯") -> int:
        self.count += 1
        async with self.database.session() as session:
            return (await accept(session, self.case_id, "web", f"m{self.count}", words)).message_id

    async def apply(self, message_id: int | None, *effects: Any, at: datetime = AT) -> bool:
        async with self.database.session() as session:
            return await records.apply(session, self.case_id, message_id, effects, at)

    async def everything(self) -> list[list[tuple[Any, ...]]]:
        async with self.database.session() as session:
            return [
                sorted(map(tuple, (await session.execute(select(table))).all()), key=repr)
                for table in Base.metadata.sorted_tables
                if table.name != "dirty_talks"  # which talks are to be counted anew: a mark more does no harm
            ]

    async def case(self) -> Case:
        async with self.database.session() as session:
            return await session.get_one(Case, self.case_id)

    async def all(self, model: type[Any]) -> list[Any]:
        async with self.database.session() as session:
            return list(await session.scalars(select(model).order_by(model.id)))


@pytest.fixture
def talk(database: Database, case_id: str) -> Talk:
    return Talk(database, case_id)


async def test_an_answer_is_stored_next_to_its_words(talk: Talk) -> None:
    message = await talk.says("有点贵")
    await talk.apply(message, ANSWER)
    async with talk.database.session() as session:
        answer = (await records.answers_of(session, talk.case_id))["price"]
    assert (answer.value, answer.words, answer.how, answer.message_id) == (
        "dissatisfied",
        "有点贵",
        "scale3:word",
        message,
    )


async def test_the_same_message_applied_twice_changes_nothing(talk: Talk) -> None:
    effects = [
        ANSWER,
        TICKET,
        BookCallback(AT + timedelta(days=1), "开会", "明天十点", True),
        TakeNote("unclear", "听不清", "price"),
        TakeNote("unclear", "还是听不清", "price"),
        StopContact("别再打了"),
        SetOutcome(Outcome.DO_NOT_CONTACT, "别再打了"),
    ]
    message = await talk.says()
    await talk.apply(message, *effects)
    before = await talk.everything()
    await talk.apply(message, *effects, at=AT + timedelta(minutes=5))
    assert await talk.everything() == before


async def test_a_later_answer_supersedes_the_earlier_one_which_is_kept(talk: Talk) -> None:
    first, second = await talk.says(), await talk.says()
    await talk.apply(first, ANSWER)
    await talk.apply(second, StoreAnswer("price", "satisfied", "刚才说错了,是满意", "corrected"))
    rows = await talk.all(Answer)
    assert [(row.value, row.superseded) for row in rows] == [("dissatisfied", True), ("satisfied", False)]


async def test_a_skipped_question_is_an_answer_without_a_value(talk: Talk) -> None:
    await talk.apply(await talk.says(), StoreAnswer("price", None, "跳过吧", "skipped"))
    async with talk.database.session() as session:
        assert await session.scalar(text("SELECT value IS NULL FROM answers"))


async def test_a_topic_has_one_ticket_that_takes_in_every_reason(talk: Talk) -> None:
    first, second = await talk.says(), await talk.says()
    await talk.apply(first, TICKET)
    await talk.apply(second, RaiseTicket("price", "complaint", 2, "销售部", "还乱收费", {"fee": 200}))
    await talk.apply(second, RaiseTicket("price", "complaint", 2, "销售部", "还乱收费", {"fee": 200}))
    async with talk.database.session() as session:
        (ticket,) = await records.tickets_of(session, talk.case_id)
    assert ticket.reason == "有点贵\n还乱收费"
    assert (ticket.severity, ticket.kind, ticket.data) == (2, "complaint", {"fee": 200})
    assert [word["message_id"] for word in ticket.words] == [first, second]


async def test_a_ticket_taken_back_is_closed_and_raised_again_it_is_open(talk: Talk) -> None:
    first, second, third = await talk.says(), await talk.says(), await talk.says()
    await talk.apply(first, TICKET)
    await talk.apply(second, WithdrawTicket("price", "说错了，不贵"))
    await talk.apply(second, WithdrawTicket("price", "说错了，不贵"), WithdrawTicket("none", "没有这张"))
    async with talk.database.session() as session:
        (ticket,) = await records.tickets_of(session, talk.case_id)
    assert (ticket.status, ticket.solution, ticket.closed_at) == ("closed", "说错了，不贵", AT)
    assert [word["message_id"] for word in ticket.words] == [first, second]
    await talk.apply(third, RaiseTicket("price", "dissatisfaction", 3, "销售部", "还是贵"))
    async with talk.database.session() as session:
        (ticket,) = await records.tickets_of(session, talk.case_id)
    assert ticket.status == "open"


async def test_a_ticket_is_due_the_same_working_day(talk: Talk) -> None:
    await talk.apply(await talk.says(), TICKET)
    async with talk.database.session() as session:
        (ticket,) = await records.tickets_of(session, talk.case_id)
    assert ticket.due_at == AT.replace(hour=18)


async def test_a_new_call_back_cancels_the_one_booked_before(talk: Talk) -> None:
    first, second = await talk.says(), await talk.says()
    await talk.apply(first, BookCallback(None, "开会", "等一下打"))
    await talk.apply(second, BookCallback(AT + timedelta(hours=5), "开会", "下午三点", True))
    assert [row.status for row in await talk.all(Callback)] == ["cancelled", "booked"]
    async with talk.database.session() as session:
        callback = await records.callback_of(session, talk.case_id)
    assert callback is not None and callback.at == AT + timedelta(hours=5)


async def test_a_call_back_gets_its_time_from_a_correction_in_the_same_message(talk: Talk) -> None:
    message = await talk.says()
    await talk.apply(message, BookCallback(None, "开会", "等一下打"))
    await talk.apply(message, BookCallback(AT, "开会", "等一下打", True))
    assert [(row.at, row.confirmed) for row in await talk.all(Callback)] == [(AT, True)]


async def test_an_appointed_case_waits(talk: Talk) -> None:
    await talk.apply(await talk.says(), BookCallback(AT, "开会", "下午"), SetOutcome(Outcome.APPOINTED))
    case = await talk.case()
    assert (case.status, case.outcome, case.ended_at) == ("waiting", "appointed", None)
    assert [row.status for row in await talk.all(Callback)] == ["booked"]


async def test_a_completed_case_is_closed_and_its_attempt_ended(talk: Talk) -> None:
    await talk.apply(await talk.says(), ANSWER)
    await talk.apply(await talk.says(), SetOutcome(Outcome.COMPLETED), at=AT + timedelta(minutes=2))
    case = await talk.case()
    assert (case.status, case.outcome, case.ended_at) == ("closed", "completed", AT + timedelta(minutes=2))
    (attempt,) = await talk.all(Attempt)
    assert (attempt.number, attempt.reason, attempt.outcome) == (1, "first", "completed")


async def test_a_customer_who_comes_back_before_the_call_back_makes_it_needless(talk: Talk) -> None:
    await talk.apply(await talk.says(), ANSWER, BookCallback(AT, "开会", "下午"), SetOutcome(Outcome.APPOINTED))
    await talk.apply(await talk.says(), StoreAnswer("term", "ok", "可以", "scale3:word"))
    assert (await talk.case()).status == "open"
    await talk.apply(await talk.says(), SetOutcome(Outcome.COMPLETED))
    assert [row.status for row in await talk.all(Callback)] == ["cancelled"]
    assert [(row.number, row.reason) for row in await talk.all(Attempt)] == [(1, "first"), (2, "return")]


async def test_whoever_wants_no_contact_is_blocked_at_once_with_every_call_back(talk: Talk) -> None:
    await talk.apply(await talk.says(), BookCallback(AT, "开会", "下午"))
    await talk.apply(await talk.says("别再打了"), StopContact("别再打了"))
    (row,) = await talk.all(DoNotContact)
    assert (row.phone, row.words) == ("13800000001", "别再打了")
    assert [row.status for row in await talk.all(Callback)] == ["cancelled"]
    async with talk.database.session() as session:
        assert (await records.load_case(session, talk.case_id)).do_not_contact


async def test_the_same_phone_is_blocked_whichever_contact_it_belongs_to(talk: Talk) -> None:
    await talk.apply(await talk.says(), StopContact("退订"))
    async with talk.database.session() as session:
        twin = await records.create_contact(session, name="王太太", phone="13800000001")
        other = await records.create_contact(session, name="李四", phone="13900000002")
        unknown = await records.create_contact(session, name="无名")
        assert [await records.is_blocked(session, who) for who in (twin, other, unknown)] == [True, False, False]


async def test_a_belated_second_run_of_a_stored_turn_writes_nothing(talk: Talk) -> None:
    message = await talk.says()
    async with talk.database.session() as session:
        session.add(RasaEvent(sender_id=talk.case_id, type_name="user", message_id=message, data="{}"))
    assert not await talk.apply(message, StoreAnswer("next_question", "dissatisfied", "有点贵", "scale3:word"))
    assert await talk.all(Answer) == []


async def test_an_unknown_case_is_refused(talk: Talk) -> None:
    async with talk.database.session() as session:
        with pytest.raises(LookupError):
            await records.apply(session, "0" * 32, None, [ANSWER], AT)


async def test_effects_without_a_message_are_written_once_too(talk: Talk) -> None:
    await talk.apply(None, TakeNote("handover", "转人工"))
    await talk.apply(None, TakeNote("handover", "转人工"))
    async with talk.database.session() as session:
        assert len(await records.notes_of(session, talk.case_id)) == 1
        assert await session.scalar(select(func.count()).select_from(Case)) == 1


async def test_a_ticket_that_is_raised_again_says_so_in_its_history_once(talk: Talk, database: Database) -> None:
    first, second, third = await talk.says("有点贵"), await talk.says("还乱收费"), await talk.says("说错了，不贵")
    await talk.apply(first, TICKET)
    await talk.apply(first, TICKET)
    async with database.session() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        ticket.status, ticket.solution = "solved", "已经回电"
    for _ in range(2):
        await talk.apply(second, RaiseTicket("price", "complaint", 2, "销售部", "还乱收费"))
    for _ in range(2):
        await talk.apply(third, WithdrawTicket("price", "说错了，不贵"))
    async with database.session() as session:
        events = (await session.scalars(select(TicketEvent).order_by(TicketEvent.id))).all()
    assert [(event.kind, event.user_id, event.detail) for event in events] == [
        ("raised_again", None, {"message_id": second, "before": "solved"}), ("withdrawn", None, {"message_id": third}),
    ]  # fmt: skip

"""What is done again, by its reason: a message that did not arrive for the moment, a talk that was left before its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from followup import clock
from followup.campaigns import actions
from followup.campaigns.callbacks import give_times
from followup.campaigns.definition import Again, Retry
from followup.campaigns.run import run_campaigns
from followup.channels import Refused, Unclear
from followup.channels.reports import Report, apply
from followup.store.campaign_models import CampaignEntry, Delivery
from followup.store.models import Attempt, Callback, Case, Message, User
from followup.store.staff_models import TakeOver
from followup.talk.inbox import Trigger, accept_trigger

from .conftest import World

NOT_DELIVERED = Retry(1, timedelta(days=1), timedelta(days=3), not_delivered=Again(2, timedelta(days=1)))
UNFINISHED = Retry(1, timedelta(days=1), timedelta(days=3), unfinished=Again(2, timedelta(days=1)))
OFF, NO_SUCH_NUMBER = "MK:0023", "MK:0001"


@pytest.fixture(autouse=True)
def _their_time(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("FOLLOWUP_NOW", raising=False)
    clock.stand_at(world.at)
    yield
    clock.stand_at(None)


async def later(world: World, **ahead: float) -> None:
    clock.stand_at(world.at + timedelta(**ahead))
    await world.later(**ahead)


async def report(world: World, code: str = "") -> None:
    """What the provider tells of the newest message; without a code: that it arrived."""
    async with world.database.session() as session:
        newest = await session.scalar(select(Delivery).order_by(Delivery.id.desc()).limit(1))
        phone = f"138{0:08}"
        told = Report("test", newest.provider_id or "", newest.id, phone, not code, code, world.at)
        assert await apply(session, told, world.at)


async def entry(world: World) -> CampaignEntry:
    async with world.database.session() as session:
        return (await session.scalars(select(CampaignEntry))).one()


def sent(world: World) -> list[tuple[str, str]]:
    return [(channel, i.kind) for channel, provider in world.providers.items() for i in provider.sent]


# —— not delivered for the moment ————————————————————————————————————————————


async def test_a_phone_that_is_off_twice_gets_the_message_the_third_time_and_is_reminded_as_ever(world: World) -> None:
    await world.customers(1, agreed=("sms", "email"), email="a@example.com")
    await world.campaign(channels=("sms", "email"), retry=NOT_DELIVERED)
    await world.minute()
    for _ in range(2):
        await report(world, OFF)
        await later(world, minutes=1)
        found = await entry(world)
        assert (found.state, found.reason, found.channel) == ("waiting", "not_delivered", "sms")
        assert await world.stages() == {"waiting": 1}
        await later(world, hours=12)
        await later(world, hours=12)
    assert sent(world) == [("sms", "first")] * 3
    await report(world)
    assert ((await entry(world)).tries, await world.stages()) == (1, {"delivered": 1})
    for _ in range(10):
        await later(world, days=1)
    assert sent(world) == [("sms", "first")] * 3 + [("sms", "reminder"), ("email", "first"), ("email", "reminder")]
    assert await world.reasons() == {"unreachable": 1}


async def test_a_phone_that_stays_off_leads_to_the_next_channel_at_the_third_failure(world: World) -> None:
    await world.customers(1, agreed=("sms", "email"), email="a@example.com")
    await world.campaign(channels=("sms", "email"), retry=NOT_DELIVERED)
    await world.minute()
    for number in range(3):
        await report(world, OFF)
        await later(world, minutes=1)
        if number < 2:
            await later(world, days=1)
    assert sent(world) == [("sms", "first")] * 3 + [("email", "first")]


async def test_a_number_that_does_not_exist_is_never_tried_again(world: World) -> None:
    await world.customers(1, agreed=("sms", "email"), email="a@example.com")
    await world.campaign(channels=("sms", "email"), retry=NOT_DELIVERED)
    await world.minute()
    await report(world, NO_SUCH_NUMBER)
    await later(world, minutes=1)
    # The daily cap of one counts what arrived or may have: a failure leaves room.
    assert sent(world) == [("sms", "first"), ("email", "first")]
    for _ in range(10):
        await later(world, days=1)
    assert [channel for channel, _ in sent(world)] == ["sms", "email", "email"]


async def test_without_another_channel_it_cannot_be_sent_in_the_end(world: World) -> None:
    await world.customers(1)
    await world.campaign(retry=NOT_DELIVERED)
    await world.minute()
    for _ in range(3):
        await report(world, OFF)
        await later(world, minutes=1)
        await later(world, days=1)
    assert (await world.stages(), await world.reasons()) == ({"suppressed": 1}, {"cannot_send": 1})


async def test_a_provider_that_cannot_take_it_at_all_is_asked_again_the_next_day(world: World) -> None:
    await world.customers(1)
    await world.campaign(retry=NOT_DELIVERED)
    world.providers["sms"].answers = [Refused("busy", kind="temporary")] * 6
    await world.minute()
    for minutes in (1, 2, 5, 15, 30):
        await later(world, minutes=minutes)
    await later(world, minutes=1)
    assert (sent(world), (await entry(world)).reason) == ([], "not_delivered")
    await later(world, days=1)
    assert sent(world) == [("sms", "first")]


async def test_what_turns_out_to_have_arrived_after_all_is_not_sent_again(world: World) -> None:
    await world.customers(1)
    await world.campaign(retry=replace(NOT_DELIVERED, times=0))
    await world.minute()
    await report(world, OFF)
    await later(world, minutes=1)
    await report(world)
    found = await entry(world)
    assert (found.state, found.reason, found.tries) == ("sent", "", 1)
    for _ in range(10):
        await later(world, days=1)
    assert (sent(world), await world.stages()) == ([("sms", "first")], {"unreachable": 1})


async def test_as_long_as_it_is_put_off_by_the_cap_it_stays_what_it_is(world: World) -> None:
    await world.customers(1)
    await world.campaign(retry=NOT_DELIVERED)
    await world.minute()
    await report(world, OFF)
    await later(world, minutes=1)
    await later(world, days=1, minutes=-2)
    await run_campaigns(world.database, world.at + timedelta(minutes=1), 1)
    world.daily_cap = 0  # another campaign was faster
    await later(world, minutes=2)
    found = await entry(world)
    assert (found.state, found.tries, sent(world)) == ("waiting", 0, [("sms", "first")])
    world.daily_cap = 1
    await later(world, days=1)
    assert sent(world) == [("sms", "first")] * 2


async def test_by_default_a_message_that_did_not_arrive_makes_way_at_once(world: World) -> None:
    await world.customers(1, agreed=("sms", "email"), email="a@example.com")
    await world.campaign(channels=("sms", "email"))
    await world.minute()
    await report(world, OFF)
    await later(world, minutes=1)
    assert sent(world) == [("sms", "first"), ("email", "first")]


# —— opened, and not finished ——————————————————————————————————————————————————


async def opens(world: World, *, says: bool = True) -> str:
    """The customer opens the talk, answers a question, and is not heard again; our next question stands."""
    async with world.database.session() as session:
        case = (await session.scalars(select(Case))).one()
        case.status, case.opened_at, case.last_message_at = "open", world.at, world.at
        session.add(Attempt(case_id=case.id, number=1, channel="web", reason="first", started_at=world.at))
        for number, way in enumerate(("in", "out") if says else ("out",)):
            session.add(_line(case.id, way, f"{number}", world))
        return case.id


def _line(case_id: str, way: str, key: str, world: World) -> Message:
    return Message(case_id=case_id, direction=way, channel="web", channel_message_id=key, text="还行", status="handled", created_at=world.at)


async def falls_silent(world: World, case_id: str) -> None:
    """As the dialogue has it a day after the nudge."""
    async with world.database.session() as session:
        case = await session.get_one(Case, case_id)
        case.status, case.outcome, case.outcome_reason, case.ended_at = "closed", "ended_early", "silence", world.at
        attempt = await session.scalar(select(Attempt).where(Attempt.case_id == case_id))
        attempt.ended_at, attempt.outcome = world.at, "ended_early"
        session.add(Callback(case_id=case_id, at=None, reason="silence", words="", created_at=world.at))
    async with world.database.session() as session:
        await give_times(session, world.at)


async def resumed(world: World) -> list[str]:
    async with world.database.session() as session:
        found = select(Message.channel_message_id).where(Message.text == Trigger.RESUME.value).order_by(Message.id)
        return list(await session.scalars(found))


async def begun(world: World, **changed: object) -> str:
    await world.customers(1)
    await world.campaign(retry=UNFINISHED, **changed)
    await world.minute()
    await later(world, hours=1)
    return await opens(world)


async def test_a_talk_that_fell_silent_is_asked_about_and_taken_up_at_its_question(world: World) -> None:
    case_id = await begun(world)
    await later(world, minutes=1)
    assert (await entry(world)).state == "closed"
    await falls_silent(world, case_id)
    await later(world, hours=24)
    assert sent(world) == [("sms", "first"), ("sms", "unfinished")]
    assert await resumed(world) == ["unfinished-2"]
    async with world.database.session() as session:
        case = await session.get_one(Case, case_id)
        assert (case.status, case.outcome, case.nudged_at) == ("open", None, world.at)
        attempts = (await session.execute(select(Attempt.number, Attempt.reason).order_by(Attempt.number))).all()
        # Who fell silent agreed on no time: there is no call-back beside the message.
        assert (await session.scalars(select(Callback.status))).all() == ["cancelled"]
    assert [tuple(row) for row in attempts] == [(1, "first"), (2, "unfinished")]
    assert await world.stages() == {"answered": 1}


async def test_it_is_asked_so_often_and_no_more(world: World) -> None:
    case_id = await begun(world)
    for _ in range(8):
        await later(world, days=1)
        async with world.database.session() as session:
            session.add(_line(case_id, "out", f"again-{world.at}", world))
    assert sent(world) == [("sms", "first"), ("sms", "unfinished"), ("sms", "unfinished")]
    found = await entry(world)
    assert (found.state, found.next_at, found.reason) == ("closed", None, "")


async def test_a_customer_who_comes_back_by_themselves_and_finishes_is_left_in_peace(world: World) -> None:
    case_id = await begun(world)
    await later(world, hours=20)
    async with world.database.session() as session:
        case = await session.get_one(Case, case_id)
        case.status, case.outcome, case.ended_at = "closed", "completed", world.at
    for _ in range(4):
        await later(world, days=1)
    assert sent(world) == [("sms", "first")]
    assert (await entry(world)).next_at is None


async def test_a_customer_who_wrote_between_queue_and_send_gets_nothing(world: World) -> None:
    case_id = await begun(world)
    await later(world, minutes=1)
    world.at += timedelta(days=1)
    assert await run_campaigns(world.database, world.at, 1) == 1
    world.at += timedelta(seconds=20)
    async with world.database.session() as session:
        session.add(_line(case_id, "in", "back", world))
    await world.send_queued()
    assert sent(world) == [("sms", "first")]
    async with world.database.session() as session:
        newest = await session.scalar(select(Delivery).order_by(Delivery.id.desc()).limit(1))
    assert (newest.status, newest.error) == ("suppressed", "came")
    await later(world, minutes=1)
    found = await entry(world)
    assert (found.state, found.next_at > world.at) == ("closed", True)


@pytest.mark.parametrize("what", ["their word", "callback", "colleague"])
async def test_a_talk_in_other_hands_is_left_alone_and_looked_at_again_a_day_later(world: World, what: str) -> None:
    case_id = await begun(world)
    await later(world, minutes=1)
    async with world.database.session() as session:
        if what == "their word":
            session.add(_line(case_id, "in", "question", world))
        elif what == "callback":
            session.add(Callback(case_id=case_id, at=world.at + timedelta(days=2), reason="busy", words="后天", created_at=world.at))
        else:
            staff = User(name="演示坐席", role="agent", password_hash="")
            session.add(staff)
            await session.flush()
            session.add(TakeOver(case_id=case_id, user_id=staff.id, begun_at=world.at))
    await later(world, days=1)
    await later(world, minutes=2)
    assert sent(world) == [("sms", "first")]
    assert (await entry(world)).next_at > world.at


@pytest.mark.parametrize("outcome", ["refused", "ended_early", "handed_over", "do_not_contact", "wrong_person"])
async def test_who_ended_the_talk_themselves_is_never_asked_to_go_on(world: World, outcome: str) -> None:
    case_id = await begun(world)
    async with world.database.session() as session:
        case = await session.get_one(Case, case_id)
        case.status, case.outcome, case.outcome_reason = "closed", outcome, "不想聊了"
    for _ in range(4):
        await later(world, days=1)
    assert (sent(world), await resumed(world)) == ([("sms", "first")], [])
    assert (await entry(world)).next_at is None


@pytest.mark.parametrize(
    "stop",
    [
        "INSERT INTO do_not_contact (contact_id) SELECT id FROM contacts",
        "INSERT INTO consents (contact_id, channel, given, source) SELECT id, 'sms', false, '测试' FROM contacts",
        "UPDATE contacts SET erased_at = now()",
        "UPDATE cases SET erased_at = now()",
        "UPDATE campaigns SET status = 'paused'",
    ],
)
async def test_whatever_stops_contacts_stops_this_one(world: World, stop: str) -> None:
    await begun(world)
    await later(world, hours=1)
    await world.execute(stop)
    for _ in range(3):
        await later(world, days=1)
    assert sent(world) == [("sms", "first")]


async def test_an_opt_out_between_queue_and_send_stops_it_and_the_talk_stays_closed(world: World) -> None:
    case_id = await begun(world)
    await falls_silent(world, case_id)
    world.at += timedelta(days=1)
    assert await run_campaigns(world.database, world.at, 1) == 1
    await world.execute("INSERT INTO do_not_contact (contact_id) SELECT id FROM contacts")
    await world.send_queued()
    await later(world, minutes=1)
    assert (sent(world), await resumed(world)) == ([("sms", "first")], [])
    assert ((await entry(world)).state, (await entry(world)).next_at) == ("closed", None)


async def test_a_cancelled_campaign_asks_nobody_any_more(world: World) -> None:
    await begun(world)
    await later(world, hours=1)
    async with world.database.session() as session:
        await actions.cancel(session, (await entry(world)).campaign_id, "测试", world.at)
    for _ in range(3):
        await later(world, days=1)
    found = await entry(world)
    assert (sent(world), found.state, found.next_at, found.reason) == ([("sms", "first")], "closed", None, "")


async def test_the_daily_cap_holds_for_it(world: World) -> None:
    await begun(world)
    await later(world, hours=22)
    world.daily_cap = 0
    await later(world, hours=2)
    assert sent(world) == [("sms", "first")]
    world.daily_cap = 1
    await later(world, days=1)
    assert sent(world) == [("sms", "first"), ("sms", "unfinished")]


async def test_when_nobody_knows_whether_it_arrived_it_is_never_sent_again(world: World) -> None:
    case_id = await begun(world)
    await later(world, minutes=1)
    world.at += timedelta(days=1)
    await run_campaigns(world.database, world.at, 1)
    # The worker is killed between handing over and writing down.
    await world.execute("UPDATE deliveries SET status = 'sending', sending_at = :at WHERE kind = 'unfinished'", at=world.at)
    for _ in range(5):
        await later(world, days=1)
    async with world.database.session() as session:
        assert (await session.scalars(select(Delivery.status).order_by(Delivery.id))).all() == ["accepted", "unknown"]
    assert (sent(world), (await entry(world)).next_at) == ([("sms", "first")], None)
    assert await world.stages() == {"answered": 1} and case_id


async def test_an_unclear_answer_is_the_same(world: World) -> None:
    await begun(world)
    world.providers["sms"].answers = [Unclear("no answer")]
    for _ in range(5):
        await later(world, days=1)
    assert sent(world) == [("sms", "first")]


async def test_a_dead_number_is_not_asked_twice(world: World) -> None:
    await begun(world)
    world.providers["sms"].answers = [Refused("isv.MOBILE_NUMBER_ILLEGAL")]
    for _ in range(5):
        await later(world, days=1)
    assert (sent(world), (await entry(world)).state) == ([("sms", "first")], "closed")


async def test_without_the_setting_whoever_came_is_left_in_peace_and_silence_is_called_back_as_before(world: World) -> None:
    await world.customers(1)
    await world.campaign()
    await world.minute()
    case_id = await opens(world)
    await falls_silent(world, case_id)
    for _ in range(3):
        await later(world, days=1)
    assert sent(world) == [("sms", "first")]
    async with world.database.session() as session:
        callback = (await session.scalars(select(Callback))).one()
    assert callback.at is not None and callback.status == "booked"


async def test_a_trigger_is_taken_once(world: World) -> None:
    case_id = await begun(world)
    async with world.database.session() as session:
        for _ in range(2):
            await accept_trigger(session, case_id, Trigger.RESUME, "unfinished-7")
    assert await resumed(world) == ["unfinished-7"]

"""Call-backs: kept on time, told to who is not in the chat, tried twice, then left to a colleague."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from followup import clock
from followup.campaigns import callbacks
from followup.campaigns.callbacks import Settled, give_times, resume_due_callbacks, settle_callbacks, time_for
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.campaign_models import Delivery
from followup.store.models import Callback, Case, Message, Ticket

from .conftest import World

THREE = datetime(2026, 3, 11, 15, 0, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def _their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOLLOWUP_NOW", raising=False)


async def booked(world: World, at: datetime | None = THREE, *, agreed: tuple[str, ...] = ("sms",), **given: str) -> str:
    """A customer who has said when they have time, and left."""
    (contact,) = await world.customers(1, agreed=agreed, email="a@example.com")
    async with world.database.session() as session:
        revision = await records.save_revision(session, "tea", "1", {"id": "tea"})
        case_id = await records.create_case(session, contact, revision)
        case = await session.get_one(Case, case_id)
        case.status, case.outcome, case.opened_at = "waiting", "appointed", world.at
        session.add(Callback(case_id=case_id, at=at, reason=given.get("reason", "busy"), words="三点", created_at=world.at))
    return case_id


async def minute(world: World, at: datetime) -> Settled:
    """What the worker's clock does, and the senders."""
    world.at = at
    clock.stand_at(at)
    async with world.database.session() as session:
        settled = await settle_callbacks(session, at)
    for step in (give_times, resume_due_callbacks):
        async with world.database.session() as session:
            await step(session, at)
    await world.send_queued()
    return settled


async def standing(world: World) -> Callback:
    async with world.database.session() as session:
        return (await session.scalars(select(Callback))).one()


async def says(world: World, case_id: str, at: datetime) -> None:
    async with world.database.session() as session:
        session.add(
            Message(case_id=case_id, direction="in", channel="web", channel_message_id=str(at), text="在", status="handled", created_at=at)
        )


async def tickets(world: World) -> list[tuple[str, str]]:
    async with world.database.session() as session:
        return [(ticket.kind, ticket.reason) for ticket in await session.scalars(select(Ticket))]


async def resumed(world: World) -> int:
    async with world.database.session() as session:
        return len(list(await session.scalars(select(Message.id).where(Message.text == "/resume_followup"))))


def sent(world: World) -> list[tuple[str, str]]:
    return [(channel, i.kind) for channel, provider in world.providers.items() for i in provider.sent]


async def test_who_is_not_there_gets_one_message_when_the_time_has_come(world: World) -> None:
    await booked(world)
    await minute(world, THREE - timedelta(minutes=1))
    assert sent(world) == []
    for ahead in range(3):
        await minute(world, THREE + timedelta(minutes=ahead))
    assert (sent(world), await resumed(world)) == ([("sms", "callback")], 1)
    found = await standing(world)
    assert (found.status, found.tries, found.tried_at) == ("due", 1, THREE)


async def test_two_clocks_at_once_call_back_once(world: World) -> None:
    import asyncio

    await booked(world)
    world.at = THREE

    async def one() -> int:
        clock.stand_at(THREE)
        async with world.database.session() as session:
            return await resume_due_callbacks(session, THREE)

    assert sum(await asyncio.gather(one(), one(), one())) == 1
    await world.send_queued()
    assert sent(world) == [("sms", "callback")]


async def test_who_is_in_the_chat_gets_no_message(world: World) -> None:
    case_id = await booked(world)
    await says(world, case_id, THREE - timedelta(minutes=4))
    await minute(world, THREE)
    assert (sent(world), await resumed(world)) == ([], 1)


async def test_the_channel_they_came_by_comes_first(world: World) -> None:
    case_id = await booked(world, agreed=("sms", "email"))
    await world.execute(
        "INSERT INTO deliveries (case_id, contact_id, number, kind, channel, status, day, queued_at)"
        " SELECT id, contact_id, 1, 'first', 'email', 'accepted', DATE '2026-03-10', :at FROM cases WHERE id = :case",
        at=world.at, case=case_id,
    )  # fmt: skip
    await minute(world, THREE)
    assert sent(world) == [("email", "callback")]


@pytest.mark.parametrize(("hour", "minutes", "due"), [(8, 0, "08:30"), (22, 0, "08:30"), (21, 0, "08:30"), (20, 59, "20:59")])
async def test_never_outside_half_past_eight_to_nine(world: World, hour: int, minutes: int, due: str) -> None:
    at = THREE.replace(hour=hour, minute=minutes)
    await booked(world, at)
    await minute(world, at)
    moved = (await standing(world)).at
    assert moved is not None
    await minute(world, moved)
    assert sent(world) == [("sms", "callback")]
    assert f"{world.at.astimezone(SHANGHAI):%H:%M}" == due


async def test_in_vain_it_is_tried_again_the_next_day_at_the_same_time_then_a_colleague_calls(world: World) -> None:
    await booked(world)
    await minute(world, THREE)
    assert await minute(world, THREE + timedelta(hours=23)) == Settled()
    assert await minute(world, THREE + timedelta(hours=24)) == Settled(again=1)
    found = await standing(world)
    assert (found.status, found.tries, found.at) == ("due", 2, THREE + timedelta(days=1))
    assert await tickets(world) == []
    assert await minute(world, THREE + timedelta(hours=48)) == Settled(failed=1)
    assert (await standing(world)).status == "failed"
    assert await tickets(world) == [("request", "预约的回访两次都没有联系上客户，请人工回访。")]
    await minute(world, THREE + timedelta(hours=72))
    assert sent(world) == [("sms", "callback")] * 2
    assert len(await tickets(world)) == 1


async def test_who_came_is_not_called_again(world: World) -> None:
    case_id = await booked(world)
    await minute(world, THREE)
    await says(world, case_id, THREE + timedelta(hours=2))
    assert await minute(world, THREE + timedelta(hours=24)) == Settled(came=1)
    assert (await standing(world)).status == "done"
    assert len(sent(world)) == 1


async def test_a_message_that_could_not_be_sent_takes_the_next_way_at_once(world: World) -> None:
    from followup.channels import Refused

    await booked(world, agreed=("sms", "email"))
    world.providers["sms"].answers = [Refused("isv.MOBILE_NUMBER_ILLEGAL")]
    await minute(world, THREE)
    await minute(world, THREE + timedelta(minutes=1))
    assert sent(world) == [("email", "callback")]


async def test_without_a_way_a_colleague_is_told_at_once(world: World) -> None:
    await booked(world, agreed=())
    await minute(world, THREE)
    assert await tickets(world) == [("request", "预约回访的时间到了，但没有可以联系客户的方式，请人工回访。")]
    assert (sent(world), await resumed(world)) == ([], 1)


async def test_an_opt_out_holds_for_call_backs_too(world: World) -> None:
    await booked(world)
    await world.execute("INSERT INTO do_not_contact (contact_id) SELECT id FROM contacts")
    await minute(world, THREE)
    assert (sent(world), (await standing(world)).status) == ([], "cancelled")


async def test_a_call_back_booked_anew_meanwhile_takes_the_place_of_the_queued_message(world: World) -> None:
    await booked(world)
    clock.stand_at(THREE)
    async with world.database.session() as session:
        await resume_due_callbacks(session, THREE)
    await world.execute("UPDATE callbacks SET status = 'done'")
    world.at = THREE
    await world.send_queued()
    async with world.database.session() as session:
        delivery = (await session.scalars(select(Delivery))).one()
    assert (sent(world), delivery.status, delivery.error) == ([], "suppressed", "changed")


async def test_a_call_back_does_not_count_for_the_daily_cap(world: World) -> None:
    await booked(world, world.at + timedelta(minutes=1))
    await world.campaign()
    await world.minute()
    await minute(world, world.at + timedelta(minutes=1))
    assert sorted(kind for _, kind in sent(world)) == ["callback", "first"]


async def test_without_a_time_it_is_for_the_next_working_day_at_the_best_hours(world: World) -> None:
    await booked(world, None)
    await minute(world, world.at)
    assert (await standing(world)).at == datetime(2026, 3, 11, 10, 0, tzinfo=SHANGHAI)
    friday = datetime(2026, 3, 13, 16, 0, tzinfo=SHANGHAI)
    assert time_for(friday, friday) == datetime(2026, 3, 16, 10, 0, tzinfo=SHANGHAI)
    before_the_holidays = datetime(2026, 9, 30, 16, 0, tzinfo=SHANGHAI)
    assert time_for(before_the_holidays, before_the_holidays) == datetime(2026, 10, 8, 10, 0, tzinfo=SHANGHAI)
    long_after = friday + timedelta(days=60)
    found = time_for(friday, long_after)
    assert found is not None and found >= long_after


async def test_a_person_keeps_what_was_promised_by_a_person(world: World) -> None:
    await booked(world, reason="request_human")
    await minute(world, THREE)
    assert (sent(world), await resumed(world), (await standing(world)).status) == ([], 0, "due")
    await minute(world, THREE + timedelta(days=3))
    assert await tickets(world) == []
    async with world.database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM deliveries")) == 0


async def test_a_message_that_a_colleague_made_meanwhile_is_counted(world: World) -> None:
    case_id = await booked(world)
    async with world.database.session() as session:
        rows = await callbacks._locked(session, THREE, Callback.status == "booked")
        async with world.database.session() as colleague:
            case = await colleague.get_one(Case, case_id)
            colleague.add(
                Delivery(case_id=case_id, contact_id=case.contact_id, number=1, kind="resume", channel="sms", day=THREE.date(), queued_at=THREE)
            )
        assert await callbacks._invite(session, rows, THREE) == {rows[0].Callback.id}
    async with world.database.session() as session:
        assert list(await session.scalars(select(Delivery.number).order_by(Delivery.number))) == [1, 2]

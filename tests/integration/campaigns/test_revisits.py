"""The closed loop: a closed complaint's customer is asked again by the system within three days, or staff are told."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from followup.campaigns.revisits import Revisited, first_at, run_revisits
from followup.channels import Refused, Unclear
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.models import Ticket
from followup.store.staff_models import TicketEvent

from .conftest import World

CLOSED = datetime(2026, 3, 10, 10, 30, tzinfo=SHANGHAI)
AFTERNOON = CLOSED.replace(hour=15, minute=0)


async def closed_complaint(world: World, *, agreed: tuple[str, ...] = ("sms",)) -> str:
    """Returns the case of the revisit."""
    (contact,) = await world.customers(1, agreed=agreed, email="a@example.com")
    async with world.database.session() as session:
        revision = await records.save_revision(session, "tea", "1", {"id": "tea"})
        first = await records.create_case(session, contact, revision)
        again = await records.create_case(session, contact, revision)
        session.add(
            Ticket(
                case_id=first, topic="service", kind="complaint", severity=2, department="售后", reason="太慢", words=[], due_at=CLOSED,
                status="closed", solved_at=CLOSED, closed_at=CLOSED, revisit_case_id=again,
            )
        )  # fmt: skip
    return again


async def minute(world: World, at: datetime) -> Revisited:
    world.at = at
    async with world.database.session() as session:
        done = await run_revisits(session, at, 1)
    await world.send_queued()
    return done


async def events(world: World) -> list[tuple[str, str]]:
    async with world.database.session() as session:
        found = await session.scalars(select(TicketEvent).order_by(TicketEvent.id))
        return [(event.kind, event.detail.get("reason") or event.detail.get("channel", "")) for event in found]


async def test_the_next_opening_after_the_closing_and_once(world: World) -> None:
    await closed_complaint(world)
    assert await minute(world, CLOSED + timedelta(minutes=1)) == Revisited()
    assert await minute(world, AFTERNOON) == Revisited(queued=1)
    for ahead in (1, 2, 60):
        assert await minute(world, AFTERNOON + timedelta(minutes=ahead)) == Revisited()
    assert [i.kind for i in world.providers["sms"].sent] == ["revisit"]
    assert await events(world) == [("revisit_sent", "sms")]


@pytest.mark.parametrize(
    ("closed", "first"),
    [
        ("2026-03-10 09:00", "2026-03-10 10:00"), ("2026-03-10 10:00", "2026-03-10 15:00"), ("2026-03-10 18:00", "2026-03-11 10:00"),
        ("2026-09-30 18:00", "2026-10-08 10:00"),
    ],
)  # fmt: skip
def test_when_that_is(closed: str, first: str) -> None:
    at = datetime.fromisoformat(closed).replace(tzinfo=SHANGHAI)
    assert first_at(at) == datetime.fromisoformat(first).replace(tzinfo=SHANGHAI)


async def test_who_does_not_come_is_reminded_once_and_after_three_days_staff_are_told(world: World) -> None:
    await closed_complaint(world)
    await minute(world, AFTERNOON)
    assert await minute(world, AFTERNOON + timedelta(days=1)) == Revisited(queued=1)
    assert await minute(world, AFTERNOON + timedelta(days=2)) == Revisited()
    assert await minute(world, CLOSED + timedelta(days=3)) == Revisited(unreached=1)
    assert await minute(world, CLOSED + timedelta(days=3, minutes=1)) == Revisited()
    assert [kind for kind, _ in await events(world)] == ["revisit_sent", "revisit_sent", "revisit_unreached"]


async def test_who_comes_is_left_in_peace(world: World) -> None:
    case_id = await closed_complaint(world)
    await minute(world, AFTERNOON)
    await world.execute("UPDATE cases SET status = 'open', opened_at = :at WHERE id = :id", at=AFTERNOON, id=case_id)
    for days in (1, 2, 3, 4):
        assert await minute(world, AFTERNOON + timedelta(days=days)) == Revisited()
    assert len(await events(world)) == 1


async def test_the_next_channel_when_one_fails_and_staff_when_there_is_none(world: World) -> None:
    await closed_complaint(world, agreed=("sms", "email"))
    world.providers["sms"].answers = [Refused("isv.MOBILE_NUMBER_ILLEGAL")]
    world.providers["email"].answers = [Refused("550")]
    await minute(world, AFTERNOON)
    await minute(world, AFTERNOON + timedelta(minutes=1))
    assert await minute(world, AFTERNOON + timedelta(minutes=2)) == Revisited(unreached=1)
    assert await events(world) == [("revisit_sent", "sms"), ("revisit_sent", "email"), ("revisit_unreached", "cannot_send")]


async def test_without_consent_staff_are_told_at_once(world: World) -> None:
    await closed_complaint(world, agreed=())
    assert await minute(world, AFTERNOON) == Revisited(unreached=1)
    assert await events(world) == [("revisit_unreached", "no_consent")]


async def test_what_may_have_arrived_is_not_sent_again(world: World) -> None:
    await closed_complaint(world, agreed=("sms", "email"))
    world.providers["sms"].answers = [Unclear("no answer")]
    await minute(world, AFTERNOON)
    assert await minute(world, AFTERNOON + timedelta(days=1)) == Revisited()
    assert (world.providers["sms"].sent, world.providers["email"].sent) == ([], [])
    assert await minute(world, CLOSED + timedelta(days=3)) == Revisited(unreached=1)


async def test_a_revisit_waits_for_the_next_day_when_the_customer_was_contacted_today(world: World) -> None:
    await closed_complaint(world)
    await world.campaign()
    await world.minute()
    assert await minute(world, AFTERNOON) == Revisited()
    assert await minute(world, AFTERNOON + timedelta(days=1)) == Revisited(queued=1)

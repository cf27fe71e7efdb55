"""Reminders: which tickets, how often, and a webhook that does not answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from followup.console.tickets.reminders import NotSent, remind, remind_by_webhook, webhook
from followup.settings import SHANGHAI
from followup.store.database import Database
from followup.store.models import Ticket
from followup.store.staff_models import TicketEvent
from tests.integration.console.written_talks import write_talk

NOON = datetime(2026, 11, 20, 12, tzinfo=SHANGHAI)
HOUR = timedelta(hours=1)
US = "https://followup.example"


async def a_ticket(database: Database, due: datetime, **more: Any) -> int:
    talk = await write_talk(database, name="赵甲")
    async with database.session() as session:
        columns = {"topic": "price", "kind": "complaint", "severity": 1, "department": "维修部", "reason": "秘密", "words": [{"text": "秘密"}]}
        ticket = Ticket(case_id=talk.case_id, due_at=due, **{**columns, **more})
        session.add(ticket)
    return ticket.id


class Robot:
    """A receiver that says what it is told to say, the last for ever."""

    def __init__(self) -> None:
        self.says: list[tuple[int, dict[str, Any]]] = [(200, {"errcode": 0})]
        self.bodies: list[dict[str, Any]] = []
        self.url = ""

    async def hear(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        status, body = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        return web.json_response(body, status=status)


@pytest_asyncio.fixture
async def robot() -> AsyncIterator[Robot]:
    robot, app = Robot(), web.Application()
    app.router.add_post("/robot", robot.hear)
    server = TestServer(app)
    await server.start_server()
    robot.url = str(server.make_url("/robot"))
    yield robot
    await server.close()


async def test_a_ticket_is_named_when_soon_due_when_late_and_then_once_a_day(database: Database) -> None:
    number = await a_ticket(database, NOON + 3 * HOUR)
    sent: list[dict[str, Any]] = []

    async def send(body: dict[str, Any]) -> None:
        sent.append(body)

    named = [await remind(database, send, US, NOON + hours * HOUR) for hours in (0, 1, 2, 3, 4, 5, 27, 28, 29)]
    assert named == [0, 1, 0, 0, 1, 0, 0, 1, 0]
    assert [body["tickets"][0]["late"] for body in sent] == [False, True, True]
    async with database.session() as session:
        why = [event.detail["why"] for event in await session.scalars(select(TicketEvent).order_by(TicketEvent.id))]
        ticket = await session.get_one(Ticket, number)
    assert why == ["soon", "late", "late"] and ticket.reminded_at == NOON + 28 * HOUR


async def test_a_moved_due_time_is_reminded_of_anew(database: Database) -> None:
    number = await a_ticket(database, NOON - HOUR)

    async def send(body: dict[str, Any]) -> None:
        pass

    assert await remind(database, send, US, NOON) == 1
    async with database.session() as session:
        (await session.get_one(Ticket, number)).due_at = NOON + 5 * HOUR
    assert [await remind(database, send, US, NOON + hours * HOUR) for hours in (1, 3)] == [0, 1]


async def test_what_is_done_is_not_reminded_of_and_others_are_sent_without_personal_data(database: Database, robot: Robot) -> None:
    await a_ticket(database, NOON - HOUR, status="solved")
    await a_ticket(database, NOON + 9 * HOUR)
    late = await a_ticket(database, NOON - HOUR)
    assert await remind_by_webhook(database, robot.url, US, NOON) == 1
    (body,) = robot.bodies
    assert body["msgtype"] == "text" and [one["id"] for one in body["tickets"]] == [late]
    assert body["text"]["content"] == (
        "有 1 张工单需要处理：\n"
        f"【已经逾期】工单 {late}，投诉，一级，维修部，负责人：没有人认领，期限：{'' if datetime.now(SHANGHAI).year == 2026 else '2026年'}11月20日 11:00。{US}/console/tickets/{late}"
    )
    assert "赵甲" not in str(body) and "秘密" not in str(body) and "13812345678" not in str(body)


@pytest.mark.parametrize("refusal", [(500, {}), (302, {}), (200, {"errcode": 93000, "errmsg": "invalid webhook url"})])
async def test_a_refused_message_is_tried_again(robot: Robot, refusal: tuple[int, dict[str, Any]]) -> None:
    robot.says = [refusal, refusal, (200, {"errcode": 0})]
    await webhook(robot.url, pause=0)({"msgtype": "text"})
    assert len(robot.bodies) == 3


async def test_a_webhook_that_never_answers_leaves_the_tickets_for_the_next_round(database: Database, robot: Robot) -> None:
    number = await a_ticket(database, NOON - HOUR)
    robot.says = [(500, {})]
    with pytest.raises(NotSent):
        await remind(database, webhook(robot.url, tries=2, pause=0), US, NOON)
    async with database.session() as session:
        assert (await session.get_one(Ticket, number)).reminded_at is None
        assert (await session.scalars(select(TicketEvent))).all() == []
    with pytest.raises(NotSent):
        await remind(database, webhook("http://127.0.0.1:1/", tries=1), US, NOON)
    robot.says = [(200, {})]
    assert await remind(database, webhook(robot.url), US, NOON) == 1

"""Reminders by mail: to whom, what they hold, and mail servers that refuse, hang, put off or speak nonsense."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from sqlalchemy import select

from followup.console import accounts
from followup.mail import MailServer, NotSent, courier, letter, server_of
from followup.console.tickets.reminders import remind_by_mail
from followup.settings import SHANGHAI
from followup.store.database import Database
from followup.store.models import Ticket
from followup.store.staff_models import TicketEvent
from tests.integration.console.conftest import PASSWORD
from tests.integration.console.test_ticket_reminders import a_ticket

NOON = datetime(2026, 11, 20, 12, tzinfo=SHANGHAI)
HOUR = timedelta(hours=1)
US = "https://followup.example"
SENDER = "客户回访 <followup@example.com>"


class PostOffice:
    """A mail server that says what it is told to say."""

    def __init__(self) -> None:
        self.says: dict[str, str] = {}
        """Address -> what RCPT is answered; others are taken."""
        self.data = "250 OK"
        self.hangs = False
        self.asked = asyncio.Event()
        """Somebody waits for an answer that does not come."""
        self.letters: list[EmailMessage] = []
        self.port = 0

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.hangs:
            self.asked.set()
            await asyncio.sleep(60)
        answer = self.says.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if self.data.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.letters.append(message)
        return self.data

    @property
    def server(self) -> MailServer:
        return server_of(f"smtp://127.0.0.1:{self.port}", SENDER)


@pytest_asyncio.fixture
async def office() -> AsyncIterator[PostOffice]:
    office = PostOffice()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(office, hostname="office", enable_SMTPUTF8=True), "127.0.0.1", 0)
    office.port = server.sockets[0].getsockname()[1]
    yield office
    server.close()


async def a_user(database: Database, name: str, role: str = "agent", address: str = "", department: str = "") -> int:
    async with database.session() as session:
        user, _ = await accounts.create(session, name, role, PASSWORD, department, address)
    return user.id


async def mailed(database: Database, number: int) -> datetime | None:
    async with database.session() as session:
        return (await session.get_one(Ticket, number)).mailed_at


async def details(database: Database) -> list[dict[str, Any]]:
    async with database.session() as session:
        return [event.detail for event in await session.scalars(select(TicketEvent).order_by(TicketEvent.id))]


async def test_the_owner_gets_one_letter_about_all_of_his_tickets_without_personal_data(database: Database, office: PostOffice) -> None:
    owner = await a_user(database, "坐席甲", address="jia@example.com")
    await a_user(database, "坐席乙", address="yi@example.com")
    tickets = [await a_ticket(database, NOON + HOUR, owner_id=owner), await a_ticket(database, NOON + 2 * HOUR, owner_id=owner)]
    await a_ticket(database, NOON + 9 * HOUR, owner_id=owner)
    assert await remind_by_mail(database, office.server, US, NOON) == 2
    (one,) = office.letters
    text = one.get_content()
    assert (one["To"], one["From"], one["Subject"], one["Auto-Submitted"]) == ("jia@example.com", SENDER, "有 2 张工单快到期限", "auto-generated")
    assert one["Message-ID"].endswith("@example.com>") and one["Date"].datetime.tzinfo is not None
    assert text.startswith("坐席甲，您好！") and all(f"{US}/console/tickets/{number}" in text for number in tickets)
    assert "赵甲" not in str(one) + text and "秘密" not in text and "13812345678" not in text
    assert await remind_by_mail(database, office.server, US, NOON + HOUR / 2) == 0
    assert await details(database) == [{"why": "soon", "by": "mail", "to": ["坐席甲"], "refused": []}] * 2


async def test_nobodys_ticket_goes_to_its_department_and_a_late_one_to_the_supervisors_too(database: Database, office: PostOffice) -> None:
    await a_user(database, "维修甲", address="jia@example.com", department="维修部")
    await a_user(database, "客服乙", address="yi@example.com", department="客户服务部")
    await a_user(database, "主管丙", "supervisor", "bing@example.com")
    await a_user(database, "训练师丁", "trainer", "ding@example.com", "维修部")
    await a_ticket(database, NOON + HOUR)
    elsewhere = await a_ticket(database, NOON + HOUR, department="没有人的部门")
    await remind_by_mail(database, office.server, US, NOON)
    assert {one["To"]: f"/{elsewhere}" in one.get_content() for one in office.letters} == {"jia@example.com": False, "bing@example.com": True}
    office.letters.clear()
    assert await remind_by_mail(database, office.server, US, NOON + 2 * HOUR) == 2
    assert {one["To"]: one["Subject"] for one in office.letters} == {
        "jia@example.com": "有 1 张工单需要处理，其中 1 张已经逾期", "bing@example.com": "有 2 张工单需要处理，其中 2 张已经逾期",
    }  # fmt: skip


async def test_greylisted_is_tried_again_in_the_next_round(database: Database, office: PostOffice) -> None:
    number = await a_ticket(database, NOON + HOUR, owner_id=await a_user(database, "坐席甲", address="jia@example.com"))
    office.says["jia@example.com"] = "451 4.7.1 Greylisted, try again in five minutes"
    assert await remind_by_mail(database, office.server, US, NOON) == 0
    assert await mailed(database, number) is None and await details(database) == []
    office.says.clear()
    assert await remind_by_mail(database, office.server, US, NOON + timedelta(minutes=6)) == 1
    assert await mailed(database, number) == NOON + timedelta(minutes=6)


async def test_a_mailbox_that_is_none_is_noted_and_not_tried_every_minute(database: Database, office: PostOffice) -> None:
    number = await a_ticket(database, NOON - HOUR, owner_id=await a_user(database, "坐席甲", address="gone@example.com"))
    office.says["gone@example.com"] = "550 5.1.1 No such user"
    assert await remind_by_mail(database, office.server, US, NOON) == 0
    assert await mailed(database, number) == NOON
    assert await details(database) == [{"why": "late", "by": "mail", "to": [], "refused": ["坐席甲"]}]
    office.says.clear()
    assert [await remind_by_mail(database, office.server, US, NOON + hours * HOUR) for hours in (1, 24)] == [0, 1]


async def test_one_refused_mailbox_keeps_no_letter_from_the_others(database: Database, office: PostOffice) -> None:
    await a_user(database, "主管甲", "supervisor", "gone@example.com")
    await a_user(database, "主管乙", "supervisor", "yi@example.com")
    await a_ticket(database, NOON - HOUR)
    office.says["gone@example.com"] = "550 No such user"
    assert await remind_by_mail(database, office.server, US, NOON) == 1
    assert [one["To"] for one in office.letters] == ["yi@example.com"]


@pytest.mark.parametrize(("data", "again"), [("452 Insufficient storage", True), ("554 Rejected as spam", False)])
async def test_a_letter_refused_after_it_was_read(database: Database, office: PostOffice, data: str, again: bool) -> None:
    number = await a_ticket(database, NOON - HOUR, owner_id=await a_user(database, "坐席甲", address="jia@example.com"))
    office.data = data
    assert await remind_by_mail(database, office.server, US, NOON) == 0
    assert (await mailed(database, number) is None) is again


async def test_a_server_that_hangs_is_given_up_and_no_ticket_is_locked_meanwhile(database: Database, office: PostOffice) -> None:
    number = await a_ticket(database, NOON - HOUR, owner_id=await a_user(database, "坐席甲", address="jia@example.com"))
    office.hangs = True
    round_ = asyncio.create_task(remind_by_mail(database, office.server, US, NOON, timeout=8))
    await office.asked.wait()
    async with database.session() as session:  # a colleague at work on it is not kept waiting
        ticket = await session.get_one(Ticket, number, with_for_update={"nowait": True})
        ticket.solution = "正在处理"
    assert await remind_by_mail(database, office.server, US, NOON) == 0  # the next minute's round does not overtake it
    assert await round_ == 0 and await mailed(database, number) is None
    office.hangs = False
    assert await remind_by_mail(database, office.server, US, NOON) == 1


async def test_a_server_that_is_not_there_or_speaks_nonsense_leaves_everything_for_later(database: Database) -> None:
    number = await a_ticket(database, NOON - HOUR, owner_id=await a_user(database, "坐席甲", address="jia@example.com"))
    assert await remind_by_mail(database, server_of("smtp://127.0.0.1:1", SENDER), US, NOON, timeout=2) == 0

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await remind_by_mail(database, server_of(f"smtp://127.0.0.1:{port}", SENDER), US, NOON, timeout=2) == 0
    server.close()
    assert await mailed(database, number) is None


async def test_a_wrong_password_is_told_without_repeating_it(database: Database) -> None:
    def check(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(PostOffice(), authenticator=check, auth_require_tls=False), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(NotSent) as problem:
        async with courier(server_of(f"smtp://us:geheim@127.0.0.1:{port}", SENDER), timeout=60):
            pass
    server.close()
    assert "geheim" not in str(problem.value) and "535" in str(problem.value)


async def test_without_any_address_nothing_is_asked_of_the_server(database: Database) -> None:
    await a_ticket(database, NOON - HOUR, owner_id=await a_user(database, "坐席甲"))
    await a_user(database, "主管甲", "supervisor")
    assert await remind_by_mail(database, server_of("smtp://127.0.0.1:1", SENDER), US, NOON) == 0


async def test_tickets_that_nobody_can_be_told_of_stand_in_nobodys_way(database: Database, office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("followup.console.tickets.reminders.MOST_MAILED", 2)
    silent, reachable = await a_user(database, "坐席甲"), await a_user(database, "坐席乙", address="yi@example.com")
    for _ in range(2):
        await a_ticket(database, NOON - 3 * HOUR, owner_id=silent)
    await a_ticket(database, NOON - HOUR, owner_id=reachable)
    assert [await remind_by_mail(database, office.server, US, NOON + timedelta(minutes=minute)) for minute in (0, 1)] == [0, 1]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 587, "", False, None)),
        ("smtp://us:p%40ss@mail.example:2525", ("mail.example", 2525, "p@ss", False, True)),
        ("smtps://us:p@mail.example", ("mail.example", 465, "p", True, False)),
        ("smtp://us:p@localhost:25", ("localhost", 25, "p", False, False)),
    ],
)
def test_a_password_goes_over_an_encrypted_line_only(url: str, expected: tuple[Any, ...]) -> None:
    server = server_of(url, SENDER)
    assert (server.host, server.port, server.password, server.tls, server.starttls) == expected
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize("field", [("a@example.com\nBcc: b@example.com", "甲"), ("a@example.com", "甲\r\nBcc: b@example.com")])
def test_a_line_break_makes_no_second_header(field: tuple[str, str]) -> None:
    with pytest.raises(ValueError):
        letter(SENDER, *field, "文")

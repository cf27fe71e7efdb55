"""All areas at once: who may go where, what nobody should be able to send, and what a customer wrote on every page.

The routes are read off the application, so that an area that comes later is tested without a word here.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from urllib.parse import quote, urldefrag, urlsplit

import pytest
from aiohttp.test_utils import TestServer
from openpyxl import load_workbook
from sqlalchemy import func, select
from yarl import URL

from followup.console.permissions import ROLE_PERMISSIONS, Permission
from followup.settings import SHANGHAI
from followup.store.database import Database
from followup.store.models import Base, Case, Message, Ticket, User
from followup.store.staff_models import AuditEntry, InspectionSample, StaffMessage, StaffNote, TicketEvent
from tests.integration.console.conftest import Browser
from tests.integration.console.every_route import Route, every_field, every_route
from tests.integration.console.written_talks import Said, write_talk

Enter = Callable[..., Awaitable[Browser]]
MORNING = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
EVIL = "<img src=x onerror=alert(1)>\"'{{7*7}}"
FORMULA = "=cmd|'/C calc'!A0"
OPEN = {"/console/login", "/console/logout"}
NASTY = (
    "'; DROP TABLE users; --", "-1", "9" * 40, "1e999", "０", "%", "\\", "<script>alert(1)</script>", "=1+1", "2026-02-30", "9999-12-31",
    "0001-01-01", "a" * 1500, "\x00", "\ud800", "../../etc/passwd", "{{7*7}}", "NaN", "null", "true",
)  # fmt: skip

LONG = bool(os.environ.get("FOLLOWUP_LONG_TESTS"))
PATIENCE = 120
"""Seconds after which a page counts as hung, on a machine where other tests run."""


def some(values: Sequence[str], number: int, most: int) -> Sequence[str]:
    """A few of the values, other ones for each number; all of them in `make test-long`."""
    apart = 1 if LONG else -(-len(values) // most)
    return values[number % apart :: apart]


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", MORNING.isoformat())


async def status_of(browser: Browser, route: Route, **fields: str) -> int:
    """What the route answers; a stream is not waited for."""
    if route.method == "GET":
        request = browser.client.get(route.path, allow_redirects=False)
    else:
        request = browser.client.request(route.method, route.path, data={"csrf": browser.csrf, **fields}, allow_redirects=False)
    answer = await asyncio.wait_for(request, PATIENCE)
    answer.close()
    return answer.status


async def rows(database: Database) -> dict[str, int]:
    """How many rows each table has, but for what reading itself writes."""
    async with database.session() as session:
        return {
            table.name: await session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
            if table.name not in ("staff_sessions", "audit_log", "login_attempts")
        }


def test_the_tests_below_know_every_route_that_is_served(server: TestServer) -> None:
    (console,) = (app for app in server.app._subapps if any("/console" in str(resource) for resource in app.router.resources()))
    served = {(route.method, route.resource.canonical) for route in console.router.routes() if route.method != "HEAD"}  # type: ignore[union-attr]
    known = {(route.method, re.sub(r"\{(\w+):(?:[^{}]|\{\d+\})+\}", r"{\1}", f"/console{route.pattern}")) for route in every_route()}
    assert served == {(method, path.rstrip("/") if path == "/console" else path) for method, path in known}


@pytest.mark.parametrize("role", ROLE_PERMISSIONS)
async def test_every_route_lets_in_whose_role_may_and_nobody_else(enter: Enter, database: Database, role: str) -> None:
    browser = await enter(role)
    before, wrong = await rows(database), []
    for route in sorted(every_route(), key=lambda one: one.path in OPEN):  # logging out last
        allowed = route.needs is None or route.needs in ROLE_PERMISSIONS[role]
        status = await status_of(browser, route)
        if status >= 500 or (status == 403) is allowed or status == 405:
            wrong.append(f"{route}: {status}, {role} {'may' if allowed else 'may not'}")
    assert wrong == []
    assert await rows(database) == before  # empty forms about nothing change nothing


async def test_who_is_not_logged_in_gets_nothing_but_the_login(stranger: Browser, database: Database) -> None:
    for route in every_route():
        if route.path in OPEN:
            continue
        status = await status_of(stranger, route)
        assert status == 303, f"{route}: {status}"


async def test_no_form_is_taken_without_its_token(enter: Enter, database: Database) -> None:
    admin = await enter("admin")
    for route in every_route():
        if route.method != "GET" and route.path not in OPEN:
            for token in ("", "0" * 64, "中文"):
                assert await status_of(admin, route, csrf=token) == 403, str(route)


async def test_a_made_up_password_must_be_changed_before_anything_else(enter: Enter, database: Database) -> None:
    admin = await enter("admin")
    async with database.session() as session:
        (await session.scalars(select(User))).one().must_change_password = True
    for route in every_route():
        if route.path not in {*OPEN, "/console/password"}:
            assert await status_of(admin, route) == 303, str(route)


def test_an_auditor_can_send_no_form_but_his_own_password() -> None:
    # What is read by a form is read by one so that it is logged.
    reading = (Permission.SEE_PERSONAL, Permission.EXPORT)
    sending = [route for route in every_route() if route.method != "GET" and route.needs in ROLE_PERMISSIONS["auditor"] and route.needs not in reading]
    assert [str(route) for route in sending] == []
    assert {route.path for route in every_route() if route.method != "GET" and route.needs is None} == {*OPEN, "/console/password"}


# —— bad input ——————————————————————————————————————————————————————————


@pytest.mark.parametrize("role", ["admin", "trainer"])
async def test_no_nonsense_in_an_address_breaks_a_page(enter: Enter, database: Database, role: str) -> None:
    await evil_data(database)
    browser, wrong = await enter(role), []
    fields = [*every_field(), "page", "sort", "by", "check", "question", "answer", "contact", "q"]
    for number, route in enumerate(every_route()):
        if route.method != "GET" or (route.needs and route.needs not in ROLE_PERMISSIONS[role]):
            continue
        is_file = "." in urlsplit(route.path).path.rpartition("/")[2]
        for nasty in some(NASTY, number, 2 if is_file else 5):  # files take long to make
            for query in queries(fields[:4] if len(nasty) > 100 else fields, quote(nasty, errors="surrogatepass")):
                answer = await asyncio.wait_for(browser.client.get(URL(f"{route.path}?{query}", encoded=True), allow_redirects=False), PATIENCE)
                text = await answer.text() if answer.content_type == "text/html" else ""
                answer.close()
                if answer.status >= 500 or "<script>alert(1)" in text:
                    wrong.append(f"{route}?{query[:80]}: {answer.status}")
    assert wrong == []


def queries(names: list[str], value: str) -> list[str]:
    """All fields with the value, in as few addresses as fit the longest that the server reads."""
    found = [""]
    for name in names:
        part = f"{name}={value}"
        if len(found[-1]) + len(part) > 7000:
            found.append("")
        found[-1] += ("&" if found[-1] else "") + part
    return found


@pytest.mark.parametrize("path", ["/console/talks", "/console/tickets", "/console/tickets/board", "/console/audit", "/console/customers"])
async def test_a_search_for_fifty_thousand_characters_is_refused_or_finds_nothing(enter: Enter, path: str) -> None:
    admin = await enter("admin")
    for name in ("q", "who", "customer"):
        async with admin.client.get(f"{path}?{name}={'字' * 50_000}") as answer:
            assert answer.status in (200, 400, 414), (name, answer.status)
    await admin.get(path)  # and the next one is served


async def test_fifty_thousand_characters_in_every_field_of_every_form_break_nothing(enter: Enter, database: Database) -> None:
    data = await evil_data(database)
    admin, wrong = await enter("admin"), []
    fields = every_field()
    for number, route in enumerate(every_route(data)):
        if route.method == "GET" or route.path in {*OPEN, "/console/password"}:
            continue
        for value in ("字" * 50_000, *some((*NASTY[:7], NASTY[13], NASTY[14]), number, 2)):
            sent = {name: value.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for name in (fields[:18] if len(value) > 1500 else fields)}
            status = await status_of(admin, route, **sent)
            if status >= 500:
                wrong.append(f"{route} {value[:12]!r}: {status}")
    assert wrong == []


async def test_forged_ids_lead_nowhere(enter: Enter, database: Database) -> None:
    admin = await enter("admin")
    forged = ("0", "-1", "99999999999999999999999", "1;DROP TABLE users", "1%20OR%201=1", "%D9%A1", "1.0", "0x1", "../1", "%00", "NaN")
    for number, route in enumerate(every_route()):
        if "{id" not in route.pattern and "{case_id" not in route.pattern:
            continue
        for one in some(forged, number, 4):
            path = re.sub("999999999|0{32}", one, route.path, count=1)
            status = await status_of(admin, Route(route.method, route.pattern, path, route.needs))
            assert status in (303, 400, 404, 405), f"{route.method} {path}: {status}"


async def test_what_a_customer_or_colleague_wrote_is_text_on_every_page_and_in_every_file(enter: Enter, database: Database) -> None:
    """Follows every link from the first page on, as an administrator."""
    await evil_data(database)
    admin = await enter("admin")
    waiting, seen, files, shown = deque(["/console"]), {"/console"}, set(), 0
    while waiting and len(seen) < 600:
        path = waiting.popleft()
        async with asyncio.timeout(PATIENCE), admin.client.get(path) as answer:
            if answer.content_type == "text/event-stream":
                continue
            body = await answer.read()
            assert answer.status == 200, f"{path}: {answer.status}"
        kind = urlsplit(path).path.rpartition(".")[2]
        if answer.content_type == "text/html":
            text = body.decode()
            assert "<img src=x" not in text and "onerror=alert(1)>" not in text, path
            shown += "&lt;img src=x" in text
            for link in re.findall(r'href="([^"]+)"', text):
                there = urldefrag(link.replace("&amp;", "&")).url
                if there.startswith("/console") and _shape(there) not in seen and len(seen) < 600:
                    seen.add(_shape(there))
                    waiting.append(there)
        elif kind in ("csv", "xlsx"):
            files.add(_shape(path))
            assert formulas(body, kind) == [], path
    assert shown >= 5 and len(files) >= 4, (shown, files)  # the words were there to be seen


def _shape(path: str) -> str:
    """Pages that differ in their numbers only are one."""
    parts = urlsplit(path)
    names = sorted({pair.split("=")[0] for pair in parts.query.split("&") if pair})
    return re.sub(r"\d{2,}", "0", re.sub(r"[0-9a-f]{32}", "0", parts.path)) + "?" + "&".join(names)


def formulas(body: bytes, kind: str) -> list[str]:
    """The cells of a file that a spreadsheet would calculate; plain numbers are none."""
    if kind == "csv":
        cells = [cell for line in csv.reader(io.StringIO(body.decode("utf-8-sig"))) for cell in line]
        return [cell for cell in cells if re.match(r"[=+\-@\t\r＝＋－＠]", cell) and not re.fullmatch(r"-?\d+(\.\d+)?%?|-", cell)]
    book = load_workbook(io.BytesIO(body))
    return [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


async def evil_data(database: Database) -> dict[str, str]:
    """A customer and a colleague who write markup and formulas wherever one can; returns what leads to them."""
    answers = [("price", "不满意"), ("price.reason", FORMULA + EVIL), ("suggestions", EVIL)]
    talk = await write_talk(
        database, [Said(FORMULA + EVIL, "complain", answers=answers), Said("+86 " + EVIL, "faq")], name=EVIL, outcome="complained", reason=EVIL, at=MORNING,
        variables={"company": EVIL, "group": FORMULA, "adviser": FORMULA},
    )  # fmt: skip
    other = await write_talk(database, [Said(FORMULA)], name=FORMULA, phone="13900000000", at=MORNING)
    async with database.session() as session:
        user = User(name=FORMULA + EVIL[:20], role="agent", department=EVIL, password_hash="x", created_at=MORNING)
        session.add(user)
        await session.flush()
        ticket = Ticket(
            case_id=talk.case_id, topic="price", kind="complaint", severity=2, department=FORMULA, reason=EVIL, words=[{"text": FORMULA + EVIL}],
            solution=EVIL, due_at=MORNING, owner_id=user.id, created_at=MORNING, updated_at=MORNING,
        )  # fmt: skip
        session.add(ticket)
        line = Message(case_id=other.case_id, direction="out", text="我不知道。" + EVIL, status="sent", channel="web", channel_message_id="s1", created_at=MORNING)
        session.add(line)
        await session.flush()
        session.add(StaffMessage(message_id=line.id, user_id=user.id, forbidden=[EVIL]))
        session.add(StaffNote(case_id=talk.case_id, user_id=user.id, text=EVIL, created_at=MORNING))
        session.add(TicketEvent(ticket_id=ticket.id, user_id=user.id, kind="noted", detail={"text": EVIL}, at=MORNING))
        session.add(AuditEntry(at=MORNING, user_id=user.id, user_name=user.name, role="agent", action=EVIL, object_type=EVIL, object_id=EVIL, detail={"reason": EVIL, EVIL: EVIL}))
        session.add(InspectionSample(seed=1, wanted=1, filters={"number": 1, "unit": "count", "script": EVIL}, user_id=user.id, created_at=MORNING))
        assert await session.get(Case, talk.case_id) is not None
    return {"case_id": talk.case_id, "id": str(ticket.id)}

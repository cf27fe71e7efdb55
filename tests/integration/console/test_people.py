"""Login, sessions, forms of our own only, accounts, the audit log."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select

from followup import clock
from followup.console import accounts, sessions
from followup.console.permissions import ROLE_PERMISSIONS, Permission, Staff
from followup.store.database import Database
from followup.store.models import User
from followup.store.staff_models import AuditEntry, StaffSession
from tests.integration.console.conftest import PASSWORD, Browser, text_of

Enter = Callable[..., Awaitable[Browser]]


async def test_who_is_not_logged_in_is_sent_to_the_login_and_back(stranger: Browser, enter: Enter) -> None:
    await enter("admin")
    async with stranger.client.get("/console/people?page=2", allow_redirects=False) as answer:
        assert answer.status == 303
        login = answer.headers["Location"]
    assert login == "/console/login?next=%2Fconsole%2Fpeople%3Fpage%3D2"
    page = await stranger.get(login)
    (back,) = re.findall(r'name="next" value="([^"]+)"', page)
    async with stranger.client.post(
        "/console/login", data={"name": "admin", "password": PASSWORD, "next": back}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/console/people?page=2"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/c/abc", "\\\\evil", "javascript:alert(1)", "/console\\..\\x"])
async def test_the_login_leads_to_no_other_site(stranger: Browser, enter: Enter, elsewhere: str) -> None:
    await enter("admin")
    async with stranger.client.post(
        "/console/login", data={"name": "admin", "password": PASSWORD, "next": elsewhere}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/console"


async def test_the_cookie_is_for_the_console_only_and_out_of_reach_of_scripts(stranger: Browser, enter: Enter) -> None:
    await enter("agent")
    cookie = (await stranger.login("agent")).cookies[sessions.COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/console"


async def test_a_wrong_password_and_an_unknown_name_look_alike(stranger: Browser, enter: Enter) -> None:
    await enter("agent")
    answers = [await stranger.login("agent", "wrong"), await stranger.login("nobody", "wrong")]
    assert [answer.status for answer in answers] == [401, 401]
    seen = [text_of(await answer.text()) for answer in answers]
    assert seen[0] == seen[1] and "账号或密码不正确" in seen[0]


async def test_after_five_wrong_passwords_even_the_right_one_must_wait(stranger: Browser, enter: Enter) -> None:
    await enter("agent")
    for _ in range(5):
        await stranger.login("agent", "wrong")
    answer = await stranger.login("agent")
    assert answer.status == 429
    assert "15 分钟以后再试" in await answer.text()


async def test_the_throttle_ends_after_a_quarter_of_an_hour(database: Database, enter: Enter) -> None:
    await enter("agent")
    async with database.session() as session:
        for _ in range(5):
            await accounts.log_in(session, "agent", "wrong", "192.0.2.1", "s")
        assert (await accounts.log_in(session, "agent", PASSWORD, "192.0.2.1", "s")).wait == 15
        clock.stand_at(clock.now() + timedelta(minutes=16))
        assert (await accounts.log_in(session, "agent", PASSWORD, "192.0.2.1", "s")).user is not None


async def test_logging_in_again_ends_the_old_session(stranger: Browser, enter: Enter, database: Database) -> None:
    await enter("agent")
    await stranger.login("agent")
    old = stranger.token
    assert await stranger.post("/console/login", name="agent", password=PASSWORD) == "/console"
    assert stranger.token != old
    async with database.session() as session:
        assert await sessions.find(session, old) is None


@pytest.mark.parametrize(("after", "stands"), [(29, True), (31, False)])
async def test_a_session_ends_when_nobody_uses_it(database: Database, enter: Enter, after: int, stands: bool) -> None:
    token = (await enter("agent")).token
    async with database.session() as session:
        clock.stand_at(clock.now() + timedelta(minutes=after))
        assert (await sessions.find(session, token) is not None) is stands


async def test_a_session_ends_after_half_a_day_however_busy(database: Database, enter: Enter) -> None:
    token = (await enter("agent")).token
    begun = clock.now()
    async with database.session() as session:
        for minutes in range(20, 12 * 60, 20):
            clock.stand_at(begun + timedelta(minutes=minutes))
            assert await sessions.find(session, token) is not None
        clock.stand_at(begun + timedelta(hours=12, minutes=1))
        assert await sessions.find(session, token) is None


async def test_the_token_itself_is_nowhere_stored(database: Database, enter: Enter) -> None:
    token = (await enter("agent")).token
    async with database.session() as session:
        assert token not in (await session.scalars(select(StaffSession.token_hash))).all()


async def test_logging_out_ends_the_session(enter: Enter) -> None:
    agent = await enter("agent")
    token = agent.token
    await agent.post("/console/logout")
    async with agent.client.get("/console/password", headers={"Cookie": f"{sessions.COOKIE}={token}"}, allow_redirects=False) as answer:
        assert answer.status == 303


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_another_site_can_send_no_form(enter: Enter, headers: dict[str, str]) -> None:
    agent = await enter("agent")
    async with agent.client.post("/console/logout", data={"csrf": agent.csrf}, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("token", [None, "", "0" * 64, "中文"])
async def test_a_form_without_the_sessions_token_is_refused(enter: Enter, token: str | None) -> None:
    agent = await enter("agent")
    data = {} if token is None else {"csrf": token}
    async with agent.client.post("/console/logout", data=data, allow_redirects=False) as answer:
        assert answer.status == 403


async def test_the_first_start_makes_one_administrator_who_must_change_the_password(stranger: Browser, database: Database) -> None:
    async with database.session() as session:
        password = await accounts.first_admin(session)
    assert password is not None
    async with database.session() as session:
        assert await accounts.first_admin(session) is None
    assert (await stranger.login(accounts.FIRST_ADMIN, password)).status == 303
    async with stranger.client.get("/console/people", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/console/password"
    await stranger.post("/console/password", old=password, new=PASSWORD, again=PASSWORD)
    assert "新建账号" in await stranger.get("/console/people")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"old": "wrong", "new": "another long one", "again": "another long one"}, "原密码不正确"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "密码太短"),
        ({"old": PASSWORD, "new": "another long one", "again": "another lung one"}, "不一致"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "不能和原密码相同"),
    ],
)
async def test_a_password_that_will_not_do_is_told_why(enter: Enter, fields: dict[str, str], text: str) -> None:
    assert text in await (await enter("agent")).post("/console/password", status=400, **fields)


async def test_changing_the_password_ends_the_other_sessions(enter: Enter, stranger: Browser) -> None:
    agent = await enter("agent")
    await stranger.login("agent")
    await agent.post("/console/password", old=PASSWORD, new="another long one", again="another long one")
    await agent.get("/console/password")
    await stranger.get("/console/password", status=303)


async def test_an_administrator_adds_somebody_who_can_log_in(enter: Enter, stranger: Browser) -> None:
    admin = await enter("admin")
    page = await admin.post("/console/people", status=200, name="坐席甲", role="agent", department="客户服务部")
    (password,) = re.findall(r"<code>([^<]+)</code>", page)
    assert (await stranger.login("坐席甲", password)).status == 303


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": " ", "role": "agent"}, "1 到 40 个字"),
        ({"name": "admin", "role": "agent"}, "已经有人使用"),
        ({"name": "坐席乙", "role": "king"}, "请选择角色"),
    ],
)
async def test_an_account_that_cannot_be_is_told_why(enter: Enter, fields: dict[str, str], text: str) -> None:
    assert text in await (await enter("admin")).post("/console/people", status=400, **fields)


async def test_a_disabled_account_is_out_at_once(enter: Enter) -> None:
    admin, agent = await enter("admin"), await enter("agent")
    await admin.post(f"/console/people/{agent.user_id}", do="disable")
    await agent.get("/console/password", status=303)
    assert (await agent.login("agent")).status == 401


async def test_nobody_locks_himself_out(enter: Enter) -> None:
    admin = await enter("admin")
    assert "不能停用自己" in await admin.post(f"/console/people/{admin.user_id}", status=400, do="disable")


async def test_a_new_role_counts_at_once(enter: Enter) -> None:
    admin, agent = await enter("admin"), await enter("agent")
    await agent.get("/console/audit", status=403)
    await admin.post(f"/console/people/{agent.user_id}", role="auditor", department="")
    await agent.get("/console/audit")


@pytest.mark.parametrize("role", ["supervisor", "agent", "trainer", "auditor"])
async def test_only_administrators_manage_accounts(enter: Enter, role: str) -> None:
    somebody = await enter(role)
    await somebody.get("/console/people", status=403)
    await somebody.post("/console/people", status=403, name="甲", role="admin")


async def test_what_is_done_is_in_the_log(enter: Enter, database: Database) -> None:
    admin = await enter("admin")
    await admin.post("/console/people", status=200, name="坐席甲", role="agent")
    text = text_of(await admin.get("/console/audit"))
    assert "新建账号" in text and "坐席甲" in text and "登录" in text
    async with database.session() as session:
        actions = (await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))).all()
    assert actions == ["login.ok", "user.create"]


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"])
async def test_the_log_can_be_neither_changed_nor_emptied(enter: Enter, database_url: str, statement: str) -> None:
    await enter("admin")
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.RaiseException, match="only grows"):
        connection.execute(statement)


async def test_the_password_is_stored_as_argon2id(enter: Enter, database: Database) -> None:
    await enter("agent")
    async with database.session() as session:
        assert (await session.scalars(select(User.password_hash))).one().startswith("$argon2id$")


def test_an_auditor_changes_nothing() -> None:
    reading = {p for p in Permission if p.startswith("read_")} | {Permission.SEE_PERSONAL, Permission.EXPORT}
    assert ROLE_PERMISSIONS["auditor"] <= reading


def test_an_unknown_role_may_nothing() -> None:
    assert not any(Staff(1, "甲", "king", "").may(permission) for permission in Permission)


def test_every_page_says_who_may_see_it() -> None:
    from followup.console.app import all_routes

    assert all(hasattr(route.handler, "needs") for route in all_routes())


async def test_errors_of_the_console_are_pages_in_chinese(enter: Enter) -> None:
    agent = await enter("agent")
    assert "没有" in text_of(await agent.get("/console/nowhere", status=404))
    assert "权限" in text_of(await agent.get("/console/people", status=403))

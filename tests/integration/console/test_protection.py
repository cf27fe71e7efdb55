"""What protects every answer of every route, read off the routers: headers, cookies, tokens that are guessed, replayed or carried over."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import func, select, text
from yarl import URL

from followup.api.app import document
from followup.console import sessions
from followup.settings import Settings
from followup.store.database import Database
from followup.store.models import Message
from followup.store.staff_models import LoginAttempt
from followup.web.app import make_app
from followup.web.session import COOKIE as CUSTOMER_COOKIE
from tests.integration.console.conftest import PASSWORD, Browser
from tests.integration.console.every_route import every_route
from tests.integration.web.web_talk import make_talk

Enter = Callable[..., Awaitable[Browser]]
PUBLIC = sorted({re.sub(r"\{\w+\}", "x", path) for path in document()["paths"]})
SITE = "https://www.example.com"
PATIENCE = 120


def missing(answer: ClientResponse, *, https: bool = False) -> list[str]:
    """What of the protection an answer lacks."""
    headers, found = answer.headers, []
    wanted = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"}
    found += [name for name, value in wanted.items() if headers.get(name) != value]
    found += [name for name in ("Permissions-Policy", "Cross-Origin-Resource-Policy", "Cache-Control") if name not in headers]
    policy = dict(part.strip().partition(" ")[::2] for part in headers.get("Content-Security-Policy", "").split(";"))
    if policy.get("default-src") != "'none'" or policy.get("script-src") != "'self'" or policy.get("base-uri") != "'none'" or "unsafe" in str(policy):
        found.append(f"Content-Security-Policy: {policy}")
    staff = answer.url.path.startswith("/console")
    if policy.get("frame-ancestors") != ("'self'" if staff else f"'self' {SITE}"):
        found.append(f"frame-ancestors {policy.get('frame-ancestors')}")
    if "Server" in headers or "X-Powered-By" in headers:
        found.append("Server")
    if ("Strict-Transport-Security" in headers) is not https:
        found.append("Strict-Transport-Security")
    for name, cookie in SimpleCookie("; ".join(headers.getall("Set-Cookie", []))).items():
        if not cookie["httponly"] or cookie["samesite"] not in ("Lax", "Strict") or bool(cookie["secure"]) is not https:
            found.append(f"cookie {name}")
    if staff and answer.status == 200 and answer.content_type == "text/html" and "no-store" not in headers["Cache-Control"]:
        found.append("kept by the browser")
    return found


def active(page: str) -> list[str]:
    """Scripts, styles and handlers that stand in a page itself, which the policy would forbid."""
    return re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", page) + re.findall(r"<style|<[a-z]+[^>]*\son[a-z]+=|\bhref=[\"']javascript:", page)


@pytest.fixture
def settings(database_url: str, tmp_path) -> Settings:
    return Settings(home=tmp_path, database_url=database_url, secret="t" * 40, embed_origins=(SITE,))


async def test_no_public_answer_lacks_its_protection(stranger: Browser) -> None:
    wrong = {}
    for path in (*PUBLIC, "/nowhere", "/console/nowhere", "/api/v1/nowhere"):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            async with stranger.client.request(method, path, allow_redirects=False) as answer:
                page = await answer.text() if answer.content_type == "text/html" else ""
                if found := [*missing(answer), *active(page)]:
                    wrong[f"{method} {path} {answer.status}"] = found
    assert wrong == {}


async def test_no_page_of_the_console_lacks_its_protection(enter: Enter) -> None:
    admin, wrong = await enter("admin"), {}
    for route in every_route():
        if route.path in ("/console/login", "/console/logout"):
            continue
        request = admin.client.request(route.method, route.path, data={"csrf": admin.csrf} if route.method == "POST" else None, allow_redirects=False)
        answer = await asyncio.wait_for(request, PATIENCE)
        page = await answer.text() if answer.content_type == "text/html" else ""
        answer.close()
        if found := [*missing(answer), *active(page)]:
            wrong[str(route)] = found
    assert wrong == {}


async def test_the_streams_and_the_talk_are_protected_too(stranger: Browser, enter: Enter, database: Database) -> None:
    talk, client = await make_talk(database), stranger.client
    for method, path in (("GET", f"/c/{talk.token}"), ("POST", f"/c/{talk.token}/start"), ("GET", "/chat"), ("GET", "/chat/history"), ("GET", "/chat/events"), ("GET", "/ask")):
        answer = await client.request(method, path, allow_redirects=False)
        assert answer.status in (200, 303) and missing(answer) == [], path
        assert answer.content_type != "text/html" or active(await answer.text()) == [], path
        answer.close()


async def test_over_https_cookies_stay_on_https_and_browsers_come_back_by_it(settings: Settings, database: Database, enter: Enter) -> None:
    await enter("agent")
    talk = await make_talk(database)
    async with TestClient(TestServer(make_app(replace(settings, public_url="https://followup.example")))) as client:
        for path, form, name in ((f"/c/{talk.token}/start", {}, CUSTOMER_COOKIE), ("/console/login", {"name": "agent", "password": PASSWORD}, sessions.COOKIE)):
            async with client.post(path, data=form, allow_redirects=False) as answer:
                assert answer.status == 303 and name in answer.headers["Set-Cookie"] and missing(answer, https=True) == []


# —— tokens —————————————————————————————————————————————————————————————————


async def test_guesses_and_spoiled_links_open_nothing(stranger: Browser, database: Database) -> None:
    token = (await make_talk(database)).token
    swapped = [token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :] for at in range(0, len(token), 3)]
    for guess in (*swapped, token[:-1], token + "a", token.swapcase(), f"{token}%00", f"%20{token}", token[::-1], "0", "x" * 300, "%27%20OR%201=1", f"{token}/../{token}x"):
        for method, path in (("GET", f"/c/{guess}"), ("POST", f"/c/{guess}/start")):
            async with stranger.client.request(method, URL(path, encoded=True), allow_redirects=False) as answer:
                assert answer.status in (404, 405) and "Set-Cookie" not in answer.headers, guess
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(Message)) == 0


async def test_a_session_of_staff_is_not_one_the_browser_brought_along(stranger: Browser, enter: Enter) -> None:
    """Fixation: whoever put a cookie there before the login knows nothing afterwards."""
    await enter("agent")
    planted = "planted-by-somebody-else-000000000000000000"
    stranger.client.session.cookie_jar.update_cookies({sessions.COOKIE: planted}, stranger.client.make_url("/console"))
    assert (await stranger.login("agent")).status == 303
    assert stranger.token not in ("", planted)
    async with TestClient(stranger.client.server) as other:
        async with other.get("/console/talks", headers={"Cookie": f"{sessions.COOKIE}={planted}"}, allow_redirects=False) as answer:
            assert answer.status == 303


async def test_a_cookie_that_was_copied_is_worth_nothing_after_the_logout(stranger: Browser, enter: Enter) -> None:
    agent = await enter("agent")
    copied, csrf = agent.token, agent.csrf
    await agent.post("/console/logout")
    headers = {"Cookie": f"{sessions.COOKIE}={copied}"}
    for method, path in (("GET", "/console/talks"), ("POST", "/console/password")):
        async with stranger.client.request(method, path, data={"csrf": csrf} if method == "POST" else None, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 303 and answer.headers["Location"].startswith("/console/login")


async def test_a_reset_password_ends_every_session_of_its_owner(enter: Enter) -> None:
    admin, agent = await enter("admin"), await enter("agent")
    await admin.post(f"/console/people/{agent.user_id}", status=200, do="reset")
    await agent.get("/console/talks", status=303)


async def test_a_form_token_is_good_in_its_own_session_only(enter: Enter) -> None:
    admin, agent = await enter("admin"), await enter("agent")
    stolen = agent.csrf
    before = admin.csrf
    async with admin.client.post("/console/people", data={"csrf": stolen, "name": "某人", "role": "admin"}, allow_redirects=False) as answer:
        assert answer.status == 403
    await admin.post("/console/logout")
    assert (await admin.login("admin")).status == 303
    async with admin.client.post("/console/people", data={"csrf": before, "name": "某人", "role": "admin"}, allow_redirects=False) as answer:
        assert answer.status == 403  # also not the one of the session before


async def test_neither_a_customers_cookie_nor_an_address_opens_the_console(stranger: Browser, enter: Enter, database: Database) -> None:
    admin, talk = await enter("admin"), await make_talk(database)
    async with stranger.client.post(f"/c/{talk.token}/start", allow_redirects=False) as started:
        cookie = started.cookies[CUSTOMER_COOKIE].value
    for headers, query in (({"Cookie": f"{sessions.COOKIE}={cookie}"}, ""), ({"Authorization": f"Bearer {admin.token}"}, ""), ({}, f"?{sessions.COOKIE}={admin.token}")):
        async with stranger.client.get(f"/console/talks{query}", headers=headers, allow_redirects=False) as answer:
            assert answer.status == 303
    stranger.client.session.cookie_jar.clear()
    async with stranger.client.get("/chat/history", headers={"Cookie": f"{CUSTOMER_COOKIE}={admin.token}"}) as answer:
        assert answer.status == 401


async def test_of_many_wrong_passwords_at_once_five_are_checked(stranger: Browser, enter: Enter, database: Database) -> None:
    await enter("agent")
    answers = await asyncio.gather(*(stranger.login("agent", f"wrong {number}") for number in range(25)))
    assert sorted(answer.status for answer in answers) == [401] * 5 + [429] * 20
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(LoginAttempt)) == 5


async def test_behind_a_proxy_one_persons_failures_do_not_lock_the_others_out(settings: Settings, enter: Enter, database: Database) -> None:
    await enter("agent")
    async with TestClient(TestServer(make_app(replace(settings, proxies=1)))) as client:
        for number in range(55):
            await client.post("/console/login", data={"name": f"nobody {number}", "password": "x"}, headers={"X-Forwarded-For": "192.0.2.1"})
        async with database.session() as session:
            assert await session.scalar(text("SELECT count(*) FROM login_attempts")) == 50
        form = {"name": "agent", "password": PASSWORD}
        async with client.post("/console/login", data=form, headers={"X-Forwarded-For": "192.0.2.1"}, allow_redirects=False) as answer:
            assert answer.status == 429
        async with client.post("/console/login", data=form, headers={"X-Forwarded-For": "192.0.2.2"}, allow_redirects=False) as answer:
            assert answer.status == 303

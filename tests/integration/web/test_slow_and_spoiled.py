"""Requests that do not come whole, too large, too slow, or under another name: told so, holding nothing, logged as nobody's failure."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest
from aiohttp.test_utils import TestClient, TestServer

from followup.store.database import Database
from followup.web import bodies

POSTS = ("/s", "/chat/messages", "/api/v1/contacts", "/console/login")


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING)
    return caplog


async def raw(server: TestServer, request: bytes) -> bytes:
    """The whole answer to bytes that are sent as they are; the connection is left open for more."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: x", *lines, "", "")).encode()


@pytest.mark.parametrize("path", ("/s", "/console/login"))
async def test_a_body_that_does_not_come_is_given_up(server: TestServer, monkeypatch: pytest.MonkeyPatch, quiet: pytest.LogCaptureFixture, path: str) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(bodies, "SLOWEST", 2**40)
    answer = await raw(server, head(path, "Content-Type: application/x-www-form-urlencoded", "Content-Length: 5000") + b"code=")
    assert answer.startswith(b"HTTP/1.1 408 ") and "内容没有传完整" in answer.decode()
    assert [record for record in quiet.records if record.levelno >= logging.ERROR] == []


async def test_a_message_that_does_not_come_is_told_so_in_json(server: TestServer, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(bodies, "SLOWEST", 2**40)
    (cookie,) = client.session.cookie_jar
    answer = await raw(server, head("/chat/messages", f"Cookie: {cookie.key}={cookie.value}", "Content-Length: 5000") + b'{"text":')
    assert answer.startswith(b"HTTP/1.1 408 ") and b"application/json" in answer


async def test_whoever_may_send_a_large_body_has_time_for_it(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size a request may have is known late; the time for it counts from then on."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.0)
    monkeypatch.setattr(bodies, "SLOWEST", 128)  # more than a quarter of an hour for the usual size
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(head("/s", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 9", "Connection: close"))
    await writer.drain()
    for byte in b"code=ABCD":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
    writer.close()


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_is_not_packed_as_it_says_is_refused(visitor: TestClient, quiet: pytest.LogCaptureFixture, path: str) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    async with visitor.post(path, data=b"code=ABCDEFGH", headers=headers) as answer:
        assert answer.status in (400, 401)
    assert [record.getMessage() for record in quiet.records if record.name.startswith("followup") and record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=no-such", "multipart/form-data", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("path", ("/s", "/console/login"))
async def test_a_form_that_is_none_is_refused(visitor: TestClient, path: str, kind: str) -> None:
    async with visitor.post(path, data=b"code=\xff\xfe%ff", headers={"Content-Type": kind}) as answer:
        assert answer.status in (400, 401, 404), await answer.text()
        assert answer.content_type == "text/html"


@pytest.mark.parametrize("path", ("/s", "/chat/messages", "/console/login", "/u/x", "/ask", "/sms/aliyun/x", "/wechat/x", "/wecom/x", "/api/v1/contacts"))
async def test_no_more_is_read_than_anybody_may_send(visitor: TestClient, path: str) -> None:
    async with visitor.post(path, data=b"x=" + b"y" * 200_000, headers={"Content-Type": "application/x-www-form-urlencoded"}, allow_redirects=False) as answer:
        assert answer.status in (303, 401, 404, 413)


@pytest.mark.parametrize("lines", [(f"X-Long: {'a' * 9000}",), tuple(f"X-{n}: 1" for n in range(300)), ("Transfer-Encoding: chunked", "Content-Length: 3"), ("Content-Length: 1", "Content-Length: 2"), ("Content-Length: -1",), ("X Y: 1",), ("X: a\x01b",)])
async def test_headers_beyond_measure_or_of_two_meanings_are_refused(server: TestServer, lines: tuple[str, ...]) -> None:
    answer = await raw(server, head("/s", *lines))
    assert re.match(rb"HTTP/1\.[01] 400 ", answer), answer[:200]
    assert b"Traceback" not in answer


async def test_a_line_that_is_too_long_is_refused(server: TestServer) -> None:
    assert re.match(rb"HTTP/1\.[01] 400 ", await raw(server, b"GET /s?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"))


async def test_no_page_repeats_the_name_it_was_asked_by(visitor: TestClient, talk, database: Database) -> None:
    """Links are made of FOLLOWUP_PUBLIC_URL; a proxy's cache could keep what a forged Host made."""
    for path in (f"/c/{talk.token}", "/s", "/ask", "/console/login", "/openapi.json", "/nowhere"):
        for header in ("Host", "X-Forwarded-Host", "Forwarded"):
            async with visitor.get(path, headers={header: "evil.example"}, allow_redirects=False) as answer:
                assert "evil.example" not in await answer.text() + str(answer.headers), (path, header)
    async with visitor.post(f"/c/{talk.token}/start", headers={"Host": "evil.example"}, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/chat"


@pytest.mark.parametrize("origin", ["http://[::1", "https://evil.example", "//", "x" * 3000, "http://127.0.0.1.evil.example"])
async def test_an_origin_that_is_none_of_ours_is_refused_whatever_it_is(visitor: TestClient, origin: str) -> None:
    for path in ("/ask", "/s", "/console/login"):
        async with visitor.post(path, headers={"Origin": origin}, allow_redirects=False) as answer:
            assert answer.status in (302, 303, 403), (path, answer.status)


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "..%252fapp.py", "%2e%2e/app.py", "....//app.py", "..\\app.py", "..%5capp.py", "css/../../app.py", "/etc/passwd", "%2fetc%2fpasswd", "css%00.css", "%c0%ae%c0%ae/app.py", "a" * 3000, "vendor/.installed", ".", ""])
async def test_no_way_leads_out_of_the_folder_of_files(server: TestServer, path: str) -> None:
    answer = await raw(server, f"GET /static/x/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert re.match(rb"HTTP/1.1 (400|404) ", answer), answer[:200]
    assert b"make_app" not in answer and b"root:" not in answer

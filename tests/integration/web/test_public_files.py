import asyncio
import logging

from aiohttp.test_utils import TestClient, TestServer

from followup.web.app import make_app
from followup.web.assets import ensure_assets
from followup.web.keys import STATIC
from followup.web.security import DiscreetAccessLogger


async def test_health_is_no_before_rasa_answers_and_names_every_part(visitor):
    answer = await visitor.get("/healthz")
    data = await answer.json()
    assert answer.status == 503
    assert data["status"] == "unavailable"
    assert data["parts"]["database"] == "ok"
    assert data["parts"]["worker"] == "no worker is alive"
    assert set(data["parts"]) == {"database", "rasa", "actions", "worker"}


async def test_versioned_files_are_kept_for_good_and_others_are_asked_for_again(visitor, server):
    path = server.app[STATIC].url("css/base.css")
    assert "immutable" in (await visitor.get(path)).headers["Cache-Control"]
    assert (await visitor.get("/static/old/css/base.css")).headers["Cache-Control"] == "no-cache"


async def test_nothing_outside_the_folder_is_served(visitor):
    for path in ("..%2f..%2fapp.py", "%2e%2e/%2e%2e/app.py", "vendor/.installed", "css"):
        assert (await visitor.get(f"/static/x/{path}")).status == 404


async def test_robots_are_asked_to_stay_away(visitor):
    assert "Disallow: /" in await (await visitor.get("/robots.txt")).text()


async def test_the_icon_and_the_widget_are_there(visitor):
    assert (await visitor.get("/favicon.ico")).content_type == "image/svg+xml"
    widget = await visitor.get("/widget.js")
    assert "javascript" in widget.content_type
    assert widget.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_only_named_sites_may_embed_the_chat(settings, talk):
    from dataclasses import replace

    app = make_app(replace(settings, embed_origins=("https://www.example.com",)))
    async with TestClient(TestServer(app)) as client:
        policy = (await client.get(f"/c/{talk.token}")).headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self' https://www.example.com")


async def test_the_access_log_holds_neither_tokens_nor_words(settings, talk, caplog):
    caplog.set_level(logging.DEBUG)
    server = TestServer(make_app(settings))
    await server.start_server(access_log_class=DiscreetAccessLogger)
    async with TestClient(server) as client:
        await client.get(f"/c/{talk.token}?x=秘密")
        await client.post(f"/c/{talk.token}/start")
        await client.post("/chat/messages", json={"client_msg_id": "a" * 36, "text": "我的秘密"})
        await client.get(f"/c/{talk.token}/nowhere")
    assert "/c/{token}" in caplog.text
    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith(("aiohttp", "followup")))
    assert talk.token not in logged and "秘密" not in logged


async def test_large_scripts_are_sent_packed(visitor, server):
    ensure_assets(print)
    answer = await visitor.get(server.app[STATIC].url("vendor/deep-chat/deepChat.bundle.js"))
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < 150_000


async def test_a_request_that_is_no_http_does_not_break_the_log(settings, caplog):
    caplog.set_level(logging.INFO)
    server = TestServer(make_app(settings))
    await server.start_server(access_log_class=DiscreetAccessLogger)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"GET /c/token\x00 HTTP/9.9\r\nX:\x01\r\n\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()
    await server.close()
    assert "(no route) 400" in caplog.text
    assert "Unhandled exception" not in caplog.text

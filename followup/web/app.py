"""Puts the web application together: routes, parts, and what runs beside the requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import aiohttp_jinja2
import jinja2
from aiohttp import web

from followup.api.app import add_api
from followup.channels.wechat.book import Book
from followup.console.app import add_console
from followup.settings import Settings
from followup.store.database import Database
from followup.store.published import watched
from followup.web import bodies, chat, enquiry, events, landing, opt_out, short_code, sms_reports
from followup.web.compiled import COMPILED
from followup.web.fanout import Fanout
from followup.web.health import Health, checks_for
from followup.web.keys import CODES, DATABASE, ENQUIRIES, FANOUT, HEALTH, LIMITER, SESSIONS, SETTINGS, STATIC, WECHAT
from followup.web.limits import CodeLimiter, EnquiryLimiter, TalkLimiter
from followup.web.metrics import METRICS, Metrics, counted, metrics
from followup.web.security import add_headers, friendly_errors, json_answer
from followup.web.session import Sessions
from followup.web.static import StaticFiles
from followup.web.wechat import add_wechat
from followup.web.wechat_login import add_wechat_login
from followup.web.wecom import add_wecom

TEMPLATES = Path(__file__).with_name("templates")


def make_app(settings: Settings) -> web.Application:
    """The application for these settings, which must name a database."""
    if settings.database_url is None:
        raise ValueError("settings without a database URL")
    app = web.Application(middlewares=[counted, friendly_errors, bodies.in_time], client_max_size=chat.MAX_BODY_BYTES)
    app[SETTINGS] = settings
    app[METRICS] = Metrics()
    app[STATIC] = StaticFiles()
    app[LIMITER] = TalkLimiter()
    app[ENQUIRIES] = EnquiryLimiter()
    app[CODES] = CodeLimiter(settings.signing_secret())
    app[SESSIONS] = Sessions(
        settings.signing_secret(),
        secure=settings.public_url.startswith("https://"),
        embeddable=bool(settings.embed_origins),
    )
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(TEMPLATES),
        bytecode_cache=COMPILED,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals["static"] = app[STATIC].url
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_streams)
    app.cleanup_ctx.extend([_database, _fanout, _health])
    _add_routes(app)
    add_wechat(app)
    add_wechat_login(app)
    add_wecom(app)
    add_api(app)
    add_console(app)
    return app


def _add_routes(app: web.Application) -> None:
    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/metrics", metrics),
            web.get("/c/{token}", landing.landing),
            web.post("/c/{token}/start", landing.start),
            web.get("/s", short_code.page),
            web.post("/s", short_code.start),
            web.get("/u/{token}", opt_out.page),
            web.post("/u/{token}", opt_out.stop),
            web.post("/sms/{provider:aliyun|tencent}/{secret}", sms_reports.receive_reports),
            web.get("/ask", enquiry.page),
            web.post("/ask", enquiry.start),
            web.get("/chat", chat.page),
            web.post("/chat/messages", chat.post_message),
            web.get("/chat/history", chat.history),
            web.get("/chat/events", events.events, allow_head=False),
            web.get("/widget.js", widget),
            web.get("/robots.txt", robots),
            web.get("/favicon.ico", favicon),
            web.get("/static/{version}/{path:.+}", app[STATIC].serve),
        ]
    )


async def healthz(request: web.Request) -> web.Response:
    """200 only when a talk can really be held; `parts` says what is wrong."""
    report = await request.app[HEALTH].report()
    body = {"status": "ok" if report.ok else "unavailable", "parts": report.parts}
    return json_answer(body, status=200 if report.ok else 503)


async def widget(request: web.Request) -> web.StreamResponse:
    files = request.app[STATIC]
    return files.respond(files.root / "js" / "widget.js", "public, max-age=300")


async def favicon(request: web.Request) -> web.StreamResponse:
    files = request.app[STATIC]
    return files.respond(files.root / "favicon.svg", "public, max-age=86400")


async def robots(request: web.Request) -> web.Response:
    return web.Response(text="User-agent: *\nDisallow: /\n", headers={"Cache-Control": "public, max-age=86400"})


async def _database(app: web.Application) -> AsyncIterator[None]:
    app[DATABASE] = Database(app[SETTINGS].database_url or "")
    app[WECHAT] = Book(app[SETTINGS].wechat, app[DATABASE], app[SETTINGS].signing_secret())
    async with watched(app[DATABASE]):
        yield
    await app[DATABASE].close()


async def _fanout(app: web.Application) -> AsyncIterator[None]:
    app[events.CLOSING] = asyncio.Event()
    app[FANOUT] = Fanout(app[DATABASE].url)
    task = asyncio.create_task(app[FANOUT].run(), name="listen for news")
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _health(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as client:
        app[HEALTH] = Health(checks_for(app[SETTINGS], app[DATABASE], client))
        yield


async def _end_streams(app: web.Application) -> None:
    # Before the connections are closed: a stream that ends by itself makes its page reconnect at once.
    app[events.CLOSING].set()
    app[FANOUT].ring_all()

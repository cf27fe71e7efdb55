"""Puts the console together: a sub-application with sessions, CSRF tokens and one list of areas."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

import aiohttp_jinja2
import jinja2
from aiohttp import web

from followup.console import sessions
from followup.console.campaigns import pages as campaigns
from followup.console.campaigns.check import keep_trials
from followup.console.contacts import pages as contacts
from followup.console.customers import pages as customers
from followup.console.customers.imports import LARGEST_FILE
from followup.console.figures import pages as figures
from followup.console.labels import label, labels
from followup.console.live import pages as live
from followup.console.models import pages as models
from followup.console.navigation import areas_of
from followup.console.parts import database, page, see
from followup.console.people import pages as people
from followup.console.permissions import open_to_all_staff
from followup.console.quality import pages as quality
from followup.console.scripts import pages as scripts
from followup.console.show import FILTERS
from followup.console.tickets import pages as tickets
from followup.console.training import pages as training
from followup.console.training.exchange_pages import LARGEST_FILE as LARGEST_EXAMPLES
from followup.console.transcripts import pages as transcripts
from followup.console.wechat import pages as wechat
from followup.contacts.table import LARGEST_FILE as LARGEST_CUSTOMER_FILE
from followup.web.bodies import form
from followup.web.compiled import COMPILED
from followup.web.keys import STATIC
from followup.web.security import is_from_our_page

PREFIX = "/console"
TEMPLATES = Path(__file__).with_name("templates")
_WITHOUT_LOGIN = ("/console/login",)
_WITH_FILES = {"/console/customers/blocks/import": LARGEST_FILE, "/console/contacts/import": LARGEST_CUSTOMER_FILE, "/console/training/import": LARGEST_EXAMPLES, "/console/training/import/take": LARGEST_EXAMPLES}
_WITH_OLD_PASSWORD = ("/console/password", "/console/logout")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


_ROUTES = (transcripts.routes, live.routes, tickets.routes, customers.routes, contacts.routes, campaigns.routes, quality.routes, figures.routes, training.routes, models.routes, scripts.routes, wechat.routes, people.routes,)


def all_routes() -> list[web.RouteDef]:
    """Every route of every area, below /console."""
    return [web.get("", home), web.get("/", home), *(route for area in _ROUTES for route in area)]


def add_console(app: web.Application) -> None:
    """Hang the console into the public web application."""
    console = web.Application(middlewares=[_logged_in, _errors_as_pages, _own_forms_only], client_max_size=app._client_max_size)
    console.cleanup_ctx.append(keep_trials)
    environment = aiohttp_jinja2.setup(
        console,
        loader=jinja2.FileSystemLoader([TEMPLATES, Path(__file__).parents[1] / "web" / "templates"]),
        bytecode_cache=COMPILED,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        filters={**FILTERS, "label": label},
    )
    environment.globals["static"] = app[STATIC].url
    environment.globals["labels"] = labels()
    console.add_routes(all_routes())
    app.add_subapp(PREFIX, console)


@open_to_all_staff
async def home(request: web.Request) -> web.Response:
    """GET /console: to the first area that the person may use."""
    areas = areas_of(request["staff"])
    return see(areas[0].path if areas else "/console/password")


@web.middleware
async def _logged_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """`request["staff"]` for every page but the login; who is not logged in is sent there and comes back afterwards."""
    async with database(request).session() as session:
        found = await sessions.find(session, request.cookies.get(sessions.COOKIE, ""))
    if found is not None:
        request["staff"], request["staff_session"] = found.staff, found
    elif request.path not in _WITHOUT_LOGIN:
        return _to_login(request)
    if found is not None and found.staff.must_change_password and request.path not in _WITH_OLD_PASSWORD:
        return _elsewhere(request, "/console/password")
    return await handler(request)


@web.middleware
async def _errors_as_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What was not found or is not allowed is said on a page of the console, with the way back."""
    try:
        return await handler(request)
    except (web.HTTPForbidden, web.HTTPNotFound) as error:
        title, hint = labels()["errors"][str(error.status)].split("|")
        return page(request, "error.html", status=error.status, title=title, hint=hint)


@web.middleware
async def _own_forms_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nothing is changed at another site's wish: the page it came from, and the session's own token, must be ours."""
    if request.method in ("GET", "HEAD"):
        return await handler(request)
    if not is_from_our_page(request):
        raise web.HTTPForbidden
    if request.path in _WITH_FILES:
        request._client_max_size = _WITH_FILES[request.path] + 64 * 1024  # the only way to let one form be larger than the others
    fields = await form(request)
    if "staff" in request:
        sent = request.headers.get("X-CSRF-Token") or fields.get("csrf", "")
        wanted = sessions.csrf_token(request["staff_session"].token)
        if not isinstance(sent, str) or not hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), wanted.encode()):
            raise web.HTTPForbidden
    return await handler(request)


def _to_login(request: web.Request) -> web.StreamResponse:
    back = request.path_qs if request.method == "GET" and "HX-Request" not in request.headers else PREFIX
    return _elsewhere(request, f"/console/login?next={quote(back, safe='')}")


def _elsewhere(request: web.Request, path: str) -> web.StreamResponse:
    """A redirect; htmx, which would put the other page into a part of this one, is told to go there itself."""
    if "HX-Request" in request.headers:
        return web.Response(status=204, headers={"HX-Redirect": path})
    return web.Response(status=303, headers={"Location": path})

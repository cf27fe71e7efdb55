"""What every request and every answer goes through: headers, the origin check, errors without leaks, a discreet log."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from followup.settings import Settings
from followup.supervise.discreet_logging import frames
from followup.web import bodies
from followup.web.keys import SETTINGS
from followup.web.wording import load_wording

_log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# deep-chat makes its styles with constructable sheets and element.style, which need no 'unsafe-inline'.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
_EMBEDDABLE_BY_ALL = ("/widget.js",)
_FOR_STAFF = "/console"
_ONE_YEAR = 365 * 24 * 3600


def content_policy(settings: Settings, path: str = "/") -> str:
    """For a page of customers, which named sites may show in a frame, or of staff, which none may."""
    sites = () if path == _FOR_STAFF or path.startswith(f"{_FOR_STAFF}/") else settings.embed_origins
    return _CSP.format(ancestors=" ".join(("'self'", *sites)))


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal on_response_prepare: covers pages, files, streams and errors."""
    headers, settings = response.headers, request.config_dict[SETTINGS]
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Content-Security-Policy", content_policy(settings, request.path))
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if settings.public_url.startswith("https://"):
        headers.setdefault("Strict-Transport-Security", f"max-age={_ONE_YEAR}")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    shared = "cross-origin" if request.path in _EMBEDDABLE_BY_ALL else "same-origin"
    headers.setdefault("Cross-Origin-Resource-Policy", shared)
    headers.setdefault("Cache-Control", "no-store")
    headers.popall("Server", None)


def is_embedded(request: web.Request) -> bool:
    """Whether the page is shown in a frame of another site."""
    return request.query.get("embed") == "1"


def is_from_our_page(request: web.Request) -> bool:
    """Whether a browser sent this from one of our own pages (or it was no browser at all).

    Sec-Fetch-Site cannot be forged by a page. Older browsers send Origin with every POST; our pages set no-referrer,
    so that their forms say `Origin: null`, which is why null is left to the token or cookie to judge.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None or origin == "null":
        return True
    ours = {request.host, urlsplit(request.config_dict[SETTINGS].public_url).netloc}
    try:
        return urlsplit(origin).netloc in ours
    except ValueError:  # no address at all
        return False


def address_of(request: web.Request) -> str:
    """Where the request comes from: the caller's own address, or what the named number of proxies in front says."""
    proxies = request.config_dict[SETTINGS].proxies
    passed = [part.strip() for line in request.headers.getall("X-Forwarded-For", []) for part in line.split(",")]
    if proxies and len(passed) >= proxies:
        return passed[-proxies]
    return request.remote or ""


def wants_json(request: web.Request) -> bool:
    return request.path.startswith("/chat/") or request.path == "/healthz"


def json_error(status: int, message: str, **headers: str) -> web.Response:
    return web.json_response({"error": message}, status=status, headers=headers, dumps=_dumps)


def json_answer(data: object, status: int = 200) -> web.Response:
    return web.json_response(data, status=status, dumps=_dumps)


def notice(request: web.Request, page: str, status: int, *, link: dict[str, str] | None = None) -> web.Response:
    """A page that says why there is nothing to see."""
    words = load_wording().pages[page]
    return aiohttp_jinja2.render_template(
        "notice.html", request, {"title": words.title, "lines": words.lines, "link": link}, status=status
    )


@web.middleware
async def friendly_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error is an answer in Chinese; what went wrong is logged without what the customer said."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        if wants_json(request):
            return json_error(413, load_wording().error("too_long", limit=2000))
        return notice(request, "too_large", 413)
    except web.RequestPayloadError as error:
        status = bodies.status_of(error)
        return bodies.hang_up(request, json_error(status, load_wording().error("cut_off")) if wants_json(request) else notice(request, "cut_off", status))
    except web.HTTPError as error:
        if wants_json(request):
            return json_error(error.status, load_wording().pages["not_found"].title)
        page = "cut_off" if error.status == 400 else "not_found" if error.status < 500 else "failed"
        answer = notice(request, page, error.status)
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except (web.HTTPException, ConnectionError):
        raise
    except Exception as error:
        log_without_words(error, f"{request.method} {route_of(request)}")
        if wants_json(request):
            return json_error(503, load_wording().error("failed"), **{"Retry-After": "3"})
        return notice(request, "failed", 503)


def log_without_words(error: BaseException, where: str) -> None:
    """Where it happened and what kind of error, never its text: a database error repeats the statement's values."""
    _log.error("%s failed:\n%s", where, frames((type(error), error, error.__traceback__)))


def route_of(request: web.BaseRequest) -> str:
    """The route's pattern (`/c/{token}`), never the path, which may hold a token."""
    try:
        resource = request.match_info.route.resource  # type: ignore[attr-defined]
    except (AttributeError, AssertionError):  # what aiohttp could not read never got as far as a route
        resource = None
    return resource.canonical if resource is not None else "(no route)"


class DiscreetAccessLogger(AbstractAccessLogger):
    """Method, route, status and time. No path, query, address, referrer or agent: they identify people or open talks."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        self.logger.info("%s %s %d %.0f ms", request.method, route_of(request), response.status, time * 1000)


def _dumps(data: object) -> str:
    return json.dumps(data, ensure_ascii=False)

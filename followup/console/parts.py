"""What every handler of the console reaches for."""

from __future__ import annotations

from typing import Any

import aiohttp_jinja2
from aiohttp import web

from followup import clock
from followup.console.labels import labels
from followup.console.navigation import areas_of
from followup.console.permissions import Permission, Staff
from followup.console.sessions import csrf_token
from followup.settings import Settings
from followup.store.database import Database
from followup.web.keys import DATABASE, SETTINGS


def database(request: web.Request) -> Database:
    return request.config_dict[DATABASE]


def settings(request: web.Request) -> Settings:
    return request.config_dict[SETTINGS]


def staff(request: web.Request) -> Staff:
    return request["staff"]


def page(request: web.Request, template: str, status: int = 200, **context: Any) -> web.Response:
    """A page of templates/console/, with what every page knows: who is logged in, the areas, the form token."""
    return aiohttp_jinja2.render_template(
        f"console/{template}", request, {**page_context(request), **context}, status=status
    )


def page_context(request: web.Request) -> dict[str, Any]:
    """What every page knows."""
    who: Staff | None = request.get("staff")
    return {
        "staff": who,
        "csrf": csrf_token(request["staff_session"].token) if who else "",
        "areas": areas_of(who),
        "path": request.path,
        "now": clock.now(),
        "P": Permission,
    }


def see(path: str) -> web.Response:
    """After a form: go to `path`, so that reloading sends nothing twice."""
    return web.Response(status=303, headers={"Location": path})


def sentence(group: str, key: str) -> str:
    """A sentence of labels.yml."""
    return labels()[group][key]

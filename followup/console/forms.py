"""Reading what a form sent."""

from __future__ import annotations

from aiohttp import web


async def field(request: web.Request, name: str, *, longest: int = 2000) -> str:
    """The form's field as clean text: trimmed, line ends as \\n, cut at `longest`; empty when it was not sent."""
    value = (await request.post()).get(name, "")
    if not isinstance(value, str):  # a file where text was asked for
        return ""
    return value.replace("\r\n", "\n").replace("\0", "").strip()[:longest]


def query(request: web.Request, name: str, *, longest: int = 200) -> str:
    """A query parameter as clean text."""
    return request.query.get(name, "").replace("\0", "").strip()[:longest]


def number(text: str, default: int, *, least: int = 1, most: int = 2**31) -> int:
    """A whole number out of an address; what is none, or out of bounds, is the default or the bound."""
    try:
        return min(max(int(text), least), most)
    except ValueError:
        return default


def object_id(request: web.Request, name: str = "id") -> int:
    """The id in the path; 404 for what cannot be one."""
    text = request.match_info[name]
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise web.HTTPNotFound
    return int(text)

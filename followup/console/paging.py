"""A list in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from followup.console.forms import number

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` of page `number` (from 1) of `pages`; `total` rows in all."""

    rows: Sequence[Any]
    number: int
    total: int
    address: str
    """Path and query without the page."""
    per_page: int = PER_PAGE

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))

    def link(self, number: int) -> str:
        return f"{self.address}{'&' if '?' in self.address else '?'}page={number}"


def page_number(request: web.Request) -> int:
    return number(request.query.get("page", ""), 1, most=100_000)


def page_of(request: web.Request, rows: Sequence[Any], total: int, per_page: int = PER_PAGE) -> Page:
    """The page for these rows, whose links keep the request's filters."""
    kept = [(key, value) for key, value in request.query.items() if key != "page" and value]
    address = request.path + (f"?{urlencode(kept)}" if kept else "")
    return Page(rows, page_number(request), total, address, per_page)

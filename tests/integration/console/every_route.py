"""Every route of the console with something in its place holders: what tests of all areas at once walk over."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from followup.console.app import PREFIX, TEMPLATES, all_routes
from followup.console.permissions import Permission

NOBODYS_CASE, NOBODYS_ID = "0" * 32, "999999999"
_HOLDER = re.compile(r"\{(\w+)(?::((?:[^{}]|\{\d+\})+))?\}")
_FIELD = re.compile(r'\bname="([a-z_]+)"')


@dataclass(frozen=True)
class Route:
    method: str
    pattern: str
    path: str
    """Leads to nothing that there is."""
    needs: Permission | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def every_route(known: Mapping[str, str] | None = None) -> list[Route]:
    """All of them; one that offers several words (`xlsx|csv`) once for each. `known`: place holder -> what to put there."""
    return [
        Route(one.method, one.path, f"{PREFIX}{path}", one.handler.needs)  # type: ignore[attr-defined]
        for one in all_routes()
        for path in _filled(one.path, known or {})
    ]


def every_field() -> list[str]:
    """The name of every field of every form."""
    return sorted({name for file in TEMPLATES.rglob("*.html") for name in _FIELD.findall(file.read_text(encoding="utf-8"))} - {"csrf"})


def _filled(pattern: str, known: Mapping[str, str]) -> Iterator[str]:
    holders = list(_HOLDER.finditer(pattern))
    for values in itertools.product(*(_values(match[1], match[2] or "", known) for match in holders)):
        path, end = "", 0
        for match, value in zip(holders, values, strict=True):
            path, end = path + pattern[end : match.start()] + value, match.end()
        yield path + pattern[end:]


def _values(name: str, expression: str, known: Mapping[str, str]) -> list[str]:
    if name in known:
        return [known[name]]
    if expression in (r"\d+", r"[0-9]+", r"[1-9]\d*"):
        return [NOBODYS_ID]
    if "{32}" in expression:
        return [NOBODYS_CASE]
    words = expression.split("|")
    if expression and all(re.fullmatch(r"[a-z0-9_.-]+", word) for word in words):
        return words
    for value in ("2026-10", "2026", "auto_loan_satisfaction", "satisfaction", "x"):  # a month, a year, a script, a name
        if re.fullmatch(expression or r"[^/]+", value):
            return [value]
    raise AssertionError(f"say in tests/integration/console/every_route.py what stands for {{{name}:{expression}}}")



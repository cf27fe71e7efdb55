"""What takes long, one after the other and beside the event loop: checking, drawing, trying a text that somebody is writing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from markupsafe import Markup

from followup.console.scripts.try_talk import readable, script_of, warm
from followup.scripts.checks.finding import Finding
from followup.scripts.draw_svg import svg
from followup.scripts.publish_check import check_text
from followup.scripts.publish_diff import Line, diff
from followup.scripts.publish_fields import Field, fields
from followup.scripts.published import Kind, Name
from followup.settings import Settings

T = TypeVar("T")
_bench = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scripts")
_talks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scripts-try")
"""Of its own: while the model is read for the first time, everybody's checks go on."""


async def run(work: Callable[[], T]) -> T:
    """In the one thread for this, however many people are writing."""
    return await asyncio.get_running_loop().run_in_executor(_bench, work)


async def talk(work: Callable[[], T]) -> T:
    """The same in the thread where talks are tried."""
    return await asyncio.get_running_loop().run_in_executor(_talks, work)


def get_ready(settings: Settings) -> None:
    """Somebody begins to write: what trying a talk needs is read meanwhile, not when the first line is said."""
    _talks.submit(warm, settings)


@dataclass(frozen=True, slots=True)
class Looked:
    """What there is to say about a text. `picture` empty: it has none, or has errors."""

    findings: Sequence[Finding]
    fields: Sequence[tuple[str, Sequence[Field]]]
    changes: Sequence[Line]
    picture: Markup

    @property
    def errors(self) -> int:
        return sum(one.is_error for one in self.findings)


def look(name: Name, text: str, in_force: str) -> Looked:
    """As somebody writes: without what a shared wording would break in the scripts."""
    return Looked(_checked(name, text), grouped(fields(name.kind, text)), diff(in_force, text), picture(name, text))


def errors(name: Name, text: str) -> bool:
    """Whether something keeps it from being used, thoroughly."""
    return any(one.is_error for one in check_text(name, text))


@lru_cache(maxsize=32)
def _checked(name: Name, text: str) -> Sequence[Finding]:
    return tuple(check_text(name, text, thorough=False))


@lru_cache(maxsize=32)
def picture(name: Name, text: str) -> Markup:
    """The flow as SVG."""
    if name.kind is not Kind.SCRIPT or not readable(text):
        return Markup()
    try:
        return Markup(svg(script_of(name, text)))  # noqa: S704 - draw_svg escapes what it writes
    except Exception:  # of a text in the middle of being written
        return Markup()


def grouped(found: Sequence[Field]) -> list[tuple[str, list[Field]]]:
    """(group, its fields) in the order of the text."""
    groups: dict[str, list[Field]] = {}
    for field in found:
        groups.setdefault(field.group, []).append(field)
    return list(groups.items())

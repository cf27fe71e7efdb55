"""Which talks a draw takes: the same wish and seed take the same talks, whoever draws and whenever.

Each talk has a place in the draw that depends on the seed and its own id alone (SHA-256 of both), so a talk that came in
later moves no other from its place.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.transcripts.conditions import complained
from followup.store.figures import held_between
from followup.store.models import Attempt, Case, Message
from followup.store.staff_models import StaffMessage

MOST = 500
"""Talks in one sample."""
MOST_SEED = 999_999_999
BOT, STAFF = "bot", "staff"


class WishError(ValueError):
    """What is wanted cannot be drawn. `key` names the sentence in labels.yml, `values` fill it."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sample is drawn from. Every part but the number is empty when it does not matter."""

    number: int = 20
    unit: str = "count"
    """count | percent"""
    first: date | None = None
    last: date | None = None
    """Days in Shanghai, both included, as in the list of talks."""
    script: str = ""
    who: str = ""
    """bot: no colleague wrote in the talk; staff: some colleague did; or a colleague's id."""
    channel: str = ""
    complaint: bool = False
    by_script: bool = False
    """From every script its share, at least one."""
    demo: bool = False
    """Demonstrations and trials too."""

    def stored(self) -> dict[str, Any]:
        return {key: value.isoformat() if isinstance(value, date) else value for key, value in asdict(self).items() if value}


def read_wish(form: Mapping[str, str]) -> Wish:
    """Out of a form's fields. Raises WishError(bad_number)."""
    text, unit = form.get("number", "").strip(), "percent" if form.get("unit") == "percent" else "count"
    most = 100 if unit == "percent" else MOST
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= most):
        raise WishError("bad_number")
    return replace(_read(form), number=int(text), unit=unit)


def stored_wish(stored: Mapping[str, Any]) -> Wish:
    """The wish of a stored sample."""
    wish = _read({key: str(value) for key, value in stored.items() if value})
    return replace(wish, number=stored.get("number", 0), unit=stored.get("unit", "count"))


def read_seed(text: str) -> int | None:
    """None when none is given. Raises WishError(bad_seed)."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise WishError("bad_seed")
    return int(text)


async def draw(session: AsyncSession, wish: Wish, seed: int) -> list[str]:
    """Ids of the talks drawn, in the draw's order. Raises WishError: nothing_found, too_many."""
    rows = (await session.execute(select(Case.id, Case.script_id).where(*_conditions(wish)))).all()
    return choose({case_id: script for case_id, script in rows}, wish, seed)


def choose(scripts: Mapping[str, str], wish: Wish, seed: int) -> list[str]:
    """Of the talks (id -> script) those the draw takes. Raises WishError: nothing_found, too_many. Pure."""
    if not scripts:
        raise WishError("nothing_found")
    wanted = min(wish.number, len(scripts)) if wish.unit == "count" else math.ceil(len(scripts) * wish.number / 100)
    if wanted > MOST:
        raise WishError("too_many", count=wanted)
    order = sorted(scripts, key=lambda case_id: _place(seed, case_id))
    if not wish.by_script:
        return order[:wanted]
    groups: dict[str, list[str]] = defaultdict(list)
    for case_id in order:
        groups[scripts[case_id]].append(case_id)
    shares = allocate({script: len(ids) for script, ids in groups.items()}, wanted)
    taken = {case_id for script, ids in groups.items() for case_id in ids[: shares[script]]}
    return [case_id for case_id in order if case_id in taken]


def allocate(sizes: Mapping[str, int], wanted: int) -> dict[str, int]:
    """How many from each group: in proportion, by largest remainders, at least one from each while there are enough."""
    total = sum(sizes.values())
    wanted = min(wanted, total)
    least = 1 if wanted >= len(sizes) else 0
    exact = {name: wanted * size / total for name, size in sizes.items()}
    shares = {name: min(size, max(least, math.floor(exact[name]))) for name, size in sizes.items()}
    while (gap := wanted - sum(shares.values())) != 0:
        step = 1 if gap > 0 else -1
        free = [name for name in sizes if (shares[name] < sizes[name] if step > 0 else shares[name] > least)]
        name = max(free, key=lambda one: (step * (exact[one] - shares[one]), one))
        shares[name] += step
    return shares


def _place(seed: int, case_id: str) -> bytes:
    return hashlib.sha256(f"{seed}:{case_id}".encode()).digest()


def _read(form: Mapping[str, str]) -> Wish:
    def flag(name: str) -> bool:
        return form.get(name, "") in ("1", "on", "True")

    who = form.get("who", "").strip()
    return Wish(
        first=_day(form.get("first", "")),
        last=_day(form.get("last", "")),
        script=form.get("script", "").strip(),
        who=who if who in (BOT, STAFF) or (who.isascii() and who.isdigit() and len(who) <= 18) else "",
        channel=form.get("channel", "").strip(),
        complaint=flag("complaint"),
        by_script=flag("by_script"),
        demo=flag("demo"),
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and 2000 <= day.year <= 2999 else None


def _conditions(wish: Wish) -> Iterator[ColumnElement[bool]]:
    """Talks that are over, or wait for an appointment, and in which the customer said something."""
    yield Case.status.in_(("closed", "waiting"))
    yield Case.erased_at.is_(None)
    yield exists().where(Message.case_id == Case.id, Message.direction == "in")
    if wish.first or wish.last:
        yield held_between(wish.first or date(2000, 1, 1), wish.last or date(2999, 12, 30))
    if wish.script:
        yield Case.script_id == wish.script
    if wish.channel:
        yield Case.id.in_(select(Attempt.case_id).where(Attempt.channel == wish.channel))
    if wish.complaint:
        yield complained()
    if not wish.demo:
        yield ~Case.is_demo
    if wish.who:
        written = select(Message.case_id).join(StaffMessage, StaffMessage.message_id == Message.id)
        if wish.who == BOT:
            yield Case.id.not_in(written)
        else:
            yield Case.id.in_(written if wish.who == STAFF else written.where(StaffMessage.user_id == int(wish.who)))

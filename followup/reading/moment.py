"""Question type datetime: when to call, as {"start", "end", "precision"}. Word lists: data/lexicon/any_time.yml."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache

from followup.reading.lexicon import ANY_TIME, load
from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.text import core
from followup.reading.time import TimeSpan, local, read_time
from followup.reading.time.span import DAY

_ENDS = re.compile(r"^(?:[我俺嗯哦那就]|这边|时间上?|其实)*|(?:的|吧|啊|呀|啦|了|哈|呢|嘛|没问题)*$")
_NEGATED = re.compile(r"(?:不是|不能|不会|没法|没办法|不)$")


def read_moment(asked: Asked, heard: Heard) -> Reading | None:
    """The next future time; None without a usable time, and without a reference to count from.

    "随时都行" and "越快越好" are tomorrow ("datetime:any", "datetime:soon"), weak, where the question
    takes it (`Asked.any_time`): it is for us to name the hour.
    """
    if heard.reference is None:
        return None
    span = read_time(heard.text, heard.reference)
    if span is None:
        how = _left_to_us(core(heard.text)) if asked.any_time else None
        return Reading(_tomorrow(heard.reference).as_value(), f"datetime:{how}", WEAK) if how else None
    vague = span.precision in ("week", "month") or len(core(heard.text)) > 60
    return Reading(span.as_value(), f"datetime:{span.precision}", WEAK if vague else STRONG)


def _left_to_us(text: str) -> str | None:
    """ "any" or "soon" when the customer takes whatever time we name."""
    anytime, whole, soon = _words()
    found = soon.search(text) or anytime.search(text)
    if found and not _NEGATED.search(text[: found.start()]):
        return "soon" if soon.search(text) else "any"
    plain = "".join(_ENDS.sub("", part) for part in text.split(","))
    return "any" if plain in whole else None


@lru_cache(maxsize=1)
def _words() -> tuple[re.Pattern[str], frozenset[str], re.Pattern[str]]:
    lists = load(ANY_TIME)
    anytime, soon = (re.compile("|".join(map(re.escape, lists[group]))) for group in ("anytime", "soon"))
    return anytime, frozenset(lists["open"]), soon


def _tomorrow(reference: datetime) -> TimeSpan:
    midnight = local(reference).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return TimeSpan(midnight, midnight + timedelta(days=1), DAY)

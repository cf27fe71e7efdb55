"""Question type datetime: when to call, as {"start", "end", "precision"}."""

from __future__ import annotations

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.text import core
from followup.reading.time import read_time


def read_moment(asked: Asked, heard: Heard) -> Reading | None:
    """The next future time; None without a usable time, and without a reference to count from."""
    if heard.reference is None:
        return None
    span = read_time(heard.text, heard.reference)
    if span is None:
        return None
    vague = span.precision in ("week", "month") or len(core(heard.text)) > 60
    return Reading(span.as_value(), f"datetime:{span.precision}", WEAK if vague else STRONG)

"""What a reply answers: (question type, text, intent, acts) -> a value, or None. Pure functions.

The same words mean different things to different questions, so `read` looks at the question first.
"""

from __future__ import annotations

from followup.reading.choice import read_choice
from followup.reading.contact import read_address, read_name, read_phone
from followup.reading.date import read_date
from followup.reading.model import STRONG, TYPES, WEAK, Asked, Heard, Option, Reading
from followup.reading.moment import read_moment
from followup.reading.number import read_number
from followup.reading.quantity import read_quantity
from followup.reading.scale import read_scale
from followup.reading.score import read_score
from followup.reading.words import read_words
from followup.reading.yes_no import read_yes_no

_READERS = {
    "choice": read_choice, "scale3": read_scale, "scale5": read_scale, "score": read_score,
    "yes_no": read_yes_no, "confirm": read_yes_no, "open": read_words, "number": read_number,
    "quantity_of": read_quantity, "datetime": read_moment, "phone": read_phone, "address": read_address,
    "name": read_name, "date": read_date,
}


def read(asked: Asked, heard: Heard) -> Reading | None:
    """The answer that `heard` gives to `asked`; None when it gives none. ValueError for an unknown type."""
    reader = _READERS.get(asked.type)
    if reader is None:
        raise ValueError(f"unknown question type: {asked.type}")
    return reader(asked, heard)


__all__ = ["STRONG", "TYPES", "WEAK", "Asked", "Heard", "Option", "Reading", "read"]

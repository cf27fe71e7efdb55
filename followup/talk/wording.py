"""What becomes of a customer's text before it is stored, and before Rasa sees it. Pure."""

from __future__ import annotations

import unicodedata

LONGEST_FOR_RASA = 2000
"""Characters. The whole text is stored; understanding needs no more, and takes time in proportion."""

_KEPT_CONTROLS = "\n\t"
_FULL_WIDTH_SLASH = "\uff0f"


def clean_text(text: str) -> str:
    """`text` as it is stored: without control characters and lone surrogates, without white space around it.

    PostgreSQL cannot hold a NUL, nor UTF-8 a lone surrogate.
    """
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in unix if unicodedata.category(c) not in ("Cc", "Cs") or c in _KEPT_CONTROLS).strip()


def for_rasa(text: str) -> str:
    """What Rasa is given of a customer's text.

    Rasa reads a text that begins with "/" as a command (`/restart`, `/intent{"entity": ...}`); with a full-width slash
    in its place it is just words, and still reads as it was written.
    """
    cut = text.strip()[:LONGEST_FOR_RASA]
    return _FULL_WIDTH_SLASH + cut[1:] if cut.startswith("/") else cut

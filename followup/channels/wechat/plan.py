"""How the lines of a turn become WeChat messages, and how many may be sent. Pure.

A passive reply costs nothing. Customer-service messages: 5 within 48 hours of the customer's message, 3 within a minute of a
click on a menu, a follow or a scan. What does not fit waits until the customer writes again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from followup.channels.wechat.words import words

LIMIT = 2000
"""UTF-8 bytes of one message; WeChat takes some 2,047."""
MOST_CHOICES = 10
HALF_SENT = "half_sent"
"""Why a row failed of which the customer has the beginning."""
MESSAGE_WINDOW, MESSAGE_BUDGET = timedelta(hours=48) - timedelta(minutes=5), 5
CLICK_WINDOW, CLICK_BUDGET = timedelta(seconds=55), 3
"""Both windows a little shorter than WeChat's, for the way there and clocks that differ."""

_SENTENCE = re.compile(r"[^。！？!?；\n]*[。！？!?；\n]+[”’」』）)]*|[^。！？!?；\n]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the outbox."""

    id: int
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One WeChat message."""

    text: str
    lines: tuple[int, ...]
    """The rows of which it holds something."""
    menu: tuple[str, ...] = ()
    """Choices to be tapped; empty: a plain text."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What opens the windows, and what was sent since."""

    message_at: datetime | None = None
    click_at: datetime | None = None
    sent: tuple[datetime, ...] = ()

    def left(self, at: datetime) -> int:
        """How many customer-service messages may be sent now. Rather too few: what a click allowed counts for both."""
        return max(
            self._left(self.message_at, MESSAGE_WINDOW, MESSAGE_BUDGET, at),
            self._left(self.click_at, CLICK_WINDOW, CLICK_BUDGET, at),
            0,
        )

    def _left(self, opened: datetime | None, window: timedelta, budget: int, at: datetime) -> int:
        if opened is None or at - opened >= window:
            return 0
        return budget - sum(sent >= opened for sent in self.sent)


def parts_of(lines: Sequence[Line], *, menu: bool = False) -> list[Part]:
    """The fewest messages that hold all the lines, cut at sentence ends. Only the last line's choices still stand."""
    if not lines:
        return []
    choices = lines[-1].choices[:MOST_CHOICES]
    as_menu = menu and bool(choices)
    pieces = [(line.id, piece) for number, line in enumerate(lines) for piece in _pieces(line.text, first=number == 0)]
    room = sum(len(choice.encode()) for choice in choices) if as_menu else 0
    if choices and not as_menu:
        pieces.append((lines[-1].id, "\n" + listed(choices)))
    parts: list[Part] = []
    for chunk in _packed(pieces, LIMIT - min(room, LIMIT // 2)):
        text = "".join(piece for _, piece in chunk).strip("\n")
        parts.append(Part(text, tuple(dict.fromkeys(row for row, _ in chunk))))
    if as_menu:
        parts[-1] = Part(parts[-1].text, parts[-1].lines, choices)
    return parts


def _pieces(text: str, *, first: bool) -> list[str]:
    found = [cut for sentence in _SENTENCE.findall(text) for cut in _cut(sentence)]
    return found if first or not found else ["\n" + found[0], *found[1:]]


def _cut(sentence: str) -> list[str]:
    """A sentence longer than a message, in pieces; no character is cut in two."""
    pieces, most = [], LIMIT - 8
    while len(sentence.encode()) > most:
        head = sentence.encode()[:most].decode(errors="ignore")
        pieces.append(head)
        sentence = sentence[len(head) :]
    return [*pieces, sentence] if sentence else pieces


def _packed(pieces: Sequence[tuple[int, str]], limit: int) -> list[list[tuple[int, str]]]:
    chunks: list[list[tuple[int, str]]] = []
    size = 0
    for row, piece in pieces:
        length = len(piece.encode())
        if not chunks or size + length > limit:
            chunks.append([])
            size = 0
        chunks[-1].append((row, piece))
        size += length
    return chunks


def halves(part: Part) -> tuple[Part, Part] | None:
    """Two messages for one that was too long, cut at the sentence end nearest its middle; None where there is nothing to cut.

    The choices stay with the second.
    """
    pieces = _pieces(part.text, first=True)
    if len(pieces) < 2:
        middle = len(part.text) // 2
        pieces = [part.text[:middle], part.text[middle:]]
    cuts = [("".join(pieces[:at]).strip("\n"), "".join(pieces[at:]).strip("\n")) for at in range(1, len(pieces))]
    good = [cut for cut in cuts if all(cut)]
    if not good:
        return None
    first, second = min(good, key=lambda cut: max(len(half.encode()) for half in cut))
    return Part(first, part.lines), Part(second, part.lines, part.menu)


def fitting(parts: Sequence[Part], left: int) -> tuple[list[Part], tuple[int, ...]]:
    """The messages to send now, and the rows that wait because the budget ends; no row is half sent."""
    now = list(parts[:left])
    rest = {row for part in parts[left:] for row in part.lines}
    while now and rest & set(now[-1].lines):
        rest |= set(now.pop().lines)
    return now, tuple(sorted(rest))


def listed(choices: Sequence[str]) -> str:
    """The choices as text, numbered unless there is but one, or they hold numbers themselves."""
    if len(choices) == 1 or _has_numbers(choices):
        return words().may_answer.format(choices="、".join(choices))
    return words().choose + "".join(f"\n{number} {choice}" for number, choice in enumerate(choices, 1))


def chosen(text: str, choices: Sequence[str]) -> str | None:
    """The choice that a number means; None when it is no number of a list that was numbered."""
    if not choices or _has_numbers(choices) or not is_number(text):
        return None
    number = int(_typed(text))
    return choices[number - 1] if number <= min(len(choices), MOST_CHOICES) else None


def is_number(text: str) -> bool:
    """Whether it may mean a choice that was numbered."""
    return re.fullmatch(r"[1-9][0-9]?", _typed(text)) is not None


def _typed(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().rstrip(".、。,，")


def _has_numbers(choices: Sequence[str]) -> bool:
    return any(any(c.isdigit() or c in "一二三四五六七八九十两" for c in choice) for choice in choices)

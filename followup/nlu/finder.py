"""Things named in a reply: aspects, persons, products, phone numbers, plates, scores, quantities, times. No Rasa.

Word lists are matched by spaCy over a folded copy (Simplified, half-width, lower case), characters as tokens, the
longest word first; positions are those of the customer's own text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator

import spacy
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from followup.nlu.lexicon import Entry, Lexicon
from followup.nlu.normalise import Folded, fold
from followup.reading.numerals import NUMERAL, to_number
from followup.reading.time.grammar import choose

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

_PHONE = re.compile(
    r"(?<!\d)(?:(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}|0\d{2,3}[ -]?\d{7,8}|400[ -]?\d{3}[ -]?\d{4})(?!\d)"
)
_PLATE = re.compile(rf"([{PROVINCES}])([a-z])[ ·.•-]?([a-z0-9]{{5,6}})(?![a-z0-9])")
_SCORE = re.compile(rf"({NUMERAL})(?:分(?![钟之期店公行开两部析期])|颗?星(?!期))|满分")
_TEN_AS_VERY = re.compile(r"十分(?=[\u4e00-\u9fff])(?![吧了左啊呗呀嘛哦上以])")  # 十分满意 is no score
_QUANTITY = re.compile(rf"({NUMERAL}|半)(个(?!月|小时|问题|钟|人)|箱|斤|公斤|件|台|袋|颗(?!星)|只|盒|瓶|套|辆|条|双|平米?|吨)")


@dataclass(frozen=True)
class Entity:
    """One named thing; `start` and `end` are positions in the customer's own text."""

    entity: str
    value: str | int | float
    start: int
    end: int
    text: str
    """The customer's own words."""
    polarity: str = ""
    """`negative` or `positive` where the word alone judges ("贵"), for aspects only."""

    def as_dict(self) -> dict[str, Any]:
        """In Rasa's form; `polarity` only where there is one."""
        kept = {"entity": self.entity, "value": self.value, "start": self.start, "end": self.end, "text": self.text}
        return kept | ({"polarity": self.polarity} if self.polarity else {})


@dataclass(frozen=True)
class _Word:
    """What a word of a list stands for; `id` is empty for a look-alike that must be passed over."""

    id: str
    polarity: str = ""


class EntityFinder:
    """Finds the entities of one text. Building it takes a few hundredths of a second, using it well under one."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._nlp = spacy.blank("zh")
        self._lists = [
            (kind, self._matcher(entries), _meanings(entries))
            for kind, entries in (("aspect", lexicon.aspects), ("person", lexicon.persons), ("product", lexicon.products))
            if entries
        ]

    def _matcher(self, entries: Iterable[Entry]) -> PhraseMatcher:
        matcher = PhraseMatcher(self._nlp.vocab)
        words = sorted({word for word in _meanings(entries)})
        matcher.add("word", [self._characters(word) for word in words])
        return matcher

    def _characters(self, text: str) -> Doc:
        # One token per character, spaces too, so that a token's place is the character's place.
        return Doc(self._nlp.vocab, words=list(text), spaces=[False] * len(text))

    def find(self, text: str) -> list[Entity]:
        """All entities, in text order. Entities of different kinds may overlap, of one kind never."""
        folded = fold(text)
        if not folded.text.strip():
            return []
        found = [*self._listed(text, folded), *_numbers(text, folded), *_times(text, folded)]
        return sorted(found, key=lambda entity: (entity.start, entity.end, entity.entity))

    def _listed(self, text: str, folded: Folded) -> Iterator[Entity]:
        doc = self._characters(folded.text)
        for kind, matcher, meanings in self._lists:
            for start, end in _longest([(start, end) for _, start, end in matcher(doc)], folded.text):
                meaning = meanings[folded.text[start:end]]
                if meaning.id:
                    yield _entity(kind, meaning.id, text, folded, start, end, meaning.polarity)


def _meanings(entries: Iterable[Entry]) -> dict[str, _Word]:
    meanings: dict[str, _Word] = {}
    for entry in entries:
        for words, meaning in (
            (entry.words, _Word(entry.id)),
            (entry.negative, _Word(entry.id, "negative")),
            (entry.positive, _Word(entry.id, "positive")),
            (entry.ignore, _Word("")),
        ):
            for word in words:
                meanings.setdefault(fold(word).text, meaning)
    return meanings


def _longest(spans: list[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """Spans that do not overlap, the longer before the shorter; Latin words only as whole words."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        if _inside_latin(text, start, end) or any(start < b and a < end for a, b in kept):
            continue
        kept.append((start, end))
    return kept


def _inside_latin(text: str, start: int, end: int) -> bool:
    def latin(place: int) -> bool:
        return 0 <= place < len(text) and text[place].isascii() and text[place].isalpha()

    return (latin(start) and latin(start - 1)) or (latin(end - 1) and latin(end))


def _entity(
    kind: str, value: str | int | float, text: str, folded: Folded, start: int, end: int, polarity: str = ""
) -> Entity:
    begin, until = folded.span(start, end)
    return Entity(kind, value, begin, until, text[begin:until], polarity)


def _numbers(text: str, folded: Folded) -> Iterator[Entity]:
    rules: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str | int | float | None]], ...] = (
        ("phone", _PHONE, lambda match: re.sub(r"\D", "", match[0].removeprefix("+86"))),
        ("plate", _PLATE, lambda match: f"{match[1]}{match[2]}{match[3]}".upper()),
        ("score", _SCORE, _score),
        ("quantity", _QUANTITY, lambda match: to_number(match[1])),
    )
    taken: list[tuple[int, int]] = []
    for kind, pattern, value_of in rules:
        for match in pattern.finditer(folded.text):
            value = value_of(match)
            if value is None or any(match.start() < b and a < match.end() for a, b in taken):
                continue
            taken.append(match.span())
            yield _entity(kind, value, text, folded, *match.span())


def _score(match: re.Match[str]) -> str | int | float | None:
    """The number; "满分" stays a word, its number depends on the question's scale."""
    if _TEN_AS_VERY.match(match.string, match.start()):
        return None
    return to_number(match[1]) if match[1] else match[0]


def _times(text: str, folded: Folded) -> Iterator[Entity]:
    """The time a reply proposes, as its words: which moment it is depends on when it was said (followup.reading)."""
    mention = choose(folded.text.replace("。", ".").replace("\n", " "))
    if mention is not None and not mention.past and mention.end > mention.start:
        words = folded.text[mention.start : mention.end]
        yield _entity("time", words, text, folded, mention.start, mention.end)

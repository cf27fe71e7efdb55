"""Forbidden phrases 服务忌语 (quality rule: b9e91 6, 8035c 避免使用的言语), for scripts and for what staff write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Iterable, Iterator

_CLAUSE_END = re.compile(r"[，。；：？！、,.;:?!…—\n]+")
_NOT_WORD = re.compile(r"[^\w×]")
_ANY_WORDS = "××"


@dataclass(frozen=True)
class Forbidden:
    """A phrase nobody may say to a customer. `whole`: only when a whole clause is this and nothing else."""

    phrase: str
    instead: str = ""
    source: str = ""
    whole: bool = False

    def said_in(self, text: str) -> bool:
        """Whether `text` says it: 你 and 您 are one, punctuation and blanks do not count, ×× is any few words."""
        wanted = _pattern(self.phrase)
        if self.whole:
            return any(wanted.fullmatch(_bare(clause)) for clause in _CLAUSE_END.split(text))
        return wanted.search(_bare(text)) is not None


def from_rows(rows: Iterable[Any]) -> list[Forbidden]:
    """From the rows of data/lexicon/forbidden.yml; a row without a phrase is passed over."""
    return [
        Forbidden(
            str(row["phrase"]), str(row.get("instead") or ""), str(row.get("source") or ""), row.get("whole") is True
        )
        for row in rows
        if isinstance(row, dict) and _bare(str(row.get("phrase") or ""))
    ]


def said_in(text: str, phrases: Iterable[Forbidden]) -> Iterator[Forbidden]:
    """The forbidden phrases that `text` says."""
    return (phrase for phrase in phrases if phrase.said_in(text))


@lru_cache(maxsize=1024)
def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(".{1,8}".join(re.escape(part) for part in _bare(phrase).split(_ANY_WORDS)))


def _bare(text: str) -> str:
    return _NOT_WORD.sub("", text).replace("你", "您")

"""What the customers of a load test say, and the question that each answer must bring."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bench.followup_stack import SCRIPT
from followup.scripts import load
from followup.store import records
from followup.store.database import Database
from followup.talk.links import create_link

_WAYS: tuple[tuple[str, ...], ...] = (
    ("方便", "朋友介绍的", "价格还可以", "期限挺合适的", "服务很好，谢谢", "没有了"),
    ("可以", "网上看到的", "有点贵", "期限还行", "非常满意", "没有"),
    ("方便的，你说", "朋友介绍的", "价格挺合适", "有点短", "一般般吧", "没什么建议"),
    ("嗯，说吧", "广告上看到的", "还行", "挺好的", "服务不错", "没了"),
)
"""Each holds a talk of SCRIPT to its end: one reply a question, the questions in their order."""


@dataclass(frozen=True)
class Said:
    """A customer's line; the answer must ask `wanted`, and nothing that is `unwanted` (questions of another place)."""

    text: str
    wanted: str
    unwanted: tuple[str, ...]

    def fault(self, answer: str) -> str | None:
        """What is wrong with the answer; without the customer's words."""
        if not answer.strip():
            return "empty answer"
        if self.wanted and self.wanted not in answer:
            return f"the question {self.wanted!r} was not asked"
        asked = [question for question in self.unwanted if question in answer]
        return f"{asked[0]!r} was asked, which was not its turn" if asked else None


def questions() -> list[str]:
    """The questions of the script as a customer reads them."""
    script = load.load_script(SCRIPT)
    return [str(question.ask).format_map(script.demo_variables()) for question in script.questions]


def talks(seed: int) -> Iterator[list[Said]]:
    """Talks without end; the same seed gives the same ones. After the last answer no question may come any more."""
    asked = questions()
    dice = random.Random(seed)
    while True:
        way = dice.choice(_WAYS)
        wanted = [*asked, ""][: len(way)]
        yield [Said(text, want, tuple(one for one in asked if one != want)) for text, want in zip(way, wanted, strict=True)]


async def make_cases(database: Database, count: int) -> list[tuple[str, str]]:
    """(case, token of its link) of new demo customers."""
    script = load.load_script(SCRIPT)
    made: list[tuple[str, str]] = []
    async with database.session() as session:
        revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
    while len(made) < count:
        async with database.session() as session:
            for _ in range(min(200, count - len(made))):
                contact = await records.create_contact(session, name="张", title="女士", is_demo=True)
                case = await records.create_case(session, contact, revision, script.demo_variables(), is_demo=True)
                made.append((case, await create_link(session, case, valid_for=timedelta(days=2))))
    return made


def number_of_talks(rate: float, minutes: float, ways: Sequence[Sequence[str]] = _WAYS) -> int:
    """How many talks arrive so that `rate` turns a second are asked for; the opening is a turn, too."""
    turns = 1 + sum(map(len, ways)) / len(ways)
    return max(1, round(rate * 60 * minutes / turns))

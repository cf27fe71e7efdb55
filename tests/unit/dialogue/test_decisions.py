"""The table of decisions in docs/understanding.md, row by row: what a reply does at an open question (issue 4, point 7)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from followup.settings import PROJECT_DIR
from tests.unit.dialogue.player import Player, script_of

_PAGE = PROJECT_DIR / "docs" / "understanding.md"
_QUESTIONS = {
    "choice": "{id: it, type: choice, ask: 补发还是退款呢？, options: [{value: 补发, say: [补发一箱]}, {value: 退款, say: [退钱]}]}",
    "scale": "{id: it, type: scale3, ask: 您对服务满意吗？}",
    "number": "{id: it, type: number, ask: 请问一共坏了几个呢？}",
    "open": "{id: it, type: open, ask: 请问是什么样的坏果呢？}",
}
_WHERE = {"question:it": "asked again", "question:more": "next", "callback": "put off", "offer": "put off"}
_AFTER_IT = "\n- {id: more, type: open, ask: 您有什么建议吗？}\n"


@dataclass(frozen=True)
class Row:
    """One line of the table; `acts` are (intent, clause)."""

    question: str
    said: str
    acts: tuple[tuple[str, str], ...]
    sure: float
    answer: str
    talk: str

    @classmethod
    def of(cls, line: str) -> Row:
        question, said, meant, sure, answer, talk = (cell.strip() for cell in line.strip("|\n").split("|"))
        acts = [part.partition(":") for part in meant.split(";")]
        return cls(question, said, tuple((name.strip(), clause.strip() or said) for name, _, clause in acts), float(sure), answer, talk)


def rows() -> list[Row]:
    table = _PAGE.read_text(encoding="utf-8").partition("<!-- decisions: begin -->")[2].partition("<!-- decisions: end -->")[0]
    return [Row.of(line) for line in table.strip().splitlines()[2:]]


def leading(row: Row) -> str:
    """The last act of a row leads: the table writes the answer before the interruption."""
    return row.acts[-1][0]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.question}-{row.said}-{leading(row)}".replace("/", "_"))
def test_a_reply_does_what_the_table_says(row: Row) -> None:
    player = Player(script_of(f"- {_QUESTIONS[row.question]}{_AFTER_IT}"))
    player.say("方便", "consent")
    player.say(row.said, leading(row), *row.acts, confidence=row.sure)
    kept = player.answers.get("it")
    where = "ended" if player.state.over else _WHERE[player.state.open]
    assert ("" if kept is None else str(kept), where) == (row.answer, row.talk)


def test_every_kind_of_question_and_every_end_is_in_the_table() -> None:
    assert {row.question for row in rows()} == set(_QUESTIONS)
    assert {row.talk for row in rows()} == {"next", "asked again", "put off", "ended"}

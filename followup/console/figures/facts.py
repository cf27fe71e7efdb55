"""What a figure may ask of one talk, as SQL over `cases`.

The list of talks filters by these expressions; the dashboard counts what the very same ones said of every talk when it
last changed (`table`): that is why a number and the list behind it agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Float,
    Select,
    Text,
    and_,
    any_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import aliased

from followup.dialogue.effects import Outcome
from followup.reading import lexicon
from followup.scripts.walk import NOTHING
from followup.store.models import (
    Answer,
    Attempt,
    Case,
    Contact,
    Message,
    ScriptRevision,
    Ticket,
)

MISSING = "—"
"""Stands for an empty value in groups."""
LOW_WORDS = ("不满意", "非常不满意")
LOW_SCORE = 5
"""Of 10; a score below it is dissatisfaction (docs/decisions/0008)."""
GIVEN = "given"
"""`answer=given`: something was said to an open question."""
BEFORE_ANY = "none"
"""The talk broke off before any question was answered."""
_LONGEST_GROUP = 80
_BLANKS = " \t\r\n　"


def _json(value: Any) -> ColumnElement[Any]:
    return type_coerce(value, JSONB)


# —— how far it came ————————————————————————————————————————————————————


def begun_by_customer() -> ColumnElement[bool]:
    """Whether the customer came to us (an enquiry); everything else was an invitation."""
    starts = ScriptRevision.content[("script", "starts")].astext
    return Case.revision_id.in_(select(ScriptRevision.id).where(starts == "customer"))


def opened() -> ColumnElement[bool]:
    return Case.opened_at.is_not(None)


def replied() -> ColumnElement[bool]:
    """Whether the customer said anything at all."""
    return exists().where(Message.case_id == Case.id, Message.direction == _IN).correlate(Case)


_IN = literal_column("'in'")  # seen by the planner, which takes the partial index then


def last_question() -> ColumnElement[str]:
    """The question answered last, passed ones included; NULL before any."""
    return (
        select(Answer.question_id)
        .where(Answer.case_id == Case.id, ~Answer.superseded, is_base_answer())
        .order_by(Answer.id.desc())
        .limit(1)
        .correlate(Case)
        .scalar_subquery()
    )


def is_base_answer() -> ColumnElement[bool]:
    """An answer to a question itself: neither to a probe (`price.reason`) nor a computed result."""
    return and_(Answer.question_id.not_like("%.%"), Answer.how.not_like("compute%"))


_NOT_BROKEN_OFF = (Outcome.COMPLETED.value, Outcome.APPOINTED.value)


def stopped_after() -> ColumnElement[Any]:
    """Behind which question the talk broke off; NULL when it did not, or goes on (an appointment)."""
    broken = and_(Case.outcome.is_not(None), Case.outcome.not_in(_NOT_BROKEN_OFF))
    return case((broken, func.coalesce(last_question(), BEFORE_ANY)))


# —— why it came to nothing ———————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Reason:
    """A kind of reason; by the system's own code, or by words of the customer."""

    id: str
    codes: tuple[str, ...]
    words: tuple[str, ...]


@cache
def reasons() -> tuple[Reason, ...]:
    raw = YAML(typ="safe").load(Path(__file__).with_name("reasons.yml").read_text(encoding="utf-8"))
    return tuple(Reason(one["id"], tuple(one.get("code", ())), tuple(one.get("words", ()))) for one in raw)


WITHOUT_REASON = (Outcome.COMPLETED, Outcome.APPOINTED, Outcome.COMPLAINED, Outcome.HANDED_OVER)


def why() -> ColumnElement[Any]:
    """The kind of reason for which the talk did not come to its end; NULL where there is none to give."""
    said = Case.outcome_reason
    whens: list[tuple[Any, Any]] = [
        (or_(Case.outcome.is_(None), Case.outcome.in_([one.value for one in WITHOUT_REASON])), literal(None, Text)),
        (said == "", literal("unsaid")),
    ]
    for reason in reasons():
        if reason.codes:
            whens.append((said.in_(reason.codes), literal(reason.id)))
        if reason.words:
            whens.append((said.regexp_match(_any_of(reason.words)), literal(reason.id)))
    whens.append((said.regexp_match("^[a-z_0-9]+$"), literal("by_answer")))
    return case(*whens, else_=literal("other"))


# —— how long it took ——————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Steps:
    """Ranges of a measure: below the first bound, from it to below the second, …, from the last on."""

    bounds: tuple[int, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """What the ranges are called in addresses."""
        return tuple(str(number) for number in range(len(self.bounds) + 1))

    def of(self, measure: Any) -> ColumnElement[Any]:
        """The key of the range that a measure falls into; NULL where there is no measure."""
        bounds = literal([float(bound) for bound in self.bounds], ARRAY(Float))
        return cast(func.width_bucket(cast(measure, Float), bounds), Text)


LENGTH = Steps((60, 120, 180, 300, 600))
"""Seconds of talk; at most three minutes are wanted (58741 (4))."""
SAID = Steps((1, 3, 6, 11, 21))
"""Messages of the customer."""
WAIT = Steps((600, 3600, 86400, 259200))
"""Seconds from the invitation until it is opened."""
REPLY = Steps((60, 300, 1800, 86400))
"""Seconds from the opening until the customer's first words."""


def length() -> ColumnElement[Any]:
    """Seconds of talk over all attempts; NULL when there was none."""
    return select(seconds_of_attempts()).where(Attempt.case_id == Case.id).correlate(Case).scalar_subquery()


def seconds_of_attempts() -> ColumnElement[Any]:
    """The sum over attempts; one that has not ended goes to the last message."""
    end = func.coalesce(Attempt.ended_at, Case.last_message_at, Attempt.started_at)
    return func.sum(func.greatest(_seconds(end - Attempt.started_at), 0))


def wait() -> ColumnElement[Any]:
    """Seconds from the invitation until it was opened; NULL when it never was."""
    # Asked for apart: greatest() passes over NULL.
    return case((Case.opened_at.is_not(None), func.greatest(_seconds(Case.opened_at - Case.created_at), 0)))


def said_count() -> ColumnElement[Any]:
    """How many messages the customer wrote."""
    return (
        select(func.count())
        .where(Message.case_id == Case.id, Message.direction == _IN)
        .correlate(Case)
        .scalar_subquery()
    )


def first_said_at() -> ColumnElement[Any]:
    return (
        select(func.min(Message.created_at))
        .where(Message.case_id == Case.id, Message.direction == _IN)
        .correlate(Case)
        .scalar_subquery()
    )


def reply_after(first: Any) -> ColumnElement[Any]:
    """Seconds from the opening until the customer's `first` words; NULL without either."""
    both = and_(first.is_not(None), Case.opened_at.is_not(None))
    return case((both, func.greatest(_seconds(first - Case.opened_at), 0)))


def _seconds(interval: Any) -> ColumnElement[Any]:
    return cast(func.extract("epoch", interval), Float)


# —— what was said ————————————————————————————————————————————————————


def is_low(answer: Any = Answer, revision_id: Any = Case.revision_id) -> ColumnElement[bool]:
    """Whether an answer is dissatisfaction: the words of the scales, or a score below 5 of 10."""
    value = type_coerce(answer.value, JSONB)
    # Literals: the planner takes the partial index of migration 0008 only when it sees the same condition.
    words = value.in_([literal_column(f"'\"{word}\"'") for word in LOW_WORDS])
    score = and_(
        func.jsonb_typeof(value) == literal_column("'number'"),
        value < literal_column(f"'{LOW_SCORE}'"),
        tuple_(revision_id, answer.question_id).in_(score_questions()),
    )
    return or_(words, score)


def is_probe(answer: Any = Answer) -> ColumnElement[bool]:
    """Whether an answer says why somebody was dissatisfied, or what should become better."""
    return or_(answer.question_id.like(literal_column("'%.reason'")), answer.question_id.like(literal_column("'%.improve'")))


def score_questions() -> Select[Any]:
    path = literal_column("""'lax $.script.questions[*] ? (@.type == "score").id'""")
    question = func.jsonb_path_query(ScriptRevision.content, path, type_=JSONB).op("#>>", return_type=Text())(literal_column("'{}'"))
    return select(ScriptRevision.id, question)


def dissatisfied() -> ColumnElement[bool]:
    """Whether an answer of the talk is dissatisfaction."""
    return exists().where(Answer.case_id == Case.id, ~Answer.superseded, is_low()).correlate(Case)


def said_to(question: str) -> ColumnElement[bool]:
    """Whether something was said to the question: it was neither passed nor answered with 没有."""
    value = type_coerce(Answer.value, JSONB)
    return exists().where(
        Answer.case_id == Case.id,
        Answer.question_id == question,
        ~Answer.superseded,
        value.is_not(None),
        value != _json(NOTHING),
    ).correlate(Case)


# —— aspects ————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Aspect:
    """How an aspect is named: one of its words stands in the text, and not only within a longer word of something else.

    "不贵" does not name the price as something that went wrong, "服务态度" is the attitude and not the service.
    """

    id: str
    words: tuple[str, ...]
    longer: tuple[str, ...]
    """Words of other aspects, praise and look-alikes that hold a word of this one; the longest first."""

    def is_named(self, text: str) -> bool:
        """The same as `naming` says in SQL."""
        if not any(word in text for word in self.words):
            return False
        if not self.longer:
            return True
        rest = _pattern(self.longer).sub(_GAP, text)
        return any(word in rest for word in self.words)

    def naming(self, text: ColumnElement[str]) -> ColumnElement[bool]:
        likes = literal([f"%{_unliked(word)}%" for word in self.words], ARRAY(Text))
        found = text.like(any_(likes))
        if not self.longer:
            return found
        rest = func.regexp_replace(text, _any_of(self.longer), _GAP, "g", type_=Text)
        return case((found, rest.like(any_(likes))), else_=false())  # case: the costly part only where it matters


_GAP = "\uffff"


@cache
def aspects() -> Mapping[str, Aspect]:
    """Id -> aspect, as data/lexicon/aspects.yml has them."""
    spec = lexicon.load(lexicon.ASPECTS)
    own = {one: tuple(str(word) for kind in ("words", "negative") for word in spec[one].get(kind) or ()) for one in spec}
    every = {str(word) for one in spec for kind in ("words", "negative", "positive", "ignore") for word in spec[one].get(kind) or ()}
    found = {}
    for one, words in own.items():
        longer = [other for other in every - set(words) if any(word in other for word in words)]
        found[one] = Aspect(one, words, tuple(sorted(longer, key=lambda word: (-len(word), word))))
    return found


@lru_cache(maxsize=200_000)
def aspects_in(text: str) -> tuple[str, ...]:
    """The aspects that a text names."""
    return tuple(one.id for one in aspects().values() if one.is_named(text))


def complaints(*conditions: ColumnElement[bool]) -> CompoundSelect[Any]:
    """(case_id, text): dissatisfied answers, the reasons given for them, and complaints of the talks."""
    # Under names of their own, so that the conditions may look into the same tables.
    answer, ticket = aliased(Answer), aliased(Ticket)
    answers = (
        select(answer.case_id, answer.words.label("text"))
        .join(Case, Case.id == answer.case_id)
        .where(~answer.superseded, or_(is_low(answer), is_probe(answer)), *conditions)
    )
    tickets = (
        select(ticket.case_id, ticket.reason)
        .join(Case, Case.id == ticket.case_id)
        .where(ticket.kind.in_(("complaint", "dissatisfaction")), *conditions)
    )
    return union_all(answers, tickets)


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)))


def _any_of(words: Sequence[str]) -> str:
    return "(" + "|".join(_escaped(word) for word in words) + ")"


def _escaped(word: str) -> str:
    return "".join(f"\\{char}" if not char.isalnum() else char for char in word)


def _unliked(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)


# —— groups ————————————————————————————————————————————————————————


def group_of(name: str) -> ColumnElement[Any]:
    """What the customer list says in the column `name`: 客户类别, VIP …"""
    value = select(Contact.fields[name].astext).where(Contact.id == Case.contact_id).correlate(Case).scalar_subquery()
    return shown(value)


def named_of(name: str) -> ColumnElement[Any]:
    """What the talk's variable `name` says: the service station, the consultant …"""
    return shown(Case.variables[name].astext)


def shown(value: Any) -> ColumnElement[Any]:
    """A group's name as tables show it and addresses hold it."""
    return func.coalesce(func.nullif(func.btrim(func.left(value, _LONGEST_GROUP), _BLANKS), ""), MISSING)


def pair(text: str) -> tuple[str, str] | None:
    """`客户类别:VIP` -> its two halves; None for what is none."""
    name, colon, value = text.partition(":")
    return (name, value) if name and colon and value else None

"""The filters as SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, intersect, literal, or_, select, tablesample, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.types import Text

from followup.console.figures import facts
from followup.console.transcripts.filters import NO_ANSWER, SAID_SOMETHING, TalkFilters
from followup.store.campaign_models import CampaignEntry
from followup.store.figures import held_between
from followup.store.models import Answer, Attempt, Case, Contact, Message, Ticket
from followup.store.staff_models import Annotation, AnswerCorrection

Often = frozenset[tuple[str, str]]
"""(word | intent, text)"""
UNSURE_BELOW = 0.7
"""An intent below this is a guess (nlu.LEADING_MIN); the number stands in an index of migration 0004."""
_MANY_DIGITS = re.compile(r"\d{5}")
LATEST = func.coalesce(Case.last_message_at, Case.created_at)
_SORTS: dict[str, tuple[Any, bool]] = {
    "latest": (LATEST, True),
    "oldest": (LATEST, False),
    "begun": (Case.created_at, True),
    "customer": (Contact.name, False),
}


def sort_key(sort: str) -> tuple[Any, bool]:
    """What a list is sorted by, and whether downwards; ties are broken by the case's id, the same way."""
    return _SORTS[sort]


def wanted(filters: TalkFilters, *, personal: bool, often: Often = frozenset()) -> Select[tuple[str, Any]]:
    """(id, key) of every talk that the filters let through. `often`: see `conditions`."""
    key, _ = sort_key(filters.sort)
    query = select(Case.id, key.label("key")).where(*conditions(filters, personal=personal, often=often))
    if filters.customer or filters.sort == "customer":
        query = query.join(Contact, Contact.id == Case.contact_id)
    return query


def complained() -> ColumnElement[bool]:
    """Whether a talk holds a complaint: by its outcome, or by a ticket."""
    return or_(
        func.coalesce(Case.outcome, "") == "complained",
        exists().where(Ticket.case_id == Case.id, Ticket.kind == "complaint"),
    )


def unsure() -> ColumnElement[bool]:
    """Whether an intent of the talk is a guess."""
    return exists().where(Message.case_id == Case.id, _is_unsure())


def corrected() -> ColumnElement[bool]:
    """Whether staff put an answer or an intent right."""
    answers = exists().where(AnswerCorrection.answer_id == Answer.id, Answer.case_id == Case.id)
    intents = exists().where(Annotation.message_id == Message.id, Message.case_id == Case.id)
    return or_(answers, intents)


def holds_word(word: str) -> ColumnElement[bool]:
    """Whether a message's text holds the word: found by the index of characters and pairs, proved by ILIKE."""
    grams = func.text_grams(Message.text, type_=ARRAY(Text))
    return and_(
        Message.direction != literal("system", literal_execute=True),
        grams.contains(func.text_grams(word, type_=ARRAY(Text))),
        Message.text.icontains(word, autoescape=True),
    )


def _is_unsure() -> ColumnElement[bool]:
    # Literals: the planner takes a partial index only when it sees the same condition.
    return and_(Message.direction == literal("in", literal_execute=True), Message.confidence < literal(UNSURE_BELOW, literal_execute=True))


def conditions(filters: TalkFilters, *, personal: bool, often: Often = frozenset()) -> Iterator[ColumnElement[bool]]:
    """What must hold for a talk, over `cases`; figures count by it too.

    `often`: what is so frequent in the messages (`often_said`) that looking into talk after talk, until a page is full, is
    faster than collecting every talk that holds it. It says the same, differently.
    """
    for column, value in ((Case.script_id, filters.script), (Case.status, filters.status), (Case.outcome_reason, filters.reason)):
        if value:
            yield column == value
    if filters.outcome:
        yield Case.outcome.is_(None) if filters.outcome == "none" else Case.outcome == filters.outcome
    if filters.first or filters.last:
        yield held_between(filters.first or date(2000, 1, 1), filters.last or date(2999, 12, 30))
    if filters.campaign:
        mine = CampaignEntry.campaign_id == int(filters.campaign)
        yield Case.id.in_(select(CampaignEntry.case_id).where(mine, CampaignEntry.case_id.is_not(None)))
    if filters.demo:
        yield Case.is_demo.is_(filters.demo == "yes")
    if filters.channel:
        yield Case.id.in_(select(Attempt.case_id).where(Attempt.channel == filters.channel))
    if filters.contact is not None:
        yield or_(Case.contact_id == filters.contact, Case.claimed_contact_id == filters.contact)
    if filters.customer:
        yield _customer(filters.customer)
    yield from _contents(filters, personal, often)
    yield from _of_figures(filters)
    if aspect := facts.aspects().get(filters.aspect):
        # The texts of the other talks need not be read.
        texts = facts.complaints(*conditions(replace(filters, aspect=""), personal=personal)).subquery("texts")
        yield Case.id.in_(select(texts.c.case_id).where(aspect.naming(texts.c.text)))
    elif filters.aspect:
        yield literal(False)


def _of_figures(filters: TalkFilters) -> Iterator[ColumnElement[bool]]:
    if filters.starts in ("us", "customer"):
        begun = facts.begun_by_customer()
        yield begun if filters.starts == "customer" else ~begun
    if filters.reached in _REACHED:
        yield _REACHED[filters.reached]()
    if filters.dissatisfied:
        yield facts.dissatisfied()
    measured = (
        (facts.why, filters.why),
        (facts.stopped_after, filters.stopped),
        (lambda: facts.LENGTH.of(facts.length()), filters.length),
        (lambda: facts.SAID.of(facts.said_count()), filters.said),
        (lambda: facts.WAIT.of(facts.wait()), filters.wait),
        (lambda: facts.REPLY.of(facts.reply_after(facts.first_said_at())), filters.reply),
    )
    for measure, key in measured:
        if key:
            yield measure() == key
    if pair := facts.pair(filters.group):
        yield facts.group_of(pair[0]) == pair[1]
    if pair := facts.pair(filters.named):
        yield facts.named_of(pair[0]) == pair[1]


_REACHED = {
    "opened": facts.opened,
    "unopened": lambda: ~facts.opened(),
    "replied": facts.replied,
    "silent": lambda: and_(facts.opened(), ~facts.replied()),
}


def _contents(filters: TalkFilters, personal: bool, often: Often) -> Iterator[ColumnElement[bool]]:
    sets = []
    for name, one in _in_messages(filters, personal):
        if name in often:
            # As a value, not EXISTS, which the planner would turn into the very set that is to be avoided.
            here = select(literal(True)).where(Message.case_id == Case.id, _SAID_OFTEN[name[0]](name[1])).limit(1)
            yield func.coalesce(here.scalar_subquery(), False)
        else:
            sets.append(select(Message.case_id).where(one))
    if sets:
        # Each set from its own index and then what is in all: tried talk by talk, several would take seconds.
        yield Case.id.in_(intersect(*sets) if len(sets) > 1 else sets[0])
    if filters.question:
        yield _answered(filters.question, filters.answer)
    if filters.complaint:
        yield complained()
    if filters.ticket:
        yield exists().where(Ticket.case_id == Case.id)
    if filters.corrected:
        answers = select(Answer.case_id).join(AnswerCorrection, AnswerCorrection.answer_id == Answer.id)
        intents = select(Message.case_id).join(Annotation, Annotation.message_id == Message.id)
        yield Case.id.in_(answers.union_all(intents))


def _in_messages(filters: TalkFilters, personal: bool) -> Iterator[tuple[tuple[str, str], ColumnElement[bool]]]:
    """What must hold for some message of the talk, each for one of its own, with a name."""
    for word in filters.words:
        # Who may not see numbers may not find out by searching whether one occurs.
        hidden = not personal and _MANY_DIGITS.search(word)
        yield ("hidden" if hidden else "word", word), literal(False) if hidden else holds_word(word)
    if filters.intent:
        yield ("intent", filters.intent), _has_intent(filters.intent)
    if filters.unsure:
        yield ("unsure", ""), _is_unsure()


_SAID_OFTEN: dict[str, Callable[[str], ColumnElement[bool]]] = {
    # Without the index of characters: inside one talk the lines are read anyway.
    "word": lambda word: and_(Message.direction != "system", Message.text.icontains(word, autoescape=True)),
    "intent": lambda intent: _has_intent(intent),
}
_OFTEN = 0.01
"""Share of the messages: there both ways take the same time (docs/performance-console.md)."""
_FEWEST_TALKS = 4
_SAMPLE_PERCENT = 0.1


async def often_said(session: AsyncSession, filters: TalkFilters, *, personal: bool) -> Often:
    """Which words and intents of the filters are frequent, told from a sample of the messages' pages (some milliseconds).

    One that occurs in few talks is never called frequent, however often it is said there. A wrong guess costs time, nothing else.
    """
    names = [name for name, _ in _in_messages(filters, personal) if name[0] in _SAID_OFTEN]
    if not names:
        return frozenset()
    sample = tablesample(Message, func.system(_SAMPLE_PERCENT), seed=literal(1), name="sample")
    some = aliased(Message, sample)
    adapted = [ClauseAdapter(sample).traverse(_SAID_OFTEN[kind](text)) for kind, text in names]
    columns = [column for one in adapted for column in (func.count().filter(one), func.count(some.case_id.distinct()).filter(one))]
    row = (await session.execute(select(func.count(), *columns).select_from(some))).one()
    total, counts = row[0], row[1:]
    found = zip(names, counts[::2], counts[1::2], strict=True)
    return frozenset(name for name, count, talks in found if count >= _OFTEN * total and talks >= _FEWEST_TALKS)


def _customer(part: str) -> ColumnElement[bool]:
    claimed = select(Contact.id).where(_named(part))
    return or_(_named(part), Case.claimed_contact_id.in_(claimed))


def _named(part: str) -> ColumnElement[bool]:
    return or_(Contact.name.icontains(part, autoescape=True), Contact.phone.contains(part, autoescape=True))


def _has_intent(intent: str) -> ColumnElement[bool]:
    """As the leading intent (`faq`) or as one of the acts (`faq/eat_pear`)."""
    act = type_coerce([{"intent": intent}], JSONB)
    return and_(
        Message.direction == literal("in", literal_execute=True),
        or_(Message.intent == intent, Message.acts.contains(act)),
    )


def _answered(question: str, answer: str) -> ColumnElement[bool]:
    valid = exists().where(Answer.case_id == Case.id, Answer.question_id == question, ~Answer.superseded)
    if not answer:
        return valid
    if answer == NO_ANSWER:
        return valid.where(Answer.value.is_(None))
    if answer == SAID_SOMETHING:
        return facts.said_to(question)
    value = type_coerce(Answer.value, JSONB)
    as_text = value.op("#>>", return_type=Text())(literal("{}").cast(ARRAY(Text)))
    one_of_several = value.contains(type_coerce(answer, JSONB))  # a JSON array contains its strings
    return valid.where(or_(as_text == answer, one_of_several))

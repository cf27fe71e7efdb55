"""Erasing: what was said, and who it was, goes from every table in one transaction; what is counted stays.

Behind the back of nobody: the transaction holds the lock of each conversation (`talk.turn`) and of its tracker
(`store.tracker`), so no turn is under way; one that a killed process still has in hand writes nothing afterwards, because
tracker store, actions and inbox look at `cases.erased_at`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from followup.contacts.parse import OPENID_FIELD
from followup.contacts.save import hold
from followup.rights.left import GONE, Questions, left_of_variables
from followup.store.models import Answer, Case, Contact, DoNotContact, Message, ScriptRevision
from followup.store.staff_models import AnswerCorrection

LONGEST_WAIT = "20s"
"""For a turn that is under way."""
_SHORTEST_NUMBER = 6


class NotNow(RuntimeError):
    """A turn of one of the talks goes on and on; nothing was erased. To be tried again."""


class NoSuchCustomer(LookupError):
    """There is none, or not any more."""


@dataclass(frozen=True, slots=True)
class Who:
    """Whom an erasure is about."""

    contact_id: int
    contacts: list[int]
    """The customer, and visitors who gave the same number."""
    cases: list[str]
    names: list[str]
    phones: list[str]
    mentions: list[str] = field(default_factory=list)
    """Other people's talks in which the number occurs."""
    others: list[str] = field(default_factory=list)
    """Mailbox, OpenID, the firm's own number."""

    @property
    def known(self) -> list[str]:
        """What must not be found anywhere afterwards. A number such as 7 would be found everywhere."""
        return [*self.phones, *(name for name in self.names if len(name) > 1), *(one for one in self.others if len(one) >= _SHORTEST_NUMBER)]


async def who_is(session: AsyncSession, contact_id: int) -> Who:
    """Everything that belongs to the customer. Raises NoSuchCustomer."""
    contact = await session.get(Contact, contact_id)
    if contact is None or contact.erased_at is not None:
        raise NoSuchCustomer(contact_id)
    contacts = [contact]
    if contact.phone:
        same = select(Contact).where(Contact.phone == contact.phone, Contact.is_anonymous, Contact.id != contact.id)
        contacts += await session.scalars(same.where(Contact.erased_at.is_(None)).order_by(Contact.id))
    ids = [one.id for one in contacts]
    cases = list(await session.scalars(select(Case.id).where(Case.contact_id.in_(ids)).order_by(Case.id)))
    phones = sorted({one.phone for one in contacts if one.phone})
    names = sorted({one.name for one in contacts if one.name.strip()})
    others = sorted({value for one in contacts for value in (one.email, one.external_id, one.fields.get(OPENID_FIELD)) if value})
    return Who(contact_id, ids, cases, names, phones, await _mentions(session, phones, cases), others)


async def _mentions(session: AsyncSession, phones: Sequence[str], own: Sequence[str]) -> list[str]:
    if not phones:
        return []
    grams = [func.text_grams(Message.text).op("@>")(func.text_grams(phone)) & Message.text.contains(phone) for phone in phones]
    found = select(Message.case_id).distinct().where(Message.direction != text("'system'"), or_(*grams))
    return sorted(set(await session.scalars(found)) - set(own))


async def erase_customer(session: AsyncSession, contact_id: int, entry_id: int, at: datetime) -> Who:
    """Erase a customer everywhere in the database. Raises NoSuchCustomer, NotNow.

    `entry_id`: what the audit log says of it, written in this transaction, without personal data.
    """
    who = await who_is(session, contact_id)
    await lock(session, [*who.cases, *who.mentions])
    # A turn may have ended while we waited: what it wrote is seen from here on.
    session.expire_all()
    who = await who_is(session, contact_id)
    await session.flush()
    await erase_talks(session, who.cases, at, known=who.known)
    await _blank_numbers(session, who)
    await _erase_contacts(session, who, at)
    await _forget_in_audit(session, entry_id, who)
    session.expire_all()
    return who


async def lock(session: AsyncSession, case_ids: Iterable[str]) -> None:
    """Until the end of the transaction no turn of these talks begins, and no import brings customers. Raises NotNow."""
    await session.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'"))
    try:
        await hold(session)
        for case_id in sorted(set(case_ids)):
            for kind in ("turn", "tracker"):
                key = {"key": f"{kind}:{case_id}"}
                await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") == "55P03":  # lock_not_available
            raise NotNow from error
        raise
    await session.execute(text("SET LOCAL lock_timeout = 0"))


async def erase_talks(session: AsyncSession, case_ids: Sequence[str], at: datetime, *, known: Sequence[str] = ()) -> None:
    """Erase what was said in the talks, and what says whose they are; `lock` must hold."""
    if not case_ids:
        return
    # The cases first: whoever writes to a talk locks its row before anything else.
    await _erase_variables(session, case_ids, at, known)
    await _erase_answers(session, case_ids)
    for statement in _STATEMENTS:
        await session.execute(text(statement), {"cases": list(case_ids), "at": at, "gone": GONE})
    await _count_anew(session, case_ids)


async def _count_anew(session: AsyncSession, case_ids: Sequence[str]) -> None:
    """What the figures wrote down of the talks goes with what it was made of, and is made again."""
    await session.execute(text("DELETE FROM talk_facts WHERE case_id = ANY(:cases)"), {"cases": list(case_ids)})
    await session.execute(text("INSERT INTO dirty_talks (case_id) SELECT unnest(CAST(:cases AS text[]))"), {"cases": list(case_ids)})


# Read with docs/decisions/0009 beside it. tests/integration/rights checks that no text column of the schema is forgotten.
_STATEMENTS = (
    "DELETE FROM events WHERE sender_id = ANY(:cases)",
    "DELETE FROM access_tokens WHERE case_id = ANY(:cases)",
    "DELETE FROM wechat_logins WHERE case_id = ANY(:cases)",
    "DELETE FROM procrastinate_jobs WHERE args ->> 'case_id' = ANY(:cases)",
    "DELETE FROM annotations USING messages WHERE annotations.message_id = messages.id AND messages.case_id = ANY(:cases)",
    "DELETE FROM training_decisions USING messages WHERE training_decisions.message_id = messages.id AND messages.case_id = ANY(:cases)",
    # What a trainer took from a line and has not handed in: masked, but still the customer's words.
    "DELETE FROM example_changes USING messages WHERE state = 'open' AND example_changes.message_id = messages.id AND messages.case_id = ANY(:cases)",
    "DELETE FROM word_marks USING messages WHERE state = 'open' AND word_marks.message_id = messages.id AND messages.case_id = ANY(:cases)",
    "DELETE FROM notes WHERE case_id = ANY(:cases)",
    "DELETE FROM staff_notes WHERE case_id = ANY(:cases)",
    """
    UPDATE messages SET
        text = :gone, quick_replies = NULL, error = NULL, channel_message_id = 'erased-' || id,
        acts = (SELECT jsonb_agg(act - 'text') FROM jsonb_array_elements(acts) AS act),
        status = CASE status WHEN 'received' THEN 'handled' WHEN 'queued' THEN 'failed' ELSE status END
    WHERE case_id = ANY(:cases) AND direction <> 'system'
    """,
    "UPDATE messages SET status = 'handled', error = NULL WHERE case_id = ANY(:cases) AND direction = 'system' AND status = 'received'",
    """
    UPDATE tickets SET
        reason = :gone, words = '[]', solution = CASE solution WHEN '' THEN '' ELSE :gone END,
        data = (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(data)
                WHERE jsonb_typeof(value) IN ('number', 'boolean')),
        topic = CASE WHEN topic ~ '^[a-z][a-z0-9_.:/-]{0,79}$' THEN topic ELSE 'erased-' || id END,
        closed_at = coalesce(closed_at, :at), status = 'closed'
    WHERE case_id = ANY(:cases)
    """,
    """
    UPDATE ticket_events SET detail = detail - '{text,words,reason,matter}'::text[]
    FROM tickets WHERE ticket_events.ticket_id = tickets.id AND tickets.case_id = ANY(:cases)
    """,
    """
    UPDATE callbacks SET words = '', reason = CASE WHEN reason ~ '^[a-z_]{0,40}$' THEN reason ELSE '' END,
        status = CASE WHEN status IN ('booked', 'due') THEN 'cancelled' ELSE status END
    WHERE case_id = ANY(:cases)
    """,
    "UPDATE attempts SET ended_at = coalesce(ended_at, :at) WHERE case_id = ANY(:cases)",
    "UPDATE take_overs SET ended_at = :at, how_ended = 'closed' WHERE ended_at IS NULL AND case_id = ANY(:cases)",
    "UPDATE inspections SET comment = '' WHERE case_id = ANY(:cases)",
    """
    UPDATE deliveries SET provider_id = NULL, error = CASE WHEN error ~ '^[A-Za-z0-9_.:-]{0,60}$' THEN error ELSE '' END,
        status = CASE status WHEN 'queued' THEN 'suppressed' ELSE status END
    WHERE case_id = ANY(:cases)
    """,
    """
    UPDATE inspection_corrections SET reason = :gone, before = before || '{"comment": ""}', after = after || '{"comment": ""}'
    FROM inspections WHERE inspections.id = inspection_id AND inspections.case_id = ANY(:cases)
    """,
    "UPDATE do_not_contact SET words = '' FROM messages WHERE do_not_contact.message_id = messages.id AND messages.case_id = ANY(:cases)",
)


async def _erase_answers(session: AsyncSession, case_ids: Sequence[str]) -> None:
    rows = await session.execute(
        select(Answer, Case.revision_id).join(Case, Case.id == Answer.case_id).where(Case.id.in_(case_ids))
    )
    answers = rows.all()
    questions = await _questions(session, {revision for _, revision in answers})
    by_id = {answer.id: (answer, questions[revision]) for answer, revision in answers}
    for answer, known in by_id.values():
        answer.value, answer.words = known.left_of(answer.question_id, answer.value), ""
    corrections = await session.scalars(select(AnswerCorrection).where(AnswerCorrection.answer_id.in_(by_id)))
    for correction in corrections:
        answer, known = by_id[correction.answer_id]
        correction.before = known.left_of(answer.question_id, correction.before)
        correction.after = known.left_of(answer.question_id, correction.after)
        correction.reason = GONE
    await session.flush()


async def _questions(session: AsyncSession, revisions: set[int]) -> dict[int, Questions]:
    rows = await session.execute(select(ScriptRevision.id, ScriptRevision.content).where(ScriptRevision.id.in_(revisions)))
    return {revision: Questions(content) for revision, content in rows}


async def _erase_variables(session: AsyncSession, case_ids: Sequence[str], at: datetime, known: Sequence[str]) -> None:
    cases = await session.scalars(select(Case).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update())
    for case in cases:
        case.variables = left_of_variables(case.variables, known)
        case.outcome_reason = case.outcome_reason if case.outcome_reason.isascii() else GONE
        case.status, case.claimed_contact_id, case.claimed_case_id = "closed", None, None
        case.nudged_at, case.erased_at = None, at
    await session.flush()


async def _erase_contacts(session: AsyncSession, who: Who, at: datetime) -> None:
    theirs = DoNotContact.contact_id.in_(who.contacts)
    if who.phones:
        theirs = or_(theirs, DoNotContact.phone.in_(who.phones))
    await session.execute(
        update(DoNotContact)
        .where(theirs)
        .values(
            phone=None,
            phone_digest=func.coalesce(func.phone_digest(DoNotContact.phone), DoNotContact.phone_digest),
            email=None,
            email_digest=func.coalesce(func.phone_digest(DoNotContact.email), DoNotContact.email_digest),
            words="",
            # A code such as `customer` stays; a sentence may say anything.
            reason=text(f"CASE WHEN do_not_contact.reason ~ '^[a-z_]*$' THEN do_not_contact.reason ELSE '{GONE}' END"),
            lift_reason=text(f"CASE do_not_contact.lift_reason WHEN '' THEN '' ELSE '{GONE}' END"),
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(Case)
        .where(Case.claimed_contact_id.in_(who.contacts))
        .values(claimed_contact_id=None, claimed_case_id=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(text(_REMEMBER), {"contact": who.contact_id, "at": at, "openid": OPENID_FIELD})
    await empty_contacts(session, who.contacts, who.known, at)


# Nobody can be read off it; an import that brings the customer again is refused by it (contacts.save). What a visitor typed
# may be somebody else's number, and is not remembered.
_REMEMBER = """
INSERT INTO do_not_contact (phone_digest, email_digest, other_digests, reason, source, at)
SELECT phone_digest(phone), phone_digest(email), array_remove(ARRAY[phone_digest('id:' || external_id), phone_digest('openid:' || (fields ->> :openid))], NULL),
    'erased', 'erased', :at
FROM contacts WHERE id = :contact AND NOT is_anonymous AND coalesce(phone, email, external_id, fields ->> :openid) IS NOT NULL
"""


async def empty_contacts(session: AsyncSession, contacts: Sequence[int], known: Sequence[str], at: datetime) -> None:
    """What says who the customers are, also what their import and their campaigns say; nothing more is sent to them."""
    for statement in _CONTACT_STATEMENTS:
        values = {"contacts": list(contacts), "known": list(known), "at": at}
        await session.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})


_CONTACT_STATEMENTS = (
    # Of a file's rows that were not taken, those that name the customer.
    """
    UPDATE imports SET bad = (
        SELECT coalesce(jsonb_agg(line ORDER BY place), '[]') FROM jsonb_array_elements(bad) WITH ORDINALITY AS lines (line, place)
        WHERE NOT EXISTS (SELECT 1 FROM unnest(CAST(:known AS text[])) AS word WHERE strpos(line::text, word) > 0))
    WHERE EXISTS (SELECT 1 FROM unnest(CAST(:known AS text[])) AS word WHERE strpos(bad::text, word) > 0)
    """,
    # A file, or a group, may have the customer's name; so may what talks were drawn by for inspection.
    f"UPDATE imports SET file_name = '{GONE}' WHERE EXISTS (SELECT 1 FROM unnest(CAST(:known AS text[])) AS word WHERE strpos(file_name, word) > 0)",
    """
    UPDATE imports SET groups = (
        SELECT coalesce(jsonb_agg(name), '[]') FROM jsonb_array_elements_text(groups) AS name
        WHERE NOT EXISTS (SELECT 1 FROM unnest(CAST(:known AS text[])) AS word WHERE strpos(name, word) > 0))
    WHERE EXISTS (SELECT 1 FROM unnest(CAST(:known AS text[])) AS word WHERE strpos(groups::text, word) > 0)
    """,
    """
    UPDATE contacts SET groups = ARRAY(
        SELECT name FROM unnest(groups) AS name
        WHERE NOT EXISTS (SELECT 1 FROM unnest(CAST(:known AS text[])) AS word WHERE strpos(name, word) > 0))
    WHERE id = ANY(:contacts)
    """,
    """
    UPDATE inspection_samples SET filters = (
        SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(filters)
        WHERE NOT EXISTS (SELECT 1 FROM unnest(CAST(:known AS text[])) AS word WHERE strpos(value::text, word) > 0))
    WHERE EXISTS (SELECT 1 FROM unnest(CAST(:known AS text[])) AS word WHERE strpos(filters::text, word) > 0)
    """,
    # Whom campaigns would reach, packed, with names; it is reckoned again when somebody looks.
    "DELETE FROM dry_runs WHERE result IS NOT NULL",
    "DELETE FROM imported_contacts WHERE contact_id = ANY(:contacts)",
    # Files that wait to be taken, and remembered answers of the API, may name the customer; both live for a day anyway.
    "DELETE FROM uploads",
    "DELETE FROM api_requests",
    "DELETE FROM consents WHERE contact_id = ANY(:contacts)",
    "DELETE FROM wechat_users WHERE contact_id = ANY(:contacts)",
    "DELETE FROM wecom_users WHERE contact_id = ANY(:contacts)",
    """
    UPDATE campaign_entries SET state = 'cancelled', next_at = NULL, closed_at = coalesce(closed_at, :at)
    WHERE contact_id = ANY(:contacts) AND state IN ('reserve', 'waiting', 'queued')
    """,
    """
    UPDATE contacts SET name = '', title = '', phone = NULL, email = NULL, external_id = NULL, fields = '{}', erased_at = :at
    WHERE id = ANY(:contacts)
    """,
)


async def _blank_numbers(session: AsyncSession, who: Who) -> None:
    """The number in other people's talks, where somebody gave it as the one to call: only the digits go."""
    for phone in who.phones if who.mentions else ():
        for statement in _NUMBER_STATEMENTS:
            await session.execute(text(statement), {"cases": who.mentions, "phone": phone, "gone": GONE})
    await _count_anew(session, who.mentions)


def _json(column: str) -> str:
    """A JSON column without the number: in a text the mark stands instead, a bare number becomes 0."""
    bare = rf"regexp_replace({column}::text, '(^|[:,\[]\s?)' || :phone || '(?=$|[,}}\]])', '\1' || '0', 'g')"
    return f"{column} = replace({bare}, :phone, :gone)::jsonb"


def _text(column: str) -> str:
    return f"{column} = replace({column}, :phone, :gone)"


_NUMBER_STATEMENTS = (
    f"UPDATE messages SET {_text('text')}, {_json('acts')} WHERE case_id = ANY(:cases) AND strpos(text, :phone) > 0",
    # Rasa's events are text of ASCII only, and so must be the mark.
    "UPDATE events SET data = replace(data, :phone, '*') WHERE sender_id = ANY(:cases) AND strpos(data, :phone) > 0 AND :gone <> ''",
    f"UPDATE answers SET {_text('words')}, {_json('value')} WHERE case_id = ANY(:cases)",
    f"UPDATE answer_corrections SET {_text('reason')}, {_json('before')}, {_json('after')} "
    "FROM answers WHERE answers.id = answer_id AND case_id = ANY(:cases)",
    # The topic is part of a note's key.
    f"UPDATE notes SET {_text('text')}, topic = replace(topic, :phone, :gone || id) WHERE case_id = ANY(:cases)",
    f"UPDATE staff_notes SET {_text('text')} WHERE case_id = ANY(:cases)",
    f"UPDATE callbacks SET {_text('words')} WHERE case_id = ANY(:cases)",
    f"UPDATE tickets SET {_text('reason')}, {_text('solution')}, {_json('words')}, {_json('data')} WHERE case_id = ANY(:cases)",
    f"UPDATE ticket_events SET {_json('detail')} FROM tickets WHERE tickets.id = ticket_id AND case_id = ANY(:cases)",
    f"UPDATE cases SET {_json('variables')} WHERE id = ANY(:cases)",
)


async def _forget_in_audit(session: AsyncSession, entry_id: int, who: Who) -> None:
    """What the log says about the customer's records gives way to the number of the entry that tells of the erasure.

    Who did what, when, to which record stays; the database allows nothing but this (migration 0005).
    """
    await session.execute(
        text(_FORGET),
        {
            "entry": entry_id,
            "cases": who.cases,
            "contacts": [str(one) for one in who.contacts],
            "phones": [one for one in who.known if one not in who.names],
            "names": [name for name in who.names if len(name) > 1],
        },
    )


_FORGET = """
UPDATE audit_log SET detail = jsonb_build_object('erased', CAST(:entry AS bigint))
WHERE id <> :entry AND detail <> '{}' AND NOT detail ? 'erased' AND (
    object_type = 'case' AND object_id = ANY(:cases)
    OR detail ->> 'case' = ANY(:cases)
    OR object_type = 'contact' AND object_id = ANY(:contacts)
    OR object_type = 'ticket' AND object_id IN (SELECT id::text FROM tickets WHERE case_id = ANY(:cases))
    OR object_type = 'answer' AND object_id IN (SELECT id::text FROM answers WHERE case_id = ANY(:cases))
    OR object_type = 'message' AND object_id IN (SELECT id::text FROM messages WHERE case_id = ANY(:cases))
    OR EXISTS (SELECT 1 FROM unnest(CAST(:phones AS text[])) AS phone WHERE strpos(detail::text, phone) > 0)
    -- A colleague may have the same name: only what somebody searched for and exported counts.
    OR EXISTS (SELECT 1 FROM unnest(CAST(:names AS text[])) AS name WHERE strpos((detail -> 'filters')::text, name) > 0)
)
"""


async def forget_in_audit_of_talks(session: AsyncSession, entry_id: int, case_ids: Sequence[str]) -> None:
    """The same for talks whose time is over."""
    nobody = Who(0, [], list(case_ids), [], [])
    await _forget_in_audit(session, entry_id, nobody)


def summary(who: Who) -> dict[str, Any]:
    """What the audit log may say of an erasure: how much, not whose."""
    return {"talks": len(who.cases), "visitors": len(who.contacts) - 1, "mentions": len(who.mentions)}

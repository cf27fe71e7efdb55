"""One talk as staff look at it: what was said, how it was understood, what came of it. Masked where it must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup import clock
from followup.console.transcripts.conditions import UNSURE_BELOW
from followup.console.transcripts.controls import Control, control_of
from followup.console.transcripts.masking import Mask, NoMask, is_personal, name_of, phone_of
from followup.console.transcripts.questions import Questions, how_label
from followup.console.wechat.delivery import Delivery, Quota, delivery_of, quota_of
from followup.store import records
from followup.store.messages import TO_A_COLLEAGUE
from followup.store.models import Answer, Attempt, Callback, Case, Contact, Message, Note, ScriptRevision, Ticket, User
from followup.store.staff_models import Annotation, AnswerCorrection, StaffMessage, StaffNote

_PERSONAL_ANSWERS = ("phone", "address", "name")


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a line does; `text` are the words that do it."""

    intent: str
    confidence: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One message, or several of ours in a row answered to one of the customer's."""

    id: int
    mine: bool
    """Ours; otherwise the customer's."""
    speaker: str
    """A colleague's name where a colleague wrote; empty for the assistant and the customer."""
    text: str
    at: datetime
    intent: str | None
    confidence: float | None
    unsure: bool
    acts: list[Act]
    buttons: list[str]
    failed: bool
    to_colleague: bool
    """Said to a colleague who had taken the talk over: the bot did not read it."""
    delivery: Delivery | None
    """What became of a line that went to somebody's phone; None for others."""
    answers: list[AnswerView] = field(default_factory=list)
    """What the line led to."""
    annotations: list[AnnotationView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CorrectionView:
    id: int
    before: Any
    after: Any
    reason: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AnnotationView:
    intent: str
    comment: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AnswerView:
    id: int
    question_id: str
    question: str
    value: Any
    words: str
    how: str
    superseded: bool
    message_id: int | None
    control: Control
    corrections: list[CorrectionView]

    @property
    def seen(self) -> int:
        """What a correction's form sends back, so that nobody overwrites what they have not seen."""
        return self.corrections[-1].id if self.corrections else 0


@dataclass(frozen=True, slots=True)
class NoteView:
    kind: str
    """A kind of the bot's note; empty for a colleague's."""
    who: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TalkView:
    case: Case
    contact: Contact
    claimed: Contact | None
    enquiries: list[str]
    """Talks in which somebody gave this customer's number."""
    customer: str
    phone: str
    claimed_customer: str
    claimed_phone: str
    script: str
    version: str
    facts: list[tuple[str, str]]
    """Label and value of the customer's own data and the script's variables."""
    lines: list[Line]
    answers: list[AnswerView]
    attempts: list[Attempt]
    callbacks: list[Callback]
    tickets: list[Ticket]
    notes: list[NoteView]
    mask: Mask
    quota: Quota | None
    """What may still be sent by WeChat; None for a talk that is not held there."""


async def talk_view(session: AsyncSession, case_id: str, *, personal: bool) -> TalkView | None:
    """Everything about a talk; None when there is none. `personal` False: masked."""
    claimed_contact = aliased(Contact)
    row = (
        await session.execute(
            select(Case, Contact, ScriptRevision, claimed_contact)
            .join(Contact, Contact.id == Case.contact_id)
            .join(ScriptRevision, ScriptRevision.id == Case.revision_id)
            .outerjoin(claimed_contact, claimed_contact.id == Case.claimed_contact_id)
            .where(Case.id == case_id)
        )
    ).first()
    if row is None:
        return None
    case, contact, revision, claimed = row
    questions = Questions(revision.content, case.variables)
    stored = (await session.scalars(select(Answer).where(Answer.case_id == case_id).order_by(Answer.id))).all()
    mask = NoMask() if personal else Mask(personal_words(case, contact, claimed, stored, questions))
    answers = await _answers(session, stored, questions, mask)
    return TalkView(
        case=case,
        contact=contact,
        claimed=claimed,
        enquiries=await records.enquiries_of(session, contact.id),
        customer=_named(contact, personal),
        phone=(contact.phone or "") if personal else phone_of(contact.phone),
        claimed_customer=_named(claimed, personal) if claimed else "",
        claimed_phone=((claimed.phone or "") if personal else phone_of(claimed.phone)) if claimed else "",
        script=questions.script.name if questions.script else case.script_id,
        version=revision.version,
        facts=_facts(case, contact, questions, mask, personal),
        lines=await _lines(session, case_id, answers, mask),
        answers=answers,
        attempts=list(await session.scalars(select(Attempt).where(Attempt.case_id == case_id).order_by(Attempt.number))),
        callbacks=list(await session.scalars(select(Callback).where(Callback.case_id == case_id).order_by(Callback.id))),
        tickets=await records.tickets_of(session, case_id),
        notes=await _notes(session, case_id, mask),
        mask=mask,
        quota=await quota_of(session, case_id, clock.now()),
    )


def _named(contact: Contact, personal: bool) -> str:
    name = contact.name if personal else name_of(contact.name)
    return f"{name}{contact.title}" or "没有留下姓名"


def personal_words(
    case: Case, contact: Contact, claimed: Contact | None, answers: Sequence[Answer], questions: Questions
) -> list[str]:
    """This customer's own data, wherever it occurs in the talk."""
    found = [contact.name, contact.phone, claimed.name if claimed else None, claimed.phone if claimed else None]
    found += [value for key, value in case.variables.items() if is_personal(key)]
    found += [value for key, value in contact.fields.items() if is_personal(key)]
    for answer in answers:
        question = questions.find(answer.question_id)
        if question is not None and question.type in _PERSONAL_ANSWERS:
            found.append(answer.value)
    return [value for value in found if isinstance(value, str)]


def _facts(case: Case, contact: Contact, questions: Questions, mask: Mask, personal: bool) -> list[tuple[str, str]]:
    labels = questions.script.variables if questions.script else {}
    facts = [(_variable_name(key, labels), key, value) for key, value in case.variables.items()]
    facts += [(key, key, value) for key, value in contact.fields.items()]
    shown = []
    for name, key, value in facts:
        if value in (None, "") or isinstance(value, (dict, list)):
            continue
        hidden = not personal and (is_personal(key) or is_personal(name))
        shown.append((name, "［已隐藏］" if hidden else mask(str(value))))
    return list(dict.fromkeys(shown))


def _variable_name(key: str, labels: Mapping[str, Mapping[str, Any]]) -> str:
    return str(labels.get(key, {}).get("label", key))


async def _answers(
    session: AsyncSession, stored: Sequence[Answer], questions: Questions, mask: Mask
) -> list[AnswerView]:
    corrections: dict[int, list[CorrectionView]] = {}
    if stored:
        rows = await session.execute(
            select(AnswerCorrection, User.name)
            .join(User, User.id == AnswerCorrection.user_id)
            .where(AnswerCorrection.answer_id.in_([answer.id for answer in stored]))
            .order_by(AnswerCorrection.id)
        )
        for row, who in rows:
            view = CorrectionView(row.id, mask.value(row.before), mask.value(row.after), mask(row.reason), who, row.at)
            corrections.setdefault(row.answer_id, []).append(view)
    return [
        AnswerView(
            id=answer.id,
            question_id=answer.question_id,
            question=mask(questions.label(answer.question_id)),
            value=mask.value(answer.value),
            words=mask(answer.words),
            how=how_label(answer.how),
            superseded=answer.superseded,
            message_id=answer.message_id,
            control=control_of(
                questions.find(answer.question_id), answer.value, questions.total(answer.question_id)
            ),
            corrections=corrections.get(answer.id, []),
        )
        for answer in stored
    ]


async def _lines(session: AsyncSession, case_id: str, answers: Sequence[AnswerView], mask: Mask) -> list[Line]:
    rows = (
        await session.execute(
            select(Message, User.name)
            .outerjoin(StaffMessage, StaffMessage.message_id == Message.id)
            .outerjoin(User, User.id == StaffMessage.user_id)
            .where(Message.case_id == case_id, Message.direction != "system")
            .order_by(Message.id)
        )
    ).all()
    led_to: dict[int, list[AnswerView]] = {}
    for answer in answers:
        if answer.message_id is not None:
            led_to.setdefault(answer.message_id, []).append(answer)
    said = await _annotations(session, case_id, mask)
    return [_line(message, who, led_to.get(message.id, []), said.get(message.id, []), mask) for message, who in rows]


def _line(
    message: Message, who: str | None, answers: list[AnswerView], said: list[AnnotationView], mask: Mask
) -> Line:
    mine = message.direction == "out"
    acts = [Act(act.get("intent", ""), act.get("confidence"), mask(act.get("text", ""))) for act in message.acts or []]
    return Line(
        id=message.id,
        mine=mine,
        speaker=who or "",
        text=mask(message.text),
        at=message.created_at,
        intent=message.intent,
        confidence=message.confidence,
        unsure=not mine and message.confidence is not None and message.confidence < UNSURE_BELOW,
        acts=acts,
        buttons=[mask(button) for button in message.quick_replies or []],
        failed=message.status == "failed",
        to_colleague=message.error == TO_A_COLLEAGUE,
        delivery=delivery_of(message.direction, message.channel, message.status, message.error),
        answers=answers,
        annotations=said,
    )


async def _annotations(session: AsyncSession, case_id: str, mask: Mask) -> dict[int, list[AnnotationView]]:
    rows = await session.execute(
        select(Annotation, User.name)
        .join(User, User.id == Annotation.user_id)
        .join(Message, Message.id == Annotation.message_id)
        .where(Message.case_id == case_id)
        .order_by(Annotation.id)
    )
    found: dict[int, list[AnnotationView]] = {}
    for row, who in rows:
        view = AnnotationView(row.intent, mask(row.comment), who, row.at)
        found.setdefault(row.message_id, []).append(view)
    return found


async def _notes(session: AsyncSession, case_id: str, mask: Mask) -> list[NoteView]:
    """What the bot noted, in this talk and in enquiries that name it, and what colleagues wrote; oldest first."""
    enquiries = select(Case.id).where(Case.claimed_case_id == case_id)
    noted = await session.scalars(
        select(Note).where(or_(Note.case_id == case_id, Note.case_id.in_(enquiries))).order_by(Note.id)
    )
    views = [NoteView(note.kind, "", mask(note.text), note.created_at) for note in noted]
    written = await session.execute(
        select(StaffNote, User.name).join(User, User.id == StaffNote.user_id).where(StaffNote.case_id == case_id)
    )
    views += [NoteView("", who, mask(note.text), note.created_at) for note, who in written]
    return sorted(views, key=lambda view: view.at)

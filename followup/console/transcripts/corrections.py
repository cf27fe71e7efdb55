"""Putting right what was read wrongly: answers (which the figures then use) and intents (for the trainers)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.permissions import Permission, Staff
from followup.console.transcripts.controls import BadValue, control_of, value_of
from followup.console.transcripts.questions import Questions
from followup.scripts.compute import COMPUTATIONS
from followup.scripts.model import Question
from followup.scripts.walk import holds
from followup.store.models import Answer, Case, ScriptRevision, Ticket
from followup.store.staff_models import AnswerCorrection, TicketEvent

LONGEST_REASON = 500
RECOMPUTED = "随“{question}”的更正重新计算"


async def correct_answer(
    session: AsyncSession,
    staff: Staff,
    case_id: str,
    answer_id: int,
    form: Mapping[str, str],
    several: Sequence[str] = (),
) -> bool:
    """Put an answer right: its value, a row that keeps what it was, results computed from it, the audit log.

    `form`: `reason`, `seen` (the newest correction's id that the page showed, 0 for none) and the fields of
    `controls.value_of`. False when the case has no such answer. Raises BadValue for what cannot be, and for an answer
    that changed after the page was shown: then nothing is overwritten.
    """
    found = (
        await session.execute(
            select(Answer, Case, ScriptRevision)
            .join(Case, Case.id == Answer.case_id)
            .join(ScriptRevision, ScriptRevision.id == Case.revision_id)
            .where(Answer.id == answer_id, Answer.case_id == case_id)
            .with_for_update(of=Answer)
        )
    ).first()
    if found is None:
        return False
    answer, case, revision = found
    if answer.superseded:
        raise BadValue("superseded")
    if form.get("seen", "") != str(await _newest_correction(session, answer_id)):
        raise BadValue("changed_meanwhile")
    questions = Questions(revision.content, case.variables)
    control = control_of(questions.find(answer.question_id), answer.value, questions.total(answer.question_id))
    if control.personal and not staff.may(Permission.SEE_PERSONAL):
        raise BadValue("bad_option")
    value = value_of(control, form, several)
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    if not reason:
        raise BadValue("no_reason")
    if value == answer.value and type(value) is type(answer.value):
        raise BadValue("no_change")
    before = answer.value
    _put(session, staff, answer, value, reason)
    await _compute_again(session, staff, questions, answer)
    await audit(
        session, staff, "answer.correct", "answer", answer_id,
        case=case_id, question=answer.question_id, before=before, after=value, reason=reason,
    )  # fmt: skip
    return True


async def _newest_correction(session: AsyncSession, answer_id: int) -> int:
    newest = select(func.max(AnswerCorrection.id)).where(AnswerCorrection.answer_id == answer_id)
    return await session.scalar(newest) or 0


def _put(session: AsyncSession, staff: Staff, answer: Answer, value: Any, reason: str) -> None:
    session.add(
        AnswerCorrection(
            answer_id=answer.id, before=answer.value, after=value, reason=reason, user_id=staff.id, at=clock.now()
        )
    )
    answer.value = value


async def _compute_again(session: AsyncSession, staff: Staff, questions: Questions, changed: Answer) -> None:
    """Results that the answer went into (落实度, the compensation), once more: figures use them too."""
    steps = questions.computed_from(changed.question_id)
    if not steps:
        return
    rows = await session.scalars(
        select(Answer).where(Answer.case_id == changed.case_id, ~Answer.superseded).with_for_update()
    )
    answers = {row.question_id: row for row in rows}
    values = {question_id: row.value for question_id, row in answers.items()}
    for step in steps:
        if step.id not in answers:
            continue
        result = _computed(step, values, questions)
        values[step.id] = result
        old = answers[step.id].value
        if result != old:
            reason = RECOMPUTED.format(question=questions.label(changed.question_id))
            _put(session, staff, answers[step.id], result, reason)
            if step.ticket:
                await _follow_ticket(session, staff, changed.case_id, step, old, result)


def _computed(step: Question, values: Mapping[str, Any], questions: Questions) -> Any:
    """The result; None where it no longer applies, as the talk would not have come to it."""
    if not holds(step.ask_if, {**questions.variables, **values}):
        return None
    return COMPUTATIONS[step.compute](step, values, questions.variables)


async def _follow_ticket(session: AsyncSession, staff: Staff, case_id: str, step: Question, old: Any, result: Any) -> None:
    """The ticket that the result raised holds the new figures, and its history says what they were."""
    topic = (step.ticket or {}).get("topic", step.id)
    wanted = select(Ticket).where(Ticket.case_id == case_id, Ticket.topic == topic).with_for_update()
    ticket = (await session.scalars(wanted)).one_or_none()
    if ticket is None:
        return
    before, after = (one if isinstance(one, Mapping) else {} for one in (old, result))
    ticket.data = {**{key: value for key, value in ticket.data.items() if key not in before}, **after}
    now = clock.now()
    # A form that was opened before shows other figures: it counts as stale.
    ticket.updated_at = max(now, ticket.updated_at + timedelta(microseconds=1))
    detail = {"before": before.get("amount"), "after": after.get("amount")}
    session.add(TicketEvent(ticket_id=ticket.id, user_id=staff.id, kind="recomputed", detail=detail, at=now))

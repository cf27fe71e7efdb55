"""The documents' forms out of the records, for the console and the command line."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.figures import facts, queries
from followup.console.figures.filters import FigureFilters
from followup.console.labels import label
from followup.console.transcripts.conditions import conditions
from followup.figures.forms import NoForm, rates_form, survey_form
from followup.figures.paper import Block, Paper
from followup.figures.records import TalkRecord, TicketRecord, record_paper
from followup.figures.survey import SurveyFigures, survey
from followup.figures.talks import shown_percent
from followup.figures.workshop import Rate, RatesFigures, rates
from followup.store.figures import held_at, talks_where
from followup.store.models import Answer, Callback, Case, Contact, Note, Ticket

MOST = 20_000
"""Talks in one form."""
_TOLD = ("colleague_question", "handover", "knowledge")
"""Notes that say how the customer was answered."""


class TooMany(ValueError):
    """There are more talks than a form takes."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


@dataclass(frozen=True)
class Made:
    """A form, filled in; written down when it is asked for."""

    paper: Paper | None = None
    survey: SurveyFigures | None = None
    rates: RatesFigures | None = None
    period: str = ""

    @property
    def rows(self) -> int:
        """How many talks, or lines, stand on it."""
        if self.survey is not None:
            return self.survey.forms
        return self.rates.total.talks if self.rates is not None else self.paper.rows if self.paper else 0

    @property
    def unit(self) -> str:
        """What the rows are called."""
        return "行" if self.paper is not None else "份"

    def xlsx(self) -> bytes:
        from followup.figures import xlsx

        if self.survey is not None:
            figures = self.survey
            return _bytes(lambda out: xlsx.save_survey(figures, self.period, out))
        if self.rates is not None:
            counted = self.rates
            return _bytes(lambda out: xlsx.save_rates(counted, self.period, out))
        assert self.paper is not None
        paper = self.paper
        return _bytes(lambda out: xlsx.save_paper(paper, out))

    def pdf(self) -> bytes:
        """Raises TooLong."""
        from followup.figures import pdf

        if self.survey is not None:
            return pdf.survey_pdf(self.survey, self.period)
        paper = rates_paper(self.rates, self.period) if self.rates is not None else self.paper
        assert paper is not None
        return pdf.paper_pdf(paper)


def _bytes(save: Callable[[BinaryIO], None]) -> bytes:
    out = io.BytesIO()
    save(out)
    return out.getvalue()


async def make(session: AsyncSession, name: str, filters: FigureFilters) -> Made:
    """The form `name` (survey, rates, record) over the talks of the filters. Raises NoForm, TooMany."""
    period = f"{filters.first} 至 {filters.last}"
    await queries.prepare(session)
    if name == "record":
        return Made(record_paper(await records(session, filters), period), period=period)
    if name not in ("survey", "rates"):
        raise NoForm(name)
    form = survey_form(filters.talks.script) if name == "survey" else rates_form(filters.talks.script)
    talks = await talks_where(session, *conditions(filters.talks, personal=True), most=MOST + 1)
    if len(talks) > MOST:
        raise TooMany(MOST)
    if name == "survey":
        return Made(survey=survey(form, talks), period=period)
    return Made(rates=rates(form, talks), period=period)


def rates_paper(figures: RatesFigures, period: str) -> Paper:
    """落实度 and 满意度 as tables on paper."""
    total, form = figures.total, figures.form
    items = [_rate(one) for one in (*figures.items, total.carried_out, total.satisfaction)]
    groups = [
        (one.name, one.talks, shown_percent(one.carried_out.percent), shown_percent(one.satisfaction.percent))
        for one in (*figures.groups, total)
    ]
    return Paper(
        form.title,
        f"{period}，共{total.talks}份",
        (
            Block("各题", ("题号", "项目", "结果", "平均分", "作答", "否／低分", "未作答", "未问到"), items, (14, 62, 20, 18, 16, 20, 16, 16)),
            Block(f"按{form.by_label}", (form.by_label, "份数", "落实度", "满意度"), groups, (80, 34, 34, 34)),
        ),
    )


def _rate(rate: Rate) -> tuple[Any, ...]:
    return (rate.number, rate.label, shown_percent(rate.percent), rate.mean, rate.answered, rate.low, rate.passed, rate.not_asked)


# —— 客户回访记录表 ————————————————————————————————————————————————————————


async def records(session: AsyncSession, filters: FigureFilters) -> list[TalkRecord]:
    """What the form says of each talk, oldest first. Raises TooMany."""
    # 每次通话: who was never reached has no record.
    where = [facts.opened(), *conditions(filters.talks, personal=True)]
    rows = (
        await session.execute(
            select(Case, Contact, facts.length().label("seconds"))
            .join(Contact, Contact.id == Case.contact_id)
            .where(*where)
            .order_by(held_at(), Case.id)
            .limit(MOST + 1)
        )
    ).all()
    if len(rows) > MOST:
        raise TooMany(MOST)
    wanted = select(Case.id).where(*where)
    answers = await _by_case(session, select(Answer).where(Answer.case_id.in_(wanted), ~Answer.superseded, Answer.how.not_like("compute%")).order_by(Answer.id))
    tickets = await _by_case(session, select(Ticket).where(Ticket.case_id.in_(wanted)).order_by(Ticket.id))
    notes = await _by_case(session, select(Note).where(Note.case_id.in_(wanted), Note.kind.in_(_TOLD)).order_by(Note.id))
    booked = await _by_case(
        session,
        select(Callback).where(Callback.case_id.in_(wanted), Callback.status.in_(("booked", "due"))).order_by(Callback.id),
    )
    return [
        TalkRecord(
            customer=f"{contact.name}{contact.title}",
            phone=contact.phone or "",
            fields=contact.fields,
            outcome=label(case.outcome, "outcomes"),
            reason="" if case.outcome_reason.isascii() else case.outcome_reason,
            answers=[
                (one.value, one.words, one.question_id.rpartition(".")[2] in ("reason", "improve"))
                for one in answers.get(case.id, ())
            ],
            tickets=[
                TicketRecord(label(one.kind, "ticket_kinds"), one.reason, one.department, one.status, one.solution)
                for one in tickets.get(case.id, ())
            ],
            notes=[f"{label(one.kind, 'note_kinds')}：{one.text}" for one in notes.get(case.id, ())],
            at=case.opened_at,
            seconds=None if seconds is None else float(seconds),
            next=booked[case.id][-1].at if case.id in booked else None,
        )
        for case, contact, seconds in rows
    ]


async def _by_case(session: AsyncSession, query: Any) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in await session.scalars(query):
        found.setdefault(row.case_id, []).append(row)
    return found

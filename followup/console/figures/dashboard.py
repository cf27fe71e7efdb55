"""The tables of the dashboard: every number with the list of exactly the talks it counts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from followup.console.figures import facts
from followup.console.figures.filters import FigureFilters, between, end_of
from followup.console.figures.queries import MOST_GROUPS, PASSED, SAID, Count, Talks
from followup.console.figures.results import (
    Cell,
    Line,
    Table,
    chosen,
    counted,
    mean,
    others,
    rate,
    scores_of,
)
from followup.console.labels import label, labels
from followup.console.show import span
from followup.dialogue import aspects as aspect_names
from followup.figures.forms import NoForm, rates_form, survey_form
from followup.reading.scale import SCALE3, SCALE5
from followup.scripts.model import Question, Script
from followup.scripts.walk import NOTHING

_SCALES: Mapping[str, tuple[str, ...]] = {"scale3": SCALE3, "scale5": SCALE5}
_CLOSED = ("choice", "scale3", "scale5", "score", "yes_no", "confirm")
_MOST_OTHERS = 8
_LONGEST_OTHER = 60
_ORDER = tuple(labels()["outcomes"])
FULL_SCORE = 10


@dataclass(frozen=True)
class Figures:
    """All that the tables are made of."""

    filters: FigureFilters
    talks: Talks
    scripts: Mapping[str, str]
    """Id -> name."""
    script: Script | None = None
    """The one asked for."""
    name_of: Callable[[str], str] = str
    """Question id -> what staff call it."""
    answers: Mapping[str, Mapping[Any, int]] | None = None
    aspects: Mapping[str, int] | None = None


def closed_questions(script: Script) -> list[str]:
    """Questions whose answers are counted one by one."""
    return [question.id for question in script.questions if question.type in _CLOSED]


def short_names(script_id: str) -> dict[str, str]:
    """Question id -> how the documents' form calls it, where there is one."""
    try:
        return {item.question: f"{item.number} {item.label}" for item in rates_form(script_id).items}
    except NoForm:
        pass
    try:
        return {question: name for block in survey_form(script_id).blocks for question, name in block.items.items()}
    except NoForm:
        return {}


def tables(figures: Figures) -> list[Table]:
    """What the page shows, in its order; tables without anything in them are left out."""
    made = [_outcomes(figures), _reasons(figures), _trend(figures)]
    if figures.script is not None:
        made += [_rates(figures), _questions(figures), _aspects(figures), _funnel(figures)]
    else:
        made += [_scripts(figures), _aspects(figures)]
    made += [_groups(figures, "group", figures.filters.by), _groups(figures, "named", figures.filters.who)]
    made += [_ranges(figures, name) for name in ("length", "said", "wait", "reply")]
    return [table for table in made if not table.empty]


def tiles(figures: Figures) -> list[tuple[str, Cell]]:
    """The first line: how far the talks came."""
    return list(zip([_column(name) for name in _REACH], _reach(figures.filters, figures.talks.total, {}), strict=True))


_REACH = ("invited", "opened", "replied", "completed", "low", "complained")
_REACH_FILTERS: Mapping[str, Mapping[str, Any]] = {
    "invited": {},
    "opened": {"reached": "opened"},
    "replied": {"reached": "replied"},
    "completed": {"outcome": "completed"},
    "low": {"dissatisfied": True},
    "complained": {"complaint": True},
}


def _reach(filters: FigureFilters, count: Count, more: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Invited, opened, replied, completed, dissatisfied, complained; shares are of the invited."""
    cells = []
    for name in _REACH:
        number = count.talks if name == "invited" else getattr(count, name)
        whole = None if name == "invited" else count.talks
        cells.append(counted(number, filters.list(**more, **_REACH_FILTERS[name]), whole))
    return tuple(cells)


def _table(name: str, columns: tuple[str, ...], lines: Iterator[Line], chart: str = "", note: str = "", title: str = "") -> Table:
    own, hint = label(name, "figure_tables").split("|")
    return Table(name, title or own, hint, columns, tuple(lines), chart, note)


def _column(name: str) -> str:
    return label(name, "figure_columns")


def _outcomes(figures: Figures) -> Table:
    by, filters, whole = figures.talks.by["outcome"], figures.filters, figures.talks.total.talks

    def lines() -> Iterator[Line]:
        for outcome in sorted((key for key in by if key is not None), key=_place):
            yield Line(label(outcome, "outcomes"), (counted(by[outcome].talks, filters.list(outcome=outcome), whole),))
        if None in by:
            yield Line("还没有结果", (counted(by[None].talks, filters.list(outcome="none"), whole),))

    return _table("outcomes", (_column("outcome"), _column("talks")), lines(), "bar")


def _place(outcome: str) -> tuple[int, str]:
    return (_ORDER.index(outcome) if outcome in _ORDER else len(_ORDER), outcome)


def _reasons(figures: Figures) -> Table:
    found, filters = figures.talks.outcomes_why, figures.filters
    wholes: dict[str, int] = {}
    for (outcome, _), number in found.items():
        wholes[outcome] = wholes.get(outcome, 0) + number

    def lines() -> Iterator[Line]:
        ordered = sorted(found.items(), key=lambda pair: (_place(pair[0][0]), -pair[1], pair[0][1]))
        for (outcome, why), number in ordered:
            cell = counted(number, filters.list(outcome=outcome, why=why), wholes[outcome])
            yield Line(f"{label(outcome, 'outcomes')}：{label(why, 'refusal_reasons')}", (cell,))

    return _table("reasons", (_column("reason"), _column("talks")), lines(), "bar")


def _trend(figures: Figures) -> Table:
    filters, by = figures.filters, figures.talks.by["begin"]

    def lines() -> Iterator[Line]:
        for begin in between(filters.first, filters.last, filters.step):
            last = min(end_of(begin, filters.step), filters.last)
            days = {"first": max(begin, filters.first), "last": last}
            yield Line(_span_name(begin, filters.step), _reach(filters, by.get(begin, Count()), days))

    columns = (label(filters.step, "figure_steps"), *(_column(name) for name in _REACH))
    return _table("trend", columns, lines(), "line")


def _span_name(begin: date, step: str) -> str:
    if step == "month":
        return f"{begin:%Y-%m}"
    return f"{begin:%m-%d}" if step == "day" else f"{begin:%m-%d}起"


def _scripts(figures: Figures) -> Table:
    by = figures.talks.by["script"]

    def lines() -> Iterator[Line]:
        for script, count in sorted(by.items(), key=lambda pair: (-pair[1].talks, pair[0])):
            cells = _reach(figures.filters, count, {"script": script})
            yield Line(figures.scripts.get(script, script), cells, hint=script)

    return _table("scripts", ("话术", *(_column(name) for name in _REACH)), lines())


# —— answers ——————————————————————————————————————————————————————————


def _questions(figures: Figures) -> Table:
    def lines() -> Iterator[Line]:
        for question in _asked(figures):
            yield from _question(figures, question)

    return _table("questions", ("题目和回答", _column("talks")), lines(), "stack")


def _asked(figures: Figures) -> list[Question]:
    assert figures.script is not None and figures.answers is not None
    return [one for one in figures.script.questions if not one.is_step and figures.answers.get(one.id)]


def _question(figures: Figures, question: Question) -> Iterator[Line]:
    """The question's head line (how many answered) and a line for each value."""
    assert figures.answers is not None
    values, filters = figures.answers[question.id], figures.filters
    passed, whole = values.get(PASSED, 0), sum(values.values())
    said = whole - passed
    note = ""
    if question.type == "score" and (middle := mean(scores_of(values))) is not None:
        note = f"平均 {middle:f} 分"
    yield Line(figures.name_of(question.id), (Cell(whole, filters.list(question=question.id), text=note),), hint="question")
    for name, key, number in _values(question, values):
        yield Line(name, (counted(number, filters.list(question=question.id, answer=key), said),))
    rest = list(others(values, [key for _, key, _ in _values(question, values)], PASSED, SAID, NOTHING).items())
    for text, number in rest[:_MOST_OTHERS]:
        if len(text) <= _LONGEST_OTHER and text == text.strip():
            yield Line(f"“{text}”", (counted(number, filters.list(question=question.id, answer=text), said),))
    if passed:
        yield Line(label(PASSED, "figure_answers"), (counted(passed, filters.list(question=question.id, answer="none")),))


def _values(question: Question, values: Mapping[Any, int]) -> list[tuple[str, str, int]]:
    """(name, value in the address, talks) of all that could be answered, in the question's own order."""
    if question.type in _SCALES:
        return [(value, value, chosen(values, value)) for value in _SCALES[question.type]]
    if question.type == "choice":
        return [(option.value, option.value, chosen(values, option.value)) for option in question.options]
    if question.type in ("yes_no", "confirm"):
        return [(label(key, "figure_answers"), key, values.get(key, 0)) for key in ("true", "false")]
    if question.type == "score":
        given = sorted((score, str(key), count) for key in values for score, count in scores_of({key: values[key]}))
        return [(f"{key}分", key, count) for _, key, count in reversed(given)]
    found = [(label(SAID, "figure_answers"), facts.GIVEN, values.get(SAID, 0))]
    return found + [(label(NOTHING, "figure_answers"), NOTHING, values[NOTHING])] if NOTHING in values else found


def _rates(figures: Figures) -> Table:
    """落实度 and 满意度 of the script's own computed steps, over all talks (docs/decisions/0008)."""
    assert figures.script is not None and figures.answers is not None
    answers, filters = figures.answers, figures.filters

    def lines() -> Iterator[Line]:
        for step in figures.script.questions if figures.script else ():
            if step.compute not in ("yes_share", "score_share"):
                continue
            for question in step.of:
                values = answers.get(question, {})
                yield Line(figures.name_of(question), _rate(values, step.compute, filters.list(question=question)))
            every = [answers.get(question, {}) for question in step.of]
            outcome = result(every, step.compute)
            yield Line(label(step.compute, "computations"), (Cell(text=f"{outcome[0]} 个回答"), Cell(text=outcome[1])), hint="total")

    return _table("rates", ("项目", _column("answered"), _column("result")), lines())


def _rate(values: Mapping[Any, int], compute: str, link: str) -> tuple[Cell, ...]:
    count, shown = result([values], compute)
    # The link opens everybody who was asked; those who passed are among them.
    passed = values.get(PASSED, 0)
    return (Cell(count + passed, link, text=f"其中跳过 {passed}" if passed else ""), Cell(text=shown))


def result(every: list[Mapping[Any, int]], compute: str) -> tuple[int, str]:
    """(answers, rate): every answer weighs the same."""
    if compute == "yes_share":
        yes, no = (sum(values.get(key, 0) for values in every) for key in ("true", "false"))
        return yes + no, rate(yes, yes + no)
    scores = [pair for values in every for pair in scores_of(values)]
    count = sum(number for _, number in scores)
    points = sum((Decimal(str(score)) * number for score, number in scores), Decimal())
    return count, rate(points, count * FULL_SCORE)


def _aspects(figures: Figures) -> Table:
    found = figures.aspects or {}

    def lines() -> Iterator[Line]:
        for aspect, number in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])):
            yield Line(aspect_names.label(aspect), (counted(number, figures.filters.list(aspect=aspect)),))

    return _table("aspects", ("方面", _column("talks")), lines(), "bar")


def _funnel(figures: Figures) -> Table:
    assert figures.answers is not None
    filters, answers, stopped, total = figures.filters, figures.answers, figures.talks.by["stopped"], figures.talks.total

    def broken(question: str) -> Cell:
        return counted(stopped.get(question, Count()).talks, filters.list(stopped=question))

    def lines() -> Iterator[Line]:
        yield Line(_column("invited"), (counted(total.talks, filters.list(), total.talks), broken(facts.BEFORE_ANY)))
        for name in ("opened", "replied"):
            number = getattr(total, name)
            yield Line(_column(name), (counted(number, filters.list(reached=name), total.talks), Cell(text="")))
        for question in _asked(figures):
            number = sum(answers[question.id].values())
            cell = counted(number, filters.list(question=question.id), total.talks)
            yield Line(figures.name_of(question.id), (cell, broken(question.id)), hint="有条件才问" if question.ask_if else "")
        yield Line(_column("completed"), (counted(total.completed, filters.list(outcome="completed"), total.talks), Cell(text="")))

    return _table("funnel", ("题目", _column("reached"), _column("stopped")), lines(), "funnel")


# —— groups, times ————————————————————————————————————————————————————————


def _groups(figures: Figures, dimension: str, name: str) -> Table:
    by = figures.talks.by[dimension] if name else {}
    ordered = sorted(by.items(), key=lambda pair: (-pair[1].talks, str(pair[0])))

    def lines() -> Iterator[Line]:
        for value, count in ordered[:MOST_GROUPS]:
            more = {dimension: f"{name}:{value}"}
            yield Line("没有写明" if value == facts.MISSING else value, _reach(figures.filters, count, more))

    note = f"共 {len(ordered)} 组，只列出会话最多的 {MOST_GROUPS} 组。" if len(ordered) > MOST_GROUPS else ""
    return _table(dimension, ("", *(_column(one) for one in _REACH)), lines(), "group", note)


def _ranges(figures: Figures, name: str) -> Table:
    by, names = figures.talks.by[name], label(name, "figure_ranges").split("|")
    whole = sum(count.talks for key, count in by.items() if key is not None)

    def lines() -> Iterator[Line]:
        for number, text in enumerate(names):
            cell = counted(by.get(str(number), Count()).talks, figures.filters.list(**{name: str(number)}), whole)
            yield Line(text, (cell,))

    middle = figures.talks.medians.get(name)
    shown = "" if middle is None else f"{middle:g} 句" if name == "said" else span(middle)
    return _table(name, ("", _column("talks")), lines(), "bar", f"中位数：{shown}" if shown else "")

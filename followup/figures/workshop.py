"""落实度 and 满意度 over many talks (workshop_service_satisfaction, 63714; docs/decisions/0008)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from followup.figures.forms import RateItem, RatesForm
from followup.figures.talks import TalkAnswers, percent
from followup.scripts.compute import is_number

FULL_SCORE = 10


@dataclass(frozen=True)
class Rate:
    """The rate of one item, or of all items of a kind together: every answer weighs the same."""

    label: str
    kind: str
    """yes | score"""
    answered: int
    points: float
    """How many said yes; or the sum of the scores."""
    low: int
    """How many said no; or gave a score that is dissatisfaction."""
    passed: int
    not_asked: int
    number: str = ""

    @property
    def percent(self) -> float | None:
        """Share of yes, or mean score in percent of 10; None without an answer."""
        return percent(self.points, self.answered * (1 if self.kind == "yes" else FULL_SCORE))

    @property
    def mean(self) -> float | None:
        """Mean score with two decimals, for scores only."""
        if self.kind == "yes" or not self.answered:
            return None
        mean = Decimal(str(self.points)) / self.answered
        return float(mean.quantize(Decimal("0.01"), ROUND_HALF_UP))


@dataclass(frozen=True)
class GroupRates:
    """The two totals of one station, or of all."""

    name: str
    talks: int
    carried_out: Rate
    satisfaction: Rate


@dataclass(frozen=True)
class RatesFigures:
    form: RatesForm
    items: tuple[Rate, ...]
    total: GroupRates
    groups: tuple[GroupRates, ...]


def rates(form: RatesForm, talks: Iterable[TalkAnswers]) -> RatesFigures:
    """Per item and in total, over all talks that came to at least one item."""
    held = [talk for talk in talks if any(item.question in talk.answers for item in form.items)]
    names = sorted({str(talk.variables.get(form.by) or "") for talk in held})
    return RatesFigures(
        form=form,
        items=tuple(_rate(form, item.label, [item], held, item.number) for item in form.items),
        total=_group(form, "合计", held),
        groups=tuple(
            _group(form, name or "没有写明", [talk for talk in held if str(talk.variables.get(form.by) or "") == name])
            for name in names
        ),
    )


def _group(form: RatesForm, name: str, talks: Sequence[TalkAnswers]) -> GroupRates:
    kinds = {kind: [item for item in form.items if item.kind == kind] for kind in ("yes", "score")}
    return GroupRates(
        name, len(talks), _rate(form, "落实度", kinds["yes"], talks), _rate(form, "满意度", kinds["score"], talks)
    )


def _rate(
    form: RatesForm, label: str, items: Sequence[RateItem], talks: Sequence[TalkAnswers], number: str = ""
) -> Rate:
    kind = items[0].kind if items else "yes"
    given = [talk.answers.get(item.question) for item in items for talk in talks]
    values = [one.value for one in given if one is not None]
    if kind == "yes":
        counted = [value for value in values if isinstance(value, bool)]
        points, low = float(sum(counted)), counted.count(False)
    else:
        counted = [value for value in values if is_number(value)]
        points, low = float(sum(counted)), sum(value < form.low for value in counted)
    return Rate(label, kind, len(counted), points, low, values.count(None), given.count(None), number)

"""客户满意度调查统计表 (satisfaction_survey_form, 63714): counts and shares per item and block, reasons, comments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from followup.dialogue.reason import states_reason
from followup.figures.forms import Block, SurveyForm
from followup.figures.talks import TalkAnswers, percent


@dataclass(frozen=True)
class Counted:
    """How often each value was given. Shares are of the answers given; what was passed or never asked is counted apart."""

    label: str
    counts: Mapping[str, int]
    passed: int
    not_asked: int

    @property
    def answered(self) -> int:
        return sum(self.counts.values())

    def share(self, value: str) -> float | None:
        """Percent of the answers given; None without any."""
        return percent(self.counts[value], self.answered)


@dataclass(frozen=True)
class Said:
    """A reason or a comment with the form it stands on."""

    customer: str
    words: str
    about: str = ""
    """The item's label, where it belongs to one."""


@dataclass(frozen=True)
class CountedBlock:
    title: str
    items: tuple[Counted, ...]
    total: Counted
    reasons: tuple[Said, ...]


@dataclass(frozen=True)
class FilledForm:
    """One customer's form."""

    number: str
    header: tuple[tuple[str, str], ...]
    box: str
    values: Mapping[str, str]
    """Question id -> value; empty when passed or not asked."""
    reasons: tuple[str, ...]
    """For each block, in order."""
    comments: str


@dataclass(frozen=True)
class SurveyFigures:
    form: SurveyForm
    blocks: tuple[CountedBlock, ...]
    comments: tuple[Said, ...]
    boxes: Mapping[str, int]
    """How many forms for each kind of business."""
    filled: tuple[FilledForm, ...]

    @property
    def forms(self) -> int:
        return len(self.filled)


def survey(form: SurveyForm, talks: Iterable[TalkAnswers]) -> SurveyFigures:
    """The form over all talks that came to at least one of its items."""
    items = [item for block in form.blocks for item in block.items]
    held = [talk for talk in talks if any(item in talk.answers for item in items)]
    return SurveyFigures(
        form=form,
        blocks=tuple(_block(form, block, held) for block in form.blocks),
        comments=tuple(Said(talk.customer, words) for talk in held if (words := talk.text(form.comments))),
        boxes={box: sum(talk.variables.get(form.boxes_of) == box for talk in held) for box in form.boxes},
        filled=tuple(_filled(form, talk) for talk in held),
    )


def _block(form: SurveyForm, block: Block, talks: Sequence[TalkAnswers]) -> CountedBlock:
    items = tuple(_count(form, label, [item], talks) for item, label in block.items.items())
    reasons = tuple(said for talk in talks for said in _reasons(form, block, talk))
    return CountedBlock(block.title, items, _count(form, "小计", block.items, talks), reasons)


def _count(form: SurveyForm, label: str, items: Iterable[str], talks: Sequence[TalkAnswers]) -> Counted:
    given = [talk.answers.get(item) for item in items for talk in talks]
    return Counted(
        label=label,
        counts={value: sum(one is not None and one.value == value for one in given) for value in form.values},
        passed=sum(one is not None and one.passed for one in given),
        not_asked=sum(one is None for one in given),
    )


def _reasons(form: SurveyForm, block: Block, talk: TalkAnswers) -> Iterable[Said]:
    """What was said when asked for the reason, and reasons that came with the verdict ("不满意，利息太高")."""
    for item, label in block.items.items():
        given = talk.answers.get(item)
        if given is not None and given.value in form.low:
            if states_reason(given.words):
                yield Said(talk.customer, given.words, label)
            for probe in ("reason", "improve"):
                if words := talk.text(f"{item}.{probe}"):
                    yield Said(talk.customer, words, label)
    if words := talk.text(block.reason):
        yield Said(talk.customer, words)


def _filled(form: SurveyForm, talk: TalkAnswers) -> FilledForm:
    values = {item: talk.value(item) for block in form.blocks for item in block.items}
    return FilledForm(
        number=str(talk.variables.get(form.number) or ""),
        header=tuple((field.label, field.value(talk)) for field in form.header),
        box=str(talk.variables.get(form.boxes_of) or ""),
        values={item: value if value in form.values else "" for item, value in values.items()},
        reasons=tuple("；".join(said.words for said in _reasons(form, block, talk)) for block in form.blocks),
        comments=talk.text(form.comments),
    )

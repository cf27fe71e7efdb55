"""How a form looks: data/forms/*.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from followup.figures.talks import TalkAnswers

FORMS_DIR = Path(__file__).resolve().parents[2] / "data" / "forms"
CUSTOMER = "customer"
"""Header field that is the person talked to."""


class NoForm(LookupError):
    """There is no form of this kind for the script."""


@dataclass(frozen=True)
class HeaderField:
    label: str
    of: tuple[str, ...]

    def value(self, talk: TalkAnswers) -> str:
        """What stands in the field for this talk."""
        parts = (talk.customer if name == CUSTOMER else str(talk.variables.get(name) or "") for name in self.of)
        return "，".join(part for part in parts if part)


@dataclass(frozen=True)
class Block:
    title: str
    items: Mapping[str, str]
    """Question id -> label."""
    reason: str
    """The question that asks for the reasons."""


@dataclass(frozen=True)
class SurveyForm:
    title: str
    script: str
    number: str
    header: tuple[HeaderField, ...]
    boxes_of: str
    boxes: tuple[str, ...]
    values: tuple[str, ...]
    low: tuple[str, ...]
    """Values whose reason is wanted."""
    blocks: tuple[Block, ...]
    comments_label: str
    comments: str


@dataclass(frozen=True)
class RateItem:
    question: str
    number: str
    """As in the document, e.g. 2.10."""
    kind: str
    """yes | score"""
    label: str


@dataclass(frozen=True)
class RatesForm:
    title: str
    script: str
    by_label: str
    by: str
    """The variable that talks are grouped by."""
    items: tuple[RateItem, ...]
    low: float
    """A score below it is dissatisfaction."""


def survey_form(script_id: str) -> SurveyForm:
    """Raises NoForm."""
    raw = _raw(script_id, "blocks")
    return SurveyForm(
        title=raw["title"],
        script=raw["script"],
        number=raw["number"],
        header=tuple(HeaderField(row["label"], _strings(row["of"])) for row in raw["header"]),
        boxes_of=raw["boxes"]["of"],
        boxes=_strings(raw["boxes"]["values"]),
        values=_strings(raw["values"]),
        low=_strings(raw["low"]),
        blocks=tuple(Block(row["title"], dict(row["items"]), row["reason"]) for row in raw["blocks"]),
        comments_label=raw["comments"]["label"],
        comments=raw["comments"]["of"],
    )


def rates_form(script_id: str) -> RatesForm:
    """Raises NoForm."""
    raw = _raw(script_id, "by")
    kinds = {True: "yes"}  # YAML reads a bare yes as true
    items = tuple(
        RateItem(row["question"], str(row["number"]), kinds.get(row["kind"], row["kind"]), row["label"])
        for row in raw["items"]
    )
    return RatesForm(raw["title"], raw["script"], raw["by"]["label"], raw["by"]["of"], items, float(raw["low"]))


def with_form(key: str) -> list[str]:
    """Scripts that have a form with this key: `blocks` a survey, `by` rates."""
    return sorted(path.stem for path in FORMS_DIR.glob("*.yml") if key in _read(path))


@dataclass(frozen=True)
class FormName:
    """A form that can be made: `survey`, `rates` or `record`."""

    name: str
    title: str


def forms_of(script_id: str) -> list[FormName]:
    """The forms for talks of a script, or of all (empty)."""
    found = [
        FormName(name, _read(FORMS_DIR / f"{script_id}.yml")["title"])
        for name, key in (("survey", "blocks"), ("rates", "by"))
        if script_id in with_form(key)
    ]
    return [*found, FormName("record", _read(FORMS_DIR / "general" / "visit_record.yml")["title"])]


def _raw(script_id: str, key: str) -> dict[str, Any]:
    path = FORMS_DIR / f"{script_id}.yml"
    if path.stem not in with_form(key):
        raise NoForm(script_id)
    return _read(path)


@lru_cache(maxsize=32)
def _read(path: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def _strings(raw: Any) -> tuple[str, ...]:
    return (raw,) if isinstance(raw, str) else tuple(str(one) for one in raw)

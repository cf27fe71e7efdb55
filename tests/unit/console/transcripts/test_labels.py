"""Every code that a talk shows has a Chinese name."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from followup.console.labels import labels
from followup.console.transcripts.questions import Questions, how_label
from followup.scripts import load
from followup.scripts.compute import COMPUTATIONS
from followup.scripts.model import QUESTION_TYPES, STEP_TYPES

ROOT = Path(__file__).resolve().parents[4]
TRIGGERS = {"start_followup", "resume_followup", "silence"}


def test_every_intent_of_a_customer_is_named_and_no_other() -> None:
    domain = YAML(typ="safe").load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    intents = {next(iter(one)) if isinstance(one, dict) else one for one in domain["intents"]}
    assert set(labels()["intents"]) == intents - TRIGGERS


def test_every_question_type_and_computation_is_named() -> None:
    assert set(labels()["question_types"]) == {*QUESTION_TYPES, *STEP_TYPES}
    assert set(labels()["computations"]) == set(COMPUTATIONS)


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ("scale3:label", "三级满意度：选项原词"),
        ("ahead:choice:synonym", "提前说到，选择：别的说法"),
        ("compute:yes_share", "计算：落实度"),
        ("skipped", "客户跳过"),
        ("something:new", "something：new"),
    ],
)
def test_how_an_answer_was_read_is_said_in_chinese(how: str, shown: str) -> None:
    assert how_label(how) == shown


def test_no_question_of_any_script_is_shown_with_an_open_variable() -> None:
    for script in load.load_all():
        questions = Questions(load.content(script.id), {})
        for question in script.questions:
            shown = questions.label(question.id)
            assert shown and "{" not in shown, (script.id, shown)


def test_a_revision_of_another_form_shows_ids() -> None:
    questions = Questions({"id": "demo", "questions": []}, {})
    assert (questions.label("price"), questions.find("price")) == ("price", None)

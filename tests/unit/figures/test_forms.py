"""Forms out of data/forms."""

from __future__ import annotations

import pytest

from followup.figures.forms import FORMS_DIR, NoForm, rates_form, survey_form, with_form
from followup.scripts.load import load_script


def test_a_script_without_a_form_is_refused() -> None:
    with pytest.raises(NoForm):
        survey_form("tyre_care")
    with pytest.raises(NoForm):
        survey_form("../scripts/_shared")


def test_a_form_of_the_other_kind_is_refused() -> None:
    with pytest.raises(NoForm):
        rates_form("satisfaction_survey_form")


def test_every_form_is_one_of_the_two_kinds_and_of_the_script_it_is_named_after() -> None:
    names = sorted(path.stem for path in FORMS_DIR.glob("*.yml"))
    assert names == sorted([*with_form("blocks"), *with_form("by")])
    for name in names:
        form = survey_form(name) if name in with_form("blocks") else rates_form(name)
        assert form.script == name and load_script(name)


def test_the_survey_has_the_document_s_three_blocks_of_three_three_and_two_items() -> None:
    form = survey_form("satisfaction_survey_form")
    assert [len(block.items) for block in form.blocks] == [3, 3, 2]
    assert [field.label for field in form.header][:4] == ["客户名称", "地址", "联系人", "电话"]

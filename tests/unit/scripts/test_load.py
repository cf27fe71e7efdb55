from __future__ import annotations

import json

import pytest

from followup.scripts import load
from followup.scripts.load import SCRIPTS_DIR, UnknownScript


@pytest.fixture
def folder(scripts_folder, valid_text):
    (scripts_folder / "demo" / "sample.yml").write_text(valid_text, encoding="utf-8")
    return scripts_folder


def rewrite(folder, old, new):
    path = folder / "demo" / "sample.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_script_is_found_by_the_name_of_its_file(folder):
    assert load.find("sample", folder).name == "sample.yml"


def test_an_unknown_script_is_named_in_the_error(folder):
    with pytest.raises(UnknownScript, match="nowhere"):
        load.find("nowhere", folder)


def test_files_that_begin_with_an_underscore_are_no_scripts(folder):
    assert [path.name for path in load.script_files(folder)] == ["sample.yml"]


def test_the_shipped_scripts_are_all_built():
    assert {"auto_loan_satisfaction", "warehouse_finance_satisfaction", "farm_product", "fruit_order"} <= {
        script.id for script in load.load_all()
    }


def test_the_shared_wording_comes_with_every_script(folder):
    assert load.load_script("sample", folder).wording["busy"]["driving"] == "请您注意行车安全。"


def test_a_script_overrides_single_sentences_of_the_shared_wording(folder):
    rewrite(folder, "questions:", "wording: {busy: {driving: 请您专心开车。}}\nquestions:")
    busy = load.load_script("sample", folder).wording["busy"]
    assert busy["driving"] == "请您专心开车。"
    assert busy["ask_when"] == "请问您什么时间方便呢？"


def test_a_closing_of_the_script_goes_before_the_shared_one(folder):
    rewrite(folder, "questions:", "closing: {completed: 谢谢您，再见！}\nquestions:")
    closing = load.load_script("sample", folder).closing
    assert closing["completed"] == "谢谢您，再见！" and closing["refused"] == "打扰您了，再见！"


def test_sentences_are_polished_on_the_way_in(folder):
    rewrite(folder, "ask: 您有什么建议吗？", "ask: 打扰您了,您有什么建议吗?")
    assert load.load_script("sample", folder).question("ideas").ask == "打扰您了，您有什么建议吗？"


def test_keys_are_the_same_before_and_after_a_revision_is_stored(folder):
    rewrite(folder, "type: open", "type: yes_no\n  acknowledge: {true: [好的。], false: [明白。]}")
    revision = load.content("sample", folder)
    assert json.loads(json.dumps(revision)) == revision
    assert set(load.load_script("sample", folder).question("ideas").acknowledge) == {"true", "false"}


def test_a_revision_builds_the_same_script_as_the_file(folder):
    assert load.build_revision(json.loads(json.dumps(load.content("sample", folder)))) == load.load_script(
        "sample", folder
    )


def test_the_digest_changes_with_the_content_and_only_with_it(folder):
    before = load.digest(load.content("sample", folder))
    assert before == load.digest(load.content("sample", folder)) and len(before) == 64
    rewrite(folder, "您有什么建议吗", "您有什么意见吗")
    assert load.digest(load.content("sample", folder)) != before


def test_the_digest_changes_when_the_shared_wording_does(folder):
    before = load.digest(load.content("sample", folder))
    path = folder / "_shared.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("行车安全", "安全"), encoding="utf-8")
    assert load.digest(load.content("sample", folder)) != before


def test_satisfaction_questions_probe_dissatisfaction_unless_told_otherwise(folder):
    assert load.load_script("sample", folder).question("service").probe_if == ("不满意", "非常不满意")
    rewrite(folder, "type: scale3", "type: scale3\n  probe_if: []")
    assert load.load_script("sample", folder).question("service").probe_if == ()


def test_a_byte_order_mark_is_no_part_of_the_first_key(folder, valid_text):
    (folder / "demo" / "sample.yml").write_text(f"\ufeff{valid_text}", encoding="utf-8")
    assert load.load_script("sample", folder).id == "sample"


def test_demo_values_fill_every_variable_of_the_shipped_scripts():
    for script in load.load_all(SCRIPTS_DIR):
        assert all(script.demo_variables().values()), script.id

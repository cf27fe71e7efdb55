"""The checker as a whole: files, findings, the shipped scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from followup.scripts.check import Finding, check_all, check_file
from followup.scripts.checks.structure import SCRIPT_SCHEMA, SHARED_SCHEMA, _TRANSLATIONS
from followup.scripts.load import SCRIPTS_DIR, SHARED, load_all, script_files

SHIPPED = sorted(script_files())


def test_a_valid_script_has_no_findings(check):
    assert check() == []


@pytest.mark.parametrize("path", [SCRIPTS_DIR / SHARED, *SHIPPED], ids=lambda path: path.stem)
def test_the_shipped_files_have_no_errors(path):
    assert [str(finding) for finding in check_file(path) if finding.is_error] == []


def test_every_shipped_script_that_passes_can_be_loaded():
    assert [script.id for script in load_all()] == [path.stem for path in script_files()]


def test_every_script_names_its_schema_for_editors():
    for path in SHIPPED:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (path.parent / first.partition("=")[2]).resolve() == SCRIPT_SCHEMA


def test_a_finding_reads_as_file_line_level_message_and_advice():
    finding = Finding("a.yml", 3, "错误", "不认识“asks”这个键", "ask")
    assert str(finding) == "a.yml:3:错误:不认识“asks”这个键。应写：ask"
    assert str(Finding("a.yml", 3, "提醒", "太长")) == "a.yml:3:提醒:太长。"


def test_findings_come_in_the_order_of_lines(check):
    lines = [finding.line for finding in check(swap=("type: open", "type: opne"), more="colour: 红\n")]
    assert len(lines) >= 2 and lines == sorted(lines)


def test_a_missing_file_is_a_finding(tmp_path):
    [finding] = check_file(tmp_path / "none.yml")
    assert finding.is_error and "找不到这个文件" in finding.message


def test_a_gbk_file_is_asked_to_be_saved_as_utf8(tmp_path):
    path = tmp_path / "gbk.yml"
    path.write_bytes("name: 水果回访".encode("gbk"))
    [finding] = check_file(path)
    assert "不是 UTF-8" in finding.message and "UTF-8" in finding.instead


def test_a_byte_order_mark_does_no_harm(check_text, valid_text):
    assert check_text(f"\ufeff{valid_text}") == []


@pytest.mark.parametrize("text", ["", "只有一句话\n", "- 一\n- 二\n", "# 只有说明\n"])
def test_a_file_that_is_no_script_says_so(check_text, text):
    [finding] = check_text(text)
    assert "不是话术" in finding.message


def test_check_all_looks_at_the_shared_wording_and_every_script(scripts_folder, check):
    check(swap=("version: 1", "version: 一"))
    files = {Path(finding.file).name for finding in check_all(scripts_folder) if finding.is_error}
    assert files == {"_shared.yml", "sample.yml"}  # the small shared wording lacks sections


def test_one_id_in_two_folders_is_an_error(check, check_text, scripts_folder):
    check()
    text = (scripts_folder / "demo" / "sample.yml").read_text(encoding="utf-8")
    found = check_text(text.replace("trade: demo", "trade: other"), "other/sample.yml")
    assert any("重复" in finding.message and "sample.yml" in finding.message for finding in found)


@pytest.mark.parametrize("schema", [SCRIPT_SCHEMA, SHARED_SCHEMA], ids=lambda path: path.stem)
def test_every_kind_of_breach_has_a_chinese_message(schema):
    """What only combines or names other rules is told by those rules."""
    silent = {"$schema", "$ref", "title", "description", "definitions", "properties", "items", "propertyNames"}
    silent |= {"patternErrorMessage"}

    def keywords(node):
        if not isinstance(node, dict):
            return
        for key, value in node.items():
            if key in ("properties", "definitions"):
                for below in value.values():
                    yield from keywords(below)
            else:
                yield key
                yield from keywords(value)

    assert set(keywords(json.loads(schema.read_text(encoding="utf-8")))) - silent <= set(_TRANSLATIONS)


@pytest.mark.parametrize("schema", [SCRIPT_SCHEMA, SHARED_SCHEMA], ids=lambda path: path.stem)
def test_every_key_of_the_schemas_is_explained_in_chinese(schema):
    def specs(node, where=""):
        for name, spec in node.get("properties", {}).items():
            yield f"{where}.{name}", spec
            yield from specs(spec, f"{where}.{name}")
        for key in ("items", "additionalProperties"):
            if isinstance(node.get(key), dict):
                yield from specs(node[key], f"{where}[{key}]")
        for name, spec in node.get("definitions", {}).items():
            yield from specs(spec, name)

    found = dict(specs(json.loads(schema.read_text(encoding="utf-8"))))
    assert len(found) > 15
    assert [name for name, spec in found.items() if not (spec.get("title") and spec.get("description"))] == []


PIECES = ["ask", "ask_if:", "{", "}", "[", "]", '"', "'", ": ", "- ", "\n", "\t", "&a", "*a", "!x", "<<: ", "|", ">-", "null",
          "true", "1e999", "2024-01-01", "？", "，", "%", "@", "#", "---", "rules:", "\x07", "\U0001f600", "0x1", "9" * 400,
          "type: choice", "type: compute", "type: quantity_of", "ask_if: {service: answered}", "  ", "\u3000", "? "]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 40), st.one_of(st.sampled_from(PIECES), st.text(max_size=6))),
        min_size=1,
        max_size=6,
    ),
    source=st.sampled_from([SCRIPTS_DIR / SHARED, *SHIPPED]),
)
def test_whatever_is_typed_the_checker_answers_with_findings(tmp_path, edits, source):
    text = source.read_text(encoding="utf-8")
    for at, cut, piece in edits:
        at %= len(text) + 1
        text = text[:at] + piece + text[at + cut :]
    path = tmp_path / source.name
    path.write_bytes(text.encode("utf-8", "replace"))
    assert all(isinstance(finding, Finding) and finding.line >= 1 for finding in check_file(path))


def _places(node, path=()):
    yield path
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from _places(value, (*path, key))


ODD_VALUES = st.one_of(
    st.sampled_from(
        ["answered", "service", "open", "choice", "score", "quantity_of", "compute", "tell", "{x}", "{", ""]
    ),
    st.sampled_from(
        [True, False, None, 0, -1, 3.5, 10**30, [], {}, ["很满意"], {"service": "很满意"}, [[]], {"a": {"b": []}}]
    ),
    st.text(max_size=4),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), source=st.sampled_from([SCRIPTS_DIR / SHARED, *SHIPPED]))
def test_whatever_stands_where_something_else_belongs_the_checker_answers(tmp_path, data, source):
    """JSON is YAML too: the file stays readable, so that the later checks are reached."""
    content = YAML(typ="safe").load(source.read_text(encoding="utf-8"))
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from([path for path in _places(content) if path]))
        node = content
        for key in above:
            node = node[key]
        if data.draw(st.booleans()):
            node[last] = data.draw(ODD_VALUES)
        else:
            del node[last]
    path = tmp_path / source.name
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    assert all(isinstance(finding, Finding) for finding in check_file(path))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200))
def test_any_bytes_give_findings(tmp_path, raw):
    path = tmp_path / "any.yml"
    path.write_bytes(raw)
    assert check_file(path)  # no random bytes make a script

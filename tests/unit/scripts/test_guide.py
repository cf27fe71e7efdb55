"""The guide for authors, docs/zh/scripts.md, says what is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

from followup.scripts.check import check_file
from followup.scripts.checks.structure import SCRIPT_SCHEMA
from followup.scripts.load import load_script
from followup.scripts.model import QUESTION_TYPES, STEP_TYPES

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "zh" / "scripts.md").read_text(encoding="utf-8")
SCHEMA = json.loads(SCRIPT_SCHEMA.read_text(encoding="utf-8"))
EXAMPLE = next(block for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.S) if "\nquestions:" in block)


def test_the_worked_example_passes_without_error_or_reminder(tmp_path):
    path = tmp_path / "lost_customer_example.yml"
    path.write_text(EXAMPLE, encoding="utf-8")
    assert [str(finding) for finding in check_file(path)] == []


def test_the_worked_example_can_be_loaded(scripts_folder):
    (scripts_folder / "demo" / "lost_customer_example.yml").write_text(EXAMPLE, encoding="utf-8")
    script = load_script("lost_customer_example", scripts_folder)
    assert [question.id for question in script.questions] == ["reason", "where_now", "suggestions", "voucher_offer"]


def test_every_key_of_a_script_is_explained():
    keys = [*SCHEMA["properties"], *SCHEMA["properties"]["questions"]["items"]["properties"]]
    assert [key for key in keys if f"`{key}`" not in GUIDE] == []


def test_every_question_type_is_explained():
    assert [kind for kind in (*QUESTION_TYPES, *STEP_TYPES) if f"`{kind}`" not in GUIDE] == []


def test_the_mistakes_in_the_guide_are_told_in_these_words(check_text, valid_text):
    """Each row of the last table whose first cell is code stands in for a line of a valid script."""
    table = GUIDE.partition("## 九")[2]
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", table, re.M)
    lines = {"say": '  options: [{value: 甲, %s}, 乙]', "on-unclear": "  %s", "type": "  %s", "optional": "  %s",
             "acknowledge": "  %s", "ask_if": "  %s"}  # fmt: skip
    checked = 0
    for wrong, message in rows:
        key = re.split("[:：]", wrong)[0]
        if key == "demo":
            text = valid_text.replace("demo: 小演", wrong)
        elif key in lines:
            kind = "choice" if key == "say" else "open"
            used = "- {id: used, type: yes_no, ask: 您以前办过吗？}\n" if key == "ask_if" else ""
            head = valid_text.partition("questions:\n")[0]
            line = lines[key] % wrong
            rest = "" if key == "type" else f"  type: {kind}\n"
            text = f"{head}questions:\n{used}- id: ideas\n  ask: 您有什么建议吗？\n{rest}{line}\n"
        else:
            text = re.sub(rf"^{key}:.*$", lambda _: wrong, valid_text, count=1, flags=re.M)
        expected = message.strip().replace("fruit_order.yml", "sample.yml").rstrip("…")
        found = [finding.message for finding in check_text(text)]
        assert any(expected in told for told in found), (wrong, message, found)
        checked += 1
    assert checked >= 10


def test_the_guide_has_no_half_width_punctuation_beside_chinese():
    prose = re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", "", GUIDE, flags=re.S)
    assert re.findall(r".{0,8}[\u4e00-\u9fff”][,;:?!()].{0,8}|.{0,8}[,;?!()][\u4e00-\u9fff“].{0,8}", prose) == []

from __future__ import annotations

from followup.scripts import load, published
from followup.scripts.publish_check import check_text
from followup.scripts.published import Kind, Name

SCRIPT = Name(Kind.SCRIPT, "fruit_order")


def text_of(name: Name) -> str:
    folder = published.KNOWLEDGE if name.kind is Kind.KNOWLEDGE else load.SCRIPTS_DIR
    (path,) = folder.rglob(f"{name.id}.yml")
    return published.file_text(path)


def test_a_text_in_force_has_no_errors():
    for name in (SCRIPT, Name(Kind.SHARED, "_shared"), Name(Kind.KNOWLEDGE, "invoice"), Name(Kind.KNOWLEDGE, "_company")):
        assert not [one for one in check_text(name, text_of(name), thorough=False) if one.is_error], name


def test_an_error_is_told_with_its_line_and_no_file():
    text = text_of(SCRIPT)
    line = text.splitlines().index("  ask: 请问您收到的{product}怎么样呢？") + 1
    found = check_text(SCRIPT, text.replace("{product}怎么样", "{prodct}怎么样"))
    assert ("", line, "变量 {prodct} 没有说明过") in [(one.file, one.line, one.message) for one in found]


def test_the_name_and_the_trade_stay_those_of_the_file():
    text = text_of(SCRIPT)
    assert any(one.is_error for one in check_text(SCRIPT, text.replace("id: fruit_order", "id: other")))
    assert any(one.is_error for one in check_text(SCRIPT, text.replace("trade: e-commerce", "trade: bank")))
    assert any(one.is_error for one in check_text(Name(Kind.KNOWLEDGE, "invoice"), "topic: other"))


def test_a_shared_wording_that_no_script_could_use_is_an_error_in_the_scripts():
    name = Name(Kind.SHARED, "_shared")
    found = check_text(name, text_of(name).replace("busy:", "busy:\n  nobody_knows: 好的。", 1).replace("{agent}", "{car_owner}"))
    assert any(one.is_error for one in found)

"""What is wrong with the text itself: told with its line, before anything else is looked at."""

from __future__ import annotations

import pytest


def test_a_tab_in_the_indent(check_text, told):
    assert told(check_text("id: sample\nquestions:\n\t- id: a\n"), "错误", "制表符", "空格", line=3)


def test_a_full_width_blank_in_the_indent(check_text, told):
    assert told(check_text("id: sample\nquestions:\n\u3000- id: a\n"), "错误", "全角空格", line=3)


def test_a_full_width_colon_after_a_key(check_text, told):
    assert told(check_text("id: sample\nname：样例\n"), "错误", "键“name”后面是全角冒号", "name:", line=2)


def test_one_slip_is_told_once(check_text):
    assert len(check_text("id: sample\nname：样例\ntrade: demo\n")) == 1


def test_a_key_written_twice_names_the_first_line(check, told):
    assert told(check(more="about: 又一次\n"), "错误", "“about”重复了，第10行", "并成一处", line=11)


@pytest.mark.parametrize("key", ["rules", "stories", "nlu", "responses"])
@pytest.mark.parametrize("indent", ["", "    ", "- "])
def test_keys_by_which_rasa_takes_the_file_for_its_own(check_text, told, key, indent):
    text = f"id: sample\n{indent}{key}: 一\n"
    assert told(check_text(text), "错误", f"行首不能写“{key}:”", line=2)


def test_such_a_key_inside_a_folded_sentence_is_found_too(check, told):
    found = check(swap=("opening: 您好！", "opening: >-\n  nlu: 您好！"))
    assert told(found, "错误", "行首不能写“nlu:”")


def test_a_bracket_that_is_never_closed_is_told_where_it_opens(check_text, told):
    assert told(check_text("id: sample\nname: [一, 二\ntrade: demo\n"), "错误", "方括号没有收尾", line=2)


def test_a_brace_that_is_never_closed(check_text, told):
    assert told(check_text("id: sample\nlength: {minutes: 3\ntrade: demo\n"), "错误", "花括号没有收尾", line=2)


def test_a_quote_that_is_never_closed_is_told_where_it_opens(check_text, told):
    assert told(check_text('id: sample\nname: "样例\ntrade: demo\n'), "错误", "引号没有收尾", line=2)


def test_a_half_width_colon_in_a_sentence(check_text, told):
    assert told(check_text("id: sample\nname: 样例: 回访\n"), "错误", "半角冒号", "全角", line=2)


def test_a_sentence_that_begins_with_a_variable_needs_quotes(check_text, told):
    found = check_text("id: sample\nopening: {customer}您好！\nname: 样例\n")
    assert told(found, "错误", "以花括号开头", '"{customer}您好！"', line=2)


@pytest.mark.parametrize("row", ["identity: {ask: 请问是{customer}吗？}", "acknowledge: [谢谢{customer}！, 好的。]"])
def test_a_sentence_with_a_variable_inside_brackets_needs_quotes(check_text, told, row):
    found = check_text(f"id: sample\n{row}\nname: 样例\n")
    assert told(found, "错误", "花括号或方括号里的句子用了 {变量}", "双引号", line=2)


def test_a_sentence_that_is_only_a_variable_needs_quotes(check, told):
    assert told(check(swap=("about: 想了解一下您的感受", "about: {company}")), "错误", "“about”", "双引号")


def test_a_value_that_begins_with_a_reserved_sign(check_text, told):
    assert told(check_text("id: sample\nname: @样例\n"), "错误", "不能用“@”开头", "双引号", line=2)


def test_lines_that_do_not_align(check_text, told):
    assert told(check_text("id: sample\nidentity:\n   ask: 一\n  say: 二\n"), "错误", "缩进没有对齐", line=4)


def test_a_second_document_in_the_file(check_text, told):
    assert told(check_text("id: sample\n---\nid: other\n"), "错误", "一个文件只能写一份话术", line=2)


def test_anchors_are_not_supported(check_text, told):
    assert told(check_text("length: &a {minutes: 3}\nschedule: *a\n"), "错误", "锚点")


def test_a_structure_that_holds_itself_does_not_hang(check_text, told):
    assert told(check_text("length: &a {minutes: *a}\n"), "错误", "锚点")


def test_tags_are_not_supported(check_text, told):
    assert told(check_text("id: !!python/name:os.system x\n"), "错误", "不支持标签")


def test_a_date_needs_quotes(check, told):
    found = check(swap=("demo: 小演", "demo: 2026-11-18"))
    assert told(found, "错误", "当成日期", '"2026-11-18"', line=8)


def test_a_control_character_is_told_with_its_line(check_text, told):
    assert told(check_text("id: sample\nname: 样\x07例\n"), "错误", "控制字符", line=2)


def test_nesting_without_end_is_refused(check_text):
    [finding] = check_text("[" * 600)
    assert finding.is_error

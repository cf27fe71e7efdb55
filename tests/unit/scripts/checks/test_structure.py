"""Breaches of the schema, told in Chinese."""

from __future__ import annotations


def test_an_unknown_key_suggests_the_nearest(check, told):
    found = check(swap=("  on_unclear:", "  on-unclear:"))
    assert told(found, "错误", "不认识“on-unclear”这个键", "on_unclear", line=16)


def test_an_unknown_key_like_no_other_lists_what_there_is(check, told):
    assert told(check(more="colour: 红\n"), "错误", "不认识“colour”这个键", "closing、unwell、wording", line=11)


def test_an_unknown_key_in_an_option(check, told):
    found = check("""\
        - id: source
          ask: 您是怎么知道我们的？
          type: choice
          on_unclear: 朋友介绍，还是网上看到的？
          options:
          - {value: 朋友介绍, says: [朋友]}
          - 网络广告
        """)
    assert told(found, "错误", "不认识“says”", "say")


def test_an_unknown_outcome_in_closing(check, told):
    assert told(check(more="closing: {complete: 再见！}\n"), "错误", "不认识“complete”", "completed")


def test_a_missing_key_names_what_it_is(check, told):
    assert told(check(swap=("about: 想了解一下您的感受\n", "")), "错误", "缺少“about”（回访的目的）")


def test_a_missing_type_is_told_at_its_question(check, told):
    assert told(check(swap=("  type: open\n", "")), "错误", "缺少“type”", line=17)


def test_a_number_where_a_sentence_belongs(check, told):
    assert told(check(swap=("name: 样例回访", "name: 2026")), "错误", "“name”（话术名称）", '"2026"')


def test_a_word_where_true_or_false_belongs(check, told):
    assert told(check(swap=("type: open", "type: open\n  optional: yes")), "错误", "“optional”", "true 或 false")


def test_a_sentence_where_a_list_belongs(check, told):
    found = check(swap=("type: open", "type: open\n  acknowledge: 好的。"))
    assert told(found, "错误", "“acknowledge”", "[好的。]")


def test_a_wrong_question_type_suggests_the_nearest(check, told):
    assert told(check(swap=("type: scale3", "type: scale")), "错误", "不能是“scale”", "scale")


def test_a_wrong_question_type_lists_all_types(check, told):
    assert told(check(swap=("type: scale3", "type: 满意度")), "错误", "quantity_of、datetime")


def test_an_id_with_capitals(check, told):
    assert told(check(swap=("id: ideas", "id: Ideas")), "错误", "“id”（题目编号）不能是“Ideas”", "小写字母")


def test_a_variable_name_in_chinese_is_told_at_its_line(check, told):
    found = check(swap=("  company:", "  公司: {label: 公司, demo: 一}\n  company:"))
    assert told(found, "错误", "“公司”", "小写字母", line=7)


def test_a_version_of_zero(check, told):
    assert told(check(swap=("version: 1", "version: 0")), "错误", "太小", "不小于1")


def test_a_severity_out_of_range(check, told):
    found = check(swap=("type: open", "type: open\n  ticket: {kind: request, department: 客服部, severity: 9}"))
    assert told(found, "错误", "太大", "不大于4")


def test_no_questions_at_all(check, told):
    assert told(
        check(questions="", swap=("questions:", "questions: []")), "错误", "“questions”（题目）是空的", "至少1项"
    )


def test_an_empty_sentence(check, told):
    assert told(check(swap=("about: 想了解一下您的感受", 'about: ""')), "错误", "“about”是空的")


def test_an_empty_condition(check, told):
    assert told(check(swap=("type: open", "type: open\n  ask_if: {}")), "错误", "是空的", "至少1项")


def test_a_synonym_written_twice(check, told):
    found = check(swap=("type: open", "type: open\n  listen_for: {bad: {words: [坏, 坏]}}"))
    assert told(found, "错误", "里有重复的项")


def test_an_intent_that_can_never_be_an_answer(check, told):
    found = check(swap=("type: open", "type: open\n  takes: [do_not_contact]"))
    assert told(found, "错误", "不能是“do_not_contact”", "")


def test_the_shared_wording_must_have_every_outcome(check_text, told):
    found = check_text("closing: {completed: 再见！}\n", "_shared.yml")
    assert told(found, "错误", "缺少“refused”")

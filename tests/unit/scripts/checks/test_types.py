"""Question types have what they need."""

from __future__ import annotations

import pytest

CHOICE = """\
- id: source
  ask: 您是怎么知道我们的？
  type: choice
  on_unclear: 朋友介绍，还是网上看到的？
  options: %s
"""
COMPUTE = """\
- id: %s
  ask: 一共有多少个，坏了多少个？
  type: quantity_of
- id: money
  type: compute
  compute: %s
  price: price
  total: count
  say: 坏果{bad}个，赔偿您{amount}元。
"""
VARIABLES = ("  company:", "  price: {label: 价格, demo: 60}\n  count: {label: 个数, demo: 12}\n  company:")


def test_a_choice_needs_two_options(check, told):
    assert told(check(CHOICE % "[朋友介绍]"), "错误", "至少要有两个选项", "other: true", line=16)


def test_a_choice_without_options(check, told):
    assert told(check((CHOICE % "[]").replace("  options: []\n", "")), "错误", "至少要有两个选项", line=12)


def test_a_choice_that_takes_other_words_may_have_one_option(check):
    assert check(CHOICE % "[朋友介绍]\n  other: true") == []


def test_two_options_with_one_synonym(check, told):
    found = check(CHOICE % "[{value: 朋友介绍, say: [熟人, 网上]}, {value: 网络广告, say: [网上]}]")
    assert told(found, "错误", "“网上”已经属于选项“朋友介绍”", "只留在一个选项里")


def test_an_option_that_is_a_synonym_of_another(check, told):
    found = check(CHOICE % "[{value: 朋友介绍, say: [熟人]}, 熟人]")
    assert told(found, "错误", "“熟人”已经属于选项“朋友介绍”")


@pytest.mark.parametrize("comma", ["，", "、"])
def test_synonyms_parted_by_full_width_commas(check, told, comma):
    found = check(CHOICE % f"[{{value: 朋友介绍, say: [熟人{comma}亲戚]}}, 网络广告]")
    assert told(found, "错误", f"“熟人{comma}亲戚”会被当成一个词", "[熟人, 亲戚]")


def test_words_to_listen_for_parted_by_full_width_commas(check, told):
    found = check(swap=("type: open", "type: open\n  listen_for: {bad: {words: [坏，烂]}}"))
    assert told(found, "错误", "“坏，烂”会被当成一个词")


def test_options_belong_to_choices_only(check, told):
    found = check(swap=("type: open", "type: open\n  options: [好, 坏]"))
    assert told(found, "错误", "“options”不能用在 open 题里", "只用于 choice")


def test_a_question_needs_a_sentence(check, told):
    found = check(swap=("  ask: 您有什么建议吗？\n", ""))
    assert told(found, "错误", "题目“ideas”没有问句", "ask:", line=17)


def test_what_only_talks_needs_something_to_say(check, told):
    assert told(check("- {id: hint, type: tell}\n"), "错误", "“hint”没有要说的话", "say:")


def test_what_only_talks_waits_for_no_reply(check, told):
    found = check("- {id: hint, type: tell, say: 顺便说一句。, acknowledge: [好的。]}\n")
    assert told(found, "错误", "“acknowledge”不能用在 tell 里", "删掉")


def test_a_number_needs_bounds(check, told):
    found = check("- {id: people, type: number, ask: 您家里有几口人？, low: 1}\n")
    assert told(found, "错误", "数字题“people”没有写范围，缺少“high”")


def test_bounds_the_wrong_way_round(check, told):
    found = check("- {id: people, type: number, ask: 您家里有几口人？, low: 30, high: 1}\n")
    assert told(found, "错误", "最小值30不小于最大值1", "low 比 high 小")


def test_a_score_has_bounds_of_its_own(check, told):
    score = "- {id: rating, type: score, ask: 请您打个分，好吗？, on_unclear: 您打几分？%s}\n"
    assert check(score % "") == []
    assert told(check(score % ", low: 10"), "错误", "最小值10不小于最大值10")


def test_a_required_question_is_not_optional(check, told):
    found = check(swap=("type: open", "type: open\n  required: true\n  optional: true"))
    assert told(found, "错误", "既必须回答又可以不答", "只留一个")


def test_an_acknowledgement_for_a_value_that_cannot_be(check, told):
    found = check(swap=("type: scale3", "type: scale3\n  acknowledge: {满意: [谢谢！]}"))
    assert told(found, "错误", "“满意”不是这一题的答案", "很满意")


def test_acknowledgements_for_yes_and_no(check):
    assert (
        check("- {id: used, type: yes_no, ask: 您以前办过吗？, acknowledge: {true: [好的。], false: [明白。]}}\n") == []
    )


def test_a_value_to_probe_that_cannot_be(check, told):
    found = check(swap=("type: scale3", "type: scale3\n  probe_if: [很差]"))
    assert told(found, "错误", "没有“很差”", "很满意、一般、不满意")


def test_words_for_probing_where_nothing_is_probed(check, told):
    found = check(swap=("type: open", "type: open\n  ask_reason: 能说说原因吗？"))
    assert told(found, "错误", "不追问，“ask_reason”用不上", "probe_if")


def test_a_computation_that_has_all_it_needs(check):
    assert check(COMPUTE % ("spoiled_amount", "compensation_by_share"), swap=VARIABLES) == []


def test_an_unknown_computation(check, told):
    found = check(COMPUTE % ("spoiled_amount", "compensation_by_sharing"), swap=VARIABLES)
    assert told(found, "错误", "没有“compensation_by_sharing”这条计算规则", "compute: compensation_by_share")


def test_a_computation_without_its_question(check, told):
    found = check(COMPUTE % ("amount_of_fruit", "compensation_by_share"), swap=VARIABLES)
    assert told(found, "错误", "要用前面的 quantity_of 题“spoiled_amount”")


def test_a_computation_without_a_key_it_needs(check, told):
    questions = (COMPUTE % ("spoiled_amount", "compensation_by_share")).replace("  price: price\n", "")
    assert told(check(questions, swap=VARIABLES), "错误", "需要“price”", "price: 变量名")


def test_a_computation_with_an_undeclared_variable(check, told):
    questions = (COMPUTE % ("spoiled_amount", "compensation_by_share")).replace("price: price", "price: prise")
    assert told(check(questions, swap=VARIABLES), "错误", "变量“prise”没有说明过", "price")


def test_what_every_computation_needs_is_known():
    from followup.scripts.checks.facts import COMPUTATION_NEEDS
    from followup.scripts.compute import COMPUTATIONS

    assert set(COMPUTATION_NEEDS) == set(COMPUTATIONS)


def test_a_variable_with_a_built_in_name(check, told):
    found = check(swap=("  company:", "  customer: {label: 客户, demo: 王女士}\n  company:"))
    assert told(found, "错误", "“customer”是内置变量", "换一个名字", line=7)

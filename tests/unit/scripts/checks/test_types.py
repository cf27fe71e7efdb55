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


YES_NO = "- {id: drove, type: yes_no, ask: 是您自己开车来的吗？, %s}\n"
LAST = "- {id: ideas, type: open, ask: 您有什么建议吗？}\n"


@pytest.mark.parametrize("key", ['"false"', "false", "answered", "skipped"])
def test_an_answer_may_end_the_talk(check, key):
    assert check(YES_NO % f"ends: {{{key}: {{outcome: wrong_person, say: 抱歉打扰您了，再见！}}}}") == []


def test_an_end_for_a_value_that_cannot_be(check, told):
    found = check(YES_NO % "ends: {没有: {outcome: wrong_person}}" + LAST)
    assert told(found, "错误", "ends 里的“没有”不是这一题的答案", "true、false、answered、skipped")


def test_an_end_with_an_unknown_outcome(check, told):
    found = check(YES_NO % "ends: {false: {outcome: wrong_persona}}" + LAST)
    assert told(found, "错误", "不能是“wrong_persona”", "wrong_person")


def test_an_end_needs_an_outcome(check, told):
    assert told(check(YES_NO % "ends: {false: {say: 再见！}}" + LAST), "错误", "缺少“outcome”（结果）")


def test_what_only_talks_ends_nothing(check, told):
    found = check("- {id: hint, type: tell, say: 顺便说一句。, ends: {answered: {outcome: completed}}}\n" + LAST)
    assert told(found, "错误", "“ends”不能用在 tell 里")


def test_several_answers_at_once_are_no_single_value_to_end_with(check, told):
    found = check(CHOICE % "[甲店, 乙店]\n  multiple: true\n  ends: {甲店: {outcome: completed}}")
    assert told(found, "错误", "ends 里的“甲店”不是这一题的答案")


def test_a_score_may_end_the_talk_within_its_bounds(check, told):
    score = "- {id: rating, type: score, ask: 请您打个分，好吗？, on_unclear: 您打几分？, ends: {%s: {outcome: completed}}}\n"
    assert check(score % "10") == []
    assert told(check(score % "11"), "错误", "ends 里的“11”不是这一题的答案")


def test_an_answer_that_is_probed_does_not_end(check, told):
    found = check(swap=("type: scale3", "type: scale3\n  ends: {不满意: {outcome: complained}}"))
    assert told(found, "错误", "“不满意”既要追问原因，又要结束谈话", "只留一处")


def test_a_ticket_for_some_answers_only(check, told):
    ticket = YES_NO % "ticket: {kind: request, department: 服务部, if: [%s]}"
    assert check(ticket % "false") == []
    assert told(check(ticket % "不是"), "错误", "这一题的答案里没有“不是”", "true、false")


def test_what_only_talks_has_no_answer_to_raise_a_ticket_for(check, told):
    ticket = "ticket: {kind: request, department: 服务部, if: [true]}"
    assert told(check(f"- {{id: hint, type: tell, say: 顺便说一句。, {ticket}}}\n"), "错误", "ticket 里不能写 if", "ask_if")


def test_scores_are_probed_by_comparison(check, told):
    score = "- {id: rating, type: score, ask: 请您打个分，好吗？, on_unclear: 您打几分？, probe_if: [%s]}\n"
    assert check(score % '"< 5"') == []
    assert told(check(score % '"> 10"'), "错误", "“> 10”不会成立")
    assert told(check(score % "不满意"), "错误", "没有“不满意”", "一个数字")


def test_only_the_reason_is_asked(check, told):
    assert check(swap=("type: scale3", "type: scale3\n  probes: [reason]")) == []
    found = check(swap=("type: scale3", "type: scale3\n  probes: [reason]\n  ask_improve: 怎样改进好呢？"))
    assert told(found, "错误", "“ask_improve”用不上")
    assert told(check(swap=("type: scale3", "type: scale3\n  probes: [improve]")), "错误", "没有问原因", "[reason, improve]")
    assert told(check(swap=("type: open", "type: open\n  probes: [reason]")), "错误", "不追问，“probes”用不上")


def test_only_what_is_told_stands_apart(check, told):
    assert check("- {id: text, type: tell, say: 顺便说一句。, apart: true}\n") == []
    assert told(check(swap=("type: open", "type: open\n  apart: true")), "错误", "“apart”不能用在 open 题里", "tell")


SHARE = """\
- {id: greeted, type: yes_no, ask: 有人接待您吗？}
- {id: rating, type: score, ask: 请您打个分，好吗？, on_unclear: 1到10分，您打几分？}
- {id: share, type: compute, %s}
"""


@pytest.mark.parametrize(
    "step",
    [
        "compute: yes_share, of: [greeted]",
        "compute: yes_share, of: greeted",
        'compute: score_share, of: [rating], say: "一共{items}项，得分率{percent}%。"',
    ],
)
def test_shares_of_earlier_answers(check, step):
    assert check(SHARE % step) == []


@pytest.mark.parametrize(
    ("step", "message", "instead"),
    [
        ("compute: yes_share", "计算规则“yes_share”需要“of”", "of: ["),
        ("compute: yes_share, of: [greted]", "of 里的“greted”不是前面的题目", "greeted"),
        ("compute: yes_share, of: [rating]", "“yes_share”只能用 yes_no、confirm 题，“rating”是 score", "yes_no"),
        ("compute: score_share, of: [greeted]", "“score_share”只能用 score 题，“greeted”是 yes_no", "score"),
    ],
)
def test_shares_of_what_cannot_be_counted(check, told, step, message, instead):
    assert told(check(SHARE % step), "错误", message, instead, line=14)


def test_a_score_out_of_five_has_no_share_of_ten(check, told):
    found = check((SHARE % "compute: score_share, of: [rating]").replace("type: score,", "type: score, high: 5,"))
    assert told(found, "错误", "“rating”不是1到10分")


def test_the_compensation_is_made_of_no_questions(check, told):
    questions = (COMPUTE % ("spoiled_amount", "compensation_by_share")) + "  of: [spoiled_amount]\n"
    assert told(check(questions, swap=VARIABLES), "错误", "不用“of”", "yes_share")


def test_what_every_computation_gives_is_known():
    from followup.scripts.checks.facts import GIVES, SHARE_OF
    from followup.scripts.compute import COMPUTATIONS

    assert set(GIVES) == set(COMPUTATIONS) and set(SHARE_OF) <= set(COMPUTATIONS)


def test_consent_on_a_landline_and_another_user(check, told):
    assert check(more="consent: {landline: true}\nidentity: {ask: 请问是本人吗？, other_user: 请问这车是您在用吗？}\n") == []
    assert told(check(more="consent: {landline: 是}\n"), "错误", "“landline”（可以改用座机）的写法不对", "true 或 false")


def test_a_yes_no_question_may_have_its_own_words_and_buttons(check):
    own = "- {id: box, ask: 东西齐全吗？, type: yes_no, yes: [齐全], no: [缺货, 少了], buttons: [齐全, 缺货]}"
    assert [f for f in check(own) if f.is_error] == []


def test_a_button_that_answers_nothing_is_an_error(check, told):
    assert told(check("- {id: box, ask: 东西齐全吗？, type: yes_no, buttons: [蓝色]}"), "错误", "按钮“蓝色”听不出是哪个回答")


def test_the_buttons_of_a_choice_are_its_options(check, told):
    choice = "- {id: how, ask: 怎么来？, type: choice, on_unclear: 哪种？, options: [走路, 坐车], buttons: [飞]}"
    assert told(check(choice), "错误", "选择题的按钮就是选项", "改 options")


def test_a_word_is_a_yes_or_a_no_but_not_both(check, told):
    both = "- {id: box, ask: 东西齐全吗？, type: yes_no, yes: [全], no: [全]}"
    assert told(check(both), "错误", "“全”同时写在 yes 和 no 里")


def test_own_words_are_for_yes_and_no_only(check, told):
    assert told(check("- {id: box, ask: 您说呢？, type: open, yes: [全]}"), "错误", "“yes”不能用在 open 题里")

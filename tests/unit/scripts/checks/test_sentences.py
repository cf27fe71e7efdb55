"""What stands in a sentence: variables, forbidden phrases, punctuation, length."""

from __future__ import annotations

import pytest

ASK = "ask: 您有什么建议吗？"


@pytest.mark.parametrize(
    ("sentence", "message", "instead"),
    [
        ("您对{compny}有什么建议吗？", "变量 {compny} 没有说明过", "{company}"),
        ("您对{shop}有什么建议吗？", "变量 {shop} 没有说明过", "在 variables 里加上 shop"),
        ("您对{ company }有什么建议吗？", "“ company ”不是变量名", "{company}"),
        ("您对{}有什么建议吗？", "花括号里的“”不是变量名", "{customer}"),
        ("您对{company有什么建议吗？", "花括号没有成对", "{变量名}"),
        ("您对company}有什么建议吗？", "花括号没有成对", "{变量名}"),
        ("您对｛company｝有什么建议吗？", "全角花括号", "半角花括号"),
        ("您觉得{amount}元怎么样？", "变量 {amount} 在这句话里没有值", "compensation_by_share"),
        ("您觉得{percent}怎么样？", "变量 {percent} 在这句话里没有值", "yes_share"),
        ("您说的是{answer}吗？", "变量 {answer} 在这句话里没有值", "acknowledge 和 ends"),
    ],
)
def test_braces_that_are_wrong(check, told, sentence, message, instead):
    assert told(check(swap=(ASK, f"ask: {sentence}")), "错误", message, instead, line=18)


def test_built_in_variables_need_no_declaration(check):
    assert check(swap=(ASK, "ask: 王家的{customer}{title}有什么建议吗？")) == []


def test_every_kind_of_sentence_is_looked_at(check, told):
    more = """\
        identity: {ask: "是{a}吗？"}
        after_consent: 好的{b}。
        closing: {completed: [{say: "谢谢{c}", if: {ideas: answered}}, "再见{d}"]}
        wording: {busy: {driving: "请{e}"}}
        """
    found = check(more=more, swap=("type: open", 'type: open\n  acknowledge: ["好{f}"]'))
    assert [name for name in "abcdef" if told(found, "错误", f"变量 {{{name}}} 没有说明过")] == list("abcdef")


def test_a_variable_of_the_shared_wording_must_be_declared(check, told):
    found = check(
        swap=(
            "  agent: {label: 助手称呼, demo: 小演}\nopening: 您好！我是{company}的智能助手{agent}",
            "opening: 您好！我是{company}的智能助手",
        )
    )
    assert told(found, "错误", "公共话术要用变量“agent”", "agent: {label", line=6)


def test_a_variable_of_a_shared_sentence_that_is_overridden_need_not_be(check):
    more = 'wording: {answers: {ask_who: "我是{company}的智能助手。"}}\n'
    assert (
        check(
            more=more,
            swap=(
                "  agent: {label: 助手称呼, demo: 小演}\nopening: 您好！我是{company}的智能助手{agent}",
                "opening: 您好！我是{company}的智能助手",
            ),
        )
        == []
    )


def test_a_forbidden_phrase_comes_with_what_to_say_instead(check, told):
    found = check(swap=(ASK, "ask: 这是规定，您有什么建议吗？"))
    assert told(found, "错误", "“这是规定”是服务忌语（服务忌语 6.3）", "我帮您看看还有什么办法", line=18)


def test_a_forbidden_phrase_in_the_shared_wording(check_text, told):
    assert told(check_text("unclear: {first: 什么？}\n", "_shared.yml"), "错误", "“什么”是服务忌语", line=1)


def test_what_is_forbidden_alone_may_be_part_of_a_sentence(check):
    assert check(swap=(ASK, "ask: 请问您有什么建议？")) == []


def test_half_width_punctuation_comes_with_the_corrected_text(check, told):
    found = check(swap=(ASK, "ask: 打扰您了,您有什么建议吗?"))
    assert told(found, "提醒", "“打扰您了,您有什么建议”里有半角标点“,”", "“打扰您了，您有什么建议”", line=18)


def test_times_and_latin_words_keep_their_punctuation(check):
    assert check(swap=(ASK, "ask: 我们8:30到17:30都在，您有什么建议吗？")) == []


def test_a_variable_is_never_cut_in_two(check, told):
    found = check(swap=(ASK, "ask: 您对{company},还有什么建议吗？"))
    assert told(found, "提醒", "“{company},还有什么建议”")


def test_a_message_too_long_for_a_chat(check, told):
    found = check(swap=(ASK, f"ask: {'请您慢慢说，' * 25}好吗？"))
    assert told(found, "提醒", "这段话有153个字", "不超过120个字")


def test_the_answer_is_read_back_only_where_one_was_just_given(check, told):
    back = '  type: open\n  acknowledge: ["好的，{answer}。"]\n  ends: {answered: {outcome: completed, say: "{answer}见！"}}'
    assert check(swap=("  type: open", back)) == []
    found = check(more='closing: {completed: "{answer}，再见！"}\n')
    assert told(found, "错误", "变量 {answer} 在这句话里没有值", "acknowledge")


def test_one_computation_does_not_know_the_figures_of_another(check, told):
    step = "- {id: drove, type: yes_no, ask: 您自己来的吗？}\n- {id: share, type: compute, compute: yes_share, of: drove, say: '%s'}\n"
    assert check(step % "{items}项里落实了{percent}%。") == []
    assert told(check(step % "赔偿您{amount}元。"), "错误", "变量 {amount} 在这句话里没有值", "compensation_by_share")


def test_the_question_for_another_user_is_looked_at(check, told):
    found = check(more="identity: {ask: 请问是本人吗？, other_user: \"请问{plate}是您在用吗？\"}\n")
    assert told(found, "错误", "变量 {plate} 没有说明过")

"""Which of several sentences is said."""

from __future__ import annotations

import pytest

from tests.unit.dialogue.player import Player, script_of

IDEAS = "- {id: ideas, type: open, ask: 您有什么建议吗？}\n"
CLOSING = """\
closing:
  completed:
  - 感谢您的支持，再见！
  - {say: 您的建议我记下了，再见！, if: {ideas: answered}}
  - 打扰您了，再见！
"""


@pytest.mark.parametrize("case", ["a", "b", "c", "d", "e", "f"])
def test_a_closing_for_this_case_is_never_exchanged_for_a_general_one(case: str) -> None:
    player = Player(script_of(IDEAS, CLOSING), given={"voice": case})
    player.say("方便", "consent")
    assert player.say("多开一家店", "suggest").endswith("您的建议我记下了，再见！")


@pytest.mark.parametrize("case", ["a", "b", "c", "d", "e", "f"])
def test_a_closing_whose_condition_fails_is_not_said(case: str) -> None:
    player = Player(script_of(IDEAS, CLOSING), given={"voice": case})
    player.say("方便", "consent")
    assert "建议我记下" not in player.say("没有了", "nothing_to_add")


SEVERAL = """\
- id: reaction
  type: choice
  multiple: true
  ask: 用了以后感觉怎么样？
  options: [舒服, 发红, 发痒]
  acknowledge:
    发痒: [发痒请先停用。]
    发红: [发红请先停用。]
    answered: [好的。]
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [("发红", "发红请先停用。"), ("发红，还发痒", "发痒请先停用。"), ("挺舒服", "好的。")],
)
def test_each_of_several_answers_may_have_its_own_words(words: str, said: str) -> None:
    player = Player(script_of(SEVERAL + IDEAS))
    player.say("方便", "consent")
    assert player.say(words, "inform").startswith(said)


def test_the_number_of_questions_is_the_scripts_own() -> None:
    player = Player("workshop_service_satisfaction")
    player.say("是我", "consent")
    assert "最多13个" in player.say("要多久", "ask_duration")
    assert "最多5个" in Player("auto_loan_satisfaction").say("要多久", "ask_duration")


def test_an_answer_is_promised_within_days_not_before_them() -> None:
    player = Player("auto_loan_satisfaction")
    assert "两个工作日之内给您答复" in player.say("我要投诉，业务员骗人，说好的不算数", "complain")


def test_what_we_ask_about_may_name_the_customers_own_things() -> None:
    said = Player("bank_system_upgrade_visit", given={"channel": "网上银行"}).say("什么事", "ask_purpose")
    assert "使用网上银行的情况" in said and "{" not in said

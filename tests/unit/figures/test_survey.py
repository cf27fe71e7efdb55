"""客户满意度调查统计表 over several forms."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from followup.figures.forms import survey_form
from followup.figures.survey import SurveyFigures, survey
from followup.figures.talks import Given, TalkAnswers
from followup.scripts.load import load_script

FORM = survey_form("satisfaction_survey_form")
ITEMS = [item for block in FORM.blocks for item in block.items]
HEADER = {"client": "演示商贸公司", "business": "企金仓储业务", "form_number": "演示0001", "happened_on": "11月16日", "detail": "仓单质押"}


def talk(customer: str = "张女士", words: dict[str, str] | None = None, **values: Any) -> TalkAnswers:
    given = {key.replace("__", "."): Given(value, (words or {}).get(key, str(value))) for key, value in values.items()}
    return TalkAnswers(customer, customer, HEADER, given)


def price(figures: SurveyFigures):
    return figures.blocks[0].items[1]


def test_each_value_is_counted_with_its_share_of_the_answers() -> None:
    figures = survey(FORM, [talk(price="很满意"), talk(price="很满意"), talk(price="不满意")])
    assert dict(price(figures).counts) == {"很满意": 2, "一般": 0, "不满意": 1}
    assert [price(figures).share(value) for value in FORM.values] == [66.7, 0, 33.3]


def test_what_was_passed_or_never_asked_is_no_answer_and_is_counted() -> None:
    counted = price(survey(FORM, [talk(price="一般"), talk(price=None), talk(method="一般")]))
    assert (counted.answered, counted.passed, counted.not_asked) == (1, 1, 1)
    assert counted.share("一般") == 100


def test_without_an_answer_there_is_no_share() -> None:
    assert price(survey(FORM, [talk(method="一般")])).share("一般") is None


def test_a_block_is_the_sum_of_its_items() -> None:
    figures = survey(FORM, [talk(method="很满意", price="一般", term="不满意"), talk(method="很满意")])
    assert dict(figures.blocks[0].total.counts) == {"很满意": 2, "一般": 1, "不满意": 1}
    assert figures.blocks[0].total.share("很满意") == 50
    assert figures.blocks[1].total.answered == 0


def test_the_reasons_of_a_block_are_listed_with_who_gave_them() -> None:
    one = talk("张女士", method="不满意", business_reason="手续太麻烦")
    other = talk("李先生", {"price": "不满意，利息太高了"}, price="不满意", business_reason="无")
    reasons = survey(FORM, [one, other]).blocks[0].reasons
    assert [(said.customer, said.about, said.words) for said in reasons] == [
        ("张女士", "", "手续太麻烦"),
        ("李先生", "业务收费价格", "不满意，利息太高了"),
    ]


def test_a_bare_verdict_is_no_reason_and_praise_is_none_either() -> None:
    bare = talk(words={"price": "不太满意", "term": "很满意，比别家长"}, price="不满意", term="很满意", business_reason=None)
    assert survey(FORM, [bare]).blocks[0].reasons == ()


def test_reasons_asked_for_at_once_belong_to_their_item() -> None:
    figures = survey(FORM, [talk(price="不满意", price__reason="比同行贵", price__improve="便宜一点")])
    assert [(said.about, said.words) for said in figures.blocks[0].reasons] == [("业务收费价格", "比同行贵"), ("业务收费价格", "便宜一点")]


def test_comments_are_listed_and_having_none_is_not_one() -> None:
    figures = survey(FORM, [talk(price="一般", other_comments="多发活动通知"), talk(price="一般", other_comments="无")])
    assert [said.words for said in figures.comments] == ["多发活动通知"]


def test_a_talk_that_came_to_no_item_is_no_form() -> None:
    assert survey(FORM, [TalkAnswers("a", "张女士", HEADER, {"contact_ok": Given(True)})]).forms == 0


def test_the_header_is_filled_from_the_customer_and_the_business() -> None:
    (filled,) = survey(FORM, [talk(price="一般")]).filled
    assert filled.number == "演示0001" and filled.box == "企金仓储业务"
    assert dict(filled.header)["联系人"] == "张女士"
    assert dict(filled.header)["业务发生时间、方式、产品型号、规格和数量等"] == "11月16日，仓单质押"


def test_forms_are_counted_by_kind_of_business() -> None:
    car = TalkAnswers("b", "李先生", {"business": "个金车贷业务"}, {"price": Given("一般")})
    assert dict(survey(FORM, [talk(price="一般"), car]).boxes) == {"个金车贷业务": 1, "企金仓储业务": 1}


def test_every_question_of_the_form_is_in_the_script_and_the_other_way_round() -> None:
    script = load_script(FORM.script)
    assert ITEMS == [q.id for q in script.questions if q.type == "scale3"]
    for block in FORM.blocks:
        assert script.question(block.reason).type == "open"
    assert script.question(FORM.comments).type == "open"
    names = {FORM.number, FORM.boxes_of, *(name for field in FORM.header for name in field.of)} - {"customer"}
    assert names <= set(script.variables)


ANSWERS = st.dictionaries(st.sampled_from(ITEMS), st.sampled_from([*FORM.values, None]))


@given(st.lists(ANSWERS, max_size=12))
def test_every_form_is_in_each_item_exactly_once(answers: list[dict[str, Any]]) -> None:
    figures = survey(FORM, [talk(**one) for one in answers])
    for block in figures.blocks:
        for item in block.items:
            assert item.answered + item.passed + item.not_asked == figures.forms
            if item.answered:
                assert abs(sum(item.share(value) or 0 for value in FORM.values) - 100) < 0.2
        assert block.total.answered == sum(item.answered for item in block.items)

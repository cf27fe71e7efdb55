"""The figures in the terminal."""

from __future__ import annotations

import re

from followup.figures.forms import rates_form, survey_form
from followup.figures.survey import survey
from followup.figures.talks import Given, TalkAnswers
from followup.figures.text import rates_text, survey_text
from followup.figures.workshop import rates

PERIOD = "2026-11-01 至 2026-11-30"


def test_the_survey_names_counts_shares_reasons_and_comments() -> None:
    answers = {"price": Given("不满意", "不满意"), "business_reason": Given("利息高"), "other_comments": Given("多联系")}
    text = survey_text(survey(survey_form("satisfaction_survey_form"), [TalkAnswers("a", "张女士", {}, answers)]), PERIOD)
    assert text.startswith("客户满意度调查统计表（2026-11-01 至 2026-11-30，共1份）\n")
    (line,) = [line for line in text.splitlines() if "业务收费价格" in line]
    assert line.split() == ["业务收费价格", "0（0%）", "0（0%）", "1（100%）", "0", "0"]
    assert "张女士：利息高" in text and "张女士：多联系" in text


def test_the_columns_stand_below_each_other_whatever_is_in_them() -> None:
    talks = [TalkAnswers("a", "张女士", {}, {"price": Given("一般"), "method": Given("很满意")})] * 12
    lines = survey_text(survey(survey_form("satisfaction_survey_form"), talks), PERIOD).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("对我司业务"))
    before = [line[: re.search(r"\d", line).start()] for line in lines[start + 2 : start + 6]]
    assert len({sum(1 if char == " " else 2 for char in part) for part in before}) == 1
    assert len({len(part) for part in before}) > 1  # although the labels are of different length


def test_the_rates_are_shown_per_item_in_total_and_per_station() -> None:
    answers = {"invited": Given(True), "reception": Given(8), "charges": Given(None)}
    talks = [TalkAnswers("a", "张女士", {"station": "城东服务站"}, answers)]
    text = rates_text(rates(rates_form("workshop_service_satisfaction"), talks), PERIOD)
    lines = [line.split() for line in text.splitlines()]
    assert ["2.2", "接车迅速、礼貌友善", "80%", "8", "1", "0", "0", "0"] in lines
    assert ["2.10", "收费合理程度", "—", "0", "0", "1", "0"] in lines
    assert ["落实度", "100%", "1", "0", "0", "3"] in lines
    assert ["城东服务站", "1", "100%", "80%"] in lines

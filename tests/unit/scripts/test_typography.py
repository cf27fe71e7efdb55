from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followup.scripts.load import SCRIPTS_DIR, content, load_all
from followup.scripts.checks.sentences import script_sentences, shared_sentences
from followup.scripts.typography import polish, polish_all

HALF_WIDTH = re.compile(r"(?<=[\u4e00-\u9fff”’》）}])\s*[,;:?!()]|[,;:?!()]\s*(?=[\u4e00-\u9fff“‘《（{])")


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("您好,我是小演", "您好，我是小演"),
        ("您满意吗?", "您满意吗？"),
        ("好的!谢谢;再见", "好的！谢谢；再见"),
        ("提示:请注意", "提示：请注意"),
        ("价格(元)是多少", "价格（元）是多少"),
        ("感谢您订购了{product},我是{agent}", "感谢您订购了{product}，我是{agent}"),
        ("会员卡VIP,请收好", "会员卡VIP，请收好"),
        ("我们8:30到17:30都在", "我们8:30到17:30都在"),
        ("打开App Store下载", "打开App Store下载"),
        ("维生素B1、B2和苹果酸", "维生素B1、B2和苹果酸"),
        ("一共1,000元", "一共1,000元"),
        ("好的 ，谢谢", "好的，谢谢"),
    ],
)
def test_sentences_are_set_as_in_print(typed, printed):
    assert polish(typed) == printed


def test_the_line_breaks_of_a_folded_sentence_go():
    assert polish("耽误您几分钟时间,\n  做一个回访") == "耽误您几分钟时间，做一个回访"


def test_nested_lists_and_mappings_are_polished_and_other_values_kept():
    assert polish_all({"a": ["好,的"], "b": {"c": "吗?"}, "n": 3, "t": True}) == {
        "a": ["好，的"],
        "b": {"c": "吗？"},
        "n": 3,
        "t": True,
    }


@settings(deadline=None)
@given(st.text(alphabet="您好吗a1 ,;:?!(){}，。“”\n", max_size=40))
def test_polishing_twice_changes_nothing_more(text):
    assert polish(polish(text)) == polish(text)


@settings(deadline=None)
@given(st.text(alphabet="您好吗,;:?!(){}ab1，。", max_size=40))
def test_polishing_never_touches_a_variable(text):
    assert re.findall(r"\{[a-z]+\}", polish(text)) == re.findall(r"\{[a-z]+\}", text)


@pytest.mark.parametrize("script_id", [script.id for script in load_all()])
def test_no_sentence_a_customer_reads_has_half_width_punctuation_beside_chinese(script_id):
    revision = content(script_id, SCRIPTS_DIR)
    sentences = [*script_sentences(revision["script"]), *shared_sentences(revision["wording"])]
    assert len(sentences) > 50
    assert [s.text for s in sentences if HALF_WIDTH.search(s.text)] == []

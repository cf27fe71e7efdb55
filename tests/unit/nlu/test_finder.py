"""Things named in a reply, at their places in the customer's own text."""

from pathlib import Path

import pytest

from followup.nlu.finder import Entity, EntityFinder
from followup.nlu.lexicon import Entry, Lexicon

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def finder() -> EntityFinder:
    return EntityFinder(Lexicon.read(ROOT / "data" / "lexicon"))


def values(found: list[Entity], kind: str) -> list[object]:
    return [entity.value for entity in found if entity.entity == kind]


def test_an_aspect_has_its_id_and_whether_the_word_blames(finder):
    found = finder.find("價格有點貴")
    assert {(e.value, e.text, e.polarity) for e in found} == {("price", "價格", ""), ("price", "有點貴", "negative")}


def test_places_are_those_of_the_original_text(finder):
    text = "👍🏻 ㎡ 我老公說電話是１３８ 0013 8000"
    for entity in finder.find(text):
        assert text[entity.start : entity.end] == entity.text
    assert values(finder.find(text), "phone") == ["13800138000"]
    assert values(finder.find(text), "person") == ["spouse"]


def test_of_overlapping_words_the_longest_counts(finder):
    assert [e.polarity for e in finder.find("梨不好吃") if e.entity == "aspect"] == ["negative"]


def test_a_look_alike_is_passed_over():
    finder = EntityFinder(Lexicon(aspects=(Entry("price", "价格", negative=("贵",), ignore=("贵姓",)),)))
    assert finder.find("您贵姓") == []
    assert values(finder.find("有点贵"), "aspect") == ["price"]


@pytest.mark.parametrize(("text", "plate"), [("鄂F12345", "鄂F12345"), ("车牌是粤B·D12345", "粤BD12345"), ("豫ａ８８８８８", "豫A88888")])
def test_plates_are_found_however_they_are_typed(finder, text, plate):
    assert values(finder.find(text), "plate") == [plate]


@pytest.mark.parametrize(("text", "score"), [("打8分吧", 8), ("九分", 9), ("8.5分", 8.5), ("十分", 10), ("满分", "满分"), ("四颗星", 4)])
def test_scores(finder, text, score):
    assert values(finder.find(text), "score") == [score]


@pytest.mark.parametrize("text", ["十分满意", "五分钟", "三分之一", "星期三"])
def test_what_only_looks_like_a_score(finder, text):
    assert values(finder.find(text), "score") == []


def test_quantities(finder):
    assert values(finder.find("坏了三个,一共十二个"), "quantity") == [3, 12]
    assert values(finder.find("三个月"), "quantity") == []


def test_a_proposed_time_is_found_as_its_words(finder):
    assert values(finder.find("明天下午三点再打吧"), "time") == ["明天下午三点"]
    assert values(finder.find("改天吧"), "time") == []


@pytest.mark.parametrize("text", ["", "   ", "👍", "<script>alert(1)</script>"])
def test_nothing_is_found_where_nothing_is_named(finder, text):
    assert finder.find(text) == []

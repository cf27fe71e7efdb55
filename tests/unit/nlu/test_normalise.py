"""What the classifier reads instead of what was typed."""

import pytest

from followup.nlu.normalise import MAX_CHARS, fold, normalise


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("價格有點貴，別再打了", "价格有点贵,别再打了"),
        ("ＯＫ　１００％", "ok 000%"),
        ("你\u200b好\x07", "你好"),
    ],
)
def test_one_spelling_for_traditional_full_width_and_control_characters(typed, read):
    assert normalise(typed) == read


def test_what_speech_recognition_doubles_is_said_once():
    assert normalise("我我现现在在开车") in ("我现现在开车", "我现在开车")
    assert normalise("我我现在在开车") == "我现在开车"
    assert normalise("没有没有没有了") == "没有了"
    assert normalise("现在现在不方便") == "现在不方便"


def test_words_that_are_doubled_by_grammar_stay():
    assert normalise("谢谢") == "谢谢"
    assert normalise("慢慢看看") == "慢慢看看"


def test_leading_fillers_go_only_when_something_follows():
    assert normalise("嗯,那个,挺好的") == "挺好的"
    assert normalise("嗯") == "嗯"


def test_signs_with_a_meaning_stay_as_the_sign_of_their_group():
    assert normalise("👍🏻") == normalise("💪") == normalise("[强]")
    assert normalise("😠") == normalise("🤬") == "😡"
    assert normalise("[OK]") == normalise("👌🏽")
    assert normalise("👍") != normalise("😡")


def test_numbers_become_their_shape():
    assert normalise("8分") == normalise("9分")
    assert normalise("13800138000") == "0000"


@pytest.mark.parametrize(
    ("word", "number"), [("88", "95"), ("８８！", "９５！"), ("嗯，886", "嗯，500"), ("88啦", "95啦"), ("666", "750"), ("23333", "12000")]
)
def test_a_number_that_chat_has_made_a_word_is_no_other_number(word, number):
    assert normalise(word) != normalise(number)
    assert normalise(normalise(word)) == normalise(word)


@pytest.mark.parametrize(("number", "other"), [("95", "77"), ("88分", "95分"), ("打88", "打95"), ("886块", "500块"), ("8", "7")])
def test_any_other_number_stays_its_shape(number, other):
    assert normalise(number) == normalise(other)


@pytest.mark.parametrize("nothing", ["", "   ", "……", "\x00\x01", "\ufeff\u200b"])
def test_a_reply_without_anything_to_read_becomes_empty(nothing):
    assert normalise(nothing) == ""


def test_normalising_twice_changes_nothing_more():
    for text in ("嗯嗯,我我在开车!!!", "價格太貴了😡😡", "<b>1;DROP TABLE</b>"):
        assert normalise(normalise(text)) == normalise(text)


def test_of_a_very_long_message_beginning_and_end_are_read():
    text = "开头" + "啰嗦" * 5000 + "别再打了"
    assert len(fold(text).text) <= MAX_CHARS + 1
    assert fold(text).text.startswith("开头")
    assert fold(text).text.endswith("别再打了")
    assert normalise(text).endswith("别再打了")


def test_a_place_in_the_folded_text_leads_back_to_the_customers_own_words():
    text = "㎡👍🏻價格，ＯＫ"
    folded = fold(text)
    start = folded.text.index("价格")
    begin, end = folded.span(start, start + 2)
    assert text[begin:end] == "價格"
    begin, end = folded.span(folded.text.index("ok"), folded.text.index("ok") + 2)
    assert text[begin:end] == "ＯＫ"


def test_a_place_behind_the_gap_of_a_long_message_is_found_too():
    text = "甲" * 3000 + "價格"
    folded = fold(text)
    begin, end = folded.span(folded.text.index("价格"), folded.text.index("价格") + 2)
    assert text[begin:end] == "價格"

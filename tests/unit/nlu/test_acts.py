"""Several acts in one reply, with the model of the committed examples."""

import pytest

from followup.nlu import NOT_UNDERSTOOD_BELOW
from followup.nlu.acts import NOTHING_SAID, PRIORITY, Act, Reading, read_acts
from followup.nlu.model import Guess
from followup.nlu.understanding import read_reply
from tests.e2e.in_process import trained


def read(text: str) -> Reading:
    return read_acts(text, trained().rank_all)


def intents(text: str) -> list[str]:
    return [act.intent for act in read(text).acts]


@pytest.mark.parametrize("text", ["还行,就是有点贵,我现在在开车", "还行就是有点贵我现在在开车", "還行，就是有點貴，我現在在開車"])
def test_three_things_in_one_reply_are_all_heard_and_the_safest_leads(text):
    assert intents(text) == ["neutral", "dissatisfied", "driving"]
    assert read(text).leading.intent == "driving"


@pytest.mark.parametrize("text", ["等一下我要开会了,明天下午三点再打吧", "等一下我要开会了明天下午三点再打吧"])
def test_a_meeting_and_a_time_are_both_heard(text):
    assert {"in_meeting", "propose_time"} <= set(intents(text))
    assert read(text).leading.intent == "in_meeting"


@pytest.mark.parametrize("text", ["还行就是有点贵，我开会呢", "还行就是有点贵我开会呢"])
def test_a_mild_verdict_a_fault_and_a_meeting_are_heard_and_the_meeting_leads(text):
    assert intents(text) == ["neutral", "dissatisfied", "in_meeting"]
    assert read(text).leading.intent == "in_meeting"


@pytest.mark.parametrize(
    ("text", "intent"), [("不是很满意", "dissatisfied"), ("没什么不满意的", "satisfied"), ("满意倒是满意", "neutral")]
)
def test_denial_and_degree_turn_a_verdict(text, intent):
    assert read(text).leading.intent == intent


def test_praise_leads_over_thanks():
    assert intents("服务很好,谢谢") == ["satisfied", "thank"]
    assert read("服务很好,谢谢").leading.intent == "satisfied"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("方便,你说吧", "consent"),
        ("嗯,好的,可以", "consent"),
        ("我是他老婆,他不在家,晚上才回来", "third_person"),
        ("刚才说错了,应该是不满意", "correct"),
        ("不满意,上次师傅把我车门划了,也没人管", "dissatisfied"),
    ],
)
def test_one_thing_said_with_a_comma_stays_whole(text, intent):
    reading = read(text)
    assert [act.intent for act in reading.acts] == [intent]
    assert reading.acts[0].text == text


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("搬家了", "inform"),
        ("没有在你们那里办过卡", "deny"),
        ("明白", "consent"),
        ("我去", "consent"),
        ("还没吃呢", "deny"),
        ("怎么了", "ask_purpose"),
        ("好像不是我签的", "deny"),
        ("是我老公代签的", "inform"),
        ("什么时候给我答复", "faq/response_time"),
        ("我头晕得厉害", "unwell"),
        ("随时都行", "consent"),
    ],
)
def test_what_was_misread_once_is_read_right(text, intent):
    assert read(text).leading.intent == intent


@pytest.mark.parametrize("text", ["呜啦呜啦", "asdf", "/restart", "abc", "orz", "dd", "please"])
def test_babble_and_letters_that_only_resemble_a_word_are_no_more_than_a_guess(text):
    assert read(text).leading.confidence < NOT_UNDERSTOOD_BELOW


@pytest.mark.parametrize(("text", "intent"), [("bye", "goodbye"), ("driving", "driving"), ("ok", "consent"), ("td", "do_not_contact")])
def test_letters_that_are_surely_known_are_understood(text, intent):
    leading = read(text).leading
    assert leading.intent == intent and leading.confidence >= NOT_UNDERSTOOD_BELOW


@pytest.mark.parametrize("text", ["刚歇下来 你讲吧", "我在忙，不过你说吧"])
def test_who_says_go_on_is_asked_although_he_was_resting_or_busy(text):
    assert read(text).leading.intent == "consent"


def test_who_drives_is_let_go_although_he_says_go_on():
    assert read("我在开车，你说吧").leading.intent == "driving"


@pytest.mark.parametrize(
    ("text", "intent"),
    [("谢谢，这次就不参与了", "refuse"), ("没有了，您忙", "nothing_to_add"), ("不好意思，手头正在赶一份材料", "busy")],
)
def test_words_of_manners_do_not_hide_what_a_reply_is_about(text, intent):
    assert read(text).leading.intent == intent


def test_a_story_is_not_torn_into_what_it_mentions():
    story = "那天我跟我老公过去,我们先看了车,后来说要交押金,我在吃饭的时候他给我打电话,我没接到,再后来就没有人理我们了,一直到现在"
    assert len(read(story).acts) == 1


def test_the_words_of_an_act_are_the_customers_own():
    acts = read("價格有點貴！！我現在在開車").acts
    assert [act.text for act in acts] == ["價格有點貴！！", "我現在在開車"]


def test_an_opt_out_leads_over_everything_and_is_certain():
    reading = read("服务太差了,别再打了")
    assert reading.leading.intent == "do_not_contact"
    assert reading.leading.confidence == 1.0
    assert reading.acts[0].intent == "dissatisfied"


@pytest.mark.parametrize("text", ["", "   ", "......", "\x00"])
def test_nothing_said_is_an_act_without_confidence(text):
    reading = read(text)
    assert [(act.intent, act.confidence) for act in reading.acts] == [(NOTHING_SAID, 0.0)]


def test_a_doubtful_refusal_does_not_lead_over_a_clear_remark():
    def classify(texts):
        known = {"有点贵": Guess("dissatisfied", 0.99), "算了": Guess("refuse", 0.56)}
        return [[known.get(text, Guess("inform", 0.3)), Guess("greet", 0.1)] for text in texts]

    assert read_acts("有点贵,算了", classify).leading.intent == "dissatisfied"


def test_one_clear_clause_says_more_than_an_unclear_whole():
    def classify(texts):
        return [[Guess("busy", 0.95) if text == "在忙" else Guess("inform", 0.3), Guess("greet", 0.1)] for text in texts]

    acts = read_acts("哎呀那什么,在忙", classify).acts
    assert [(act.intent, act.text) for act in acts] == [("busy", "哎呀那什么,在忙")]


def ranked(known: dict[str, list[Guess]]):
    return lambda texts: [known.get(text, [Guess("inform", 0.3), Guess("greet", 0.1)]) for text in texts]


def test_what_only_a_torn_off_part_resembles_does_not_lead():
    whole = [Guess("dissatisfied", 0.5), Guess("complain", 0.2), Guess("suggest", 0.1), Guess("propose_time", 0.01)]
    parts = {"白的饭前": [Guess("dissatisfied", 0.7)], "黄的饭后": [Guess("propose_time", 0.9)]}
    reading = read_acts("白的饭前,黄的饭后", ranked({"白的饭前,黄的饭后": whole, **parts}))
    assert [act.intent for act in reading.acts] == ["dissatisfied", "propose_time"]
    assert reading.leading.intent == "dissatisfied"


def test_a_driver_leads_though_the_whole_reply_does_not_show_it():
    whole = [Guess("dissatisfied", 0.3), Guess("complain", 0.2), Guess("suggest", 0.1), Guess("driving", 0.01)]
    parts = {"梨坏了": [Guess("dissatisfied", 0.9)], "开车呢": [Guess("driving", 0.9)]}
    assert read_acts("梨坏了,开车呢", ranked({"梨坏了,开车呢": whole, **parts})).leading.intent == "driving"


def test_what_leads_is_the_same_when_the_ranking_begins_with_it():
    for text in ("还行,就是有点贵,我现在在开车", "服务很好,谢谢", "没有了，您忙", "贷款材料交了又交没完没了"):
        first = read(text).leading
        again = read_reply(text, trained())
        assert again.leading == first and again.ranking[0].intent == first.intent


def test_a_half_clear_clause_does_not_stand_for_a_reply_that_is_not_understood():
    known = {"近视": [Guess("inform", 0.7)], "近视,能不能治好啊": [Guess("faq/other", 0.4), Guess("inform", 0.2)]}
    assert read_acts("近视,能不能治好啊", ranked(known)).leading == Act("faq/other", 0.4, "近视,能不能治好啊")


def test_a_shred_cannot_forbid_contact_by_the_model_alone():
    def classify(texts):
        known = {"别打断": [Guess("do_not_contact", 0.98), Guess("refuse", 0.6)], "开着导航呢": [Guess("driving", 0.97)]}
        return [known.get(text, [Guess("driving", 0.7)]) for text in texts]

    assert "do_not_contact" not in [act.intent for act in read_acts("开着导航呢,别打断", classify).acts]


def test_every_trained_intent_has_its_place_in_the_order():
    bases = {intent.split("/")[0] for intent in trained().intents}
    assert bases <= set(PRIORITY)


def test_a_message_of_ten_thousand_characters_is_read_whole_and_once():
    asked = []

    def classify(texts):
        asked.extend(texts)
        return [[Guess("inform", 0.5)] for _ in texts]

    read_acts("价格有点贵," * 2000, classify)
    assert len(asked) == 1

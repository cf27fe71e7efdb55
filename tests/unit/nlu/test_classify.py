"""The intent model itself: what it learns, how sure it is, how it is kept."""

import numpy as np
import pytest

from followup.nlu.evaluate import calibration_error
from followup.nlu.features import Concepts, marked
from followup.nlu.lexicon import Entry, Lexicon
from followup.nlu.model import NOT_UNDERSTOOD_BELOW, IntentModel, ModelSettings
from followup.nlu.understanding import read_reply

EXAMPLES = {
    "driving": "我在开车 开车呢 正在高速上 在开车不方便 开着车 我开车呢 在路上开车 骑车呢".split(),
    "consent": "可以 好的 行 方便 可以的 好 嗯 没问题".split(),
    "satisfied": "很满意 挺好的 服务很好 不错 非常满意 满意 都挺好 态度很好".split(),
    "dissatisfied": "不满意 太差了 服务很差 有点贵 态度不好 很不满意 太慢了 不好".split(),
    "faq/eat_pear": "梨怎么吃 啤梨怎么吃 红啤梨怎么放 这个梨怎么保存 梨要放软了吃吗 怎么吃 梨怎么放 这梨能放几天".split(),
    "thank": "谢谢 谢谢你 感谢 多谢 辛苦了 谢谢啊 太感谢了 非常感谢".split(),
    "busy": "在忙 没空 忙着呢 没时间 上班呢 不方便 现在没空 我很忙".split(),
    "ask_who": "你是谁 你谁啊 哪位 你是哪里的 哪个公司 你们是什么公司 请问你是谁 谁啊".split(),
}


@pytest.fixture(scope="module")
def model() -> IntentModel:
    texts = [text for group in EXAMPLES.values() for text in group]
    labels = [intent for intent, group in EXAMPLES.items() for _ in group]
    return IntentModel.train(texts, labels)


@pytest.mark.parametrize(
    ("text", "intent"),
    [("我现在开车", "driving"), ("服务非常好", "satisfied"), ("谢谢你啊", "thank"), ("梨怎么吃啊", "faq/eat_pear")],
)
def test_a_sentence_like_the_examples_gets_their_full_intent_name(model, text, intent):
    assert model.rank(text)[0].intent == intent


def test_traditional_and_simplified_are_the_same_sentence(model):
    assert model.rank("我在開車") == model.rank("我在开车")


def test_a_whole_reply_is_not_the_same_word_inside_another(model):
    assert model.rank("不满意")[0].intent == "dissatisfied"
    assert model.rank("满意")[0].intent == "satisfied"


def test_a_sentence_unlike_anything_trained_is_less_certain(model):
    assert model.rank("xqzw kkpt")[0].confidence < NOT_UNDERSTOOD_BELOW < model.rank("我在开车")[0].confidence


def test_rankings_fall_and_stay_between_nought_and_one(model):
    confidences = [guess.confidence for guess in model.rank("现在开车不方便谢谢", length=8)]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= confidence <= 1 for confidence in confidences)


def test_several_texts_at_once_are_ranked_as_one_by_one(model):
    texts = ["我在开车", "谢谢", ""]
    assert model.rank_all(texts) == [model.rank(text) for text in texts]
    assert model.rank_all([]) == []


def test_a_stored_model_ranks_as_before(model, tmp_path):
    model.save(tmp_path / "m.joblib")
    assert IntentModel.load(tmp_path / "m.joblib").rank("我在开车") == model.rank("我在开车")


def test_a_model_of_another_version_is_refused(model, tmp_path):
    model.save(tmp_path / "m.joblib")
    old = IntentModel.load(tmp_path / "m.joblib")
    old._format = 0
    old.save(tmp_path / "old.joblib")
    with pytest.raises(ValueError, match="train again"):
        IntentModel.load(tmp_path / "old.joblib")


def test_one_intent_alone_cannot_be_trained():
    with pytest.raises(ValueError, match="two intents"):
        IntentModel.train(["好", "行"], ["consent", "consent"])


def test_two_intents_with_one_example_each_can_be_trained():
    model = IntentModel.train(["我在开车", "谢谢"], ["driving", "thank"])
    assert model.rank("谢谢")[0].intent == "thank"
    assert model.rank("我在开车")[0].intent == "driving"


def test_training_twice_gives_the_same_model(model):
    texts = [text for group in EXAMPLES.values() for text in group]
    labels = [intent for intent, group in EXAMPLES.items() for _ in group]
    again = IntentModel.train(texts, labels, ModelSettings())
    assert again.rank("现在开车") == model.rank("现在开车")


def test_a_rare_intent_holds_its_own_against_a_frequent_one():
    texts = [f"这个{word}问题" for word in "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"] + ["这个特殊问题"]
    labels = ["inform"] * 20 + ["complain"]
    rare, plain = (IntentModel.train(texts, labels, ModelSettings(rare_weight=w)) for w in (1.0, 0.0))
    lead = {model is rare: model.machine.margins([model.concepts.tokens(marked("特殊问题"))])[0][0] for model in (rare, plain)}
    assert lead[True][0] - lead[True][1] > lead[False][0] - lead[False][1]  # complain comes before inform


def test_the_lexicons_words_are_concepts():
    lexicon = Lexicon(aspects=(Entry("taste", "口味", words=("果核",), negative=("柴得很",)),))
    concepts = Concepts.read(lexicon)
    assert concepts.words["柴得很"] == ("negative",)
    assert "thing>negative" in concepts.found(marked("果核柴得很"))


def test_the_longest_word_decides_the_concept():
    found = Concepts.read().found(marked("不满意"))
    assert "negative" in found
    assert "positive" not in found


@pytest.mark.parametrize(("sign", "intent"), [("👍👍", "satisfied"), ("😡", "dissatisfied"), ("🙏", "thank"), ("[OK]", "consent")])
def test_a_reply_of_signs_alone_says_what_the_sign_says(model, sign, intent):
    assert read_reply(sign, model).leading.intent == intent


def test_signs_that_contradict_each_other_are_not_understood(model):
    assert read_reply("👍😡", model).leading.confidence < 0.6


def test_calibration_error_is_the_distance_of_confidence_and_accuracy():
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    assert calibration_error(confidence, np.array([True, True, True, False])) == pytest.approx(0.05)
    assert calibration_error(np.ones(4), np.zeros(4, dtype=bool)) == 1.0

"""The components inside a real Rasa: trained on a handful of lines, asked through an Agent and through `parse_lines`."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

os.environ["RASA_TELEMETRY_ENABLED"] = "false"  # before Rasa is imported, in the fixtures

EXAMPLES = {
    "driving": "我在开车 开车呢 正在高速上 在开车不方便 开着车呢 我现在在开车",
    "neutral": "还行 一般 还可以 马马虎虎 凑合 就那样",
    "dissatisfied": "有点贵 不满意 太差了 服务很差 太慢了 价格太高",
    "consent": "可以 好的 行 方便 没问题 你说吧",
    "thank": "谢谢 谢谢你 感谢 多谢 辛苦了 非常感谢",
    "faq/eat_pear": "梨怎么吃 啤梨怎么吃 红啤梨怎么放 这个梨怎么保存 怎么吃 梨怎么放",
    "out_of_scope": "今天天气真好 讲个笑话 你会唱歌吗 股票涨了没有 晚上看什么电影 国足赢了吗",
    "do_not_contact": "别再打了 退订 拉黑 以后别联系我 不要再打电话了 再打我就拉黑你",
}
DOMAIN = """
version: "3.1"
intents: [driving, neutral, dissatisfied, consent, thank, faq, out_of_scope, do_not_contact, start_followup]
entities: [time, score, quantity, aspect, product, phone, person, plate]
responses: {utter_ok: [{text: ok}]}
"""
RULES = """
version: "3.1"
rules:
- rule: driving
  steps: [{intent: driving}, {action: utter_ok}]
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model archive, trained once with the committed config.yml."""
    from rasa.model_training import train

    folder = tmp_path_factory.mktemp("project")
    lines = ['version: "3.1"', "nlu:"]
    for intent, texts in EXAMPLES.items():
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {text}" for text in texts.split())]
    (folder / "nlu.yml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "rules.yml").write_text(RULES, encoding="utf-8")
    (folder / "domain.yml").write_text(DOMAIN, encoding="utf-8")
    result = train(
        str(folder / "domain.yml"),
        str(ROOT / "config.yml"),
        [str(folder / "nlu.yml"), str(folder / "rules.yml")],
        output=str(folder / "models"),
        force_training=True,
    )
    return result.model


@pytest.fixture(scope="module")
def agent(model: str) -> Any:
    from rasa.core.agent import load_agent

    return asyncio.run(load_agent(model_path=model))


def parse(agent: Any, text: str) -> dict[str, Any]:
    return asyncio.run(agent.parse_message(text))


def test_the_full_name_of_a_business_question_travels_beside_the_base_name(agent):
    intent = parse(agent, "红啤梨怎么吃")["intent"]
    assert intent["name"] == "faq"
    assert intent["full_name"] == intent["full_retrieval_intent_name"] == "faq/eat_pear"


def test_all_acts_and_the_leading_intent_are_in_the_parse(agent):
    parsed = parse(agent, "還行,就是有點貴,我現在在開車")
    assert [act["intent"] for act in parsed["acts"]] == ["neutral", "dissatisfied", "driving"]
    assert parsed["intent"]["name"] == "driving"
    assert parsed["intent_ranking"][0]["name"] == "driving"


def test_the_customers_text_stays_as_it_was_typed(agent):
    text = "我我現在在開車！！"
    assert parse(agent, text)["text"] == text
    assert parse(agent, text)["normalised"] == "我现在开车!!"


def test_entities_have_the_places_of_the_typed_text(agent):
    text = "👍🏻價格有點貴,車牌鄂Ｆ12345"
    entities = parse(agent, text)["entities"]
    assert {(e["entity"], e["value"]) for e in entities} == {("aspect", "price"), ("plate", "鄂F12345")}
    assert all(text[e["start"] : e["end"]] == e["text"] for e in entities)
    assert all(e["extractor"] == "ReplyEntities" for e in entities)


def test_an_opt_out_code_is_certain(agent):
    intent = parse(agent, "TD")["intent"]
    assert (intent["name"], intent["confidence"]) == ("do_not_contact", 1.0)


def test_a_trigger_of_the_durable_path_is_left_to_rasa(agent):
    parsed = parse(agent, "/start_followup")
    assert parsed["intent"]["name"] == "start_followup"
    assert "acts" not in parsed


@pytest.mark.parametrize("text", ["", " ", "……", "\x00\x07", "😶", "<script>alert(1)</script>", "x" * 10_000])
def test_bad_input_is_parsed_without_confidence(agent, text):
    assert parse(agent, text)["intent"]["confidence"] < 0.6


def test_acts_reach_the_action_server_with_the_latest_message(agent):
    """What Rasa would post to the action server, after a turn that went through its tracker store."""
    from rasa.core.actions.action import RemoteAction
    from rasa.core.channels.channel import UserMessage

    text = "还行,就是有点贵,我现在在开车"
    asyncio.run(agent.handle_message(UserMessage(text, sender_id="case-1", metadata={"case_id": "case-1"})))
    tracker = asyncio.run(agent.tracker_store.retrieve("case-1"))
    call = RemoteAction("action_any", None)._action_call_format(tracker, agent.domain)
    latest = json.loads(json.dumps(call))["tracker"]["latest_message"]
    assert [act["intent"] for act in latest["acts"]] == ["neutral", "dissatisfied", "driving"]
    assert [act["text"] for act in latest["acts"]] == ["还行", "就是有点贵", "我现在在开车"]
    assert latest["metadata"]["case_id"] == "case-1"
    stored = [event.as_dict() for event in tracker.events if event.type_name == "user"][-1]
    assert stored["parse_data"]["acts"] == latest["acts"]


def test_lines_are_read_from_the_archive_exactly_as_rasa_reads_them(agent, model):
    from followup.nlu.lines import parse_lines

    texts = ["还行,就是有点贵,我现在在开车", "红啤梨怎么吃", "TD", "", "價格太高"]
    for text, line in zip(texts, parse_lines(texts, Path(model))):
        parsed = parse(agent, text)
        assert line["text"] == text
        assert line["intent"] == parsed["intent"]["full_name"]
        assert line["confidence"] == pytest.approx(parsed["intent"]["confidence"], abs=1e-4)
        assert [act["intent"] for act in line["acts"]] == [act["intent"] for act in parsed["acts"]]
        assert [(e["entity"], e["start"], e["end"]) for e in line["entities"]] == [
            (e["entity"], e["start"], e["end"]) for e in parsed["entities"]
        ]


def test_lines_are_answered_one_by_one(model):
    from followup.nlu.lines import parse_lines

    asked = []

    def typed():
        for text in ("谢谢", "可以"):
            asked.append(text)
            yield text

    answers = parse_lines(typed(), Path(model))
    assert next(answers)["intent"] == "thank"
    assert asked == ["谢谢"]


def test_without_a_model_the_command_to_run_is_named(tmp_path):
    from followup.nlu.lines import parse_lines

    with pytest.raises(FileNotFoundError, match="followup train"):
        next(parse_lines(["好"], tmp_path))

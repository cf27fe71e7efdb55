from typing import Any

from followup.store.stored_turn import fault_of, message_id_of, replies_of, understanding_of

LISTEN = {"event": "action", "name": "action_listen"}


def user(direction: str = "in", **more: Any) -> dict[str, Any]:
    return {"event": "user", "text": "有点贵", "metadata": {"message_id": 7, "direction": direction}, **more}


def bot(text: str | None, *labels: str) -> dict[str, Any]:
    return {"event": "bot", "text": text, "data": {"buttons": [{"title": label} for label in labels] or None}}


def test_the_replies_are_what_the_bot_said_in_order() -> None:
    replies = replies_of([user(), bot("对不起"), {"event": "slot"}, bot("满意吗？", "满意", "不满意"), LISTEN])
    assert [(reply.text, reply.quick_replies) for reply in replies] == [
        ("对不起", []),
        ("满意吗？", ["满意", "不满意"]),
    ]


def test_an_utterance_without_text_is_no_reply() -> None:
    assert replies_of([user(), bot(None), LISTEN]) == []


def test_a_whole_turn_has_no_fault() -> None:
    assert fault_of([user(), bot("好的"), LISTEN]) is None


def test_a_turn_that_does_not_listen_again_is_not_finished() -> None:
    assert fault_of([user(), bot("好的")]) is not None


def test_listening_before_the_customer_spoke_does_not_count() -> None:
    assert fault_of([user(), bot("好的"), {"event": "action", "name": "followup_form"}]) is not None


def test_a_customer_must_get_a_reply_and_a_trigger_need_not() -> None:
    assert fault_of([user(), LISTEN]) is not None
    assert fault_of([user("system"), LISTEN]) is None


def test_the_understanding_is_that_of_the_user_event() -> None:
    parsed = {"intent": {"name": "dissatisfied", "confidence": 0.8}, "acts": [{"intent": "dissatisfied"}]}
    read = understanding_of([user(parse_data=parsed), LISTEN])
    assert (read.intent, read.confidence, read.acts) == ("dissatisfied", 0.8, [{"intent": "dissatisfied"}])


def test_a_turn_that_was_never_parsed_has_no_intent() -> None:
    assert understanding_of([user()]).intent is None


def test_only_a_user_event_of_ours_names_a_message() -> None:
    assert message_id_of(user()) == 7
    assert message_id_of({"event": "user", "metadata": None}) is None
    assert message_id_of({"event": "user", "metadata": {"message_id": "7; DROP"}}) is None
    assert message_id_of({**bot("好"), "metadata": {"message_id": 7}}) is None

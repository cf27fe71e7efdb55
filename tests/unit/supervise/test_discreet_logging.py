"""What customers say stays out of the logs."""

import json
import logging
import sys

from followup.supervise.discreet_logging import DiscreetFormatter, JsonFormatter, about, discreet, frames

WORDS = "我的身份证号是"


def test_a_traceback_loses_the_errors_text_and_keeps_its_place() -> None:
    try:
        raise ValueError(WORDS)
    except ValueError:
        text = frames(sys.exc_info())
    assert WORDS not in text
    assert "test_discreet_logging.py" in text
    assert text.endswith("ValueError")


def test_a_log_record_with_an_error_is_written_without_its_text() -> None:
    try:
        raise ValueError(WORDS)
    except ValueError:
        record = logging.LogRecord("rasa", logging.ERROR, "x.py", 1, "turn failed", (), sys.exc_info())
    text = DiscreetFormatter("%(message)s").format(record)
    assert text.startswith("turn failed\n")
    assert WORDS not in text


def test_only_harmless_values_of_an_event_are_kept() -> None:
    event = {"event": "rest.message.received.failure", "level": "error", "text": WORDS, "action_name": "action_listen"}
    event |= {"confidence": 0.5, "parse_data_text": WORDS}
    assert discreet(None, "error", dict(event)) == {
        "event": "rest.message.received.failure",
        "level": "error",
        "action_name": "action_listen",
        "confidence": 0.5,
    }


def test_an_event_with_an_error_tells_where_and_not_what() -> None:
    try:
        raise KeyError(WORDS)
    except KeyError:
        kept = discreet(None, "error", {"event": "failed", "exc_info": True})
    assert "KeyError" in kept["error"]
    assert WORDS not in kept["error"]


def a_record(error: bool = False) -> logging.LogRecord:
    if not error:
        return logging.LogRecord("followup.talk.turn", logging.WARNING, "x.py", 1, "the turn failed, try %s", (2,), None)
    try:
        raise ValueError(WORDS)
    except ValueError:
        return logging.LogRecord("followup", logging.ERROR, "x.py", 1, "failed", (), sys.exc_info())


def test_a_line_names_the_talk_and_the_message_it_is_about() -> None:
    with about(talk="0a1b"), about(message=7):
        assert DiscreetFormatter("%(message)s").format(a_record()) == "the turn failed, try 2 talk=0a1b message=7"
    assert DiscreetFormatter("%(message)s").format(a_record()) == "the turn failed, try 2"


def test_as_json_a_line_is_one_object() -> None:
    with about(talk="0a1b", message=7):
        line = json.loads(JsonFormatter().format(a_record()))
    assert line.pop("timestamp")
    assert line == {"level": "warning", "logger": "followup.talk.turn", "message": "the turn failed, try 2", "talk": "0a1b", "message_id": 7}


def test_as_json_an_error_keeps_its_place_and_loses_its_text() -> None:
    text = JsonFormatter().format(a_record(error=True))
    assert "\n" not in text and WORDS not in text and "ValueError" in json.loads(text)["error"]

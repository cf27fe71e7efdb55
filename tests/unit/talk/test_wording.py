import pytest

from followup.talk.wording import LONGEST_FOR_RASA, clean_text, for_rasa


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" 方便 ", "方便"),
        ("第一行\r\n第二行\r第三行", "第一行\n第二行\n第三行"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("好\ud83d的", "好的"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("\x00 \t", ""),
    ],
)
def test_a_text_is_stored_without_what_no_database_can_hold(text: str, kept: str) -> None:
    assert clean_text(text) == kept


@pytest.mark.parametrize("command", ["/restart", '/inform{"a": 1}', " \n/restart", "//restart"])
def test_a_command_becomes_words(command: str) -> None:
    assert not for_rasa(command).strip().startswith("/")
    assert for_rasa(command) == "\uff0f" + command.strip()[1:]


@pytest.mark.parametrize("text", ["方便", "1/2", "坏了3/8个", "\uff0frestart"])
def test_other_text_is_left_alone(text: str) -> None:
    assert for_rasa(text) == text


def test_rasa_gets_no_more_than_it_needs() -> None:
    assert for_rasa("好" * 10_000) == "好" * LONGEST_FOR_RASA

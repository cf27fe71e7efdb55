import json

import pytest

from followup.web.chat import MAX_LENGTH, Refused, number, parse

ID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


def body(**values) -> bytes:
    return json.dumps({"client_msg_id": ID, "text": "方便"} | values, ensure_ascii=False).encode()


def test_a_message_is_read_without_the_white_space_around_it():
    incoming = parse(body(text="  方便\n"))
    assert (incoming.client_msg_id, incoming.text) == (ID, "方便")


@pytest.mark.parametrize("text", ["😀😀", "<script>alert(1)</script>", "'; DROP TABLE cases; --", "/restart", "一" * MAX_LENGTH])
def test_whatever_people_write_is_taken(text):
    assert parse(body(text=text)).text == text


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        (b"", 400, "格式"),
        (b"text=hello", 400, "格式"),
        (b"[]", 400, "格式"),
        (b'"x"', 400, "格式"),
        (b"[" * 100_000, 400, "格式"),
        (b"\xff\xfe", 400, "格式"),
        (b'{"client_msg_id": "' + ID.encode() + b'"}', 400, "格式"),
        (body(text=5), 400, "格式"),
        (body(text=None), 400, "格式"),
        (body(text=["方便"]), 400, "格式"),
        (body(text=""), 400, "还没有写内容"),
        (body(text=" \t\n\u3000"), 400, "还没有写内容"),
        (body(text="长" * (MAX_LENGTH + 1)), 413, "2000"),
        (body(text="长" * 10_000), 413, "2000"),
        (body(client_msg_id=""), 400, "编号"),
        (body(client_msg_id=7), 400, "编号"),
        (body(client_msg_id="x" * 65), 400, "编号"),
        (body(client_msg_id="1' OR '1'='1"), 400, "编号"),
        (body(client_msg_id="abcdefgh\n"), 400, "编号"),
    ],
)
def test_what_is_no_message_is_refused_in_chinese(content, status, says):
    with pytest.raises(Refused) as refused:
        parse(content)
    assert refused.value.status == status
    assert says in refused.value.message


@pytest.mark.parametrize("text", [None, "", "-1", "x", "1e9", "１２", "9" * 40])
def test_what_is_no_message_id_counts_from_the_beginning(text):
    assert number(text, 0) == 0


def test_a_message_id_is_read():
    assert number("42", 0) == 42

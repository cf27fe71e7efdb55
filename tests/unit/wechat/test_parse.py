from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from followup.channels.wechat.parse import BadRequest, Incoming, read, read_xml

TEXT = (
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oU-1_a]]></FromUserName>"
    "<CreateTime>1714037059</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[还行]]></Content>"
    "<MsgId>23456789012345678</MsgId></xml>"
)


def message(**changed: str | None) -> Incoming:
    fields = read_xml(TEXT.encode()) | changed
    return read({key: value for key, value in fields.items() if value is not None})


def event(name: str, key: str = "", **more: str) -> Incoming:
    return message(MsgType="event", Event=name, EventKey=key, MsgId=None, Content=None, **more)


def test_a_text():
    got = message()
    assert (got.openid, got.ours, got.kind, got.text, got.key) == ("oU-1_a", "gh_1", "text", "还行", "23456789012345678")
    assert got.at.timestamp() == 1714037059


def test_a_click_on_a_menu_message_says_so():
    assert message(bizmsgmenuid="2").menu_id == "2"


def test_a_voice_is_what_wechat_heard_or_nothing():
    assert message(MsgType="voice", Recognition="还不错").text == "还不错"
    assert message(MsgType="voice", Content=None, MediaId="m").text == ""


@pytest.mark.parametrize(
    ("fields", "kind", "detail"),
    [
        ({"MsgType": "image", "PicUrl": "http://x/1"}, "image", "http://x/1"),
        ({"MsgType": "location", "Label": "杭州", "Location_X": "30", "Location_Y": "120"}, "location", "杭州 30 120"),
        ({"MsgType": "link", "Title": "题", "Url": "http://x"}, "link", "题 http://x"),
        ({"MsgType": "shortvideo", "MediaId": "m"}, "video", "m"),
        ({"MsgType": "hologram"}, "other", "hologram"),
    ],
)
def test_what_is_no_text_is_kept_in_a_line(fields, kind, detail):
    got = message(**fields)
    assert (got.kind, got.detail) == (kind, detail)


def test_a_scan_before_and_after_following_gives_the_same_scene():
    assert event("SCAN", "c_abc").scene == event("subscribe", "qrscene_c_abc").scene == "c_abc"
    assert event("subscribe").scene == event("CLICK", "c_abc").scene == ""


def test_events_are_told_apart_by_who_when_and_what():
    assert event("CLICK", "x").key == event("CLICK", "x").key != event("VIEW", "x").key
    reports = {event("TEMPLATESENDJOBFINISH", MsgID=str(n), Status="success").key for n in (1, 2)}
    assert len(reports) == 2


@pytest.mark.parametrize(
    "changed",
    [{"FromUserName": None}, {"FromUserName": "a b"}, {"CreateTime": "soon"}, {"CreateTime": "9" * 20}, {"MsgId": None}, {"MsgId": "-1"}, {"MsgType": None}, {"MsgType": "文"}],
)  # fmt: skip
def test_what_lacks_a_part_is_a_bad_request(changed):
    with pytest.raises(BadRequest):
        message(**changed)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<", b"<xml>", b"<html/>", b"\xff\xfe", b"<?xml version='1.0' encoding='nonsense'?><xml/>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml>&a;</xml>", b"<xml>" + b"<a/>" * 100 + b"</xml>", b"<xml>" + b"x" * 70_000 + b"</xml>",
        b"<xml>" + b"<a>" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_message_is_a_bad_request(body):
    with pytest.raises(BadRequest):
        read_xml(body)


@given(st.data())
@settings(max_examples=300)
def test_whatever_is_changed_it_is_read_or_a_bad_request(data):
    body = bytearray(TEXT.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    try:
        read(read_xml(bytes(body)))
    except BadRequest:
        pass


@given(st.binary(max_size=200))
@example(b"<xml xmlns='\x00'/>")
def test_any_bytes_are_read_or_a_bad_request(body):
    try:
        read(read_xml(body))
    except BadRequest:
        pass

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup.channels.wechat.parse import BadRequest
from followup.channels.wecom.parse import Callback, read_callback, read_item

TEXT = {
    "msgid": "m1", "open_kfid": "wkMain", "external_userid": "wmOne", "send_time": 1_763_866_800, "origin": 3, "msgtype": "text",
    "text": {"content": "你好\0", "menu_id": "2"},
}  # fmt: skip


def event(**fields: object) -> dict[str, object]:
    return {
        "msgid": "m2", "send_time": 1_763_866_800, "origin": 4, "msgtype": "event",
        "event": {"open_kfid": "wkMain", "external_userid": "wmOne", **fields},
    }  # fmt: skip


def test_a_text_is_read():
    item = read_item(TEXT)
    assert item is not None and (item.who, item.text, item.menu_id, item.kind) == ("wmOne", "你好", "2", "text")


def test_an_events_customer_stands_in_the_event():
    item = read_item(event(event_type="enter_session", scene_param="c_1", welcome_code="w"))
    assert item is not None and (item.who, item.event, item.scene_param, item.welcome_code) == ("wmOne", "enter_session", "c_1", "w")
    failed = read_item(event(event_type="msg_send_fail", fail_msgid="x", fail_type="10"))
    assert failed is not None and (failed.other_msgid, failed.number) == ("x", 10)


def test_an_event_without_customer_is_read_for_nobody():
    item = read_item({**event(), "event": {"event_type": "servicer_status_change", "open_kfid": "wkMain"}})
    assert item is not None and item.who == ""


@pytest.mark.parametrize(
    "wrong",
    [
        None, [], "x", {}, {**TEXT, "msgid": 7}, {**TEXT, "msgid": "x" * 200}, {**TEXT, "send_time": True}, {**TEXT, "send_time": 10**12},
        {**TEXT, "origin": "3"}, {**TEXT, "external_userid": "a b"}, {**TEXT, "open_kfid": ""},
    ],
)  # fmt: skip
def test_what_is_not_as_documented_is_skipped(wrong):
    assert read_item(wrong) is None


@given(st.dictionaries(st.sampled_from([*TEXT, "event", "location"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["content", "event_type", "fail_type", "latitude"]), inner, max_size=3),
)))  # fmt: skip
def test_nothing_that_json_can_hold_breaks_the_reading(fields):
    read_item({**TEXT, **fields})
    read_item({**event(), **fields})
    read_item({**TEXT, "msgtype": "location", **fields})


def test_a_callback_names_its_service_account():
    xml = b"<xml><Event>kf_msg_or_event</Event><Token>t</Token><OpenKfId>wkMain</OpenKfId></xml>"
    assert read_callback(xml) == Callback("t", "wkMain")
    assert read_callback(b"<xml><Event>change_contact</Event></xml>") is None
    for wrong in (b"<xml><Event>kf_msg_or_event</Event></xml>", b"<x/>", "<xml><Event>kf_msg_or_event</Event><OpenKfId>w</OpenKfId><Token>令</Token></xml>".encode()):
        with pytest.raises(BadRequest):
            read_callback(wrong)

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from followup.channels.wechat.parse import Incoming, read_xml
from followup.channels.wechat.passive import reply
from tests.unit.wechat.test_envelope import PLAIN

TO = Incoming("o1", "gh_1", datetime(2026, 1, 1, tzinfo=UTC), "1", "text", "好")


@given(st.text(max_size=60))
def test_whatever_is_said_arrives_and_is_xml(text):
    fields = read_xml(reply(PLAIN, TO, text, encrypted=False, at=1).encode("utf-8", "replace"))
    assert (fields["ToUserName"], fields["FromUserName"], fields["MsgType"]) == ("o1", "gh_1", "text")
    printable = "".join(c for c in text if c == "\n" or c == "\t" or c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    assert fields["Content"].replace("\n", "") == printable.replace("\n", "").replace("\r", "")

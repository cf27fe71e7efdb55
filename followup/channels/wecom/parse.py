"""What WeCom sends and what is read from it: a callback's XML, a page of messages as JSON. Pure.

A message that is not as documented is skipped, so that it cannot hold up those behind it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from followup.channels.wechat.parse import BadRequest, read_xml

NEWS = "kf_msg_or_event"
CUSTOMER, SYSTEM, SERVICER = 3, 4, 5
"""Who a message is from (`origin`)."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_MSGID = 128
_LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Callback:
    """There is something to read."""

    token: str
    open_kfid: str


@dataclass(frozen=True, slots=True)
class Item:
    """One message or event of a customer's session."""

    msgid: str
    open_kfid: str
    who: str
    """external_userid"""
    at: datetime
    origin: int
    kind: str
    """text | voice | image | video | file | location | link | miniprogram | event | other"""
    text: str = ""
    menu_id: str = ""
    """Set when the text is a tap on a menu message."""
    detail: str = ""
    """What is kept of what is no text."""
    event: str = ""
    """enter_session | msg_send_fail | session_status_change | user_recall_msg | ..."""
    scene_param: str = ""
    welcome_code: str = ""
    other_msgid: str = ""
    """Of the message that failed, or was taken back."""
    number: int = 0
    """fail_type or change_type."""
    servicer: str = ""


def read_callback(body: bytes) -> Callback | None:
    """The decrypted body; None for an event that is not about messages. Raises BadRequest."""
    fields = read_xml(body)
    if fields.get("Event", "").strip().lower() != NEWS:
        return None
    open_kfid, token = fields.get("OpenKfId", "").strip(), fields.get("Token", "").strip()
    if not _ID.fullmatch(open_kfid):
        raise BadRequest("OpenKfId")
    if not token.isascii() or len(token) > 256:
        raise BadRequest("Token")
    return Callback(token, open_kfid)


def read_item(data: object) -> Item | None:
    """One of `msg_list`; None when it is not as documented."""
    if not isinstance(data, Mapping):
        return None
    msgid, sent, origin = _text(data, "msgid"), data.get("send_time"), data.get("origin")
    if not 0 < len(msgid) <= _LONGEST_MSGID or not _is_int(sent) or not 0 < sent < 4_102_444_800 or not _is_int(origin):
        return None
    kind = _text(data, "msgtype")
    event = _part(data, "event") if kind == "event" else {}
    open_kfid = _text(data, "open_kfid") or _text(event, "open_kfid")
    who = _text(data, "external_userid") or _text(event, "external_userid")
    if not _ID.fullmatch(open_kfid) or (not _ID.fullmatch(who) and (kind != "event" or who)):
        return None
    common: dict[str, Any] = {
        "msgid": msgid, "open_kfid": open_kfid, "who": who, "at": datetime.fromtimestamp(sent, UTC), "origin": origin,
        "servicer": _text(data, "servicer_userid")[:64],
    }  # fmt: skip
    return Item(**{**common, **(_event(event) if kind == "event" else _message(data, kind))})


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    kind = _text(event, "event_type")[:64]
    found: dict[str, Any] = {"kind": "event", "event": kind}
    match kind:
        case "enter_session":
            found |= {"scene_param": _text(event, "scene_param")[:128], "welcome_code": _text(event, "welcome_code")[:128]}
        case "msg_send_fail":
            found |= {"other_msgid": _text(event, "fail_msgid")[:_LONGEST_MSGID], "number": _number(event, "fail_type")}
        case "user_recall_msg":
            found |= {"other_msgid": _text(event, "recall_msgid")[:_LONGEST_MSGID]}
        case "session_status_change":
            found |= {"number": _number(event, "change_type"), "servicer": _text(event, "new_servicer_userid")[:64]}
    return found


def _message(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    part = _part(data, kind)
    match kind:
        case "text":
            return {"kind": kind, "text": _text(part, "content")[:_LONGEST_TEXT], "menu_id": _text(part, "menu_id")[:128]}
        case "location":
            place = [_text(part, "name")[:100], _text(part, "address")[:200]]
            place += [f"{part[key]:g}" for key in ("latitude", "longitude") if isinstance(part.get(key), int | float)]
            return {"kind": kind, "detail": " ".join(filter(None, place))}
        case "link":
            return {"kind": kind, "detail": f"{_text(part, 'title')[:200]} {_text(part, 'url')[:500]}".strip()}
        case "miniprogram":
            return {"kind": kind, "detail": _text(part, "title")[:200]}
        case "voice" | "image" | "video" | "file":
            return {"kind": kind, "detail": _text(part, "media_id")[:200]}
    return {"kind": "other", "detail": kind[:40]}


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(data: Mapping[str, Any], key: str) -> str:
    found = data.get(key)
    return found.replace("\0", "").strip() if isinstance(found, str) else ""


def _number(data: Mapping[str, Any], key: str) -> int:
    found = data.get(key)
    if isinstance(found, str) and found.isdecimal() and len(found) < 6:
        return int(found)
    return found if _is_int(found) and 0 <= found < 100_000 else 0


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

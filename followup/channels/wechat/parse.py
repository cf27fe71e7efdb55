"""What WeChat sends, read: XML to one dataclass. Pure; whatever is wrong with it is BadRequest."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

LARGEST_BODY = 64 * 1024
_LONGEST_FIELD = 20_000
_MOST_FIELDS = 60
_LISTS = ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent")
_MOST_ENTRIES = 20
_SUBSCRIPTIONS = tuple(f"subscribe_msg_{what}_event" for what in ("popup", "change", "sent"))
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_QR_PREFIX = "qrscene_"


class BadRequest(ValueError):
    """It is not WeChat's, or not as WeChat writes it. `forbidden`: not signed by WeChat."""

    def __init__(self, why: str, *, forbidden: bool = False) -> None:
        super().__init__(why)
        self.forbidden = forbidden


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message or event of a customer."""

    openid: str
    ours: str
    """The account's own id, ToUserName; a passive reply comes from it."""
    at: datetime
    """When the customer sent it, by WeChat's clock."""
    key: str
    """The same each time WeChat sends it again."""
    kind: str
    """text | voice | image | video | location | link | event | other"""
    text: str = ""
    """What was written; for voice what WeChat heard, which may be nothing."""
    menu_id: str = ""
    """Set when the text is a click on a menu message."""
    event: str = ""
    """subscribe | unsubscribe | scan | click | view | templatesendjobfinish | ..., in lower case"""
    scene: str = ""
    """Of a QR code that was scanned."""
    detail: str = ""
    """What is kept of an image, a location, a link, a click, a report."""
    unionid: str = ""


def is_openid(text: str) -> bool:
    return _OPENID.fullmatch(text) is not None


def read_xml(body: bytes) -> dict[str, str]:
    """Tag -> text of the elements directly below the root. Raises BadRequest."""
    if len(body) > LARGEST_BODY:
        raise BadRequest("too large")
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise BadRequest(type(error).__name__) from None  # LookupError: an encoding nobody knows
    if root.tag != "xml" or len(root) > _MOST_FIELDS:
        raise BadRequest("not a message")
    return {child.tag: (_listed(child) if child.tag in _LISTS else child.text or "")[:_LONGEST_FIELD] for child in root}


def _listed(element: Element) -> str:
    """The entries of a subscription event, as JSON."""
    entries = [{part.tag[:40]: (part.text or "")[:100] for part in list(entry)[:_MOST_FIELDS]} for entry in list(element)[:_MOST_ENTRIES]]
    return json.dumps(entries, ensure_ascii=False)


def read(fields: dict[str, str]) -> Incoming:
    """Raises BadRequest."""
    openid, created = fields.get("FromUserName", "").strip(), fields.get("CreateTime", "").strip()
    if not _OPENID.fullmatch(openid):
        raise BadRequest("FromUserName")
    if not _NUMBER.fullmatch(created) or not 0 < int(created) < 4_102_444_800:
        raise BadRequest("CreateTime")
    kind = fields.get("MsgType", "").strip().lower()
    if not kind or not kind.isascii() or len(kind) > 40:
        raise BadRequest("MsgType")
    common = {
        "openid": openid,
        "ours": fields.get("ToUserName", "").strip()[:64],
        "at": datetime.fromtimestamp(int(created), UTC),
        "unionid": _unionid(fields),
    }
    if kind == "event":
        return Incoming(**common, **_event(fields, openid, created))  # type: ignore[arg-type]
    number = fields.get("MsgId", "").strip()
    if not _NUMBER.fullmatch(number):
        raise BadRequest("MsgId")
    return Incoming(**common, key=number, **_message(fields, kind))  # type: ignore[arg-type]


def _event(fields: dict[str, str], openid: str, created: str) -> dict[str, str]:
    """Events have no id: who and when it was tell them apart, and what, for two of one second (subscribe with SCAN)."""
    event = fields.get("Event", "").strip().lower()
    if not event or not event.isascii() or len(event) > 40:
        raise BadRequest("Event")
    key = fields.get("EventKey", "").strip()
    scene = key.removeprefix(_QR_PREFIX) if event == "scan" or key.startswith(_QR_PREFIX) else ""
    listed = next((fields[tag] for tag in _LISTS if tag in fields), "") if event in _SUBSCRIPTIONS else ""
    detail = listed or (fields.get("Status", "") if event == "templatesendjobfinish" else key)
    number = (fields.get("MsgID") or fields.get("MsgId") or "") if event == "templatesendjobfinish" else ""
    # Two messages may be reported in one second.
    apart = hashlib.sha256(listed.encode()).hexdigest()[:16] if listed else number
    return {
        "key": f"{openid}-{created}-{event}-{apart}"[:200],
        "kind": "event",
        "event": event,
        "scene": scene[:64],
        "detail": detail if listed else detail[:500],
        "text": number[:64],
    }


def _message(fields: dict[str, str], kind: str) -> dict[str, str]:
    match kind:
        case "text":
            return {"kind": kind, "text": fields.get("Content", ""), "menu_id": fields.get("bizmsgmenuid", "").strip()[:64]}
        case "voice":
            return {"kind": kind, "text": fields.get("Recognition", ""), "detail": fields.get("MediaId", "")[:200]}
        case "image":
            return {"kind": kind, "detail": fields.get("PicUrl", "")[:500]}
        case "location":
            place = " ".join(fields.get(name, "").strip()[:100] for name in ("Label", "Location_X", "Location_Y"))
            return {"kind": kind, "detail": place.strip()}
        case "link":
            return {"kind": kind, "detail": f"{fields.get('Title', '')[:200]} {fields.get('Url', '')[:500]}".strip()}
        case "video" | "shortvideo":
            return {"kind": "video", "detail": fields.get("MediaId", "")[:200]}
    return {"kind": "other", "detail": kind}


def _unionid(fields: dict[str, str]) -> str:
    given = fields.get("UnionId", fields.get("unionid", "")).strip()
    return given if _OPENID.fullmatch(given) else ""

"""Requests to be sent: made by schemathesis from our own description, and then spoiled by a seeded hand, ten thousands in a minute."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

from followup.api.app import document

NASTY = (
    "", " ", "\0", "\ud800", "'; DROP TABLE contacts; --", "＋８６ 138 0013 8000", "1٣800138000", "0" * 3000, "字" * 1200, "9" * 400, "-1", "2026-13-45", "0001-01-01", "9999-12-31T23:59:59+23:59",
    "2026-03-05T00:00:00-99:99", "1e400", "NaN", "\u202e王芳", "👩‍👩‍👧", "../..", "..%2f..", "{{7*7}}", "=1+1", "a@b", "\x1b[31m", "null", "%", "%00", "\r\nX: y", "<img src=x>", "//evil.example", "true", "C1", "13800138000", "2026-03-05", "fu_x",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (*NASTY, None, True, False, 0, -1, 2**63, 10**300, -1e300, 0.1, [], {}, [[]], {"": ""}, [None] * 50)
_HEADERS = (
    ("Content-Type", "text/plain"), ("Content-Type", "application/json; charset=gbk"), ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Type", "multipart/form-data; boundary=x"),
    ("Content-Type", "multipart/form-data"), ("Content-Encoding", "gzip"), ("Content-Encoding", "deflate"), ("Content-Encoding", "br"), ("Idempotency-Key", "k1"), ("Idempotency-Key", "9" * 300),
    ("X-Followup-Talk", "x"), ("Last-Event-ID", "99999999999999999999"), ("Last-Event-ID", "-1"), ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", "http://[::1"), ("Sec-Fetch-Site", "cross-site"),
    ("Host", "evil.example"), ("X-Forwarded-For", "a, b"), ("Range", "bytes=5-2"), ("Range", "bytes=0-3"), ("Range", "x"), ("If-Modified-Since", "x"), ("If-None-Match", "*"), ("If-Match", "x"), ("Accept-Encoding", "gzip"),
    ("Cookie", "followup_session=x.y.z"), ("Cookie", ";;=;\"\\"), ("Authorization", "Bearer"), ("Authorization", "Basic Zm9v"), ("Expect", "100-continue"), ("Expect", "x"), ("User-Agent", "MicroMessenger"), ("HX-Request", "true"),
)  # fmt: skip


@dataclass
class Asked:
    """One request; `label` is its operation, `POST /chat/messages`."""

    label: str
    method: str
    template: str
    parts: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    """JSON, or bytes as they are."""

    @property
    def address(self) -> str:
        """Path and query, encoded."""
        path = self.template
        for name, value in self.parts.items():
            path = path.replace(f"{{{name}}}", _quoted(value))
        query = "&".join(f"{_quoted(name)}={_quoted(str(value))}" for name, value in self.query.items())
        return f"{path}?{query}" if query else path

    @property
    def data(self) -> bytes | None:
        return self.body if isinstance(self.body, bytes | None) else json.dumps(self.body).encode()

    def __str__(self) -> str:
        return f"{self.label}: {self.method} {self.address[:300]} {self.headers} {(self.data or b'')[:600]!r}"


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@cache
def operations() -> Sequence[Any]:
    return [found.ok() for found in schemathesis.openapi.from_dict(document()).get_all_operations()]


def made(number: int, most: int, *, also_wrong: bool) -> list[Asked]:
    """The described examples, and up to `most` requests of each operation and kind, as schemathesis makes them; `also_wrong`: such as
    do not fit the description, too."""
    found = _examples()
    kinds = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if also_wrong else (GenerationMode.POSITIVE,)
    for operation in operations():
        for kind in kinds:

            @seed(number)
            @settings(max_examples=most, derandomize=False, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
            @given(operation.as_strategy(generation_mode=kind))
            def take(case: Case) -> None:
                found.append(_asked(case))

            try:
                take()
            except Unsatisfiable:
                pass  # nothing of this operation can be wrong
    return found


def _examples() -> list[Asked]:
    found = []
    for path, described in document()["paths"].items():
        for method, operation in described.items():
            for kind, content in operation.get("requestBody", {}).get("content", {}).items() if method != "parameters" else ():
                if "example" in content:
                    parts = {name.strip("{}"): "C1" for name in path.split("/") if name.startswith("{")}
                    found.append(Asked(f"{method.upper()} {path}", method.upper(), path, parts, headers={"Content-Type": kind}, body=copy.deepcopy(content["example"])))
    return found


def _asked(case: Case) -> Asked:
    body = case.body if isinstance(case.body, dict | list | str | int | float | bool | bytes | None) else None
    if case.media_type == "application/x-www-form-urlencoded" and isinstance(body, dict):
        body = "&".join(f"{_quoted(name)}={_quoted(str(value))}" for name, value in body.items()).encode()
    headers = {name: str(value) for name, value in (case.headers or {}).items()}
    if case.media_type and body is not None:
        headers["Content-Type"] = case.media_type
    parts = {name: str(value) for name, value in (case.path_parameters or {}).items()}
    return Asked(case.operation.label, case.method, case.operation.path, parts, dict(case.query or {}), headers, body)


def spoiled(asked: Asked, hand: random.Random, known: Mapping[str, Sequence[str]]) -> Asked:
    """The same request with up to four things changed; half of the addresses lead to what there is."""
    new = copy.deepcopy(asked)
    for name in new.parts:
        if name in known and hand.random() < 0.5:
            new.parts[name] = hand.choice(known[name])
    for _ in range(hand.choice((0, 1, 1, 2, 4))):
        hand.choice((_part, _query, _header, _body, _body, _body, _bytes, _method))(new, hand)
    return new


def _part(asked: Asked, hand: random.Random) -> None:
    if asked.parts:
        asked.parts[hand.choice(list(asked.parts))] = hand.choice(NASTY)


def _query(asked: Asked, hand: random.Random) -> None:
    name = hand.choice([*asked.query, "after", "limit", "talk", "embed", "code", "state", "signature", "msg_signature", "timestamp", "nonce", "echostr", "encrypt_type"])
    asked.query[name] = hand.choice(NASTY)


def _header(asked: Asked, hand: random.Random) -> None:
    name, value = hand.choice(_HEADERS)
    asked.headers[name] = value


def _method(asked: Asked, hand: random.Random) -> None:
    if hand.random() < 0.2:
        asked.method = hand.choice(("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"))


def _body(asked: Asked, hand: random.Random) -> None:
    if asked.method not in ("POST", "PUT") or isinstance(asked.body, bytes):
        return
    place = asked.body
    if not isinstance(place, dict | list) or not place or hand.random() < 0.05:
        asked.body = hand.choice(_VALUES) if hand.random() < 0.9 else _deep(hand.choice((20, 500, 5000)))
        return
    while True:
        at = hand.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if isinstance(place[at], dict | list) and place[at] and hand.random() < 0.7:
            place = place[at]
            continue
        break
    match hand.randrange(4):
        case 0 if isinstance(place, dict):
            place[hand.choice(NASTY)] = hand.choice(_VALUES)
        case 1:
            del place[at]
        case 2 if isinstance(place, list):
            place += copy.deepcopy(place[:20])
        case _:
            place[at] = copy.deepcopy(hand.choice(_VALUES))


def _deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def _bytes(asked: Asked, hand: random.Random) -> None:
    if asked.method not in ("POST", "PUT"):
        return
    try:
        data = asked.data or b""
    except RecursionError:
        return
    at = hand.randrange(len(data) + 1)
    asked.body = data[:at] + hand.randbytes(hand.randrange(4)) + data[at + hand.randrange(4) :]

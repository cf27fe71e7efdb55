"""Bodies nobody should send: whatever comes, the interface answers as it is described, and never with an error of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from followup.api.app import PREFIX, description
from tests.integration.api.test_api import Api, api, client, described, validate  # noqa: F401 - fixtures

NASTY = ["", " ", "\0", "\ud800", "'; DROP TABLE contacts; --", "＋８６ 138 0013 8000", "1٣800138000", "0" * 3000, "字" * 1200, "9" * 400, "2026-13-45", "0001-01-01", "9999-12-31T23:59:59+23:59",
         "2026-03-05T00:00:00-99:99", "1e400", "NaN", "\u202e王芳", "👩‍👩‍👧", "../..", "{{7*7}}", "=1+1", "a@b", "\x1b[31m", "null"]  # fmt: skip
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
numbers = st.one_of(st.integers(), st.sampled_from([10**300, -(10**400), 2**63, 1e300]), st.floats(allow_nan=False, allow_infinity=False), st.just(-0.0))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts), lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)), max_leaves=12
)


def _mixed(name: str, depth: int = 0) -> st.SearchStrategy[Any]:
    """Mostly what the schema of that name asks for, with anything in places."""
    return _of(description()["components"]["schemas"][name], depth)


def _of(schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _mixed(schema["$ref"].rpartition("/")[2], depth + 1)
    kinds = schema.get("type", "string")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    right: st.SearchStrategy[Any]
    match kind:
        case "object" if "properties" in schema:
            required = schema.get("required", [])
            parts = {name: _of(part, depth + 1) for name, part in schema["properties"].items()}
            right = st.fixed_dictionaries(
                {name: parts[name] for name in required}, optional={name: part for name, part in parts.items() if name not in required}
            )
            right = st.one_of(right, st.tuples(right, st.dictionaries(texts, anything, max_size=2)).map(lambda both: {**both[1], **both[0]}))
        case "object":
            right = st.dictionaries(texts, texts, max_size=3)
        case "array":
            right = st.lists(_of(schema["items"], depth + 1), max_size=4)
        case "boolean":
            right = st.booleans()
        case "integer":
            right = st.integers()
        case _:
            right = st.one_of(st.sampled_from(schema["enum"]) if "enum" in schema else texts, st.sampled_from(["王芳", "13800138000", "C1", "2026-03-05", "购买合同", "w@example.com"]))
    return st.one_of(right, right, right, right, anything)


def calls() -> st.SearchStrategy[tuple[str, str, Any]]:
    """(method, path template, body) of one of the operations that take a body."""
    found = []
    for path, operations in description()["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation:
                name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                found.append(st.tuples(st.just(method.upper()), st.just(path.removeprefix(PREFIX)), st.one_of(_mixed(name), _mixed(name), anything)))
    assert len(found) == 5
    return st.one_of(found)


async def ask(api: Api, method: str, path: str, data: bytes, **headers: str) -> int:  # noqa: F811
    """Send it; whatever is answered must be described, in form and in status."""
    headers = {"Authorization": f"Bearer {api.secret}", **headers}
    async with api.client.request(method, PREFIX + path, data=data, headers=headers) as answer:
        text = await answer.text()
        assert answer.status < 500, (method, path, data[:500], answer.status, text)
        validate(json.loads(text), described(method, path, answer.status, answer.content_type))
        return answer.status


async def test_no_body_breaks_the_interface(api: Api, monkeypatch: Any) -> None:  # noqa: F811
    _without_limit(monkeypatch)
    loop, seen = asyncio.get_running_loop(), set()

    @settings(max_examples=120, suppress_health_check=list(HealthCheck))
    @given(calls())
    def hold(call: tuple[str, str, Any]) -> None:
        method, path, body = call
        data = json.dumps(body, ensure_ascii=True).encode()
        seen.add(waited(loop, ask(api, method, path.replace("{external_id}", "C1"), data)))

    await asyncio.to_thread(hold)
    assert {200, 400, 422} <= seen, seen  # some were taken, some were told what is wrong


async def test_no_bytes_break_the_interface(api: Api, monkeypatch: Any) -> None:  # noqa: F811
    _without_limit(monkeypatch)
    loop = asyncio.get_running_loop()
    whole = json.dumps({"contacts": [{"name": "王芳", "phone": "13800138000", "dates": {"签收日期": "2026-03-05"}}]}, ensure_ascii=False).encode()

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.binary(max_size=60), st.tuples(st.integers(0, len(whole)), st.binary(max_size=4), st.integers(0, 8)).map(lambda m: whole[: m[0]] + m[1] + whole[m[0] + m[2] :])))
    def hold(data: bytes) -> None:
        waited(loop, ask(api, "POST", "/contacts", data))

    await asyncio.to_thread(hold)


async def test_no_number_of_a_customer_and_no_key_of_a_call_breaks_the_interface(api: Api, monkeypatch: Any) -> None:  # noqa: F811
    _without_limit(monkeypatch)
    loop = asyncio.get_running_loop()
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(texts.filter(lambda text: text and "/" not in text and text not in (".", "..")), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=220), st.booleans())
    def hold(number: str, key: str, get: bool) -> None:
        place = quote(number.encode("utf-8", "replace").decode(), safe="")
        method, path, data = ("GET", f"/contacts/{place}/result", b"") if get else ("PUT", f"/contacts/{place}", b'{"name": "x"}')
        headers = {"Idempotency-Key": key.strip()} if key.strip() else {}
        waited(loop, ask(api, method, path, data, **headers))

    await asyncio.to_thread(hold)


def waited(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, int]) -> int:
    """Hypothesis knows no event loop, so it works in a thread beside it."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


def _without_limit(monkeypatch: Any) -> None:
    from followup.api import app
    from followup.web.shared_limits import SharedBucket

    monkeypatch.setattr(app, "LIMIT", SharedBucket("api", burst=10**9, per_second=10**9))

"""Puts the interface together: keys, limits, repeated calls answered once, errors as problems."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from ruamel.yaml import YAML
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.api import campaigns, contacts, keys
from followup.api.problems import Problem
from followup.store.campaign_models import ApiRequest
from followup.web import bodies
from followup.web.keys import DATABASE, SETTINGS
from followup.web.security import log_without_words, route_of
from followup.web.shared_limits import SharedBucket

PREFIX = "/api/v1"
LARGEST_BODY = 8 * 1024 * 1024
_REMEMBERED = timedelta(days=1)
LIMIT = SharedBucket("api", burst=120, per_second=20)
"""Of each key, at all web processes together."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Work = Callable[[AsyncSession, web.Request, Any], Awaitable[tuple[int, dict[str, Any]]]]


def add_api(app: web.Application) -> None:
    """Hang the interface into the public web application, with its description."""
    api = web.Application(middlewares=[_problems, _with_key])
    api.add_routes(
        [
            web.post("/contacts", _answering(contacts.post_contacts)),
            web.put("/contacts/{external_id}", _answering(contacts.put_contact)),
            web.get("/contacts/{external_id}/result", _answering(contacts.result)),
            web.get(r"/campaigns/{id:\d+}/comparisons", _answering(campaigns.comparisons)),
            web.post("/contacts/{external_id}/events", _answering(contacts.event)),
            web.post("/contacts/{external_id}/do-not-contact", _answering(contacts.stop_customer)),
            web.post("/do-not-contact", _answering(contacts.stop_number)),
        ]
    )
    app.router.add_get("/openapi.json", openapi)
    app.add_subapp(PREFIX, api)


@cache
def description() -> dict[str, Any]:
    """The part of the OpenAPI document that customer systems use."""
    return _read(Path(__file__).with_name("openapi.yml"))


@cache
def document() -> dict[str, Any]:
    """The whole OpenAPI document: this interface, and what web serves to customers and providers."""
    own, public = description(), _read(Path(__file__).parents[1] / "web" / "openapi.yml")
    parts = {kind: {**own["components"].get(kind, {}), **more} for kind, more in public["components"].items()}
    return {**own, "tags": public["tags"], "paths": {**own["paths"], **public["paths"]}, "components": parts}


def _read(file: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


async def openapi(request: web.Request) -> web.Response:
    """GET /openapi.json"""
    return web.json_response(document(), dumps=lambda data: json.dumps(data, ensure_ascii=False, default=str))


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return problem.answer()
    except web.HTTPRequestEntityTooLarge:
        return Problem(413, f"内容超过 {LARGEST_BODY // 1024 // 1024} MB，请分几次发送。").answer()
    except web.HTTPMethodNotAllowed as error:
        return Problem(405, "这个网址不接受这种方法。", Allow=error.headers.get("Allow", "")).answer()
    except web.HTTPNotFound:
        return Problem(404, "没有这个网址。接口说明在 /openapi.json。").answer()
    except web.RequestPayloadError as error:
        return bodies.hang_up(request, Problem(bodies.status_of(error), "内容没有传完整，请用同样的内容再试。").answer())
    except (web.HTTPException, ConnectionError):
        raise
    except Exception as error:
        log_without_words(error, f"{request.method} {route_of(request)}")
        return Problem(503, "暂时不能处理，请稍后用同样的内容再试。", **{"Retry-After": "5"}).answer()


@web.middleware
async def _with_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """`request["key_id"]` and `request["user_id"]` of the key that was presented."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    async with request.config_dict[DATABASE].session() as session:
        key = await keys.find(session, secret.strip(), clock.now()) if kind.lower() == "bearer" else None
        wait = await LIMIT.wait_for(session, request.config_dict[SETTINGS].signing_secret(), str(key.id)) if key is not None else 0
    if key is None:
        hint = "请在请求头里写上 Authorization: Bearer 加密钥；密钥由管理员在后台的“接口密钥”里新建。"
        raise Problem(401, hint, **{"WWW-Authenticate": "Bearer"})
    if wait:
        raise Problem(429, f"请求太快，请 {wait} 秒以后再试。", **{"Retry-After": str(wait)})
    request["key_id"], request["user_id"] = key.id, key.user_id
    request._client_max_size = LARGEST_BODY  # the only way to let these bodies be larger than a chat's
    return await handler(request)


def _answering(work: Work) -> Handler:
    """One transaction a call; a repeated call with the same Idempotency-Key gets the first one's answer."""

    async def handler(request: web.Request) -> web.StreamResponse:
        body = await _body(request) if request.method != "GET" else None
        name = request.headers.get("Idempotency-Key", "") if request.method != "GET" else ""
        if len(name) > 200:
            raise Problem(400, "Idempotency-Key 最多 200 个字符。")
        async with request.config_dict[DATABASE].session() as session:
            remembered = await _remember(session, request, name) if name else None
            if remembered is not None and remembered.status is not None:
                return _json(remembered.status, remembered.answer, {"Idempotency-Replayed": "true"})
            remembered_id = remembered.id if remembered is not None else None
            status, answer = await work(session, request, body)
            text = json.dumps(answer, ensure_ascii=False, default=str)
            if remembered_id is not None:
                row = await session.get_one(ApiRequest, remembered_id)
                row.status, row.answer = status, text
        return _json(status, text)

    return handler


async def _remember(session: AsyncSession, request: web.Request, name: str) -> ApiRequest:
    """The row of this key, locked: a second call at the same time waits for the first. Raises Problem (422) for another body."""
    now, key_id = clock.now(), request["key_id"]
    digest = hashlib.sha256(b"\0".join([request.method.encode(), request.raw_path.encode(), await request.read()])).hexdigest()
    await session.execute(delete(ApiRequest).where(ApiRequest.at < now - _REMEMBERED))
    new = insert(ApiRequest).values(api_key_id=key_id, key=name, digest=digest, at=now).on_conflict_do_nothing()
    await session.execute(new)
    row = (await session.scalars(select(ApiRequest).where(ApiRequest.api_key_id == key_id, ApiRequest.key == name).with_for_update())).one()
    if row.digest != digest:
        raise Problem(422, "这个 Idempotency-Key 已经用在另一个请求上，请换一个。")
    return row


async def _body(request: web.Request) -> Any:
    data = await request.read()
    try:
        body = json.loads(data or b"{}", parse_constant=_no_constant)
        if b"\\ud" in data.lower():
            # Half a pair of UTF-16 is no character: neither the database nor our answer could hold it.
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Problem(400, "请求的内容不是 UTF-8 编码的 JSON。") from None
    return body


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _json(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)

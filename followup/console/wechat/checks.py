"""The check of an account: everything is really tried, each part is a row with what to do. What cannot be known says so."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import aiohttp

from followup.channels.wechat.ask import Failed, NotReached, Unclear
from followup.channels.wechat.client import WechatClient
from followup.channels.wechat.envelope import sign
from followup.console.wechat.accounts import Shown
from followup.console.wechat.said import Said, refusal_said, said
from followup.store.database import Database

SECONDS = 8
_PORTS = {"http": 80, "https": 443}
_SHOWN_IPS = 3
_SEND = "/cgi-bin/message/custom/send"


class State(StrEnum):
    OK = "ok"
    BAD = "bad"
    NOTE = "note"
    """It works, but somebody should know."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """`key`: a key of the labels wechat_checks."""

    key: str
    state: State
    said: Said


async def check(shown: Shown, database: Database, public_url: str, *, seconds: float = SECONDS) -> list[Row]:
    """Try everything. Takes some seconds at most; nothing of it is a change at WeChat."""
    rows = [*_settings(shown), address_row(public_url)]
    rows.append(await _echo(shown, shown.address(public_url), seconds))
    rows += [one async for one in _asked(shown, database, seconds)]
    return rows


def row(key: str, state: State, sentence: str, **values: object) -> Row:
    return Row(key, state, said("wechat_said", sentence, **values))


def _settings(shown: Shown) -> list[Row]:
    if not shown.readable:
        return [row("settings", State.BAD, "unreadable")]
    found = []
    if shown.mode != "aes":
        found.append(row("settings", State.NOTE, shown.mode))
    if not shown.certified and shown.account.secret:
        found.append(row("settings", State.NOTE, "uncertified"))
    return found or [row("settings", State.OK, "settings_ok")]


def address_row(public_url: str) -> Row:
    parts = urlsplit(public_url)
    if _is_local(parts.hostname or ""):
        return row("address", State.BAD, "address_local", url=public_url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    if port not in _PORTS.values():
        return row("address", State.BAD, "address_port", port=port)
    return row("address", State.OK, "address_ok")


def _is_local(host: str) -> bool:
    if host == "localhost" or "." not in host and ":" not in host or host.endswith((".local", ".internal", ".lan")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


async def _echo(shown: Shown, address: str, seconds: float) -> Row:
    """Ask our own public address as WeChat does when the address is submitted."""
    stamp, nonce, echo = str(int(time.time())), str(secrets.randbelow(10**9)), str(secrets.randbelow(10**18))
    query = {"signature": sign(shown.account.token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "echostr": echo}
    return await ask_address(address, query, echo, seconds)


async def ask_address(address: str, query: dict[str, str], echo: str, seconds: float) -> Row:
    """Whether our public address answers the question with `echo`."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds), trust_env=True) as http:
            async with http.get(address, params=query, allow_redirects=False) as answer:
                status, body = answer.status, (await answer.content.read(200)).decode("utf-8", "replace")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return row("echo", State.BAD, "echo_none", why=why(error))
    if status == 200 and body == echo:
        return row("echo", State.OK, "echo_ok")
    if status in (403, 404):
        return row("echo", State.BAD, f"echo_{status}")
    return row("echo", State.BAD, "echo_wrong", status=status)


async def _asked(shown: Shown, database: Database, seconds: float) -> AsyncIterator[Row]:
    """What WeChat itself is asked; without a token the rest cannot be known."""
    others: list[tuple[str, Callable[[WechatClient], Awaitable[Row]]]] = [("network", _network), ("callback", _callback), ("quota", _quota)]
    if not shown.account.secret:
        yield row("secret", State.UNKNOWN if not shown.readable else State.NOTE, "skipped" if not shown.readable else "no_secret")
        for key, _ in others:
            yield row(key, State.UNKNOWN, "skipped")
        return
    async with WechatClient(shown.account, database, seconds=seconds) as client:
        secret = await _tried("secret", client, _secret)
        yield secret
        if secret.state is not State.OK:
            for key, _ in others:
                yield row(key, State.UNKNOWN, "skipped")
            return
        for one in await asyncio.gather(*(_tried(key, client, ask) for key, ask in others)):
            yield one


async def _tried(key: str, client: WechatClient, ask: Callable[[WechatClient], Awaitable[Row]]) -> Row:
    try:
        return await ask(client)
    except Failed as failed:
        if key == "secret":
            return Row(key, State.BAD, refusal_said(failed))
        return row(key, State.UNKNOWN, "not_told", why=refusal_said(failed).what.rstrip("。"))
    except NotReached as error:
        return row(key, State.BAD, "not_reached", why=why(error), api=client.account.api)
    except Unclear as error:
        return row(key, State.UNKNOWN, "unclear", why=why(error))


async def _secret(client: WechatClient) -> Row:
    await client.try_secret()
    return row("secret", State.OK, "secret_ok")


async def _network(client: WechatClient) -> Row:
    told = await client.call("/cgi-bin/callback/check", {"action": "all", "check_operator": "DEFAULT"})
    ips = [str(one.get("ip", "")) for one in _dicts(told.get("dns"))]
    if not ips:
        return row("network", State.BAD, "network_none")
    lost = [one for one in _dicts(told.get("ping")) if str(one.get("package_loss", "")) == "100%"]
    shown = "、".join(ips[:_SHOWN_IPS])
    return row("network", State.NOTE if lost else State.OK, "network_lost" if lost else "network_ok", ips=shown)


async def _callback(client: WechatClient) -> Row:
    told = (await client.call("/cgi-bin/getcallbackip", None)).get("ip_list")
    ips = [str(one) for one in told] if isinstance(told, list) else []
    if not ips:
        return row("callback", State.UNKNOWN, "callback_none")
    return row("callback", State.OK, "callback_ok", number=len(ips), some="、".join(ips[:_SHOWN_IPS]))


async def _quota(client: WechatClient) -> Row:
    told = (await client.call("/cgi-bin/openapi/quota/get", {"cgi_path": _SEND})).get("quota")
    remain, limit = (told.get(name) for name in ("remain", "daily_limit")) if isinstance(told, dict) else (None, None)
    if not isinstance(remain, int) or not isinstance(limit, int):
        return row("quota", State.UNKNOWN, "not_told", why="没有写明")
    return row("quota", State.OK if remain > 0 else State.BAD, "quota_ok" if remain > 0 else "quota_none", remain=remain, limit=limit)


def _dicts(raw: object) -> list[dict[str, object]]:
    return [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else []


def why(error: BaseException) -> str:
    """The kind of error: its text may hold the request's address with a token in it."""
    if isinstance(error, (Unclear, NotReached)):
        return str(error)[:60]
    return "超时" if isinstance(error, TimeoutError) else type(error).__name__

"""One request to WeChat or WeCom: JSON there and back, and which of three ways it went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

LONGEST_ANSWER = 8 * 1024 * 1024
"""Bytes: WeCom's pages of messages are the longest."""


class Failed(Exception):
    """The platform refused, for certain. `wait`: seconds after which another try makes sense; None: never."""

    def __init__(self, code: int, message: str = "", *, wait: int | None = None) -> None:
        super().__init__(f"{code} {message}".strip())
        self.code, self.wait = code, wait


class Unclear(Exception):
    """The request was written and no answer came that can be read: nobody knows whether the platform has it."""


class NotReached(Exception):
    """Nothing was sent: no connection."""


def open_session(seconds: float) -> aiohttp.ClientSession:
    """For the requests of one account."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds, connect=min(5, seconds)), trust_env=True)


async def ask(http: aiohttp.ClientSession, method: str, address: str, query: Mapping[str, str], body: Mapping[str, Any] | None) -> dict[str, Any]:
    """The answer, whatever it says. Raises Unclear, NotReached."""
    # Not escaped: WeChat would show \\u4f60 as it stands.
    data = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    headers = {"Content-Type": "application/json"} if body is not None else {}
    try:
        async with http.request(method, address, params=query, data=data, headers=headers, allow_redirects=False) as response:
            raw, status = await _all_of(response), response.status
    except aiohttp.ClientConnectorError as error:
        raise NotReached(type(error).__name__) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unclear(type(error).__name__) from None  # no text: it holds the token's address
    try:
        answer = json.loads(raw)
    except ValueError:
        raise Unclear(f"status {status}") from None
    if status != 200 or not isinstance(answer, dict):
        raise Unclear(f"status {status}")
    return answer


def code_of(answer: Mapping[str, Any]) -> int:
    """0: it was done."""
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -1


async def _all_of(response: aiohttp.ClientResponse) -> bytes:
    """The whole body; what is too long is cut off, and then no JSON."""
    whole = bytearray()
    async for chunk in response.content.iter_any():
        whole += chunk
        if len(whole) > LONGEST_ANSWER:
            break
    return bytes(whole)

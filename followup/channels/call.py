"""Asking a provider over HTTP so that it is always known how far the request got: refused, answered, or nobody knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from followup.channels import Refused, Unclear

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0
LARGEST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Mapping[str, Any]


async def ask(url: str, headers: Mapping[str, str], body: bytes, *, total: float = TOTAL_SECONDS) -> Answer:
    """POST and read a JSON object.

    Raises Refused (temporary) when nothing was sent, Unclear when the request went out and no answer that can be read came.
    Nothing is sent twice: each request has a connection of its own, so that none goes into one the provider is just closing.
    """
    timeout = aiohttp.ClientTimeout(total=total, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS)
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), timeout=timeout) as client:
            # The query is signed as it is written: it must not be encoded once more.
            # What the signature does not cover is not sent either.
            request = client.post(
                URL(url, encoded=True), headers=headers, data=body, allow_redirects=False, skip_auto_headers=("Content-Type", "User-Agent")
            )
            async with request as answer:
                raw = await answer.content.read(LARGEST_ANSWER)
                status = answer.status
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Refused("not_reached", type(error).__name__, "temporary") from None
    except asyncio.TimeoutError:
        raise Unclear("timeout") from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unclear(type(error).__name__) from None
    try:
        read = json.loads(raw)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Unclear(f"http_{status}")
    return Answer(status, read)

"""Rasa's REST channel, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

TURN_SECONDS = 60
READY_SECONDS = 3


class RasaUnavailable(Exception):
    """Rasa did not take the turn, or its connection broke while it did. Whether it ran is for the store to say."""


class RasaClient:
    """One HTTP session. Use as an async context manager, or `close()` it.

    `address`: Rasa's URL, or what says it now (followup.supervise.address): each turn asks where Rasa is when it begins,
    and ends where it began.
    """

    def __init__(self, address: str | Callable[[], str]) -> None:
        self._address = address
        # Loopback: the environment's proxies are not meant for it, which is aiohttp's default.
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TURN_SECONDS))

    @property
    def url(self) -> str:
        """Where Rasa is now."""
        return (self._address if isinstance(self._address, str) else self._address()).rstrip("/")

    async def post(self, sender: str, text: str, metadata: Mapping[str, Any]) -> None:
        """Run one turn. Raises RasaUnavailable.

        What it answers is not looked at: the channel says `200 []` when a turn failed, so the replies are read from
        the store (followup.talk.turn).
        """
        body = {"sender": sender, "message": text, "metadata": dict(metadata)}
        try:
            async with self._http.post(f"{self.url}/webhooks/rest/webhook", json=body) as response:
                await response.read()
                if response.status != 200:
                    raise RasaUnavailable(f"status {response.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RasaUnavailable(type(error).__name__) from error

    async def ready(self) -> bool:
        """Whether it takes messages. `/status` says more, but exists only with Rasa's HTTP API switched on."""
        timeout = aiohttp.ClientTimeout(total=READY_SECONDS)
        url = self.url
        try:
            async with self._http.get(f"{url}/status", timeout=timeout) as response:
                if response.status == 200:
                    return bool((await response.json(content_type=None)).get("model_file"))
            async with self._http.get(f"{url}/webhooks/rest/", timeout=timeout) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False

    async def close(self) -> None:
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

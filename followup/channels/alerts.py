"""Telling staff by whatever they use (企业微信, 钉钉, 飞书, mail ...): Apprise, which knows more than a hundred ways.

A way of `followup.campaigns.alerts.teller`, which words what is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from followup.channels.wording import load_wording

TIMEOUT_SECONDS = 30.0


class NotTold(RuntimeError):
    """Not everybody was reached. The text holds no address: addresses hold keys."""


def apprise_way(urls: Sequence[str], *, timeout: float = TIMEOUT_SECONDS) -> Callable[[str], Awaitable[None]]:
    """`await way(said)` tells all addresses, in a thread of its own, as Apprise blocks. Raises NotTold, TimeoutError."""

    async def way(said: str) -> None:
        told = await asyncio.wait_for(asyncio.to_thread(_notify, tuple(urls), load_wording().alert_title, said), timeout)
        if told < len(urls):
            raise NotTold(f"{len(urls) - told} of {len(urls)}")

    return way


def _notify(urls: Sequence[str], title: str, said: str) -> int:
    """How many of the addresses took it."""
    import apprise  # half a second, and only for those who use it

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages repeat the addresses
    asset = apprise.AppriseAsset(async_mode=False, app_id="Followup", app_desc="客户回访", app_url="")
    told = 0
    for url in urls:
        service = apprise.Apprise(asset=asset)
        told += bool(service.add(url) and service.notify(body=said, title=title))
    return told

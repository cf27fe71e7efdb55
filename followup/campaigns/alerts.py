"""Messages to staff about campaigns, worded by labels.yml, group `alerts`. They hold no customer's name, number or words."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from followup.campaigns.labels import sentence

_log = logging.getLogger(__name__)

Tell = Callable[..., Awaitable[None]]
"""`await tell(key, **details)`; never raises."""


def teller(*ways: Callable[[str], Awaitable[Any]]) -> Tell:
    """What tells staff by every way; one that fails is logged and holds nothing up."""

    async def tell(key: str, **details: object) -> None:
        said = sentence(key, "alerts", **details)
        for way in ways:
            try:
                await way(said)
            except Exception as error:  # an address may hold a key: only the kind of the error is logged
                _log.warning("staff were not told of %s: %s", key, type(error).__name__)

    return tell

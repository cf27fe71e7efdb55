"""The token of an account, for all processes: it is in the database, and the lock of its row lets one of them fetch a new one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.dialects.postgresql import insert

from followup.store.database import Database
from followup.store.wechat_models import WechatToken

_EARLY = timedelta(minutes=5)
"""A token is not used to its last minute."""

Fetch = Callable[[str], Awaitable[tuple[str, int]]]
"""The token that was refused, if one was -> (token, seconds that it holds)."""


class SharedToken:
    """One process's view of it."""

    def __init__(self, database: Database, fetch: Fetch) -> None:
        self._database = database
        self._fetch = fetch
        self._known: tuple[str, str, datetime] | None = None
        """(whose, token, its end) as last read; in memory only."""

    async def get(self, name: str, owner: str, *, instead_of: str = "") -> str:
        """The token of the row `name`; a new one when it ends soon, or when it is `instead_of`, which was refused.

        What another process fetched meanwhile is learned when the one known here is refused, when that ends, or when the
        account belongs to another `owner`. Raises what `fetch` raises.
        """
        if self._known is not None and not instead_of:
            whose, token, end = self._known
            if whose == owner and end - _EARLY > datetime.now(UTC):
                return token
        token, end = await self._shared(name, instead_of)
        self._known = (owner, token, end)
        return token

    async def _shared(self, name: str, instead_of: str) -> tuple[str, datetime]:
        async with self._database.session() as session:
            await session.execute(insert(WechatToken).values(account=name).on_conflict_do_nothing())
            row = await session.get_one(WechatToken, name, with_for_update=True, populate_existing=True)
            now = datetime.now(UTC)  # the platform's time, whatever the product's clock says
            good = bool(row.token) and row.expires_at is not None and row.expires_at - _EARLY > now
            if not good or row.token == instead_of:
                row.token, seconds = await self._fetch(instead_of)
                row.expires_at = now + timedelta(seconds=seconds)
            return row.token, row.expires_at

"""Keys of customer systems. A key is shown once; what is kept is its hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.campaign_models import ApiKey

PREFIX = "fu_"
LONGEST_NAME = 60
_SEEN_EVERY = timedelta(minutes=1)


class KeyProblem(ValueError):
    """`key` names the sentence in labels.yml, group key_errors."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


async def make(session: AsyncSession, name: str, user_id: int | None, at: datetime) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can read again. Raises KeyProblem: no_name."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise KeyProblem("no_name")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(name=name, key_hash=_hash(secret), hint=secret[:8], user_id=user_id, created_at=at)
    session.add(key)
    await session.flush()
    return key, secret


async def revoke(session: AsyncSession, key_id: int, at: datetime) -> ApiKey:
    """From now on the key opens nothing. Raises KeyProblem: no_key, revoked."""
    key = await session.get(ApiKey, key_id, with_for_update=True)
    if key is None:
        raise KeyProblem("no_key")
    if key.revoked_at is not None:
        raise KeyProblem("revoked")
    key.revoked_at = at
    await session.flush()
    return key


async def find(session: AsyncSession, secret: str, at: datetime) -> ApiKey | None:
    """The key that was presented, unless it was revoked; notes now and then that it is used."""
    if not secret.startswith(PREFIX) or len(secret) > 100:
        return None
    key = await session.scalar(select(ApiKey).where(ApiKey.key_hash == _hash(secret), ApiKey.revoked_at.is_(None)))
    if key is not None and (key.last_used_at is None or key.last_used_at < at - _SEEN_EVERY):
        key.last_used_at = at
    return key


async def every_key(session: AsyncSession) -> Sequence[ApiKey]:
    """Newest first, revoked ones last."""
    return (await session.scalars(select(ApiKey).order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc()))).all()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

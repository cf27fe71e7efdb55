"""Who is logged in: sessions kept in the database, of which the browser holds an opaque token.

A session ends 30 minutes after the last request, 12 hours after the login, or when somebody ends it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.permissions import Staff
from followup.store.models import User
from followup.store.staff_models import StaffSession

COOKIE = "followup_staff"
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
_TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    staff: Staff
    session_id: int
    token: str


async def begin(session: AsyncSession, user_id: int, old_token: str = "") -> str:
    """A new session's token. The browser's old session, if any, ends: a token known before the login is worth nothing."""
    if old_token:
        await end(session, old_token)
    token = secrets.token_urlsafe(32)
    at = clock.now()
    session.add(StaffSession(token_hash=_hash(token), user_id=user_id, created_at=at, last_seen_at=at))
    await session.flush()
    return token


async def find(session: AsyncSession, token: str) -> LoggedIn | None:
    """Whose token it is; None when it never was one, has ended, or belongs to a closed account."""
    if not token or len(token) > 100:
        return None
    row = (
        await session.execute(
            select(StaffSession, User)
            .join(User, User.id == StaffSession.user_id)
            .where(StaffSession.token_hash == _hash(token), StaffSession.ended_at.is_(None), User.disabled_at.is_(None))
        )
    ).first()
    if row is None:
        return None
    kept, user = row
    at = clock.now()
    if at - kept.last_seen_at > IDLE or at - kept.created_at > LONGEST:
        kept.ended_at = at
        return None
    if at - kept.last_seen_at > _TOUCH_EVERY:
        kept.last_seen_at = at
    return LoggedIn(Staff(user.id, user.name, user.role, user.department, user.must_change_password), kept.id, token)


async def end(session: AsyncSession, token: str) -> None:
    await session.execute(
        update(StaffSession)
        .where(StaffSession.token_hash == _hash(token), StaffSession.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


async def end_all(session: AsyncSession, user_id: int, except_session: int | None = None) -> None:
    """End every session of an account, but for the one that asks for it."""
    await session.execute(
        update(StaffSession)
        .where(
            StaffSession.user_id == user_id,
            StaffSession.ended_at.is_(None),
            StaffSession.id.is_distinct_from(except_session),
        )
        .values(ended_at=clock.now())
    )


def write_cookie(response: web.StreamResponse, token: str, *, secure: bool) -> None:
    response.set_cookie(
        COOKIE, token, max_age=int(LONGEST.total_seconds()), path="/console", httponly=True, secure=secure, samesite="Lax"
    )


def drop_cookie(response: web.StreamResponse) -> None:
    response.del_cookie(COOKIE, path="/console")


def csrf_token(token: str) -> str:
    """What the session's forms must send along. Derived from the cookie's token, which no other site can read."""
    return hmac.new(token.encode(), b"followup.console.csrf.v1", hashlib.sha256).hexdigest()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

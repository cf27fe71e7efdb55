"""Links that open a talk: an opaque token, of which only the hash is stored."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.store.models import AccessToken, Case
from followup.store.records import is_blocked

PURPOSE_TALK = "talk"


class LinkError(LookupError):
    """The link opens nothing. The subclasses say why."""


class UnknownLink(LinkError):
    """Nobody ever got this token, or it is for something else."""


class ExpiredLink(LinkError):
    """It was valid once."""


class RevokedLink(LinkError):
    """Somebody took it back."""


class DoNotContact(Exception):
    """The customer is on the do-not-contact list 免打扰名单, or was erased: no link is made to be sent to them."""


async def create_link(
    session: AsyncSession,
    case_id: str,
    *,
    valid_for: timedelta,
    purpose: str = PURPOSE_TALK,
    asked_for_by_customer: bool = False,
) -> str:
    """A new token (22 characters, safe in a URL) that opens the case until `valid_for` is over.

    Raises DoNotContact where the customer must not be contacted, unless they came by themselves and are here now.
    """
    if not asked_for_by_customer and await _is_shut(session, case_id):
        raise DoNotContact
    token = secrets.token_urlsafe(16)
    at = clock.now()
    session.add(
        AccessToken(
            case_id=case_id,
            token_hash=_hash(token),
            purpose=purpose,
            expires_at=at + valid_for,
            created_at=at,
        )
    )
    await session.flush()
    return token


async def resolve(session: AsyncSession, token: str, *, purpose: str = PURPOSE_TALK) -> str:
    """The case the token opens. Raises UnknownLink, ExpiredLink or RevokedLink; changes nothing."""
    return await case_behind(session, _hash(token), purpose)


async def case_behind(session: AsyncSession, token_hash: str, purpose: str) -> str:
    """The case of a stored hash, of a link or of a code. Raises UnknownLink, ExpiredLink or RevokedLink; changes nothing."""
    row = await session.scalar(
        select(AccessToken).where(AccessToken.token_hash == token_hash, AccessToken.purpose == purpose)
    )
    if row is None:
        raise UnknownLink
    if row.revoked_at is not None:
        raise RevokedLink
    if row.expires_at <= clock.now():
        raise ExpiredLink
    return row.case_id


async def revoke_links(session: AsyncSession, case_id: str) -> int:
    """Take every link of the case back. Returns how many were still standing."""
    revoked = await session.scalars(
        update(AccessToken)
        .where(AccessToken.case_id == case_id, AccessToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(AccessToken.id)
    )
    return len(revoked.all())


async def _is_shut(session: AsyncSession, case_id: str) -> bool:
    case = await session.get(Case, case_id)
    return case is not None and (case.erased_at is not None or await is_blocked(session, case.contact_id))


def _hash(token: str) -> str:
    # The token is 128 random bits: a plain hash cannot be guessed back, so it needs neither salt nor stretching.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

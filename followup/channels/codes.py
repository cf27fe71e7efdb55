"""Short codes: what a customer types at the fixed address of a short message, in place of a link."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import timedelta

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.store.models import AccessToken, Case
from followup.store.records import is_blocked
from followup.talk.links import DoNotContact, case_behind

PURPOSE = "code"
ALPHABET = "2345679CDFGHJKMNPQRTVWXY"
"""Nothing that is taken for something else (no 0 O, 1 I L, 8 B; typed Z and S mean 2 and 5), and no vowel, so no words: 24^8."""
LENGTH = 8
_MEANT = str.maketrans({"Z": "2", "S": "5"})
_BETWEEN = re.compile(r"[\s\-_·.,，。、—－]+")


def halves(code: str) -> tuple[str, str]:
    """As it is shown: two groups of four."""
    return code[: LENGTH // 2], code[LENGTH // 2 :]


def as_typed(text: str) -> str | None:
    """The code somebody meant: small letters, full width, blanks and dashes, Z for 2. None when it cannot be one."""
    plain = _BETWEEN.sub("", unicodedata.normalize("NFKC", text[:64]).strip().upper()).translate(_MEANT)
    return plain if len(plain) == LENGTH and set(plain) <= set(ALPHABET) else None


async def create_code(session: AsyncSession, secret: str, case_id: str, *, valid_for: timedelta) -> str:
    """A new code that opens the case until `valid_for` is over. Raises DoNotContact."""
    case = await session.get_one(Case, case_id)
    if case.erased_at is not None or await is_blocked(session, case.contact_id):
        raise DoNotContact
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        hashed = hash_of(secret, code)
        if not await session.scalar(select(exists().where(AccessToken.token_hash == hashed))):
            break
    at = clock.now()
    session.add(AccessToken(case_id=case_id, token_hash=hashed, purpose=PURPOSE, expires_at=at + valid_for, created_at=at))
    await session.flush()
    return code


async def resolve_code(session: AsyncSession, secret: str, code: str) -> str:
    """The case the code opens. Raises UnknownLink, ExpiredLink or RevokedLink; changes nothing."""
    return await case_behind(session, hash_of(secret, code), PURPOSE)


def hash_of(secret: str, code: str) -> str:
    # 37 bits can be tried out: without our secret the hash must not help whoever reads the table.
    return hmac.new(secret.encode(), f"code:{code}".encode(), hashlib.sha256).hexdigest()

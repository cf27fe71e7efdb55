"""Accounts of the staff: passwords, the throttled login, the first administrator."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.settings import is_mail_address
from followup.store.models import User
from followup.store.staff_models import LoginAttempt

ROLES = ("admin", "supervisor", "agent", "trainer", "auditor")
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200
LONGEST_NAME = 40
FIRST_ADMIN = "admin"
_WINDOW = timedelta(minutes=15)
_TRIES_PER_NAME = 5
_TRIES_PER_ADDRESS = 50
"""A whole office may share one address."""
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))
"""Checked when the name is unknown, so that the time taken does not tell whether it exists."""


class AccountError(ValueError):
    """It cannot be done. `key` names the sentence in labels.yml."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Login:
    """`user` is None when the login failed; `wait` are the minutes until the next try when there were too many."""

    user: User | None
    wait: int = 0


async def log_in(session: AsyncSession, name: str, password: str, address: str, secret: str) -> Login:
    """Check a login. A failed one is counted; after too many nothing is checked any more for a while."""
    place = hmac.new(secret.encode(), address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    for what in (f"name:{name[:LONGEST_NAME]}", f"address:{place}"):
        # One after the other: of a hundred tries at once all would be checked before the first failure is written down.
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"login:{what}"})
    if wait := await _minutes_to_wait(session, name, place):
        return Login(None, wait)
    user = await session.scalar(select(User).where(User.name == name, User.disabled_at.is_(None)))
    if not await asyncio.to_thread(_fits, user.password_hash if user else _NOBODY, password) or user is None:
        session.add(LoginAttempt(name=name[:LONGEST_NAME], address_hash=place, at=clock.now()))
        return Login(None)
    await session.execute(delete(LoginAttempt).where(LoginAttempt.name == name))
    if _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = await asyncio.to_thread(_hasher.hash, password)
    return Login(user)


async def _minutes_to_wait(session: AsyncSession, name: str, place: str) -> int:
    since = clock.now() - _WINDOW
    for column, value, most in (
        (LoginAttempt.name, name[:LONGEST_NAME], _TRIES_PER_NAME),
        (LoginAttempt.address_hash, place, _TRIES_PER_ADDRESS),
    ):
        tries, first = (
            await session.execute(select(func.count(), func.min(LoginAttempt.at)).where(column == value, LoginAttempt.at > since))
        ).one()
        if tries >= most:
            return max(1, round((first + _WINDOW - clock.now()).total_seconds() / 60))
    return 0


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


async def create(
    session: AsyncSession, name: str, role: str, password: str = "", department: str = "", email: str = ""
) -> tuple[User, str]:
    """A new account and its password: the given one, or one made up that must be changed at the first login.

    Raises AccountError: bad_name, bad_role, bad_email, short_password, long_password, name_taken.
    """
    name = check_name(name)
    if role not in ROLES:
        raise AccountError("bad_role")
    made_up = not password
    password = check_password(password or secrets.token_urlsafe(12))
    user = User(
        name=name,
        role=role,
        department=department.strip(),
        email=check_email(email),
        password_hash=await asyncio.to_thread(_hasher.hash, password),
        must_change_password=made_up,
        created_at=clock.now(),
    )
    try:
        async with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise AccountError("name_taken") from None
    return user, password


async def change_password(user: User, old: str, new: str) -> None:
    """Raises AccountError: wrong_password, same_password, short_password, long_password."""
    if not await asyncio.to_thread(_fits, user.password_hash, old):
        raise AccountError("wrong_password")
    if old == new:
        raise AccountError("same_password")
    user.password_hash = await asyncio.to_thread(_hasher.hash, check_password(new))
    user.must_change_password = False


async def reset_password(user: User) -> str:
    """A password made up, to be told to its owner once and changed by them at the next login."""
    password = secrets.token_urlsafe(12)
    user.password_hash = await asyncio.to_thread(_hasher.hash, password)
    user.must_change_password = True
    return password


async def first_admin(session: AsyncSession) -> str | None:
    """Make the first administrator where there is no account at all; its password, or None when nothing was to do."""
    if await session.scalar(select(func.count()).select_from(User)):
        return None
    try:
        _, password = await create(session, FIRST_ADMIN, "admin")
    except AccountError:  # another process was faster
        return None
    return password


def check_email(email: str) -> str:
    """The address without blanks around it, or nothing. Raises AccountError(bad_email)."""
    email = email.strip()
    if email and not is_mail_address(email):
        raise AccountError("bad_email")
    return email


def check_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountError("bad_name")
    return name


def check_password(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError("short_password")
    if len(password) > LONGEST_PASSWORD:
        raise AccountError("long_password")
    return password

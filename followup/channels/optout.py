"""The page on which one click ends all messages. Its address names the customer under our signature and never runs out."""

from __future__ import annotations

from datetime import datetime

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wording import load_wording
from followup.contacts.consent import withdraw_all
from followup.rights.block import BlockError, Source, block_contact
from followup.settings import Settings

_LONGEST = 200


class UnknownOptOut(LookupError):
    """Nobody ever got this address."""


def opt_out_link(settings: Settings, contact_id: int) -> str:
    return f"{settings.public_url}/u/{_serializer(settings.signing_secret()).dumps(contact_id)}"


def contact_of(secret: str, token: str) -> int:
    """Raises UnknownOptOut."""
    try:
        return int(_serializer(secret).loads(token[:_LONGEST]))
    except (BadData, TypeError, ValueError):
        raise UnknownOptOut from None


async def opt_out(session: AsyncSession, contact_id: int, at: datetime) -> None:
    """The customer is never contacted again (house rule do_not_contact). Said twice, it stands once."""
    try:
        await block_contact(session, contact_id, load_wording().block_reasons["mail"], None, at, Source.CUSTOMER)
    except BlockError as error:
        if error.key != "already":
            raise UnknownOptOut from error
    await withdraw_all(session, contact_id, "email", at)


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="followup.opt_out.v1")

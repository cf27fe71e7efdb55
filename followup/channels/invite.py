"""Makes the invitation of a delivery: the way into the talk that its channel can carry, and the names."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels import Invitation
from followup.channels.codes import create_code
from followup.channels.optout import opt_out_link
from followup.channels.wechat.notifier_address import address_of
from followup.settings import Settings
from followup.store.campaign_models import Delivery
from followup.store.models import Callback, Case, Contact
from followup.talk.links import create_link


class Invite:
    """An `Inviter` (followup.campaigns.send)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._secret = settings.signing_secret()

    async def __call__(
        self, session: AsyncSession, delivery: Delivery, case: Case, contact: Contact, *, valid_for: timedelta
    ) -> Invitation:
        """Each asking makes a new link or code; those before it stand until they run out. Raises DoNotContact."""
        link = code = ""
        if delivery.channel == "sms":
            code = await create_code(session, self._secret, case.id, valid_for=valid_for)
        elif delivery.channel != "link":
            link = self._settings.link(await create_link(session, case.id, valid_for=valid_for))
        if delivery.channel == "wechat":
            to: str | None = await address_of(session, contact, self._settings.wechat)
        else:
            to = {"sms": contact.phone, "email": contact.email}.get(delivery.channel)
        return Invitation(
            delivery_id=delivery.id,
            to=to or "",
            link=link,
            code=code,
            company=str(case.variables.get("company") or self._settings.company),
            customer=f"{contact.name}{contact.title}",
            agent=str(case.variables.get("agent") or ""),
            kind=await _kind(session, delivery),
            opt_out=opt_out_link(self._settings, contact.id) if delivery.channel == "email" else "",
        )


async def _kind(session: AsyncSession, delivery: Delivery) -> str:
    """What is said. Who fell silent has agreed on no time: called back, they are asked to finish what they began."""
    if delivery.callback_id is not None:
        callback = await session.get(Callback, delivery.callback_id)
        if callback is not None and callback.reason == "silence":
            return "unfinished"
    return delivery.kind

"""A link that a colleague hands over in a way of their own (企业微信, a call, a printed note): nothing is sent, it is ready."""

from __future__ import annotations

from followup.channels import Accepted, Invitation


class HandedOver:
    """The console makes the link when a colleague asks to copy it (`talk.links.create_link`): links are nowhere stored."""

    channel = "link"
    provider = "staff"

    async def send(self, invitation: Invitation) -> Accepted:
        return Accepted()

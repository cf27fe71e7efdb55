"""QR codes that open a talk in WeChat: a scene for one case."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat.receive import PURPOSE, SCENE
from followup.talk import links


async def create_scene(session: AsyncSession, case_id: str, *, valid_for: timedelta) -> str:
    """The scene (24 characters; WeChat allows 64) of a code that opens the case. Raises DoNotContact."""
    return SCENE + await links.create_link(session, case_id, valid_for=valid_for, purpose=PURPOSE)

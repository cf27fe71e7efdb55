"""Links that open a talk in 微信客服: the service account's address, with a token for one case appended."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wecom.client import WecomClient
from followup.channels.wecom.receive import PURPOSE, SCENE
from followup.store.database import Database
from followup.store.wecom_models import WecomCursor
from followup.talk import links

OUR_SCENE = "followup"


async def account_link(database: Database, client: WecomClient) -> str:
    """The address of the account's first service account; WeCom is asked once. Raises Failed, NotReached, Unclear."""
    name, kfid = client.account.name, client.account.kfids[0]
    async with database.session() as session:
        row = await session.get(WecomCursor, (name, kfid))
        if row is not None and row.link:
            return row.link
    link = await client.link(kfid, OUR_SCENE)
    async with database.session() as session:
        await session.execute(insert(WecomCursor).values(account=name, open_kfid=kfid).on_conflict_do_nothing())
        await session.execute(update(WecomCursor).where(WecomCursor.account == name, WecomCursor.open_kfid == kfid).values(link=link))
    return link


async def create_link(session: AsyncSession, link: str, case_id: str, *, valid_for: timedelta) -> str:
    """The address that opens the case; `link`: the account's own. Raises DoNotContact."""
    token = await links.create_link(session, case_id, valid_for=valid_for, purpose=PURPOSE)
    return link + ("&" if "?" in link else "?") + urlencode({"scene_param": SCENE + token})

"""Taking back the links of a talk: what somebody holds of them opens nothing more, and what was said stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from followup.channels.codes import create_code, resolve_code
from followup.console.transcripts.filters import talk_link
from followup.store.database import Database
from followup.store.staff_models import AuditEntry
from followup.talk.links import RevokedLink, create_link, resolve
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import Said, write_talk

Enter = Callable[..., Awaitable[Browser]]
SECRET = "s" * 40
MONTH = timedelta(days=30)


async def audited(database: Database) -> list[dict[str, object]]:
    async with database.session() as session:
        return [entry.detail for entry in await session.scalars(select(AuditEntry).where(AuditEntry.action == "links.revoke"))]


async def test_links_and_codes_are_taken_back_once_and_a_new_invitation_opens_the_talk(enter: Enter, database: Database) -> None:
    talk = await write_talk(database, [Said("方便", "consent")])
    async with database.session() as session:
        token = await create_link(session, talk.case_id, valid_for=MONTH)
        code = await create_code(session, SECRET, talk.case_id, valid_for=MONTH)
    agent = await enter("agent")
    assert "有 2 个链接还能打开这场会话" in text_of(await agent.get(talk_link(talk.case_id)))
    for _ in range(2):  # pressed twice: the second time there is nothing left
        assert await agent.post(f"/console/talks/{talk.case_id}/links/revoke") == f"/console/talks/{talk.case_id}#links"
    page = text_of(await agent.get(talk_link(talk.case_id)))
    assert "链接都作废了" in page and "作废全部链接" not in page and "方便" in page
    async with database.session() as session:
        with pytest.raises(RevokedLink):
            await resolve(session, token)
        with pytest.raises(RevokedLink):
            await resolve_code(session, SECRET, code)
        assert await resolve(session, await create_link(session, talk.case_id, valid_for=MONTH)) == talk.case_id
    assert await audited(database) == [{"links": 2}]


async def test_only_who_may_bar_a_customer_takes_links_back(enter: Enter, database: Database) -> None:
    talk = await write_talk(database, [Said("方便", "consent")])
    async with database.session() as session:
        token = await create_link(session, talk.case_id, valid_for=MONTH)
    trainer = await enter("trainer")
    page = text_of(await trainer.get(talk_link(talk.case_id)))
    assert "有 1 个链接" in page and "作废全部链接" not in page
    await trainer.post(f"/console/talks/{talk.case_id}/links/revoke", status=403)
    async with database.session() as session:
        assert await resolve(session, token) == talk.case_id


async def test_a_talk_that_nobody_was_invited_to_has_no_links(enter: Enter, database: Database) -> None:
    talk = await write_talk(database, [Said("方便", "consent")])
    agent = await enter("agent")
    assert "作废" not in text_of(await agent.get(talk_link(talk.case_id)))
    await agent.post(f"/console/talks/{'0' * 32}/links/revoke", status=404)

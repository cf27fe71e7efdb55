"""Links that open a talk."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from followup.store.models import AccessToken
from followup.talk.links import (
    ExpiredLink,
    RevokedLink,
    UnknownLink,
    create_link,
    resolve,
    revoke_links,
)

from .conftest import Line


async def make(line: Line, valid_for: timedelta = timedelta(days=7), **more: str) -> str:
    async with line.database.session() as session:
        return await create_link(session, line.case_id, valid_for=valid_for, **more)


async def open_link(line: Line, token: str) -> str:
    async with line.database.session() as session:
        return await resolve(session, token)


async def test_a_link_opens_its_case(line: Line) -> None:
    assert await open_link(line, await make(line)) == line.case_id


async def test_the_token_itself_is_not_stored(line: Line) -> None:
    token = await make(line)
    async with line.database.session() as session:
        row = (await session.scalars(select(AccessToken))).one()
    assert token not in repr(vars(row)) and len(row.token_hash) == 64


async def test_every_link_is_another_one(line: Line) -> None:
    assert await make(line) != await make(line)


async def test_an_expired_link_is_told_apart(line: Line) -> None:
    with pytest.raises(ExpiredLink):
        await open_link(line, await make(line, timedelta(seconds=-1)))


async def test_a_revoked_link_is_told_apart(line: Line) -> None:
    token = await make(line)
    async with line.database.session() as session:
        assert await revoke_links(session, line.case_id) == 1
    with pytest.raises(RevokedLink):
        await open_link(line, token)


@pytest.mark.parametrize("token", ["", "nonsense", "../../etc/passwd", "😀", "\ud800"])
async def test_a_made_up_link_opens_nothing(line: Line, token: str) -> None:
    await make(line)
    with pytest.raises(UnknownLink):
        await open_link(line, token)


async def test_a_link_for_something_else_opens_no_talk(line: Line) -> None:
    with pytest.raises(UnknownLink):
        await open_link(line, await make(line, purpose="export"))

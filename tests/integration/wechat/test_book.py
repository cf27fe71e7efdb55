"""The accounts of all processes: the environment's, and the console's, which change while the processes run."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from followup.channels.wechat.book import FRESH, Book
from followup.channels.wechat.seal import seal
from followup.store.database import Database
from followup.store.wechat_account_models import WechatAccount
from tests.integration.wechat.conftest import PLAIN, SEALED

SECRET = "t" * 40


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


async def store(database: Database, name: str = "shop", secret: str = SECRET, **columns: object) -> None:
    values = {"kind": "service", "app_id": "wx1", "mode": "aes", "sealed": seal(secret, name, {"secret": "s", "token": "tok", "aes_key": "A" * 43})}
    async with database.session() as session:
        session.add(WechatAccount(name=name, **{**values, **columns}))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(database: Database, clock: Clock) -> Book:
    return Book((PLAIN,), database, SECRET, clock=clock)


async def test_an_account_of_the_console_is_there_within_seconds_without_a_restart(book, database, clock):
    assert await book.accounts() == (PLAIN,)
    await store(database)
    clock.at += FRESH
    found = await book.find("shop")
    assert (found.app_id, found.token, found.secret, found.aes_key, found.mode) == ("wx1", "tok", "s", "A" * 43, "aes")
    async with database.session() as session:
        await session.execute(update(WechatAccount).values(active=False))
    clock.at += FRESH
    assert await book.find("shop") is None


async def test_the_environment_wins_over_the_console(book, database):
    await store(database, PLAIN.name)
    assert await book.accounts() == (PLAIN,)


async def test_an_account_without_certification_sends_nothing_by_itself(book, database):
    await store(database, certified=False)
    assert not (await book.find("shop")).may_send


async def test_one_that_cannot_be_opened_hides_no_other(book, database, caplog):
    await store(database, "broken", secret="another secret that is long enough 0")
    await store(database, "shop")
    assert [one.name for one in await book.accounts()] == ["plain", "shop"]
    assert "broken" in caplog.text


async def test_without_the_database_what_was_known_stands(database, clock):
    broken = Database("postgresql://nobody@127.0.0.1:1/nothing")
    book = Book((SEALED,), database, SECRET, clock=clock)
    await store(database)
    assert len(await book.accounts()) == 2
    book._database = broken
    clock.at += FRESH
    assert len(await book.accounts()) == 2
    await broken.close()


def test_no_secret_is_in_what_a_log_would_show():
    assert "s" * 32 not in repr(SEALED) and "AAAAA" not in repr(SEALED)

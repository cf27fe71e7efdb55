"""SIGKILL at every point of the product's processes that days of a shop pass, once each; a thousand kills: tests/long."""

from __future__ import annotations

import psycopg
import pytest

from followup import clock
from followup.store.database import Database, libpq_url

from .nursery import nursery
from .shop import NOW, OUTSIDE, Days, Shop, wrong


@pytest.mark.timeout(900)
async def test_whoever_dies_at_whichever_point_nothing_is_lost_or_doubled(database_url: str) -> None:
    clock.stand_at(NOW)
    database = Database(database_url, pool_size=2)
    with psycopg.connect(libpq_url(database_url), autocommit=True) as connection:
        connection.execute(OUTSIDE)
    with nursery(database_url) as nursed:
        days, undisturbed = Days(nursed), Shop(database, 1)
        await undisturbed.open()
        await days.play(undisturbed, lambda step: {"fork": False})
        was = await undisturbed.left()
        assert await wrong(undisturbed, was) == []
        # Each process dies at the first point where nobody has died yet; so nobody needs to know them beforehand. One that dies before
        # a message goes out leaves no way to the point after it, so it takes more than one shop.
        for number in range(2, 6):
            if set(days.killed) == set(days.passed):
                break
            disturbed = Shop(database, number)
            await disturbed.open()
            await days.play(disturbed, lambda step: {"spared": list(days.killed)})
            assert await wrong(disturbed, was) == []
    assert set(days.killed) == set(days.passed), "a point was passed, and nobody died there"
    assert set(days.killed.values()) == {1}
    for name in _MUST_BE_AMONG:
        assert name in days.killed
    await database.close()


_MUST_BE_AMONG = (
    "followup.talk.inbox: accept_said before",
    "followup.web.wechat: _take after",
    "followup.web.wechat: _answer_in_the_talk before",
    "followup.channels.reports: receive before",
    "actions.context: write after",
    "Rasa is asked after",
    "followup.store.messages: finish before",
    "followup.talk.takeover: quiet before",
    "followup.campaigns.send: send_batch after",
    "short message after",
    "WeChat message before",
    "procrastinate: a job ends before",
)
"""Should the looking for points break, this notices."""

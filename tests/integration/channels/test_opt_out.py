"""The page behind a mail's 退订."""

from __future__ import annotations

import pytest_asyncio

from followup.channels.optout import opt_out_link
from followup.contacts.consent import standing
from tests.integration.channels.conftest import Sent, make_sent


@pytest_asyncio.fixture
async def sent(database) -> Sent:
    return await make_sent(database, "aliyun")


def path(settings, contact_id: int) -> str:
    return opt_out_link(settings, contact_id).removeprefix(settings.public_url)


async def test_opening_the_page_changes_nothing(visitor, settings, sent) -> None:
    answer = await visitor.get(path(settings, sent.contact_id))
    assert answer.status == 200 and "确认退订" in await answer.text()
    assert await sent.standing_blocks() == []


async def test_one_click_of_the_mail_program_is_enough(visitor, settings, sent) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"}
    for _ in range(2):
        answer = await visitor.post(path(settings, sent.contact_id), data={"List-Unsubscribe": "One-Click"}, headers=foreign)
        assert answer.status == 200 and "退订" in await answer.text()
    (block,) = await sent.standing_blocks()
    assert (block.contact_id, block.source) == (sent.contact_id, "customer")
    async with sent.database.session() as session:
        assert await standing(session, sent.contact_id) == {"sms": False}


async def test_nobody_is_taken_off_by_an_address_that_was_made_up(visitor, settings, sent) -> None:
    real = path(settings, sent.contact_id)
    for forged in ("/u/1", "/u/MQ.x", real[:-2], real.replace(".", "x."), "/u/" + "a" * 5000, path(settings, 999_999)):
        assert (await visitor.post(forged)).status == 404
    assert await sent.standing_blocks() == []

"""A click on a menu entry that says something counts as if the customer had typed it."""

from __future__ import annotations

from tests.integration.wechat.conftest import PLAIN, rows


async def test_a_click_says_what_its_entry_says(wechat, database):
    await wechat.event("CLICK", "say:转人工")
    (heard,) = await rows(database, direction="in")
    assert (heard.text, heard.status, heard.channel) == ("转人工", "received", PLAIN.channel)


async def test_the_same_click_sent_again_says_it_once(wechat, database):
    xml = wechat.xml("event", Event="CLICK", EventKey="say:转人工")
    for _ in range(3):
        await wechat.post(PLAIN, xml)
    assert len(await rows(database, direction="in")) == 1


async def test_keys_of_others_and_opened_pages_say_nothing(wechat, database):
    await wechat.event("CLICK", "V1001_TODAY_MUSIC")
    await wechat.event("CLICK", "say:")
    await wechat.event("VIEW", "say:转人工")
    assert await rows(database, direction="in") == []

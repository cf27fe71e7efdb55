"""Inviting by WeChat: which way is taken, what becomes of it, and when the campaign goes on to the next channel."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select

from followup.channels.wechat.template import Notices
from followup.contacts.parse import OPENID_FIELD
from followup.store.models import Case, Message
from followup.store.wechat_models import WechatUser
from tests.integration.wechat.campaigning import CHANNELS, OPENID, SUBSCRIBE, TEMPLATE, Shop, open_shop


@pytest_asyncio.fixture
async def shop(request: pytest.FixtureRequest, database, tmp_path, monkeypatch) -> AsyncIterator[Shop]:
    """With a template message, or with what the test asks for."""
    async with open_shop(database, tmp_path, monkeypatch, getattr(request, "param", TEMPLATE)) as shop:
        yield shop
        assert shop.fake.rules_broken == []


neither = pytest.mark.parametrize("shop", [Notices()], indirect=True)
subscribing = pytest.mark.parametrize("shop", [SUBSCRIBE], indirect=True)


# —— which way ———————————————————————————————————————————————————————————


async def test_inside_the_window_the_invitation_is_a_message_like_any_other(shop):
    await shop.wrote(timedelta(hours=47))
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    (line,) = shop.phone.seen
    assert line["how"] == "custom" and re.search(r'<a href="http://[^"]+/c/[\w-]{22}">', line["text"])
    assert "招远汇商城的智能助手小汇" in line["text"] and "退订" in line["text"] and "None" not in line["text"]
    assert await shop.states() == [("wechat", "accepted", "")] and shop.texted == 0
    assert len((await shop.user()).sent) == 1, "it counts for the five"


async def test_outside_the_window_it_is_a_template_message_with_the_link(shop):
    await shop.wrote(timedelta(hours=48))
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    (line,) = shop.phone.seen
    assert line["how"] == "template" and "/c/" in line["url"]
    assert line["text"].split("\n") == ["招远汇商城", "2026年3月10日 10:05", "客户0女士，请您说说感受"]
    assert shop.asked == [("send", 0)], "a closed window is not knocked at"
    (_, _, number), *_ = shop.fake.notices.sent
    assert (await shop.only_delivery()).provider_id == f"shop:{number}"


async def test_when_the_five_are_used_up_it_is_a_template_message(shop):
    await shop.wrote()
    async with shop.database.session() as session:
        (await session.scalars(select(WechatUser))).one().sent = [shop.at] * 5
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert [line["how"] for line in shop.phone.seen] == ["template"]


@neither
async def test_with_neither_the_next_channel_is_taken_at_once(shop):
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert await shop.states() == [("wechat", "failed", "window_closed")] and shop.fake.calls == []
    await shop.later(minutes=1)
    assert shop.texted == 1 and (await shop.stages()) == {"sent": 1}


@pytest.mark.parametrize("code", [45015, 45047, 48001])
async def test_a_window_that_wechat_says_is_closed_is_followed_by_the_template(shop, code):
    await shop.wrote()
    shop.fake.codes = [code]
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert shop.asked == [("custom", code), ("send", 0)] and await shop.states() == [("wechat", "accepted", "")]


async def test_who_has_no_openid_or_did_not_agree_is_reached_by_the_next_channel(shop):
    await shop.customers(1, start=1, agreed=CHANNELS)
    await shop.customers(1, start=2, agreed=("sms",))
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert len(shop.phone.seen) == 1 and shop.texted == 2


async def test_the_wizard_counts_whom_wechat_reaches(shop):
    from followup.campaigns.definition import Audience
    from followup.console.campaigns.queries import reach

    await shop.customers(1, start=1, agreed=CHANNELS)
    async with shop.database.session() as session:
        assert (await reach(session, Audience(), is_demo=False)).ways["wechat"] == 1
    await shop.fake.event(OPENID, "unsubscribe")
    async with shop.database.session() as session:
        assert (await reach(session, Audience(), is_demo=False)).ways["wechat"] == 0


async def test_an_openid_of_an_import_is_enough(database, tmp_path, monkeypatch):
    async with open_shop(database, tmp_path, monkeypatch, TEMPLATE, bound=False) as shop:
        (someone,) = await shop.customers(1, agreed=CHANNELS, fields={"签收日期": "2026-03-09", "商品": "红啤梨", OPENID_FIELD: OPENID})
        await shop.campaign(channels=CHANNELS)
        await shop.minute()
        assert await shop.states() == [("wechat", "accepted", "")]
        assert len(shop.phone.seen) == 1 and (await shop.user()).contact_id == someone


# —— what WeChat answers —————————————————————————————————————————————————————


@pytest.mark.parametrize("code", [43004, 50005, 40003])
async def test_who_follows_no_more_is_reached_by_the_next_channel_and_not_asked_again(shop, code):
    shop.fake.codes = [code]
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert await shop.states() == [("wechat", "failed", str(code))] and not (await shop.user()).follows
    await shop.later(minutes=1)
    assert shop.texted == 1 and len(shop.fake.calls) == 1


@pytest.mark.parametrize("code", [-1, 45009, 45011])
async def test_a_busy_wechat_is_asked_later(shop, code):
    shop.fake.codes = [code]
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert await shop.states() == [("wechat", "queued", str(code))]
    await shop.later(minutes=1)
    assert await shop.states() == [("wechat", "accepted", "")] and len(shop.phone.seen) == 1


@pytest.mark.parametrize("code", [-1, 45009, 45011])
async def test_one_that_stays_busy_is_given_up_for_the_next_channel(shop, code):
    shop.fake.codes = [code] * 6
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    for minutes in (1, 2, 5, 15, 30, 1):
        await shop.later(minutes=minutes)
    assert shop.texted == 1 and len(shop.fake.calls) == 6


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_that_was_ended_is_renewed_once(shop, code):
    shop.fake.codes = [code]
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert await shop.states() == [("wechat", "accepted", "")] and [c for _, c in shop.asked] == [code, 0]


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_that_is_refused_twice_is_tried_later(shop, code):
    shop.fake.codes = [code, code]
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert await shop.states() == [("wechat", "queued", str(code))] and len(shop.fake.calls) == 2


@pytest.mark.parametrize("code", [48001, 50002, 40037, 47003, 99999])
async def test_what_is_our_fault_pauses_the_campaign_and_loses_nobody(shop, code):
    shop.fake.codes = [code]
    campaign = await shop.campaign(channels=CHANNELS)
    await shop.minute()
    async with shop.database.session() as session:
        from followup.store.campaign_models import Campaign

        row = await session.get_one(Campaign, campaign)
        assert (row.status, row.why) == ("paused", f"provider:{code}")
    assert (await shop.entry()).state == "waiting" and shop.phone.seen == []


async def test_a_name_that_no_field_takes_is_this_customers_only(database, tmp_path, monkeypatch):
    from followup.channels.wechat.template import Way, parse_notice

    notices = Notices((("first", parse_notice(Way.TEMPLATE, "TPL_1", "name1={customer};thing2={company}")),))
    async with open_shop(database, tmp_path, monkeypatch, notices) as shop:
        await shop.campaign(channels=CHANNELS)  # 客户0女士
        await shop.minute()
        assert await shop.states() == [("wechat", "failed", "field_not_taken")] and shop.fake.calls == []
        await shop.later(minutes=1)
        assert shop.texted == 1


async def test_when_no_answer_came_asking_again_shows_nothing_twice(shop):
    shop.fake.hang_up = ["after"]
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert await shop.states() == [("wechat", "accepted", "")] and len(shop.phone.seen) == 1


async def test_what_nobody_knows_is_never_sent_again_and_its_report_settles_it(shop):
    shop.fake.hang_up = ["after", "before"]
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    await shop.send_queued()
    assert [status for _, status, _ in await shop.states()] == ["unknown"] and len(shop.phone.seen) == 1
    (_, _, number), *_ = shop.fake.notices.sent
    await shop.fake.notices.reports(OPENID, number)
    assert await shop.states() == [("wechat", "delivered", "")] and (await shop.stages()) == {"delivered": 1}


# —— what is reported ———————————————————————————————————————————————————————


async def test_a_report_makes_it_delivered_and_coming_twice_changes_nothing(shop):
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    (_, _, number), *_ = shop.fake.notices.sent
    for _ in range(2):
        await shop.fake.notices.reports(OPENID, number)
    assert await shop.states() == [("wechat", "delivered", "")] and (await shop.stages()) == {"delivered": 1}
    await shop.fake.notices.reports(OPENID, number, "failed:user block")
    assert await shop.states() == [("wechat", "delivered", "")], "arrived stays arrived"


async def test_a_report_that_comes_before_our_own_answer_is_kept_for_it(shop):
    shop.fake.notices.report = "success"
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert await shop.states() == [("wechat", "accepted", "")]
    await shop.tidy()
    assert await shop.states() == [("wechat", "delivered", "")]


@pytest.mark.parametrize(
    ("status", "code", "agreed"), [("failed:user block", "user_block", False), ("failed: system failed", "system_failed", True)]
)
@pytest.mark.parametrize("early", [True, False])
async def test_what_did_not_arrive_goes_to_the_next_channel(shop, status, code, agreed, early):
    shop.fake.notices.report = status if early else ""
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    if early:
        await shop.tidy()
    else:
        (_, _, number), *_ = shop.fake.notices.sent
        await shop.fake.notices.reports(OPENID, number, status)
    assert await shop.states() == [("wechat", "failed", code)]
    assert (await shop.agreed())["wechat"] is agreed
    await shop.later(minutes=1)
    assert shop.texted == 1


async def test_a_report_of_another_systems_message_changes_nothing(shop):
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    await shop.fake.notices.reports(OPENID, "12345", "failed:user block")
    await shop.tidy()
    assert await shop.states() == [("wechat", "accepted", "")] and (await shop.agreed())["wechat"]


# —— subscribe messages —————————————————————————————————————————————————————


@subscribing
async def test_each_agreement_allows_one_subscribe_message(shop):
    await shop.fake.notices.subscribes(OPENID, "SUB_1")
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    (line,) = shop.phone.seen
    assert line["how"] == "subscribe" and line["text"] == "招远汇商城\n待回访" and "/c/" in line["url"]
    await shop.later(days=1)  # the reminder
    assert len(shop.phone.seen) == 1 and (await shop.states())[1] == ("wechat", "failed", "43101")
    assert shop.asked == [("bizsend", 0)], "what cannot be sent is not even asked"


@subscribing
@pytest.mark.parametrize("tells_number", [True, False])
async def test_the_report_of_a_subscribe_message_finds_it(shop, tells_number):
    shop.fake.notices.tells_number = tells_number
    await shop.fake.notices.subscribes(OPENID, "SUB_1")
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    (_, template, number), *_ = shop.fake.notices.sent
    await shop.fake.notices.reports(OPENID, number, template=template)
    assert await shop.states() == [("wechat", "delivered", "")]


@subscribing
async def test_who_never_subscribed_is_reached_by_the_next_channel(shop):
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert await shop.states() == [("wechat", "failed", "43101")]
    await shop.later(minutes=1)
    assert shop.texted == 1


@subscribing
async def test_subscribing_is_a_consent_and_turning_it_off_takes_it_back(shop):
    await shop.execute("DELETE FROM consents WHERE channel = 'wechat'")
    await shop.fake.notices.subscribes(OPENID, "SUB_1", "reject")
    assert "wechat" not in await shop.agreed()
    await shop.fake.notices.subscribes(OPENID, "OTHER")
    assert "wechat" not in await shop.agreed(), "a notice of another system says nothing about us"
    await shop.fake.notices.subscribes(OPENID, "SUB_1")
    assert (await shop.agreed())["wechat"] is True
    await shop.fake.notices.turns_off(OPENID, "SUB_1")
    assert (await shop.agreed())["wechat"] is False
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert shop.texted == 1 and shop.phone.seen == []


# —— following no more ————————————————————————————————————————————————————————


async def test_unfollowing_ends_the_consent_before_the_next_message(shop):
    await shop.campaign(channels=CHANNELS)
    from followup.campaigns.run import run_campaigns

    await run_campaigns(shop.database, shop.at, 1)
    await shop.fake.event(OPENID, "unsubscribe")
    await shop.send_queued()
    ((_, status, _),) = await shop.states()
    assert status == "suppressed" and not (await shop.agreed())["wechat"] and shop.fake.calls == []
    await shop.minute()
    assert shop.texted == 1


async def test_following_again_does_not_bring_the_consent_back(shop):
    await shop.fake.event(OPENID, "unsubscribe")
    shop.move(shop.at + timedelta(seconds=5))
    await shop.fake.event(OPENID, "subscribe")
    assert (await shop.user()).follows and (await shop.agreed())["wechat"] is False
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert [line for line in shop.phone.seen if line["how"] in ("custom", "template")] == [] and shop.texted == 1


# —— what the customer answers ——————————————————————————————————————————————————


async def lines(shop: Shop) -> list[tuple[str, str, str]]:
    async with shop.database.session() as session:
        rows = await session.scalars(select(Message).order_by(Message.id))
        return [(row.direction, row.text, row.status) for row in rows]


@pytest.fixture
async def invited(shop: Shop) -> Shop:
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    shop.fake.wait = 6.0
    return shop


async def test_the_word_that_was_asked_for_opens_the_talk_here(invited):
    await invited.fake.says(OPENID, "开始。")
    assert await lines(invited) == [("system", "/start_followup", "received"), ("in", "开始。", "handled")]
    assert (await invited.user()).case_id == (await invited.entry()).case_id


async def test_what_else_is_said_is_heard_in_it(invited):
    await invited.fake.says(OPENID, "上次送来的有点贵")
    assert await lines(invited) == [("system", "/start_followup", "received"), ("in", "上次送来的有点贵", "received")]


async def test_who_wants_to_be_left_alone_is_and_the_talk_never_begins(invited):
    await invited.fake.says(OPENID, "退订")
    assert await lines(invited) == [] and "以后不再联系您" in invited.phone.seen[-1]["text"]
    await invited.later(days=1)
    assert invited.texted == 0 and (await invited.stages()) == {"do_not_contact": 1}


async def test_a_talk_that_is_going_on_is_not_left_for_an_invitation(shop):
    from tests.integration.web.web_talk import make_talk

    talk = await make_talk(shop.database)
    async with shop.database.session() as session:
        case = await session.get_one(Case, talk.case_id)
        case.status, case.opened_at, case.last_message_at, case.contact_id = "open", shop.at, shop.at, shop.customer
        (await session.scalars(select(WechatUser))).one().case_id = talk.case_id
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    await shop.fake.says(OPENID, "还有一件事")
    async with shop.database.session() as session:
        (heard,) = await session.scalars(select(Message).where(Message.direction == "in"))
    assert heard.case_id == talk.case_id
    await shop.fake.says(OPENID, "开始")
    assert (await shop.user()).case_id == (await shop.only_delivery()).case_id


async def test_an_account_that_is_gone_leaves_the_next_channel(shop):
    shop.sender.accounts = {}
    await shop.campaign(channels=CHANNELS)
    await shop.minute()
    assert await shop.states() == [("wechat", "failed", "no_account")]

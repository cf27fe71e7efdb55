"""The way of a customer through a campaign, minute by minute."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import event, text

from followup.campaigns.definition import Amount, Retry, Rule, Sampling, Stratum, Unit
from followup.campaigns.run import run_campaigns
from followup.channels import Refused, Unclear

from .conftest import World


async def test_whoever_is_due_gets_one_message(world: World) -> None:
    await world.customers(3)
    await world.campaign()
    await world.minute()
    assert sorted(i.to for i in world.providers["sms"].sent) == ["13800000000", "13800000001", "13800000002"]
    assert await world.stages() == {"sent": 3}
    for _ in range(3):
        await world.later(minutes=1)
    assert len(world.providers["sms"].sent) == 3


async def test_nobody_is_contacted_outside_the_hours(world: World) -> None:
    await world.customers(2)
    world.at = world.at.replace(hour=12)
    await world.campaign()
    await world.minute()
    assert (await world.stages(), world.providers["sms"].sent) == ({"waiting": 2}, [])
    world.at = world.at.replace(hour=15, minute=0)
    await world.minute()
    assert await world.stages() == {"sent": 2}


async def test_whoever_agreed_to_nothing_or_is_on_the_list_is_left_alone_with_the_reason(world: World) -> None:
    await world.customers(1, agreed=())
    (blocked,) = await world.customers(1, start=1)
    await world.customers(1, start=2, fields={"商品": "红啤梨"})
    await world.customers(1, start=3, fields={"签收日期": "2026-03-09"})
    await world.execute("INSERT INTO do_not_contact (contact_id) VALUES (:id)", id=blocked)
    await world.campaign()
    await world.minute()
    assert await world.reasons() == {"no_consent": 1, "do_not_contact": 1, "no_date": 1, "missing_data": 1}
    assert await world.stages() == {"suppressed": 4}
    assert world.providers["sms"].sent == []


async def test_an_opt_out_between_queue_and_send_holds(world: World) -> None:
    (customer,) = await world.customers(1)
    await world.campaign()
    from followup.campaigns.run import run_campaigns

    await run_campaigns(world.database, world.at, 1)
    assert await world.stages() == {"queued": 1}
    await world.execute("INSERT INTO do_not_contact (contact_id) VALUES (:id)", id=customer)
    await world.send_queued()
    await world.later(minutes=1)
    assert world.providers["sms"].sent == []
    assert (await world.stages(), await world.reasons()) == ({"suppressed": 1}, {"do_not_contact": 1})


async def test_two_campaigns_share_the_customers_daily_cap(world: World) -> None:
    await world.customers(1)
    await world.campaign(priority=1)
    await world.campaign(priority=9)
    await world.minute()
    assert len(world.providers["sms"].sent) == 1
    await world.later(hours=6)
    assert len(world.providers["sms"].sent) == 1
    await world.later(hours=18)  # the next morning
    assert len(world.providers["sms"].sent) == 2


async def test_whoever_does_not_come_is_reminded_then_asked_on_the_next_channel_then_not_reached(world: World) -> None:
    await world.customers(1, agreed=("sms", "email"), email="a@example.com")
    await world.campaign(channels=("sms", "email"), retry=Retry(1, timedelta(days=1), timedelta(days=3)))
    await world.minute()
    for _ in range(12):
        await world.later(days=1)
    assert [i.kind for i in world.providers["sms"].sent] == ["first", "reminder"]
    assert [i.kind for i in world.providers["email"].sent] == ["first", "reminder"]
    assert (await world.stages(), await world.reasons()) == ({"unreachable": 1}, {"unreachable": 1})


async def test_whoever_opens_the_talk_is_not_reminded(world: World) -> None:
    await world.customers(1)
    await world.campaign()
    await world.minute()
    await world.execute("UPDATE cases SET status = 'open', opened_at = :at", at=world.at)
    await world.later(days=1)
    assert [i.kind for i in world.providers["sms"].sent] == ["first"]
    assert await world.stages() == {"opened": 1}


async def test_a_number_that_does_not_exist_leads_to_the_next_channel(world: World) -> None:
    await world.customers(1, agreed=("sms", "email"), email="a@example.com")
    world.providers["sms"].answers = [Refused("isv.MOBILE_NUMBER_ILLEGAL")]
    await world.campaign(channels=("sms", "email"))
    await world.minute()
    await world.later(minutes=1)
    assert [i.to for i in world.providers["email"].sent] == ["a@example.com"]


async def test_without_another_channel_it_cannot_be_sent(world: World) -> None:
    await world.customers(1)
    world.providers["sms"].answers = [Refused("isv.MOBILE_NUMBER_ILLEGAL")]
    await world.campaign()
    await world.minute()
    await world.later(minutes=1)
    assert (await world.stages(), await world.reasons()) == ({"suppressed": 1}, {"cannot_send": 1})


async def test_what_the_provider_cannot_take_now_is_sent_later(world: World) -> None:
    await world.customers(1)
    world.providers["sms"].answers = [Refused("busy", kind="throttled")]
    await world.campaign()
    await world.minute()
    assert await world.stages() == {"queued": 1}
    await world.later(minutes=1)
    assert await world.stages() == {"sent": 1}


async def test_what_may_have_been_sent_is_never_sent_again(world: World) -> None:
    await world.customers(1)
    world.providers["sms"].answers = [Unclear("no answer")]
    await world.campaign()
    await world.minute()
    for _ in range(10):
        await world.later(days=1)
    assert (await world.stages(), world.providers["sms"].sent) == ({"unknown": 1}, [])


async def test_what_a_killed_worker_was_sending_is_unknown(world: World) -> None:
    await world.customers(2)
    await world.campaign()
    from followup.campaigns.run import run_campaigns

    await run_campaigns(world.database, world.at, 1)
    await world.execute("UPDATE deliveries SET status = 'sending', sending_at = :at WHERE number = 1", at=world.at)
    await world.later(minutes=11)
    assert (await world.stages(), world.providers["sms"].sent) == ({"unknown": 2}, [])


async def test_all_key_customers_and_half_of_the_others_are_drawn_and_the_rest_stands_in_the_ledger(world: World) -> None:
    await world.customers(4, groups=["VIP"])
    await world.customers(10, start=10)
    strata = (Stratum("重点", ("VIP",), 1.0), Stratum("普通", (), 0.5))
    await world.campaign(sampling=Sampling(strata))
    await world.minute()
    assert await world.stages() == {"sent": 9, "not_drawn": 5}
    await world.customers(10, start=30)
    await world.later(minutes=1)
    assert await world.stages() == {"sent": 14, "not_drawn": 10}


async def test_for_each_who_is_lost_another_is_drawn(world: World) -> None:
    await world.customers(3, agreed=())
    await world.customers(7, start=10)
    await world.campaign(sampling=Sampling((Stratum("全部", (), 0.5),), top_up=True))
    for _ in range(6):
        await world.later(minutes=1)
    stages = await world.stages()
    assert stages["sent"] == 5
    assert sum(stages.values()) == 10


async def test_a_paused_campaign_sends_nothing_not_even_what_is_queued(world: World) -> None:
    await world.customers(2)
    await world.campaign()
    from followup.campaigns.run import run_campaigns

    await run_campaigns(world.database, world.at, 1)
    await world.execute("UPDATE campaigns SET status = 'paused'")
    await world.send_queued()
    await world.later(minutes=5)
    assert (world.providers["sms"].sent, await world.stages()) == ([], {"waiting": 2})
    await world.execute("UPDATE campaigns SET status = 'running'")
    await world.later(minutes=1)
    assert await world.stages() == {"sent": 2}


async def test_an_edited_rule_plans_anew_what_was_not_sent(world: World) -> None:
    await world.customers(1)
    world.at -= timedelta(days=1)
    campaign = await world.campaign()
    await world.minute()
    assert await world.stages() == {"waiting": 1}
    from followup.campaigns import parse

    from .conftest import DEFINITION
    from dataclasses import replace
    import json

    made = replace(DEFINITION, rules=(Rule("3天", "签收日期", Amount(3, Unit.DAYS)),))
    await world.execute(
        "UPDATE campaigns SET definition = CAST(:made AS jsonb), version = version + 1 WHERE id = :id",
        made=json.dumps(parse.as_json(made)),
        id=campaign,
    )
    await world.later(days=1)
    assert (await world.stages(), await world.reasons()) == ({"waiting": 1, "cancelled": 1}, {"rule_gone": 1})
    await world.later(days=2)
    assert await world.stages() == {"sent": 1, "cancelled": 1}


async def test_no_more_than_its_limit_goes_out_in_a_minute(world: World) -> None:
    await world.customers(5)
    await world.campaign(per_minute=2)
    counts = []
    for _ in range(4):
        await world.later(seconds=61)
        counts.append(len(world.providers["sms"].sent))
    assert counts == [2, 4, 5, 5]


async def test_a_campaign_whose_last_day_is_over_is_finished_when_everyone_is_accounted_for(world: World) -> None:
    await world.customers(2)
    await world.campaign(ends_on=date(2026, 3, 12), retry=Retry(0, timedelta(days=1), timedelta(days=2)))
    for _ in range(5):
        await world.later(days=1)
    assert await world.stages() == {"unreachable": 2}
    async with world.database.session() as session:
        assert await session.scalar(text("SELECT status FROM campaigns")) == "finished"


async def test_repeated_contacts_get_their_rows_as_they_come_into_sight(world: World) -> None:
    await world.customers(1)
    monthly = Rule("每月", "签收日期", Amount(1, Unit.DAYS), every=1)
    await world.campaign(rules=(monthly,), retry=Retry(0, timedelta(days=1), timedelta(days=2)))
    for _ in range(100):
        await world.later(days=1)
    assert [i.kind for i in world.providers["sms"].sent] == ["first"] * 4




async def test_whose_first_contact_is_far_away_is_drawn_once_all_the_same(world: World) -> None:
    await world.customers(20)
    yearly = Rule("每年", "签收日期", Amount(12, Unit.MONTHS), every=12)
    await world.campaign(rules=(yearly,), sampling=Sampling((Stratum("全部", (), 0.5),)))
    for _ in range(4):
        await world.later(days=1)  # each day everybody is looked at
    async with world.database.session() as session:
        drawn = (await session.execute(text("SELECT kind, strata -> 0 ->> 'drawn' FROM campaign_draws"))).all()
    assert list(map(tuple, drawn)) == [("first", "10")]
    assert await world.stages() == {"waiting": 10, "not_drawn": 10}


async def test_a_minute_in_which_nothing_is_due_costs_the_same_however_many_campaigns_there_are(world: World) -> None:
    await world.customers(3)
    seen: list[str] = []
    event.listen(world.database.engine.sync_engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    costs = []
    for _ in range(2):
        await world.campaign(rules=(Rule("三周", "签收日期", Amount(3, Unit.WEEKS)),))
        await world.later(minutes=20)  # planned
        world.at += timedelta(minutes=20)
        seen.clear()
        await run_campaigns(world.database, world.at, world.daily_cap)
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 4, seen


async def test_an_address_is_no_consent(world: World) -> None:
    await world.customers(1, agreed=(), email="a@example.com")
    await world.campaign(channels=("email", "sms"))
    await world.minute()
    assert (world.providers["email"].sent, await world.reasons()) == ([], {"no_consent": 1})

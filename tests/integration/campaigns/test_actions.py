"""What staff do with campaigns, and what happens when the world changes under one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from followup.campaigns import actions, ledger, parse
from followup.campaigns.actions import CampaignError
from followup.campaigns.definition import Amount, Audience, Retry, Rule, Sampling, Stratum, Unit
from followup.campaigns.dispatch import dispatch
from followup.campaigns.parse import DefinitionErrors
from followup.campaigns.run import run_campaigns
from followup.campaigns.queue import AGAIN
from followup.campaigns.send import send_batch
from followup.channels import Accepted, Invitation, Refused, Unclear
from followup.store.campaign_models import Campaign, CampaignEntry, Delivery
from sqlalchemy import select

from .conftest import DEFINITION, NEXT_DAY, World, invite

CHANNELS = ("sms", "email")


async def do(world: World, act: Callable[..., Any], *args: Any, **given: Any) -> Any:
    async with world.database.session() as session:
        return await act(session, *args, **given)


async def campaign_of(world: World, campaign_id: int) -> Campaign:
    async with world.database.session() as session:
        return await session.get_one(Campaign, campaign_id)


async def ids(world: World) -> list[int]:
    async with world.database.session() as session:
        return list(await session.scalars(select(Delivery.id).order_by(Delivery.id)))


# —— start ————————————————————————————————————————————————————————————


async def test_a_draft_is_made_and_started_once(world: World) -> None:
    await world.customers(1)
    draft = await do(world, actions.create, "签收回访", parse.as_json(DEFINITION), world.at)
    await world.minute()
    assert await world.stages() == {}
    await do(world, actions.start, draft.id, world.at, CHANNELS)
    started = await do(world, actions.start, draft.id, world.at + timedelta(hours=1), CHANNELS)
    assert (started.status, started.started_at) == ("running", world.at)
    await world.minute()
    assert await world.stages() == {"sent": 1}


@pytest.mark.parametrize(
    ("changed", "channels", "key"),
    [
        ({"script_id": "no_such_script"}, CHANNELS, "no_script"),
        ({"channels": ("email", "sms")}, ("sms",), "no_channel"),
        ({"audience": Audience(groups=("谁也不在",))}, CHANNELS, "nobody"),
    ],
)
async def test_what_cannot_run_is_not_started(world: World, changed: dict[str, Any], channels: tuple[str, ...], key: str) -> None:
    await world.customers(1)
    campaign = await world.campaign(status="draft", **changed)
    with pytest.raises(CampaignError) as refused:
        await do(world, actions.start, campaign, world.at, channels)
    assert refused.value.key == key
    assert (await campaign_of(world, campaign)).status == "draft"


async def test_a_draft_with_errors_is_not_made(world: World) -> None:
    with pytest.raises(DefinitionErrors):
        await do(world, actions.create, "错", {**parse.as_json(DEFINITION), "rules": []}, world.at)


# —— pause, resume, cancel, edit, copy ——————————————————————————————————————————


async def test_pausing_stops_what_is_queued_and_resuming_sends_it_once(world: World) -> None:
    await world.customers(2)
    campaign = await world.campaign()
    await run_campaigns(world.database, world.at, 1)
    for _ in range(2):
        assert (await do(world, actions.pause, campaign, "客户名单有误")).why == "客户名单有误"
    await world.send_queued()
    await world.later(minutes=5)
    assert (world.providers["sms"].sent, await world.stages()) == ([], {"waiting": 2})
    for _ in range(2):
        resumed = await do(world, actions.resume, campaign, CHANNELS)
        assert (resumed.status, resumed.why) == ("running", "")
    for _ in range(3):
        await world.later(minutes=1)
    assert len(world.providers["sms"].sent) == 2


async def test_a_cancelled_campaign_ends_for_everybody_and_can_be_told_from_one_that_ran(world: World) -> None:
    await world.customers(10)
    campaign = await world.campaign(sampling=Sampling((Stratum("全部", (), 0.5),)), per_minute=3)
    await world.minute()  # three are sent, two wait, five are not drawn
    await world.later(minutes=2)
    await run_campaigns(world.database, world.at, 1)
    await do(world, actions.cancel, campaign, "活动取消", world.at)
    await do(world, actions.cancel, campaign, "再一次", world.at)
    await world.send_queued()
    for _ in range(10):
        await world.later(days=1)
    stages = await world.stages()
    assert stages == {"sent": 5, "cancelled": 5}
    assert [i.kind for i in world.providers["sms"].sent] == ["first"] * 5  # nobody is reminded
    assert (await campaign_of(world, campaign)).why == "活动取消"


async def test_what_is_queued_when_a_campaign_is_cancelled_is_not_sent(world: World) -> None:
    await world.customers(3)
    campaign = await world.campaign()
    await run_campaigns(world.database, world.at, 1)
    await do(world, actions.cancel, campaign, "活动取消", world.at)
    await world.send_queued()
    await world.later(minutes=1)
    assert (world.providers["sms"].sent, await world.stages()) == ([], {"cancelled": 3})


async def test_cancelling_needs_a_reason_and_a_finished_campaign_stays_as_it_is(world: World) -> None:
    campaign = await world.campaign()
    with pytest.raises(CampaignError, match="请写明原因"):
        await do(world, actions.cancel, campaign, " ", world.at)
    await world.execute("UPDATE campaigns SET status = 'finished'")
    for act, given in ((actions.cancel, ("不要了", world.at)), (actions.edit, (parse.as_json(DEFINITION),))):
        with pytest.raises(CampaignError, match="已经结束"):
            await do(world, act, campaign, *given)


async def test_an_edit_plans_anew_what_is_queued_but_not_sent(world: World) -> None:
    await world.customers(2)
    campaign = await world.campaign()
    await run_campaigns(world.database, world.at, 1)
    assert await world.stages() == {"queued": 2}
    later = parse.as_json(DEFINITION) | {"variables": {**DEFINITION.variables, "agent": "小丽"}}
    later["rules"] = parse.as_json(parse.definition(later | {"rules": [{"id": "1天", "date_field": "签收日期", "after": {"number": 3, "unit": "days"}}]}))["rules"]
    await do(world, actions.edit, campaign, later)
    await world.send_queued()  # the jobs of the older version
    await world.later(minutes=1)
    assert (world.providers["sms"].sent, await world.stages()) == ([], {"waiting": 2})
    await world.later(days=2)
    assert await world.stages() == {"sent": 2}
    async with world.database.session() as session:
        from followup.store.models import Case

        assert {case.variables["agent"] for case in await session.scalars(select(Case))} == {"小丽"}
        assert len(list(await session.scalars(select(Case.id)))) == 2


async def test_an_edit_that_changes_nothing_is_no_new_version_and_two_pages_do_not_overwrite_each_other(world: World) -> None:
    campaign = await world.campaign()
    same = await do(world, actions.edit, campaign, parse.as_json(DEFINITION))
    assert same.version == 1
    changed = parse.as_json(DEFINITION) | {"per_minute": 5}
    assert (await do(world, actions.edit, campaign, changed, seen=1)).version == 2
    with pytest.raises(CampaignError) as refused:
        await do(world, actions.edit, campaign, changed | {"per_minute": 6}, seen=1)
    assert refused.value.key == "changed_meanwhile"
    with pytest.raises(CampaignError) as refused:
        await do(world, actions.edit, campaign, changed | {"script_id": "tea_order"})
    assert refused.value.key == "other_script"


async def test_a_rule_of_a_started_campaign_keeps_its_name(world: World) -> None:
    await world.customers(1)
    campaign = await world.campaign()
    await world.minute()
    renamed = parse.as_json(replace(DEFINITION, rules=(replace(NEXT_DAY, id="次日"),)))
    with pytest.raises(CampaignError, match="“1天”不能改名为“次日”") as refused:
        await do(world, actions.edit, campaign, renamed)
    assert refused.value.key == "renamed_rule"
    await world.later(hours=1)
    assert len(world.providers["sms"].sent) == 1
    more = replace(DEFINITION, rules=(NEXT_DAY, replace(NEXT_DAY, id="3天", after=Amount(3, Unit.DAYS))))
    assert (await do(world, actions.edit, campaign, parse.as_json(more))).version == 2  # one more, or one less, is none renamed
    assert (await do(world, actions.edit, campaign, parse.as_json(DEFINITION))).version == 3


async def test_a_copy_is_a_draft_with_a_draw_of_its_own(world: World) -> None:
    campaign = await world.campaign()
    copy = await do(world, actions.copy, campaign, "再来一次", world.at)
    first = await campaign_of(world, campaign)
    assert (copy.status, copy.name, copy.definition) == ("draft", "再来一次", first.definition)
    assert copy.seed != first.seed


# —— unknown deliveries ———————————————————————————————————————————————————


async def unknown(world: World) -> int:
    await world.customers(1)
    world.providers["sms"].answers = [Unclear("no answer")]
    await world.campaign(retry=Retry(1, timedelta(days=1), timedelta(days=3)))
    await world.minute()
    (found,) = await do(world, ledger.unknown_deliveries)
    assert (found.channel, found.error, found.campaign) == ("sms", "no answer", "测试")
    return found.delivery_id


async def test_an_unknown_delivery_that_arrived_goes_on_as_if_it_had_been_known(world: World) -> None:
    delivery = await unknown(world)
    await do(world, actions.resolve_unknown, delivery, True, world.at)
    with pytest.raises(CampaignError, match="待核实"):
        await do(world, actions.resolve_unknown, delivery, False, world.at)
    assert await world.stages() == {"delivered": 1}
    await world.later(days=1)
    assert [i.kind for i in world.providers["sms"].sent] == ["reminder"]
    await world.later(days=5)
    assert await world.stages() == {"unreachable": 1}


async def test_an_unknown_delivery_that_did_not_arrive_is_made_once_more(world: World) -> None:
    delivery = await unknown(world)
    await do(world, actions.resolve_unknown, delivery, False, world.at)
    await world.later(minutes=1)
    assert [i.kind for i in world.providers["sms"].sent] == ["first"]
    assert await world.stages() == {"sent": 1}


# —— the provider's and the worker's accidents ——————————————————————————————————————


async def test_a_provider_that_refuses_us_pauses_the_campaign_and_tells_staff_once(world: World) -> None:
    await world.customers(3)
    campaign = await world.campaign()
    await run_campaigns(world.database, world.at, 1)
    world.providers["sms"].answers = [Refused("isv.AMOUNT_NOT_ENOUGH", kind="ours")]
    sent = [await send_batch(world.database, world.providers, invite, world.at, limit=1) for _ in range(3)]
    assert [one.paused for one in sent] == [((campaign, "provider:isv.AMOUNT_NOT_ENOUGH"),), (), ()]
    row = await campaign_of(world, campaign)
    assert (row.status, row.why) == ("paused", "provider:isv.AMOUNT_NOT_ENOUGH")
    assert world.providers["sms"].sent == []
    await do(world, actions.resume, campaign, CHANNELS)
    await world.later(minutes=1)
    assert await world.stages() == {"sent": 3}  # nobody is lost, nobody is to blame


async def test_a_worker_killed_between_mark_and_provider_sends_nothing_twice(world: World) -> None:
    await world.customers(1)
    await world.campaign()
    await run_campaigns(world.database, world.at, 1)

    class Killed(BaseException):
        pass

    class Kills:
        channel, provider = "sms", "test"

        async def send(self, invitation: Invitation) -> Accepted:
            raise Killed

    with pytest.raises(Killed):
        await send_batch(world.database, {"sms": Kills()}, invite, world.at)
    await world.send_queued()
    await world.later(minutes=11)
    assert (world.providers["sms"].sent, await world.stages()) == ([], {"unknown": 1})


async def test_a_slow_worker_that_was_given_up_may_still_say_that_it_was_sent(world: World) -> None:
    await world.customers(1)
    await world.campaign()
    await run_campaigns(world.database, world.at, 1)
    (delivery,) = await ids(world)

    class Slow:
        channel, provider = "sms", "test"

        async def send(self, invitation: Invitation) -> Accepted:
            await run_campaigns(world.database, world.at + timedelta(minutes=11), 1)
            assert await world.stages() == {"unknown": 1}
            return Accepted("late")

    assert (await send_batch(world.database, {"sms": Slow()}, invite, world.at)).became == {delivery: "accepted"}
    assert await world.stages() == {"sent": 1}


async def test_an_invitation_that_cannot_be_made_fails_at_the_last_try_and_is_not_tried_for_ever(world: World) -> None:
    await world.customers(1)
    await world.campaign()
    await run_campaigns(world.database, world.at, 1)
    (delivery,) = await ids(world)

    async def broken(*_: Any, **__: Any) -> Invitation:
        raise KeyError("wording")

    for wait in (timedelta(), *AGAIN):
        world.at += wait
        assert await world.stages() == {"queued": 1}
        assert set((await send_batch(world.database, world.providers, broken, world.at)).became) == {delivery}
    await world.later(minutes=1)
    assert await world.reasons() == {"cannot_send": 1}


async def test_a_message_that_waited_over_the_hours_over_midnight_or_the_deadline_is_not_sent_then(world: World) -> None:
    await world.customers(1)
    hourly = Rule("1天", "签收日期", Amount(1, Unit.DAYS), deadline=Amount(2, Unit.DAYS))
    await world.campaign(rules=(hourly,))
    await run_campaigns(world.database, world.at, 1)
    (delivery,) = await ids(world)
    world.providers["sms"].answers = [Refused("busy", kind="throttled")]
    assert (await send_batch(world.database, world.providers, invite, world.at)).became == {delivery: "queued"}
    noon = world.at.replace(hour=12)
    assert (await send_batch(world.database, world.providers, invite, noon)).became == {delivery: "suppressed"}
    world.at = world.at + timedelta(days=5)
    await world.minute()
    assert (world.providers["sms"].sent, await world.reasons()) == ([], {"past_deadline": 1})


# —— the world changes ——————————————————————————————————————————————————————


async def test_a_script_withdrawn_meanwhile_pauses_its_campaign_and_holds_no_other_up(world: World) -> None:
    await world.customers(1)
    gone = await world.campaign(priority=1)
    other = await world.campaign(priority=9)
    await world.execute("UPDATE campaigns SET script_id = 'withdrawn_script' WHERE id = :id", id=gone)
    told: list[tuple[str, dict[str, Any]]] = []

    async def tell(key: str, **details: Any) -> None:
        told.append((key, details))

    for _ in range(2):
        await run_campaigns(world.database, world.at, 1, tell)
        world.at += timedelta(minutes=1)
    row = await campaign_of(world, gone)
    assert (row.status, row.why) == ("paused", "script_gone")
    assert told == [("campaign_paused", {"campaign": "测试", "why": "话术已经撤下"})]
    assert (await campaign_of(world, other)).status == "running"
    assert await world.stages() == {"queued": 1}
    with pytest.raises(CampaignError, match="可能已经撤下"):
        await world.execute(
            "UPDATE campaigns SET definition = jsonb_set(definition, '{script_id}', '\"withdrawn_script\"') WHERE id = :id", id=gone
        )
        await do(world, actions.resume, gone, CHANNELS)


async def test_a_clock_put_back_an_hour_sends_nothing_twice_and_forgets_nobody(world: World) -> None:
    await world.customers(2)
    world.at = world.at.replace(hour=11, minute=0)
    await world.campaign()
    await world.minute()
    world.at -= timedelta(hours=1)
    await world.minute()
    await world.customers(2, start=10)  # they come in the hour that is lived twice
    for _ in range(4):
        await world.later(minutes=20)
    sent = [i.to for i in world.providers["sms"].sent]
    assert len(sent) == len(set(sent)) == 4


async def test_two_dispatchers_at_once_contact_everybody_once_within_the_limit(world: World) -> None:
    await world.customers(30)
    campaign = await world.campaign(per_minute=20)
    await run_campaigns(world.database, world.at.replace(hour=9), 1)

    async def one() -> int:
        async with world.database.session() as session:
            return (await dispatch(session, campaign, world.at, 1)).queued

    assert sum(await asyncio.gather(*(one() for _ in range(4)))) == 20
    assert len(await ids(world)) == 20


async def test_two_processes_in_the_same_minute_enrol_and_send_once(world: World) -> None:
    await world.customers(20)
    await world.campaign(sampling=Sampling((Stratum("全部", (), 0.5),)))
    await world.campaign(priority=1)
    await asyncio.gather(*(run_campaigns(world.database, world.at, 1) for _ in range(3)))
    await asyncio.gather(*(world.send_queued() for _ in range(2)))
    sent = [i.to for i in world.providers["sms"].sent]
    assert len(sent) == len(set(sent)) == 20
    async with world.database.session() as session:
        assert len(list(await session.scalars(select(CampaignEntry.id)))) == 40


async def test_changed_data_are_planned_again_and_late_is_not_who_only_waited(world: World) -> None:
    (one, two) = await world.customers(2)
    skip = Rule("1天", "签收日期", Amount(1, Unit.DAYS), late=parse.Late.SKIP)
    await world.campaign(rules=(skip,), per_minute=1)
    await world.minute()
    await world.execute("UPDATE contacts SET updated_at = :at, title = '先生'", at=world.at + timedelta(seconds=30))
    await world.later(days=1)  # its day is over: held back, not unknown to us until now
    await world.later(minutes=1)
    assert {i.to for i in world.providers["sms"].sent} == {"13800000000", "13800000001"}
    assert one != two


async def test_a_new_date_moves_who_was_not_contacted_yet(world: World) -> None:
    await world.customers(1, fields={"签收日期": "2026-03-20", "商品": "红啤梨"})
    await world.campaign()
    await world.minute()
    assert await world.stages() == {"waiting": 1}
    await world.execute(
        "UPDATE contacts SET updated_at = :at, fields = fields || '{\"签收日期\": \"2026-03-09\"}'", at=world.at + timedelta(seconds=5)
    )
    await world.later(minutes=1)
    assert await world.stages() == {"sent": 1}
    assert NEXT_DAY.date_field == "签收日期"


# —— the ledger ——————————————————————————————————————————————————————————


async def test_the_ledger_counts_pages_and_tells_a_customers_way(world: World) -> None:
    await world.customers(6, agreed=("sms", "email"), email="a@example.com")
    await world.customers(1, start=10, agreed=())
    campaign = await world.campaign(sampling=Sampling((Stratum("全部", (), 0.6),)), channels=("sms", "email"))
    await world.minute()
    await world.later(days=1)
    counts = await do(world, ledger.counts, campaign)
    assert (counts.total, counts.customers) == (7, 7)
    assert sum(counts.by("stage").values()) == sum(counts.by("rule").values()) == sum(counts.by("stratum").values()) == 7
    pages: list[int] = []
    while rows := await do(world, ledger.rows, campaign, after=pages[-1] if pages else 0, limit=3):
        pages += [row.entry_id for row in rows]
    assert len(pages) == len(set(pages)) == 7
    (sent, *_) = await do(world, ledger.rows, campaign, stage="sent")
    steps = [step.text for step in await do(world, ledger.history, sent.entry_id)]
    assert steps[0] == "列入任务，按“1天”应在 2026年3月10日 10:00 联系。"
    assert steps[1].startswith("抽样抽中（首次抽样，“全部”，签号 ")
    assert steps[2:6] == [
        "第 1 次邀请，短信，进入发送队列。", "第 1 次邀请已交给短信发送。", "第 2 次提醒，短信，进入发送队列。", "第 2 次提醒已交给短信发送。",
    ]  # fmt: skip
    (left, *_) = await do(world, ledger.rows, campaign, stage="not_drawn")
    assert "抽样未抽中" in (await do(world, ledger.history, left.entry_id))[1].text
    assert await do(world, ledger.rows, campaign, q="没有这个人") == []
    (draw,) = await do(world, ledger.draws, campaign)
    assert draw.strata[0]["drawn"] == 5


async def test_every_reason_and_stage_has_its_chinese() -> None:
    from pathlib import Path

    from followup.campaigns import decide, definition, gate, plan
    from followup.campaigns import enrol as enrolling
    from followup.campaigns import send as sending
    from followup.campaigns.labels import labels
    from followup.store.campaign_models import LOST_REASONS

    def constants(module: Any) -> set[str]:
        names = vars(module).items()
        return {value for name, value in names if name.isupper() and not name.startswith("_") and isinstance(value, str)}

    codes = constants(decide) | constants(gate) | constants(plan) | constants(enrolling) | constants(sending) | set(LOST_REASONS)
    codes -= {gate.LINK, definition.UNFINISHED}  # a channel, a kind of message
    assert codes - set(labels()["reasons"]) == set()
    assert set(ledger.STAGES) - set(labels()["stages"]) == set()
    assert all(text == text.strip() for group in labels().values() for text in group.values())
    assert Path(ledger.__file__).exists()

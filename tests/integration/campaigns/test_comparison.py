"""Two versions of a script in one campaign, from the first contact to the choice."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from followup.campaigns import actions, comparison
from followup.campaigns.actions import CampaignError
from followup.campaigns.comparison import Candidate
from followup.campaigns.definition import Amount, Rule, Unit
from followup.campaigns.versions import side_of
from followup.console.figures import table
from followup.scripts import load
from followup.scripts.published import Kind, Name, Published, lay_over
from followup.store import published as watcher
from followup.store.models import Case, ScriptRevision
from followup.store.script_models import ScriptComparison

from .conftest import NEXT_DAY, SCRIPT, World

NEW_WORDS = "请问收到的{product}您还满意吗？"
SEED = 7


def candidate(words: str = NEW_WORDS) -> Candidate:
    content = deepcopy(load.content(SCRIPT))
    content["script"]["questions"][0]["ask"] = words
    return Candidate(content)


async def begin(world: World, campaign: int, share: float = 0.5, **given: Any) -> int:
    async with world.database.session() as session:
        return (await comparison.begin(session, campaign, given.get("by", candidate()), share, "哪一种问法好", world.at, None)).id


async def stop(world: World, campaign: int, seen: int, chosen: str, why: str = "答完的多") -> None:
    async with world.database.session() as session:
        await comparison.stop(session, campaign, seen, chosen, why, world.at, None)


async def cases(world: World) -> dict[int, tuple[str | None, int | None, str]]:
    """Customer -> side, comparison, how the first question is asked; of the newest case."""
    async with world.database.session() as session:
        query = select(Case, ScriptRevision).join(ScriptRevision, ScriptRevision.id == Case.revision_id).order_by(Case.created_at, Case.id)
        return {
            case.contact_id: (case.side, case.comparison_id, revision.content["script"]["questions"][0]["ask"])
            for case, revision in await session.execute(query)
        }


async def test_every_customer_talks_by_the_side_that_was_drawn(world: World) -> None:
    people = await world.customers(40)
    campaign = await world.campaign(seed=SEED)
    compared = await begin(world, campaign)
    await world.minute()
    held, first = await cases(world), load.content(SCRIPT)["script"]["questions"][0]["ask"]
    assert set(held) == set(people)
    for contact, (side, of, asked) in held.items():
        assert (side, of) == (side_of(SEED, 1, 0.5, contact), compared)
        assert asked == (NEW_WORDS if side == "second" else first)
    assert {side for side, _, _ in held.values()} == {"first", "second"}


async def test_a_customer_who_is_contacted_twice_keeps_the_side_and_counts_once(world: World) -> None:
    await world.customers(12)
    world.daily_cap = 5
    campaign = await world.campaign(rules=(NEXT_DAY, Rule("3天", "签收日期", Amount(3, Unit.DAYS))))
    compared = await begin(world, campaign)
    await world.minute()
    before = await cases(world)
    await world.later(days=2)
    async with world.database.session() as session:
        await table.refresh(session)
        row = await session.get_one(ScriptComparison, compared)
        first, second = await comparison.results(session, row)
        count = await session.scalar(text("SELECT count(*) FROM cases"))
    assert count == 24 and await cases(world) == before
    assert first.invited + second.invited == 12


async def test_what_is_published_meanwhile_changes_neither_side(world: World) -> None:
    campaign = await world.campaign()
    await world.customers(8)
    await begin(world, campaign)
    await world.minute()
    asked = {words for _, _, words in (await cases(world)).values()}
    old = load.content(SCRIPT)["script"]["questions"][0]["ask"]
    try:
        lay_over({Name(Kind.SCRIPT, SCRIPT): Published(1, load.find(SCRIPT).read_text(encoding="utf-8").replace(old, "一切都好吗？"))})
        await world.customers(8, start=8)
        await world.later(minutes=1)
        held = await cases(world)
    finally:
        watcher.forget()
    assert len(held) == 16
    assert {words for _, _, words in held.values()} == asked


@pytest.mark.parametrize(("chosen", "asks"), [("second", NEW_WORDS), ("first", "")])
async def test_the_chosen_one_is_for_the_rest_and_for_nobody_who_began(world: World, chosen: str, asks: str) -> None:
    await world.customers(10)
    campaign = await world.campaign()
    compared = await begin(world, campaign)
    await world.minute()
    before = await cases(world)
    await stop(world, campaign, compared, chosen)
    await stop(world, campaign, compared, chosen)  # sent twice
    rest = await world.customers(10, start=10)
    await world.later(minutes=1)
    held = await cases(world)
    wanted = asks or load.content(SCRIPT)["script"]["questions"][0]["ask"]
    assert {held[contact] for contact in rest} == {(None, None, wanted)}
    assert {contact: held[contact] for contact in before} == before


async def test_a_message_that_was_held_back_goes_out_by_what_was_chosen_meanwhile(world: World) -> None:
    (customer,) = await world.customers(1)
    campaign = await world.campaign()
    compared = await begin(world, campaign)
    from followup.campaigns.run import run_campaigns

    await run_campaigns(world.database, world.at, 1)
    assert (await cases(world))[customer][1] == compared
    await world.execute("UPDATE campaigns SET status = 'paused'")
    await world.send_queued()
    await stop(world, campaign, compared, "second")
    await world.execute("UPDATE campaigns SET status = 'running'")
    await world.later(minutes=1)
    assert len(world.providers["sms"].sent) == 1
    assert (await cases(world))[customer] == (None, None, NEW_WORDS)


async def test_one_comparison_at_a_time_then_the_next_draws_anew(world: World) -> None:
    campaign = await world.campaign()
    compared = await begin(world, campaign)
    with pytest.raises(CampaignError, match="正在对比"):
        await begin(world, campaign)
    await stop(world, campaign, compared, "first")
    await begin(world, campaign)
    async with world.database.session() as session:
        assert [one.number for one in await comparison.comparisons(session, campaign)] == [2, 1]


async def test_what_cannot_be_compared_is_refused_with_the_reason(world: World) -> None:
    campaign = await world.campaign()
    for wrong, why in ((Candidate(load.content(SCRIPT)), "same_text"), (Candidate({"script": {}, "wording": {}}), "script_broken")):
        with pytest.raises(CampaignError) as raised:
            await begin(world, campaign, by=wrong)
        assert raised.value.key == why
    needs = deepcopy(candidate().content)
    needs["script"]["variables"]["colour"] = {"label": "颜色", "example": "红"}
    with pytest.raises(CampaignError, match="颜色"):
        await begin(world, campaign, by=Candidate(needs))
    for share in (0.0, 1.0, float("nan")):
        with pytest.raises(CampaignError, match="5% 到 95%"):
            await begin(world, campaign, share)
    compared = await begin(world, campaign)
    for seen, chosen, why, key in ((compared + 1, "first", "好", "not_comparing"), (compared, "third", "好", "no_choice"), (compared, "first", " ", "no_reason")):
        with pytest.raises(CampaignError) as raised:
            await stop(world, campaign, seen, chosen, why)
        assert raised.value.key == key


async def test_a_draft_with_another_script_compares_nothing_of_the_old_one(world: World) -> None:
    campaign = await world.campaign(status="draft")
    await world.execute("UPDATE campaigns SET started_at = NULL")
    await begin(world, campaign)
    async with world.database.session() as session:
        row = await session.get_one(actions.Campaign, campaign)
        await actions.edit(session, campaign, {**row.definition, "script_id": "auto_loan_satisfaction"})
        assert list(await comparison.comparisons(session, campaign)) == []


async def test_both_sides_are_counted_as_the_figures_count(world: World) -> None:
    await world.customers(20)
    campaign = await world.campaign(seed=SEED)
    compared = await begin(world, campaign)
    await world.minute()
    by_side: dict[str, list[str]] = {"first": [], "second": []}
    async with world.database.session() as session:
        for case in await session.scalars(select(Case).order_by(Case.contact_id)):
            by_side[case.side or ""].append(case.id)
    question = load.load_script(SCRIPT).questions[0].id
    for number, case_id in enumerate(by_side["second"][:3]):
        await world.execute("UPDATE cases SET status = 'closed', opened_at = :at, outcome = :outcome WHERE id = :id", at=world.at, id=case_id, outcome=("completed", "completed", "refused")[number])
        await world.execute("INSERT INTO messages (case_id, direction, channel, channel_message_id, text, status) VALUES (:id, 'in', 'web', 'm', '好', 'handled')", id=case_id)
        await world.execute("INSERT INTO attempts (case_id, number, channel, reason, started_at, ended_at) VALUES (:id, 1, 'web', 'first', :at, :end)", id=case_id, at=world.at, end=world.at + timedelta(seconds=90))
    for case_id, value in zip(by_side["second"], ('"满意"', '"不满意"'), strict=False):
        await world.execute("INSERT INTO answers (case_id, question_id, value, words, how) VALUES (:id, :question, CAST(:value AS jsonb), '好', 'text')", id=case_id, question=question, value=value)
    async with world.database.session() as session:
        await table.refresh(session)
        first, second = await comparison.results(session, await session.get_one(ScriptComparison, compared))
    assert (first.side, first.invited, first.answered, first.seconds) == ("first", len(by_side["first"]), 0, None)
    assert (second.invited, second.opened, second.answered, second.completed, second.refused) == (len(by_side["second"]), 3, 3, 2, 1)
    assert (second.rated, second.satisfied, second.seconds, second.said) == (2, 1, 90, 1)

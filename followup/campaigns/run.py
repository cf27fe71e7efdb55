"""What the clock does for all campaigns, once a minute."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import text

from followup.campaigns import parse
from followup.campaigns.alerts import Tell
from followup.campaigns.definition import Definition
from followup.campaigns.dispatch import Dispatched, NoScript, dispatch, script_now
from followup.campaigns.enrol import enrol
from followup.campaigns.labels import why_paused
from followup.campaigns.look import Todo, look
from followup.campaigns.parse import DefinitionErrors
from followup.campaigns.results import pause_for, rescue
from followup.campaigns.settle import close_who_came, finish, sweep_cancelled, top_up
from followup.settings import SHANGHAI
from followup.store.database import Database

_log = logging.getLogger(__name__)


async def run_campaigns(database: Database, at: datetime, daily_cap: int, tell: Tell | None = None) -> int:
    """Everything that is due in all running campaigns, the most important first. Returns how many deliveries were queued.

    Several processes may do it at once. Each step is a transaction of its own: a kill in between loses nothing. What is wrong
    with one campaign holds no other up.
    """
    at = at.astimezone(SHANGHAI)
    async with database.session() as session:
        await close_who_came(session, at)
        unknown = await rescue(session, at)
        await sweep_cancelled(session, at)
        campaigns = await look(session, at)
    if unknown and tell is not None:
        await tell("unknown_deliveries", count=unknown)
    queued = 0
    for campaign in campaigns:
        try:
            script_now(campaign.script_id)
            queued += await _run(database, campaign, parse.definition(campaign.definition), at, daily_cap)
        except NoScript as error:
            await _pause(database, campaign.id, campaign.name, error.why, tell)
        except DefinitionErrors:
            await _pause(database, campaign.id, campaign.name, "definition_broken", tell)
        except Exception:
            _log.exception("campaign %s", campaign.id)
    return queued


async def _run(database: Database, campaign: Todo, made: Definition, at: datetime, daily_cap: int) -> int:
    queued, lost = 0, False
    if campaign.changed:
        async with database.session() as session:
            # A plan made for the first customers is a bad one for the next hundred thousand.
            await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
            lost = bool(await enrol(session, campaign.id, at))
    due = campaign.due or campaign.changed
    while due or lost:
        if lost and made.sampling.top_up:
            async with database.session() as session:
                due |= bool(await top_up(session, campaign.id, at))
        lost = False
        if due:
            done = await _dispatch_all(database, campaign.id, at, daily_cap)
            queued, lost, due = queued + done.queued, bool(done.stopped), False
    if made.ends_on is not None and at.date() > made.ends_on:
        async with database.session() as session:
            await finish(session, campaign.id, at)
    return queued


async def _dispatch_all(database: Database, campaign_id: int, at: datetime, daily_cap: int) -> Dispatched:
    """Rounds until nothing more is due."""
    every = Dispatched(more=True)
    while every.more:
        async with database.session() as session:
            done = await dispatch(session, campaign_id, at, daily_cap)
        every.queued, every.more = every.queued + done.queued, done.more
        every.stopped += done.stopped
    if every.stopped:
        _log.info("campaign %s: %s", campaign_id, dict(every.stopped))
    return every


async def _pause(database: Database, campaign_id: int, name: str, why: str, tell: Tell | None) -> None:
    async with database.session() as session:
        changed = await pause_for(session, campaign_id, why)
    if changed:
        _log.warning("campaign %s is paused: %s", campaign_id, why)
        if tell is not None:
            await tell("campaign_paused", campaign=name, why=why_paused(why))

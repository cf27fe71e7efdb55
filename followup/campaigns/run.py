"""What the clock does for all campaigns, once a minute."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import select

from followup.campaigns.dispatch import dispatch
from followup.campaigns.enrol import enrol
from followup.campaigns.send import rescue_deliveries
from followup.campaigns.settle import close_who_came, finish, top_up
from followup.store.campaign_models import Campaign
from followup.store.database import Database

_log = logging.getLogger(__name__)


async def run_campaigns(database: Database, at: datetime, daily_cap: int) -> int:
    """Everything that is due in all running campaigns, the most important first. Returns how many deliveries were queued.

    Several processes may do it at once. Each step is a transaction of its own: a kill in between loses nothing.
    """
    async with database.session() as session:
        await close_who_came(session, at)
        await rescue_deliveries(session, at)
        running = select(Campaign.id).where(Campaign.status == "running").order_by(Campaign.priority, Campaign.id)
        ids = list(await session.scalars(running))
    queued = 0
    for campaign_id in ids:
        async with database.session() as session:
            await enrol(session, campaign_id, at)
        async with database.session() as session:
            await top_up(session, campaign_id, at)
        while True:
            async with database.session() as session:
                done = await dispatch(session, campaign_id, at, daily_cap)
            queued += done.queued
            if done.stopped:
                _log.info("campaign %s: %s", campaign_id, dict(done.stopped))
            if not done.looked_at:
                break
        async with database.session() as session:
            await finish(session, campaign_id, at)
    return queued

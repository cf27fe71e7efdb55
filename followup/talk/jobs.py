"""The background work: turns as they come, and once a minute what time brings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision, RetryStrategy
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import select

from followup import clock
from followup.campaigns.alerts import Tell
from followup.campaigns.labels import why_paused
from followup.campaigns.queue import SEND_QUEUE, SEND_TASK, wake
from followup.campaigns.revisits import run_revisits
from followup.campaigns.run import run_campaigns
from followup.campaigns.send import Inviter, Sent, send_batch
from followup.channels import Notifier
from followup.console.figures import table
from followup.console.tickets.reminders import remind_by_mail, remind_by_webhook
from followup.contacts import importing
from followup.mail import MailServer
from followup.rights.retention import erase_old
from followup.store.campaign_models import Campaign
from followup.store.database import Database, libpq_url
from followup.store.straight import is_silent
from followup.talk import takeover, watch
from followup.talk.inbox import TURN_QUEUE, TURN_TASK
from followup.talk.recovery import Recovery
from followup.training.jobs import TRAIN_QUEUE, TRAIN_TASK, attend, rescue_training
from followup.talk.turn import Patience, Rasa, TurnFailed, drain

_log = logging.getLogger(__name__)

CLOCK_QUEUE = "clock"
_EVERY_MINUTE = "* * * * *"
_FOUR_TIMES_A_MINUTE = "* * * * * */15"
_EVERY_TEN_MINUTES = "*/10 * * * *"
LONGEST_WAIT = 30


class BackOff(BaseRetryStrategy):
    """Again after 1, 2, 4, 8, 16, 30, 30, ... seconds, or when Rasa is back (followup.talk.recovery).

    It is the turn that gives up, visibly, not the job.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        return RetryDecision(retry_in={"seconds": min(2 ** min(job.attempts, 10), LONGEST_WAIT)})


@dataclass(frozen=True)
class Services:
    """What the tasks work with."""

    database: Database
    rasa: Rasa
    apology: str
    recovery: Recovery
    patience: Patience = Patience()
    webhook_url: str = ""
    """Where staff are reminded of tickets; empty: nowhere."""
    public_url: str = ""
    mail: MailServer | None = None
    """What hands reminders of tickets over as mail; None: no mail."""
    keep_days: int = 0
    """After so many days the content of a talk is erased; 0: never."""
    takeover_patience: timedelta = timedelta(minutes=10)
    """How long a customer waits for a colleague's line before the bot goes on."""
    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    """Channel -> what sends on it."""
    invite: Inviter | None = None
    """Makes invitations; None: nothing is sent."""
    daily_cap: int = 1
    """Messages a customer gets in a day, of all campaigns together."""
    per_minute: Mapping[str, int] = field(default_factory=dict)
    """Channel -> the most messages in a minute, of all campaigns and workers together; missing: as fast as it goes."""
    tell: Tell | None = None
    """How staff are told of what needs them at once."""


def make_app(url: str, services: Services) -> App:
    """Procrastinate with all our tasks. Open it (`async with app.open_async()`) before use."""
    app = App(connector=PsycopgConnector(pool_factory=_pool, conninfo=libpq_url(url), min_size=1, max_size=5))

    @app.task(name=TURN_TASK, queue=TURN_QUEUE, retry=BackOff())
    async def run_turn(case_id: str) -> None:
        try:
            await drain(services.database, services.rasa, case_id, apology=services.apology, patience=services.patience)
        except TurnFailed:
            services.recovery.turn_failed()
            raise

    # The queueing locks: a minute that took longer than a minute is not done twice.
    @app.periodic(cron=_EVERY_MINUTE)
    @app.task(name="watch_clock", queue=CLOCK_QUEUE, queueing_lock="watch_clock")
    async def watch_clock(timestamp: int) -> None:
        at = clock.now()
        if count := await takeover.expire(services.database, at, services.takeover_patience):
            _log.info("take-overs whose colleague was away: %s", count)
        async with services.database.session() as session:
            settled = await watch.settle_callbacks(session, at)
        if settled.failed and services.tell is not None:
            await services.tell("callback_failed", count=settled.failed)
        for step in (watch.give_times, watch.resume_due_callbacks, watch.nudge_the_silent, watch.end_the_silent):
            async with services.database.session() as session:
                if count := await step(session, at):
                    _log.info("%s: %s", step.__name__, count)

    @app.periodic(cron=_EVERY_MINUTE)
    @app.task(name="run_campaigns", queue=CLOCK_QUEUE, queueing_lock="run_campaigns")
    async def campaigns_task(timestamp: int) -> None:
        at = clock.now()
        if count := await run_campaigns(services.database, at, services.daily_cap, services.tell):
            _log.info("campaigns: %s messages queued", count)
        async with services.database.session() as session:
            revisits = await run_revisits(session, at, services.daily_cap)
        if revisits.unreached and services.tell is not None:
            await services.tell("revisit_unreached", count=revisits.unreached)

    sending = asyncio.Lock()

    # By itself as well: for what waits for a busy provider, or for the channel's next minute.
    @app.periodic(cron=_FOUR_TIMES_A_MINUTE)
    @app.task(name="look_into_queue", queue=SEND_QUEUE, queueing_lock="look_into_queue")
    async def look_into_queue(timestamp: int) -> None:
        await send_some()

    @app.task(name=SEND_TASK, queue=SEND_QUEUE)
    async def send_some() -> None:
        """One batch; a worker that ends finishes it and begins no other."""
        if services.invite is None or sending.locked():  # one at a time: turns need the worker as well
            return
        async with sending:
            sent = await send_batch(
                services.database,
                services.notifiers,
                services.invite,
                clock.now(),
                daily_cap=services.daily_cap,
                per_minute=services.per_minute,
            )
        if sent.more:
            async with services.database.session() as session:
                await wake(session)
        await tell_of(services, sent)

    # A customer file is read, checked and taken.
    @app.task(name=importing.IMPORT_TASK, queue=importing.IMPORT_QUEUE, retry=RetryStrategy(max_attempts=importing.MOST_TRIES, wait=2))
    async def import_upload(upload_id: int) -> None:
        await importing.run(services.database, upload_id)

    # One at a time: its jobs share a lock. The process that trains gives way to everything else.
    @app.task(name=TRAIN_TASK, queue=TRAIN_QUEUE)
    async def train_model(version_id: int) -> None:
        await attend(services.database, version_id)

    # The pages do the same before they count: this only leaves them little to do.
    @app.periodic(cron=_EVERY_MINUTE)
    @app.task(name="count_talks", queue=CLOCK_QUEUE, queueing_lock="count_talks")
    async def count_talks(timestamp: int) -> None:
        await table.refresh_all(services.database)

    @app.periodic(cron=_EVERY_MINUTE)
    @app.task(name="rescue", queue=CLOCK_QUEUE, queueing_lock="rescue")
    async def rescue_task(timestamp: int) -> None:
        await rescue(app, services.database)

    @app.periodic(cron=_EVERY_MINUTE)
    @app.task(name="remind", queue=CLOCK_QUEUE, queueing_lock="remind")
    async def remind_task(timestamp: int) -> None:
        if services.webhook_url:
            await remind_by_webhook(services.database, services.webhook_url, services.public_url, clock.now())

    @app.periodic(cron=_EVERY_MINUTE)
    @app.task(name="remind_by_mail", queue=CLOCK_QUEUE, queueing_lock="remind_by_mail")
    async def mail_task(timestamp: int) -> None:
        if services.mail:
            await remind_by_mail(services.database, services.mail, services.public_url, clock.now())

    @app.periodic(cron=_EVERY_TEN_MINUTES)
    @app.task(name="erase_old", queue=CLOCK_QUEUE, queueing_lock="erase_old")
    async def erase_old_task(timestamp: int) -> None:
        if count := await erase_old(services.database, clock.now(), services.keep_days):
            _log.info("erased the content of %s old talks", count)

    return app


def _pool(**arguments: Any) -> AsyncConnectionPool:
    """Each of procrastinate's statements stands for itself: without a transaction around it, and without a round trip before it."""
    return AsyncConnectionPool(**{**arguments, "check": _stands, "configure": _without_transactions})


async def _without_transactions(connection: AsyncConnection) -> None:
    await connection.set_autocommit(True)


async def _stands(connection: AsyncConnection) -> None:
    if not is_silent(connection):
        await AsyncConnectionPool.check_connection(connection)


async def tell_of(services: Services, sent: Sent) -> None:
    """What staff must know at once of a batch: who may or may not have a message, which campaign had to be paused."""
    for campaign_id, why in sent.paused:
        _log.warning("campaign %s is paused: %s", campaign_id, why)
    if services.tell is None:
        return
    if sent.unclear:
        await services.tell("unknown_deliveries", count=sent.unclear)
    for campaign_id, why in sent.paused:
        async with services.database.session() as session:
            name = await session.scalar(select(Campaign.name).where(Campaign.id == campaign_id))
        await services.tell("campaign_paused", campaign=name or campaign_id, why=why_paused(why))


async def rescue(app: App, database: Database) -> int:
    """Take up what killed workers left. Also run when a worker starts, so that a kill costs no minute.

    Returns for how many conversations a job was made.
    """
    for job in await app.job_manager.get_stalled_jobs():
        # Their messages get a job below, and the clock's tasks come round again by themselves.
        with suppress(ConnectorException):  # another worker was faster
            await app.job_manager.finish_job(job=job, status=Status.FAILED, delete_job=True)
    async with database.session() as session:
        count = await watch.rescue_messages(session)
        await rescue_training(session)
        await importing.rescue(session)
    if count:
        _log.warning("took up %s conversations that had no job", count)
    return count

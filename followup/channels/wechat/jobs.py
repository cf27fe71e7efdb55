"""The tasks of WeChat: sending what waits, what killed processes left, reports that came early, replies that were not delivered."""

from __future__ import annotations

import logging

from procrastinate import App

from followup import clock
from followup.channels.wechat.notifier_reports import settle
from followup.channels.wechat.notifier_resume import invite_undelivered
from followup.channels.wechat.queue import SEND_QUEUE, SEND_TASK, tidy
from followup.channels.wechat.send import Sender

_log = logging.getLogger(__name__)


def add_tasks(app: App, sender: Sender, queue: str) -> None:
    """`queue`: of the clock's tasks. Without an account nothing is sent."""

    @app.task(name=SEND_TASK, queue=SEND_QUEUE)
    async def send_wechat(case_id: str) -> None:
        await sender.send(case_id)

    @app.periodic(cron="* * * * *")
    @app.task(name="tidy_wechat", queue=queue, queueing_lock="tidy_wechat")
    async def tidy_wechat(timestamp: int) -> None:
        async with sender.database.session() as session:
            stale, lost = await tidy(session, clock.now())
        async with sender.database.session() as session:
            settled = await settle(session, clock.now())
        async with sender.database.session() as session:
            invited = await invite_undelivered(session, await sender.known(), clock.now())
        if settled or invited:
            _log.info("WeChat: %s reports settled, %s customers invited to read a reply", settled, invited)
        if stale or lost:
            _log.warning("WeChat: %s messages nobody knows about, %s talks without a job", stale, lost)



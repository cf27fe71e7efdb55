"""The tasks of WeChat: sending what waits, and what killed processes left."""

from __future__ import annotations

import logging

from procrastinate import App

from followup import clock
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
        if stale or lost:
            _log.warning("WeChat: %s messages nobody knows about, %s talks without a job", stale, lost)



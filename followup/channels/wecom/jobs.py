"""The tasks of 微信客服: reading, sending, and what killed processes or lost callbacks left."""

from __future__ import annotations

import logging

from procrastinate import App, RetryStrategy

from followup import clock
from followup.channels.wecom.queue import SEND_QUEUE, SEND_TASK, tidy
from followup.channels.wecom.read import READ_TASK, Reader, Wecom, look_again
from followup.channels.wecom.send import Sender

_log = logging.getLogger(__name__)


def add_tasks(app: App, wecom: Wecom, sender: Sender, queue: str) -> None:
    """`queue`: of the clock's tasks. Without an account nothing is read or sent."""
    reader = Reader(wecom, sender)

    @app.task(name=READ_TASK, queue=SEND_QUEUE, retry=RetryStrategy(max_attempts=5, wait=2))
    async def read_wecom(account: str, open_kfid: str) -> None:
        await reader.read(account, open_kfid)

    @app.task(name=SEND_TASK, queue=SEND_QUEUE)
    async def send_wecom(case_id: str) -> None:
        await sender.send(case_id)

    @app.periodic(cron="* * * * *")
    @app.task(name="tidy_wecom", queue=queue, queueing_lock="tidy_wecom")
    async def tidy_wecom(timestamp: int) -> None:
        accounts = await sender.known()
        async with sender.database.session() as session:
            stale, lost = await tidy(session, clock.now())
            unread = await look_again(session, accounts)
        if stale or lost:
            _log.warning("WeCom: %s messages nobody knows about, %s talks without a job", stale, lost)
        if unread:
            _log.info("WeCom: %s service accounts are read without a callback", unread)

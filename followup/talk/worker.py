"""The worker process: `python -m followup.talk.worker`. SIGTERM ends it after the turns it is holding."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from followup.campaigns.alerts import Tell, teller
from followup.campaigns.send import Inviter
from followup.channels import Notifier
from followup.channels.wechat.account import Account
from followup.channels.wechat.book import Book
from followup.channels.wechat.jobs import add_tasks
from followup.channels.wechat.notifier import WechatNotifier
from followup.channels.wechat.send import Sender
from followup.channels.wecom import jobs as wecom_jobs
from followup.channels.wecom.book import wecom_book
from followup.channels.wecom.read import Wecom
from followup.channels.wecom.send import Sender as WecomSender
from followup.channels.alerts import apprise_way
from followup.channels.invite import Invite
from followup.channels.notifiers import make_notifiers
from followup.console.tickets.reminders import webhook
from followup.mail import MailServer, server_of
from followup.settings import Settings, load_settings
from followup.store.database import Database
from followup.store.published import watched
from followup.supervise import discreet_logging, lightly
from followup.supervise.address import RasaAddress
from followup.supervise.health import responds
from followup.supervise.postgres import database as running_database
from followup.talk.apology import load_apology
from followup.talk.jobs import CLOCK_QUEUE, Services, make_app, rescue
from followup.talk.rasa_client import RasaClient
from followup.talk.recovery import Recovery

CONCURRENCY = 8
GRACE_SECONDS = 10
"""For turns under way at SIGTERM. One that is cut off is taken up again at the next start."""


async def work(
    url: str,
    rasa_url: str | Callable[[], str],
    action_url: str,
    *,
    concurrency: int = CONCURRENCY,
    webhook_url: str = "",
    public_url: str = "",
    mail: MailServer | None = None,
    takeover_patience: timedelta = timedelta(minutes=10),
    keep_days: int = 0,
    notifiers: Mapping[str, Notifier] | None = None,
    invite: Inviter | None = None,
    daily_cap: int = 1,
    per_minute: Mapping[str, int] | None = None,
    tell: Tell | None = None,
    wechat: tuple[Account, ...] = (),
    secret: str = "",
    wecom: Wecom | None = None,
) -> None:
    """Work until SIGTERM or SIGINT. `webhook_url`, `mail`: how staff are reminded of tickets; `takeover_patience`: how long a
    customer waits for a colleague's line before the bot goes on; `keep_days`: when content is erased, 0: never.
    `notifiers`, `invite`: how campaigns send; `daily_cap`: messages a customer gets in a day; `tell`: how staff are told at once;
    `wechat`: the environment's accounts that talks are held by; with `secret`, FOLLOWUP_SECRET, those of the console as well;
    `wecom`: the accounts 微信客服."""
    # Twice as many at most: each turn holds the conversation's lock on one connection and works on another.
    database = Database(url, pool_size=concurrency)
    try:
        async with RasaClient(rasa_url) as rasa:
            recovery = Recovery(database, {"Rasa": rasa.ready, "the action server": lambda: _answers(action_url)})
            sender = Sender(database, wechat, book=Book(wechat, database, secret) if secret else None)
            services = Services(
                database,
                rasa,
                load_apology(),
                recovery,
                webhook_url=webhook_url,
                public_url=public_url,
                mail=mail,
                takeover_patience=takeover_patience,
                keep_days=keep_days,
                notifiers={**(notifiers or {}), WechatNotifier.channel: WechatNotifier(sender)},
                invite=invite,
                daily_cap=daily_cap,
                per_minute=per_minute or {},
                tell=tell,
            )
            app = make_app(url, services)
            add_tasks(app, sender, CLOCK_QUEUE)
            wecom_fixed = wecom.accounts if wecom is not None else ()
            wecom_sender = WecomSender(database, wecom_fixed, book=wecom_book(wecom_fixed, database, secret) if secret else None)
            if wecom is not None:
                wecom_jobs.add_tasks(app, wecom, wecom_sender, CLOCK_QUEUE)
            async with watched(database), app.open_async():
                await rescue(app, database)
                try:
                    await app.run_worker_async(
                        concurrency=concurrency,
                        listen_notify=True,
                        # Retries become due without a notification.
                        fetch_job_polling_interval=1.0,
                        shutdown_graceful_timeout=GRACE_SECONDS,
                        delete_jobs="successful",
                    )
                finally:
                    await recovery.close()
                    await sender.close()
                    await wecom_sender.close()
    finally:
        await database.close()


def senders(settings: Settings) -> dict[str, Any]:
    """How campaigns send: `notifiers` by channel, `invite`."""
    return {"notifiers": make_notifiers(settings), "invite": Invite(settings)}


def wecom_of(settings: Settings) -> Wecom:
    """The environment's accounts 微信客服, and how an enquiry begins."""
    from followup.web.enquiry import beginner  # the web's parts are needed for nothing else here

    return Wecom(settings.wecom, beginner(settings), settings.signing_secret())


def telling(settings: Settings) -> Tell:
    """How staff are told of what needs them at once: by the webhook of the reminders, and by Apprise's addresses."""
    ways: list[Callable[[str], Awaitable[Any]]] = []
    if settings.webhook_url:
        send = webhook(settings.webhook_url)
        ways.append(lambda said: send({"msgtype": "text", "text": {"content": said}}))
    if settings.alert_urls:
        ways.append(apprise_way(settings.alert_urls))
    return teller(*ways)


async def _answers(action_url: str) -> bool:
    try:
        return await responds(f"{action_url}/health")
    except OSError:
        return False


def main() -> None:
    # A job's error is logged with its traceback, and a database error repeats the row that was refused.
    discreet_logging.configure()
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    settings = load_settings()
    with running_database(settings) as url:
        reminders = {"webhook_url": settings.webhook_url, "public_url": settings.public_url}
        patience = timedelta(minutes=settings.takeover_minutes)
        mail = server_of(settings.smtp_url, settings.mail_from) if settings.smtp_url else None
        others = {"mail": mail, "takeover_patience": patience, "keep_days": settings.keep_days, "per_minute": settings.per_minute}
        sending = {**senders(settings), "daily_cap": settings.daily_cap, "tell": telling(settings), "wechat": settings.wechat, "secret": settings.signing_secret()}
        sending |= {"wecom": wecom_of(settings)}
        rasa = RasaAddress(settings.rasa_file, settings.rasa_url)
        lightly.use_fast_loop()
        lightly.rest_collector()
        asyncio.run(work(url, rasa, settings.action_url, **others, **reminders, **sending))


if __name__ == "__main__":
    main()

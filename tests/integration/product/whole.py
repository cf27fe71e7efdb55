"""The whole product over one database, in this process and deterministic: inbox, jobs, turns, dialogue, colleagues, clock, sending.

A worker takes jobs as procrastinate's does, one after the other, and can die: at the point after which nothing more is written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from procrastinate import App
from procrastinate.jobs import Status
from psycopg import AsyncConnection
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from actions import context
from followup import clock
from followup.channels import Accepted, Invitation, Refused, Unclear
from followup.dialogue.effects import Outcome
from followup.nlu.model import IntentModel
from followup.reconcile.run import Report, checked
from followup.scripts import load
from followup.settings import SHANGHAI
from followup.store import published, records
from followup.store.campaign_models import Consent, Delivery
from followup.store.database import Database
from followup.store.models import Case, DoNotContact, Message, User
from followup.store.script_models import PublishedScript
from followup.talk import takeover
from followup.talk.apology import load_apology
from followup.talk.inbox import Trigger, accept
from followup.talk.jobs import Services, make_app, rescue
from followup.talk.recovery import Recovery, hasten_turns
from followup.talk.turn import Patience
from followup.training import deploy
from tests.fakes.rasa import RasaInProcess
from tests.integration.campaigns.conftest import invite
from tests.integration.console.made_up_models import a_version
from tests.integration.faults.points import marked, note, notice, writes

START = datetime(2026, 3, 10, 10, 5, tzinfo=SHANGHAI)
SCRIPTS = ("auto_loan_satisfaction", "fruit_order", "bank_dormant_mobile_banking")
QUEUES = ("turns", "sends")
_EVERY_MINUTE = ("watch_clock", "run_campaigns", "rescue", "look_into_queue")
_FORGET = "TRUNCATE contacts, users, script_revisions, campaigns, events, procrastinate_jobs, procrastinate_workers RESTART IDENTITY CASCADE"


class Died(BaseException):
    """The worker was killed."""


@dataclass
class Talk:
    """What the test knows of a talk: what must not be forgotten, and what must not change."""

    case_id: str
    contact_id: int
    revision_id: int
    said: list[tuple[str, str]] = field(default_factory=list)
    """(key, words) as they were accepted."""


@dataclass
class Product:
    database: Database
    model: IntentModel
    app: App
    rasa: RasaInProcess
    at: datetime = START
    went_back: bool = False
    """The clock was set back, so that what came after what is not told by times."""
    talks: list[Talk] = field(default_factory=list)
    sent: list[tuple[int, int]] = field(default_factory=list)
    """(contact, delivery) as the provider took them."""
    provider_fails: list[Exception] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    users: list[int] = field(default_factory=list)
    stopped: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Contact who opted out -> how many messages the provider had taken for them, how many lines we had begun ourselves."""
    _countdown: int = 0
    _dead: bool = False

    # —— what customers do ——————————————————————————————————————————————

    async def begin(self, script_id: str, *, same_customer: bool = False) -> Talk:
        async with self.database.session() as session:
            await published.refresh(session)
            script = load.load_script(script_id)
            revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
            if same_customer and self.talks:
                contact = self.talks[-1].contact_id
            else:
                contact = await records.create_contact(session, name="张", title="女士", phone=f"139{len(self.talks):08}")
                session.add(Consent(contact_id=contact, channel="sms", given=True, source="测试"))
            variables = {**script.demo_variables(), "voice": f"{len(self.talks)}"}
            case_id = await records.create_case(session, contact, revision, variables)
        talk = Talk(case_id, contact, revision)
        self.talks.append(talk)
        await self.opens(talk)
        return talk

    async def opens(self, talk: Talk) -> None:
        """The customer clicks on the link; again and again is the same."""
        async with self.database.session() as session:
            await accept(session, talk.case_id, "web", "start", Trigger.START.value, direction="system")

    async def says(self, talk: Talk, words: str) -> None:
        key = f"key-{len(talk.said)}"
        async with self.database.session() as session:
            accepted = await accept(session, talk.case_id, "web", key, words)
        assert not accepted.duplicate
        talk.said.append((key, words))

    async def says_again(self, talk: Talk, number: int, copies: int) -> None:
        """The channel delivers what it had delivered before, `copies` at once."""
        key, words = talk.said[number % len(talk.said)]

        async def deliver() -> None:
            async with self.database.session() as session:
                assert (await accept(session, talk.case_id, "web", key, words)).duplicate

        await asyncio.gather(*(deliver() for _ in range(copies)))

    # —— the worker ————————————————————————————————————————————————————

    async def works(self, *, dies_at: int = 0, newest_first: bool = False) -> None:
        """Until no job is due. `dies_at`: the number of the point, before or after a commit, at which it dies; a new one takes its place."""
        self._countdown, self._dead = dies_at, False
        try:
            await self._jobs(newest_first)
        except Died:
            await self.restarts()
        finally:
            self._countdown = 0

    async def minute(self, *, dies_at: int = 0) -> None:
        """The clock's tasks, and what they bring."""
        self._countdown = dies_at
        try:
            for name in _EVERY_MINUTE:
                await self.app.tasks[name].func(timestamp=0)
            await self._jobs(False)
        except Died:
            await self.restarts()
        finally:
            self._countdown = 0

    async def restarts(self) -> None:
        """Another worker begins; of the one before nothing is left but what was written."""
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if "/followup/" in getattr(getattr(task.get_coro(), "cr_code", None), "co_filename", ""):  # what it had begun beside
                task.cancel()
        await asyncio.sleep(0)
        self._dead, self._countdown = False, 0
        context._scripts.clear()
        self.rasa = RasaInProcess(self.database, self.model)
        self.app = self._new_app()
        async with self.database.session() as session:
            await session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"))
        await rescue(self.app, self.database)
        self.did["died"] += 1

    async def _jobs(self, newest_first: bool) -> None:
        manager = self.app.job_manager
        async with self.database.session() as session:
            await hasten_turns(session)
        if newest_first:
            async with self.database.session() as session:
                await session.execute(text("UPDATE procrastinate_jobs SET priority = id WHERE status = 'todo'"))
        worker, failed = await manager.register_worker(), 0
        while failed < 12 and (job := await manager.fetch_job(list(QUEUES), worker)) is not None:
            try:
                await self.app.tasks[job.task_name].func(**job.task_kwargs)
            except Exception:
                failed += 1
                assert job.task_name == "run_turn", job.task_name
                await self._write(manager.retry_job(job, retry_at=datetime.now(SHANGHAI)))
            else:
                await self._write(manager.finish_job(job, Status.SUCCEEDED, delete_job=True))
        await manager.unregister_worker(worker)

    async def _write(self, writing: Any) -> None:
        try:
            self._point()
        except Died:
            writing.close()
            raise
        await writing
        self._point()

    def _point(self) -> None:
        if self._dead:
            raise Died
        if self._countdown:
            self._countdown -= 1
            self._dead = not self._countdown
            if self._dead:
                raise Died

    def _new_app(self) -> App:
        services = Services(
            self.database, self, load_apology_once(), Recovery(self.database, {}), patience=Patience(tries=5, time=timedelta(0)),
            notifiers={"sms": self}, invite=invite, daily_cap=3, takeover_patience=timedelta(minutes=10),
        )  # fmt: skip
        app = make_app(self.database.url, services)
        app.connector = self.app.connector if self.app is not None else app.connector
        app.job_manager.connector = app.connector
        return app

    async def post(self, sender: str, said: str, metadata: Any) -> None:
        await self.rasa.post(sender, said, metadata)

    # —— the provider ———————————————————————————————————————————————————

    channel, provider = "sms", "test"

    async def send(self, invitation: Invitation) -> Accepted:
        self._point()
        if self.provider_fails:
            raise self.provider_fails.pop(0)
        async with self.database.session() as session:
            delivery = await session.get_one(Delivery, invitation.delivery_id)
        self.sent.append((delivery.contact_id, delivery.id))
        self._point()
        return Accepted(f"test-{invitation.delivery_id}")

    def fails_to_send(self, how: str) -> None:
        errors = {"busy": Refused("busy", kind="throttled"), "lost": Unclear("timeout"), "refused": Refused("isv.MOBILE_NUMBER_ILLEGAL")}
        self.provider_fails.append(errors[how])

    # —— staff ————————————————————————————————————————————————————————

    async def staff(self, talk: Talk, act: str, user: int) -> bool:
        """Whether it was possible."""
        who = self.users[user % len(self.users)]
        try:
            if act == "says":
                async with self.database.session() as session:
                    await takeover.say(session, talk.case_id, who, "您好，我来为您处理。", f"line-{self.did['staff']}")
            else:
                async with takeover.quiet(self.database, talk.case_id, wait=0) as session:
                    if act == "takes over":
                        await takeover.begin(session, talk.case_id, who, "小李")
                    elif act == "hands back":
                        await takeover.hand_back(session, talk.case_id, who)
                    else:
                        await takeover.close(session, talk.case_id, who, Outcome.HANDED_OVER, "已处理")
        except takeover.NotPossible:
            return False
        self.did["staff"] += 1
        return True

    async def publishes(self, number: int) -> None:
        """A script is edited and published: talks that begin from now on use it."""
        script_id = SCRIPTS[number % len(SCRIPTS)]
        path = load.find(script_id)
        edited = path.read_text(encoding="utf-8").replace("请问您现在方便吗", f"请问您现在方便吗（第{self.did['published']}版）", 1)
        async with self.database.session() as session:
            session.add(
                PublishedScript(kind="script", script_id=script_id, text=edited, digest="0" * 64, file_digest="0" * 64, by_user_id=self.users[0])
            )
        async with self.database.session() as session:
            await published.refresh(session)
        self.did["published"] += 1

    async def promotes(self) -> None:
        """A new version is wanted, and the switch brings it: turns go to another Rasa from now on."""
        version = await a_version(self.database)
        async with self.database.session() as session:
            await deploy.promote(session, None, version)
        self.rasa = RasaInProcess(self.database, self.model)
        self.did["promoted"] += 1

    # —— time ————————————————————————————————————————————————————————

    def passes(self, by: timedelta) -> None:
        self.at += by
        self.went_back = self.went_back or by < timedelta(0)
        clock.stand_at(self.at)

    # —— what must hold ————————————————————————————————————————————————

    async def report(self) -> Report:
        async with self.database.engine.connect() as connection:
            return await checked(connection, self.at, timedelta(0))

    async def wrong(self) -> list[str]:
        """Everything that is wrong now, in words."""
        late = {"invited_after_opt_out", "spoken_to_after_opt_out", "put_aside_without_reason"} if self.went_back else set()
        found = [f"{one.key}: {one.rows}" for one in (await self.report()).findings if one.key not in late]
        async with self.database.session() as session:
            for talk in self.talks:
                found += await self._wrong_in(session, talk)
            found += await self._after_opt_out(session)
        found += [f"delivery {number} went out {times} times" for number, times in Counter(n for _, n in self.sent).items() if times > 1]
        return found

    async def _wrong_in(self, session: AsyncSession, talk: Talk) -> list[str]:
        case = await session.get_one(Case, talk.case_id)
        rows = await session.execute(
            select(Message.channel_message_id, Message.text).where(Message.case_id == talk.case_id, Message.direction == "in").order_by(Message.id)
        )
        found = []
        if (heard := [tuple(row) for row in rows]) != talk.said:
            found.append(f"heard {heard} instead of {talk.said}")
        if case.revision_id != talk.revision_id:
            found.append("the talk changed its script")
        return found

    async def _after_opt_out(self, session: AsyncSession) -> list[str]:
        """By the order in which it happened, whatever the clock says."""
        found = []
        blocked = set(await session.scalars(select(DoNotContact.contact_id).where(DoNotContact.lifted_at.is_(None))))
        for contact in blocked:
            ours = await session.scalar(_BEGUN, {"contact": contact})
            now = (sum(1 for who, _ in self.sent if who == contact), int(ours or 0))
            if (was := self.stopped.setdefault(contact or 0, now)) != now:
                found.append(f"customer {contact} opted out, and {was} became {now}")
        return found

    async def settles(self) -> None:
        """No more faults; whatever waits is worked off."""
        self.rasa.faults.clear()
        self.provider_fails.clear()
        for _ in range(3):
            await self.minute()
        async with self.database.session() as session:
            waiting = await session.scalar(select(func.count()).where(Message.status == "received"))
        assert waiting == 0, "something waits for ever"


_apology: list[str] = []


def load_apology_once() -> str:
    if not _apology:
        _apology.append(load_apology())
    return _apology[0]


_BEGUN = text(
    """
    SELECT count(*) FROM messages AS line JOIN messages AS began ON began.id = line.in_reply_to JOIN cases ON cases.id = line.case_id
    WHERE cases.contact_id = :contact AND line.direction = 'out' AND began.direction = 'system' AND began.channel = 'system'
      AND began.channel_message_id NOT LIKE 'colleague-%'
    """
)


async def new_product(database: Database, model: IntentModel, app: App | None = None) -> Product:
    """An empty database, two colleagues. The clock is the caller's: where it stands is known to a task's own context only."""
    async with database.session() as session:
        await session.execute(text(_FORGET))
        users = [User(name=f"小李{number}", password_hash="x", role="agent") for number in range(2)]
        session.add_all(users)
        await session.flush()
        ids = [user.id for user in users]
        await published.refresh(session)
    product = Product(database, model, app, RasaInProcess(database, model), users=ids)  # type: ignore[arg-type]
    if app is None:
        product.app = product._new_app()
        await product.app.open_async()
    else:
        product.app = product._new_app()
    context._scripts.clear()
    return product


@asynccontextmanager
async def mortal(database: Database, products: list[Product]) -> AsyncIterator[None]:
    """Each transaction of this database that writes is two points at which the product may die."""
    plain = Database.session

    @asynccontextmanager
    async def session(opened_by: Database) -> AsyncIterator[AsyncSession]:
        product = products[-1] if products and opened_by is database else None
        if product is not None and product._dead:
            raise Died
        async with marked(plain(opened_by), lambda _: None if product is None else product._point()) as opened:
            yield opened

    execute = AsyncConnection.execute

    async def straight(connection: AsyncConnection, query: Any, *given: Any, **more: Any) -> Any:
        product = products[-1] if products and connection.autocommit else None
        if product is None or not writes(query):
            note(query)
            return await execute(connection, query, *given, **more)
        if product._dead:
            raise Died
        product._point()
        done = await execute(connection, query, *given, **more)
        product._point()
        return done

    Database.session = session  # type: ignore[method-assign]
    AsyncConnection.execute = straight  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", notice)
    try:
        yield
    finally:
        Database.session = plain  # type: ignore[method-assign]
        AsyncConnection.execute = execute  # type: ignore[method-assign]
        event.remove(Engine, "before_cursor_execute", notice)


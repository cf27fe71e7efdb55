"""Brings the wanted model into service: a second Rasa beside the live one, probed, then the address changed in one step.

Before the address changes nothing has happened for anybody; after it everything has. Whatever is killed in between, the
next start finds in `run/rasa.json` what was switched to last, and tries the wanted one again (docs/decisions/0014).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from followup.store.database import Database
from followup.store.training_models import ModelServer
from followup.supervise import address
from followup.supervise.address import Live
from followup.supervise.health import free_port
from followup.supervise.keeper import Keeper, StartError
from followup.supervise.model import remove_old
from followup.supervise.programs import EXIT_PROBE_FAILED, EXIT_UNFIT, settled
from followup.training import versions
from followup.training.labels import Refused, sentence
from followup.training.versions import Wanted

_log = logging.getLogger(__name__)
LOOK_EVERY = 0.5
"""Seconds between two looks at what is wanted: one indexed row."""
_SIGN_OF_LIFE_EVERY = 30.0
_KEEP_FILES = 4

StartRasa = Callable[[Path, int, int], Keeper]
"""(model file, port, version) -> Rasa, being started under care."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a wanted version is not live here, in Chinese. `state` as in model_servers."""

    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Spare:
    """The Rasa that was live before, still up: going back to it takes no start. `leaving` drains it when its time is over."""

    keeper: Keeper
    live: Live
    leaving: asyncio.Task[None]


class Switch:
    """`run()` it as a task; `serving` is the keeper of the live Rasa, which the caller stops at the end.

    `code` is the hash of this product's own code; `folder` where fetched models lie; `changed` is called after a switch;
    `keep_seconds`: how long the one before stays up.
    """

    def __init__(
        self,
        database: Database,
        home: Path,
        code: str,
        live: Live,
        serving: Keeper,
        start: StartRasa,
        *,
        report: Callable[[str], None] = lambda line: None,
        changed: Callable[[], None] = lambda: None,
        ready_seconds: float = 180.0,
        keep_seconds: float = 0.0,
        at_step: Callable[[str], None] = lambda step: None,
    ) -> None:
        self.live = live
        self.serving = serving
        self._database = database
        self._home = home
        self._code = code
        self._start = start
        self._report = report
        self._changed = changed
        self._ready_seconds = ready_seconds
        self._keep_seconds = keep_seconds
        self._spare: Spare | None = None
        self._at_step = at_step
        self._dealt_with = live.deployment
        self._starting: Keeper | None = None
        self._draining: set[asyncio.Task[None]] = set()
        self._old: set[Keeper] = set()
        self._signed = 0.0

    @property
    def folder(self) -> Path:
        return self._home / "models"

    async def run(self) -> None:
        """Until cancelled. A database that is away is asked again."""
        remembered = False
        while True:
            try:
                if not remembered:
                    await self._remember_failure()
                    remembered = True
                if await self._sign_of_life():
                    await self._tell("live")
                wanted = await self._wanted()
                if wanted is not None and wanted.deployment != self._dealt_with:
                    await self._bring(wanted)
            except (SQLAlchemyError, OSError) as error:
                _log.warning("cannot look for the wanted model: %s", type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)

    async def stop(self) -> None:
        """End every Rasa: the live one, one that was being started, the one before, and those that have turns left."""
        if self._spare is not None:
            self._spare.leaving.cancel()
        keepers = [self.serving, *self._old, *([self._starting] if self._starting else [])]
        await asyncio.gather(*(keeper.stop() for keeper in keepers))
        await asyncio.gather(*self._draining, return_exceptions=True)

    async def _remember_failure(self) -> None:
        """What did not come up here is not tried again by a start: only when somebody asks for it once more."""
        async with self._database.session() as session:
            server = await session.get(ModelServer, machine_id(self._home))
            wanted = await versions.wanted(session)
            if server is None or wanted is None or (server.state, server.deployment_id) != ("failed", wanted.deployment):
                return
            error = server.error
        if wanted.version == self.live.version:
            return  # it runs by now
        self._dealt_with = wanted.deployment
        self._report(error)
        await self._tell("failed", error)

    async def _bring(self, wanted: Wanted) -> None:
        if wanted.version == self.live.version:
            await self._done(wanted, 0.0)
            return
        failure = await self._serve(wanted)
        if failure is not None:
            self._report(failure.reason)
            self._dealt_with = wanted.deployment
            await self._tell(failure.state, failure.reason)

    async def _serve(self, wanted: Wanted) -> Failure | None:
        """Fetch, start, probe, switch, drain. None: it is live, or something newer is wanted by now."""
        began = time.monotonic()
        if wanted.code_hash != self._code:
            return Failure("outdated", sentence("outdated", "switch", version=wanted.version))
        self._at_step("wanted")
        if (spare := self._take_spare(wanted)) is not None:
            return await self._go_over(spare.keeper, replace(spare.live, version=wanted.version), wanted, began)
        try:
            async with self._database.session() as session:
                model = await versions.fetch(session, wanted.version, self.folder)
        except Refused as error:
            return Failure("failed", sentence("fetch_failed", "switch", version=wanted.version, reason=error))
        except versions.NotKept as error:
            return Failure("failed", sentence("not_written", "switch", version=wanted.version, reason=error))
        self._at_step("fetched")
        self._report(sentence("begins", "switch", version=wanted.version))
        await self._tell("starting")
        port = free_port()
        keeper = self._starting = self._start(model, port, wanted.version)
        try:
            if not await self._comes_up(keeper, wanted):
                await keeper.stop()
                return None
        except StartError as error:
            await keeper.stop()
            return Failure("failed", _why_not(wanted.version, keeper.last_code, error))
        except BaseException:
            await keeper.stop()
            raise
        finally:
            self._starting = None
        self._at_step("probed")
        live = Live(f"http://127.0.0.1:{port}", str(model), wanted.version, code=self._code)
        return await self._go_over(keeper, live, wanted, began)

    async def _go_over(self, keeper: Keeper, live: Live, wanted: Wanted, began: float) -> Failure | None:
        """The one step: what stands in the file is asked from now on. A failure when it cannot be written; then nothing has changed."""
        before, was, live = self.serving, self.live, replace(live, deployment=wanted.deployment)
        try:
            address.write(self._home, live)
        except OSError as error:
            await keeper.stop()
            return Failure("failed", sentence("not_written", "switch", version=wanted.version, reason=error))
        keeper.program = settled(keeper.program)
        self.serving, self.live = keeper, live
        self._at_step("switched")
        self._set_aside(before, was)
        self._at_step("draining")
        await self._done(wanted, time.monotonic() - began)
        return None

    def _take_spare(self, wanted: Wanted) -> Spare | None:
        """The one before, when it is what is wanted and answers. Otherwise it leaves: three at once would be too many."""
        spare, self._spare = self._spare, None
        if spare is None:
            return None
        spare.leaving.cancel()
        if _is(spare.live, wanted) and spare.keeper.ready.is_set():
            self._old.discard(spare.keeper)
            return spare
        self._drain(spare.keeper, 0.0)
        return None

    def _set_aside(self, keeper: Keeper, was: Live) -> None:
        leaving = self._drain(keeper, self._keep_seconds)
        if self._keep_seconds:
            self._spare = Spare(keeper, was, leaving)

    async def _comes_up(self, keeper: Keeper, wanted: Wanted) -> bool:
        """False when something else is wanted before it is ready. Raises StartError."""
        ready = asyncio.create_task(keeper.wait_ready(self._ready_seconds))
        try:
            while not ready.done():
                await asyncio.wait({ready}, timeout=LOOK_EVERY)
                with suppress(SQLAlchemyError, OSError):  # what is away now is not needed until it is ready
                    newest = await self._wanted()
                    if newest is not None and newest.deployment != wanted.deployment:
                        return False
            await ready
            return True
        finally:
            ready.cancel()

    async def _done(self, wanted: Wanted, seconds: float) -> None:
        if self.live.deployment != wanted.deployment:
            live = replace(self.live, deployment=wanted.deployment)
            address.write(self._home, live)  # when it cannot be written, this is tried again
            self.live = live
        elif seconds:
            self._report(sentence("done", "switch", version=wanted.version, seconds=seconds))
        self._dealt_with = wanted.deployment
        self._changed()
        await self._tell("live", seconds=seconds)

    def _drain(self, old: Keeper, after: float) -> asyncio.Task[None]:
        async def drain() -> None:
            await asyncio.sleep(after)
            if self._spare is not None and self._spare.keeper is old:
                self._spare = None
            await old.drain()
            self._old.discard(old)
            remove_old(self.folder, keep=[Path(self.live.model)], count=_KEEP_FILES)

        self._old.add(old)
        task = asyncio.create_task(drain(), name="drain the old Rasa")
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)
        return task

    async def _wanted(self) -> Wanted | None:
        async with self._database.session() as session:
            return await versions.wanted(session)

    async def _sign_of_life(self) -> bool:
        due = time.monotonic() - self._signed > _SIGN_OF_LIFE_EVERY
        if due and self._signed:
            async with self._database.session() as session:
                server = await session.get(ModelServer, machine_id(self._home))
                if server is not None:
                    server.seen_at = func.now()  # type: ignore[assignment]
            self._signed = time.monotonic()
            return False
        return due

    async def _tell(self, state: str, error: str = "", seconds: float | None = None) -> None:
        """What runs here now, for the console."""
        values = {
            "name": socket.gethostname(),
            "version_id": self.live.version,
            "model": Path(self.live.model).name,
            "deployment_id": self._dealt_with,
            "state": state,
            "error": error,
            "changed_at": func.now(),
            "seen_at": func.now(),
            **({"seconds": seconds} if seconds else {}),
        }
        row = insert(ModelServer).values(id=machine_id(self._home), **values)
        async with self._database.session() as session:
            await session.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))
        self._signed = time.monotonic()


def _is(live: Live, wanted: Wanted) -> bool:
    """Whether it serves the wanted model."""
    if live.version is not None:
        return live.version == wanted.version
    with suppress(OSError):  # the model of the files may have got a version since
        return versions.digest_of(Path(live.model).read_bytes()) == wanted.digest
    return False


def machine_id(home: Path) -> str:
    """Names this data directory among all installations that share a database; made once."""
    path = home / "run" / "machine"
    with suppress(OSError):
        if known := path.read_text("ascii").strip():
            return known
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(uuid.uuid4().hex, "ascii")
    return path.read_text("ascii").strip()


def _why_not(version: int, code: int | None, error: StartError) -> str:
    if code == EXIT_PROBE_FAILED:
        return sentence("probe_failed", "switch", version=version)
    if code == EXIT_UNFIT:
        return sentence("unfit", "switch", version=version)
    return sentence("not_started", "switch", version=version, reason=str(error).splitlines()[0])

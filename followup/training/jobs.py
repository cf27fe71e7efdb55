"""Training as background work. For the console and the command line:

    version = await queue_training(session, staff)       # a row, and a job of the queue `train`; Refused when one is under way
    await cancel(session, staff, version)
    progress = await progress(session)                   # of the training under way, else of the last one; None: there was none

`staff` None: the command line. Refused carries a Chinese sentence for whoever asked.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.audit import audit
from followup.console.permissions import Permission, Staff
from followup.settings import load_settings
from followup.store.database import Database
from followup.store.training_models import ModelVersion
from followup.supervise.leashed import leashed
from followup.training.labels import Refused, label, sentence

_log = logging.getLogger(__name__)
TRAIN_QUEUE = "train"
TRAIN_TASK = "train_model"
MOST_TRIES = 2
LOCK = "train_model"
"""Name of the advisory lock that a process holds while it trains."""
BUSY = 5
"""Its exit code when another one does."""
_LOOK_EVERY = 1.0
UNDER_WAY = ("queued", "running")
# One core: the other one is the bot's.
_ENV = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")}

_DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:queue, :task, 0, 'train', NULL, jsonb_build_object('version_id', CAST(:version AS bigint)), NULL)
        ::procrastinate_job_to_defer_v1
    ])
    """
)
_LOST = text(
    """
    SELECT id, tries, cancel_asked_at IS NOT NULL AS cancelled FROM model_versions v
    WHERE state IN ('queued', 'running') AND NOT EXISTS (
        SELECT FROM procrastinate_jobs j
        WHERE j.task_name = :task AND j.status IN ('todo', 'doing') AND CAST(j.args ->> 'version_id' AS bigint) = v.id
    ) AND pg_try_advisory_xact_lock(hashtextextended(:lock, 0))
    """
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is. `percent` of the whole, from the share that each phase takes; `error` in Chinese."""

    version: int
    state: str
    state_label: str
    phase: str
    phase_label: str
    done: int
    total: int
    percent: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    cancelling: bool

    @property
    def under_way(self) -> bool:
        return self.state in UNDER_WAY


# phase -> (percent at its begin, at its end), as measured (docs/training.md)
_SHARES = {"workspace": (0, 1), "reading": (1, 10), "training": (10, 70), "comparing": (70, 85), "replaying": (85, 100), "done": (100, 100)}


async def queue_training(session: AsyncSession, staff: Staff | None) -> int:
    """Train a candidate on the files and the open changes. Returns the version. Raises Refused."""
    if staff is not None and not staff.may(Permission.TRAIN_MODELS):
        raise Refused("may_not_train")
    version = await new_version(session, staff)
    await _defer(session, version)
    await audit(session, staff, "model.train", "model", version)
    return version


async def new_version(session: AsyncSession, staff: Staff | None) -> int:
    """The row alone, for who trains at once. Raises Refused when a training is under way."""
    row = ModelVersion(by_user_id=staff.id if staff else None)
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise Refused("busy") from None
    return row.id


async def cancel(session: AsyncSession, staff: Staff | None, version: int) -> None:
    """Stop a training; what runs ends within seconds. Raises Refused."""
    if staff is not None and not staff.may(Permission.TRAIN_MODELS):
        raise Refused("may_not_train")
    found = await session.get(ModelVersion, version, with_for_update=True)
    if found is None:
        raise Refused("unknown_version", version=version)
    if found.state not in UNDER_WAY:
        raise Refused("not_under_way", version=version)
    found.cancel_asked_at, found.cancelled_by = func.now(), staff.id if staff else None  # type: ignore[assignment]
    if found.state == "queued":
        found.state, found.finished_at = "cancelled", func.now()  # type: ignore[assignment]
    await audit(session, staff, "model.cancel", "model", version)


async def progress(session: AsyncSession) -> Progress | None:
    """Of the training under way, else of the newest one that ended."""
    trained = ModelVersion.trained_on["source"].astext.is_distinct_from("files")
    first = ModelVersion.state.in_(UNDER_WAY)
    row = await session.scalar(select(ModelVersion).where(trained).order_by(first.desc(), ModelVersion.id.desc()).limit(1))
    return _progress(row) if row is not None else None


def _progress(row: ModelVersion) -> Progress:
    begin, end = _SHARES.get(row.phase, (0, 0))
    percent = begin + (end - begin) * min(row.done / row.total, 1.0) if row.total else begin
    phase = row.phase or "queued"
    return Progress(
        row.id, row.state, label(row.state, "states"), phase, label(phase, "phases"), row.done, row.total, int(percent),
        row.created_at, row.started_at, row.finished_at, row.error, row.cancel_asked_at is not None,
    )  # fmt: skip


async def attend(database: Database, version: int, env: Mapping[str, str] | None = None) -> None:
    """Train in a process of its own and see it through: cancelled when that is asked for, told when it crashes.

    Cancelling this ends the process. Raises RuntimeError when another training runs: try again later.
    """
    log = load_settings({**os.environ, **(env or {})}).home / "log" / "training.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = leashed([sys.executable, "-m", "followup.training.run", str(version)])
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "DATABASE_URL": database.url, **_ENV, **(env or {})},
            start_new_session=True,
        )
    try:
        while process.returncode is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _LOOK_EVERY)
            if process.returncode is None and await _called_off(database, version):
                _kill(process.pid)
                await process.wait()
    finally:
        if process.returncode is None:
            _kill(process.pid)
            await process.wait()
    if process.returncode == BUSY:
        raise RuntimeError("another training runs")
    await _settle(database, version, process.returncode or 0, log)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # what it started is on its leash


async def _called_off(database: Database, version: int) -> bool:
    async with database.session() as session:
        return bool(await session.scalar(select(ModelVersion.cancel_asked_at).where(ModelVersion.id == version)))


async def _settle(database: Database, version: int, code: int, log: Path) -> None:
    """Say how it ended where the process itself could not."""
    if code < 0:
        error = sentence("killed", "failures", signal=signal.Signals(-code).name)
    else:
        error = sentence("crashed", "failures", code=code, log=log)
    async with database.session() as session:
        row = await session.get(ModelVersion, version, with_for_update=True)
        if row is None or row.state not in UNDER_WAY:
            return
        if row.cancel_asked_at is not None:
            row.state = "cancelled"
        else:
            row.state, row.error = "failed", error
            _log.error("training of version %s ended with %s", version, code)
        row.finished_at = func.now()  # type: ignore[assignment]


async def rescue_training(session: AsyncSession) -> int:
    """Trainings whose worker died: tried once more, then failed with the reason. Returns how many were found."""
    found = (await session.execute(_LOST, {"task": TRAIN_TASK, "lock": LOCK})).all()
    for version, tries, cancelled in found:
        lost = update(ModelVersion).where(ModelVersion.id == version)
        if cancelled:
            await session.execute(lost.values(state="cancelled", finished_at=func.now()))
        elif tries >= MOST_TRIES:
            await session.execute(lost.values(state="failed", error=sentence("worker_gone", "failures"), finished_at=func.now()))
        else:
            await session.execute(lost.values(state="queued", phase="", done=0, total=0))
            await _defer(session, version)
    return len(found)


async def _defer(session: AsyncSession, version: int) -> None:
    await session.execute(_DEFER, {"queue": TRAIN_QUEUE, "task": TRAIN_TASK, "version": version})

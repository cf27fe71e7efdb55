"""With which model Rasa starts: the one that was live last; without any promotion that of the files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.settings import Settings
from followup.store.database import Database
from followup.store.training_models import ExampleChange, ModelServer, ModelVersion
from followup.supervise import address, model
from followup.supervise.address import Live
from followup.supervise.switch import machine_id
from followup.training import versions
from followup.training.labels import Refused, sentence
from followup.training.versions import Wanted
from followup.training.workspace import build

Step = Callable[[str], AbstractContextManager[object]]
"""Shows that something has begun, and at the end of the block that it is done."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`version` None: not from the database. `deployment`: the last one that was dealt with. `code`: this product's hash."""

    model: Path
    version: int | None
    deployment: int | None
    code: str


async def choose(settings: Settings, database: Database, step: Step, report: Callable[[str], None]) -> Choice:
    """The model's file, fetched or trained where need be. Raises TrainingError."""
    project = settings.project_dir
    code = model.code_hash(project)
    last = address.read(address.file_of(settings.home))
    async with database.session() as session:
        wanted = await versions.deployments(session)
        if found := await _kept(session, settings.home, code, last, wanted):
            return found
        lost = await session.get(ModelVersion, wanted[0].version) if wanted else None
        changes = await _changes_of(session, lost)
    path = await _of_files(settings, changes, step)
    if lost is not None:
        report(sentence("retrained", "switch", version=lost.id))
    return Choice(path, None, None, code)


async def _kept(session: AsyncSession, home: Path, code: str, last: Live | None, wanted: list[Wanted]) -> Choice | None:
    """What was live here last, else the newest that can be served; None: nothing was ever promoted, or by older code only."""
    if not wanted:
        return None
    usable = [one for one in wanted if one.code_hash == code]
    if last is not None and last.version is None and last.code == code and Path(last.model).exists():
        return Choice(Path(last.model), None, last.deployment, code)
    server = await session.get(ModelServer, machine_id(home))
    failed = server.deployment_id if server is not None and server.state == "failed" else None
    first = [one for one in usable if last is not None and one.version == last.version]
    for one in [*first, *(each for each in usable if each.deployment != failed)]:
        with suppress(Refused, versions.NotKept):
            path = await versions.fetch(session, one.version, home / "models")
            deployment = last.deployment if one in first and last is not None else one.deployment
            return Choice(path, one.version, deployment, code)
    return None


async def _changes_of(session: AsyncSession, lost: ModelVersion | None) -> list[ExampleChange]:
    """What trainers had changed in the model that cannot be served any more."""
    ids = (lost.trained_on or {}).get("changes", []) if lost is not None else []
    rows = await session.scalars(select(ExampleChange).where(ExampleChange.id.in_(ids)).order_by(ExampleChange.id))
    return list(rows) if ids else []


async def _of_files(settings: Settings, changes: list[ExampleChange], step: Step) -> Path:
    project, log = settings.project_dir, settings.home / "log" / "train.log"
    title = "训练模型（首次启动或语料有变化时进行，约一分钟）"
    if not changes:
        path = model.model_path(project)
        if path.exists():
            path.touch()  # in use: not among the oldest
            return path
        with step(title):
            return await model.train(project, log)
    with tempfile.TemporaryDirectory(prefix="followup-train-") as folder:
        build(project, Path(folder), changes)
        path = project / "models" / f"{model.content_hash(Path(folder), code=project)}.tar.gz"
        if not path.exists():
            with step(title):
                await model.train_into(path, Path(folder), log)
    return path

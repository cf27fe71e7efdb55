"""The models' rows: which version is wanted and was wanted before, their files, what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.training_models import ModelDeployment, ModelServer, ModelVersion
from followup.training.labels import Refused

_ALIVE = timedelta(minutes=2)
"""A `followup up` that gave no sign of life for so long does not run."""


class NotKept(Exception):
    """The model's file cannot be written on this machine: its disk is full, say."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The newest deployment, and what is needed to serve it."""

    deployment: int
    version: int
    code_hash: str
    digest: str
    at: datetime


_WANTED = (
    select(ModelDeployment.id, ModelVersion.id, ModelVersion.code_hash, ModelVersion.digest, ModelDeployment.at)
    .join(ModelVersion, ModelVersion.id == ModelDeployment.version_id)
    .order_by(ModelDeployment.id.desc())
)


async def wanted(session: AsyncSession) -> Wanted | None:
    """What shall be live everywhere; None as long as nothing was ever promoted."""
    row = (await session.execute(_WANTED.limit(1))).one_or_none()
    return Wanted(*row) if row else None


async def deployments(session: AsyncSession) -> list[Wanted]:
    """All of them, newest first."""
    return [Wanted(*row) for row in await session.execute(_WANTED)]


def before(kinds_and_versions: Sequence[tuple[str, int]]) -> int | None:
    """To which version a rollback goes, given every deployment (kind, version) from the first to the newest.

    A promotion goes on top, a rollback takes the top away: two rollbacks in a row go back two versions.
    """
    stack: list[int] = []
    for kind, version in kinds_and_versions:
        if kind != "rollback":
            if not stack or stack[-1] != version:
                stack.append(version)
        elif len(stack) > 1:
            stack.pop()
    return stack[-2] if len(stack) > 1 else None


async def rollback_target(session: AsyncSession) -> int | None:
    """The version that was wanted before the present one."""
    rows = await session.execute(select(ModelDeployment.kind, ModelDeployment.version_id).order_by(ModelDeployment.id))
    return before([(kind, version) for kind, version in rows])


def file_of(folder: Path, version: int, digest: str) -> Path:
    """Where a version's file lies on this machine, once it was fetched."""
    return folder / f"v{version}-{digest[:12]}.tar.gz"


async def fetch(session: AsyncSession, version: int, folder: Path) -> Path:
    """The version's model file on this machine, checked against its digest. Raises Refused, NotKept."""
    found = await session.get(ModelVersion, version)
    if found is None:
        raise Refused("unknown_version", version=version)
    path = file_of(folder, version, found.digest)
    if path.exists() and digest_of(path.read_bytes()) == found.digest:
        path.touch()
        return path
    content = await session.scalar(select(ModelVersion.archive).where(ModelVersion.id == version))
    if content is None:
        raise Refused("gone", version=version)
    if digest_of(content) != found.digest:
        raise Refused("damaged", version=version)
    draft = path.with_suffix(".draft")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise NotKept(str(error)) from error
    return path


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def clean_up(session: AsyncSession, at: datetime, *, keep: int, live_days: int) -> int:
    """Take the bytes of old versions away; the rows with their reports stay. Returns of how many.

    The newest `keep` stay, what is live anywhere or wanted, what a rollback goes to, and what was live in the last days.
    """
    newest = select(ModelVersion.id).where(ModelVersion.archive.is_not(None)).order_by(ModelVersion.id.desc()).limit(keep)
    recent = set((await session.scalars(newest)).all())
    # A deployment is live until the next one: the newest one before the period counts too.
    rows = (await session.execute(select(ModelDeployment.at, ModelDeployment.version_id).order_by(ModelDeployment.id))).all()
    begin = at - timedelta(days=live_days)
    last_before = [version for when, version in rows if when < begin][-1:]
    live = {version for when, version in rows if when >= begin} | set(last_before)
    live |= {one for one in await session.scalars(select(ModelServer.version_id)) if one is not None}
    target = await rollback_target(session)
    kept = recent | live | ({target} if target is not None else set())
    done = await session.execute(
        update(ModelVersion).where(ModelVersion.archive.is_not(None), ModelVersion.id.not_in(kept)).values(archive=None)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


async def live_versions(session: AsyncSession) -> list[int | None]:
    """What the running machines serve (None: the model of the files), each once."""
    rows = await session.scalars(select(ModelServer.version_id).where(alive()).distinct())
    return list(rows)


def alive() -> ColumnElement[bool]:
    """Whether a machine gave a sign of life lately."""
    return ModelServer.seen_at > func.now() - _ALIVE


async def lock(session: AsyncSession) -> None:
    """One promotion or rollback at a time, over all machines."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('model_deployments', 0))"))

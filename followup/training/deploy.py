"""What is live and what shall be. For the console and the command line:

    for one in await versions(session): ...              # newest first, with what may be done with each
    await report(session, version)                       # the comparison, customers' lines with their words
    await promote(session, staff, version, reason)       # followed by every `followup up` within seconds
    await rollback(session, staff, reason)               # to the version before; two in a row go back two
    for one in await servers(session): ...               # what each machine serves, and why not what is wanted

`staff` None: the command line. Refused carries a Chinese sentence for whoever asked; a blocked version needs a reason,
which is audited. A promotion only says what is wanted: whether it came up says `servers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.permissions import Permission, Staff
from followup.settings import PROJECT_DIR
from followup.store.models import Message, User
from followup.store.training_models import ModelDeployment, ModelServer, ModelVersion
from followup.supervise.model import code_hash
from followup.training.bounds import load_rules
from followup.training.labels import Refused, label
from followup.training.versions import alive, clean_up, lock, rollback_target, wanted


@dataclass(frozen=True, slots=True)
class Version:
    """A row of the list. `has_file`: its model is still kept; `obstacles`: why it may not simply go live, in Chinese."""

    id: int
    created_at: datetime
    finished_at: datetime | None
    by: str
    state: str
    state_label: str
    source_label: str
    content_hash: str
    size: int
    has_file: bool
    trained_on: dict[str, Any]
    accuracy: float | None
    """On the frozen sentences."""
    accuracy_before: float | None
    better: int
    worse: int
    """Lines that flipped."""
    obstacles: tuple[str, ...]
    error: str
    wanted: bool
    live_on: int
    """Machines that serve it now."""
    promoted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Server:
    """What one machine serves; `version` None: the model of the files."""

    name: str
    version: int | None
    model: str
    state: str
    state_label: str
    error: str
    seconds: float | None
    changed_at: datetime
    alive: bool


async def versions(session: AsyncSession, limit: int = 50, *, only: int | None = None) -> list[Version]:
    """The newest ones; `only`: that one."""
    promoted = select(func.max(ModelDeployment.at)).where(ModelDeployment.version_id == ModelVersion.id).scalar_subquery()
    serving = select(func.count()).where(ModelServer.version_id == ModelVersion.id, alive()).scalar_subquery()
    kept = ModelVersion.archive.is_not(None)
    rows = await session.execute(
        select(ModelVersion, User.name, kept, promoted, serving)
        .outerjoin(User, User.id == ModelVersion.by_user_id)
        .where(ModelVersion.id == only if only is not None else true())
        .order_by(ModelVersion.id.desc())
        .limit(limit)
    )
    present = await wanted(session)
    return [_version(*row, present.version if present else None) for row in rows]


def _version(row: ModelVersion, by: str | None, kept: bool, promoted: datetime | None, serving: int, present: int | None) -> Version:
    report = row.report or {}
    frozen = report.get("frozen") or {}
    flips = [*frozen.get("flips", ()), *(report.get("corrected") or {}).get("flips", ())]
    return Version(
        id=row.id,
        created_at=row.created_at,
        finished_at=row.finished_at,
        by=by or "",
        state=row.state,
        state_label=label(row.state, "states"),
        source_label=label(row.trained_on.get("source", "training"), "sources"),
        content_hash=row.content_hash,
        size=row.size,
        has_file=kept,
        trained_on=row.trained_on,
        accuracy=(frozen.get("candidate") or {}).get("accuracy"),
        accuracy_before=(frozen.get("live") or {}).get("accuracy"),
        better=sum(flip["better"] is True for flip in flips),
        worse=sum(flip["better"] is False for flip in flips),
        obstacles=tuple(report.get("blocked", ())),
        error=row.error,
        wanted=row.id == present,
        live_on=serving,
        promoted_at=promoted,
    )


async def servers(session: AsyncSession) -> list[Server]:
    """Every machine that was ever heard of, the living first."""
    rows = await session.execute(select(ModelServer, alive()).order_by(alive().desc(), ModelServer.name, ModelServer.id))
    return [
        Server(one.name, one.version_id, one.model, one.state, label(one.state, "servers"), one.error, one.seconds, one.changed_at, lives)
        for one, lives in rows
    ]


async def report(session: AsyncSession, version: int) -> dict[str, Any] | None:
    """The comparison of followup.training.run; a customer's line that was erased meanwhile has an empty text. Raises Refused."""
    found = await session.get(ModelVersion, version)
    if found is None:
        raise Refused("unknown_version", version=version)
    if found.report is None:
        return None
    told = dict(found.report)
    flips = told["corrected"]["flips"]
    ids = [flip["message_id"] for flip in flips]
    texts = dict((await session.execute(select(Message.id, Message.text).where(Message.id.in_(ids)))).tuples().all()) if ids else {}
    told["corrected"] = {**told["corrected"], "flips": [{**flip, "text": texts.get(flip["message_id"], "")} for flip in flips]}
    return told


async def promote(session: AsyncSession, staff: Staff | None, version: int, reason: str = "") -> int:
    """Want this version everywhere. Returns the deployment. Raises Refused."""
    _check_may(staff)
    await lock(session)
    found = await session.get(ModelVersion, version)
    if found is None:
        raise Refused("unknown_version", version=version)
    if found.state not in ("ready", "blocked"):
        raise Refused("not_ready", version=version, state=label(found.state, "states"))
    overridden = found.state == "blocked"
    if overridden and not reason.strip():
        raise Refused("blocked", version=version, reasons="".join((found.report or {}).get("blocked", ())))
    await _check_usable(session, found)
    present = await wanted(session)
    if present is not None and present.version == version and not await _failed(session, present.deployment):
        raise Refused("already", version=version)
    before = (found.report or {}).get("compared_with")
    if present is None and before not in (None, version):
        # So that a rollback of the very first promotion has somewhere to go.
        session.add(ModelDeployment(version_id=before, kind="baseline"))
        await session.flush()
    return await _deploy(session, staff, version, "promote", reason, overridden=overridden)


async def rollback(session: AsyncSession, staff: Staff | None, reason: str) -> int:
    """Want the version before the present one. Returns the deployment. Raises Refused."""
    _check_may(staff)
    if not reason.strip():
        raise Refused("reason_needed")
    await lock(session)
    target = await rollback_target(session)
    if target is None:
        raise Refused("nothing_before")
    await _check_usable(session, await session.get_one(ModelVersion, target))
    return await _deploy(session, staff, target, "rollback", reason)


async def _deploy(
    session: AsyncSession, staff: Staff | None, version: int, kind: str, reason: str, *, overridden: bool = False
) -> int:
    row = ModelDeployment(
        version_id=version, kind=kind, by_user_id=staff.id if staff else None, reason=reason.strip(), overridden=overridden
    )
    session.add(row)
    await session.flush()
    await audit(session, staff, f"model.{kind}", "model", version, reason=reason.strip(), overridden=overridden)
    rules = load_rules(PROJECT_DIR)
    await clean_up(session, clock.now(), keep=rules.keep_versions, live_days=rules.keep_live_days)
    return row.id


async def _check_usable(session: AsyncSession, found: ModelVersion) -> None:
    if await session.scalar(select(ModelVersion.archive.is_(None)).where(ModelVersion.id == found.id)):
        raise Refused("gone", version=found.id)
    if found.code_hash != code_hash(PROJECT_DIR):
        raise Refused("outdated", version=found.id)


async def _failed(session: AsyncSession, deployment: int) -> bool:
    """Whether some machine could not take it: then it may be promoted once more."""
    found = select(func.count()).where(ModelServer.deployment_id == deployment, ModelServer.state == "failed")
    return bool(await session.scalar(found))


def _check_may(staff: Staff | None) -> None:
    if staff is not None and not staff.may(Permission.PROMOTE_MODELS):
        raise Refused("may_not")

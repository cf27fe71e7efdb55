"""Models: what is live, a training, what came of it, having it go live and going back, and how well customers are understood."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.forms import field, object_id, query
from followup.console.labels import labels
from followup.console.models import figures
from followup.console.models.lines import shown
from followup.console.models.machines import Machines, machines
from followup.console.models.report import FLIPS, SORTS, bounds_of, checks, flips_of, intent_name, intents, summary, tally
from followup.console.paging import page_number, page_of
from followup.console.parts import database, page, see, sentence, staff
from followup.console.permissions import Permission, needs
from followup.settings import PROJECT_DIR
from followup.store.training_models import ModelVersion
from followup.supervise.model import code_hash
from followup.training import deploy, jobs
from followup.training.bounds import load_rules
from followup.training.deploy import Version
from followup.training.labels import Refused, names_of
from followup.training.versions import lock, rollback_target, wanted

MODELS = "/console/models"
PER_PAGE = 30
_REASON = 500


@needs(Permission.READ_MODELS)
async def models_page(request: web.Request) -> web.Response:
    """GET /console/models"""
    return await _models(request)


async def _models(request: web.Request, *, error: str = "", status: int = 200) -> web.Response:
    async with database(request).session() as session:
        found = await deploy.versions(session)
        context = {
            "versions": found,
            "machines": await machines(session),
            "progress": await jobs.progress(session),
            "back_to": await rollback_target(session),
        }
    return page(request, "models/list.html", status=status, error=error, now_s=_elapsed(context["progress"]), phases=_phases(), **context)


def _phases() -> list[tuple[str, str]]:
    """The phases of a training in their order, with their names."""
    return [(code, name) for code, name in names_of("phases").items() if code != "queued"]


def _elapsed(progress: jobs.Progress | None) -> float | None:
    """Seconds since a training began, or that it took."""
    if progress is None or progress.started_at is None:
        return None
    return ((progress.finished_at or clock.now()) - progress.started_at).total_seconds()


@needs(Permission.READ_MODELS)
async def progress_part(request: web.Request) -> web.Response:
    """GET /console/models/progress: how far the training is; asked again every second, the page anew at its end."""
    async with database(request).session() as session:
        progress = await jobs.progress(session)
    answer = page(request, "models/_progress.html", progress=progress, now_s=_elapsed(progress), phases=_phases())
    if progress is None or not progress.under_way:
        answer.headers["HX-Refresh"] = "true"
    return answer


@needs(Permission.READ_MODELS)
async def machines_part(request: web.Request) -> web.Response:
    """GET /console/models/machines: the switch as it happens; the page anew when every machine is through."""
    async with database(request).session() as session:
        found = await machines(session)
    answer = page(request, "models/_machines.html", machines=found)
    if not found.switching:
        answer.headers["HX-Refresh"] = "true"
    return answer


# —— training ————————————————————————————————————————————————————————————


@needs(Permission.TRAIN_MODELS)
async def train(request: web.Request) -> web.Response:
    """POST /console/models/train"""
    if await field(request, "begin") != "yes":
        return see(MODELS)
    try:
        async with database(request).session() as session:
            await jobs.queue_training(session, staff(request))
    except Refused as refused:
        return await _models(request, error=str(refused), status=409)
    return see(f"{MODELS}#training")


@needs(Permission.TRAIN_MODELS)
async def cancel(request: web.Request) -> web.Response:
    """POST /console/models/{id}/cancel"""
    try:
        async with database(request).session() as session:
            await jobs.cancel(session, staff(request), object_id(request))
    except Refused as refused:
        if refused.key == "unknown_version":
            raise web.HTTPNotFound from None
        return await _models(request, error=str(refused), status=409)
    return see(f"{MODELS}#training")


# —— one version —————————————————————————————————————————————————————————


@needs(Permission.READ_MODELS)
async def version_page(request: web.Request) -> web.Response:
    """GET /console/models/{id}: what it was trained on, and the comparison."""
    async with database(request).session() as session:
        version = await _version(session, request)
        report = await deploy.report(session, version.id)
        context = await _comparison(session, request, report) if report and "frozen" in report else {"report": None}
        context["may_go"] = await _may_go(session, version)
    return page(request, "models/version.html", version=version, **context)


async def _comparison(session: AsyncSession, request: web.Request, report: dict[str, Any]) -> dict[str, Any]:
    """What the template needs of a report."""
    kind, origin, sort = query(request, "kind"), query(request, "lines"), query(request, "sort")
    kind, origin = (value if value in known else "" for value, known in ((kind, FLIPS), (origin, labels()["model_sets"])))
    sort, down = (sort if sort in SORTS else "recall_change"), query(request, "order") == "down"
    flips = flips_of(report, kind, origin)
    first = (page_number(request) - 1) * PER_PAGE
    personal = staff(request).may(Permission.SEE_PERSONAL)
    found = page_of(request, await shown(session, flips[first : first + PER_PAGE], personal=personal), len(flips), PER_PAGE)
    return {
        "report": report,
        "intent_name": intent_name,
        "summary": summary(report),
        "checks": checks(report, bounds_of(report, load_rules(PROJECT_DIR).bounds)),
        "intents": intents(report["frozen"], sort, down=down),
        "flips": found,
        "tally": tally(flips_of(report, "", origin)),
        "kind": kind,
        "origin": origin,
        "sort": sort,
        "down": down,
    }


async def _version(session: AsyncSession, request: web.Request) -> Version:
    found = await deploy.versions(session, only=object_id(request))
    if not found:
        raise web.HTTPNotFound
    return found[0]


async def _may_go(session: AsyncSession, version: Version) -> bool:
    """Whether it could go live at all, by whoever may decide it; what is left, `promote` says."""
    row = await session.get_one(ModelVersion, version.id)
    fits = version.state in ("ready", "blocked") and version.has_file and row.code_hash == code_hash(PROJECT_DIR)
    return fits and (not version.wanted or (await machines(session)).failed > 0)


# —— live and back ———————————————————————————————————————————————————————


@needs(Permission.PROMOTE_MODELS)
async def promote_page(request: web.Request) -> web.Response:
    """GET /console/models/{id}/promote: asks once more, and for the reason where one is needed."""
    return await _promote_page(request)


async def _promote_page(request: web.Request, *, error: str = "", reason: str = "", status: int = 200) -> web.Response:
    async with database(request).session() as session:
        version = await _version(session, request)
        report = await deploy.report(session, version.id)
        found = await machines(session)
        told = summary(report) if report and "frozen" in report else []
    return page(
        request, "models/promote.html", status=status, version=version, machines=found, summary=told, error=error, reason=reason, seen=_seen(found)
    )


def _seen(found: Machines) -> str:
    """Names the deployment that the page shows."""
    return str(found.wanted.deployment) if found.wanted else "none"


async def _nothing_new(session: AsyncSession, seen: str) -> bool:
    """Whether what is wanted is still what the person saw: two who press at once must not go back two versions."""
    present = await wanted(session)
    return seen == (str(present.deployment) if present else "none")


@needs(Permission.PROMOTE_MODELS)
async def promote(request: web.Request) -> web.Response:
    """POST /console/models/{id}/promote"""
    reason, seen = await field(request, "reason", longest=_REASON), await field(request, "seen", longest=30)
    try:
        async with database(request).session() as session:
            version = await _version(session, request)
            await lock(session)
            if not await _nothing_new(session, seen):
                return await _promote_page(request, error=sentence("model_errors", "changed"), reason=reason, status=409)
            await deploy.promote(session, staff(request), version.id, reason)
    except Refused as refused:
        return await _promote_page(request, error=str(refused), reason=reason, status=400)
    return see(f"{MODELS}#machines")


@needs(Permission.PROMOTE_MODELS)
async def rollback_page(request: web.Request) -> web.Response:
    """GET /console/models/rollback"""
    return await _rollback_page(request)


async def _rollback_page(request: web.Request, *, error: str = "", reason: str = "", status: int = 200) -> web.Response:
    async with database(request).session() as session:
        target = await rollback_target(session)
        found = await machines(session)
        to = (await deploy.versions(session, only=target))[0] if target is not None else None
    return page(request, "models/rollback.html", status=status, to=to, machines=found, error=error, reason=reason, seen=_seen(found))


@needs(Permission.PROMOTE_MODELS)
async def rollback(request: web.Request) -> web.Response:
    """POST /console/models/rollback"""
    reason, seen = await field(request, "reason", longest=_REASON), await field(request, "seen", longest=30)
    try:
        async with database(request).session() as session:
            await lock(session)
            if not await _nothing_new(session, seen):
                return await _rollback_page(request, error=sentence("model_errors", "changed"), reason=reason, status=409)
            await deploy.rollback(session, staff(request), reason)
    except Refused as refused:
        return await _rollback_page(request, error=str(refused), reason=reason, status=400)
    return see(f"{MODELS}#machines")


# —— figures —————————————————————————————————————————————————————————————


@needs(Permission.READ_MODELS)
async def figures_page(request: web.Request) -> web.Response:
    """GET /console/models/figures"""
    at = clock.now()
    async with database(request).session() as session:
        context = {
            "weeks": await figures.by_week(session, at),
            "misread": await figures.misread_intents(session, at),
            "days": await figures.by_day(session, at),
            "effects": await figures.effects(session, at),
        }
    return page(request, "models/figures.html", MISREAD_DAYS=figures.MISREAD_DAYS, DAYS=figures.DAYS, WEEKS=figures.WEEKS, **context)


routes: list[web.RouteDef] = [
    web.get("/models", models_page),
    web.post("/models/train", train),
    web.get("/models/progress", progress_part),
    web.get("/models/machines", machines_part),
    web.get("/models/figures", figures_page),
    web.get("/models/rollback", rollback_page),
    web.post("/models/rollback", rollback),
    web.get(r"/models/{id:\d+}", version_page),
    web.post(r"/models/{id:\d+}/cancel", cancel),
    web.get(r"/models/{id:\d+}/promote", promote_page),
    web.post(r"/models/{id:\d+}/promote", promote),
]

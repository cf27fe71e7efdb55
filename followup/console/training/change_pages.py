"""A trainer's own changes: undone one by one, handed in as one commit, or taken away as a patch."""

from __future__ import annotations

import asyncio

from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.audit import audit
from followup.console.forms import object_id, query
from followup.console.labels import label
from followup.console.parts import database, page, see, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.training.book import intent_name, open_changes
from followup.console.training.example_pages import LOCK
from followup.store.models import User
from followup.store.training_models import ExampleChange
from followup.training.examples_hand_in import Author, hand_in, patch
from followup.training.inbox_work import back_to_the_inbox

CHANGES = "/console/training/changes"
_SHOWN = 200


@needs(Permission.READ_TRAINING)
async def changes_page(request: web.Request) -> web.Response:
    """GET /console/training/changes: one's own open changes, how many the others have, what was handed in lately."""
    return await _changes(request)


async def _changes(request: web.Request, *, error: str = "", status: int = 200) -> web.Response:
    who = staff(request)
    async with database(request).session() as session:
        mine = await open_changes(session, who.id)
        others = (
            await session.execute(
                select(User.name, func.count())
                .join(ExampleChange, ExampleChange.by_user_id == User.id)
                .where(ExampleChange.state == "open", User.id != who.id)
                .group_by(User.id, User.name)
                .order_by(User.name)
            )
        ).all()
        lately = (
            await session.execute(
                select(ExampleChange.commit, User.name, func.count(), func.max(ExampleChange.id).label("newest"))
                .join(User, User.id == ExampleChange.by_user_id)
                .where(ExampleChange.state == "handed_in")
                .group_by(ExampleChange.commit, User.name)
                .order_by(func.max(ExampleChange.id).desc())
                .limit(10)
            )
        ).all()
    return page(
        request, "training/changes.html", status=status, mine=list(reversed(mine))[:_SHOWN], count=len(mine), others=others, lately=lately, error=error,
        intent_name=intent_name, done=query(request, "done"),
    )  # fmt: skip


@needs(Permission.TRAIN_MODELS)
async def undo(request: web.Request) -> web.Response:
    """POST /console/training/changes/{id}/undo: of one's own; lines that it came from go back to the inbox."""
    async with database(request).session() as session:
        await session.execute(LOCK)
        row = await session.get(ExampleChange, object_id(request), with_for_update=True)
        if row is None or row.by_user_id != staff(request).id:
            raise web.HTTPNotFound
        if row.state == "open":
            row.state = "withdrawn"
            await back_to_the_inbox(session, row.id)
            await audit(session, staff(request), "example.undo", "example_change", row.id, before=row.kind)
    return see(CHANGES)


@needs(Permission.TRAIN_MODELS)
async def hand_in_changes(request: web.Request) -> web.Response:
    """POST /console/training/hand-in: one's open changes into the files, as one commit."""
    who, project = staff(request), settings(request).project_dir
    async with database(request).session() as session:
        await session.execute(LOCK)  # two who hand in at once do so one after the other
        mine = await open_changes(session, who.id)
        if not mine:
            return await _changes(request, error=label("nothing", "hand_in_errors"), status=400)
        author = Author.of(who.name, await _address(session, who.id))
        done = await asyncio.to_thread(hand_in, project, mine, author, _message(mine))
        if not done.why:
            for row in mine:
                row.state, row.commit = "handed_in", done.commit
            await audit(session, who, "example.hand_in", "example_change", mine[-1].id, rows=len(mine), result=done.commit[:12])
    if done.why:
        return await _changes(request, error=label(done.why, "hand_in_errors"), status=409)
    return see(f"{CHANGES}?done={done.commit[:12] or 'there'}")


@needs(Permission.TRAIN_MODELS)
async def my_patch(request: web.Request) -> web.Response:
    """GET /console/training/changes.patch: one's open changes, for `git apply`."""
    async with database(request).session() as session:
        mine = await open_changes(session, staff(request).id)
        body = await asyncio.to_thread(patch, settings(request).project_dir, mine)
        await audit(session, staff(request), "example.patch", rows=len(mine))
    headers = {"Content-Disposition": 'attachment; filename="examples.patch"', "Content-Type": "text/x-diff; charset=utf-8"}
    return web.Response(body=body.encode("utf-8"), headers=headers)


async def _address(session: AsyncSession, user_id: int) -> str:
    return await session.scalar(select(User.email).where(User.id == user_id)) or ""


def _message(changes: list[ExampleChange]) -> str:
    """What the commit says: how many of what, and under which intents."""
    kinds = {kind: sum(change.kind == kind for change in changes) for kind in ("add", "edit", "move", "delete")}
    told = "，".join(f"{label(kind, 'change_kinds')} {count} 句" for kind, count in kinds.items() if count)
    intents = sorted({change.new_intent or change.intent for change in changes})
    return f"例句：{told}\n\n意图：{'、'.join(intents[:20])}{'等' if len(intents) > 20 else ''}\n"

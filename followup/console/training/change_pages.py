"""A trainer's own changes, of examples and of words: undone one by one, handed in as one commit, or taken away as a patch."""

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
from followup.console.training import words
from followup.console.training.book import intent_name, open_changes
from followup.console.training.example_pages import LOCK
from followup.store.inbox_models import WordMark
from followup.store.models import User
from followup.store.training_models import ExampleChange
from followup.training.examples_hand_in import Author, hand_in, patch
from followup.training.inbox_work import back_to_the_inbox
from followup.training.word_lists import CannotWrite

CHANGES = "/console/training/changes"
_SHOWN = 200


@needs(Permission.READ_TRAINING)
async def changes_page(request: web.Request) -> web.Response:
    """GET /console/training/changes: one's own open changes, how many the others have, what was handed in lately."""
    return await _changes(request)


async def changes_with(request: web.Request, error: str) -> web.Response:
    """The page with what could not be done."""
    return await _changes(request, error=error, status=409)


async def _changes(request: web.Request, *, error: str = "", status: int = 200) -> web.Response:
    who, project = staff(request), settings(request).project_dir
    async with database(request).session() as session:
        mine, marks = await open_changes(session, who.id), await words.open_marks(session, who.id)
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
        request, "training/changes.html", status=status, mine=list(reversed(mine))[:_SHOWN], count=len(mine) + len(marks), others=others, lately=lately, error=error,
        intent_name=intent_name, done=query(request, "done"), marks=[(one, words.told(one, project)) for one in reversed(marks)],
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
        mine, marks = await open_changes(session, who.id), await words.open_marks(session, who.id)
        if not mine and not marks:
            return await _changes(request, error=label("nothing", "hand_in_errors"), status=400)
        author = Author.of(who.name, await _address(session, who.id))
        done = await asyncio.to_thread(hand_in, project, mine, author, _message(mine, marks), words.terms(project, marks))
        if not done.why:
            for row in (*mine, *marks):
                row.state, row.commit = "handed_in", done.commit
            last = ("example_change", mine[-1].id) if mine else ("word_mark", marks[-1].id)
            await audit(session, who, "example.hand_in", *last, rows=len(mine) + len(marks), result=done.commit[:12])
    if done.why:
        return await _changes(request, error=label(done.why, "hand_in_errors"), status=409)
    return see(f"{CHANGES}?done={done.commit[:12] or 'there'}")


@needs(Permission.TRAIN_MODELS)
async def my_patch(request: web.Request) -> web.Response:
    """GET /console/training/changes.patch: one's open changes, for `git apply`."""
    async with database(request).session() as session:
        mine, marks = await open_changes(session, staff(request).id), await words.open_marks(session, staff(request).id)
        project = settings(request).project_dir
        try:
            body = await asyncio.to_thread(patch, project, mine, words.terms(project, marks))
        except CannotWrite:
            return await changes_with(request, label("no_such_list", "hand_in_errors"))
        await audit(session, staff(request), "example.patch", rows=len(mine) + len(marks))
    headers = {"Content-Disposition": 'attachment; filename="examples.patch"', "Content-Type": "text/x-diff; charset=utf-8"}
    return web.Response(body=body.encode("utf-8"), headers=headers)


async def _address(session: AsyncSession, user_id: int) -> str:
    return await session.scalar(select(User.email).where(User.id == user_id)) or ""


def _message(changes: list[ExampleChange], marks: list[WordMark]) -> str:
    """What the commit says: how many of what, under which intents, and the words for the lists."""
    kinds = {kind: sum(change.kind == kind for change in changes) for kind in ("add", "edit", "move", "delete")}
    counted = "，".join(f"{label(kind, 'change_kinds')} {count} 句" for kind, count in kinds.items() if count)
    intents = sorted({change.new_intent or change.intent for change in changes})
    told = [f"例句：{counted}"] if counted else []
    told += [f"词表：添加 {len(marks)} 个词"] if marks else []
    more = [f"意图：{'、'.join(intents[:20])}{'等' if len(intents) > 20 else ''}"] if intents else []
    more += [f"词：{'、'.join(mark.words for mark in marks[:20])}{'等' if len(marks) > 20 else ''}"] if marks else []
    return "；".join(told) + "\n\n" + "\n".join(more) + "\n"

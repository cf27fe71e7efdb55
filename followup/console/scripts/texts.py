"""The texts that can be written in the console: what is in force, what the file says, who published what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.console.show import moment
from followup.knowledge.load import COMPANY
from followup.scripts import load, published
from followup.scripts.published import Kind, Name
from followup.store.models import User
from followup.store.script_models import OPEN_STATES, PublishedScript, ScriptDraft

_TITLE = {
    Kind.SCRIPT: re.compile(r"""^name:[ \t]*["']?(.+?)["']?[ \t]*$""", re.MULTILINE),
    Kind.KNOWLEDGE: re.compile(r"""^title:[ \t]*["']?(.+?)["']?[ \t]*$""", re.MULTILINE),
}
_FIXED = {Name(Kind.SHARED, published.SHARED_NAME): "公共话术", Name(Kind.KNOWLEDGE, Path(COMPANY).stem): "本公司的内容"}


@dataclass(frozen=True, slots=True)
class Text:
    """One text as it is in force. `newest` None: nothing was ever published, the file is in force."""

    name: Name
    title: str
    trade: str
    """Of a script; else empty."""
    text: str
    """Empty: it was written here, and is not published yet."""
    file_text: str
    """Empty: there is no file, it was written here."""
    newest: PublishedScript | None

    @property
    def has_file(self) -> bool:
        return bool(self.file_text)

    @property
    def differs_from_file(self) -> bool:
        return self.has_file and self.text != self.file_text

    @property
    def file_changed(self) -> bool:
        """The file is another than the one it was published over: an upgrade changed it."""
        return self.has_file and self.newest is not None and published.digest(self.file_text) != self.newest.file_digest

    @property
    def link(self) -> str:
        return f"/console/scripts/{self.name.kind}/{self.name.id}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft with the names of those who had to do with it."""

    row: ScriptDraft
    author: str
    reviewer: str

    @property
    def name(self) -> Name:
        return Name(Kind(self.row.kind), self.row.script_id)

    @property
    def link(self) -> str:
        return f"/console/scripts/drafts/{self.row.id}"


@dataclass(frozen=True, slots=True)
class Publication:
    id: int
    at: datetime
    author: str
    reviewer: str
    again: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """A text that a campaign may compare with the one in force. `key` names it in a form."""

    key: str
    title: str
    text: str
    publication_id: int | None = None
    draft_id: int | None = None


def files() -> dict[Name, Path]:
    """Every text that can be written here, in the order of the files."""
    paths = [load.SCRIPTS_DIR / load.SHARED, *load.script_files(), *sorted(published.KNOWLEDGE.glob("*.yml"))]
    return {name: path for path in paths if (name := published.name_of(path)) is not None}


async def all_texts(session: AsyncSession) -> list[Text]:
    """All of them, with what is published now."""
    rows = await session.scalars(
        select(PublishedScript)
        .distinct(PublishedScript.kind, PublishedScript.script_id)
        .order_by(PublishedScript.kind, PublishedScript.script_id, PublishedScript.id.desc())
    )
    newest = {Name(Kind(row.kind), row.script_id): row for row in rows}
    paths = files()
    ours = [name for name in newest if name.kind is Kind.SCRIPT and name not in paths]
    return [_text(name, paths.get(name), newest.get(name)) for name in (*paths, *ours)]


async def one_text(session: AsyncSession, name: Name) -> Text | None:
    """The text as it is in force in the database now; None when there is none of that name."""
    path = files().get(name)
    query = select(PublishedScript).where(PublishedScript.kind == name.kind, PublishedScript.script_id == name.id)
    newest = await session.scalar(query.order_by(PublishedScript.id.desc()).limit(1))
    if path is None and (newest is None or name.kind is not Kind.SCRIPT):
        return None
    return _text(name, path, newest)


async def text_under(session: AsyncSession, draft: Draft) -> Text | None:
    """What the draft would take the place of: of a script that is new, nothing. None when its file is gone."""
    found = await one_text(session, draft.name)
    if found is None and draft.name.kind is Kind.SCRIPT and not draft.row.base_text:
        return _text(draft.name, None, None, draft.row.text)
    return found


def _text(name: Name, path: Path | None, newest: PublishedScript | None, called_in: str = "") -> Text:
    in_file = published.file_text(path) if path is not None and path.is_file() else ""
    text = newest.text if newest is not None else in_file
    found = _TITLE[name.kind].search(text or called_in) if name.kind in _TITLE else None
    title = _FIXED.get(name) or (found[1] if found else name.id)
    trade = (path or published.path_of(name.id, text or called_in)).parent.name if name.kind is Kind.SCRIPT else ""
    return Text(name, title, trade, text, in_file, newest)


_AUTHOR, _REVIEWER = aliased(User), aliased(User)


async def drafts(session: AsyncSession, name: Name | None = None) -> list[Draft]:
    """The open ones, of one text or of all; those that wait for a reviewer first."""
    query = _drafts().where(ScriptDraft.state.in_(OPEN_STATES))
    if name is not None:
        query = query.where(ScriptDraft.kind == name.kind, ScriptDraft.script_id == name.id)
    found = [Draft(row, author, reviewer or "") for row, author, reviewer in await session.execute(query.order_by(ScriptDraft.changed_at.desc()))]
    return sorted(found, key=lambda draft: draft.row.state != "review")


async def one_draft(session: AsyncSession, draft_id: int, *, lock: bool = False) -> Draft | None:
    query = _drafts().where(ScriptDraft.id == draft_id)
    found = (await session.execute(query.with_for_update(of=ScriptDraft) if lock else query)).one_or_none()
    return Draft(found[0], found[1], found[2] or "") if found is not None else None


def _drafts():  # type: ignore[no-untyped-def] - SQLAlchemy's own type is longer than the query
    return (
        select(ScriptDraft, _AUTHOR.name, _REVIEWER.name)
        .join(_AUTHOR, _AUTHOR.id == ScriptDraft.by_user_id)
        .outerjoin(_REVIEWER, _REVIEWER.id == ScriptDraft.reviewer_id)
    )


async def history(session: AsyncSession, name: Name, limit: int = 50) -> list[Publication]:
    """What was published of it, the newest first."""
    rows = await session.execute(
        select(PublishedScript, _AUTHOR.name, _REVIEWER.name)
        .join(_AUTHOR, _AUTHOR.id == PublishedScript.by_user_id)
        .outerjoin(_REVIEWER, _REVIEWER.id == PublishedScript.reviewer_id)
        .where(PublishedScript.kind == name.kind, PublishedScript.script_id == name.id)
        .order_by(PublishedScript.id.desc())
        .limit(limit)
    )
    return [Publication(row.id, row.published_at, author, reviewer or "", row.again, row.reason) for row, author, reviewer in rows]


# —— what may be compared with the one in force ————————————————————————————————


async def sources(session: AsyncSession, script_id: str, limit: int = 20) -> list[Source]:
    """Approved drafts, older publications and the installed file, as far as they say something else; each text once."""
    name = Name(Kind.SCRIPT, script_id)
    text = await one_text(session, name)
    if text is None:
        return []
    found = [
        Source(f"draft:{draft.row.id}", await source_of(session, None, draft.row.id), draft.row.text, draft_id=draft.row.id)
        for draft in await drafts(session, name)
        if draft.row.state == "approved"
    ]
    rows = await session.scalars(
        select(PublishedScript)
        .where(PublishedScript.kind == name.kind, PublishedScript.script_id == name.id)
        .order_by(PublishedScript.id.desc())
        .limit(limit)
    )
    found += [Source(f"publication:{row.id}", await source_of(session, row.id, None), row.text, publication_id=row.id) for row in rows]
    if text.has_file:
        found.append(Source("file:0", await source_of(session, None, None), text.file_text))
    seen, different = {text.text}, []
    for one in found:
        if one.text not in seen:
            seen.add(one.text)
            different.append(one)
    return different


async def source_of(session: AsyncSession, publication_id: int | None, draft_id: int | None) -> str:
    """What such a text is called."""
    if draft_id is not None:
        query = select(ScriptDraft.note, _AUTHOR.name).join(_AUTHOR, _AUTHOR.id == ScriptDraft.by_user_id).where(ScriptDraft.id == draft_id)
        note, author = (await session.execute(query)).one()
        return f"{author}的草稿" + (f"（{note[:40]}）" if note else "")
    if publication_id is not None:
        row = await session.get_one(PublishedScript, publication_id)
        return f"{moment(row.published_at)}发布的" + (f"（{row.reason[:40]}）" if row.reason else "")
    return "安装的文件"

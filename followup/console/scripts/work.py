"""What people do with a text: begin a draft, save, hand it in, look it over, publish, publish an older text again."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.permissions import Permission, Staff
from followup.console.scripts.texts import Draft, Text, one_text, text_under
from followup.scripts import published
from followup.scripts.publish_diff import merge
from followup.scripts.published import Kind, Name
from followup.store.script_models import OPEN_STATES, PublishedScript, ScriptDraft

LONGEST = 60_000
"""Characters of a text; the longest file has a tenth of it."""


class Refused(Exception):
    """It cannot be done now. `why`: a key of `scripts_told` in labels.yml."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def begin(session: AsyncSession, staff: Staff, text: Text) -> ScriptDraft:
    """This person's draft of the text: the open one, else a new one of what is in force."""
    await _lock(session, text.name)
    query = select(ScriptDraft).where(ScriptDraft.kind == text.name.kind, ScriptDraft.script_id == text.name.id)
    found = await session.scalar(query.where(ScriptDraft.by_user_id == staff.id, ScriptDraft.state.in_(OPEN_STATES)))
    if found is not None:
        return found
    now = clock.now()
    made = ScriptDraft(
        kind=text.name.kind, script_id=text.name.id, text=text.text, base_text=text.text, based_on=published.digest(text.text),
        by_user_id=staff.id, state="draft", version=0, note="", reason="", created_at=now, changed_at=now,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    await audit(session, staff, "script.begin", "script", text.name.id, draft=made.id)
    return made


async def create(session: AsyncSession, staff: Staff, name: Name, text: str) -> ScriptDraft:
    """A draft of a script that there is not yet. Raises Refused."""
    await _lock(session, name)
    taken = select(ScriptDraft.id).where(ScriptDraft.kind == name.kind, ScriptDraft.script_id == name.id, ScriptDraft.state.in_(OPEN_STATES))
    if await one_text(session, name) is not None or await session.scalar(taken.limit(1)) is not None:
        raise Refused("taken")
    now = clock.now()
    made = ScriptDraft(
        kind=name.kind, script_id=name.id, text=text, base_text="", based_on=published.digest(""), by_user_id=staff.id, state="draft",
        version=0, note="", reason="", created_at=now, changed_at=now,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    await audit(session, staff, "script.create", "script", name.id, draft=made.id)
    return made


async def save(session: AsyncSession, staff: Staff, draft: Draft, text: str, note: str, seen: int) -> None:
    """Keep the author's text, also one with errors. Raises Refused."""
    _writable(staff, draft, seen)
    row = draft.row
    if (row.text, row.note, row.state) == (text, note, "draft"):
        return
    row.text, row.note, row.state = text, note, "draft"
    _touched(row)
    await audit(session, staff, "script.save", "script", row.script_id, draft=row.id)


async def submit(session: AsyncSession, staff: Staff, draft: Draft, seen: int) -> None:
    """Hand it to a second person. That it has no errors has been seen to. Raises Refused."""
    _writable(staff, draft, seen)
    row = draft.row
    if row.text == row.base_text:
        raise Refused("nothing_changed")
    row.state, row.submitted_at, row.reviewer_id, row.reason = "review", clock.now(), None, ""
    _touched(row)
    await audit(session, staff, "script.submit", "script", row.script_id, draft=row.id)


async def take_back(session: AsyncSession, staff: Staff, draft: Draft) -> None:
    """Out of the reviewer's hands, to go on writing. Raises Refused."""
    if draft.row.by_user_id != staff.id:
        raise Refused("not_yours")
    if draft.row.state not in ("review", "approved"):
        raise Refused("changed")
    draft.row.state = "draft"
    _touched(draft.row)
    await audit(session, staff, "script.take_back", "script", draft.row.script_id, draft=draft.row.id)


async def withdraw(session: AsyncSession, staff: Staff, draft: Draft) -> None:
    """Give it up. The row stays. Raises Refused."""
    if draft.row.by_user_id != staff.id:
        raise Refused("not_yours")
    if draft.row.state not in OPEN_STATES:
        raise Refused("changed")
    draft.row.state, draft.row.decided_at = "withdrawn", clock.now()
    _touched(draft.row)
    await audit(session, staff, "script.withdraw", "script", draft.row.script_id, draft=draft.row.id)


async def take_over(session: AsyncSession, staff: Staff, draft: Draft, text: Text, seen: int) -> bool:
    """Base the draft on what was published meanwhile. True: the changes of both were put together; False: they touch each
    other, and the draft keeps its author's text, who has been shown what the others changed. Raises Refused."""
    _writable(staff, draft, seen)
    row = draft.row
    merged = merge(row.base_text, row.text, text.text)
    row.text = row.text if merged is None else merged
    row.base_text, row.based_on, row.state = text.text, published.digest(text.text), "draft"
    _touched(row)
    await audit(session, staff, "script.take_over", "script", row.script_id, draft=row.id, merged=merged is not None)
    return merged is not None


async def reject(session: AsyncSession, staff: Staff, draft: Draft, reason: str, seen: int) -> None:
    """Back to its author, with a reason. Raises Refused."""
    _decidable(staff, draft, seen)
    if not reason:
        raise Refused("no_reason")
    row = draft.row
    row.state, row.reviewer_id, row.reason, row.decided_at = "rejected", staff.id, reason, clock.now()
    _touched(row)
    await audit(session, staff, "script.reject", "script", row.script_id, draft=row.id, reason=reason)


async def approve(session: AsyncSession, staff: Staff, draft: Draft, reason: str, seen: int) -> None:
    """Good enough for customers, and not in force: campaigns may compare it with what is. Raises Refused."""
    _decidable(staff, draft, seen)
    row = draft.row
    if row.state != "review" or draft.name.kind is not Kind.SCRIPT:
        raise Refused("changed")
    row.state, row.reviewer_id, row.reason, row.decided_at = "approved", staff.id, reason, clock.now()
    _touched(row)
    await audit(session, staff, "script.approve", "script", row.script_id, draft=row.id)


async def publish(session: AsyncSession, staff: Staff, draft: Draft, reason: str, seen: int) -> PublishedScript:
    """In force from the commit on. That it has no errors has been seen to. Raises Refused."""
    _decidable(staff, draft, seen)
    await _lock(session, draft.name)
    text = await text_under(session, draft)
    row = draft.row
    if text is None or published.digest(text.text) != row.based_on:
        raise Refused("conflict")
    row.state, row.reviewer_id, row.reason, row.decided_at = "published", staff.id, reason, clock.now()
    _touched(row)
    made = _publication(text, row.text, row.by_user_id)
    made.reviewer_id, made.draft_id, made.reason = staff.id, row.id, row.note
    session.add(made)
    await session.flush()
    await audit(session, staff, "script.publish", "script", row.script_id, draft=row.id, published=made.id)
    return made


async def publish_again(session: AsyncSession, staff: Staff, name: Name, publication: int, reason: str, seen: int) -> PublishedScript:
    """Roll back: an older text, or with 0 the file's, is in force again. `seen`: the newest publication that was looked at.
    One person may do it, because that text was looked over once. Raises Refused."""
    if not staff.may(Permission.REVIEW_SCRIPTS):
        raise Refused("not_allowed")
    if not reason:
        raise Refused("no_reason")
    await _lock(session, name)
    text = await one_text(session, name)
    if text is None or text.newest is None or text.newest.id != seen:
        raise Refused("changed")
    older = await session.get(PublishedScript, publication) if publication else None
    if not publication and not text.has_file:
        raise Refused("changed")
    if publication and (older is None or (older.kind, older.script_id) != (name.kind, name.id)):
        raise Refused("changed")
    wanted = older.text if older is not None else text.file_text
    if wanted == text.text and not text.file_changed:
        raise Refused("nothing_changed")
    made = _publication(text, wanted, staff.id)
    made.again, made.reason = older.id if older is not None else None, reason
    session.add(made)
    await session.flush()
    await audit(session, staff, "script.again", "script", name.id, published=made.id, again=publication, reason=reason)
    return made


def _publication(text: Text, new: str, author: int) -> PublishedScript:
    return PublishedScript(
        kind=text.name.kind, script_id=text.name.id, text=new, digest=published.digest(new), file_digest=published.digest(text.file_text),
        by_user_id=author, published_at=clock.now(),
    )  # fmt: skip


def _writable(staff: Staff, draft: Draft, seen: int) -> None:
    if draft.row.by_user_id != staff.id:
        raise Refused("not_yours")
    if draft.row.state not in ("draft", "rejected") or draft.row.version != seen:
        raise Refused("changed")


def _decidable(staff: Staff, draft: Draft, seen: int) -> None:
    if not staff.may(Permission.REVIEW_SCRIPTS):
        raise Refused("not_allowed")
    if draft.row.by_user_id == staff.id:
        raise Refused("own_draft")
    if draft.row.state not in ("review", "approved") or draft.row.version != seen:
        raise Refused("changed")


def _touched(row: ScriptDraft) -> None:
    row.version += 1
    row.changed_at = clock.now()


async def _lock(session: AsyncSession, name: Name) -> None:
    """One at a time publishes, or begins, the same text; until the end of the transaction."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{name.kind}/{name.id}", 0))))

"""A visitor nobody knows begins a talk: customer, case, attempt and opening in one statement.

A channel must acknowledge such a message within a second, also when a crowd comes at once: what the records do one after
the other for every other talk is done here in one round trip, and the script is prepared once for each of its texts.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.scripts import load, published
from followup.scripts.model import Script, build
from followup.store import records
from followup.talk.inbox import TURN_QUEUE, TURN_TASK, Trigger


@dataclass(frozen=True, slots=True)
class Prepared:
    """A script as it is in force, and what its revision is known by."""

    script: Script
    content: Mapping[str, Any]
    digest: str


def prepared(script_id: str) -> Prepared:
    """The script in force now. UnknownScript when there is none."""
    return _prepared(published.text_of(load.find(script_id)), published.text_of(load.SCRIPTS_DIR / load.SHARED))


@lru_cache(maxsize=8)
def _prepared(text: str, shared: str) -> Prepared:
    content = load.content_of(text, shared=shared)
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Prepared(build(content), content, hashlib.sha256(canonical.encode()).hexdigest())


# What `create_contact`, `create_case` and `accept` with a START do, for somebody who cannot be on the do-not-contact list yet.
# Nothing at all where the revision is not known.
_BEGIN = sql(
    """
    WITH revision AS (
        SELECT id, script_id FROM script_revisions WHERE script_id = :script AND digest = :digest
    ), visitor AS (
        INSERT INTO contacts (name, is_anonymous, created_at) SELECT :name, TRUE, :at FROM revision RETURNING id
    ), begun AS (
        INSERT INTO cases (id, contact_id, script_id, revision_id, variables, status, opened_at, created_at)
        SELECT :case_id, visitor.id, revision.script_id, revision.id, CAST(:variables AS jsonb), 'open', :at, :at FROM revision, visitor
        RETURNING id
    ), attempt AS (
        INSERT INTO attempts (case_id, number, channel, reason, started_at) SELECT id, 1, :channel, 'first', :at FROM begun
    ), opening AS (
        INSERT INTO messages (case_id, direction, channel, channel_message_id, text, status, created_at)
        SELECT id, 'system', :channel, 'start', :opening, 'received', :at FROM begun
        RETURNING case_id
    )
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(CAST(:queue AS text), CAST(:task AS text), 0, NULL, NULL, jsonb_build_object('case_id', case_id), NULL)::procrastinate_job_to_defer_v1
    ]) FROM opening
    """
)


async def begin_as_visitor(session: AsyncSession, script: Prepared, variables: Mapping[str, Any], name: str, channel: str) -> str:
    """A new case of a new, unknown customer called `name`; its opening is on the way. Returns its id."""
    case_id = secrets.token_hex(16)
    given = {
        "script": script.script.id, "digest": script.digest, "name": name, "case_id": case_id, "channel": channel, "at": clock.now(),
        "variables": json.dumps(dict(variables), ensure_ascii=False), "opening": Trigger.START.value, "queue": TURN_QUEUE, "task": TURN_TASK,
    }  # fmt: skip
    if (await session.execute(_BEGIN, given)).first() is None:
        await records.save_revision(session, script.script.id, str(script.script.version), script.content)
        (await session.execute(_BEGIN, given)).one()
    return case_id

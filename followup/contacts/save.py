"""Write the customers of a file or a call down: all of them in the caller's transaction, set by set, or none.

200,000 rows go through a temporary table: COPY, a few joins that say who is known already, one UPDATE, one INSERT.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.contacts.parse import OPENID_FIELD, BadRow, GivenConsent, NewContact, Stop
from followup.contacts.progress import NOBODY_ASKS, Progress
from followup.settings import SHANGHAI
from followup.store.campaign_models import Import

MOST_BAD_KEPT = 1000
_JSON = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Looked:
    """What would come of it. `known`: customers there are already; `blocked`: lines of those on the do-not-contact list."""

    new: int
    known: int
    bad: tuple[BadRow, ...]
    blocked: frozenset[int]
    """With those of whom the file itself says so."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where customers come from, for the record of the import."""

    source: str
    """console | cli | api"""
    digest: str
    rows: int
    file_name: str = ""
    merged: int = 0
    groups: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    bad: tuple[BadRow, ...] = ()
    """Rows that were not taken before we came here."""
    user_id: int | None = None
    api_key_id: int | None = None
    recorded: bool = True
    """False: a single customer, of whom the list of imports says nothing."""


@dataclass(frozen=True, slots=True)
class Saved:
    """How many were new, and known already (`updated` of them changed); which contradict what is known.

    `written` False: nothing was, because of `bad`. `import_id`: the record of it, where one was made.
    """

    created: int
    updated: int
    unchanged: int
    bad: tuple[BadRow, ...]
    blocked: int
    import_id: int | None = None
    written: bool = True
    ids: dict[int, int] = field(default_factory=dict)
    """line -> contact, of a call of the API."""


async def hold(session: AsyncSession) -> None:
    """One at a time: to the end of the transaction nobody else brings customers, and nobody is erased."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('contacts:import', 0))"))


async def look(session: AsyncSession, contacts: Sequence[NewContact], progress: Progress = NOBODY_ASKS) -> Looked:
    """Compare with what is known. Leaves the temporary table `incoming` for `save_contacts`; writes nothing else."""
    await _copy(session, contacts, progress)
    progress.begin("compare")
    for statement in _MATCH:
        await session.execute(text(statement), {"openid": OPENID_FIELD} if ":openid" in statement else {})
    if await session.scalar(text(f"SELECT EXISTS (SELECT FROM do_not_contact WHERE {_HAS_DIGESTS} AND lifted_at IS NULL)")):
        for statement in _BY_DIGEST:
            await session.execute(text(statement))
    bad = tuple(BadRow(row.line, _REASONS[row.fault].format(**row._mapping)) for row in await session.execute(text(_FAULTS)))
    counts = (await session.execute(text("SELECT count(*) FILTER (WHERE is_new) AS new, count(*) AS every FROM incoming WHERE fault IS NULL"))).one()
    blocked = await session.scalars(text("SELECT line FROM incoming WHERE blocked"))
    return Looked(counts.new, counts.every - counts.new, bad, frozenset(blocked))


async def save_contacts(
    session: AsyncSession,
    contacts: Sequence[NewContact],
    source: Source,
    at: datetime,
    *,
    skip_bad: bool = False,
    cells: Mapping[int, tuple[str, ...]] | None = None,
    stops: Sequence[Stop] = (),
    progress: Progress = NOBODY_ASKS,
) -> Saved:
    """Create, or complete who is known. The file's columns win over older values of the same column; groups are added.

    Without `skip_bad` nothing is written when a row contradicts what is known. `cells`: what the file says in each line, for
    the record of what was not taken. `stops`: rows that are not taken, of people who must not be contacted all the same.
    """
    await hold(session)
    looked = await look(session, contacts, progress)
    progress.begin("write")
    if cells:
        looked = replace(looked, bad=tuple(replace(row, cells=cells.get(row.line, ())) for row in looked.bad))
    every_bad = (*source.bad, *looked.bad)
    if every_bad and not skip_bad:
        return Saved(looked.new, looked.known, 0, looked.bad, len(looked.blocked), written=False)
    import_id = await _record(session, source, looked, every_bad, at) if source.recorded else None
    values = {"at": at, "import_id": import_id, "user_id": source.user_id, "by": "api" if source.source == "api" else "import"}
    await _add_stops(session, stops)
    updated = 0
    for name, statement in _WRITE.items():
        if name == "members" and import_id is None:
            continue
        done = await session.execute(text(statement), {key: value for key, value in values.items() if f":{key}" in statement})
        if name == "update":
            updated = done.rowcount  # type: ignore[attr-defined]
    await session.execute(update(Import).where(Import.id == import_id).values(updated=updated))
    session.expire_all()  # what was loaded of the customers is no longer what stands there
    ids: dict[int, int] = {}
    if source.source == "api":
        ids = {line: contact for line, contact in await session.execute(text("SELECT line, contact_id FROM incoming"))}
    return Saved(looked.new, updated, looked.known - updated, looked.bad, len(looked.blocked), import_id, ids=ids)


async def _record(session: AsyncSession, source: Source, looked: Looked, bad: Sequence[BadRow], at: datetime) -> int:
    record = Import(
        source=source.source,
        file_name=source.file_name[:200],
        digest=source.digest,
        rows=source.rows,
        created=looked.new,
        updated=0,
        merged=source.merged,
        bad=kept_bad(source.header, bad),
        bad_count=len(bad),
        groups=list(source.groups),
        user_id=source.user_id,
        api_key_id=source.api_key_id,
        at=at,
    )
    session.add(record)
    await session.flush()
    return record.id


async def earlier_import(session: AsyncSession, digest: str) -> Import | None:
    """The last time that a file of exactly this content was taken."""
    return await session.scalar(select(Import).where(Import.digest == digest).order_by(Import.id.desc()).limit(1))


def kept_bad(header: Sequence[str], bad: Sequence[BadRow]) -> list[dict[str, Any]]:
    """As `imports.bad` keeps them: the header first, then the rows."""
    rows = [{"line": 1, "reason": "", "cells": list(header)}] if bad else []
    ordered = sorted(bad, key=lambda row: row.line)[:MOST_BAD_KEPT]
    return rows + [{"line": row.line, "reason": row.reason, "cells": list(row.cells)} for row in ordered]


async def _add_stops(session: AsyncSession, stops: Sequence[Stop]) -> None:
    """Rows that are not taken wait beside the others, as faulty ones, for the do-not-contact list."""
    rows = [{"line": stop.line, "phone": stop.phone or None, "email": stop.email or None, "stop": stop.reason} for stop in stops]
    if rows:
        await session.execute(text(_ADD_STOP), rows)


async def _copy(session: AsyncSession, contacts: Sequence[NewContact], progress: Progress) -> None:
    await session.execute(text("DROP TABLE IF EXISTS incoming"))
    await session.execute(text(_INCOMING))
    connection = await (await session.connection()).get_raw_connection()
    async with connection.driver_connection.cursor() as cursor:  # type: ignore[union-attr]
        columns = "line, name, title, phone, email, external_id, openid, groups, fields, consents, stop"
        progress.begin("compare", len(contacts))
        async with cursor.copy(f"COPY incoming ({columns}) FROM STDIN") as copy:
            for number, one in enumerate(contacts):
                if number % 500 == 0:
                    progress.done = number
                    await asyncio.sleep(0)
                await copy.write_row(_row(one))
    await session.execute(text("ANALYZE incoming (phone, email, external_id, openid, stop)"))


def _row(one: NewContact) -> tuple[Any, ...]:
    fields = {**one.fields, OPENID_FIELD: one.openid} if one.openid else one.fields
    consents = _consents(one.consents) if one.consents else None
    ids = (one.phone or None, one.email or None, one.external_id or None, one.openid or None)
    return (one.line, one.name, one.title, *ids, list(one.groups), _JSON.encode(fields), consents, one.stop or None)


@lru_cache(maxsize=1 << 12)
def _consents(consents: tuple[GivenConsent, ...]) -> str:
    """Most rows of a file say the same."""
    return _JSON.encode([_consent(consent) for consent in consents])


def _consent(consent: GivenConsent) -> dict[str, Any]:
    at = datetime.fromisoformat(consent.at) if consent.at else None
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=SHANGHAI)
    return {
        "channel": consent.channel,
        "given": consent.given,
        "source": consent.source,
        "text_version": consent.text_version,
        "at": at.isoformat() if at else None,
    }


_INCOMING = """
CREATE TEMPORARY TABLE incoming (
    line bigint PRIMARY KEY, name text, title text, phone text, email text, external_id text, openid text, groups text[],
    fields jsonb, consents jsonb, stop text, by_id bigint, by_phone bigint, by_openid bigint, by_email bigint, contact_id bigint,
    is_new boolean NOT NULL DEFAULT false, blocked boolean NOT NULL DEFAULT false, fault text
) ON COMMIT DROP
"""

_OURS = "NOT contacts.is_anonymous AND NOT contacts.is_demo AND contacts.erased_at IS NULL"
_MATCH = (
    f"""
    WITH phones AS (
        SELECT phone, min(id) AS id FROM contacts WHERE phone IN (SELECT phone FROM incoming) AND {_OURS} GROUP BY phone
    ), openids AS (
        SELECT fields ->> :openid AS openid, min(id) AS id FROM contacts
        WHERE EXISTS (SELECT FROM incoming WHERE openid IS NOT NULL) AND fields ? CAST(:openid AS text) AND {_OURS} GROUP BY 1
    ), alone AS (
        SELECT email FROM incoming WHERE email IS NOT NULL AND phone IS NULL AND external_id IS NULL AND openid IS NULL
    ), emails AS (
        SELECT email, min(id) AS id FROM contacts WHERE email IN (SELECT email FROM alone) AND {_OURS} GROUP BY email
    ), found AS (
        SELECT incoming.line, numbers.id AS by_id, phones.id AS by_phone, openids.id AS by_openid, emails.id AS by_email FROM incoming
        LEFT JOIN contacts AS numbers ON numbers.external_id = incoming.external_id
        LEFT JOIN phones ON phones.phone = incoming.phone LEFT JOIN openids ON openids.openid = incoming.openid
        LEFT JOIN emails ON emails.email = incoming.email
            AND incoming.phone IS NULL AND incoming.external_id IS NULL AND incoming.openid IS NULL
    )
    UPDATE incoming SET by_id = found.by_id, by_phone = found.by_phone, by_openid = found.by_openid, by_email = found.by_email,
        is_new = coalesce(found.by_id, found.by_phone, found.by_openid, found.by_email) IS NULL,
        contact_id = coalesce(found.by_id, found.by_phone, found.by_openid, found.by_email, nextval(pg_get_serial_sequence('contacts', 'id')))
    FROM found WHERE found.line = incoming.line
    """,
    # Whom a firm's own number names is that customer, whatever else changed; a telephone alone may be somebody else's.
    """
    UPDATE incoming SET fault = CASE
        WHEN by_phone <> contact_id OR by_openid <> contact_id THEN 'two_customers'
        WHEN by_id IS NULL AND known.external_id <> incoming.external_id THEN 'other_id'
        WHEN by_id IS NULL AND known.name <> incoming.name AND known.name <> ''
            THEN CASE WHEN by_email IS NULL THEN 'other_name' ELSE 'other_mailbox' END
    END
    FROM contacts AS known
    WHERE known.id = incoming.contact_id AND (by_phone <> contact_id OR by_openid <> contact_id
        OR by_id IS NULL AND (known.external_id <> incoming.external_id OR known.name <> incoming.name))
    """,
    """
    UPDATE incoming SET fault = 'same_twice'
    FROM (SELECT line, row_number() OVER (PARTITION BY contact_id ORDER BY line) AS place FROM incoming WHERE NOT is_new) AS twice
    WHERE twice.line = incoming.line AND twice.place > 1 AND fault IS NULL
    """,
    "UPDATE incoming SET blocked = true WHERE stop IS NOT NULL",
    "UPDATE incoming SET blocked = true FROM do_not_contact AS stop WHERE stop.lifted_at IS NULL AND stop.phone = incoming.phone",
    "UPDATE incoming SET blocked = true FROM do_not_contact AS stop WHERE stop.lifted_at IS NULL AND stop.email = incoming.email",
    # What stands of the customer counts too: the file may bring another number, or none.
    """
    UPDATE incoming SET blocked = true FROM contacts AS known, do_not_contact AS stop
    WHERE NOT blocked AND NOT is_new AND known.id = incoming.contact_id AND stop.lifted_at IS NULL AND stop.phone = known.phone
    """,
    """
    UPDATE incoming SET blocked = true FROM contacts AS known, do_not_contact AS stop
    WHERE NOT blocked AND NOT is_new AND known.id = incoming.contact_id AND stop.lifted_at IS NULL AND stop.email = known.email
    """,
    "UPDATE incoming SET blocked = true FROM do_not_contact AS stop WHERE stop.lifted_at IS NULL AND stop.contact_id = incoming.contact_id",
)
_HAS_DIGESTS = "(phone_digest IS NOT NULL OR email_digest IS NOT NULL OR other_digests <> '{}')"
_INCOMING_DIGESTS = """
WITH mine AS MATERIALIZED (
    SELECT incoming.line, digest FROM incoming LEFT JOIN contacts AS known ON known.id = incoming.contact_id AND NOT is_new
    CROSS JOIN LATERAL unnest(ARRAY[phone_digest(incoming.phone), phone_digest(incoming.email), phone_digest('id:' || incoming.external_id),
        phone_digest('openid:' || incoming.openid), phone_digest(known.phone), phone_digest(known.email)]) AS digest
    WHERE digest IS NOT NULL
), theirs AS MATERIALIZED (
    SELECT source = 'erased' AS erased, unnest(array_remove(ARRAY[phone_digest, email_digest]::text[], NULL) || other_digests) AS digest
    FROM do_not_contact WHERE lifted_at IS NULL
), same AS (SELECT line, bool_or(erased) AS erased, bool_or(NOT erased) AS stopped FROM mine JOIN theirs USING (digest) GROUP BY line)
"""
_BY_DIGEST = (
    f"{_INCOMING_DIGESTS} UPDATE incoming SET blocked = blocked OR same.stopped, fault = CASE WHEN same.erased THEN 'erased' ELSE fault END "
    "FROM same WHERE same.line = incoming.line",
)

_FAULTS = """
SELECT incoming.line, incoming.fault, incoming.name, known.name AS known_name, known.external_id AS known_id,
    (SELECT min(line) FROM incoming AS first WHERE first.contact_id = incoming.contact_id) AS first_line
FROM incoming LEFT JOIN contacts AS known ON known.id = incoming.contact_id WHERE incoming.fault IS NOT NULL ORDER BY incoming.line
"""
_REASONS = {
    "two_customers": "客户编号、电话和 OpenID 属于不同的已登记客户，请核对。",
    "other_id": "电话已登记在客户编号“{known_id}”名下，与这一行的编号不同，请核对。",
    "erased": "这位客户要求删除过资料，不能再导入。本人如果重新同意，请先由主管在免打扰名单里解除，再导入。",
    "other_mailbox": "邮箱已登记在“{known_name}”名下，与姓名“{name}”不符，请核对；不是同一位客户，请加上电话或客户编号。",
    "other_name": "电话已登记在“{known_name}”名下，与姓名“{name}”不符，请核对。",
    "same_twice": "与第 {first_line} 行是同一位已登记的客户，请合并成一行。",
}

_UNION = "known.groups || ARRAY(SELECT g FROM unnest(incoming.groups) AS g WHERE g <> ALL (known.groups))"
_ADD_STOP = """
INSERT INTO incoming (line, phone, email, stop, fault, groups, fields) VALUES (:line, :phone, :email, :stop, 'stop', '{}', '{}')
ON CONFLICT (line) DO NOTHING
"""
_OWN_STOP = "SELECT FROM do_not_contact AS own WHERE own.lifted_at IS NULL AND own.contact_id"
_WRITE = {
    # Whose old number or mailbox must not be contacted is the same person with a new one.
    "inherit": f"""
        INSERT INTO do_not_contact (contact_id, phone, email, reason, source, user_id, at)
        SELECT DISTINCT ON (known.id) known.id, known.phone, known.email, '原来的号码或邮箱在免打扰名单上', :by, CAST(:user_id AS bigint), :at
        FROM incoming JOIN contacts AS known ON known.id = incoming.contact_id
        WHERE NOT incoming.is_new AND incoming.fault IS NULL AND incoming.blocked
            AND (incoming.phone <> known.phone OR incoming.email <> known.email)
            AND EXISTS (
                SELECT FROM do_not_contact AS stop
                WHERE stop.lifted_at IS NULL AND stop.source <> 'erased' AND (stop.phone = known.phone OR stop.email = known.email
                    OR stop.phone_digest = phone_digest(known.phone) OR stop.email_digest = phone_digest(known.email)))
            AND NOT EXISTS ({_OWN_STOP} = known.id)
        """,
    "update": f"""
        UPDATE contacts AS known SET name = incoming.name, title = coalesce(nullif(incoming.title, ''), known.title),
            phone = coalesce(incoming.phone, known.phone), email = coalesce(incoming.email, known.email),
            external_id = coalesce(incoming.external_id, known.external_id), groups = {_UNION},
            fields = known.fields || incoming.fields, updated_at = :at
        FROM incoming
        WHERE known.id = incoming.contact_id AND NOT incoming.is_new AND incoming.fault IS NULL AND known.erased_at IS NULL AND (
            known.name <> incoming.name OR nullif(incoming.title, '') <> known.title OR incoming.phone IS DISTINCT FROM coalesce(known.phone, '')
                AND incoming.phone IS NOT NULL
            OR incoming.email IS NOT NULL AND incoming.email IS DISTINCT FROM known.email
            OR incoming.external_id IS NOT NULL AND incoming.external_id IS DISTINCT FROM known.external_id
            OR NOT known.groups @> incoming.groups OR NOT known.fields @> incoming.fields)
        """,
    "insert": """
        INSERT INTO contacts (id, name, title, phone, email, external_id, groups, fields, created_at, updated_at)
        SELECT contact_id, name, title, phone, email, external_id, groups, fields, :at, :at FROM incoming
        WHERE is_new AND fault IS NULL ORDER BY line
        """,
    # The file itself says so. A row that is not taken stops its number and mailbox.
    "stop": f"""
        INSERT INTO do_not_contact (contact_id, phone, email, reason, source, user_id, at)
        SELECT known.id, coalesce(known.phone, incoming.phone), coalesce(known.email, incoming.email), CASE WHEN CAST(:by AS text) = 'api' THEN '客户系统的资料里' ELSE '名单里' END || incoming.stop, :by,
            CAST(:user_id AS bigint), :at
        FROM incoming LEFT JOIN contacts AS known ON known.id = incoming.contact_id AND incoming.fault IS NULL
        WHERE incoming.stop IS NOT NULL AND (known.id IS NOT NULL OR incoming.phone IS NOT NULL OR incoming.email IS NOT NULL)
            AND NOT EXISTS ({_OWN_STOP} = known.id)
            AND (known.id IS NOT NULL OR NOT EXISTS (
                SELECT FROM do_not_contact AS stop WHERE stop.lifted_at IS NULL AND (stop.phone = incoming.phone OR stop.email = incoming.email)))
        """,
    "withdraw": """
        INSERT INTO consents (contact_id, channel, given, source, user_id, import_id, at)
        SELECT contact_id, channel, false, '导入的名单', CAST(:user_id AS bigint), CAST(:import_id AS bigint), :at FROM (
            SELECT DISTINCT ON (consents.contact_id, channel) consents.contact_id, channel, given FROM consents
            JOIN incoming ON incoming.contact_id = consents.contact_id WHERE incoming.stop IS NOT NULL AND incoming.fault IS NULL
            ORDER BY consents.contact_id, channel, consents.id DESC) AS newest
        WHERE given
        """,
    "callbacks": """
        UPDATE callbacks SET status = 'cancelled' FROM cases JOIN contacts ON contacts.id = cases.contact_id
        JOIN incoming ON incoming.stop IS NOT NULL AND (incoming.contact_id = contacts.id AND incoming.fault IS NULL OR incoming.phone = contacts.phone)
        WHERE callbacks.case_id = cases.id AND callbacks.status = 'booked'
        """,
    "members": "INSERT INTO imported_contacts (import_id, contact_id) SELECT :import_id, contact_id FROM incoming WHERE fault IS NULL",
    # The customer's newest word counts. A file that does not say when somebody agreed does not undo a refusal.
    "consents": """
        INSERT INTO consents (contact_id, channel, given, source, text_version, user_id, import_id, at)
        SELECT incoming.contact_id, new.channel, new.given, new.source, new.text_version, CAST(:user_id AS bigint), CAST(:import_id AS bigint),
            least(coalesce(new.at, :at), :at)
        FROM incoming
        CROSS JOIN LATERAL jsonb_to_recordset(incoming.consents) AS new (channel text, given boolean, source text, text_version text, at timestamptz)
        LEFT JOIN LATERAL (
            SELECT consents.given, consents.source, consents.text_version, consents.at FROM consents
            WHERE consents.contact_id = incoming.contact_id AND consents.channel = new.channel ORDER BY consents.id DESC LIMIT 1
        ) AS last ON true
        WHERE incoming.fault IS NULL AND incoming.consents IS NOT NULL
            AND (last.given IS NULL OR new.at > last.at OR new.at IS NULL AND (last.given OR NOT new.given))
            AND (last.given, last.source, last.text_version) IS DISTINCT FROM (new.given, new.source, new.text_version)
        """,
}

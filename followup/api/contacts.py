"""What customer systems may do: write customers, say what happened to them, ask for silence, read the result."""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.api import read
from followup.api.problems import FieldError, Problem
from followup.console.audit import audit
from followup.contacts import consent
from followup.contacts.parse import NewContact
from followup.contacts.save import Saved, Source, save_contacts
from followup.rights import block
from followup.settings import SHANGHAI
from followup.store.models import Contact
from followup.store.records import is_blocked

Answer = tuple[int, dict[str, Any]]


async def put_contact(session: AsyncSession, request: web.Request, body: Any) -> Answer:
    """PUT /contacts/{external_id}"""
    contact = read.contact_of(body, _external_id(request), clock.now().date())
    saved = await _save(session, request, [contact], recorded=False)
    return (201 if saved.created else 200), _told(saved, [contact])


async def post_contacts(session: AsyncSession, request: web.Request, body: Any) -> Answer:
    """POST /contacts: all of them, or none."""
    contacts = read.contacts_of(body, clock.now().date())
    return 200, _told(await _save(session, request, contacts, recorded=True), contacts)


async def _save(session: AsyncSession, request: web.Request, contacts: list[NewContact], *, recorded: bool) -> Saved:
    digest = hashlib.sha256(await request.read()).hexdigest()
    source = Source("api", digest, len(contacts), user_id=request["user_id"], api_key_id=request["key_id"], recorded=recorded)
    saved = await save_contacts(session, contacts, source, clock.now())
    if not saved.written:
        errors = [FieldError(f"/contacts/{row.line - 1}" if recorded else "", row.reason) for row in saved.bad]
        raise Problem(409, f"有 {len(errors)} 位与已登记的客户矛盾，什么也没有写入。", errors[:100])
    return saved


def _told(saved: Saved, contacts: list[NewContact]) -> dict[str, Any]:
    return {
        "created": saved.created,
        "updated": saved.updated,
        "unchanged": saved.unchanged,
        "do_not_contact": saved.blocked,
        "contacts": [{"id": saved.ids[one.line], "external_id": one.external_id or None} for one in contacts],
    }


async def event(session: AsyncSession, request: web.Request, body: Any) -> Answer:
    """POST /contacts/{external_id}/events: a date of the customer; campaigns plan by it within a minute."""
    now = clock.now()
    name, at = read.event_of(body, now.astimezone(SHANGHAI))
    contact = await _contact(session, request)
    if contact.fields.get(name) != at:
        contact.fields = {**contact.fields, name: at}
        contact.updated_at = now
    return 200, {"id": contact.id, "name": name, "at": at}


async def stop_customer(session: AsyncSession, request: web.Request, body: Any) -> Answer:
    """POST /contacts/{external_id}/do-not-contact"""
    _, reason = read.stop_of(body, with_phone=False)
    contact = await _contact(session, request)
    now = clock.now()
    try:
        entry = await block.block_contact(session, contact.id, reason, request["user_id"], now, block.Source.API)
    except block.BlockError as error:
        if error.key != "already":
            raise Problem(404, _NO_CUSTOMER) from None
        entry = None
    # Also of who stood on the list before: a consent may have been written since.
    await consent.withdraw_all(session, contact.id, "客户系统", now)
    if entry is None:
        return 200, {"added": False}
    await audit(session, None, "block.add", "block", entry.id, source="api")
    return 200, {"added": True}


async def stop_number(session: AsyncSession, request: web.Request, body: Any) -> Answer:
    """POST /do-not-contact: a number, whoever has it now or later."""
    phone, reason = read.stop_of(body, with_phone=True)
    try:
        entry = await block.block_phone(session, phone, reason, request["user_id"], clock.now(), block.Source.API)
    except block.BlockError as error:
        if error.key == "bad_phone":
            wrong = FieldError("/phone", f"电话“{phone}”不是有效的手机号或带区号的座机号。")
            raise Problem(422, "有 1 处需要修改，什么也没有写入。", [wrong]) from None
        return 200, {"added": False}
    await audit(session, None, "block.add", "block", entry.id, source="api")
    return 200, {"added": True}


async def result(session: AsyncSession, request: web.Request, body: Any) -> Answer:
    """GET /contacts/{external_id}/result: where the customer's follow-up stands and what they answered."""
    contact = await _contact(session, request)
    talks = [row[0] for row in await session.execute(text(_TALKS), {"contact_id": contact.id})]
    plans = [row[0] for row in await session.execute(text(_PLANS), {"contact_id": contact.id})]
    return 200, {
        "id": contact.id,
        "external_id": contact.external_id,
        "groups": contact.groups,
        "do_not_contact": await is_blocked(session, contact.id),
        "consents": await consent.standing(session, contact.id),
        "talks": talks,
        "campaigns": plans,
    }


_TALKS = """
SELECT jsonb_build_object('id', talk.id, 'script', talk.script_id, 'version', CASE talk.side WHEN 'first' THEN 'A' WHEN 'second' THEN 'B' END, 'status', talk.status, 'outcome', talk.outcome,
    'created_at', talk.created_at, 'opened_at', talk.opened_at, 'ended_at', talk.ended_at,
    'answers', coalesce((SELECT jsonb_agg(jsonb_build_object('question', question_id, 'value', value, 'words', words) ORDER BY answers.id)
        FROM answers WHERE answers.case_id = talk.id AND NOT answers.superseded), '[]'),
    'tickets', coalesce((SELECT jsonb_agg(jsonb_build_object('id', tickets.id, 'kind', kind, 'severity', severity, 'status', tickets.status,
        'department', department) ORDER BY tickets.id) FROM tickets WHERE tickets.case_id = talk.id), '[]'))
FROM cases AS talk WHERE talk.contact_id = :contact_id AND talk.erased_at IS NULL ORDER BY talk.created_at DESC, talk.id LIMIT 50
"""
_PLANS = """
SELECT jsonb_build_object('campaign', campaigns.name, 'rule', ledger.rule, 'occurrence', ledger.occurrence, 'stage', ledger.stage,
    'reason', ledger.reason, 'due_at', ledger.due_at, 'sent_at', ledger.sent_at, 'talk', ledger.case_id)
FROM campaign_ledger AS ledger JOIN campaigns ON campaigns.id = ledger.campaign_id
WHERE ledger.contact_id = :contact_id ORDER BY ledger.id DESC LIMIT 100
"""
_NO_CUSTOMER = "没有这个编号的客户，请先写入客户。"


async def _contact(session: AsyncSession, request: web.Request) -> Contact:
    query = select(Contact).where(Contact.external_id == _external_id(request), Contact.erased_at.is_(None))
    contact = await session.scalar(query.with_for_update(key_share=True) if request.method != "GET" else query)
    if contact is None:
        raise Problem(404, _NO_CUSTOMER)
    return contact


def _external_id(request: web.Request) -> str:
    name = request.match_info["external_id"].strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise Problem(404, _NO_CUSTOMER)
    return name

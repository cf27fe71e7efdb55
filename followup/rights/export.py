"""Everything we hold about one customer, as a ZIP: `data.json` for machines, a page in Chinese for people."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.rights.erase import Who, who_is

_TEMPLATE = Path(__file__).with_name("customer.html")
# name in data.json -> the rows. Hashes of links and logins are left out: they say nothing about anybody.
_OF_CASES = {
    "cases": "SELECT to_jsonb(c) || jsonb_build_object('script', r.content #>> '{script,name}', 'script_version', r.version) FROM cases c JOIN script_revisions r ON r.id = c.revision_id WHERE c.id = ANY(:cases) ORDER BY c.created_at, c.id",
    "attempts": "SELECT to_jsonb(t) FROM attempts t WHERE case_id = ANY(:cases) ORDER BY id",
    "messages": "SELECT to_jsonb(t) FROM messages t WHERE case_id = ANY(:cases) ORDER BY id",
    "answers": "SELECT to_jsonb(t) FROM answers t WHERE case_id = ANY(:cases) ORDER BY id",
    "answer_corrections": "SELECT to_jsonb(t) FROM answer_corrections t JOIN answers a ON a.id = t.answer_id WHERE a.case_id = ANY(:cases) ORDER BY t.id",
    "annotations": "SELECT to_jsonb(t) FROM annotations t JOIN messages m ON m.id = t.message_id WHERE m.case_id = ANY(:cases) ORDER BY t.id",
    "tickets": "SELECT to_jsonb(t) FROM tickets t WHERE case_id = ANY(:cases) ORDER BY id",
    "ticket_events": "SELECT to_jsonb(t) FROM ticket_events t JOIN tickets k ON k.id = t.ticket_id WHERE k.case_id = ANY(:cases) ORDER BY t.id",
    "callbacks": "SELECT to_jsonb(t) FROM callbacks t WHERE case_id = ANY(:cases) ORDER BY id",
    "notes": "SELECT to_jsonb(t) FROM notes t WHERE case_id = ANY(:cases) ORDER BY id",
    "staff_notes": "SELECT to_jsonb(t) FROM staff_notes t WHERE case_id = ANY(:cases) ORDER BY id",
    "staff_messages": "SELECT to_jsonb(t) FROM staff_messages t JOIN messages m ON m.id = t.message_id WHERE m.case_id = ANY(:cases) ORDER BY m.id",
    "take_overs": "SELECT to_jsonb(t) FROM take_overs t WHERE case_id = ANY(:cases) ORDER BY id",
    "inspections": "SELECT to_jsonb(t) FROM inspections t WHERE case_id = ANY(:cases) ORDER BY id",
    "inspection_corrections": "SELECT to_jsonb(t) FROM inspection_corrections t JOIN inspections i ON i.id = t.inspection_id WHERE i.case_id = ANY(:cases) ORDER BY t.id",
    "links": "SELECT to_jsonb(t) - 'token_hash' FROM access_tokens t WHERE case_id = ANY(:cases) ORDER BY id",
    "tracker_events": "SELECT to_jsonb(t) || jsonb_build_object('data', t.data::jsonb) FROM events t WHERE sender_id = ANY(:cases) ORDER BY id",
    "jobs": "SELECT to_jsonb(t) FROM procrastinate_jobs t WHERE args ->> 'case_id' = ANY(:cases) ORDER BY id",
}
_OF_CONTACTS = {
    "contacts": "SELECT to_jsonb(t) FROM contacts t WHERE id = ANY(:contacts) ORDER BY id",
    "consents": "SELECT to_jsonb(t) FROM consents t WHERE contact_id = ANY(:contacts) ORDER BY id",
    "campaign_entries": "SELECT to_jsonb(t) FROM campaign_entries t WHERE contact_id = ANY(:contacts) ORDER BY id",
    "deliveries": "SELECT to_jsonb(t) FROM deliveries t WHERE contact_id = ANY(:contacts) ORDER BY id",
    "imports": "SELECT jsonb_build_object('file_name', i.file_name, 'at', i.at) FROM imported_contacts t JOIN imports i ON i.id = t.import_id WHERE t.contact_id = ANY(:contacts) ORDER BY i.id",
    "do_not_contact": "SELECT to_jsonb(t) FROM do_not_contact t WHERE contact_id = ANY(:contacts) OR phone = ANY(:phones) ORDER BY id",
    "enquiries": "SELECT jsonb_build_object('case_id', id, 'created_at', created_at) FROM cases WHERE claimed_contact_id = ANY(:contacts) ORDER BY created_at",
    "audit_log": """
        SELECT to_jsonb(t) FROM audit_log t
        WHERE object_type = 'case' AND object_id = ANY(:cases) OR object_type = 'contact' AND object_id = ANY(:contact_names)
           OR detail ->> 'case' = ANY(:cases)
           OR object_type = 'ticket' AND object_id IN (SELECT id::text FROM tickets WHERE case_id = ANY(:cases))
           OR object_type = 'answer' AND object_id IN (SELECT id::text FROM answers WHERE case_id = ANY(:cases))
        ORDER BY id
    """,
}


@dataclass(frozen=True, slots=True)
class Exported:
    """A customer's file."""

    who: Who
    data: Mapping[str, Any]

    def as_zip(self, at: datetime, by: str) -> bytes:
        """`客户资料.html` and `data.json`. Slow for a long history: run it beside the event loop."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("客户资料.html", page_of(self.data, at, by))
            archive.writestr("data.json", json.dumps(self.data, ensure_ascii=False, indent=1))
        return out.getvalue()


async def export_customer(session: AsyncSession, contact_id: int) -> Exported:
    """Read everything. Raises rights.erase.NoSuchCustomer."""
    who = await who_is(session, contact_id)
    values = {
        "cases": who.cases, "contacts": who.contacts, "phones": who.phones, "contact_names": [str(one) for one in who.contacts],
    }  # fmt: skip
    data: dict[str, Any] = {}
    for name, query in {**_OF_CONTACTS, **_OF_CASES}.items():
        data[name] = list(await session.scalars(text(query), {key: values[key] for key in values if f":{key})" in query}))
    return Exported(who, data)


def page_of(data: Mapping[str, Any], at: datetime, by: str) -> str:
    """The page for people. Imports the console's names of codes, which are needed nowhere else here."""
    from followup.console.labels import label
    from followup.console.show import FILTERS

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters.update({**FILTERS, "label": label, "moment": _moment})
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(data=data, at=at, by=by)


def _moment(value: str | datetime | None) -> str:
    """A time, also as JSON wrote it."""
    from followup.console.show import moment

    return moment(datetime.fromisoformat(value) if isinstance(value, str) else value)

"""Customers: the list, one of them, what they are entitled to, and whom not to contact."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.campaigns.labels import label as campaign_label
from followup.console.audit import audit, entry_of
from followup.console.campaigns import queries as campaign_queries
from followup.console.campaigns.why import why
from followup.console.customers import queries
from followup.console.customers.imports import BadFile, parse_block_list
from followup.console.forms import field, object_id, query
from followup.console.paging import PER_PAGE, page_number, page_of
from followup.console.parts import database, page, see, sentence, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.transcripts.filters import talk_link
from followup.console.transcripts.masking import Mask, NoMask, is_personal, name_of, phone_of
from followup.contacts import consent
from followup.rights import block, logfiles, retention
from followup.rights.erase import NoSuchCustomer, NotNow, erase_customer, summary, who_is
from followup.rights.export import export_customer
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.models import Contact

_LIST = "/console/customers"
_BLOCKS = "/console/customers/blocks"
SOON = timedelta(days=30)
_SHOWN_BAD_LINES = 20


# —— the list ————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Listed:
    """A customer as the list shows them: always masked."""

    row: queries.CustomerRow
    link: str
    name: str
    phone: str


@needs(Permission.READ_CUSTOMERS)
async def customers_page(request: web.Request) -> web.Response:
    """GET /console/customers?q=&state=&page="""
    q, state = query(request, "q", longest=50), query(request, "state")
    at = clock.now()
    async with database(request).session() as session:
        rows, total = await queries.page_of_customers(session, q, state, page_number(request))
        due, next_at = await retention.due_next(session, at, settings(request).keep_days, SOON)
    listed = [
        Listed(row, f"{_LIST}/{row.contact.id}", name_of(row.contact.name) + row.contact.title, phone_of(row.contact.phone))
        for row in rows
    ]
    return page(
        request,
        "customers/list.html",
        customers=page_of(request, listed, min(total, queries.COUNTED_UP_TO)),
        more=total > queries.COUNTED_UP_TO,
        q=q,
        state=state,
        keep_days=settings(request).keep_days,
        due=due,
        next_at=next_at,
    )


# —— one customer ————————————————————————————————————————————————————


@needs(Permission.READ_CUSTOMERS)
async def customer_page(request: web.Request) -> web.Response:
    """GET /console/customers/{id}: masked."""
    return await _customer(request)


@needs(Permission.SEE_PERSONAL)
async def reveal(request: web.Request) -> web.Response:
    """POST /console/customers/{id}/reveal: the same page with name, number and words, this once; the audit log says who looked."""
    contact_id = object_id(request)
    async with database(request).session() as session:
        await _contact(session, contact_id)
        await audit(session, staff(request), "customer.reveal", "contact", contact_id)
    return await _customer(request, shown=True)


async def _customer(
    request: web.Request, *, shown: bool = False, error: str = "", about: str = "", status: int = 200
) -> web.Response:
    contact_id = object_id(request)
    async with database(request).session() as session:
        if erased_at := await queries.erased(session, contact_id):
            return page(request, "customers/erased.html", erased_at=erased_at, contact_id=contact_id)
        contact = await _contact(session, contact_id)
        who = await who_is(session, contact_id)
        view: dict[str, Any] = {
            "talks": await queries.talks_of(session, contact_id),
            "tickets": await queries.tickets_of(session, contact_id),
            "callbacks": await queries.callbacks_of(session, contact_id),
            "consents": await queries.consents_of(session, contact_id),
            "agreements": await consent.history(session, contact_id),
            "agreed": await consent.standing(session, contact_id),
            "channels": await queries.channels_of(session, contact_id),
            "entries": await block.entries_of(session, contact),
            "blocked": await records.is_blocked(session, contact_id),
            "campaign_rows": await campaign_queries.of_customer(session, contact_id),
        }
    mask = NoMask() if shown else Mask([*who.known, *(str(v) for k, v in contact.fields.items() if is_personal(k))])
    return page(
        request,
        "customers/customer.html",
        status=status,
        contact=contact,
        name=(contact.name if shown else name_of(contact.name)) + contact.title,
        phone=(contact.phone or "") if shown else phone_of(contact.phone),
        fields=[(key, value if shown else ("［已隐藏］" if is_personal(key) else mask(str(value)))) for key, value in contact.fields.items()],
        mask=mask,
        shown=shown,
        who=who,
        confirmation=_confirmation(contact_id),
        talk_link=talk_link,
        why=why,
        campaign_named=campaign_label,
        error=error,
        about=about,
        **view,
    )


async def _contact(session: AsyncSession, contact_id: int) -> Contact:
    contact = await session.get(Contact, contact_id)
    if contact is None or contact.erased_at is not None:
        raise web.HTTPNotFound
    return contact


# —— export and erase ————————————————————————————————————————————————


@needs(Permission.EXPORT)
async def export(request: web.Request) -> web.Response:
    """POST /console/customers/{id}/export: everything we hold, as a ZIP. A form, so that no link or preview does it."""
    contact_id, who = object_id(request), staff(request)
    try:
        async with database(request).session() as session:
            await audit(session, who, "customer.export", "contact", contact_id)
            exported = await export_customer(session, contact_id)
    except NoSuchCustomer:
        raise web.HTTPNotFound from None
    body = await asyncio.to_thread(exported.as_zip, clock.now(), who.name)
    name = f"customer-{contact_id}-{clock.now().astimezone(SHANGHAI):%Y%m%d-%H%M}.zip"
    headers = {"Content-Type": "application/zip", "Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, headers=headers)


@needs(Permission.ERASE_CUSTOMERS)
async def erase(request: web.Request) -> web.Response:
    """POST /console/customers/{id}/erase: everywhere and for good, after the confirmation was typed."""
    contact_id = object_id(request)
    reason = await field(request, "reason", longest=block.LONGEST_REASON)
    confirmed = await field(request, "confirm") == _confirmation(contact_id)
    try:
        async with database(request).session() as session:
            known = (await who_is(session, contact_id)).known
            if problem := _problem(reason, confirmed, known):
                return await _customer(request, error=sentence("erase_errors", problem), about="erase", status=400)
            entry = entry_of(staff(request), "customer.erase", "contact", contact_id, reason=reason)
            session.add(entry)
            await session.flush()
            who = await erase_customer(session, contact_id, entry.id, clock.now())
    except NoSuchCustomer:
        return await _customer(request)
    except NotNow:
        return await _customer(request, error=sentence("erase_errors", "not_now"), about="erase", status=409)
    blanked = await asyncio.to_thread(logfiles.blank_home, settings(request).home, who.known)
    return page(request, "customers/erased.html", erased_at=clock.now(), contact_id=contact_id, done={**summary(who), "logs": blanked})


def _confirmation(contact_id: int) -> str:
    """What must be typed, so that nobody erases by a slip of the finger."""
    return f"删除客户 {contact_id}"


def _problem(reason: str, confirmed: bool, known: list[str]) -> str:
    if not reason:
        return "no_reason"
    if any(one in reason for one in known):
        return "personal"
    return "" if confirmed else "not_confirmed"


# —— do not contact ————————————————————————————————————————————————————


@needs(Permission.BLOCK_CUSTOMERS)
async def block_customer(request: web.Request) -> web.Response:
    """POST /console/customers/{id}/block"""
    contact_id, reason = object_id(request), await field(request, "reason", longest=block.LONGEST_REASON)
    try:
        async with database(request).session() as session:
            entry = await block.block_contact(session, contact_id, reason, staff(request).id, now := clock.now())
            # What was agreed to is taken back, for all to see; when the entry is lifted, the customer is asked again.
            await consent.withdraw_all(session, contact_id, sentence("block_sources", "staff"), now)
            await audit(session, staff(request), "block.add", "block", entry.id, source=block.Source.STAFF.value)
    except block.BlockError as error:
        return await _customer(request, error=sentence("block_errors", error.key), about="block", status=400)
    return see(f"{_LIST}/{contact_id}#block")


@needs(Permission.READ_CUSTOMERS)
async def blocks_page(request: web.Request) -> web.Response:
    """GET /console/customers/blocks?q=&source=&all=1&page="""
    return await _blocks(request)


async def _blocks(request: web.Request, *, error: str = "", about: str = "", told: str = "", status: int = 200) -> web.Response:
    q, source, standing = query(request, "q", longest=50), query(request, "source"), "all" not in request.query
    number = page_number(request)
    async with database(request).session() as session:
        total = await block.count_entries(session, q, standing=standing, source=source, most=queries.COUNTED_UP_TO + 1)
        rows = await block.page_of_entries(
            session, q, standing=standing, source=source, limit=PER_PAGE, offset=(number - 1) * PER_PAGE
        )
    return page(
        request,
        "customers/blocks.html",
        status=status,
        blocks=page_of(request, rows, min(total, queries.COUNTED_UP_TO)),
        more=total > queries.COUNTED_UP_TO,
        q=q,
        source=source,
        standing=standing,
        name_of=name_of,
        phone_of=phone_of,
        mask_of=_mask_of,
        talk_link=talk_link,
        error=error,
        about=about,
        told=told,
    )


def _mask_of(row: block.BlockRow) -> Mask:
    """The list is masked for everybody, with what a reason or the customer's words say."""
    contact = row.contact
    return Mask([contact.name, contact.phone or ""] if contact else [])


@needs(Permission.BLOCK_CUSTOMERS)
async def add_block(request: web.Request) -> web.Response:
    """POST /console/customers/blocks: a number, whether or not it is a customer's."""
    phone, reason = await field(request, "phone", longest=30), await field(request, "reason", longest=block.LONGEST_REASON)
    try:
        async with database(request).session() as session:
            entry = await block.block_phone(session, phone, reason, staff(request).id, clock.now())
            await audit(session, staff(request), "block.add", "block", entry.id, source=block.Source.STAFF.value)
    except block.BlockError as error:
        return await _blocks(request, error=sentence("block_errors", error.key), about="add", status=400)
    return see(_BLOCKS)


@needs(Permission.LIFT_BLOCKS)
async def import_blocks(request: web.Request) -> web.Response:
    """POST /console/customers/blocks/import: a list of numbers; lines without a number are named and passed over."""
    form = await request.post()
    reason = await field(request, "reason", longest=block.LONGEST_REASON)
    sent = form.get("file")
    try:
        if not isinstance(sent, web.FileField):
            raise BadFile("no_file")
        if not reason:
            raise BadFile("no_reason")
        found = await asyncio.to_thread(parse_block_list, sent.file.read(), reason)
        async with database(request).session() as session:
            added, known = await block.block_all(session, found.numbers, staff(request).id, clock.now())
            await audit(session, staff(request), "block.import", "block", "", rows=added, known=known)
    except BadFile as error:
        text = sentence("block_errors", error.key) if error.key else error.text
        return await _blocks(request, error=text, about="import", status=400)
    told = f"新加入 {added} 个号码，已经在名单上的 {known} 个。"
    if found.bad:
        lines = "、".join(map(str, found.bad[:_SHOWN_BAD_LINES])) + ("等" if len(found.bad) > _SHOWN_BAD_LINES else "")
        told += f"有 {len(found.bad)} 行不是有效的号码，没有导入：第 {lines} 行。"
    return await _blocks(request, told=told)


@needs(Permission.LIFT_BLOCKS)
async def lift_block(request: web.Request) -> web.Response:
    """POST /console/customers/blocks/{id}/lift"""
    entry_id, reason = object_id(request), await field(request, "reason", longest=block.LONGEST_REASON)
    try:
        async with database(request).session() as session:
            entry = await block.lift(session, entry_id, reason, staff(request).id, clock.now())
            await audit(session, staff(request), "block.lift", "block", entry.id)
    except block.BlockError as error:
        if error.key == "no_entry":
            raise web.HTTPNotFound from None
        return await _blocks(request, error=sentence("block_errors", error.key), about=f"lift-{entry_id}", status=400)
    back = await field(request, "back")
    return see(f"{_LIST}/{int(back)}#block" if back.isascii() and back.isdigit() and len(back) < 19 else _BLOCKS)


routes = [
    web.get("/customers", customers_page),
    web.get("/customers/blocks", blocks_page),
    web.post("/customers/blocks", add_block),
    web.post("/customers/blocks/import", import_blocks),
    web.post(r"/customers/blocks/{id:\d+}/lift", lift_block),
    web.get(r"/customers/{id:\d+}", customer_page),
    web.post(r"/customers/{id:\d+}/reveal", reveal),
    web.post(r"/customers/{id:\d+}/export", export),
    web.post(r"/customers/{id:\d+}/erase", erase),
    web.post(r"/customers/{id:\d+}/block", block_customer),
]

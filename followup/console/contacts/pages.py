"""Importing customers, what was imported, and the keys of customer systems."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import func, select

from followup import clock
from followup.api import keys
from followup.console.audit import audit
from followup.console.forms import field, object_id
from followup.console.paging import PER_PAGE, page_number, page_of
from followup.console.parts import database, see, sentence, staff
from followup.console.parts import page as any_page
from followup.console.permissions import Permission, needs
from followup.contacts import columns, importing, uploads
from followup.contacts.groups import KNOWN, read_groups
from followup.contacts.parse import CHANNELS, Agreed, BadRow, Choices
from followup.contacts.save import earlier_import
from followup.contacts.table import ContactsFileError, look_at
from followup.contacts.xlsx import bad_sheet
from followup.store.campaign_models import ApiKey, Import, ImportedContact, Upload
from followup.store.models import Contact, User
from followup.store.records import blocked

_IMPORT = "/console/contacts/import"
_SHOWN_BAD = 100
_LONG = timedelta(seconds=20)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def page(request: web.Request, template: str, **context: Any) -> web.Response:
    """A page of the area 客户, wherever its address lies."""
    return any_page(request, template, path="/console/customers", **context)


# —— importing ————————————————————————————————————————————————————————


@needs(Permission.IMPORT_CONTACTS)
async def upload_page(request: web.Request) -> web.Response:
    """GET /console/contacts/import"""
    return page(request, "contacts/upload.html", error="", name="")


@needs(Permission.IMPORT_CONTACTS)
async def upload(request: web.Request) -> web.Response:
    """POST /console/contacts/import: keeps the file; the worker reads it, and no customer is written yet."""
    sent = (await request.post()).get("file")
    try:
        if not isinstance(sent, web.FileField):
            raise ContactsFileError(sentence("import_errors", "no_file"))
        data, digest = await asyncio.to_thread(_bytes_of, sent)
        look_at(data)
    except ContactsFileError as error:
        return page(request, "contacts/upload.html", status=400, error=str(error), name="")
    async with database(request).session() as session:
        who, name, now = staff(request), sent.filename.replace("\0", ""), clock.now()
        kept = await uploads.keep(session, data, name, digest, who.id, now)
        await importing.ask(session, kept, "read", now)
        await audit(session, who, "contacts.upload", "upload", kept.id, bytes=len(data))
    return see(f"{_IMPORT}/{kept.id}")


def _bytes_of(sent: web.FileField) -> tuple[bytes, str]:
    data = sent.file.read()
    return data, hashlib.sha256(data).hexdigest()


@needs(Permission.IMPORT_CONTACTS)
async def check_page(request: web.Request) -> web.Response:
    """GET /console/contacts/import/{id}: how far the worker is; then the columns, what would come of them, and the first rows."""
    return await _check_page(request)


async def _check_page(request: web.Request, *, error: str = "", status: int = 200, chosen: Choices | None = None) -> web.Response:
    """`chosen`: what the form says that was sent and not kept."""
    async with database(request).session() as session:
        found = await _upload(request, session)
        if found.import_id is not None:
            return see(f"/console/imports/{found.import_id}")
        earlier = await earlier_import(session, found.digest)
    if found.todo:
        return page(request, "contacts/working.html", upload=found, waits=_waits(found))
    if not found.choices:
        return page(request, "contacts/upload.html", error=found.error, name=found.file_name)
    return page(
        request,
        "contacts/check.html",
        status=status,
        upload=found,
        choices=found.choices | (uploads.choices_as_json(chosen) if chosen is not None else {}),
        checked=found.checked or {"error": ""},
        earlier=earlier,
        uses=columns.use_labels(),
        channels=CHANNELS,
        known_groups=KNOWN,
        shown_bad=_SHOWN_BAD,
        error=error or found.error,
    )


@needs(Permission.IMPORT_CONTACTS)
async def progress(request: web.Request) -> web.Response:
    """GET /console/contacts/import/{id}/progress: how far the worker is, for the page that waits; when it is done, that page is loaded anew."""
    async with database(request).session() as session:
        found = await _upload(request, session)
    if not found.todo:
        return web.Response(status=204, headers={"HX-Refresh": "true"})
    return page(request, "contacts/_progress.html", upload=found, waits=_waits(found))


def _waits(found: Upload) -> bool:
    """Whether nobody has begun although there was time: no worker runs, or it has much to do."""
    return not found.stage and clock.now() - found.asked_at > _LONG


@needs(Permission.IMPORT_CONTACTS)
async def check(request: web.Request) -> web.Response:
    """POST /console/contacts/import/{id}/check: have the file understood as the form says."""
    async with database(request).session() as session:
        found = await _upload(request, session, lock=True)
        if found.import_id is not None or found.todo or not found.choices:
            return see(f"{_IMPORT}/{found.id}")
        chosen = await _chosen(request, found)
        if not _sourceless(chosen):
            found.choices = {**found.choices, **uploads.choices_as_json(chosen)}
            await importing.ask(session, found, "check", clock.now())
            await audit(session, staff(request), "contacts.check", "upload", found.id)
            return see(f"{_IMPORT}/{found.id}")
    return await _check_page(request, error=sentence("import_errors", "no_source"), status=400, chosen=chosen)


async def _chosen(request: web.Request, found: Upload) -> Choices:
    """How the form says that the file is meant; a form without the columns changes nothing."""
    form, now = await request.post(), uploads.choices_of(found)
    if "use0" not in form:
        return now
    uses = (str(form.get(f"use{number}", "")) for number in range(len(now.uses)))
    agreed = Agreed(
        tuple(channel for channel in CHANNELS if channel in form.getall("channel", [])),
        await field(request, "source", longest=100),
        await field(request, "text_version", longest=60),
    )
    chosen = tuple(columns.Use(use) if use in set(columns.Use) else old for use, old in zip(uses, now.uses, strict=True))
    return Choices(chosen, read_groups(await field(request, "groups", longest=300)), agreed)


def _sourceless(chosen: Choices) -> bool:
    """Whether somebody is said to have agreed, but not where."""
    return bool(chosen.agreed.channels) and not chosen.agreed.source


@needs(Permission.IMPORT_CONTACTS)
async def take(request: web.Request) -> web.Response:
    """POST /console/contacts/import/{id}/take: have all the customers taken, or none. Clicked twice, they are taken once.

    Groups and consent that were changed on the page count; other columns have the file checked first: nobody has seen yet
    what would come of them.
    """
    skip_bad = bool(await field(request, "skip_bad"))
    async with database(request).session() as session:
        found = await _upload(request, session, lock=True)
        if found.import_id is not None:
            return see(f"/console/imports/{found.import_id}")
        if found.todo or not found.choices:
            return see(f"{_IMPORT}/{found.id}")
        now, chosen, checked = uploads.choices_of(found), await _chosen(request, found), found.checked or {}
        broken = sentence("import_errors", "no_source") if _sourceless(chosen) else ""
        if not broken and chosen != now:
            found.choices = {**found.choices, **uploads.choices_as_json(chosen)}
            await audit(session, staff(request), "contacts.check", "upload", found.id)
            if chosen.uses != now.uses or now.agreed.source and not chosen.agreed.source:
                await importing.ask(session, found, "check", clock.now())
                found.error = sentence("import_errors", "changed")
                return see(f"{_IMPORT}/{found.id}")
        may = bool(checked) and not checked["error"] and checked["new"] + checked["known"] > 0
        if not broken and may and (skip_bad or not checked["bad_count"]):
            found.skip_bad = skip_bad
            await importing.ask(session, found, "take", clock.now())
            return see(f"{_IMPORT}/{found.id}")
        broken = broken or checked.get("error") or sentence("import_errors", "bad_rows")
    return await _check_page(request, error=broken, status=400, chosen=chosen)


@needs(Permission.IMPORT_CONTACTS)
async def bad_of_upload(request: web.Request) -> web.Response:
    """GET /console/contacts/import/{id}/bad.xlsx"""
    async with database(request).session() as session:
        found = await _upload(request, session)
    bad = (found.checked or {}).get("bad", [])
    if not bad:
        raise web.HTTPNotFound
    rows = [BadRow(row["line"], row["reason"], tuple(row["cells"])) for row in bad]
    return await _bad_sheet(tuple(found.choices["header"]), rows, f"bad-rows-{found.id}.xlsx")


async def _upload(request: web.Request, session: Any, *, lock: bool = False) -> Upload:
    found = await uploads.find(session, object_id(request), staff(request).id, lock=lock)
    if found is None:
        raise web.HTTPNotFound
    return found


async def _bad_sheet(header: tuple[str, ...], rows: list[BadRow], name: str) -> web.Response:
    body = await asyncio.to_thread(bad_sheet, header, rows)
    return web.Response(body=body, content_type=_XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'})


# —— what was imported ——————————————————————————————————————————————————


@needs(Permission.READ_CUSTOMERS)
async def imports_page(request: web.Request) -> web.Response:
    """GET /console/imports?page="""
    async with database(request).session() as session:
        total = await session.scalar(select(func.count()).select_from(Import)) or 0
        rows = await session.execute(
            select(Import, User.name, ApiKey.name)
            .outerjoin(User, User.id == Import.user_id)
            .outerjoin(ApiKey, ApiKey.id == Import.api_key_id)
            .order_by(Import.id.desc())
            .limit(PER_PAGE)
            .offset((page_number(request) - 1) * PER_PAGE)
        )
        return page(request, "contacts/imports.html", imports=page_of(request, rows.all(), total))


@needs(Permission.READ_CUSTOMERS)
async def import_page(request: web.Request) -> web.Response:
    """GET /console/imports/{id}: the report."""
    import_id = object_id(request)
    async with database(request).session() as session:
        record = await session.get(Import, import_id)
        if record is None:
            raise web.HTTPNotFound
        members = ImportedContact.import_id == import_id
        stopped = await session.scalar(
            select(func.count())
            .select_from(ImportedContact)
            .join(Contact, Contact.id == ImportedContact.contact_id)
            .where(members, blocked(Contact.id, Contact.phone))
        )
        customers = await session.scalar(select(func.count()).select_from(ImportedContact).where(members))
        by = await session.scalar(select(User.name).where(User.id == record.user_id)) if record.user_id else ""
        key = await session.scalar(select(ApiKey.name).where(ApiKey.id == record.api_key_id)) if record.api_key_id else ""
    return page(
        request, "contacts/report.html", record=record, blocked=stopped or 0, customers=customers or 0, by=by or key or "", bad=record.bad[1:], shown_bad=_SHOWN_BAD
    )


@needs(Permission.IMPORT_CONTACTS)
async def bad_of_import(request: web.Request) -> web.Response:
    """GET /console/imports/{id}/bad.xlsx"""
    import_id = object_id(request)
    async with database(request).session() as session:
        record = await session.get(Import, import_id)
    if record is None or len(record.bad) < 2:
        raise web.HTTPNotFound
    rows = [BadRow(row["line"], row["reason"], tuple(row["cells"])) for row in record.bad[1:]]
    return await _bad_sheet(tuple(record.bad[0]["cells"]), rows, f"bad-rows-of-import-{import_id}.xlsx")


# —— keys of customer systems ——————————————————————————————————————————————


@needs(Permission.MANAGE_KEYS)
async def keys_page(request: web.Request) -> web.Response:
    """GET /console/api-keys"""
    return await _keys(request)


async def _keys(request: web.Request, *, made: str = "", error: str = "", status: int = 200) -> web.Response:
    async with database(request).session() as session:
        return page(request, "contacts/keys.html", status=status, keys=await keys.every_key(session), made=made, error=error)


@needs(Permission.MANAGE_KEYS)
async def make_key(request: web.Request) -> web.Response:
    """POST /console/api-keys: the answer shows the key, once."""
    try:
        async with database(request).session() as session:
            key, secret = await keys.make(session, await field(request, "name", longest=200), staff(request).id, clock.now())
            await audit(session, staff(request), "key.make", "key", key.id, name=key.name)
    except keys.KeyProblem as error:
        return await _keys(request, error=sentence("key_errors", error.key), status=400)
    return await _keys(request, made=secret)


@needs(Permission.MANAGE_KEYS)
async def revoke_key(request: web.Request) -> web.Response:
    """POST /console/api-keys/{id}/revoke"""
    try:
        async with database(request).session() as session:
            key = await keys.revoke(session, object_id(request), clock.now())
            await audit(session, staff(request), "key.revoke", "key", key.id, name=key.name)
    except keys.KeyProblem as error:
        if error.key == "no_key":
            raise web.HTTPNotFound from None
        return await _keys(request, error=sentence("key_errors", error.key), status=400)
    return see("/console/api-keys")


routes = [
    web.get("/contacts/import", upload_page),
    web.post("/contacts/import", upload),
    web.get(r"/contacts/import/{id:\d+}", check_page),
    web.get(r"/contacts/import/{id:\d+}/progress", progress),
    web.post(r"/contacts/import/{id:\d+}/check", check),
    web.post(r"/contacts/import/{id:\d+}/take", take),
    web.get(r"/contacts/import/{id:\d+}/bad.xlsx", bad_of_upload),
    web.get("/imports", imports_page),
    web.get(r"/imports/{id:\d+}", import_page),
    web.get(r"/imports/{id:\d+}/bad.xlsx", bad_of_import),
    web.get("/api-keys", keys_page),
    web.post("/api-keys", make_key),
    web.post(r"/api-keys/{id:\d+}/revoke", revoke_key),
]

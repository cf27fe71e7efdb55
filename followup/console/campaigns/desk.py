"""What staff must look into: deliveries of which nobody knows whether they arrived, and call-backs."""

from __future__ import annotations

import asyncio
from datetime import datetime

from aiohttp import web

from followup import clock
from followup.campaigns import actions, ledger
from followup.campaigns.actions import CampaignError
from followup.campaigns.labels import reason_said
from followup.channels.trial import trial_messages
from followup.console.audit import audit
from followup.console.campaigns import queries
from followup.console.campaigns.shared import LIST, campaign_page
from followup.console.forms import field, number, object_id, query
from followup.console.labels import labels
from followup.console.paging import PER_PAGE, page_number, page_of
from followup.console.parts import database, see, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.transcripts.filters import talk_link
from followup.console.transcripts.masking import name_of, phone_of

UNKNOWN = f"{LIST}/unknown"
WHICH = ("overdue", "today", "coming", "open", "failed")


@needs(Permission.READ_CAMPAIGNS)
async def unknown_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/unknown?after="""
    return await _unknown(request)


async def _unknown(request: web.Request, *, error: str = "", status: int = 200) -> web.Response:
    after = number(query(request, "after"), 0, least=0, most=2**62)
    async with database(request).session() as session:
        rows = await ledger.unknown_deliveries(session, after=after, limit=PER_PAGE + 1)
    next_link = f"{UNKNOWN}?after={rows[PER_PAGE - 1].delivery_id}" if len(rows) > PER_PAGE else ""
    return campaign_page(
        request, "unknown.html", status, rows=rows[:PER_PAGE], next_link=next_link, error=error, tab="unknown",
        name_of=name_of, phone_of=phone_of, reason=reason_said,
    )  # fmt: skip


@needs(Permission.MANAGE_CAMPAIGNS)
async def resolve(request: web.Request) -> web.Response:
    """POST /console/campaigns/unknown/{id}: arrived=yes or no, as a colleague found out."""
    delivery_id, arrived = object_id(request), await field(request, "arrived")
    try:
        if arrived not in ("yes", "no"):
            raise CampaignError("not_unknown")
        async with database(request).session() as session:
            await actions.resolve_unknown(session, delivery_id, arrived == "yes", clock.now())
            result = "已收到" if arrived == "yes" else "未收到"
            await audit(session, staff(request), "delivery.resolve", "delivery", delivery_id, result=result)
    except CampaignError as error:
        return await _unknown(request, error=str(error), status=400)
    return see(UNKNOWN)


@needs(Permission.READ_CAMPAIGNS)
async def callbacks_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/callbacks?which=today&page="""
    which, at = query(request, "which"), clock.now()
    which = which if which in WHICH else "overdue"
    async with database(request).session() as session:
        totals = {one: (await queries.callbacks(session, one, at, 0, 0))[1] for one in WHICH}
        rows, total = await queries.callbacks(session, which, at, PER_PAGE, (page_number(request) - 1) * PER_PAGE)
    return campaign_page(
        request, "callbacks.html", booked=page_of(request, rows, total), which=which, lists=labels()["callback_lists"], totals=totals, tab="callbacks",
        name_of=name_of, phone_of=phone_of, talk_link=talk_link, now_at=at,
    )  # fmt: skip


@needs(Permission.MANAGE_CAMPAIGNS)
async def demo_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/demo-messages: what FOLLOWUP_SMS=fake did not send. A code opens the talk: not for everybody's eyes."""
    account = settings(request).sms
    if account is None or account.provider != "fake":
        raise web.HTTPNotFound
    messages = await asyncio.to_thread(trial_messages, settings(request).home)
    rows = [(datetime.fromisoformat(one.at), phone_of(one.to), one.text) for one in messages]
    return campaign_page(request, "demo_messages.html", rows=rows)


routes = [
    web.get("/campaigns/demo-messages", demo_page),
    web.get("/campaigns/unknown", unknown_page),
    web.post(r"/campaigns/unknown/{id:\d+}", resolve),
    web.get("/campaigns/callbacks", callbacks_page),
]

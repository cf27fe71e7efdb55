"""What the campaigns' pages share."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns.labels import label, labels, why_paused
from followup.channels.notifiers import channels_of
from followup.console.campaigns.month import WEEKDAYS
from followup.console.parts import page, settings
from followup.store.campaign_models import Campaign
from followup.web.keys import WECHAT

LIST = "/console/campaigns"


def detail_link(campaign_id: int) -> str:
    return f"{LIST}/{campaign_id}"


async def campaign_of(session: AsyncSession, campaign_id: int) -> Campaign:
    """404 when there is none."""
    campaign = await session.get(Campaign, campaign_id)
    if campaign is None:
        raise web.HTTPNotFound
    return campaign


def campaign_page(request: web.Request, template: str, status: int = 200, **context: Any) -> web.Response:
    """A page of templates/console/campaigns/; `named(code, group)` is the Chinese of a campaign's codes."""
    account = settings(request).sms
    return page(
        request, f"campaigns/{template}", status, demo_sms=account is not None and account.provider == "fake",
        named=label, named_all=labels(), why_paused=why_paused, detail_link=detail_link, WEEKDAYS=WEEKDAYS, **context,
    )  # fmt: skip


async def ways(request: web.Request) -> frozenset[str]:
    """The channels that something can be sent by."""
    return channels_of(settings(request), await request.config_dict[WECHAT].accounts())

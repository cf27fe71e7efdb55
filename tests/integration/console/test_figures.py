"""The dashboard: numbers, the lists behind them, empty and small figures, who may see it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from html import unescape

import pytest

from followup.console.figures.filters import FigureFilters
from followup.console.transcripts.filters import talks_link
from followup.settings import SHANGHAI
from followup.store.database import Database
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import LOAN, Said, write_talk

Enter = Callable[..., Awaitable[Browser]]
NOVEMBER = "first=2026-11-01&last=2026-11-30"


def on(day: int, hour: int = 10, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=SHANGHAI)


async def test_the_page_opens(database: Database, enter: Enter) -> None:
    await write_talk(database, [Said("利率有点贵", "dissatisfied", answers=[("price", "不满意")])], at=on(3))
    browser = await enter("supervisor")
    page = await browser.get(f"/console/figures?{NOVEMBER}")
    assert "回访结果" in page
    page = await browser.get(f"/console/figures?{NOVEMBER}&script={LOAN}")
    assert "问到哪里" in page


async def test_the_forms_and_the_report_open(database: Database, enter: Enter) -> None:
    await write_talk(database, [Said("利率有点贵", "dissatisfied", answers=[("price", "不满意"), ("suggestions", "利率低一点")])], at=on(3), ticket="complaint")
    browser = await enter("supervisor")
    for path in ("forms/record.xlsx", "forms/record.pdf", "reports/2026-11.xlsx", "reports/2026-11.pdf"):
        async with browser.client.get(f"/console/figures/{path}?{NOVEMBER}") as answer:
            assert answer.status == 200, await answer.text()
    assert "2026年11月" in await browser.get("/console/figures/reports")
    assert "利率低一点" in await browser.get("/console/figures/reports/2026-11")

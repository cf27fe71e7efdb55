"""What the pages over a large campaign cost: `python -m bench.campaign_ledger [ENTRIES]` (100,000).

As many customers as entries, half of them with a talk, three of four who agreed to text messages, 500 on the list 免打扰. Told are
the best and the worst of five of each statement, and the seconds and the memory that an export takes. On TEST_DATABASE_URL, else on a
PostgreSQL of its own. The figures in docs/performance-campaigns.md come from it.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import actions, ledger
from followup.campaigns.definition import Audience, Definition, Rule
from followup.campaigns import parse
from followup import clock
from followup.console.campaigns import ledger_export, queries
from followup.settings import PROJECT_DIR
from followup.store.campaign_models import Campaign
from followup.store.database import Database, libpq_url
from followup.store.migrate import upgrade
from followup.supervise import postgres

_FILL = """
INSERT INTO contacts (name, title, phone, email, groups, fields)
SELECT substr('王李张刘陈杨赵黄周吴', 1 + n % 10, 1) || substr('伟芳娜敏静丽强磊', 1 + n / 10 % 8, 1) || substr('军洋勇艳杰娟', 1 + n / 80 % 6, 1), '女士',
    '13' || lpad(n::text, 9, '0'), CASE WHEN n % 3 = 0 THEN 'c' || n || '@example.com' END, CASE WHEN n % 10 = 0 THEN '{VIP}'::text[] ELSE '{普通}'::text[] END,
    jsonb_build_object('签收日期', '2026-11-17') FROM generate_series(1, :count) AS n;
INSERT INTO script_revisions (script_id, version, digest, content) VALUES ('made_up', '1', repeat('0', 64), '{"script": {"name": "演示"}}');
INSERT INTO consents (contact_id, channel, given, source) SELECT id, 'sms', true, '合同' FROM contacts WHERE id % 4 <> 0;
INSERT INTO do_not_contact (contact_id, phone, source, reason) SELECT id, phone, 'staff', '来电' FROM contacts WHERE id % 200 = 0 AND id <= 100000;
INSERT INTO cases (id, contact_id, script_id, revision_id, opened_at, outcome, ended_at, created_at)
SELECT md5(contacts.id::text), contacts.id, 'made_up', script_revisions.id, CASE WHEN contacts.id % 4 < 3 THEN now() END,
    CASE WHEN contacts.id % 8 = 0 THEN 'completed' END, CASE WHEN contacts.id % 8 = 0 THEN now() END, now()
FROM contacts, script_revisions WHERE contacts.id % 2 = 0;
INSERT INTO messages (case_id, direction, text, status, channel, channel_message_id) SELECT id, 'in', '方便', 'handled', 'web', id FROM cases WHERE opened_at IS NOT NULL;
INSERT INTO campaign_entries (campaign_id, contact_id, rule, stratum, lot, due_at, next_at, state, reason, channel, sent_at, case_id)
SELECT :campaign, contacts.id, CASE WHEN contacts.id % 3 = 0 THEN '三天后' ELSE '一周后' END, CASE WHEN contacts.id % 10 = 0 THEN '重点' ELSE '普通' END, contacts.id,
    now(), CASE WHEN contacts.id % 2 = 1 AND contacts.id % 5 > 0 THEN now() + interval '1 day' END,
    CASE WHEN cases.id IS NOT NULL THEN 'sent' WHEN contacts.id % 5 = 0 THEN 'reserve' ELSE 'waiting' END, '', 'sms',
    CASE WHEN cases.id IS NOT NULL THEN now() END, cases.id
FROM contacts LEFT JOIN cases ON cases.contact_id = contacts.id;
"""


async def fill(url: str, count: int) -> int:
    """The campaign's id."""
    database = Database(url, pool_size=2)
    made = Definition("made_up", (Rule("三天后", "签收日期"),), audience=Audience())
    async with database.session() as session:
        campaign = Campaign(name="演示", script_id="made_up", definition=parse.as_json(made), seed=1, status="running", started_at=clock.now())
        session.add(campaign)
        await session.flush()
        for statement in _FILL.split(";\n"):
            if statement.strip():
                await session.execute(text(statement), {name: value for name, value in (("count", count), ("campaign", campaign.id)) if f":{name}" in statement})
    async with database.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    await database.close()
    return campaign.id


async def pages(url: str, campaign_id: int) -> None:
    database = Database(url, pool_size=2)
    made = Definition("made_up", (Rule("三天后", "签收日期"),), audience=Audience())
    last = 0
    async with database.session() as session:
        last = await session.scalar(select(text("max(id)")).select_from(text("campaign_entries"))) or 0
    statements: dict[str, Callable[[AsyncSession], Awaitable[Any]]] = {
        "sums and number of customers": lambda session: ledger.counts(session, campaign_id),
        "a page, the first": lambda session: ledger.rows(session, campaign_id, limit=51),
        "a page, the last": lambda session: ledger.rows(session, campaign_id, after=last - 60, limit=51),
        "a page of completed talks": lambda session: ledger.rows(session, campaign_id, stage="completed", limit=51),
        "a page of a stage that nobody is in": lambda session: ledger.rows(session, campaign_id, stage="complained", limit=51),
        "a name that one in 60 has": lambda session: ledger.rows(session, campaign_id, q="王伟", limit=51),
        "a name that nobody has": lambda session: ledger.rows(session, campaign_id, q="欧阳", limit=51),
        "a part of a number that nobody has": lambda session: ledger.rows(session, campaign_id, q="99999", limit=51),
        "a whole number": lambda session: ledger.rows(session, campaign_id, q="13000050001", limit=51),
        "a name in a stage": lambda session: ledger.rows(session, campaign_id, q="王伟", stage="completed", limit=51),
        "the check page's reach": lambda session: queries.reach(session, made.audience, is_demo=False),
        "the audience counted": lambda session: actions.audience_size(session, made, is_demo=False),
    }
    print("| what | best of five | worst |\n|---|---|---|")
    for what, run in statements.items():
        took = []
        for _ in range(5):
            async with database.session() as session:
                began = time.perf_counter()
                await run(session)
                took.append(time.perf_counter() - began)
        print(f"| {what} | {min(took):.3f} s | {max(took):.3f} s |", flush=True)
    await database.close()


async def export(url: str, campaign_id: int, kind: str) -> None:
    """In a process of its own, whose memory is told."""
    database = Database(url, pool_size=2)
    async with database.session() as session:
        campaign = await session.get_one(Campaign, campaign_id)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began, cpu, size, first = time.perf_counter(), time.process_time(), 0, 0.0
    async for part in ledger_export.parts(database, campaign, {}, kind):
        first = first or time.perf_counter() - began
        size += len(part)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {kind}, {size / 1e6:.1f} MB | {time.perf_counter() - began:.1f} s | {time.process_time() - cpu:.1f} s | {first:.1f} s | {peak - before:.0f} MB | {os.getloadavg()[0]:.1f} |",
        flush=True,
    )
    await database.close()


def main(count: int) -> None:
    given, process = os.environ.get("TEST_DATABASE_URL"), None
    home = Path(tempfile.mkdtemp(prefix="fu-pg-"))
    os.chdir(PROJECT_DIR)
    if given is None:
        given, process = postgres.start(home, durable=False)
    given, name = libpq_url(given), f"ledger_{uuid.uuid4().hex[:8]}"
    base, question, options = given.partition("?")
    url = base.rpartition("/")[0] + f"/{name}{question}{options}"
    try:
        with psycopg.connect(given, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        upgrade(url)
        campaign_id = asyncio.run(fill(url, count))
        asyncio.run(pages(url, campaign_id))
        print("| export | seconds | CPU | first byte | more memory | load |\n|---|---|---|---|---|---|", flush=True)
        for kind in ("csv", "xlsx"):
            if (child := os.fork()) == 0:
                asyncio.run(export(url, campaign_id, kind))
                os._exit(0)
            os.waitpid(child, 0)
        with psycopg.connect(given, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        if process is not None:
            postgres.stop(process)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)

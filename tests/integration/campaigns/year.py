"""A year of campaigns, played by a simulated clock on a real database: customers who answer, ignore, book, leave, complain and opt out,
whose phones are off, and whose numbers are none.

`Year` holds the world; a test lets one process (`tick`) or many (tests/long) do what the workers do, and asks `problems` afterwards.
What the provider took is written down by the provider itself, on a connection of its own: a killed worker cannot take it back.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
from sqlalchemy import text

from followup import clock
from followup.campaigns import parse
from followup.campaigns.callbacks import give_times, resume_due_callbacks, settle_callbacks
from followup.campaigns.definition import Again, Amount, Audience, Definition, Hours, Retry, Rule, Sampling, Stratum, Unit, Window
from followup.campaigns.queue import AGAIN
from followup.campaigns.run import run_campaigns
from followup.campaigns.send import CALLBACK_HOURS, send_batch
from followup.campaigns.windows import is_open
from followup.channels import Accepted, Invitation, Refused, Unclear
from followup.channels.reports import not_arrived
from followup.settings import SHANGHAI
from followup.store.campaign_models import Delivery
from followup.store.database import Database, libpq_url

FIRST = date(2026, 1, 5)
DAYS = 365
AFTER = 21
"""Days after the last new customer in which everything under way comes to its end."""
TIMES = (time(10), time(15))
"""When the clock's minute is played each day: at the openings; what is due in between waits for the next."""
SCRIPT = "fruit_order"
GIVEN = {"company": "演示公司", "agent": "小汇", "bought_on": "上周", "box_price": "68", "box_count": "12", "product": "红啤梨"}
STRATA = (Stratum("重点", ("VIP",), 1.0), Stratum("普通", (), 0.3))
DAILY_CAP = 1
ONCE_MORE, TWICE, TWO_DAYS = 1, 2, timedelta(days=2)
"""How often what was not delivered goes out again; how often, and how long after, whoever left is asked to go on."""
_EVENING = Hours((Window(time(10), time(11, 30)), Window(time(15), time(17, 30))), holidays=False)


def rule(name: str, number: int, unit: Unit, **more: Any) -> Rule:
    return Rule(name, "签收日期", Amount(number, unit), **more)


def campaigns(last: date) -> list[tuple[str, Definition]]:
    """What a shop has in a year: three contacts after each parcel, a quarterly one for key customers, a span of days."""
    common: dict[str, Any] = {"variables": GIVEN, "hours": _EVENING, "per_minute": 6000, "ends_on": last}
    retry = Retry(1, timedelta(days=1), timedelta(days=3), not_delivered=Again(ONCE_MORE, timedelta(days=1)), unfinished=Again(TWICE, TWO_DAYS))
    two_ways = {"channels": ("sms", "email"), "retry": retry}
    return [
        (
            "签收以后",
            Definition(
                SCRIPT,
                (rule("3天", 3, Unit.DAYS), rule("3周", 3, Unit.WEEKS), rule("3个月", 3, Unit.MONTHS)),
                sampling=Sampling(STRATA, top_up=True), priority=3, **two_ways, **common,
            ),
        ),
        (
            "重点客户每季",
            Definition(
                SCRIPT,
                (rule("每季", 1, Unit.MONTHS, every=3, deadline=Amount(2, Unit.WEEKS)),),
                audience=Audience(groups=("VIP",)), priority=1, retry=Retry(0, timedelta(days=1), timedelta(days=2)), **common,
            ),
        ),
        (
            "车队",
            Definition(
                SCRIPT,
                (rule("8-15天", 8, Unit.DAYS, latest=Amount(15, Unit.DAYS)),),
                audience=Audience(groups=("车队",)), priority=5, **two_ways, **common,
            ),
        ),
    ]  # fmt: skip


@dataclass
class Provider:
    """Takes nearly everything; refuses, is busy or says nothing now and then, always the same ones."""

    channel: str
    log: psycopg.AsyncConnection[Any]
    at: datetime
    provider: str = "simulated"
    busy: set[int] = field(default_factory=set)

    async def send(self, invitation: Invitation) -> Accepted:
        luck = chance("provider", invitation.delivery_id)
        if luck < 0.01:
            raise Refused("isv.MOBILE_NUMBER_ILLEGAL")
        if luck < 0.03 and invitation.delivery_id not in self.busy:
            self.busy.add(invitation.delivery_id)
            raise Refused("busy", kind="throttled")
        await self.log.execute(
            "INSERT INTO provider_log (at, delivery_id, channel, told) VALUES (%s, %s, %s, %s)",
            (self.at, invitation.delivery_id, self.channel, luck >= 0.035),
        )
        if luck < 0.035:
            raise Unclear("no answer")
        return Accepted(f"s-{invitation.delivery_id}")


async def invite(session: Any, delivery: Any, case: Any, contact: Any, *, valid_for: timedelta) -> Invitation:
    to = {"sms": contact.phone, "email": contact.email}.get(delivery.channel) or ""
    return Invitation(delivery.id, to, "https://example.com/c/x", "ABCD2345", "", contact.name, "", delivery.kind)


def chance(*key: object) -> float:
    """0 to 1, the same for the same key."""
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=6).digest(), "big") / 2**48


def ticks(days: int = DAYS) -> list[datetime]:
    return [datetime.combine(FIRST + timedelta(days=day), clock, SHANGHAI) for day in range(days + AFTER) for clock in TIMES]


# —— a worker's part ————————————————————————————————————————————————————


@dataclass
class Worker:
    """What one worker process does; several may do it at once."""

    database: Database
    log: psycopg.AsyncConnection[Any]
    providers: dict[str, Provider] = field(default_factory=dict)
    sent: int = 0

    async def minute(self, at: datetime) -> None:
        """The clock's tasks."""
        clock.stand_at(at)
        for step in (settle_callbacks, give_times, resume_due_callbacks):
            async with self.database.session() as session:
                await step(session, at)
        await run_campaigns(self.database, at, DAILY_CAP)

    async def send_all(self, at: datetime) -> None:
        """Batches until nothing more can go now; what a busy provider wanted later, later in the same minute."""
        self._providers(at)
        for moment in (at, at + AGAIN[0]):
            more = True
            while more:
                sent = await send_batch(self.database, self.providers, invite, moment, daily_cap=DAILY_CAP)
                self.sent += len(sent.became)
                more = sent.more

    def _providers(self, at: datetime) -> None:
        if not self.providers:
            self.providers = {channel: Provider(channel, self.log, at) for channel in ("sms", "email")}
        for provider in self.providers.values():
            provider.at = at


# —— the customers' part ——————————————————————————————————————————————————


@dataclass
class Year:
    database: Database
    customers: int
    days: int = DAYS
    seed: int = 1
    seen: int = 0
    """The last line of the provider's log that customers have reacted to."""
    did: Counter[str] = field(default_factory=Counter)

    async def begin(self) -> None:
        async with self.database.session() as session:
            await session.execute(
                text(
                    "CREATE TABLE provider_log (id bigserial PRIMARY KEY, at timestamptz, delivery_id bigint, channel text, told boolean)"
                )
            )
            for number, (name, made) in enumerate(campaigns(FIRST + timedelta(days=self.days))):
                await session.execute(
                    text(
                        "INSERT INTO campaigns (name, script_id, definition, status, seed, priority, started_at, created_at)"
                        " VALUES (:name, :script, CAST(:made AS jsonb), 'running', :seed, :priority, :at, :at)"
                    ),
                    {
                        "name": name, "script": made.script_id, "made": json.dumps(parse.as_json(made)), "seed": self.seed * 100 + number,
                        "priority": made.priority, "at": datetime.combine(FIRST, time(9), SHANGHAI),
                    },
                )  # fmt: skip

    async def arrive(self, day: int) -> None:
        """Every fourth week new customers come, by a file."""
        files = self.days // 28
        if day % 28 or day // 28 >= files:
            return
        part = day // 28
        first, last = self.customers * part // files, self.customers * (part + 1) // files
        at = datetime.combine(FIRST + timedelta(days=day), time(8), SHANGHAI)
        async with self.database.session() as session:
            given = {"first": first, "last": last - 1, "at": at, "day": FIRST + timedelta(days=day), "seed": str(self.seed)}
            await session.execute(_ARRIVE, given)
            await session.execute(_CONSENTS, given)

    async def react(self, at: datetime) -> None:
        """Customers see what came since the last time."""
        async with self.database.session() as session:
            rows = (
                await session.execute(
                    text(
                        "SELECT log.id, log.at, delivery.id AS delivery_id, delivery.status, delivery.case_id, delivery.contact_id,"
                        " delivery.number, delivery.kind, delivery.callback_id"
                        " FROM provider_log AS log JOIN deliveries AS delivery ON delivery.id = log.delivery_id"
                        " WHERE log.id > :seen ORDER BY log.id"
                    ),
                    {"seen": self.seen},
                )
            ).all()
            acts: dict[str, list[dict[str, Any]]] = {}
            for row in rows:
                self.seen = row.id
                if row.kind != "callback" and row.status == "accepted" and (fate := delivered(row.delivery_id)):
                    self.did[fate] += 1
                    delivery = await session.get_one(Delivery, row.delivery_id)
                    await not_arrived(session, delivery, fate, at + timedelta(minutes=5), lasting=fate == "dead")
                    continue
                act = reaction(chance(self.seed, row.contact_id, row.case_id and row.number, row.kind, row.id % 97), row.kind)
                self.did[act] += 1
                acts.setdefault(act, []).append({"case_id": row.case_id, "contact_id": row.contact_id, "callback_id": row.callback_id})
            later = at + timedelta(minutes=9)
            for act, who in acts.items():
                for statement in _ACTS.get(act, ()):
                    await session.execute(text(statement), {"who": json.dumps(who), "at": later})


def delivered(delivery_id: int) -> str:
    """off: the provider reports that the phone was off; dead: that there is no such number; empty: it arrives."""
    luck = chance("report", delivery_id)
    return "off" if luck < 0.06 else "dead" if luck < 0.07 else ""


def reaction(luck: float, kind: str) -> str:
    if kind == "callback":
        return "come" if luck < 0.5 else "ignore"
    if kind == "unfinished":
        return "finish" if luck < 0.4 else "opt_out" if luck < 0.42 else "ignore"
    for most, act in ((0.35, "answer"), (0.40, "book"), (0.42, "complain"), (0.45, "opt_out"), (0.50, "look"), (0.56, "leave")):
        if luck < most:
            return act
    return "ignore"


_ARRIVE = text(
    """
    INSERT INTO contacts (name, title, phone, email, groups, fields, created_at, updated_at)
    SELECT '客户' || n, '女士', '138' || lpad(n::text, 8, '0'), CASE WHEN n % 3 = 0 THEN 'c' || n || '@example.com' END,
        CASE WHEN n % 20 = 0 THEN ARRAY['VIP'] WHEN n % 20 = 1 THEN ARRAY['车队'] ELSE ARRAY[]::text[] END,
        jsonb_build_object('签收日期', to_char(CAST(:day AS date) - 1 + (n % 26), 'YYYY-MM-DD')), :at, :at
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
    """
)
_CONSENTS = text(
    """
    INSERT INTO consents (contact_id, channel, given, source, at)
    SELECT contacts.id, channel, true, '购买', :at FROM contacts, unnest(ARRAY['sms', 'email']) AS channel
    WHERE contacts.created_at = :at AND contacts.id % 25 <> 7 AND length(:seed) > 0
    """
)
_WHO = "FROM jsonb_to_recordset(CAST(:who AS jsonb)) AS who (case_id text, contact_id bigint, callback_id bigint)"
_OPENED = (
    "UPDATE cases SET opened_at = coalesce(opened_at, :at), last_message_at = :at, status = '{status}', outcome = {outcome},"
    " ended_at = CASE WHEN '{status}' = 'closed' THEN CAST(:at AS timestamptz) END " + _WHO + " WHERE cases.id = who.case_id"
    " AND cases.status <> 'closed'"
)
_SAID = (
    "INSERT INTO messages (case_id, direction, channel, channel_message_id, text, status, created_at)"
    " SELECT case_id, 'in', 'web', 'said-' || to_char(CAST(:at AS timestamptz), 'YYYYMMDDHH24MI'), '好的', 'handled', :at " + _WHO
    + " ON CONFLICT DO NOTHING"
)  # fmt: skip
_ASKED = (
    "INSERT INTO messages (case_id, direction, channel, channel_message_id, text, status, created_at)"
    " SELECT case_id, 'out', 'web', 'asked-' || to_char(CAST(:at AS timestamptz), 'YYYYMMDDHH24MI'), '还有吗？', 'sent', :at " + _WHO
    + " ON CONFLICT DO NOTHING"
)  # fmt: skip
_ACTS: Mapping[str, tuple[str, ...]] = {
    "answer": (_OPENED.format(status="closed", outcome="'completed'"), _SAID),
    "look": (_OPENED.format(status="open", outcome="NULL"),),
    "leave": (
        _OPENED.format(status="closed", outcome="'ended_early'"),
        "UPDATE cases SET outcome_reason = 'silence' " + _WHO + " WHERE cases.id = who.case_id AND cases.outcome = 'ended_early'",
        _SAID,
        _ASKED,
        "INSERT INTO callbacks (case_id, at, reason, words, created_at) SELECT case_id, NULL, 'silence', '', :at " + _WHO + " ON CONFLICT DO NOTHING",
    ),
    "finish": (_SAID, "UPDATE cases SET status = 'closed', outcome = 'completed', ended_at = :at " + _WHO + " WHERE cases.id = who.case_id"),
    "complain": (
        _OPENED.format(status="closed", outcome="'complained'"),
        "UPDATE contacts SET groups = array_append(groups, '曾投诉'), updated_at = :at " + _WHO + " WHERE contacts.id = who.contact_id"
        " AND NOT '曾投诉' = ANY(groups)",
    ),
    "book": (
        _OPENED.format(status="waiting", outcome="'appointed'"),
        "INSERT INTO callbacks (case_id, at, reason, words, created_at)"
        " SELECT case_id, CAST(:at AS timestamptz) + make_interval(hours => (3 + length(case_id) + contact_id % 30)::int), 'busy', '', :at "
        + _WHO + " ON CONFLICT DO NOTHING",
    ),
    "come": (
        _SAID,
        "UPDATE callbacks SET status = 'done' " + _WHO + " WHERE callbacks.id = who.callback_id AND callbacks.status = 'due'",
        "UPDATE cases SET status = 'closed', outcome = 'completed', ended_at = :at " + _WHO + " WHERE cases.id = who.case_id",
    ),
    "opt_out": (
        _OPENED.format(status="closed", outcome="'do_not_contact'"),
        "INSERT INTO do_not_contact (contact_id, phone, reason, at) SELECT DISTINCT ON (contacts.id) contacts.id, contacts.phone, 'customer',"
        " CAST(:at AS timestamptz) " + _WHO + " JOIN contacts ON contacts.id = who.contact_id ON CONFLICT DO NOTHING",
        "UPDATE callbacks SET status = 'cancelled' " + _WHO + ", cases WHERE cases.contact_id = who.contact_id"
        " AND callbacks.case_id = cases.id AND callbacks.status = 'booked'",
    ),
}


# —— what must hold afterwards ————————————————————————————————————————————————


async def problems(database: Database, customers: int) -> list[str]:
    """Everything that is wrong with the year, in words; empty when it is right."""
    found: list[str] = []
    async with database.session() as session:

        async def none(what: str, query: str) -> None:
            rows = (await session.execute(text(query))).all()
            if rows:
                found.append(f"{what}: {len(rows)}, e.g. {[tuple(row) for row in rows[:3]]}")

        log = (
            await session.execute(
                text("SELECT log.at, delivery.kind, log.delivery_id FROM provider_log AS log JOIN deliveries AS delivery ON delivery.id = log.delivery_id")
            )
        ).all()
        outside = [row for row in log if not is_open(CALLBACK_HOURS if row.kind == "callback" else _EVENING, row.at)]
        if outside:
            found.append(f"outside the hours: {len(outside)}, e.g. {outside[:3]}")
        await none("sent twice", "SELECT delivery_id, count(*) FROM provider_log GROUP BY 1 HAVING count(*) > 1")
        await none(
            "an entry's step twice",
            "SELECT entry_id, deliveries.channel, count(*) FROM deliveries JOIN provider_log AS log ON log.delivery_id = deliveries.id"
            " WHERE entry_id IS NOT NULL AND kind = 'first' AND status <> 'failed' GROUP BY 1, 2 HAVING count(*) > 1",
        )
        await none(
            "more reminders than allowed",
            "SELECT entry_id, deliveries.channel, count(*) FROM deliveries JOIN provider_log AS log ON log.delivery_id = deliveries.id"
            " WHERE entry_id IS NOT NULL AND kind <> 'unfinished' AND status <> 'failed' GROUP BY 1, 2 HAVING count(*) > 2",
        )
        await none(
            "not delivered, and sent again too often",
            "SELECT entry_id, channel, count(*) FROM deliveries WHERE entry_id IS NOT NULL AND kind <> 'unfinished' AND error = 'off'"
            f" GROUP BY 1, 2 HAVING count(*) > {1 + ONCE_MORE}",
        )
        await none(
            "sent again to a dead number",
            "SELECT earlier.entry_id, earlier.channel FROM deliveries AS earlier JOIN deliveries AS later ON later.entry_id = earlier.entry_id"
            " AND later.channel = earlier.channel AND later.id > earlier.id JOIN provider_log AS log ON log.delivery_id = later.id"
            " WHERE earlier.lasting",
        )
        await none(
            "sent again too soon",
            "SELECT earlier.entry_id, earlier.channel FROM deliveries AS earlier JOIN deliveries AS later ON later.entry_id = earlier.entry_id"
            " AND later.channel = earlier.channel AND later.id > earlier.id JOIN provider_log AS log ON log.delivery_id = later.id"
            " WHERE earlier.error = 'off' AND log.at < earlier.done_at + interval '1 day'",
        )
        await none(
            "asked to go on too often",
            "SELECT case_id, count(*) FROM deliveries WHERE kind = 'unfinished' AND status <> 'suppressed' GROUP BY 1"
            f" HAVING count(*) > {TWICE}",
        )
        await none(
            "asked to go on too soon",
            "SELECT log.at, said.created_at FROM provider_log AS log JOIN deliveries ON deliveries.id = log.delivery_id"
            " JOIN messages AS said ON said.case_id = deliveries.case_id AND said.direction = 'in' AND said.created_at < log.at"
            f" WHERE kind = 'unfinished' AND log.at < said.created_at + interval '{TWO_DAYS.days} days'"
            " UNION ALL SELECT log.at, earlier.sending_at FROM provider_log AS log JOIN deliveries ON deliveries.id = log.delivery_id"
            " JOIN deliveries AS earlier ON earlier.case_id = deliveries.case_id AND earlier.kind = 'unfinished' AND earlier.id < deliveries.id"
            f" WHERE deliveries.kind = 'unfinished' AND earlier.status <> 'suppressed' AND log.at < earlier.sending_at + interval '{TWO_DAYS.days} days'",
        )
        await none(
            "asked to go on after the end",
            "SELECT log.at, cases.ended_at, cases.outcome FROM provider_log AS log JOIN deliveries ON deliveries.id = log.delivery_id"
            " JOIN cases ON cases.id = deliveries.case_id WHERE kind = 'unfinished' AND cases.ended_at < log.at",
        )
        await none(
            "called back, though asked to go on",
            "SELECT callbacks.id FROM callbacks JOIN deliveries ON deliveries.case_id = callbacks.case_id AND deliveries.kind = 'unfinished'"
            " WHERE callbacks.reason = 'silence' AND callbacks.tries > 0",
        )
        await none(
            "over the daily cap",
            "SELECT contact_id, (log.at AT TIME ZONE 'Asia/Shanghai')::date, count(*) FROM provider_log AS log"
            f" JOIN deliveries ON deliveries.id = log.delivery_id WHERE kind <> 'callback' AND status <> 'failed' GROUP BY 1, 2 HAVING count(*) > {DAILY_CAP}",
        )
        await none(
            "after an opt-out",
            "SELECT deliveries.contact_id, log.at, stop.at FROM provider_log AS log JOIN deliveries ON deliveries.id = log.delivery_id"
            " JOIN do_not_contact AS stop ON stop.contact_id = deliveries.contact_id WHERE log.at > stop.at",
        )
        await none(
            "without consent",
            "SELECT deliveries.contact_id FROM provider_log AS log JOIN deliveries ON deliveries.id = log.delivery_id"
            " WHERE NOT EXISTS (SELECT FROM consents WHERE consents.contact_id = deliveries.contact_id AND consents.channel = log.channel)",
        )
        await none(
            "forgotten",
            "SELECT campaign_id, contact_id, rule, occurrence, state, next_at FROM campaign_entries WHERE draw_id IS NOT NULL"
            " AND (state IN ('reserve', 'waiting', 'queued', 'sent') OR next_at IS NOT NULL) AND NOT (state = 'sent' AND reason = 'unknown')",
        )
        await none(
            "taken by the provider but not in the ledger",
            "SELECT delivery.id, delivery.status FROM provider_log AS log JOIN deliveries AS delivery ON delivery.id = log.delivery_id"
            " WHERE delivery.status NOT IN ('accepted', 'delivered', 'unknown') AND delivery.error NOT IN ('off', 'dead')",
        )
        await none(
            "in the ledger but not taken by the provider",
            "SELECT id FROM deliveries WHERE status IN ('accepted', 'delivered') AND NOT EXISTS"
            " (SELECT FROM provider_log WHERE delivery_id = deliveries.id)",
        )
        await none(
            "strata",
            "SELECT entry.campaign_id, stratum, count(DISTINCT contact_id), count(DISTINCT contact_id) FILTER (WHERE draw.kind <> 'top_up')"
            " FROM campaign_entries AS entry JOIN campaigns ON campaigns.id = entry.campaign_id LEFT JOIN campaign_draws AS draw ON draw.id = draw_id"
            " WHERE campaigns.name = '签收以后' GROUP BY entry.campaign_id, stratum HAVING count(DISTINCT contact_id)"
            " FILTER (WHERE draw.kind <> 'top_up') <> ceil(round(CASE stratum WHEN '重点' THEN 1 ELSE 0.3 END * count(DISTINCT contact_id), 6))",
        )
        await none(
            "callbacks left behind",
            "SELECT id, status, at, tried_at FROM callbacks WHERE status IN ('booked', 'due')",
        )
        ledger, entries, audience = (
            await session.execute(
                text(
                    "SELECT (SELECT sum(n) FROM (SELECT count(*) AS n FROM campaign_ledger GROUP BY campaign_id, stage) AS stages),"
                    " (SELECT count(*) FROM campaign_entries),"
                    " (SELECT count(DISTINCT contact_id) FROM campaign_entries JOIN campaigns ON campaigns.id = campaign_id WHERE name = '签收以后')"
                )
            )
        ).one()
        if ledger != entries or audience != customers:
            found.append(f"ledger {ledger}, entries {entries}, customers in it {audience} of {customers}")
    return found


async def summary(database: Database) -> str:
    async with database.session() as session:
        stages = (await session.execute(text("SELECT stage, count(*) FROM campaign_ledger GROUP BY 1 ORDER BY 2 DESC"))).all()
        sent = (await session.execute(text(
                    "SELECT kind, status, CASE status WHEN 'suppressed' THEN error ELSE '' END, count(*) FROM deliveries"
                    " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
                ))).all()
        calls = (await session.execute(text("SELECT status, count(*) FROM callbacks GROUP BY 1"))).all()
    words = [", ".join(" ".join(map(str, row)) for row in rows) for rows in (stages, sent, calls)]
    return f"entries: {words[0]} | messages: {words[1]} | call-backs: {words[2]}"


async def provider_log(url: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(libpq_url(url), autocommit=True)

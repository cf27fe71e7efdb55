"""Some days of a shop: talks in the chat and in WeChat, a colleague, a call-back, an opt-out, a campaign with reports. Undisturbed, and with
processes that die at their points; both must leave the same."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

from followup.campaigns import parse
from followup.campaigns.definition import Amount, Audience, Definition, Retry, Rule, Unit
from followup.reconcile.run import reconcile
from followup.scripts import load
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.campaign_models import Campaign, Consent
from followup.store.database import Database, libpq_url
from followup.store.models import Contact, User
from followup.talk.links import create_link

from .nursery import MORTAL, Nursery

NOW = datetime(2026, 3, 10, 10, 5, tzinfo=SHANGHAI)
"""A Tuesday morning, inside the best hours."""
SCRIPT = "auto_loan_satisfaction"
OUTSIDE = """
    CREATE TABLE taken (id bigserial PRIMARY KEY, what text, number bigint);
    CREATE FUNCTION one_voice() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.variables := NEW.variables || '{"voice": "shop"}'; RETURN NEW; END $$;
    CREATE TRIGGER one_voice BEFORE INSERT ON cases FOR EACH ROW EXECUTE FUNCTION one_voice();
"""
"""What providers took, by their own word; and every talk, also one that a customer begins, chooses among wordings as the others do."""
Aim = Callable[["Step"], dict[str, Any]]
"""Where the next process of a step is killed: `nth` or `spared` (`Points`); empty: nowhere."""


@dataclass(frozen=True)
class Step:
    """What one process does at a moment. `name`: which step of the days it is."""

    name: str
    role: str
    at: datetime
    given: dict[str, Any] = field(default_factory=dict)


@dataclass
class Shop:
    """One run's customers, in a database that it shares with the runs before."""

    database: Database
    number: int
    case_id: str = ""
    token: str = ""
    user_id: int = 0
    campaign_id: int = 0

    async def open(self) -> None:
        """A customer with a link, and a campaign for two others."""
        script = load.load_script(SCRIPT)
        async with self.database.session() as session:
            revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
            contact = await records.create_contact(session, name="张", title="女士", phone=f"139{self.number:08}")
            session.add(Consent(contact_id=contact, channel="sms", given=True, source="测试"))
            self.case_id = await records.create_case(session, contact, revision, script.demo_variables())
            self.token = await create_link(session, self.case_id, valid_for=timedelta(days=3650))
            user = User(name=f"小李{self.number}", password_hash="x", role="agent")
            made = Definition(
                "fruit_order", (Rule("1天", "签收日期", Amount(1, Unit.DAYS)),), audience=Audience(groups=(self._group,)),
                variables={"company": "演示公司", "agent": "小汇", "bought_on": "上周", "box_price": "68", "box_count": "12", "product": "红啤梨"},
                retry=Retry(1, timedelta(days=1), timedelta(days=2)),
            )  # fmt: skip
            campaign = Campaign(
                name="测试", script_id=made.script_id, definition=parse.as_json(made), status="running", seed=7, started_at=NOW, created_at=NOW
            )
            signed = (NOW - timedelta(days=1)).strftime("%Y-%m-%d")
            people = [
                Contact(
                    name=f"客户{n}", phone=f"13{n}{self.number:08}", groups=[self._group], fields={"签收日期": signed}, created_at=NOW, updated_at=NOW
                )
                for n in (1, 2)
            ]
            session.add_all([user, campaign, *people])
            await session.flush()
            session.add_all(Consent(contact_id=one.id, channel="sms", given=True, source="测试") for one in people)
            self.user_id, self.campaign_id = user.id, campaign.id

    @property
    def _group(self) -> str:
        return f"第{self.number}次"

    @property
    def openid(self) -> str:
        return f"o{self.number}"

    def steps(self) -> Iterator[Step]:
        """In their order; what a step needs to know is looked up when its turn comes."""
        for number, (said, *more) in enumerate(_CHAT):
            yield self._web(f"chat {number}", *self._says(said, *more))
            yield Step(f"worker {number}", "worker", NOW)
        # Two come so late that WeChat lets nothing be sent any more: what answers the first goes out with the acknowledgement of the second.
        for number, (said, late) in enumerate((("你好", timedelta(days=3)), ("在吗", timedelta(days=3)), ("你们的梨坏了好几个", timedelta(0)))):
            written = int((NOW - late).timestamp())
            ask = {"wechat": said, "openid": self.openid, "key": self.number * 10 + number, "written": written}
            yield self._web(f"WeChat {number}", *[ask] * 3)
            yield Step(f"worker WeChat {number}", "worker", NOW)
        yield Step("colleague", "staff", NOW, {"case_id": self.case_id, "user_id": self.user_id})
        yield Step("worker handed back", "worker", NOW)
        yield self._web("puts off", *self._says("我在开会，明天下午三点再打给我吧"))
        yield Step("worker put off", "worker", NOW)
        yield self._web("report", *[{"report": self._report()}] * 3)
        tomorrow = NOW + timedelta(days=1)
        due = tomorrow.replace(hour=15, minute=1)
        yield Step("call-back", "worker", due)
        yield self._web("is there", *self._says("期限还可以"), at=due)
        yield Step("worker is there", "worker", due)
        yield self._web("opts out", *self._says("别再联系我了"), at=due)
        yield Step("worker opted out", "worker", due)
        for days in (2, 3, 5):
            yield Step(f"day {days}", "worker", NOW + timedelta(days=days, minutes=30))

    def _web(self, name: str, *asks: dict[str, Any], at: datetime = NOW) -> Step:
        return Step(name, "web", at, {"asks": list(asks)})

    def _says(self, *lines: str) -> list[dict[str, Any]]:
        """Every line three times: the page sends again what it was not told of."""
        said = [{"token": self.token, "say": line, "key": hashlib.sha256(line.encode()).hexdigest()[:16]} for line in lines]
        return [line for line in said for _ in range(3)]

    def _report(self) -> dict[str, Any]:
        with psycopg.connect(libpq_url(self.database.url)) as connection:
            row = connection.execute(
                "SELECT delivery.id, contact.phone FROM deliveries AS delivery JOIN campaign_entries AS entry ON entry.id = delivery.entry_id"
                " JOIN contacts AS contact ON contact.id = delivery.contact_id WHERE entry.campaign_id = %s ORDER BY contact.id LIMIT 1",
                (self.campaign_id,),
            ).fetchone()
        assert row is not None
        at = NOW.strftime("%Y-%m-%d %H:%M:%S")
        return {
            "phone_number": row[1], "send_time": at, "report_time": at, "success": True, "err_code": "DELIVERED", "biz_id": f"biz-{row[0]}",
            "out_id": str(row[0]),
        }  # fmt: skip

    async def close(self) -> None:
        """Later runs need not look at it any more."""
        async with self.database.session() as session:
            (await session.get_one(Campaign, self.campaign_id)).status = "finished"

    async def left(self) -> dict[str, list[tuple[Any, ...]]]:
        """What the days left, without what a kill may change: when, how often tried, and whether a message is known to have arrived."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        async with await psycopg.AsyncConnection.connect(libpq_url(self.database.url)) as connection:
            for name, query in _LEFT.items():
                rows = await connection.execute(query, {"chat": self.case_id, "openid": self.openid, "campaign": self.campaign_id})
                found[name] = await rows.fetchall()
        return found


_CHAT = (("方便",), ("朋友介绍的", "价格有点贵"))
_TALKS = "(SELECT %(chat)s UNION ALL SELECT case_id FROM wechat_users WHERE openid = %(openid)s)"
_LEFT = {
    "talks": f"SELECT script_id, status, outcome, outcome_reason FROM cases WHERE id IN {_TALKS} ORDER BY script_id",
    "lines": f"""
        SELECT script_id, direction, channel_message_id ~ '^staff', text, CASE WHEN direction = 'out' THEN '' ELSE messages.status END, error
        FROM messages JOIN cases ON cases.id = case_id WHERE case_id IN {_TALKS} AND direction <> 'out'
        UNION ALL SELECT script_id, direction, channel_message_id ~ '^staff', text, '', NULL
        FROM messages JOIN cases ON cases.id = case_id WHERE case_id IN {_TALKS} AND direction = 'out' ORDER BY 1, 2, 4, 5
    """,
    "order": f"""
        SELECT script_id, array_agg(text ORDER BY messages.id) FROM messages JOIN cases ON cases.id = case_id
        WHERE case_id IN {_TALKS} AND direction = 'out' GROUP BY script_id ORDER BY 1
    """,
    "answers": f"SELECT question_id, value, words, superseded FROM answers WHERE case_id IN {_TALKS} ORDER BY question_id, words",
    "tickets": f"""
        SELECT topic, kind, status, (SELECT array_agg(word ->> 'text') FROM jsonb_array_elements(words) AS word)
        FROM tickets WHERE case_id IN {_TALKS} ORDER BY topic
    """,
    "notes": f"SELECT kind, topic, text FROM notes WHERE case_id IN {_TALKS} ORDER BY kind, topic, text",
    "callbacks": f"SELECT at, reason, words, status, tries FROM callbacks WHERE case_id IN {_TALKS} ORDER BY at, reason",
    "attempts": f"SELECT script_id, number, reason, attempts.outcome FROM attempts JOIN cases ON cases.id = case_id WHERE case_id IN {_TALKS} ORDER BY 1, 2",
    "stopped": f"SELECT count(*) FROM do_not_contact JOIN cases ON cases.contact_id = do_not_contact.contact_id WHERE cases.id IN {_TALKS}",
    "entries": "SELECT count(*), count(DISTINCT contact_id), count(DISTINCT case_id) FROM campaign_entries WHERE campaign_id = %(campaign)s",
}


@dataclass
class Days:
    """Plays the days, killing wherever `aim` says, and keeps count."""

    nursery: Nursery
    passed: Counter[str] = field(default_factory=Counter)
    """How often each point was passed."""
    killed: Counter[str] = field(default_factory=Counter)
    """How often somebody died there."""
    longest: Counter[str] = field(default_factory=Counter)
    """Step -> the most points that a process passed in it."""

    async def play(self, shop: Shop, aim: Aim = lambda step: {}) -> None:
        for step in shop.steps():
            while True:
                ended = self.nursery.run(step.role, step.at, **step.given, **aim(step))
                self.passed.update(ended.passed)
                self.longest[step.name] = max(self.longest[step.name], len(ended.passed))
                if ended.killed_at is None:
                    break
                self.killed[ended.killed_at] += 1
                await _found_dead(shop.database)
        await shop.close()


async def _found_dead(database: Database) -> None:
    """A worker that was silent for half a minute counts as dead: nobody waits for that here. Its locks are gone once PostgreSQL has
    noticed; whoever comes before that, which no new start of a process does, leaves its message to the next minute."""
    async with await psycopg.AsyncConnection.connect(libpq_url(database.url), autocommit=True) as connection, asyncio.timeout(120):
        await connection.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
        while await (await connection.execute(_STILL_THERE, (MORTAL,))).fetchall():
            await asyncio.sleep(0.005)


_STILL_THERE = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"


async def wrong(shop: Shop, undisturbed: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    """What is wrong after a disturbed run, in words; empty when it is right."""
    found = [
        f"{what}: {[row for row in rows if row not in was]} instead of {[row for row in was if row not in rows]}"
        for what, rows in (await shop.left()).items()
        if rows != (was := undisturbed[what])
    ]
    report = await reconcile(shop.database, NOW + timedelta(days=6), grace=timedelta(0))
    found += [f"{finding.key}: {finding.count}, e.g. {finding.rows}" for finding in report.findings]
    async with await psycopg.AsyncConnection.connect(libpq_url(shop.database.url)) as connection:
        for what, query in _OUTSIDE.items():
            if rows := await (await connection.execute(query)).fetchall():
                found.append(f"{what}: {rows[:3]}")
    return found


# The providers' own word beside ours.
_OUTSIDE = {
    "sent twice": "SELECT what, number, count(*) FROM taken GROUP BY 1, 2 HAVING count(*) > 1",
    "taken, and not in the ledger": """
        SELECT deliveries.id, status, error FROM taken JOIN deliveries ON deliveries.id = taken.number
        WHERE what = 'delivery' AND status NOT IN ('accepted', 'delivered', 'unknown')""",
    "in the ledger, and not taken": """
        SELECT id, status FROM deliveries WHERE status IN ('accepted', 'delivered')
            AND NOT EXISTS (SELECT FROM taken WHERE what = 'delivery' AND number = deliveries.id)""",
    "left behind": "SELECT id, status FROM deliveries WHERE status IN ('queued', 'sending')",
    "a line of WeChat taken, and not so written down": """
        SELECT messages.id, status, error FROM taken JOIN messages ON messages.id = taken.number
        WHERE what = 'line' AND status NOT IN ('sent', 'unknown')""",
    "a line of WeChat lost": """
        SELECT id, status, error FROM messages WHERE direction = 'out' AND channel LIKE 'wechat%' AND (status IN ('sending', 'failed')
            OR status = 'queued' AND error IS NULL OR status = 'sent' AND coalesce(error, '') NOT LIKE 'passive%' AND NOT EXISTS (SELECT FROM taken WHERE what = 'line' AND number = messages.id))""",
}

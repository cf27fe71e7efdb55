"""What the campaigns' pages read, besides `campaigns.ledger`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, and_, exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns.definition import Audience, Definition
from followup.campaigns.dispatch import variables_of
from followup.campaigns.enrol import in_audience
from followup.campaigns.plan import Customer
from followup.console.paging import PER_PAGE
from followup.contacts.groups import KNOWN
from followup.contacts.parse import OPENID_FIELD
from followup.scripts.model import Script
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign, Consent, Import
from followup.store.models import Callback, Case, Contact, DoNotContact, User
from followup.store.wechat_models import WechatUser

COLUMNS_OF = 2000
"""The columns of so many customers, the newest, are offered."""
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Listed:
    """A campaign of the list."""

    campaign: Campaign
    author: str
    next_at: datetime | None
    """When something is due next."""


async def campaigns(session: AsyncSession, status: str = "") -> list[Listed]:
    """The newest first; those that are over last."""
    due = (
        text("(SELECT min(next_at) FROM campaign_entries WHERE campaign_id = campaigns.id AND next_at IS NOT NULL) AS next_at")
    )
    over = Campaign.status.in_(("cancelled", "finished"))
    query = select(Campaign, func.coalesce(User.name, ""), due).outerjoin(User, User.id == Campaign.user_id)
    if status:
        query = query.where(Campaign.status == status)
    rows = await session.execute(query.order_by(over, Campaign.id.desc()).limit(500))
    return [Listed(campaign, author, next_at) for campaign, author, next_at in rows]


async def groups(session: AsyncSession) -> list[tuple[str, int]]:
    """Every group with how many customers it has; those known by name are always offered."""
    rows = await session.execute(
        text(
            "SELECT grp, count(*) FROM contacts, unnest(groups) AS grp WHERE erased_at IS NULL AND NOT is_anonymous"
            " GROUP BY grp ORDER BY count(*) DESC, grp LIMIT 60"
        )
    )
    found = dict(map(tuple, rows))
    return [*found.items(), *((name, 0) for name in KNOWN if name not in found)]


async def columns(session: AsyncSession) -> list[str]:
    """The columns of the customer list, dates first."""
    rows = await session.scalars(
        text(
            "SELECT key FROM (SELECT fields FROM contacts WHERE erased_at IS NULL AND NOT is_anonymous ORDER BY id DESC LIMIT :most) AS newest,"
            " jsonb_object_keys(fields) AS key GROUP BY key ORDER BY count(*) DESC, key LIMIT 80"
        ),
        {"most": COLUMNS_OF},
    )
    return sorted(rows, key=lambda name: not name.endswith(("日期", "时间", "日")))


async def recent_imports(session: AsyncSession, chosen: Sequence[int] = ()) -> list[Import]:
    """The last files that brought customers, and those chosen before."""
    newest = select(Import.id).order_by(Import.id.desc()).limit(12)
    found = select(Import).where(Import.id.in_(newest) | Import.id.in_(list(chosen))).order_by(Import.id.desc())
    return list(await session.scalars(found))


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a campaign could contact: customers of the audience, those on the list 免打扰, and by channel those who agreed."""

    customers: int
    blocked: int
    ways: dict[str, int]
    """Channel -> how many have an address and agreed."""


async def reach(session: AsyncSession, audience: Audience, *, is_demo: bool) -> Reach:
    """Reckoned set by set: `blocked`, `has_address` and the newest consent asked of each customer took seconds for 100,000."""
    standing = (DoNotContact.lifted_at.is_(None), DoNotContact.source != "erased")
    digests = await session.scalar(
        select(exists().where(*standing, or_(DoNotContact.phone_digest.is_not(None), DoNotContact.email_digest.is_not(None))))
    )
    newest = select(Consent.contact_id, Consent.channel, Consent.given).distinct(Consent.contact_id, Consent.channel)
    last = newest.order_by(Consent.contact_id, Consent.channel, Consent.id.desc()).cte("last")

    def listed(column: Any, value: Any) -> Any:
        return and_(value != "", value.in_(select(column).where(*standing, column.is_not(None))))

    def agreed(channel: str) -> Any:
        return Contact.id.in_(select(last.c.contact_id).where(last.c.channel == channel, last.c.given))

    stops = [
        Contact.id.in_(select(DoNotContact.contact_id).where(*standing, DoNotContact.contact_id.is_not(None))),
        listed(DoNotContact.phone, Contact.phone),
        listed(DoNotContact.email, Contact.email),
    ]
    if digests:  # every number must be digested to compare
        stops += [listed(DoNotContact.phone_digest, func.phone_digest(Contact.phone)), listed(DoNotContact.email_digest, func.phone_digest(Contact.email))]
    theirs = select(WechatUser.contact_id).where(WechatUser.contact_id.is_not(None))
    follows = or_(Contact.id.in_(theirs.where(WechatUser.follows)), Contact.fields.has_key(OPENID_FIELD) & Contact.id.not_in(theirs))
    who = (
        select(
            func.coalesce(or_(*stops), False).label("stop"),
            and_(Contact.phone.startswith("1"), agreed("sms")).label("sms"),
            and_(Contact.email != "", agreed("email")).label("email"),
            and_(follows, agreed("wechat")).label("wechat"),
        )
        .where(*in_audience(audience, is_demo))
        .cte("who")
        .prefix_with("MATERIALIZED")
    )
    free = ~who.c.stop
    ways = (func.count().filter(free, who.c[channel]) for channel in ("sms", "email", "wechat"))
    row = (await session.execute(select(func.count(), func.count().filter(who.c.stop), *ways).select_from(who))).one()
    return Reach(row[0], row[1], {"sms": row[2], "email": row[3], "wechat": row[4], "link": row[0] - row[1]})


async def people(session: AsyncSession, made: Definition, *, is_demo: bool) -> AsyncIterator[list[Customer]]:
    """The customers of the audience, some at a time: customers write to the same process."""
    query = select(Contact.id, Contact.groups, Contact.fields).where(*in_audience(made.audience, is_demo)).order_by(Contact.id).limit(_AT_ONCE)
    after = 0
    while rows := (await session.execute(query.where(Contact.id > after))).all():
        yield [Customer(row.id, frozenset(row.groups), row.fields) for row in rows]
        after = rows[-1].id


def missing_data(customers: Sequence[Customer], made: Definition, script: Script) -> dict[str, int]:
    """Label of a variable of the script -> how many customers have nothing for it: they are not contacted."""
    found: dict[str, int] = {}
    for customer in customers:
        for name in set(script.variables) - set(variables_of(made.variables, script.variables, customer.fields)):
            found[name] = found.get(name, 0) + 1
    return {str(script.variables[name].get("label", name)): count for name, count in found.items()}


async def someone(session: AsyncSession, made: Definition, contact_id: int | None, *, is_demo: bool) -> Contact | None:
    """A customer of the audience, to show a talk with: the one wanted, else the first."""
    query = select(Contact).where(*in_audience(made.audience, is_demo)).order_by(Contact.id).limit(1)
    wanted = await session.scalar(query.where(Contact.id == contact_id)) if contact_id is not None else None
    return wanted or await session.scalar(query)


MOST_OTHERS = 8


async def others(session: AsyncSession, made: Definition, q: str, besides: int, *, is_demo: bool) -> list[Row[Any]]:
    """(id, name, title, groups) of customers of the audience to choose from: those that `q` finds, else the next after `besides`."""
    query = select(Contact.id, Contact.name, Contact.title, Contact.groups).where(*in_audience(made.audience, is_demo), Contact.id != besides)
    if q:
        found = Contact.name.contains(q, autoescape=True) | (Contact.phone == q) | (Contact.external_id == q)
        return list(await session.execute(query.where(found).order_by(Contact.id).limit(MOST_OTHERS)))
    # Behind this one, and from the beginning again where there are none.
    rows = list(await session.execute(query.where(Contact.id > besides).order_by(Contact.id).limit(MOST_OTHERS)))
    if len(rows) < MOST_OTHERS:
        rows += await session.execute(query.where(Contact.id < besides).order_by(Contact.id).limit(MOST_OTHERS - len(rows)))
    return rows


async def names(session: AsyncSession, contact_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Contact id -> (name, title, phone)."""
    rows = await session.execute(select(Contact.id, Contact.name, Contact.title, Contact.phone).where(Contact.id.in_(contact_ids)))
    return {row.id: row for row in rows}


# —— the calendar ————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of a day: `sent` messages went out, `opened` customers came, `completed` talks were completed."""

    sent: int = 0
    failed: int = 0
    opened: int = 0
    completed: int = 0


async def happened_days(session: AsyncSession, campaign_id: int, first: date, last: date) -> dict[date, Happened]:
    """By day, of the days from `first` to `last`."""
    rows = await session.execute(
        _HAPPENED, {"id": campaign_id, "first": _midnight(first), "end": _midnight(last + timedelta(days=1))}
    )
    return {row.day: Happened(row.sent, row.failed, row.opened, row.completed) for row in rows}


_HAPPENED = text(
    """
    SELECT (at AT TIME ZONE 'Asia/Shanghai')::date AS day, count(*) FILTER (WHERE what = 'sent') AS sent,
        count(*) FILTER (WHERE what = 'failed') AS failed, count(*) FILTER (WHERE what = 'opened') AS opened,
        count(*) FILTER (WHERE what = 'completed') AS completed
    FROM (
        SELECT delivery.sending_at AS at, CASE WHEN delivery.status = 'failed' THEN 'failed' ELSE 'sent' END AS what
        FROM deliveries AS delivery JOIN campaign_entries AS entry ON entry.id = delivery.entry_id
        WHERE entry.campaign_id = :id AND delivery.status IN ('accepted', 'delivered', 'unknown', 'failed')
        UNION ALL
        SELECT talk.opened_at, 'opened' FROM cases AS talk JOIN campaign_entries AS entry ON entry.case_id = talk.id
        WHERE entry.campaign_id = :id AND talk.opened_at IS NOT NULL
        UNION ALL
        SELECT talk.ended_at, 'completed' FROM cases AS talk JOIN campaign_entries AS entry ON entry.case_id = talk.id
        WHERE entry.campaign_id = :id AND talk.outcome = 'completed'
    ) AS happened WHERE at >= :first AND at < :end GROUP BY 1
    """
)


@dataclass(frozen=True, slots=True)
class OnDay:
    """A customer on a day of the calendar."""

    entry_id: int
    contact_id: int
    name: str
    title: str
    rule: str
    at: datetime
    what: str
    """One of WHAT, or unknown: sent, but nobody knows whether it arrived."""
    channel: str


WHAT = ("planned", "sent", "failed", "opened", "completed")
"""What a number of the calendar counts."""


async def on_day(session: AsyncSession, campaign_id: int, day: date, what: str = "", page: int = 1) -> tuple[list[OnDay], int]:
    """A page of who is to be contacted on a day, who was, who came; and how many there are. `what`: only those of one number."""
    kinds = {"sent": ["sent", "unknown"], "": ["planned", "sent", "failed", "unknown"]}.get(what, [what])
    given = {"id": campaign_id, "first": _midnight(day), "end": _midnight(day + timedelta(days=1)), "what": kinds, "limit": PER_PAGE, "offset": (page - 1) * PER_PAGE}
    rows = (await session.execute(_ON_DAY, given)).all()
    total = rows[0].total if rows else 0
    return [OnDay(**{name: row._mapping[name] for name in OnDay.__slots__}) for row in rows], total


_ON_DAY = text(
    """
    SELECT entry.id AS entry_id, entry.contact_id, contact.name, contact.title, entry.rule, found.at, found.what, found.channel,
        count(*) OVER () AS total
    FROM (
        SELECT id AS entry_id, next_at AS at, 'planned' AS what, channel FROM campaign_entries
        WHERE campaign_id = :id AND state = 'waiting' AND next_at >= :first AND next_at < :end
        UNION ALL
        SELECT delivery.entry_id, delivery.sending_at, CASE WHEN delivery.status IN ('failed', 'unknown') THEN delivery.status ELSE 'sent' END,
            delivery.channel
        FROM deliveries AS delivery JOIN campaign_entries AS mine ON mine.id = delivery.entry_id
        WHERE mine.campaign_id = :id AND delivery.status IN ('accepted', 'delivered', 'unknown', 'failed')
            AND delivery.sending_at >= :first AND delivery.sending_at < :end
        UNION ALL
        SELECT came.id, talk.opened_at, 'opened', came.channel FROM cases AS talk JOIN campaign_entries AS came ON came.case_id = talk.id
        WHERE came.campaign_id = :id AND talk.opened_at >= :first AND talk.opened_at < :end
        UNION ALL
        SELECT came.id, talk.ended_at, 'completed', came.channel FROM cases AS talk JOIN campaign_entries AS came ON came.case_id = talk.id
        WHERE came.campaign_id = :id AND talk.outcome = 'completed' AND talk.ended_at >= :first AND talk.ended_at < :end
    ) AS found JOIN campaign_entries AS entry ON entry.id = found.entry_id JOIN contacts AS contact ON contact.id = entry.contact_id
    WHERE found.what = ANY(:what) ORDER BY found.at, entry.id LIMIT :limit OFFSET :offset
    """
)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


# —— one customer's contacts ————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class OfCustomer:
    """A contact of a campaign with one customer, past, present or to come."""

    entry_id: int
    campaign_id: int
    campaign: str
    status: str
    """Of the campaign."""
    rule: str
    occurrence: int
    stage: str
    reason: str
    channel: str
    due_at: datetime | None
    next_at: datetime | None
    sent_at: datetime | None
    case_id: str | None


async def of_customer(session: AsyncSession, contact_id: int) -> list[OfCustomer]:
    """All campaigns' contacts with a customer: what comes next first, then the newest."""
    rows = await session.execute(
        text(
            """
            SELECT ledger.id AS entry_id, campaign.id AS campaign_id, campaign.name AS campaign, campaign.status, ledger.rule, ledger.occurrence,
                ledger.stage, ledger.reason, ledger.channel, ledger.due_at, ledger.next_at, ledger.sent_at, ledger.case_id
            FROM campaign_ledger AS ledger JOIN campaigns AS campaign ON campaign.id = ledger.campaign_id
            WHERE ledger.contact_id = :id
            ORDER BY ledger.next_at IS NULL, ledger.next_at, ledger.due_at DESC NULLS LAST, ledger.id DESC LIMIT 200
            """
        ),
        {"id": contact_id},
    )
    return [OfCustomer(**row._mapping) for row in rows]


# —— call-backs ——————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Booked:
    """A call-back 预约 with its customer."""

    callback: Callback
    case: Case
    contact: Contact


async def callbacks(session: AsyncSession, which: str, at: datetime, limit: int, offset: int) -> tuple[list[Booked], int]:
    """`which`: today | overdue | coming | open (no time was said) | failed. The soonest first; and how many there are."""
    midnight = datetime.combine(at.astimezone(SHANGHAI).date() + timedelta(days=1), time(), SHANGHAI)
    waits = Callback.status.in_(("booked", "due"))
    wanted = {
        "today": (waits, Callback.at >= at, Callback.at < midnight),
        "overdue": (waits, Callback.at < at),
        "coming": (waits, Callback.at >= midnight),
        "open": (waits, Callback.at.is_(None)),
        "failed": (Callback.status == "failed",),
    }[which]
    query = select(Callback, Case, Contact).join(Case, Case.id == Callback.case_id).join(Contact, Contact.id == Case.contact_id)
    order = Callback.tried_at.desc() if which == "failed" else Callback.at
    rows = await session.execute(query.where(*wanted).order_by(order, Callback.id).limit(limit).offset(offset))
    total = await session.scalar(select(func.count()).select_from(Callback).where(*wanted))
    return [Booked(*row) for row in rows], total or 0

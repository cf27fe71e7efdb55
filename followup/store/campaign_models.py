"""Tables of campaigns: definitions, draws, one entry per customer and rule, deliveries, consents, imports, API keys.

See docs/decisions/0011.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _case, _id, _now

CAMPAIGN_STATES = ("draft", "running", "paused", "cancelled", "finished")
ENTRY_STATES = ("reserve", "waiting", "queued", "sent", "closed", "suppressed", "late", "cancelled")
LOST_REASONS = ("do_not_contact", "no_consent", "no_address", "cannot_send", "missing_data", "unreachable")
"""A drawn customer whose entry ends with one of these is lost to the sample: a top-up draws another."""
LOST = f"draw_id IS NOT NULL AND state IN ('suppressed', 'closed') AND reason IN {LOST_REASONS}"
DELIVERY_STATES = ("queued", "sending", "accepted", "delivered", "failed", "unknown", "suppressed")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Consent(Base):
    """The customer agreed to be contacted on a channel, or took it back. Only grows; the newest row of a channel counts."""

    __tablename__ = "consents"

    id: Mapped[int] = _id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    channel: Mapped[str]
    """sms | email | wechat | web"""
    given: Mapped[bool]
    """False: taken back."""
    source: Mapped[str]
    """Where it was given: 购买合同, 导入文件, 会话 ..."""
    text_version: Mapped[str] = mapped_column(server_default="")
    """Which wording the customer agreed to."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id"))
    at: Mapped[datetime] = _now()

    __table_args__ = (Index("consents_newest_idx", "contact_id", "channel", text("id DESC")),)


class Import(Base):
    """One file, or one call of the API, that brought customers 导入记录, and what was not taken."""

    __tablename__ = "imports"

    id: Mapped[int] = _id()
    source: Mapped[str]
    """console | cli | api"""
    file_name: Mapped[str] = mapped_column(server_default="")
    digest: Mapped[str] = mapped_column(String(64), index=True)
    """SHA-256 of the content: the same file twice is noticed."""
    rows: Mapped[int]
    created: Mapped[int]
    updated: Mapped[int]
    merged: Mapped[int]
    bad: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    """[{"line", "reason", "cells"}]: the header as the first, then at most a thousand rows. Emptied after 90 days."""
    bad_count: Mapped[int] = mapped_column(server_default=text("0"))
    groups: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    api_key_id: Mapped[int | None] = mapped_column(ForeignKey("api_keys.id"))
    at: Mapped[datetime] = _now()


class ImportedContact(Base):
    """Which customers a file brought or completed."""

    __tablename__ = "imported_contacts"

    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True)


class ApiKey(Base):
    """A key of a customer system (CRM); only its hash is kept."""

    __tablename__ = "api_keys"

    id: Mapped[int] = _id()
    name: Mapped[str]
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str]
    """Its first characters, to tell keys apart."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = _now()
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Upload(Base):
    """A customer file that was sent but not taken yet: its table, how its columns are understood, what was found. Kept a day.

    The worker reads, checks and takes it (`contacts.importing`); `todo` says what it has been asked for and has not done.
    """

    __tablename__ = "uploads"

    id: Mapped[int] = _id()
    file_name: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes]
    """The file as it came; once it was read, the table as `contacts.table.pack` wrote it."""
    choices: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """Columns, groups and consent as they were chosen; empty until the file was read."""
    checked: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What would come of it, with the rows that would not be taken."""
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id"))
    """Taken: what it became."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = _now()
    todo: Mapped[str] = mapped_column(server_default="")
    """read | check | take; empty: nothing is to be done."""
    skip_bad: Mapped[bool] = mapped_column(server_default=text("false"))
    """To be taken without the rows that cannot be."""
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    """How often the worker began what is to be done: a file that kills it is not tried for ever."""
    stage: Mapped[str] = mapped_column(server_default="")
    """read | check | compare | write: what the worker is at, for the page that waits; with `done` of `total` rows."""
    done: Mapped[int] = mapped_column(server_default=text("0"))
    total: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str] = mapped_column(server_default="")
    """A Chinese sentence: why the last thing asked for did not come about."""
    asked_at: Mapped[datetime] = _now()

    __table_args__ = (Index("uploads_todo_idx", "id", postgresql_where=text("todo <> ''")),)


class ApiRequest(Base):
    """A call of the API with an Idempotency-Key and what was answered, so that a repeated call is answered and not done again."""

    __tablename__ = "api_requests"

    id: Mapped[int] = _id()
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    key: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of method, path and body."""
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime] = _now()

    __table_args__ = (Index("api_requests_key_idx", "api_key_id", "key", unique=True), Index(None, "at"))


class RateBucket(Base):
    """How fast somebody may go on, shared by all web processes (`web.shared_limits`). Not in the log: a crash only forgives."""

    __tablename__ = "rate_buckets"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """A keyed hash: addresses are not kept."""
    tokens: Mapped[float] = mapped_column(Float)
    at: Mapped[datetime]

    __table_args__ = (Index(None, "at"), {"prefixes": ["UNLOGGED"]})


class Campaign(Base):
    """A campaign 回访任务. `definition` is `followup.campaigns.definition.Definition` as JSON."""

    __tablename__ = "campaigns"

    id: Mapped[int] = _id()
    name: Mapped[str]
    script_id: Mapped[str]
    definition: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    """Counted up by each change: what was planned by an older one is planned again before it is sent."""
    status: Mapped[str] = mapped_column(server_default="draft")
    why: Mapped[str] = mapped_column(server_default="")
    """Why it is paused or cancelled."""
    priority: Mapped[int] = mapped_column(server_default=text("5"))
    seed: Mapped[int] = mapped_column(BigInteger)
    """Of the draw: the same seed and audience draw the same customers."""
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = _now()
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    planned_at: Mapped[datetime | None]
    """When the audience was last looked through."""
    planned_version: Mapped[int] = mapped_column(server_default=text("0"))
    """The version that everything was last planned by."""
    repeats_planned_at: Mapped[datetime | None]
    """When repeated contacts that come into sight were last looked for."""

    __table_args__ = (
        Index("campaigns_running_idx", "priority", "id", postgresql_where=text("status = 'running'")),
        CheckConstraint(_one_of("status", CAMPAIGN_STATES), name="campaigns_status_check"),
    )


class CampaignDraw(Base):
    """One drawing of customers 抽样, as an auditor can repeat it."""

    __tablename__ = "campaign_draws"

    id: Mapped[int] = _id()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    """first | more (customers who came later) | top_up"""
    seed: Mapped[int] = mapped_column(BigInteger)
    strata: Mapped[list[Any]]
    """[{"name", "share", "population", "wanted", "drawn"}]"""
    at: Mapped[datetime] = _now()


class CampaignEntry(Base):
    """One customer, one rule, one occurrence: the plan and the account of it."""

    __tablename__ = "campaign_entries"

    id: Mapped[int] = _id()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    rule: Mapped[str]
    occurrence: Mapped[int] = mapped_column(server_default=text("0"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    """Of the campaign when this was planned."""
    stratum: Mapped[str] = mapped_column(server_default="")
    lot: Mapped[int] = mapped_column(server_default=text("0"))
    """The order in which customers of a stratum are drawn (`campaigns.sampling.lot`, without its lowest bit)."""
    draw_id: Mapped[int | None] = mapped_column(ForeignKey("campaign_draws.id"))
    """Empty: not drawn."""
    base_at: Mapped[datetime | None]
    """The customer's date that the rule counts from."""
    due_at: Mapped[datetime | None]
    not_after: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default="waiting")
    reason: Mapped[str] = mapped_column(server_default="")
    channel: Mapped[str] = mapped_column(server_default="")
    """Of the last delivery."""
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    """Deliveries made on that channel."""
    sent_at: Mapped[datetime | None]
    """When a provider first took one."""
    delivered_at: Mapped[datetime | None]
    """When one was first reported to have arrived."""
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"), unique=True)
    seen_at: Mapped[datetime | None]
    """The customer's `updated_at` when this was planned: data that are newer are planned again."""
    created_at: Mapped[datetime] = _now()
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        Index("campaign_entries_one_idx", "campaign_id", "contact_id", "rule", "occurrence", unique=True),
        Index("campaign_entries_due_idx", "campaign_id", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("campaign_entries_reserve_idx", "campaign_id", "stratum", "lot", postgresql_where=text("state = 'reserve'")),
        Index("campaign_entries_sent_idx", "case_id", postgresql_where=text("state = 'sent'")),
        Index("campaign_entries_state_idx", "campaign_id", "state", "id"),
        Index("campaign_entries_lost_idx", "campaign_id", "stratum", postgresql_where=text(LOST)),
        CheckConstraint(_one_of("state", ENTRY_STATES), name="campaign_entries_state_check"),
    )


class Delivery(Base):
    """One message that brings a customer to a talk, and what became of it."""

    __tablename__ = "deliveries"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("campaign_entries.id", ondelete="SET NULL"), index=True)
    callback_id: Mapped[int | None] = mapped_column(ForeignKey("callbacks.id", ondelete="SET NULL"), index=True)
    number: Mapped[int]
    """Counted from 1 within the case."""
    kind: Mapped[str]
    """first | reminder | callback | revisit | resume | unfinished"""
    channel: Mapped[str]
    provider: Mapped[str] = mapped_column(server_default="")
    provider_id: Mapped[str | None]
    """The provider's own number of it, for its report."""
    status: Mapped[str] = mapped_column(server_default="queued")
    priority: Mapped[int] = mapped_column(server_default=text("5"))
    """The smallest goes first: of its campaign, or of its kind (campaigns.queue)."""
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    """How often the provider could not take it."""
    not_before: Mapped[datetime | None]
    """When the provider is asked again."""
    error: Mapped[str] = mapped_column(server_default="")
    """Provider's code, or why it was suppressed."""
    lasting: Mapped[bool] = mapped_column(server_default=text("false"))
    """It failed for a reason that lasts (no such number, on a black list): not tried again on this channel."""
    day: Mapped[date]
    """The local day it counts on for the customer's daily cap."""
    queued_at: Mapped[datetime] = _now()
    sending_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    """Accepted, refused, or found unknown."""
    delivered_at: Mapped[datetime | None]

    __table_args__ = (
        Index("deliveries_number_idx", "case_id", "number", unique=True),
        Index("deliveries_cap_idx", "contact_id", "day"),
        Index("deliveries_queue_idx", "priority", "id", postgresql_where=text("status = 'queued'")),
        Index("deliveries_sending_idx", "sending_at", postgresql_where=text("status = 'sending'")),
        Index("deliveries_channel_idx", "channel", "sending_at"),
        Index("deliveries_queued_at_idx", "queued_at"),
        Index("deliveries_provider_idx", "provider", "provider_id"),
        CheckConstraint(_one_of("status", DELIVERY_STATES), name="deliveries_status_check"),
    )

"""The tables. What they mean: docs/architecture.md, "Records"; the trade's words: design, "Words".

All times are `timestamptz`. Conventions: `case_id` is the Rasa conversation's `sender_id`, 32 hexadecimal digits;
`message_id` says which message caused a row and is part of the key that makes writing it twice harmless.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CASE_ID_LENGTH = 32


class Base(DeclarativeBase):
    # Named by a rule, so that migrations can name what they change.
    metadata = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        str: Text,
        int: BigInteger,
    }


def _id() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(), primary_key=True)


def _case() -> Mapped[str]:
    return mapped_column(String(CASE_ID_LENGTH), ForeignKey("cases.id", ondelete="CASCADE"))


def _message() -> Mapped[int | None]:
    return mapped_column(ForeignKey("messages.id"))


def _now() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


class Contact(Base):
    """A customer 客户."""

    __tablename__ = "contacts"

    id: Mapped[int] = _id()
    name: Mapped[str]
    title: Mapped[str] = mapped_column(server_default="")
    """先生, 女士 or empty."""
    phone: Mapped[str | None]
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    is_anonymous: Mapped[bool] = mapped_column(server_default=text("false"))
    """Came in by the public entry: name and phone are what somebody typed, nobody has verified them."""
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = _now()
    erased_at: Mapped[datetime | None]
    """When everything that says who it is was erased; the row stays for the figures (docs/decisions/0009)."""
    email: Mapped[str | None]
    external_id: Mapped[str | None]
    """The customer's number in the firm's own system (CRM)."""
    groups: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    """重点客户, 车队, 曾投诉 ... (58741): campaigns choose and draw by them."""
    updated_at: Mapped[datetime] = _now()

    __table_args__ = (
        Index(None, "phone"),
        Index(None, "email"),
        Index("contacts_external_id_idx", "external_id", unique=True),
        Index("contacts_groups_idx", "groups", postgresql_using="gin"),
        Index("contacts_updated_at_idx", "updated_at"),
    )


class DoNotContact(Base):
    """The list 免打扰名单. A row that is not lifted blocks its contact and every other contact with the same phone or mailbox.

    Rows are only added and lifted, never changed otherwise or deleted; lifted and added again, there are two.
    """

    __tablename__ = "do_not_contact"

    id: Mapped[int] = _id()
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    phone: Mapped[str | None] = mapped_column(index=True)
    phone_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    """Instead of the phone, of somebody who was erased: `phone_digest(phone)` in SQL."""
    email: Mapped[str | None] = mapped_column(index=True)
    """The customer's address when the entry was made: nothing goes to that mailbox, whoever else has it."""
    email_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    """Instead of the address: `phone_digest(email)`."""
    other_digests: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    """Of somebody who was erased: `phone_digest` of 'id:' with the firm's number and of 'openid:' with the OpenID."""
    reason: Mapped[str] = mapped_column(server_default="")
    words: Mapped[str] = mapped_column(server_default="")
    """The customer's own, where the source is the customer."""
    source: Mapped[str] = mapped_column(server_default="customer")
    """customer | staff | import | api | erased"""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who added it; empty where the customer did."""
    message_id: Mapped[int | None] = _message()
    at: Mapped[datetime] = _now()
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    lift_reason: Mapped[str] = mapped_column(server_default="")

    __table_args__ = (
        Index("do_not_contact_standing_idx", "contact_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
    )


class DigestKey(Base):
    """The one row with this database's own key for `phone_digest`."""

    __tablename__ = "digest_key"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    key: Mapped[bytes]

    __table_args__ = (CheckConstraint("one", name="digest_key_one_check"),)


class ScriptRevision(Base):
    """A script 话术 as it was when a talk began; the same content is kept once."""

    __tablename__ = "script_revisions"

    id: Mapped[int] = _id()
    script_id: Mapped[str]
    version: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the canonical JSON, hexadecimal."""
    content: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = _now()

    __table_args__ = (UniqueConstraint("script_id", "digest"),)


class Case(Base):
    """One customer's follow-up 回访作业, which is one Rasa conversation."""

    __tablename__ = "cases"

    id: Mapped[str] = mapped_column(String(CASE_ID_LENGTH), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), index=True)
    script_id: Mapped[str]
    revision_id: Mapped[int] = mapped_column(ForeignKey("script_revisions.id"))
    variables: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    status: Mapped[str] = mapped_column(server_default="new")
    """new | open | waiting | closed"""
    outcome: Mapped[str | None]
    outcome_reason: Mapped[str] = mapped_column(server_default="")
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = _now()
    opened_at: Mapped[datetime | None]
    """When the customer's first message, or the opening, was accepted."""
    ended_at: Mapped[datetime | None]
    last_message_at: Mapped[datetime | None]
    """When either side spoke last."""
    nudged_at: Mapped[datetime | None]
    """When the silent customer was asked whether they are still there; empty again once they speak."""
    claimed_contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"), index=True)
    """Whose number an anonymous visitor gave: a claim for staff, never a key (docs/decisions/0007)."""
    claimed_case_id: Mapped[str | None] = mapped_column(
        String(CASE_ID_LENGTH), ForeignKey("cases.id", ondelete="SET NULL"), index=True
    )
    """The newest open case of that customer: tickets and notes of this talk are shown there too."""
    erased_at: Mapped[datetime | None]
    """When everything that was said, or says who it was, was erased: on the customer's wish or because of its age."""
    comparison_id: Mapped[int | None]
    """The comparison of two versions of the script that it belongs to (`store.script_models`; with talks, none is deleted)."""
    side: Mapped[str | None]
    """first | second: by which of the two it is held."""

    __table_args__ = (
        Index("cases_comparison_idx", "comparison_id", postgresql_where=text("comparison_id IS NOT NULL")),
        Index(
            "cases_content_idx",
            text("coalesce(ended_at, last_message_at, created_at)"),
            postgresql_where=text("erased_at IS NULL"),
        ),
        Index("cases_silence_idx", "last_message_at", postgresql_where=text("status = 'open'")),
        # The lists of talks: by the day they belong to (store.figures), by when somebody last spoke.
        Index("cases_held_idx", text("coalesce(ended_at, last_message_at, created_at)")),
        Index("cases_latest_idx", text("coalesce(last_message_at, created_at)"), "id"),
    )


class Attempt(Base):
    """One try to hold the talk 触达: the first, a call-back, or the customer's own return."""

    __tablename__ = "attempts"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    number: Mapped[int]
    channel: Mapped[str]
    reason: Mapped[str]
    """first | callback | return | colleague | unfinished"""
    started_at: Mapped[datetime] = _now()
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (UniqueConstraint("case_id", "number"),)


class AccessToken(Base):
    """A link to a talk. The token itself is nowhere stored."""

    __tablename__ = "access_tokens"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _now()

    __table_args__ = (Index(None, "case_id"),)


class Message(Base):
    """Inbox, outbox and transcript at once."""

    __tablename__ = "messages"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    direction: Mapped[str]
    """in (the customer) | out (we) | system (a trigger such as `/start_followup`)"""
    channel: Mapped[str]
    channel_message_id: Mapped[str]
    """The channel's own id of an `in` or `system` row; for `out` rows `<message id it answers>-<number>`."""
    text: Mapped[str]
    intent: Mapped[str | None]
    confidence: Mapped[float | None] = mapped_column(Float)
    acts: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    status: Mapped[str]
    """in, system: received | handled | failed; out: queued | sent | failed"""
    in_reply_to: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    error: Mapped[str | None]
    quick_replies: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    """For `out` rows: the labels the customer may tap."""
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    failing_since: Mapped[datetime | None]
    """When its turn first failed, by the database's clock; unlike `created_at` it never stands still."""
    created_at: Mapped[datetime] = _now()
    """By the product's clock (FOLLOWUP_NOW in tests): what "tomorrow" is counted from."""
    handled_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("case_id", "direction", "channel", "channel_message_id"),
        Index(None, "case_id", "id"),
        Index("messages_received_idx", "case_id", "id", postgresql_where=text("status = 'received'")),
        Index("messages_queued_idx", "case_id", "id", postgresql_where=text("status = 'queued'")),
        # Text search: every character and every pair of neighbours (migration 0004).
        Index(
            "messages_grams_idx",
            text("text_grams(text)"),
            postgresql_using="gin",
            postgresql_where=text("direction <> 'system'"),
        ),
        Index("messages_intent_idx", "intent", "case_id", postgresql_where=text("direction = 'in'")),
        Index(
            "messages_acts_idx",
            "acts",
            postgresql_using="gin",
            postgresql_ops={"acts": "jsonb_path_ops"},
            postgresql_where=text("direction = 'in'"),
        ),
        Index("messages_unsure_idx", "case_id", postgresql_where=text("direction = 'in' AND confidence < 0.7")),
        # Figures: what customers said is counted from the index alone (migration 0008).
        Index("messages_said_idx", "case_id", "created_at", postgresql_where=text("direction = 'in'")),
        Index(
            "messages_heard_idx", "created_at",
            postgresql_include=["case_id", "id", "intent", "confidence"], postgresql_where=text("direction = 'in' AND intent IS NOT NULL"),
        ),
        # What the customer did not get, or perhaps did not get (migration 0013).
        Index("messages_undelivered_idx", "id", postgresql_where=text("direction = 'out' AND (status IN ('failed', 'unknown') OR status = 'queued' AND error IS NOT NULL)")),
    )


class Answer(Base):
    """An answer 答案 next to the words it came from. A corrected one is kept, marked as superseded."""

    __tablename__ = "answers"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    question_id: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    words: Mapped[str]
    message_id: Mapped[int | None] = _message()
    how: Mapped[str]
    superseded: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = _now()

    __table_args__ = (
        UniqueConstraint("case_id", "question_id", "message_id", postgresql_nulls_not_distinct=True),
        Index("answers_valid_idx", "case_id", "question_id", unique=True, postgresql_where=text("not superseded")),
        # Dissatisfied answers and the reasons given for them, for the figures (migration 0008).
        Index(
            "answers_low_idx",
            "case_id",
            postgresql_where=text(
                """not superseded AND (value IN ('"不满意"', '"非常不满意"')
                OR (jsonb_typeof(value) = 'number' AND value < '5')
                OR question_id LIKE '%.reason' OR question_id LIKE '%.improve')"""
            ),
        ),
    )


class Ticket(Base):
    """A ticket 工单, one for each topic of a case."""

    __tablename__ = "tickets"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    topic: Mapped[str]
    kind: Mapped[str]
    """complaint | dissatisfaction | compensation | request | question"""
    severity: Mapped[int]
    """1 (gravest) to 4."""
    department: Mapped[str]
    reason: Mapped[str]
    words: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    """Every message that raised it: `[{"message_id", "text"}]`, which makes raising it twice harmless."""
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    status: Mapped[str] = mapped_column(server_default="open")
    """open | working | solved | closed"""
    due_at: Mapped[datetime]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who works on it."""
    solution: Mapped[str] = mapped_column(server_default="")
    solved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    """When staff were last reminded by the webhook that it is due or late."""
    mailed_at: Mapped[datetime | None]
    """The same, by mail."""
    revisit_case_id: Mapped[str | None] = mapped_column(
        String(CASE_ID_LENGTH), ForeignKey("cases.id", ondelete="SET NULL"), index=True
    )
    """The talk that asks afterwards whether it is really solved (58741: within 3 days of the solution)."""
    message_id: Mapped[int | None] = _message()
    created_at: Mapped[datetime] = _now()
    updated_at: Mapped[datetime] = _now()

    __table_args__ = (
        UniqueConstraint("case_id", "topic"),
        Index("tickets_open_idx", "due_at", postgresql_where=text("status = 'open'")),
        # Text search, as in messages (migration 0006).
        Index("tickets_grams_idx", text("text_grams(ticket_text(words, solution))"), postgresql_using="gin"),
    )


class Callback(Base):
    """A call-back 预约回访. `at` is empty while the customer has not said when."""

    __tablename__ = "callbacks"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    at: Mapped[datetime | None]
    reason: Mapped[str]
    words: Mapped[str]
    confirmed: Mapped[bool] = mapped_column(server_default=text("false"))
    status: Mapped[str] = mapped_column(server_default="booked")
    """booked | due | done | cancelled | failed (two tries in vain: staff call)"""
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    tried_at: Mapped[datetime | None]
    """When the customer was last called back."""
    message_id: Mapped[int | None] = _message()
    created_at: Mapped[datetime] = _now()

    __table_args__ = (
        UniqueConstraint("case_id", "message_id", postgresql_nulls_not_distinct=True),
        Index("callbacks_booked_idx", "at", postgresql_where=text("status = 'booked'")),
        Index("callbacks_due_idx", "tried_at", postgresql_where=text("status = 'due'")),
    )


class Note(Base):
    """Something for a colleague."""

    __tablename__ = "notes"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    kind: Mapped[str]
    topic: Mapped[str] = mapped_column(server_default="")
    text: Mapped[str]
    message_id: Mapped[int | None] = _message()
    created_at: Mapped[datetime] = _now()

    __table_args__ = (UniqueConstraint("case_id", "kind", "topic", "message_id", postgresql_nulls_not_distinct=True),)


class User(Base):
    """A member of staff."""

    __tablename__ = "users"

    id: Mapped[int] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    """admin | supervisor | agent | trainer | auditor"""
    department: Mapped[str] = mapped_column(server_default="")
    """Whose tickets concern this person; empty: no department's in particular."""
    email: Mapped[str] = mapped_column(server_default="")
    """Where reminders of tickets go; empty: nowhere."""
    must_change_password: Mapped[bool] = mapped_column(server_default=text("false"))
    """Somebody else knows the password: it was made up for the account."""
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _now()


class RasaEvent(Base):
    """Rasa's own record of the talk; written by `followup.store.tracker`, read by the turn.

    `message_id` is set on user events only. That it is unique is what makes it impossible for a turn to be stored twice.
    """

    __tablename__ = "events"

    id: Mapped[int] = _id()
    sender_id: Mapped[str] = mapped_column(String(255))
    type_name: Mapped[str]
    timestamp: Mapped[float | None] = mapped_column(Float)
    intent_name: Mapped[str | None]
    action_name: Mapped[str | None]
    message_id: Mapped[int | None]
    data: Mapped[str]
    """The event as Rasa's JSON."""

    __table_args__ = (
        UniqueConstraint("sender_id", "message_id"),
        Index(None, "sender_id", "id"),
        Index(
            "events_state_idx", "sender_id", "type_name", "action_name", "id",
            postgresql_where=text("type_name IN ('slot', 'active_loop')"),
        ),
    )  # fmt: skip

"""The tables of 微信客服 (企业微信) and of WeChat's web authorisation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _id, _now


class WecomUser(Base):
    """Somebody who writes to one of our service accounts 客服账号, and the talk they are in."""

    __tablename__ = "wecom_users"

    id: Mapped[int] = _id()
    account: Mapped[str]
    open_kfid: Mapped[str]
    external_userid: Mapped[str]
    unionid: Mapped[str] = mapped_column(server_default="")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"), index=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"))
    """The talk that what they write belongs to."""
    message_at: Mapped[datetime | None]
    """When they last wrote, by WeCom's clock: 48 hours and 5 messages."""
    sent: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)), server_default=text("'{}'"))
    """When the last messages went out."""
    state: Mapped[int | None]
    """The session's state as last heard: 0 new, 1 ours, 2 waits for a servicer, 3 a servicer speaks, 4 ended; empty: to be asked."""
    handed_at: Mapped[datetime | None]
    """When the session was last handed to a servicer in 企业微信."""
    welcome_code: Mapped[str] = mapped_column(server_default="")
    welcome_until: Mapped[datetime | None]
    """The code is for one message, within 20 seconds; empty when it was used."""
    tries: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)), server_default=text("'{}'"))
    """When codes were typed that open nothing."""
    created_at: Mapped[datetime] = _now()

    __table_args__ = (
        UniqueConstraint("account", "open_kfid", "external_userid"),
        Index("wecom_users_case_idx", "account", "case_id", unique=True, postgresql_where=text("case_id IS NOT NULL")),
        Index("wecom_users_unionid_idx", "unionid", postgresql_where=text("unionid <> ''")),
    )


class WecomReceived(Base):
    """A message or event that was taken; pages overlap after an interruption. Kept longer than WeCom keeps its own (3 days)."""

    __tablename__ = "wecom_received"

    account: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    """msgid; with a prefix: `recall:` a message that the customer took back."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("wecom_users.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = _now()

    __table_args__ = (Index(None, "at"),)


class WecomSent(Base):
    """A message of ours under the id we gave it: WeCom tells of failures by this id."""

    __tablename__ = "wecom_sent"

    account: Mapped[str] = mapped_column(primary_key=True)
    msgid: Mapped[str] = mapped_column(primary_key=True)
    rows: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """The lines of `messages` of which it holds something."""
    user_id: Mapped[int] = mapped_column(ForeignKey("wecom_users.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = _now()

    __table_args__ = (Index(None, "at"),)


class WecomCursor(Base):
    """How far a service account was read, and that there is more to read."""

    __tablename__ = "wecom_cursors"

    account: Mapped[str] = mapped_column(primary_key=True)
    open_kfid: Mapped[str] = mapped_column(primary_key=True)
    cursor: Mapped[str] = mapped_column(server_default="")
    token: Mapped[str] = mapped_column(server_default="")
    """Of the last callback; good for ten minutes."""
    token_at: Mapped[datetime | None]
    wanted: Mapped[int] = mapped_column(server_default=text("0"))
    """Counts the callbacks."""
    done: Mapped[int] = mapped_column(server_default=text("0"))
    """The count up to which everything was read."""
    read_at: Mapped[datetime | None]
    link: Mapped[str] = mapped_column(server_default="")
    """The account's own address; what is appended to it says which talk it opens."""
    created_at: Mapped[datetime] = _now()


class WechatLogin(Base):
    """A web authorisation under way: its state, which is used once."""

    __tablename__ = "wechat_logins"

    nonce: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "expires_at"),)

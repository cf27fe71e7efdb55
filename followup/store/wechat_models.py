"""The tables of WeChat: who is behind an OpenID, what has been received, and the accounts' tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _id, _now


class WechatUser(Base):
    """Somebody at one of our accounts, and the talk they are in."""

    __tablename__ = "wechat_users"

    id: Mapped[int] = _id()
    account: Mapped[str]
    openid: Mapped[str]
    unionid: Mapped[str] = mapped_column(server_default="")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"), index=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id", ondelete="SET NULL"))
    """The talk that what they write belongs to."""
    follows: Mapped[bool] = mapped_column(server_default=text("true"))
    message_at: Mapped[datetime | None]
    """When they last wrote, by WeChat's clock: 48 hours and 5 messages."""
    click_at: Mapped[datetime | None]
    """When they last clicked, followed or scanned: a minute and 3 messages."""
    sent: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)), server_default=text("'{}'"))
    """When the last customer-service messages went out."""
    answering_until: Mapped[datetime | None]
    """Until then a request of WeChat's waits for the turn, to answer it passively; by the database's clock."""
    tries: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)), server_default=text("'{}'"))
    """When codes were typed that open nothing."""
    created_at: Mapped[datetime] = _now()

    __table_args__ = (
        UniqueConstraint("account", "openid"),
        Index("wechat_users_case_idx", "account", "case_id", unique=True, postgresql_where=text("case_id IS NOT NULL")),
        Index("wechat_users_unionid_idx", "unionid", postgresql_where=text("unionid <> ''")),
    )


class WechatReceived(Base):
    """A message or event that was taken; WeChat may send it up to three times. Kept for some days."""

    __tablename__ = "wechat_received"

    account: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    """MsgId; for events FromUserName, CreateTime and the event."""
    user_id: Mapped[int] = mapped_column(ForeignKey("wechat_users.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = _now()

    __table_args__ = (Index(None, "at"),)


class WechatToken(Base):
    """The access token of an account, shared by all processes; its row's lock lets one of them fetch a new one."""

    __tablename__ = "wechat_tokens"

    account: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(server_default="")
    expires_at: Mapped[datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """Why the last fetch failed: {"code"}."""

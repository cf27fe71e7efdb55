"""Tables of inviting by WeChat: the talk somebody was invited to, what WeChat reported, which notices they subscribed to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _case, _now


class WechatInvitation(Base):
    """The talk a follower was last invited to by WeChat: what they write next opens it, unless they are in another."""

    __tablename__ = "wechat_invitations"

    user_id: Mapped[int] = mapped_column(ForeignKey("wechat_users.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[str] = _case()
    at: Mapped[datetime] = _now()

    __table_args__ = (Index(None, "case_id"),)


class WechatReport(Base):
    """What became of a template or subscribe message, as WeChat told it. Kept until its delivery is known; some days at most."""

    __tablename__ = "wechat_reports"

    account: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    """WeChat's MsgID."""
    user_id: Mapped[int] = mapped_column(ForeignKey("wechat_users.id", ondelete="CASCADE"), index=True)
    code: Mapped[str]
    """delivered, or why not: user_block, system_failed, or WeChat's own number."""
    template: Mapped[str] = mapped_column(server_default="")
    """Of a subscribe message."""
    at: Mapped[datetime]
    """By WeChat's clock."""
    settled_at: Mapped[datetime | None]
    """When it was written into the ledger."""

    __table_args__ = (Index("wechat_reports_open_idx", "at", postgresql_where=text("settled_at IS NULL")),)


class WechatSubscription(Base):
    """A subscribe message that somebody agreed to, or turned off."""

    __tablename__ = "wechat_subscriptions"

    user_id: Mapped[int] = mapped_column(ForeignKey("wechat_users.id", ondelete="CASCADE"), primary_key=True)
    template: Mapped[str] = mapped_column(primary_key=True)
    allowed: Mapped[int] = mapped_column(server_default=text("0"))
    """How many may still be sent: each agreement to a 一次性订阅 allows one."""
    refused_at: Mapped[datetime | None]
    """When it was turned off; empty while it stands."""
    changed_at: Mapped[datetime] = _now()

"""What the console keeps of WeChat: accounts with sealed secrets, drafts of menus, messages that a colleague has seen to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _now


class WechatAccount(Base):
    """An account 公众号 that was added in the console. Those of the environment are not here."""

    __tablename__ = "wechat_accounts"

    name: Mapped[str] = mapped_column(primary_key=True)
    """Part of the address /wechat/{name}, and of the channel of its messages: never changed."""
    title: Mapped[str] = mapped_column(server_default="")
    """What staff call it."""
    kind: Mapped[str]
    """service | subscription"""
    certified: Mapped[bool] = mapped_column(server_default=text("true"))
    """Without certification (认证) WeChat takes passive replies only."""
    app_id: Mapped[str]
    mode: Mapped[str]
    """plain | compatible | aes"""
    api: Mapped[str] = mapped_column(server_default="")
    """Another address than WeChat's own, for a trial."""
    sealed: Mapped[str]
    """Secret, token and AES key, encrypted (followup.channels.wechat.seal)."""
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """Ids of template and subscribe messages, and what else belongs to it."""
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    """Counts the changes, so that nobody overwrites what they have not seen."""
    created_at: Mapped[datetime] = _now()
    changed_at: Mapped[datetime] = _now()

    __table_args__ = (
        CheckConstraint("kind IN ('service', 'subscription')", name="kind_check"),
        CheckConstraint("mode IN ('plain', 'compatible', 'aes')", name="mode_check"),
    )


class WechatMenu(Base):
    """The menu of an account as it was last written in the console, and as it was last given to WeChat."""

    __tablename__ = "wechat_menus"

    account: Mapped[str] = mapped_column(primary_key=True)
    """Its name; it may be one of the environment."""
    draft: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """{"button": [...]} as WeChat wants it."""
    published: Mapped[dict[str, Any] | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    saved_at: Mapped[datetime] = _now()
    published_at: Mapped[datetime | None]


class DeliveryCheck(Base):
    """A colleague has seen to a message that the customer did not get, or perhaps did not get."""

    __tablename__ = "delivery_checks"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    at: Mapped[datetime] = _now()

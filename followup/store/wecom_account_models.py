"""The accounts 微信客服 that were added in the console. Secrets are sealed (followup.channels.wechat.seal)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _now


class WecomAccount(Base):
    """One corporation's 微信客服. Those of the environment are not here."""

    __tablename__ = "wecom_accounts"

    name: Mapped[str] = mapped_column(primary_key=True)
    """Part of the address /wecom/{name}, and of the channel of its messages: never changed."""
    title: Mapped[str] = mapped_column(server_default="")
    """What staff call it."""
    corp_id: Mapped[str]
    kfids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The service accounts 客服账号 that are ours to answer; links open the first."""
    handover: Mapped[str] = mapped_column(server_default="console")
    """console | wecom"""
    servicer: Mapped[str] = mapped_column(server_default="")
    api: Mapped[str] = mapped_column(server_default="")
    """Another address than WeCom's own, for a trial."""
    sealed: Mapped[str]
    """Secret, token and AES key, encrypted for `wecom:<name>`."""
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    """Counts the changes, so that nobody overwrites what they have not seen."""
    created_at: Mapped[datetime] = _now()
    changed_at: Mapped[datetime] = _now()

    __table_args__ = (CheckConstraint("handover IN ('console', 'wecom')", name="handover_check"),)

"""The table of dry runs 试排: one a campaign, reckoned by one web process and shown by all of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _now


class DryRunRow(Base):
    """The newest dry run of a campaign, under way or done. Not in the log: after a crash it is reckoned again."""

    __tablename__ = "dry_runs"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    """Of the campaign."""
    token: Mapped[str]
    """Of whoever reckons: one whose row holds another token has been overtaken and stops."""
    total: Mapped[int]
    percent: Mapped[int] = mapped_column(server_default=text("0"))
    failed: Mapped[bool] = mapped_column(server_default=text("false"))
    result: Mapped[bytes | None]
    """As `console.campaigns.trial.packed` wrote it."""
    seen_at: Mapped[datetime] = _now()
    """When whoever reckons last said so, or was done."""

    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

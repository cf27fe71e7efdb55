"""Why an entry of the ledger stands where it stands, and what comes next, in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from followup.campaigns.decide import NOT_DELIVERED
from followup.campaigns.labels import label, reason_said
from followup.console.labels import labels
from followup.console.show import moment


class Standing(Protocol):
    """What is looked at: a row of the ledger."""

    stage: str
    reason: str
    channel: str
    due_at: datetime | None
    next_at: datetime | None
    sent_at: datetime | None


def why(row: Standing, campaign_status: str) -> str:
    """A sentence without its full stop. A stage without a sentence of its own is told by its reason, or by its name."""
    sentences: dict[str, str] = labels()["ledger_why"]
    reason = reason_said(row.reason)
    parts = [sentences.get(key, "") for key in _keys(row, campaign_status)]
    text = "".join(parts) or reason or label(row.stage, "stages")
    if "{" not in text:
        return text
    times = {name: _at(at) for name, at in (("due", row.due_at), ("next", row.next_at), ("sent", row.sent_at)) if f"{{{name}}}" in text}
    return text.format(reason=reason or label(row.stage, "stages"), channel=label(row.channel, "channels") or "邀请", **times)


def _keys(row: Standing, status: str) -> list[str]:
    """The sentences of labels.yml that make it up."""
    paused = "_paused" if status == "paused" else ""
    if row.stage == "waiting" and row.reason == NOT_DELIVERED:
        return [f"not_delivered{paused}"]
    if row.stage in ("waiting", "queued") and paused:
        return [f"{row.stage}_paused"]
    if row.stage == "waiting":
        moved = row.next_at is not None and row.due_at is not None and row.next_at > row.due_at
        return [("moved_why" if row.reason else "moved") if moved else "waiting"]
    if row.stage in ("sent", "delivered", "failed"):
        return [row.stage, f"{row.stage}_next{paused}" if row.next_at is not None else ""]
    if row.stage in ("opened", "answered", "ended_early", "unreachable") and row.next_at is not None:
        # Nobody who never opened the talk is looked at again.
        return ["silent" if row.stage == "unreachable" else row.stage, f"unfinished_next{paused}"]
    return [row.stage]


def _at(at: datetime | None) -> str:
    return moment(at) if at is not None else ""


Why = Callable[[Standing, str], str]

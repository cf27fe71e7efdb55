"""What time it is: the only place that asks.

FOLLOWUP_NOW makes tests and demonstrations repeatable. It stands still by default, so that a talk held twice gives the
same due times. With FOLLOWUP_NOW_RUNS set it is where the clock starts from: "1" counts from this process's first look,
a Unix time counts from that instant, so that several processes (and a restarted one) agree; `followup up` passes the latter.
"""

import os
import time
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from followup.settings import SHANGHAI, SettingsError, parse_now

_first_look = time.time()
_standing: ContextVar[datetime | None] = ContextVar("standing", default=None)


def stand_at(at: datetime) -> None:
    """Tests only: what time it is in this thread or task, so that talks of different days can be held side by side."""
    _standing.set(at)


def now() -> datetime:
    """The present time, aware, in Asia/Shanghai."""
    if (standing := _standing.get()) is not None:
        return standing
    start = parse_now(os.environ.get("FOLLOWUP_NOW", "").strip())
    if start is None:
        return datetime.now(SHANGHAI)
    runs = os.environ.get("FOLLOWUP_NOW_RUNS", "").strip()
    if not runs:
        return start
    # Through UTC: adding to a local time would count wall-clock hours.
    moved = start.astimezone(UTC) + timedelta(seconds=time.time() - _anchor(runs))
    return moved.astimezone(SHANGHAI)


def _anchor(runs: str) -> float:
    """The Unix time at which FOLLOWUP_NOW held."""
    if runs == "1":
        return _first_look
    try:
        return float(runs)
    except ValueError:
        raise SettingsError(f"FOLLOWUP_NOW_RUNS 的值“{runs}”不对，请填 1，或填 Unix 时间戳。") from None

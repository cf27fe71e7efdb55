"""When a ticket is due: the same working day (catalogue D, complaint handling)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from followup.holidays import next_working_day

ZONE = ZoneInfo("Asia/Shanghai")
LAST_HOUR_TO_START = time(17, 0)
END_OF_DAY = time(18, 0)


def due_at(raised_at: datetime) -> datetime:
    """18:00 of the working day of `raised_at` (aware), or of the next one when it is raised from 17:00 on.

    Working days are those of `followup.holidays`: without public holidays, with the weekend days worked in exchange.
    """
    local = raised_at.astimezone(ZONE)
    day = local.date()
    if local.time() >= LAST_HOUR_TO_START:
        day += timedelta(days=1)
    return datetime.combine(next_working_day(day), END_OF_DAY, ZONE)

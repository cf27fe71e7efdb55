from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from followup.store.due import due_at

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("raised", "due"),
    [
        ("2026-11-20T09:00", "2026-11-20T18:00"),  # Friday morning: the same day
        ("2026-11-20T16:59", "2026-11-20T18:00"),
        ("2026-11-19T17:00", "2026-11-20T18:00"),  # too late in the day: the next
        ("2026-11-20T17:00", "2026-11-23T18:00"),  # Friday evening: Monday
        ("2026-11-21T10:00", "2026-11-23T18:00"),  # Saturday
        ("2026-11-22T23:30", "2026-11-23T18:00"),  # Sunday night
        ("2026-09-30T17:30", "2026-10-08T18:00"),  # the evening before National Day: after the holiday
        ("2026-10-10T09:00", "2026-10-10T18:00"),  # a Saturday worked in exchange
    ],
)
def test_a_ticket_is_due_at_the_end_of_the_working_day(raised: str, due: str) -> None:
    assert due_at(datetime.fromisoformat(raised).replace(tzinfo=ZONE)) == datetime.fromisoformat(due).replace(
        tzinfo=ZONE
    )


def test_the_day_is_the_one_in_shanghai_whatever_zone_the_time_comes_in() -> None:
    raised = datetime(2026, 11, 18, 23, 0, tzinfo=timezone.utc)  # Thursday 07:00 in Shanghai
    assert due_at(raised) == datetime(2026, 11, 19, 18, 0, tzinfo=ZONE)

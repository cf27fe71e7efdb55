"""The one clock, and how it is set for tests."""

from datetime import datetime, timedelta

import pytest

from followup import clock
from followup.settings import SHANGHAI, SettingsError

START = datetime(2026, 11, 21, 10, tzinfo=SHANGHAI)


def test_the_time_is_aware_and_shanghais(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOLLOWUP_NOW", raising=False)
    assert clock.now().utcoffset() == timedelta(hours=8)


def test_a_given_time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", "2026-11-21T10:00:00")
    monkeypatch.delenv("FOLLOWUP_NOW_RUNS", raising=False)
    monkeypatch.setattr(clock.time, "time", lambda: 9e9)
    assert clock.now() == START


def test_a_running_time_counts_from_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", "2026-11-21T10:00:00")
    monkeypatch.setenv("FOLLOWUP_NOW_RUNS", "1")
    monkeypatch.setattr(clock.time, "time", lambda: clock._first_look + 90)
    assert clock.now() == START + timedelta(seconds=90)


def test_processes_that_share_an_instant_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", "2026-11-21T10:00:00")
    monkeypatch.setenv("FOLLOWUP_NOW_RUNS", "1000000.5")
    monkeypatch.setattr(clock.time, "time", lambda: 1000030.5)
    assert clock.now() == START + timedelta(seconds=30)


def test_a_wrong_instant_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", "2026-11-21T10:00:00")
    monkeypatch.setenv("FOLLOWUP_NOW_RUNS", "yes")
    with pytest.raises(SettingsError, match="FOLLOWUP_NOW_RUNS"):
        clock.now()

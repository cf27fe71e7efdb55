"""The table of decisions: what is done with an entry whose time has come."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from followup.campaigns.decide import Facts, Send, Stop, Wait, decide
from followup.campaigns.definition import Definition, Retry, Rule
from followup.campaigns.gate import Standing
from followup.settings import SHANGHAI

AT = datetime(2026, 3, 10, 10, 5, tzinfo=SHANGHAI)
MADE = Definition("s", (Rule("r", ""),), channels=("sms", "email"), retry=Retry(1, timedelta(days=1), timedelta(days=3)))
STANDING = Standing(False, frozenset({"sms", "email"}), frozenset({"sms", "email"}), 0)
DUE = Facts("waiting", "", 0, None, AT + timedelta(days=5), False, STANDING)
ONCE = replace(DUE, state="sent", channel="sms", tries=1, sent_at=AT - timedelta(days=1))
TWICE = replace(ONCE, tries=2)
BY_MAIL = replace(TWICE, channel="email")
REFUSED = replace(DUE, channel="sms")
NEXT_WINDOW = datetime(2026, 3, 10, 15, tzinfo=SHANGHAI)
TOMORROW = datetime(2026, 3, 11, 10, tzinfo=SHANGHAI)


def standing(**changed: object) -> Standing:
    return replace(STANDING, **changed)


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (DUE, Send("sms", "first")),
        (replace(DUE, standing=standing(ways=frozenset({"email"}))), Send("email", "first")),
        (replace(DUE, standing=standing(blocked=True)), Stop("suppressed", "do_not_contact")),
        (replace(DUE, standing=standing(ways=frozenset())), Stop("suppressed", "no_consent")),
        (replace(DUE, standing=standing(ways=frozenset(), addresses=frozenset())), Stop("suppressed", "no_address")),
        (replace(DUE, standing=standing(contacted_today=1)), Wait(TOMORROW)),
        (replace(DUE, standing=standing(contacted_today=1), not_after=TOMORROW), Stop("suppressed", "no_opening")),
        (replace(DUE, not_after=AT), Stop("suppressed", "past_deadline")),
        (replace(DUE, came=True), Stop("closed")),
        (REFUSED, Send("email", "first")),
        (replace(REFUSED, channel="email"), Stop("suppressed", "cannot_send")),
        (ONCE, Send("sms", "reminder")),
        (replace(ONCE, came=True, standing=standing(blocked=True)), Stop("closed")),
        (replace(ONCE, standing=standing(blocked=True)), Stop("closed", "do_not_contact")),
        (replace(ONCE, sent_at=AT - timedelta(hours=1)), Wait(AT + timedelta(hours=23))),
        (replace(ONCE, standing=standing(ways=frozenset({"email"}))), Send("email", "first")),
        (TWICE, Send("email", "first")),
        (BY_MAIL, Wait(AT + timedelta(days=2))),
        (replace(BY_MAIL, sent_at=AT - timedelta(days=3)), Stop("unreachable")),
        (replace(TWICE, not_after=AT), Wait(AT + timedelta(days=2))),
    ],
)
def test_the_step_that_follows_from_the_facts(facts: Facts, step: Send | Wait | Stop) -> None:
    assert decide(MADE, facts, AT, daily_cap=1) == step


def test_outside_the_hours_it_waits_for_the_next_window() -> None:
    assert decide(MADE, DUE, AT.replace(hour=12), daily_cap=1) == Wait(NEXT_WINDOW)


def test_nobody_new_is_contacted_after_the_last_day() -> None:
    made = replace(MADE, ends_on=date(2026, 3, 9))
    assert decide(made, DUE, AT, daily_cap=1) == Stop("suppressed", "after_end")

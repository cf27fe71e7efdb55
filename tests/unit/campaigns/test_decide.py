"""The table of decisions: what is done with an entry whose time has come."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup.campaigns.decide import Facts, Send, Stop, Talk, Wait, decide
from followup.campaigns.definition import Again, Definition, Retry, Rule
from followup.campaigns.gate import Standing
from followup.campaigns.windows import is_open
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


# —— not delivered for the moment ————————————————————————————————————————————

AGAIN = replace(MADE, retry=replace(MADE.retry, not_delivered=Again(2, timedelta(hours=24))))
OFF = replace(DUE, channel="sms", failed_at=AT, failures=1)
"""The phone was off."""
NO_MAIL = standing(ways=frozenset({"sms"}))


@pytest.mark.parametrize(
    ("facts", "at", "step"),
    [
        (OFF, AT, Wait(TOMORROW.replace(minute=5), "not_delivered")),
        (OFF, AT + timedelta(days=1), Send("sms", "first")),
        (replace(OFF, tries=1, sent_at=AT - timedelta(days=2)), AT + timedelta(days=1), Send("sms", "reminder")),
        (replace(OFF, failures=2), AT + timedelta(days=1), Send("sms", "first")),
        (replace(OFF, failures=3), AT, Send("email", "first")),
        (replace(OFF, failures=3, standing=NO_MAIL), AT, Stop("suppressed", "cannot_send")),
        (REFUSED, AT, Send("email", "first")),  # what lasts is never tried again
        (replace(OFF, standing=standing(ways=frozenset({"email"}))), AT, Send("email", "first")),
        (replace(OFF, standing=standing(blocked=True)), AT + timedelta(days=1), Stop("suppressed", "do_not_contact")),
        # The next time would be too late: the next channel at once, or it cannot be sent.
        (replace(OFF, not_after=TOMORROW), AT, Send("email", "first")),
        (replace(OFF, not_after=TOMORROW, standing=NO_MAIL), AT, Stop("suppressed", "cannot_send")),
        (replace(OFF, failed_at=AT.replace(hour=16)), AT.replace(hour=16), Wait(TOMORROW.replace(hour=16, minute=5), "not_delivered")),
        (replace(OFF, failed_at=AT.replace(hour=12)), AT.replace(hour=12), Wait(TOMORROW.replace(hour=15), "not_delivered")),
        (replace(OFF, standing=standing(contacted_today=1)), AT + timedelta(days=1), Wait(TOMORROW + timedelta(days=1), "not_delivered")),
        (replace(OFF, came=True), AT + timedelta(days=1), Stop("closed")),
        (replace(OFF, state="sent", tries=1, sent_at=AT), AT + timedelta(days=1), Send("sms", "reminder")),
    ],
)
def test_what_could_not_be_delivered_for_the_moment_goes_out_again_on_the_same_channel(facts: Facts, at: datetime, step: object) -> None:
    assert decide(AGAIN, facts, at, daily_cap=1) == step


def test_nothing_goes_out_again_after_the_last_day() -> None:
    assert decide(replace(AGAIN, ends_on=date(2026, 3, 10)), OFF, AT, daily_cap=1) == Send("email", "first")


# —— opened, and not finished ——————————————————————————————————————————————————

FINISH = replace(MADE, retry=replace(MADE.retry, unfinished=Again(2, timedelta(hours=24))))
TALK = Talk(heard_at=AT - timedelta(days=1), came_by="sms")
GONE = replace(ONCE, state="closed", came=True, talk=TALK)
"""Opened the talk a day ago, and was not heard since."""


def gone(**changed: object) -> Facts:
    return replace(GONE, talk=replace(TALK, **changed))


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (GONE, Send("sms", "unfinished")),
        (gone(heard_at=AT), Wait(TOMORROW.replace(minute=5))),
        (gone(sent=1, sent_at=AT - timedelta(days=1)), Send("sms", "unfinished")),
        (gone(sent=1, sent_at=AT - timedelta(hours=2)), Wait(TOMORROW)),  # 22 hours from now it is not yet time
        (gone(sent=2, sent_at=AT - timedelta(days=1)), Stop("closed")),
        (gone(over=True), Stop("closed")),
        (gone(unclear=True), Stop("closed")),
        (gone(held=True), Wait(TOMORROW.replace(minute=5))),
        (gone(came_by="email"), Send("email", "unfinished")),
        (gone(came_by=""), Stop("closed")),
        (replace(gone(came_by="link"), standing=standing(ways=frozenset({"link"}))), Stop("closed")),
        (replace(GONE, standing=standing(ways=frozenset({"email"}))), Stop("closed")),
        (replace(GONE, standing=standing(blocked=True)), Stop("closed")),
        (replace(GONE, standing=standing(contacted_today=1)), Wait(TOMORROW)),
        (replace(GONE, not_after=AT), Stop("closed")),
        (replace(gone(heard_at=AT), not_after=TOMORROW), Stop("closed")),
        (replace(GONE, talk=None), Stop("closed")),
    ],
)
def test_whoever_left_before_the_end_is_asked_to_go_on(facts: Facts, step: object) -> None:
    assert decide(FINISH, facts, AT, daily_cap=1) == step
    assert decide(MADE, facts, AT, daily_cap=1) == Stop("closed")  # by default nobody is


def test_outside_the_hours_and_after_the_last_day_nobody_is_asked_to_go_on() -> None:
    assert decide(FINISH, GONE, AT.replace(hour=12), daily_cap=1) == Wait(NEXT_WINDOW)
    assert decide(replace(FINISH, ends_on=date(2026, 3, 9)), GONE, AT, daily_cap=1) == Stop("closed")


# —— whatever happens ——————————————————————————————————————————————————————————


@st.composite
def retries(draw: st.DrawFn) -> Retry:
    hours = st.integers(4, 200).map(lambda number: timedelta(hours=number))
    part = st.builds(Again, st.integers(0, 3), hours)
    return Retry(draw(st.integers(0, 3)), draw(hours), draw(hours), draw(part), draw(part))


@given(retries(), st.lists(st.sampled_from(["arrives", "off", "dead"]), max_size=40), st.sampled_from([0, 1, 5, 30]), st.integers(0, 60), st.booleans())
def test_a_customer_who_never_comes_is_left_in_the_end_and_never_asked_too_often(
    retry: Retry, luck: list[str], blocked_after: int, days: int, twice: bool
) -> None:
    made = replace(MADE, channels=("sms", "email") if twice else ("sms",), retry=retry)
    facts, at, sent = replace(DUE, not_after=AT + timedelta(days=days, hours=1)), AT, []
    for _ in range(200):
        blocked = blocked_after > 0 and at >= AT + timedelta(days=blocked_after)
        facts = replace(facts, standing=standing(blocked=blocked))
        step = decide(made, facts, at, daily_cap=1)
        if isinstance(step, Stop):
            break
        if isinstance(step, Wait):
            assert step.until > at
            at = step.until
            continue
        assert is_open(made.hours, at) and at < facts.not_after and not blocked
        fate = luck[len(sent)] if len(sent) < len(luck) else "arrives"
        if any(channel == step.channel and fate == "dead" for channel, fate in sent):
            raise AssertionError("a dead address was tried again")
        sent.append((step.channel, fate))
        same = facts.channel == step.channel
        if fate == "arrives":
            facts = replace(facts, state="sent", channel=step.channel, tries=facts.tries + 1 if same else 1, sent_at=at, failed_at=None)
        else:
            failures = (facts.failures if same else 0) + (fate == "off")
            facts = replace(facts, state="waiting", channel=step.channel, failures=failures, failed_at=at if fate == "off" else None)
            facts = facts if same else replace(facts, tries=0)
    else:
        raise AssertionError("it never ends")
    for channel in made.channels:
        fates = [fate for one, fate in sent if one == channel]
        assert fates.count("arrives") <= 1 + retry.times and fates.count("off") <= 1 + retry.not_delivered.times


@given(retries(), st.lists(st.sampled_from(["silent", "back", "held", "done"]), max_size=30), st.integers(0, 90))
def test_whoever_came_is_asked_to_go_on_no_more_often_than_it_says_and_in_the_end_not_at_all(retry: Retry, does: list[str], days: int) -> None:
    made, at, sent, doings = replace(MADE, retry=retry), AT, [], iter(does)
    facts = replace(GONE, not_after=AT + timedelta(days=days))
    for _ in range(400):
        step = decide(made, facts, at, daily_cap=1)
        if isinstance(step, Stop):
            break
        assert not facts.talk.over
        doing, talk = next(doings, "silent"), facts.talk
        if isinstance(step, Wait):
            assert step.until > at
            at = step.until
        else:
            assert is_open(made.hours, at) and at < facts.not_after and not talk.held
            assert at >= talk.heard_at + retry.unfinished.interval
            sent.append(at)
            talk = replace(talk, sent=talk.sent + 1, sent_at=at)
        facts = replace(facts, talk=replace(talk, held=doing == "held", over=doing == "done", heard_at=at if doing == "back" else talk.heard_at))
    else:
        raise AssertionError("it never ends")
    assert len(sent) <= retry.unfinished.times
    assert all(later - earlier >= retry.unfinished.interval for earlier, later in zip(sent, sent[1:], strict=False))

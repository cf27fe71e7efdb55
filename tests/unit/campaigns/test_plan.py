"""A customer's plan: a row for every rule, with its time or the reason why there is none."""

from dataclasses import replace
from datetime import date, datetime

from followup.campaigns.definition import Amount, Definition, Late, Rule, Unit
from followup.campaigns.plan import Customer, plan
from followup.settings import SHANGHAI

NOW = datetime(2026, 3, 10, 14, tzinfo=SHANGHAI)
THREE_DAYS = Rule("3天", "签收日期", Amount(3, Unit.DAYS), deadline=Amount(4, Unit.DAYS))


def one(rule: Rule, day: str | None, **more: object):
    fields = {} if day is None else {"签收日期": day}
    (entry,) = plan(Definition("fruit_order", (rule,), **more), Customer(1, fields=fields), NOW, NOW)
    return entry


def test_a_contact_to_come_waits_for_its_time() -> None:
    entry = one(THREE_DAYS, "2026-03-09")
    assert (entry.state, entry.next_at) == ("waiting", datetime(2026, 3, 12, 10, tzinfo=SHANGHAI))


def test_a_customer_without_the_date_is_accounted_for() -> None:
    assert (one(THREE_DAYS, None).state, one(THREE_DAYS, None).reason) == ("suppressed", "no_date")


def test_what_is_due_today_is_not_late() -> None:
    assert one(replace(THREE_DAYS, late=Late.SKIP), "2026-03-07").state == "waiting"


def test_what_is_late_is_made_up_for_while_the_deadline_lasts() -> None:
    entry = one(THREE_DAYS, "2026-03-05")
    assert (entry.state, entry.next_at) == ("waiting", datetime(2026, 3, 10, 15, tzinfo=SHANGHAI))


def test_what_is_late_is_skipped_or_told_where_the_rule_says_so() -> None:
    assert one(replace(THREE_DAYS, late=Late.SKIP), "2026-03-05").reason == "late_skipped"
    assert one(replace(THREE_DAYS, late=Late.TELL), "2026-03-05").reason == "late_told"


def test_after_the_deadline_nobody_is_contacted() -> None:
    entry = one(THREE_DAYS, "2026-02-01")
    assert (entry.state, entry.reason, entry.next_at) == ("late", "past_deadline", None)


def test_nothing_is_due_after_the_last_day_of_the_campaign() -> None:
    assert one(THREE_DAYS, "2026-03-09", ends_on=date(2026, 3, 11)).reason == "after_end"


def test_nothing_is_due_before_its_first_day() -> None:
    assert one(THREE_DAYS, "2026-03-09", starts_on=date(2026, 3, 13)).next_at == datetime(2026, 3, 13, 10, tzinfo=SHANGHAI)


def test_a_repeated_contact_takes_up_where_the_calendar_is() -> None:
    yearly = Rule("复查", "签收日期", Amount(6, Unit.MONTHS), every=6)
    entry = one(yearly, "2020-03-12")
    assert (entry.occurrence, entry.due_at) == (11, datetime(2026, 3, 12, 10, tzinfo=SHANGHAI))


def test_the_first_of_repeated_contacts_stands_in_the_ledger_however_far_away_it_is() -> None:
    yearly = Rule("复查", "签收日期", Amount(12, Unit.MONTHS), every=12)
    entry = one(yearly, "2026-03-09")
    assert (entry.occurrence, entry.state, entry.due_at) == (0, "waiting", datetime(2027, 3, 9, 10, tzinfo=SHANGHAI))


def test_of_repeated_contacts_that_are_all_over_the_last_one_is_in_the_ledger() -> None:
    twice = Rule("复查", "签收日期", Amount(6, Unit.MONTHS), every=6, times=2)
    entry = one(twice, "2020-03-12")
    assert (entry.occurrence, entry.reason) == (1, "past_deadline")


def test_a_rule_without_a_column_counts_from_the_start_of_the_campaign() -> None:
    assert one(Rule("开始", ""), None).next_at == datetime(2026, 3, 10, 15, tzinfo=SHANGHAI)

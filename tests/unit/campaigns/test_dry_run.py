"""The dry run: whom a campaign would contact on which day, and who is left out for which reason."""

from datetime import date, datetime, time

from followup.campaigns.definition import Amount, Definition, Hours, Rule, Sampling, Stratum, Unit, Window
from followup.campaigns.dry_run import dry_run
from followup.campaigns.plan import Customer
from followup.settings import SHANGHAI

NOW = datetime(2026, 3, 10, 9, tzinfo=SHANGHAI)
MORNING = Hours((Window(time(10), time(11)),))
STRATA = Sampling((Stratum("重点", ("VIP",), 1.0), Stratum("普通", (), 0.5)))
TWICE = (Rule("3天", "签收日期", Amount(3, Unit.DAYS)), Rule("3周", "签收日期", Amount(3, Unit.WEEKS)))


def people(count: int, day: str = "2026-03-09") -> list[Customer]:
    return [Customer(n, frozenset({"VIP"} if n % 4 == 0 else set()), {"签收日期": day}) for n in range(count)]


def test_every_drawn_customer_stands_on_the_day_of_each_rule() -> None:
    found = dry_run(Definition("s", TWICE, hours=MORNING, sampling=STRATA), people(40), NOW, seed=7)
    assert (found.customers, found.drawn, found.contacts) == (40, 10 + 15, 50)
    assert [(day.day, day.by_rule) for day in found.days] == [
        (date(2026, 3, 12), {"3天": 25}),
        (date(2026, 3, 30), {"3周": 25}),
    ]


def test_a_day_tells_how_many_contacts_it_has_room_for() -> None:
    (day, _) = dry_run(Definition("s", TWICE, hours=MORNING, per_minute=2), people(40), NOW, seed=7).days
    assert (day.room, day.count) == (120, 40)


def test_contacts_that_will_not_be_made_are_counted_by_reason() -> None:
    customers = [*people(3, ""), *(Customer(9 + n, frozenset(), {"签收日期": "2025-01-01"}) for n in range(2))]
    found = dry_run(Definition("s", TWICE, hours=MORNING), customers, NOW, seed=7)
    assert (found.contacts, found.suppressed) == (0, {"no_date": 6, "past_deadline": 4})


def test_customers_of_no_stratum_are_accounted_for() -> None:
    only_key = Sampling((Stratum("重点", ("VIP",), 1.0),))
    found = dry_run(Definition("s", TWICE, hours=MORNING, sampling=only_key), people(40), NOW, seed=7)
    assert (found.drawn, found.not_in_a_stratum) == (10, 30)


def test_nobody_at_all_is_no_error() -> None:
    assert dry_run(Definition("s", TWICE), [], NOW, seed=7).days == ()

"""An auditor draws again from the file alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from followup.campaigns.definition import Stratum
from followup.campaigns.redraw import Lot, NotAList, again, as_csv, from_csv, top_ups
from followup.campaigns.sampling import Counts, Member, draw, lot

STRATA = (Stratum("重点", ("VIP",), 1.0), Stratum("普通", (), 0.3))


def drawn(seed: int = 77) -> list[Lot]:
    """Two draws, of 40 and then 25 customers, as the engine makes them."""
    found, before = [], {}
    for number, ids in ((1, range(1, 41)), (4, range(41, 66))):
        members = [Member(n, frozenset({"VIP"} if n % 9 == 0 else ())) for n in ids]
        for one in draw(seed, STRATA, members, before):
            for contact_id in (*one.chosen, *one.reserve):
                chosen = contact_id in one.chosen
                found.append(Lot(number, "2026年11月20日 10:00", seed, one.name, f"{one.share * 100:g}", contact_id, lot(seed, contact_id) >> 1, number if chosen else None, "首次抽样" if chosen else ""))
            before[one.name] = Counts(one.population, before.get(one.name, Counts()).drawn + len(one.chosen))
    return found


def test_the_same_customers_are_drawn_again_through_the_file() -> None:
    lots = from_csv("\ufeff" + as_csv(drawn(), "种子 77\n怎样抽的"))
    assert len(lots) == 65
    assert [(one.number, one.stratum, one.members, one.drawn, one.wrong) for one in again(lots)] == [
        (1, "普通", 36, 11, []), (1, "重点", 4, 4, []), (4, "普通", 22, 7, []), (4, "重点", 3, 3, []),
    ]  # fmt: skip


def test_the_order_of_the_lines_does_not_matter() -> None:
    assert not any(one.wrong for one in again(drawn()[::-1]))


@pytest.mark.parametrize("change", [{"drawn_by": None, "kind": ""}, {"lot": 5}, {"seed": 78}])
def test_a_changed_line_is_found(change: dict[str, object]) -> None:
    lots = drawn()
    chosen = next(n for n, one in enumerate(lots) if one.stratum == "普通" and one.drawn_by == 1)
    lots[chosen] = replace(lots[chosen], **change)
    assert any(lots[chosen].contact_id in one.wrong or len(one.wrong) > 0 for one in again(lots))


def test_somebody_who_was_slipped_in_is_found() -> None:
    lots = drawn()
    left = next(n for n, one in enumerate(lots) if one.drawn_by is None)
    lots[left] = replace(lots[left], drawn_by=1)
    assert [lots[left].contact_id] in [one.wrong for one in again(lots)]


def test_top_ups_are_counted_with_those_passed_over() -> None:
    lots = drawn()
    reserve = sorted((one for one in lots if one.drawn_by is None and one.joined == 1), key=lambda one: one.lot)
    taken = {reserve[0].contact_id, reserve[2].contact_id}
    lots = [replace(one, drawn_by=2, kind="补抽") if one.contact_id in taken else one for one in lots]
    assert not any(one.wrong for one in again(lots))
    (found,) = top_ups(lots)
    assert (found.drawn, found.passed_over) == (2, 1)


@pytest.mark.parametrize("written", ["", "a,b\n1,2\n", "# x\n", as_csv([], "x").replace("种子", "籽")])
def test_another_file_is_refused(written: str) -> None:
    with pytest.raises(NotAList, match="这不是抽样名单"):
        from_csv(written)


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(NotAList, match="第 2 行"):
        from_csv(as_csv([], "x") + "1,2,三,x,30,5,6,,\n")

"""Who of a campaign's customers talks by the second version."""

from __future__ import annotations

from followup.campaigns.sampling import lot
from followup.campaigns.versions import FIRST, SECOND, side_of


def test_a_customers_side_comes_of_seed_and_number_alone() -> None:
    drawn = {contact: side_of(7, 1, 0.5, contact) for contact in range(1, 200)}
    assert drawn == {contact: side_of(7, 1, 0.5, contact) for contact in reversed(range(1, 200))}


def test_the_sides_of_known_customers_never_change() -> None:
    # What an auditor computed once must come out again, by whatever version of the product.
    assert "".join("2" if side_of(20261120, 1, 0.5, contact) == SECOND else "1" for contact in range(1, 21)) == "22122222221222111111"


def test_about_the_share_of_customers_gets_the_second() -> None:
    for share in (0.1, 0.5, 0.8):
        second = sum(side_of(7, 1, share, contact) == SECOND for contact in range(10_000))
        assert abs(second / 10_000 - share) < 0.02


def test_who_is_among_the_second_stays_there_when_the_share_grows() -> None:
    few = {contact for contact in range(1000) if side_of(7, 1, 0.2, contact) == SECOND}
    assert few <= {contact for contact in range(1000) if side_of(7, 1, 0.6, contact) == SECOND}


def test_another_comparison_and_another_campaign_draw_anew() -> None:
    first = [side_of(7, 1, 0.5, contact) for contact in range(1000)]
    for other in ([side_of(7, 2, 0.5, contact) for contact in range(1000)], [side_of(8, 1, 0.5, contact) for contact in range(1000)]):
        assert 400 < sum(a == b for a, b in zip(first, other, strict=True)) < 600


def test_the_draw_of_the_sample_says_nothing_about_the_side() -> None:
    # Else the second version would be tried on those whom a sample takes first.
    drawn = sorted(range(4000), key=lambda contact: lot(7, contact))[:1000]
    assert 430 < sum(side_of(7, 1, 0.5, contact) == FIRST for contact in drawn) < 570

"""What the bench writes down: ratios, the place in the page, growth of memory."""

from pathlib import Path

import pytest

from bench.load.day import growth_of
from bench.load.watch import Watch
from bench.measure import DIET, OURS, STOCK, Results
from bench.page import write_part


def test_the_others_are_given_in_multiples_of_ours_where_both_were_measured() -> None:
    results = Results(notes=["one note"])
    results.put("memory (MB)", OURS, 350)
    results.put("memory (MB)", STOCK, 1225)
    results.put("turn (ms)", OURS, 20)
    results.put("size (MB)", DIET, 7)
    assert results.ratios() == [("memory (MB)", {STOCK: 3.5})]
    assert "| memory (MB) | 350 | 1,225 | – | 3.50 | – |" in results.table()
    assert "| turn (ms) | 20.0 | – | – | – | – |" in results.table()
    assert results.table().endswith("- one note")


def test_times_become_milliseconds() -> None:
    results = Results()
    results.times("turn", OURS, [0.010] * 99 + [1.0])
    assert results.rows == {"turn, p50 (ms)": {OURS: 10.0}, "turn, p95 (ms)": {OURS: pytest.approx(10.0)}}


def test_only_the_named_part_of_a_page_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("one\n<!-- a:begin -->\nold\n<!-- a:end -->\n<!-- b:begin --><!-- b:end -->\ntwo\n", encoding="utf-8")
    write_part(page, "a", "new\n")
    write_part(page, "a", "newer")
    assert page.read_text(encoding="utf-8") == (
        "one\n<!-- a:begin -->\nnewer\n<!-- a:end -->\n<!-- b:begin --><!-- b:end -->\ntwo\n"
    )
    with pytest.raises(ValueError, match="no place for c"):
        write_part(page, "c", "text")


def test_growth_is_told_by_the_middle_and_the_last_third() -> None:
    watch = Watch(dict, None)  # type: ignore[arg-type]
    for number in range(9):
        grown = 100.0 + 10 * (number >= 6)
        watch.samples.append((60.0 * number, 1000 * number, {"rasa": grown, "web": 50.0 + 50 * (number > 2)}))
    growth = growth_of(watch)
    assert growth["rasa"] == pytest.approx(0.1) and growth["web"] == 0
    shown = watch.table(most=3).splitlines()
    assert shown[0] == "| minutes | turns | rasa (MB) | web (MB) |"
    assert shown[2] == "| 0.0 | 0 | 100 | 50 |" and shown[-1] == "| 8.0 | 8,000 | 110 | 100 |"

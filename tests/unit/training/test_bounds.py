"""data/training.yml: what may stand in it, and how it is told when it says nonsense."""

from pathlib import Path

import pytest

from followup.settings import PROJECT_DIR
from followup.training.bounds import FILE, Bounds, BoundsError, load_rules


def write(project: Path, text: str) -> Path:
    (project / "data").mkdir()
    (project / FILE).write_text(text, "utf-8")
    return project


def test_the_products_own_rules_can_be_read() -> None:
    rules = load_rules(PROJECT_DIR)
    assert "do_not_contact" in rules.bounds.never_lose
    assert rules.probe["我在开车"] == "driving"
    assert rules.keep_versions >= 2


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_rules(tmp_path).bounds == Bounds()
    assert load_rules(tmp_path).probe == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("bounds: {acuracy_drop: 0.1}", "acuracy_drop"),
        ("bounds: {accuracy_drop: 很多}", "accuracy_drop"),
        ("bounds: {accuracy_drop: -1}", "accuracy_drop"),
        ("bounds: {accuracy_drop: true}", "accuracy_drop"),
        ("keep_versions: 1.5", "keep_versions"),
        ("nice: 20", "0 到 19"),
        ("nice: -1", "nice"),
        ("never_lose: [x]", "never_lose"),
        ("bounds: [1]", "bounds"),
        ("probe: [方便]", "probe"),
        ("bounds: {never_lose: driving}", "never_lose"),
        ("a: [", "读不出来"),
        ("- 1", "名称"),
    ],
)
def test_nonsense_is_told_by_its_name(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(BoundsError, match=why):
        load_rules(write(tmp_path, text))

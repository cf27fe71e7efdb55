from pathlib import Path

import pytest

from followup.talk.apology import load_apology


def test_the_shared_wording_has_an_apology() -> None:
    assert "您" in load_apology()


def test_a_shared_wording_without_one_is_an_error(tmp_path: Path) -> None:
    shared = tmp_path / "_shared.yml"
    shared.write_text("after: {}\n", encoding="utf-8")
    with pytest.raises(KeyError):
        load_apology(shared)

"""Where the live Rasa is: read anew only when it has changed."""

from pathlib import Path

import pytest

from followup.supervise import address
from followup.supervise.address import Live, RasaAddress, file_of

OLD, NEW = Live("http://127.0.0.1:1", "/m/1.tar.gz", 1, 1, "c"), Live("http://127.0.0.1:2", "/m/2.tar.gz", 2, 2, "c")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    address.write(tmp_path, OLD)
    assert address.read(file_of(tmp_path)) == OLD
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600


def test_each_turn_asks_and_gets_the_newest(tmp_path: Path) -> None:
    where = RasaAddress(file_of(tmp_path), "http://127.0.0.1:9")
    assert where() == "http://127.0.0.1:9"
    address.write(tmp_path, OLD)
    assert where() == OLD.url
    address.write(tmp_path, NEW)
    assert where() == NEW.url


def test_the_file_is_read_only_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address.write(tmp_path, OLD)
    where = RasaAddress(file_of(tmp_path), "")
    where()
    monkeypatch.setattr(address, "read", pytest.fail)
    assert where() == OLD.url


def test_a_process_started_alone_has_its_address_from_the_environment() -> None:
    assert RasaAddress(None, "http://127.0.0.1:5005")() == "http://127.0.0.1:5005"


def test_a_file_that_went_away_leaves_the_last_address(tmp_path: Path) -> None:
    address.write(tmp_path, OLD)
    where = RasaAddress(file_of(tmp_path), "")
    where()
    file_of(tmp_path).unlink()
    assert where() == OLD.url


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"url": "x", "model": "y", "more": 1}', "\xff"])
def test_what_cannot_be_read_is_nothing(tmp_path: Path, content: str) -> None:
    path = file_of(tmp_path)
    path.parent.mkdir()
    path.write_text(content, "latin-1")
    assert address.read(path) is None

"""Log files: bounded, and without secrets."""

import errno
from pathlib import Path

import pytest

from followup.supervise.logs import Redactor, RotatingLog


def test_secrets_passwords_and_tokens_are_not_written(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "web.log", Redactor(["topsecretkey", None]))
    log.write(b"key topsecretkey, postgresql://me:hush@db/x, GET /c/AbCdEfGhIjKlMnOpQrStUv 200\n")
    log.close()
    assert (tmp_path / "web.log").read_text() == "key ***, postgresql://me:***@db/x, GET /c/*** 200\n"


def test_a_secret_that_arrives_in_two_pieces_is_hidden_too(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "web.log", Redactor(["topsecretkey"]))
    log.write(b"a topsec")
    log.write(b"retkey b\n")
    log.close()
    assert (tmp_path / "web.log").read_text() == "a *** b\n"


def test_an_unfinished_line_is_kept_when_the_process_ends(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "rasa.log", Redactor())
    log.write(b"Killed")
    assert log.tail() == "Killed"
    log.close()


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    RotatingLog(tmp_path / "rasa.log", Redactor()).close()
    assert (tmp_path / "rasa.log").stat().st_mode & 0o777 == 0o600


def test_a_full_file_makes_room_and_the_oldest_goes(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "rasa.log", Redactor(), limit=10, keep=2)
    for word in (b"first", b"second", b"third", b"fourth"):
        log.write(word + b"\n")
    log.close()
    files = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert files == {"rasa.log": "fourth\n", "rasa.log.1": "third\n", "rasa.log.2": "second\n"}


def test_what_a_full_disk_does_not_take_is_left_out_and_counted(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "rasa.log", Redactor())
    log.write(b"before\n")
    room = log._file
    log._file = open("/dev/full", "ab", buffering=0)  # noqa: SIM115
    log.write(b"first\nsecond\n")
    log._file.close()
    log._file = room
    log.write(b"after\n")
    log.close()
    assert (tmp_path / "rasa.log").read_text() == "before\n(2 lines could not be written here)\nafter\n"


def test_a_log_that_cannot_be_begun_anew_goes_on_in_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RotatingLog(tmp_path / "rasa.log", Redactor(), limit=10)
    log.write(b"first\n")
    with monkeypatch.context() as full:
        full.setattr(log, "_open", _no_room)
        log.write(b"second\n")
        log.write(b"third\n")
    log.write(b"fourth\n")
    log.close()
    files = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert files == {"rasa.log": "(2 lines could not be written here)\nfourth\n", "rasa.log.1": "first\n"}


def _no_room() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")

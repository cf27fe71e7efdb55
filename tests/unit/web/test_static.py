from pathlib import Path

import pytest

from followup.web.static import StaticFiles


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    root = tmp_path / "static"
    (root / "css").mkdir(parents=True)
    (root / "css" / "a.css").write_text("a {}")
    (root / ".secret").write_text("x")
    (tmp_path / "outside").write_text("x")
    return StaticFiles(root)


def test_a_file_is_found(files):
    assert files.find("css/a.css").read_text() == "a {}"


@pytest.mark.parametrize("path", ["../outside", "css/../../outside", "/etc/passwd", ".secret", "css", "none", "a\0b", "\ud800", "9" * 3000, "a/" * 3000])
def test_nothing_else_is(files, path):
    assert files.find(path) is None


def test_the_address_changes_with_the_content(files):
    before = files.url("css/a.css")
    (files.root / "css" / "a.css").write_text("b {}")
    assert StaticFiles(files.root).url("css/a.css") != before

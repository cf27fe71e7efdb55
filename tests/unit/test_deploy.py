"""The systemd units that docs/production.md has an operator install, read by systemd itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from followup.settings import PROJECT_DIR

UNITS = PROJECT_DIR / "deploy"
INSTALLED = Path("/opt/followup")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    program = tmp_path / "followup" / ".venv" / "bin" / "followup"
    program.parent.mkdir(parents=True)
    program.symlink_to("/bin/true")
    copies = []
    for unit in sorted(UNITS.glob("followup*")):
        copies.append(tmp_path / unit.name)
        copies[-1].write_text(unit.read_text().replace(str(INSTALLED), str(tmp_path / "followup")))
    assert len(copies) == 3
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *copies], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "followup" in line]
    assert (ours, done.returncode) == ([], 0), done.stderr


@pytest.mark.parametrize("page", ["production.md", "zh/production.md"])
def test_what_the_page_names_is_there(page: str) -> None:
    named = set(re.findall(r"deploy/([\w-]+\.\w+)", (PROJECT_DIR / "docs" / page).read_text(encoding="utf-8")))
    assert named == {unit.name for unit in UNITS.iterdir()}

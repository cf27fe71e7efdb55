"""Statements that are built once stand by themselves, whatever else was imported before."""

import subprocess
import sys


def test_what_a_page_asks_for_is_built_in_a_process_that_knows_nothing_else() -> None:
    build = "from followup.web import talks; from sqlalchemy.dialects import postgresql; print(talks._LOOK.compile(dialect=postgresql.dialect()))"
    done = subprocess.run([sys.executable, "-c", build], capture_output=True, text=True, check=True)
    assert "take_overs" in done.stdout and "access_tokens" in done.stdout

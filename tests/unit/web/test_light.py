"""The web process starts fast and stays small: it understands nothing itself."""

import subprocess
import sys


def test_the_web_process_loads_no_model() -> None:
    code = (
        "import sys, followup.web.app\n"
        "heavy = {'rasa', 'tensorflow', 'spacy', 'sklearn', 'scipy'} & set(sys.modules)\n"
        "raise SystemExit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

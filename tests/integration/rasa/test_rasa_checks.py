"""Rasa's own checks of the assistant: the data are consistent, and the rules decide as the test stories say."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from followup.settings import PROJECT_DIR
from followup.supervise import model


def rasa(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Rasa's command line in the project."""
    env = {**os.environ, "RASA_TELEMETRY_ENABLED": "false", "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "2"}
    return subprocess.run(
        [sys.executable, "-m", "rasa", *arguments], cwd=PROJECT_DIR, env=env, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(model.train(PROJECT_DIR, tmp_path_factory.mktemp("log") / "train.log"))


def test_rasa_finds_the_data_valid() -> None:
    done = rasa("data", "validate", "--data", "data/nlu", "data/rules.yml")
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert "No story structure conflicts found" in output


def test_the_rules_decide_as_the_test_stories_say(trained: Path, tmp_path: Path) -> None:
    done = rasa(
        *("test", "core", "--stories", "tests/rasa", "--model", str(trained)),
        *("--out", str(tmp_path), "--fail-on-prediction-errors"),
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    failed = (tmp_path / "failed_test_stories.yml").read_text(encoding="utf-8")
    assert "None of the test stories failed" in failed

"""A project under git, for tests of what trainers hand in."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git(project: Path, *words: str) -> str:
    """What the command prints. Raises CalledProcessError."""
    return subprocess.run(["git", "-C", str(project), *words], check=True, capture_output=True, text=True).stdout


def commit_all(project: Path) -> None:
    """The folder as it is becomes a repository with one commit."""
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "begin")

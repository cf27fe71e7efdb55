"""The command line that runs a program on a leash: it ends when this process ends. See leash.py."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("leash.py")


def leashed(command: Sequence[str], *, death_signal: int = signal.SIGKILL, user: str | None = None, own_group: bool = False) -> list[str]:
    """`command`, to be started by this very process; as another user when one is named (needs root)."""
    # -I -S: no site-packages, to start fast.
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())]
    return [*launcher, str(int(death_signal)), user or "-", "own" if own_group else "-", "--", *command]

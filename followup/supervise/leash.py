"""Run a program that dies with its parent: `python -I -S leash.py PARENT SIGNAL USER GROUP -- PROGRAM ARGS...`

The kernel sends SIGNAL when the parent is gone, even after kill -9, so no server outlives the one that started it.
PARENT is the parent's process id, to notice when it went before the leash was on.
A launcher and not a `preexec_fn`, which is unsafe in a process with threads. USER is a name, or "-" for no change:
the change comes first because the kernel forgets the death signal when a process changes its user. GROUP is "own" for a process group of its own,
which a Ctrl-C in the terminal does not reach, or "-".
Standard library only, and it must not import the package: it runs without site-packages to start in some 20 ms.
"""

import ctypes  # before the user changes: the other user may not be allowed to read the standard library
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent, signal_number, user, group, separator, *command = arguments
    if separator != "--" or not command:
        raise SystemExit("usage: leash.py PARENT SIGNAL USER -- PROGRAM ARGS...")
    if user != "-":
        _become(user)
    if group == "own":
        os.setpgid(0, 0)
    _die_with_parent(int(signal_number))
    if os.getppid() != int(parent):
        raise SystemExit(1)
    os.execvp(command[0], command)


def _become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir


def _die_with_parent(signal_number: int) -> None:
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    main(sys.argv[1:])

"""A trainer's open changes written into the project's examples and word lists: one git commit, or a patch where that cannot be.

The commit holds nothing else, with the trainer as its author. When anything goes wrong on the way the files are as
they were before.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from followup.training import word_lists
from followup.training.changes import Change, apply

NLU, LEXICON = "data/nlu", "data/lexicon"
_TIMEOUT = 60


@dataclass(frozen=True, slots=True)
class HandedIn:
    """`commit`: where the changes are; `why`: a key of labels.yml, `hand_in_errors`, when they could not be committed.

    Neither: the files held everything already.
    """

    commit: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A word for a list of data/lexicon: the file's name without its ending, and the list's path in it."""

    file: str
    path: word_lists.Path
    word: str


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    email: str

    @classmethod
    def of(cls, name: str, email: str = "") -> Author:
        """A name as git takes it."""
        name = re.sub(r"[<>\n\r\0]", "", name).strip() or "trainer"
        return cls(name, re.sub(r"[<>\s\0]", "", email))


class _GitFailed(Exception):
    pass


def new_files(project: Path, changes: Sequence[Change], terms: Sequence[Term] = ()) -> dict[str, tuple[str | None, str]]:
    """What would change: path in the project -> (text before, None for a new file; text after). Raises word_lists.CannotWrite."""
    return {**_new_examples(project, changes), **_new_lists(project, terms)}


def _new_lists(project: Path, terms: Sequence[Term]) -> dict[str, tuple[str | None, str]]:
    found: dict[str, tuple[str | None, str]] = {}
    for term in terms:
        name = f"{LEXICON}/{term.file}.yml"
        if name not in found and not (project / name).is_file():
            raise word_lists.CannotWrite
        old, new = found.get(name) or ((project / name).read_bytes().decode("utf-8"),) * 2
        found[name] = old, word_lists.add(new, term.path, term.word)
    return {name: (old, new) for name, (old, new) in found.items() if old != new}


def _new_examples(project: Path, changes: Sequence[Change]) -> dict[str, tuple[str | None, str]]:
    if not changes:
        return {}
    folder = project / NLU
    with tempfile.TemporaryDirectory() as made:
        copy = Path(made) / "nlu"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
        apply(changes, copy)
        found = {}
        for path in sorted(copy.rglob("*.yml")):
            name = path.relative_to(copy)
            old = (folder / name).read_bytes().decode("utf-8") if (folder / name).exists() else None
            new = path.read_bytes().decode("utf-8")
            if new != old:
                found[f"{NLU}/{name.as_posix()}"] = (old, new)
        return found


def patch(project: Path, changes: Sequence[Change], terms: Sequence[Term] = ()) -> str:
    """The same as a unified diff that `git apply` takes; empty when there is nothing to change. Raises word_lists.CannotWrite."""
    parts = []
    for name, (old, new) in new_files(project, changes, terms).items():
        head = [f"diff --git a/{name} b/{name}"] + (["new file mode 100644"] if old is None else [])
        lines = difflib.unified_diff(_lines(old or ""), _lines(new), "/dev/null" if old is None else f"a/{name}", f"b/{name}")
        body = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
        parts.append("\n".join(head) + "\n" + body)
    return "".join(parts)


def hand_in(project: Path, changes: Sequence[Change], author: Author, message: str, terms: Sequence[Term] = ()) -> HandedIn:
    """Write, and commit what was written."""
    try:
        found = new_files(project, changes, terms)
    except word_lists.CannotWrite:
        return HandedIn(why="no_such_list")
    if not found:
        return HandedIn()
    if why := _cannot(project, found):
        return HandedIn(why=why)
    fresh = [name for name, (old, _) in found.items() if old is None]
    try:
        for name, (_, new) in found.items():
            _write(project / name, new)
        if fresh:
            _git(project, "add", "--", *fresh)
        env = {"GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email, "GIT_COMMITTER_NAME": author.name, "GIT_COMMITTER_EMAIL": author.email}
        _git(project, "-c", "commit.gpgsign=false", "commit", "-q", "--no-verify", "-m", message, "--", *found, env=env)
        return HandedIn(commit=_git(project, "rev-parse", "HEAD").strip())
    except (OSError, _GitFailed):
        _put_back(project, found, fresh)
        return HandedIn(why="git_failed")


def _cannot(project: Path, found: dict[str, tuple[str | None, str]]) -> str:
    if shutil.which("git") is None:
        return "no_git"
    try:
        if _git(project, "rev-parse", "--is-inside-work-tree").strip() != "true":
            return "no_git"
        folders = sorted({name.rpartition("/")[0] if name.startswith(LEXICON) else NLU for name in found})
        if any(_git(project, "ls-files", "--", folder).strip() == "" for folder in folders):
            return "no_git"  # some other project's work tree, which does not hold these files
        if _git(project, "status", "--porcelain", "--", *folders).strip():
            return "dirty"
    except _GitFailed:
        return "no_git"
    writable = all(os.access(project / folder, os.W_OK) for folder in folders) and all(os.access(project / name, os.W_OK) for name, (old, _) in found.items() if old is not None)
    return "" if writable else "read_only"


def _write(path: Path, content: str) -> None:
    """In one step: a training that copies the folder meanwhile sees the old file or the new one."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_bytes(content.encode("utf-8"))
        if path.exists():
            shutil.copymode(path, draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _put_back(project: Path, found: dict[str, tuple[str | None, str]], fresh: Sequence[str]) -> None:
    if fresh:
        try:
            _git(project, "rm", "-q", "--cached", "--ignore-unmatch", "--", *fresh)
        except _GitFailed:
            pass
    for name, (old, _) in found.items():
        try:
            if old is None:
                (project / name).unlink(missing_ok=True)
            else:
                _write(project / name, old)
        except OSError:
            continue


def _lines(content: str) -> list[str]:
    """Lines as git counts them: only a line feed ends one."""
    parts = content.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _git(project: Path, *words: str, env: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *words], env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **(env or {})},
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _GitFailed(str(error)) from error
    if done.returncode != 0:
        raise _GitFailed(done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8", "replace")

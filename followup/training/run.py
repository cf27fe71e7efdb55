"""One training, in a process of its own with the lowest priority: `python -m followup.training.run VERSION`.

Started and watched by followup.training.jobs. What it does and how far it is stands in the version's row; the project is
only read. Ends with 0 when the row says how it ended, with BUSY when another training runs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.rows import namedtuple_row

from followup import clock
from followup.nlu.model import IntentModel
from followup.nlu.understanding import read_reply
from followup.settings import Settings, load_settings
from followup.store.database import libpq_url
from followup.supervise import address, discreet_logging
from followup.supervise.model import TrainingError, code_hash, content_hash, model_path, train_into
from followup.training import compare, workspace
from followup.training.bounds import BoundsError, TrainingRules, load_rules
from followup.training.frozen import Line, frozen_lines
from followup.training.jobs import BUSY, LOCK
from followup.training.labels import sentence
from followup.training.obstacles import obstacles
from followup.training.replay import replay, talk_files
from followup.training.versions import digest_of

_SAY_EVERY = 0.5
_COMPONENTS = 3
"""Lines of Rasa's that tell of a part done: rules, classifier, the archive."""
_log = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]


def be_quiet(nice: int) -> None:
    """The live bot goes first, for the processor (`nice` of data/training.yml) and for the disk."""
    process = psutil.Process()
    with suppress(psutil.Error, OSError, AttributeError):
        process.ionice(psutil.IOPRIO_CLASS_IDLE)
    if nice == 0:
        return
    with suppress(psutil.Error, OSError):
        process.nice(nice)
    # Linux shares the processor among sessions first, whatever the niceness inside them: the session must be nice too.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(nice))


class Row:
    """The version's row, as it is kept up to date."""

    def __init__(self, connection: Connection, version: int) -> None:
        self.connection = connection
        self.version = version
        self._said = 0.0

    def phase(self, name: str, total: int = 0) -> None:
        self._write("phase = %s, done = 0, total = %s", name, total)

    def done(self, done: int) -> None:
        """At most twice a second."""
        if time.monotonic() - self._said > _SAY_EVERY:
            self._said = time.monotonic()
            self._write("done = %s", done)

    def keep(self, content: bytes, hashes: tuple[str, str], trained_on: dict[str, Any]) -> None:
        values = (content, len(content), digest_of(content), *hashes, json.dumps(trained_on))
        self._write('"bytes" = %s, size = %s, digest = %s, content_hash = %s, code_hash = %s, trained_on = %s', *values)

    def end(self, state: str, *, error: str = "", report: dict[str, Any] | None = None) -> None:
        told = json.dumps(report, ensure_ascii=False) if report is not None else None
        phase = "phase = 'done', " if state in ("ready", "blocked") else ""
        self._write(f"{phase}state = %s, error = %s, report = %s, finished_at = now()", state, error, told)

    def _write(self, what: str, *values: object) -> None:
        self.connection.execute(f"UPDATE model_versions SET {what} WHERE id = %s AND state = 'running'", (*values, self.version))


def main() -> None:
    discreet_logging.configure()
    version = int(sys.argv[1])
    settings = load_settings()
    be_quiet(_nice(settings.project_dir))
    with psycopg.connect(libpq_url(settings.database_url or ""), autocommit=True, row_factory=namedtuple_row) as connection:
        free = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (LOCK,)).fetchone()
        if free is None or not free[0]:
            raise SystemExit(BUSY)
        claimed = connection.execute(
            "UPDATE model_versions SET state = 'running', tries = tries + 1, started_at = now(), error = ''"
            " WHERE id = %s AND state IN ('queued', 'running') AND cancel_asked_at IS NULL RETURNING id",
            (version,),
        ).fetchone()
        if claimed is None:
            return  # called off, or done already
        row = Row(connection, version)
        try:
            _train(settings, row)
        except TrainingError as error:
            row.end("failed", error=sentence("rasa", "failures", reason=error))
        except BoundsError as error:
            row.end("failed", error=sentence("rules", "failures", reason=error))


def _nice(project: Path) -> int:
    try:
        return load_rules(project).nice
    except BoundsError:  # the training will say so itself
        return TrainingRules().nice


def _train(settings: Settings, row: Row) -> None:
    rules = load_rules(settings.project_dir)
    began = time.monotonic()
    seconds: dict[str, float] = {}

    def took(name: str) -> None:
        nonlocal began
        seconds[name] = round(time.monotonic() - began, 1)
        began = time.monotonic()

    with _room(settings.home / "training") as room:
        folder, out = room / "project", room / "candidate.tar.gz"
        folder.mkdir()
        row.phase("workspace")
        changes = row.connection.execute("SELECT * FROM example_changes WHERE state = 'open' ORDER BY id").fetchall()
        workspace.build(settings.project_dir, folder, changes)
        took("workspace")
        row.phase("reading")
        trained_on = {"source": "training", "changes": [change.id for change in changes], **workspace.counts(folder)}
        took("reading")
        row.phase("training", _COMPONENTS)
        asyncio.run(train_into(out, folder, settings.home / "log" / "train.log", _components(row)))
        hashes = content_hash(folder, code=settings.project_dir), code_hash(settings.project_dir)
        row.keep(out.read_bytes(), hashes, trained_on)
        took("training")
        report = _compare(settings, row, out, rules, took)
    report["seconds"] = seconds
    report["bounds"] = asdict(rules.bounds)  # those of now: whoever reads the report later sees what it was measured by
    report["blocked"] = obstacles(report, rules.bounds)
    row.end("blocked" if report["blocked"] else "ready", report=report)


@contextmanager
def _room(folder: Path) -> Iterator[Path]:
    """An empty folder, gone at the end; what a killed training left in it goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _components(row: Row) -> Any:
    done = 0

    def heard(line: str) -> None:
        nonlocal done
        if "Finished training component" in line or "Restored component" in line or "trained and saved" in line:
            done += 1
            row.done(min(done, _COMPONENTS))

    return heard


def _compare(settings: Settings, row: Row, candidate_file: Path, rules: TrainingRules, took: Any) -> dict[str, Any]:
    candidate = load_intents(candidate_file)
    with_version, live = _live(settings, row.connection)
    frozen = frozen_lines(settings.proof_dir / "nlu")
    corrected = corrected_lines(row.connection, rules.months_of_corrections)
    lines = [*frozen, *corrected]
    row.phase("comparing", len(lines) * (2 if live else 1))
    now = compare.read_lines(candidate, lines, row.done)
    before = compare.read_lines(live, lines, lambda done: row.done(len(lines) + done)) if live else None
    cut = len(frozen)
    report: dict[str, Any] = {
        "compared_with": with_version,
        "frozen": compare.comparison(frozen, before[:cut] if before else None, now[:cut]),
        "corrected": compare.comparison(corrected, before[cut:] if before else None, now[cut:]),
        "speed": compare.speed(live, candidate, frozen) if live else {},
        "probe": _misread(candidate, rules),
    }
    took("comparing")
    files = talk_files(settings.proof_dir / "e2e" / "talks")
    row.phase("replaying", len(files))
    report["talks"] = _talks(files, settings.proof_dir / "e2e" / "talks", candidate, live, row)
    took("replaying")
    return report


def _talks(files: list[Path], root: Path, candidate: IntentModel, live: IntentModel | None, row: Row) -> dict[str, Any]:
    """Talks that go otherwise with the candidate: `broken` only with it, `failing` with the live model as well."""
    broken, failing = [], []
    for number, path in enumerate(files, 1):
        if why := replay(path, candidate):
            name = path.relative_to(root).with_suffix("").as_posix()
            (failing if live is not None and replay(path, live) else broken).append({"talk": name, "why": why})
        row.done(number)
    return {"played": len(files), "broken": broken, "failing": failing}


def _misread(model: IntentModel, rules: TrainingRules) -> list[dict[str, str]]:
    found = {line: read_reply(line, model).leading.intent for line in rules.probe}
    return [{"line": line, "wanted": rules.probe[line], "found": intent} for line, intent in found.items() if intent != rules.probe[line]]


def _live(settings: Settings, connection: Connection) -> tuple[int | None, IntentModel | None]:
    """The live model and its version. That of the files gets a version now, so that a rollback can go back to it."""
    found = connection.execute(
        'SELECT v.id, v."bytes" AS content FROM model_deployments d JOIN model_versions v ON v.id = d.version_id ORDER BY d.id DESC LIMIT 1'
    ).fetchone()
    if found is not None and found.content is not None:
        try:
            return found.id, _load_bytes(found.content)
        except Exception:  # of an older product: a pickle may fail in any way
            _log.warning("the live model cannot be read by this product; nothing to compare with")
            return found.id, None
    last = address.read(settings.rasa_file or address.file_of(settings.home))
    path = Path(last.model) if last is not None and Path(last.model).exists() else model_path(settings.project_dir)
    if not path.exists():
        return None, None
    return _baseline(connection, path, code_hash(settings.project_dir)), load_intents(path)


def _baseline(connection: Connection, path: Path, code: str) -> int:
    content = path.read_bytes()
    digest = digest_of(content)
    known = connection.execute('SELECT id FROM model_versions WHERE digest = %s AND "bytes" IS NOT NULL', (digest,)).fetchone()
    if known is not None:
        return int(known.id)
    made = connection.execute(
        "INSERT INTO model_versions (state, phase, content_hash, code_hash, digest, size, \"bytes\", trained_on, finished_at)"
        " VALUES ('ready', 'done', %s, %s, %s, %s, %s, %s, now()) RETURNING id",
        (path.name.removesuffix(".tar.gz")[:12], code, digest, len(content), content, json.dumps({"source": "files", "changes": []})),
    ).fetchone()
    assert made is not None
    return int(made.id)


def corrected_lines(connection: Connection, months: int) -> list[Line]:
    """What staff said of customers' messages lately; the newest word on a message counts."""
    rows = connection.execute(
        "SELECT DISTINCT ON (a.message_id) a.message_id, a.intent, m.text FROM annotations a JOIN messages m ON m.id = a.message_id"
        " WHERE a.at > %s - make_interval(months => %s) AND a.status <> 'ignored' AND m.direction = 'in' AND m.text <> ''"
        " ORDER BY a.message_id, a.id DESC",
        (clock.now(), months),
    ).fetchall()
    return [Line(row.text, row.intent, "corrected", row.message_id) for row in rows]


def load_intents(path: Path) -> IntentModel:
    """The intent model out of a model's archive. Raises ValueError for one of another version."""
    from followup.nlu.lines import load_understanding

    return load_understanding(path).model


def _load_bytes(content: bytes) -> IntentModel:
    with tempfile.NamedTemporaryFile(suffix=".tar.gz") as file:
        file.write(content)
        file.flush()
        return load_intents(Path(file.name))


if __name__ == "__main__":
    os.umask(0o077)
    main()

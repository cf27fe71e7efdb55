"""The worker's part of an import: a file that was sent is read, checked, and taken when somebody says so.

What is to be done stands in `uploads.todo`, written in the transaction that gives the job. Nothing is lost when a worker dies:
`rescue` gives what is left a new job. Nothing is done twice: one process at a time works on a file (an advisory lock that dies
with it), and the customers are written in the transaction that marks the file as taken. A large file is worked on by a process
of its own, so that neither its memory nor its hunger for the processor gets in the way of customers who write.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.permissions import Staff
from followup.contacts import uploads
from followup.contacts.parse import ContactsFile, parse_table
from followup.contacts.progress import Progress
from followup.contacts.save import Source, hold, look, save_contacts
from followup.contacts.table import ContactsFileError, Table, pack, read_table, unpack
from followup.store.campaign_models import Upload
from followup.store.database import Database
from followup.store.models import User

_log = logging.getLogger(__name__)
IMPORT_QUEUE, IMPORT_TASK = "imports", "import_upload"
MOST_TRIES = 4
LARGE = 512 * 1024
"""Bytes; a larger file is worked on by a process of its own."""
_TOLD_EVERY = 0.5
"""Seconds between two words about how far it is."""
_BROKEN = "处理这个文件时出了错，试了几次都没有成功，一位客户也没有导入。请重新上传；还不行的话，请联系系统管理员。"
_CHANGED = "检查以后，客户资料又有了变化，有的行现在需要修改，一位客户也没有导入。请看下面的原因，改好再上传，或者选择“跳过有问题的行”。"
_large = asyncio.Semaphore(1)


class _Gone(Exception):
    """Somebody took the file away meanwhile (an erasure does): what was made of it is not written."""


@dataclass(slots=True)
class _Step:
    """What is to be done with a file now."""

    todo: str
    content: bytes = field(repr=False)
    upload: Upload


# —— jobs ————————————————————————————————————————————————————————————


async def ask(session: AsyncSession, upload: Upload, todo: str, at: datetime) -> None:
    """Have it done: `todo` and its job stand in the same transaction."""
    upload.todo, upload.tries, upload.error, upload.asked_at = todo, 0, "", at
    upload.stage, upload.done, upload.total = "", 0, 0
    await session.flush()
    await session.execute(_DEFER, {"queue": IMPORT_QUEUE, "task": IMPORT_TASK, "id": upload.id})


_JOB = "ROW(:queue, :task, 0, NULL, NULL, jsonb_build_object('upload_id', CAST({id} AS bigint)), NULL)::procrastinate_job_to_defer_v1"
_DEFER = text(f"SELECT procrastinate_defer_jobs_v1(ARRAY[{_JOB.format(id=':id')}])")
_RESCUE = text(
    f"""
    SELECT cardinality(procrastinate_defer_jobs_v1(array_agg({_JOB.format(id="upload.id")}))) FROM uploads AS upload
    WHERE todo <> '' AND NOT EXISTS (
        SELECT FROM procrastinate_jobs AS job
        WHERE job.task_name = :task AND job.status = 'todo' AND job.args ->> 'upload_id' = upload.id::text)
    HAVING count(*) > 0
    """
)


async def rescue(session: AsyncSession) -> int:
    """Give every file that waits without a job a new one. Of one that is being worked on the job ends at once."""
    return await session.scalar(_RESCUE, {"queue": IMPORT_QUEUE, "task": IMPORT_TASK}) or 0


async def run(database: Database, upload_id: int) -> None:
    """What the job does: here, or in a process of its own. Raises RuntimeError when that failed; the file is tried again."""
    async with database.session() as session:
        size = await session.scalar(select(func.length(Upload.content)).where(Upload.id == upload_id, Upload.todo != ""))
    if size is None:
        return
    if size <= LARGE:
        await work(database, upload_id)
        return
    async with _large:
        environment = {**os.environ, "DATABASE_URL": database.url}
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, str(upload_id), env=environment)
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
    if code:
        raise RuntimeError(f"the import of upload {upload_id} ended with {code}")


# —— work ————————————————————————————————————————————————————————————


async def work(database: Database, upload_id: int) -> None:
    """Do what the file is waiting for, step by step. Whoever comes second while another works on it returns at once."""
    async with _alone(database, upload_id) as alone:
        while alone and (step := await _begin(database, upload_id)) is not None:
            progress = Progress()
            try:
                await {"read": _read, "check": _check, "take": _take}[step.todo](database, step, progress)
            except _Gone:
                return


@contextlib.asynccontextmanager
async def _alone(database: Database, upload_id: int) -> AsyncIterator[bool]:
    """Whether nobody else works on the file until the end of the block. The lock is the connection's, and dies with it."""
    key = {"key": f"upload:{upload_id}"}
    async with database.engine.connect() as connection:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        got = await connection.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), key)
        try:
            yield bool(got)
        finally:
            if got:
                await connection.scalar(text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))"), key)


async def _begin(database: Database, upload_id: int) -> _Step | None:
    """The next step, counted before it is done; a file that ended every process that tried it is given up."""
    async with database.session() as session:
        found = await session.get(Upload, upload_id, with_for_update=True)
        if found is None or not found.todo:
            return None
        if found.tries >= MOST_TRIES:
            found.todo, found.error = "", _BROKEN
            return None
        found.tries += 1
        return _Step(found.todo, found.content, found)


@contextlib.asynccontextmanager
async def _told(database: Database, step: _Step, progress: Progress) -> AsyncIterator[None]:
    """While the block lasts, the file's row says how far it is."""

    async def tell() -> None:
        said = (step.upload.stage, step.upload.done, step.upload.total)
        while True:
            now = (progress.stage, progress.done, progress.total)
            if now != said:
                async with database.session() as session:
                    values = dict(zip(("stage", "done", "total"), now, strict=True))
                    await session.execute(update(Upload).where(Upload.id == step.upload.id).values(values))
                said = now
            await asyncio.sleep(_TOLD_EVERY)

    task = asyncio.create_task(tell())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _locked(session: AsyncSession, step: _Step) -> Upload:
    """The file's row, to write what came of the step. Raises _Gone."""
    found = await session.get(Upload, step.upload.id, with_for_update=True, populate_existing=True)
    if found is None or found.todo != step.todo:
        raise _Gone
    return found


async def _read(database: Database, step: _Step, progress: Progress) -> None:
    """The file's bytes -> its table, how it seems to be meant; then it is checked."""
    progress.begin("read")
    table, packed, error = None, b"", ""
    async with _told(database, step, progress):
        try:
            table = await asyncio.to_thread(read_table, step.content, progress)
            packed = await asyncio.to_thread(pack, table)
        except ContactsFileError as problem:
            error = str(problem)
    async with database.session() as session:
        found = await _locked(session, step)
        found.content, found.error, found.tries = packed, error, 0
        found.todo = "" if table is None else "check"
        if table is not None:
            found.choices = uploads.first_choices(table)


async def _check(database: Database, step: _Step, progress: Progress) -> None:
    """What would come of it, written down for whoever decides."""
    choices, at = uploads.choices_of(step.upload), clock.now()
    progress.begin("check")
    async with _told(database, step, progress):
        try:
            table, parsed = await asyncio.to_thread(_parse, step.content, choices, at, progress)
        except ContactsFileError as problem:
            checked = {"error": str(problem)}
        else:
            async with database.session() as session:
                looked = await look(session, parsed.contacts, progress)
            bad = sorted((*parsed.bad, *uploads.with_cells(table, looked.bad)), key=lambda row: row.line)
            checked = {
                "error": "",
                "new": looked.new,
                "known": looked.known,
                "merged": parsed.merged,
                "blocked": len(looked.blocked),
                "stopped": parsed.stopped,
                "bad_count": len(bad),
                "bad": [asdict(row) for row in bad[: uploads.MOST_BAD_SHOWN]],
                "preview": uploads.preview(table, parsed, {row.line: row.reason for row in bad}, looked.blocked),
            }
    async with database.session() as session:
        found = await _locked(session, step)
        found.checked, found.todo = checked, ""


async def _take(database: Database, step: _Step, progress: Progress) -> None:
    """All customers in one transaction with the mark that the file was taken; or none, and the file is checked anew."""
    upload, choices, at = step.upload, uploads.choices_of(step.upload), clock.now()
    progress.begin("check")
    async with database.session() as session:
        async with _told(database, step, progress):
            table, parsed = await asyncio.to_thread(_parse, step.content, choices, at, progress)
            await hold(session)
            source = Source(
                "console", upload.digest, len(table.rows), upload.file_name, parsed.merged, choices.groups, table.header, parsed.bad, upload.user_id
            )
            cells = {row.line: row.cells for row in table.rows}
            saved = await save_contacts(
                session, parsed.contacts, source, at, skip_bad=upload.skip_bad, cells=cells, stops=parsed.stops, progress=progress
            )
        # From here on nobody else writes to the row: who tells how far it is has been told to stop.
        found = await _locked(session, step)
        if saved.import_id is None:
            found.todo, found.error, found.tries = "check", _CHANGED, 0
            return
        found.todo, found.import_id, found.content, found.checked, found.choices = "", saved.import_id, b"", None, {}
        who = await _staff(session, upload.user_id)
        await audit(session, who, "contacts.import", "import", saved.import_id, rows=saved.created, known=saved.updated + saved.unchanged)


async def _staff(session: AsyncSession, user_id: int | None) -> Staff | None:
    user = await session.get(User, user_id) if user_id is not None else None
    return Staff(user.id, user.name, user.role, user.department) if user is not None else None


def _parse(content: bytes, choices: uploads.Choices, at: datetime, progress: Progress) -> tuple[Table, ContactsFile]:
    table = unpack(content)
    progress.begin("check", len(table.rows))
    return table, parse_table(table, choices, at.date(), progress)


def main() -> None:
    """`python -m followup.contacts.importing ID`, with DATABASE_URL: what a worker starts for a large file."""
    os.nice(5)  # customers' turns come first

    async def doing() -> None:
        database = Database(os.environ["DATABASE_URL"], pool_size=3)
        try:
            await work(database, int(sys.argv[1]))
        finally:
            await database.close()

    asyncio.run(doing())


if __name__ == "__main__":
    from followup.supervise import discreet_logging

    discreet_logging.configure()
    main()

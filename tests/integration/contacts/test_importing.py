"""The worker's part of an import: in the background, told how far it is, once, and nothing by halves."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
import pytest_asyncio
from sqlalchemy import func, select, text, update

from followup.contacts import importing, uploads
from followup.contacts.table import read_table
from followup.rights.block import block_phone
from followup.settings import SHANGHAI
from followup.store.campaign_models import Import, Upload
from followup.store.database import Database
from followup.store.models import Contact, User
from followup.store.records import is_blocked
from followup.store.staff_models import AuditEntry
from tests.integration.contacts.working import work_off

AT = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
FILE = "姓名,手机号\n" + "".join(f"客户{n},13{n:09d}\n" for n in range(50))
Sent = Callable[..., Awaitable[int]]


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", AT.isoformat())


@pytest_asyncio.fixture
async def sent(database: Database) -> Sent:
    """`await sent()`: somebody sent a file; `checked=True`: and it was read and checked."""

    async def sent(data: bytes = FILE.encode(), *, checked: bool = False) -> int:
        async with database.session() as session:
            user = await session.scalar(select(User)) or User(name="王主管", password_hash="", role="supervisor")
            session.add(user)
            await session.flush()
            kept = await uploads.keep(session, data, "客户.csv", "0" * 64, user.id, AT)
            await importing.ask(session, kept, "read", AT)
        if checked:
            await work_off(database)
        return kept.id

    return sent


async def ask(database: Database, upload_id: int, todo: str) -> None:
    async with database.session() as session:
        await importing.ask(session, await session.get_one(Upload, upload_id), todo, AT)


async def row(database: Database, upload_id: int) -> Upload:
    async with database.session() as session:
        return await session.get_one(Upload, upload_id)


async def count(database: Database, model: type = Contact) -> int:
    async with database.session() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def jobs(database: Database) -> int:
    async with database.session() as session:
        return await session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'import_upload'")) or 0


async def test_a_file_is_stored_with_its_job_before_anybody_reads_it(database: Database, sent: Sent) -> None:
    upload_id = await sent()
    kept = await row(database, upload_id)
    assert (kept.content, kept.todo, kept.checked) == (FILE.encode(), "read", None) and await jobs(database) == 1
    await importing.run(database, upload_id)
    kept = await row(database, upload_id)
    assert kept.todo == "" and kept.checked is not None and kept.checked["new"] == 50 and await count(database) == 0


async def test_it_is_taken_once_however_many_do_it(database: Database, sent: Sent) -> None:
    upload_id = await sent(checked=True)
    await ask(database, upload_id, "take")
    await asyncio.gather(*(importing.work(database, upload_id) for _ in range(4)))
    await importing.work(database, upload_id)
    assert await count(database) == 50 and await count(database, Import) == 1
    async with database.session() as session:
        (entry,) = await session.scalars(select(AuditEntry).where(AuditEntry.action == "contacts.import"))
    assert entry.user_name == "王主管"


async def test_one_that_another_process_works_on_is_left_to_it(database: Database, sent: Sent) -> None:
    upload_id = await sent(checked=True)
    await ask(database, upload_id, "take")
    async with importing._alone(database, upload_id) as alone:
        assert alone
        await importing.work(database, upload_id)
        assert await count(database) == 0 and (await row(database, upload_id)).tries == 0
    await importing.work(database, upload_id)
    assert await count(database) == 50


async def test_what_fails_between_the_writing_and_the_mark_writes_nothing(database: Database, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_id = await sent(checked=True)
    await ask(database, upload_id, "take")

    async def dies(*args: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(importing, "_locked", dies)
        with pytest.raises(RuntimeError):
            await importing.work(database, upload_id)
    assert await count(database) == 0 and await count(database, Import) == 0
    await importing.work(database, upload_id)
    assert await count(database) == 50 and await count(database, Import) == 1


async def test_a_process_killed_in_the_middle_leaves_nothing_and_the_next_one_takes_it(database: Database, sent: Sent) -> None:
    upload_id = await sent(checked=True)
    await ask(database, upload_id, "take")
    async with database.session() as session:
        # Another import under way holds it up in the middle.
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('contacts:import', 0))"))
        environment = {**os.environ, "DATABASE_URL": database.url}
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "followup.contacts.importing", str(upload_id), env=environment)
        while not await waits_for_the_lock(database):
            assert process.returncode is None
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    assert await count(database) == 0
    async with database.session() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))  # a killed worker's job is ended by its colleagues
        assert await importing.rescue(session) == 1
        assert await importing.rescue(session) == 0
    while not await count(database):  # the server notices the dead process when it next speaks to it
        await importing.work(database, upload_id)
    assert await count(database) == 50 and await count(database, Import) == 1


async def waits_for_the_lock(database: Database) -> bool:
    async with database.session() as session:
        return bool(await session.scalar(text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")))


async def test_a_large_file_is_worked_on_by_a_process_of_its_own(database: Database, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "LARGE", 10)
    upload_id = await sent()
    await importing.run(database, upload_id)
    assert (await row(database, upload_id)).checked is not None


async def test_a_file_that_ends_whoever_tries_it_is_given_up_and_told(database: Database, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_id = await sent()

    def breaks(*args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(importing, "read_table", breaks)
    for _ in range(importing.MOST_TRIES):
        with pytest.raises(MemoryError):
            await importing.work(database, upload_id)
    await importing.work(database, upload_id)
    kept = await row(database, upload_id)
    assert kept.todo == "" and "请重新上传" in kept.error


async def test_how_far_it_is_can_be_seen_meanwhile(database: Database, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_id = await sent()
    monkeypatch.setattr(importing, "_TOLD_EVERY", 0.01)
    seen, go_on = asyncio.Event(), asyncio.get_running_loop()

    def slowly(data: bytes, progress: importing.Progress) -> object:
        progress.done = 7
        asyncio.run_coroutine_threadsafe(seen.wait(), go_on).result()
        return read_table(data, progress)

    monkeypatch.setattr(importing, "read_table", slowly)
    task = asyncio.create_task(importing.work(database, upload_id))
    while (await row(database, upload_id)).done != 7:
        await asyncio.sleep(0.01)
    assert (await row(database, upload_id)).stage == "read"
    seen.set()
    await task


async def test_a_file_that_is_taken_away_meanwhile_is_not_taken(database: Database, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_id = await sent(checked=True)
    await ask(database, upload_id, "take")
    look = importing.save_contacts

    async def and_gone(*args: object, **kwargs: object) -> object:
        async with database.session() as session:
            await session.execute(text("DELETE FROM uploads"))  # as an erasure does
        return await look(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(importing, "save_contacts", and_gone)
    await importing.work(database, upload_id)
    assert await count(database) == 0 and await count(database, Import) == 0


async def test_what_contradicts_since_the_check_takes_nobody_and_is_told(database: Database, sent: Sent) -> None:
    upload_id = await sent(checked=True)
    async with database.session() as session:
        session.add(Contact(name="另一位", phone="13000000007"))
    await ask(database, upload_id, "take")
    await importing.work(database, upload_id)
    kept = await row(database, upload_id)
    assert await count(database) == 1 and kept.todo == "" and "一位客户也没有导入" in kept.error
    assert kept.checked is not None and kept.checked["bad_count"] == 1


@pytest.mark.parametrize("when", ["before the check", "after the check", "while it runs"])
async def test_a_block_that_comes_meanwhile_counts(database: Database, sent: Sent, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def blocks() -> None:
        async with database.session() as session:
            await block_phone(session, "13000000003", "客户来电", None, AT)

    if when == "before the check":
        await blocks()
    upload_id = await sent(checked=True)
    if when == "after the check":
        await blocks()
    if when == "while it runs":
        save = importing.save_contacts

        async def and_blocked(*args: object, **kwargs: object) -> object:
            saved = await save(*args, **kwargs)  # type: ignore[arg-type]
            await blocks()  # before the customers are there for anybody else
            return saved

        monkeypatch.setattr(importing, "save_contacts", and_blocked)
    await ask(database, upload_id, "take")
    await importing.work(database, upload_id)
    async with database.session() as session:
        contact = (await session.scalars(select(Contact.id).where(Contact.phone == "13000000003"))).one()
        assert await is_blocked(session, contact)


async def test_rescue_gives_a_waiting_file_one_job(database: Database, sent: Sent) -> None:
    upload_id = await sent()
    async with database.session() as session:
        assert await importing.rescue(session) == 0
        await session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
        assert await importing.rescue(session) == 1
        await session.execute(update(Upload).where(Upload.id == upload_id).values(todo=""))
        await session.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
        assert await importing.rescue(session) == 0

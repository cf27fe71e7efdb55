"""A real PostgreSQL for the tests: one server a run, one fresh database a test.

TEST_DATABASE_URL names a server to use (a role that may create databases); without it the embedded one is started
in a short directory, because the path of a Unix socket may have 100 characters only; in memory where there is room,
because a database of its own for each of two thousand tests is 24 GB written to a disk.
Imports neither Rasa nor TensorFlow.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import hypothesis
import psycopg
import pytest
import pytest_asyncio

from followup.store.database import Database, libpq_url

# The same generated cases in every run and no time limits: a red run means a change. HYPOTHESIS_PROFILE=search looks further.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


_MEMORY, _ROOM = "/dev/shm", 6 << 30
"""Where memory is a file system, and the bytes that must be free there."""

# What is dear to start, and so is used by one of several test processes only; everything else goes by files.
_SHARED = ("addresses", "running_stack", "browser")
_PLAYED = {"test_talks.py", "test_chosen.py", "test_coverage.py", "test_examples.py", "test_service_language.py"}
"""They play each talk in the process, once for all of them."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Which tests stay together when several processes share the work (`pytest -n 3 --dist loadgroup`), longest first.

    Processes end together when what cannot be divided comes first; `--no-loadscope-reorder` keeps the order. Two of the
    three need a trained model: while one trains it, the other has something else to do first.
    """
    for item in items:
        used = [name for name in _SHARED if name in getattr(item, "fixturenames", ())]
        alone = "talks" if item.path.name in _PLAYED else str(item.path)
        item.add_marker(pytest.mark.xdist_group(used[0] if used else alone))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    used = set(getattr(item, "fixturenames", ()))
    if used.intersection(_SHARED):
        return 2 if "running_stack" in used else 0
    return 1 if "campaigns" in item.path.parts else 3


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A case of many characters is named by its argument and number.

    Test processes refuse to share the work when their names differ, and a workbook made for a case holds the time.
    """
    return argname if isinstance(val, str | bytes) and len(val) > 60 else None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """libpq URL of the server's maintenance database."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield libpq_url(given)
        return
    from followup.supervise import postgres

    home = Path(tempfile.mkdtemp(prefix="fu-pg-", dir=_roomy()))
    url, process = postgres.start(home, durable=False)
    try:
        yield url
    finally:
        if process is not None:
            postgres.stop(process)
        shutil.rmtree(home, ignore_errors=True)


def _roomy() -> str:
    """A file system in memory with room for what the tests write, else the disk."""
    return _MEMORY if Path(_MEMORY).is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM else "/tmp"


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """Name of a migrated database to copy."""
    from followup.store.migrate import upgrade

    with new_database(postgres_url) as (name, url):
        upgrade(url)
        yield name


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database without any table, for tests of the migrations."""
    with new_database(postgres_url) as (_, url):
        yield url


@pytest.fixture
def database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    with new_database(postgres_url, template_database) as (_, url):
        yield url


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@contextmanager
def new_database(server_url: str, template: str = "template1") -> Iterator[tuple[str, str]]:
    """A database's name and URL, for as long as the block lasts."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    strategy = " STRATEGY FILE_COPY" if _MEMORY in server_url else ""  # the quicker one in memory; on a disk it is not
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{strategy}")
    try:
        yield name, urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

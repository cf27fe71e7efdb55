"""Migrations on a real PostgreSQL."""

import threading

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from followup.store.database import sqlalchemy_url
from followup.store.migrate import is_current, upgrade
from followup.store.models import Base


def test_an_empty_database_gets_every_table_of_the_models(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    engine = create_engine(sqlalchemy_url(empty_database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": lambda _, name, kind, *__: not (kind == "table" and name.startswith("procrastinate"))
            },
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


def test_the_job_queue_is_created_with_the_tables(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        found = connection.execute("SELECT to_regclass('procrastinate_jobs')::text").fetchone()
    assert found == ("procrastinate_jobs",)


def test_migrating_twice_changes_nothing(empty_database_url: str) -> None:
    assert not is_current(empty_database_url)
    upgrade(empty_database_url)
    upgrade(empty_database_url)
    assert is_current(empty_database_url)


def test_processes_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            upgrade(empty_database_url)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert is_current(empty_database_url)


def test_a_failed_migration_leaves_the_database_as_it_was(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE tickets (id int)")  # in the way of the first revision's last table
        with pytest.raises(Exception, match="tickets"):
            upgrade(empty_database_url)
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("tickets",)]

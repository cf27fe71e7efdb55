"""Bring a database to the present schema: our tables, Rasa's events, procrastinate's jobs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

from followup.store.database import sqlalchemy_url

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number nobody else uses: several processes may start, and migrate, at once.
_LOCK = 0x466F6C6C6F777570


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at `url`. Safe to call at every start and from several processes at once.

    One transaction: after an error the database is as it was.
    """
    engine = create_engine(sqlalchemy_url(url))
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            command.upgrade(_config(connection), revision)
    finally:
        engine.dispose()


def is_current(url: str) -> bool:
    """Whether the database has the schema this version of the product needs."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    engine = create_engine(sqlalchemy_url(url))
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
            return set(found) == set(ScriptDirectory(str(MIGRATIONS)).get_heads())
    finally:
        engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config

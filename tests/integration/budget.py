"""Counts of what a piece of work asks of the database. No times: those depend on the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from psycopg import AsyncConnection
from psycopg import Connection as PsycopgConnection
from sqlalchemy import Connection, Engine, event


@dataclass
class Spent:
    """`statements` in their order; `commits` of transactions, each of which waits for the disk."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0

    def within(self, statements: int, commits: int) -> None:
        """Fails with the statements when there were more."""
        assert len(self.statements) <= statements, "\n".join(self.statements)
        assert self.commits <= commits, "\n".join(self.statements)


@contextmanager
def counted(engine: Engine) -> Iterator[Spent]:
    """What happens in the block on the engine, and by psycopg's own connections (`Database.straight`, and Rasa's), whosever they are."""
    spent = Spent()
    plain = AsyncConnection.execute, PsycopgConnection.execute

    def note(query: str | bytes, *, autocommit: bool) -> None:
        if statement := " ".join((query.decode() if isinstance(query, bytes) else query).split()):
            spent.statements.append(statement[:120])
            spent.commits += autocommit and re.search(r"\b(INSERT|UPDATE|DELETE)\b", statement) is not None

    async def ran_straight(self: AsyncConnection, query: str | bytes, *arguments: object, **named: object) -> object:
        note(query, autocommit=self.autocommit)
        return await plain[0](self, query, *arguments, **named)

    def ran_beside_the_loop(self: PsycopgConnection, query: str | bytes, *arguments: object, **named: object) -> object:
        note(query, autocommit=self.autocommit)
        return plain[1](self, query, *arguments, **named)

    def ran(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        spent.statements.append(" ".join(statement.split())[:120])

    def committed(connection: Connection) -> None:
        # What is only read needs none.
        spent.commits += connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT"

    AsyncConnection.execute, PsycopgConnection.execute = ran_straight, ran_beside_the_loop
    event.listen(engine, "before_cursor_execute", ran)
    event.listen(engine, "commit", committed)
    try:
        yield spent
    finally:
        AsyncConnection.execute, PsycopgConnection.execute = plain
        event.remove(engine, "before_cursor_execute", ran)
        event.remove(engine, "commit", committed)

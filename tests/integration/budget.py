"""Counts of what a piece of work asks of the database. No times: those depend on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

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
    """What happens on the engine in the block."""
    spent = Spent()

    def ran(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        spent.statements.append(" ".join(statement.split())[:120])

    def committed(connection: Connection) -> None:
        # What is only read needs none.
        spent.commits += connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT"

    event.listen(engine, "before_cursor_execute", ran)
    event.listen(engine, "commit", committed)
    try:
        yield spent
    finally:
        event.remove(engine, "before_cursor_execute", ran)
        event.remove(engine, "commit", committed)

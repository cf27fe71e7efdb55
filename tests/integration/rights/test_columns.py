"""No text column of the schema is forgotten: each is erased, kept for a reason, or in a table that is not about customers."""

from __future__ import annotations

import psycopg

from followup.rights.columns import ERASED, KEPT, NOT_ABOUT_CUSTOMERS


def test_every_text_column_is_decided_about(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN ('text', 'character varying', 'jsonb', 'json', 'ARRAY')"
        ).fetchall()
    there = {(table, column) for table, column in found if table not in NOT_ABOUT_CUSTOMERS}
    decided = {(table, column) for columns in (ERASED, KEPT) for table, names in columns.items() for column in names}
    assert there - decided == set(), "decide in followup/rights/columns.py (and erase.py) what erasing a customer does about these"
    assert decided - there == set()
    assert len(decided) == sum(len(names) for columns in (ERASED, KEPT) for names in columns.values())

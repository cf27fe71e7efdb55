"""What is known of every talk, ready to be counted, and which talks changed since

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Two functions: cases call their key `id`. A customer's message matters, ours does not.
_MARK = """
CREATE FUNCTION mark_talks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dirty_talks (case_id) SELECT DISTINCT case_id FROM changed;
    RETURN NULL;
END
$$;
CREATE FUNCTION mark_talks_said() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dirty_talks (case_id) SELECT DISTINCT case_id FROM changed WHERE direction = 'in';
    RETURN NULL;
END
$$;
CREATE FUNCTION mark_cases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dirty_talks (case_id) SELECT id FROM changed;
    RETURN NULL;
END
$$;
CREATE FUNCTION mark_talk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dirty_talks (case_id) VALUES (NEW.case_id);
    IF NEW.case_id <> OLD.case_id THEN
        INSERT INTO dirty_talks (case_id) VALUES (OLD.case_id);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION mark_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dirty_talks (case_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;
"""
_WHOLE = {"cases": "mark_cases", "messages": "mark_talks_said", "answers": "mark_talks", "tickets": "mark_talks", "attempts": "mark_talks"}
# Most updates (a message was sent, a customer was reminded) change no figure and must cost nothing.
_COLUMNS = {
    "cases": "contact_id, script_id, revision_id, outcome, outcome_reason, is_demo, created_at, opened_at, ended_at, last_message_at",
    "messages": "case_id, direction, created_at",
    "answers": "case_id, question_id, value, words, how, superseded",
    "tickets": "case_id, kind, reason",
    "attempts": "case_id, started_at, ended_at",
}


def upgrade() -> None:
    op.create_table(
        "talk_facts",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("is_demo", "by_customer", "opened", "replied", "low", "complained")),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("length", "wait", "reply")),
        sa.Column("said", sa.BigInteger(), nullable=False),
        sa.Column("script_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("outcome", "why", "stopped", "length_step", "wait_step", "reply_step")),
        sa.Column("said_step", sa.Text(), nullable=False),
        *(sa.Column(name, postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False) for name in ("aspects", "answers")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("talk_facts_pkey")),
    )
    op.create_index("talk_facts_day_idx", "talk_facts", ["day"])
    op.create_index("talk_facts_script_idx", "talk_facts", ["script_id", "day"])
    op.create_index("talk_facts_aspects_idx", "talk_facts", ["day"], postgresql_where=sa.text("aspects <> '{}'::text[]"))
    op.create_table(
        "dirty_talks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("dirty_talks_pkey")),
    )
    op.create_table(
        "fact_state",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        # Empty: whoever looks first counts every talk there is.
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("one", name="fact_state_one_check"),
        sa.PrimaryKeyConstraint("one", name=op.f("fact_state_pkey")),
    )
    op.execute("INSERT INTO fact_state DEFAULT VALUES")
    op.execute(_MARK)
    for table, function in _WHOLE.items():
        for event, rows in (("INSERT", "NEW"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER {table}_mark_{event.lower()} AFTER {event} ON {table} REFERENCING {rows} TABLE AS changed"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
        one = "mark_case" if table == "cases" else "mark_talk"
        op.execute(f"CREATE TRIGGER {table}_mark_update AFTER UPDATE OF {_COLUMNS[table]} ON {table} FOR EACH ROW EXECUTE FUNCTION {one}()")


def downgrade() -> None:
    for table in _WHOLE:
        for event in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER {table}_mark_{event} ON {table}")
    for name in ("mark_talks", "mark_talks_said", "mark_cases", "mark_talk", "mark_case"):
        op.execute(f"DROP FUNCTION {name}()")
    for table in ("fact_state", "dirty_talks", "talk_facts"):
        op.drop_table(table)

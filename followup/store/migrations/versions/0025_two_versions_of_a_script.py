"""Two versions of a script in one campaign, beside each other; drafts that were looked over and are not published yet

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_STATES = "state IN ('draft', 'review', 'rejected', 'approved', 'published', 'withdrawn')"
_OPEN = "state IN ('draft', 'review', 'rejected', 'approved')"
_STATES_BEFORE = "state IN ('draft', 'review', 'rejected', 'published', 'withdrawn')"
_OPEN_BEFORE = "state IN ('draft', 'review', 'rejected')"


def _points_to(column: str, target: str, **given: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"script_comparisons_{column}_fkey"), **given)


def _drafts(states: str, is_open: str) -> None:
    op.drop_constraint("script_drafts_state_check", "script_drafts")
    op.create_check_constraint(op.f("script_drafts_state_check"), "script_drafts", states)
    op.drop_index("script_drafts_open_idx", "script_drafts")
    op.create_index("script_drafts_open_idx", "script_drafts", ["kind", "script_id", "by_user_id"], unique=True, postgresql_where=sa.text(is_open))


def upgrade() -> None:
    _drafts(_STATES, _OPEN)
    number, time = sa.BigInteger(), sa.DateTime(timezone=True)
    op.create_table(
        "script_comparisons",
        sa.Column("id", number, sa.Identity(), nullable=False),
        sa.Column("campaign_id", number, nullable=False),
        sa.Column("number", number, nullable=False),
        sa.Column("script_id", sa.Text(), nullable=False),
        sa.Column("first_revision_id", number, nullable=True),
        sa.Column("second_revision_id", number, nullable=False),
        sa.Column("publication_id", number, nullable=True),
        sa.Column("draft_id", number, nullable=True),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("user_id", number, nullable=True),
        sa.Column("began_at", time, nullable=False),
        sa.Column("ended_at", time, nullable=True),
        sa.Column("ended_by", number, nullable=True),
        sa.Column("chosen", sa.Text(), nullable=True),
        sa.Column("why_chosen", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("chosen IN ('first', 'second')", name=op.f("script_comparisons_chosen_check")),
        sa.CheckConstraint("(ended_at IS NULL) = (chosen IS NULL)", name=op.f("script_comparisons_ended_check")),
        _points_to("campaign_id", "campaigns", ondelete="CASCADE"),
        _points_to("first_revision_id", "script_revisions"),
        _points_to("second_revision_id", "script_revisions"),
        _points_to("publication_id", "published_scripts"),
        _points_to("draft_id", "script_drafts"),
        _points_to("user_id", "users"),
        _points_to("ended_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("script_comparisons_pkey")),
    )
    op.create_index("script_comparisons_number_idx", "script_comparisons", ["campaign_id", "number"], unique=True)
    op.create_index(
        "script_comparisons_running_idx", "script_comparisons", ["campaign_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.add_column("cases", sa.Column("comparison_id", number, nullable=True))
    op.add_column("cases", sa.Column("side", sa.Text(), nullable=True))
    op.create_index("cases_comparison_idx", "cases", ["comparison_id"], postgresql_where=sa.text("comparison_id IS NOT NULL"))


def downgrade() -> None:
    op.drop_column("cases", "side")
    op.drop_column("cases", "comparison_id")
    op.drop_table("script_comparisons")
    op.execute("UPDATE script_drafts SET state = 'review' WHERE state = 'approved'")
    _drafts(_STATES_BEFORE, _OPEN_BEFORE)

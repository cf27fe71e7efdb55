"""Finding talks: Chinese text search without extensions, and indexes for the list of talks

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Every character and every pair of neighbours: two characters are a word in Chinese, where the trigrams of pg_trgm
# would be too long (and the embedded PostgreSQL has no pg_trgm).
_GRAMS = """
CREATE FUNCTION text_grams(line text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT gram), '{}')
    FROM (SELECT c, c || lead(c, 1, '') OVER (ORDER BY n) AS pair
          FROM unnest(string_to_array(lower(line), NULL)) WITH ORDINALITY AS letters (c, n)) AS pairs,
         LATERAL (VALUES (c), (pair)) AS both_ (gram)
$$
"""


def upgrade() -> None:
    op.execute(_GRAMS)
    op.execute("CREATE INDEX messages_grams_idx ON messages USING gin (text_grams(text)) WHERE direction <> 'system'")
    op.execute("CREATE INDEX messages_intent_idx ON messages (intent, case_id) WHERE direction = 'in'")
    op.execute("CREATE INDEX messages_acts_idx ON messages USING gin (acts jsonb_path_ops) WHERE direction = 'in'")
    op.execute("CREATE INDEX messages_unsure_idx ON messages (case_id) WHERE direction = 'in' AND confidence < 0.7")
    op.execute("CREATE INDEX cases_held_idx ON cases (coalesce(ended_at, last_message_at, created_at))")
    op.execute("CREATE INDEX cases_latest_idx ON cases (coalesce(last_message_at, created_at), id)")


def downgrade() -> None:
    for name in ("cases_latest_idx", "cases_held_idx"):
        op.execute(f"DROP INDEX {name}")
    for name in ("unsure", "acts", "intent", "grams"):
        op.execute(f"DROP INDEX messages_{name}_idx")
    op.execute("DROP FUNCTION text_grams(text)")

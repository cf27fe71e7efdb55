"""The staff console: accounts and sessions, what only grows, corrections, take-overs, tickets' history, inspections

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ONLY_GROWS = """
CREATE FUNCTION audit_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log only grows: % refused', TG_OP;
END
$$;
CREATE TRIGGER audit_log_rows BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_only_grows();
CREATE TRIGGER audit_log_all BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION audit_log_only_grows();
"""


def upgrade() -> None:
    op.create_table(
        'audit_log',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=True),
        sa.Column('user_name', sa.Text(), nullable=False),
        sa.Column('role', sa.Text(), nullable=False),
        sa.Column('action', sa.Text(), nullable=False),
        sa.Column('object_type', sa.Text(), server_default='', nullable=False),
        sa.Column('object_id', sa.Text(), server_default='', nullable=False),
        sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('audit_log_pkey')),
    )
    op.create_index(op.f('audit_log_at_idx'), 'audit_log', ['at'], unique=False)
    op.create_index(op.f('audit_log_object_type_object_id_idx'), 'audit_log', ['object_type', 'object_id'], unique=False)
    op.create_table(
        'login_attempts',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('address_hash', sa.String(length=64), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('login_attempts_pkey')),
    )
    op.create_index(op.f('login_attempts_address_hash_at_idx'), 'login_attempts', ['address_hash', 'at'], unique=False)
    op.create_index(op.f('login_attempts_name_at_idx'), 'login_attempts', ['name', 'at'], unique=False)
    op.create_table(
        'inspection_samples',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('seed', sa.BigInteger(), nullable=False),
        sa.Column('wanted', sa.BigInteger(), nullable=False),
        sa.Column('filters', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('inspection_samples_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('inspection_samples_pkey')),
    )
    op.create_table(
        'staff_sessions',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('token_hash', sa.String(length=64), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('last_seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('staff_sessions_user_id_fkey'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('staff_sessions_pkey')),
        sa.UniqueConstraint('token_hash', name=op.f('staff_sessions_token_hash_key')),
    )
    op.create_index(op.f('staff_sessions_user_id_idx'), 'staff_sessions', ['user_id'], unique=False)
    op.create_table(
        'inspections',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('sample_id', sa.BigInteger(), nullable=False),
        sa.Column('case_id', sa.String(length=32), nullable=False),
        sa.Column('agent_id', sa.BigInteger(), nullable=True),
        sa.Column('scores', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column('total', sa.BigInteger(), nullable=True),
        sa.Column('comment', sa.Text(), server_default='', nullable=False),
        sa.Column('inspector_id', sa.BigInteger(), nullable=True),
        sa.Column('inspected_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint('total BETWEEN 0 AND 100', name='inspections_total_check'),
        sa.ForeignKeyConstraint(['agent_id'], ['users.id'], name=op.f('inspections_agent_id_fkey')),
        sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('inspections_case_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['inspector_id'], ['users.id'], name=op.f('inspections_inspector_id_fkey')),
        sa.ForeignKeyConstraint(['sample_id'], ['inspection_samples.id'], name=op.f('inspections_sample_id_fkey'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('inspections_pkey')),
    )
    op.create_index('inspections_case_idx', 'inspections', ['sample_id', 'case_id'], unique=True)
    op.create_index(op.f('inspections_sample_id_idx'), 'inspections', ['sample_id'], unique=False)
    op.create_table(
        'staff_notes',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('case_id', sa.String(length=32), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('staff_notes_case_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('staff_notes_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('staff_notes_pkey')),
    )
    op.create_index(op.f('staff_notes_case_id_idx'), 'staff_notes', ['case_id'], unique=False)
    op.create_table(
        'take_overs',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('case_id', sa.String(length=32), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=False),
        sa.Column('begun_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('how_ended', sa.Text(), server_default='', nullable=False),
        sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('take_overs_case_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('take_overs_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('take_overs_pkey')),
    )
    op.create_index('take_overs_open_idx', 'take_overs', ['case_id'], unique=True, postgresql_where=sa.text('ended_at IS NULL'))
    op.create_index(op.f('take_overs_user_id_idx'), 'take_overs', ['user_id'], unique=False)
    op.create_table(
        'annotations',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('message_id', sa.BigInteger(), nullable=False),
        sa.Column('intent', sa.Text(), nullable=False),
        sa.Column('comment', sa.Text(), server_default='', nullable=False),
        sa.Column('status', sa.Text(), server_default='new', nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('annotations_message_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('annotations_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('annotations_pkey')),
    )
    op.create_index(op.f('annotations_message_id_idx'), 'annotations', ['message_id'], unique=False)
    op.create_table(
        'staff_messages',
        sa.Column('message_id', sa.BigInteger(), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=False),
        sa.Column('forbidden', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('staff_messages_message_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('staff_messages_user_id_fkey')),
        sa.PrimaryKeyConstraint('message_id', name=op.f('staff_messages_pkey')),
    )
    op.create_index(op.f('staff_messages_user_id_idx'), 'staff_messages', ['user_id'], unique=False)
    op.create_table(
        'answer_corrections',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('answer_id', sa.BigInteger(), nullable=False),
        sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['answer_id'], ['answers.id'], name=op.f('answer_corrections_answer_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('answer_corrections_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('answer_corrections_pkey')),
    )
    op.create_index(op.f('answer_corrections_answer_id_idx'), 'answer_corrections', ['answer_id'], unique=False)
    op.create_table(
        'ticket_events',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('ticket_id', sa.BigInteger(), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=True),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('ticket_events_ticket_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('ticket_events_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('ticket_events_pkey')),
    )
    op.create_index(op.f('ticket_events_ticket_id_idx'), 'ticket_events', ['ticket_id'], unique=False)
    op.add_column('tickets', sa.Column('owner_id', sa.BigInteger(), nullable=True))
    op.add_column('tickets', sa.Column('solution', sa.Text(), server_default='', nullable=False))
    op.add_column('tickets', sa.Column('solved_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('tickets', sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('tickets', sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('tickets', sa.Column('revisit_case_id', sa.String(length=32), nullable=True))
    op.create_index(op.f('tickets_revisit_case_id_idx'), 'tickets', ['revisit_case_id'], unique=False)
    op.create_foreign_key(op.f('tickets_revisit_case_id_fkey'), 'tickets', 'cases', ['revisit_case_id'], ['id'], ondelete='SET NULL')
    op.create_foreign_key(op.f('tickets_owner_id_fkey'), 'tickets', 'users', ['owner_id'], ['id'])
    op.add_column('users', sa.Column('department', sa.Text(), server_default='', nullable=False))
    op.add_column('users', sa.Column('must_change_password', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('users', sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True))
    op.execute(_ONLY_GROWS)


def downgrade() -> None:
    op.drop_column('users', 'disabled_at')
    op.drop_column('users', 'must_change_password')
    op.drop_column('users', 'department')
    op.drop_constraint(op.f('tickets_owner_id_fkey'), 'tickets', type_='foreignkey')
    op.drop_constraint(op.f('tickets_revisit_case_id_fkey'), 'tickets', type_='foreignkey')
    op.drop_index(op.f('tickets_revisit_case_id_idx'), table_name='tickets')
    op.drop_column('tickets', 'revisit_case_id')
    op.drop_column('tickets', 'reminded_at')
    op.drop_column('tickets', 'closed_at')
    op.drop_column('tickets', 'solved_at')
    op.drop_column('tickets', 'solution')
    op.drop_column('tickets', 'owner_id')
    op.drop_index(op.f('ticket_events_ticket_id_idx'), table_name='ticket_events')
    op.drop_table('ticket_events')
    op.drop_index(op.f('answer_corrections_answer_id_idx'), table_name='answer_corrections')
    op.drop_table('answer_corrections')
    op.drop_index(op.f('staff_messages_user_id_idx'), table_name='staff_messages')
    op.drop_table('staff_messages')
    op.drop_index(op.f('annotations_message_id_idx'), table_name='annotations')
    op.drop_table('annotations')
    op.drop_index(op.f('take_overs_user_id_idx'), table_name='take_overs')
    op.drop_index('take_overs_open_idx', table_name='take_overs', postgresql_where=sa.text('ended_at IS NULL'))
    op.drop_table('take_overs')
    op.drop_index(op.f('staff_notes_case_id_idx'), table_name='staff_notes')
    op.drop_table('staff_notes')
    op.drop_index(op.f('inspections_sample_id_idx'), table_name='inspections')
    op.drop_index('inspections_case_idx', table_name='inspections')
    op.drop_table('inspections')
    op.drop_index(op.f('staff_sessions_user_id_idx'), table_name='staff_sessions')
    op.drop_table('staff_sessions')
    op.drop_table('inspection_samples')
    op.drop_index(op.f('login_attempts_name_at_idx'), table_name='login_attempts')
    op.drop_index(op.f('login_attempts_address_hash_at_idx'), table_name='login_attempts')
    op.drop_table('login_attempts')
    op.drop_index(op.f('audit_log_object_type_object_id_idx'), table_name='audit_log')
    op.drop_index(op.f('audit_log_at_idx'), table_name='audit_log')
    op.drop_table('audit_log')
    op.execute("DROP FUNCTION audit_log_only_grows")

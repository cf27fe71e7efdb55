"""Campaigns: definitions, draws, the ledger's entries, deliveries; consents, imports, keys of customer systems

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# One row an entry, with exactly one stage, derived here and nowhere else: that is why the sums of the ledger agree.
_LEDGER = """
CREATE VIEW campaign_ledger AS
SELECT entry.id, entry.campaign_id, entry.contact_id, entry.rule, entry.occurrence, entry.stratum, entry.draw_id, entry.reason,
    entry.due_at, entry.next_at, entry.not_after, entry.channel, entry.sent_at, entry.delivered_at, entry.case_id,
    talk.opened_at, talk.ended_at, talk.outcome, talk.outcome_reason,
    CASE
        WHEN entry.state = 'reserve' THEN 'not_drawn'
        WHEN entry.state IN ('suppressed', 'late', 'cancelled') THEN entry.state
        WHEN talk.outcome IS NOT NULL THEN talk.outcome
        WHEN talk.opened_at IS NOT NULL AND EXISTS (
            SELECT FROM messages WHERE messages.case_id = talk.id AND messages.direction = 'in'
        ) THEN 'answered'
        WHEN talk.opened_at IS NOT NULL THEN 'opened'
        WHEN entry.state IN ('waiting', 'queued') AND entry.sent_at IS NULL THEN entry.state
        WHEN entry.reason = 'unknown' THEN 'unknown'
        WHEN entry.delivered_at IS NOT NULL THEN 'delivered'
        WHEN entry.sent_at IS NOT NULL THEN 'sent'
        ELSE 'failed'
    END AS stage
FROM campaign_entries AS entry LEFT JOIN cases AS talk ON talk.id = entry.case_id
"""


def upgrade() -> None:
    op.create_table('api_keys',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('key_hash', sa.String(length=64), nullable=False),
        sa.Column('hint', sa.Text(), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('api_keys_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('api_keys_pkey')),
        sa.UniqueConstraint('key_hash', name=op.f('api_keys_key_hash_key'))
    )
    op.create_table('campaigns',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('script_id', sa.Text(), nullable=False),
        sa.Column('definition', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column('version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
        sa.Column('status', sa.Text(), server_default='draft', nullable=False),
        sa.Column('why', sa.Text(), server_default='', nullable=False),
        sa.Column('priority', sa.BigInteger(), server_default=sa.text('5'), nullable=False),
        sa.Column('seed', sa.BigInteger(), nullable=False),
        sa.Column('is_demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('planned_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'running', 'paused', 'cancelled', 'finished')", name='campaigns_status_check'),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('campaigns_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('campaigns_pkey'))
    )
    op.create_index('campaigns_running_idx', 'campaigns', ['priority', 'id'], unique=False, postgresql_where=sa.text("status = 'running'"))
    op.create_table('campaign_draws',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('campaign_id', sa.BigInteger(), nullable=False),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('seed', sa.BigInteger(), nullable=False),
        sa.Column('strata', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('campaign_draws_campaign_id_fkey'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('campaign_draws_pkey'))
    )
    op.create_index(op.f('campaign_draws_campaign_id_idx'), 'campaign_draws', ['campaign_id'], unique=False)
    op.create_table('imports',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('source', sa.Text(), nullable=False),
        sa.Column('file_name', sa.Text(), server_default='', nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('rows', sa.BigInteger(), nullable=False),
        sa.Column('created', sa.BigInteger(), nullable=False),
        sa.Column('updated', sa.BigInteger(), nullable=False),
        sa.Column('merged', sa.BigInteger(), nullable=False),
        sa.Column('bad', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column('bad_count', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
        sa.Column('groups', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=True),
        sa.Column('api_key_id', sa.BigInteger(), nullable=True),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['api_key_id'], ['api_keys.id'], name=op.f('imports_api_key_id_fkey')),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('imports_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('imports_pkey'))
    )
    op.create_index(op.f('imports_digest_idx'), 'imports', ['digest'], unique=False)
    op.create_table('campaign_entries',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('campaign_id', sa.BigInteger(), nullable=False),
        sa.Column('contact_id', sa.BigInteger(), nullable=False),
        sa.Column('rule', sa.Text(), nullable=False),
        sa.Column('occurrence', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
        sa.Column('version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
        sa.Column('stratum', sa.Text(), server_default='', nullable=False),
        sa.Column('lot', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
        sa.Column('draw_id', sa.BigInteger(), nullable=True),
        sa.Column('base_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('not_after', sa.DateTime(timezone=True), nullable=True),
        sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('state', sa.Text(), server_default='waiting', nullable=False),
        sa.Column('reason', sa.Text(), server_default='', nullable=False),
        sa.Column('channel', sa.Text(), server_default='', nullable=False),
        sa.Column('tries', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
        sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('case_id', sa.String(length=32), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('reserve', 'waiting', 'queued', 'sent', 'closed', 'suppressed', 'late', 'cancelled')", name='campaign_entries_state_check'),
        sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('campaign_entries_campaign_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('campaign_entries_case_id_fkey'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('campaign_entries_contact_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['draw_id'], ['campaign_draws.id'], name=op.f('campaign_entries_draw_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('campaign_entries_pkey')),
        sa.UniqueConstraint('case_id', name=op.f('campaign_entries_case_id_key'))
    )
    op.create_index(op.f('campaign_entries_contact_id_idx'), 'campaign_entries', ['contact_id'], unique=False)
    op.create_index('campaign_entries_due_idx', 'campaign_entries', ['campaign_id', 'next_at'], unique=False, postgresql_where=sa.text('next_at IS NOT NULL'))
    op.create_index('campaign_entries_reserve_idx', 'campaign_entries', ['campaign_id', 'stratum', 'lot'], unique=False, postgresql_where=sa.text("state = 'reserve'"))
    op.create_index('campaign_entries_sent_idx', 'campaign_entries', ['case_id'], unique=False, postgresql_where=sa.text("state = 'sent'"))
    op.create_index('campaign_entries_one_idx', 'campaign_entries', ['campaign_id', 'contact_id', 'rule', 'occurrence'], unique=True)
    op.create_index('campaign_entries_state_idx', 'campaign_entries', ['campaign_id', 'state', 'id'], unique=False)
    op.create_table('consents',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('contact_id', sa.BigInteger(), nullable=False),
        sa.Column('channel', sa.Text(), nullable=False),
        sa.Column('given', sa.Boolean(), nullable=False),
        sa.Column('source', sa.Text(), nullable=False),
        sa.Column('text_version', sa.Text(), server_default='', nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=True),
        sa.Column('import_id', sa.BigInteger(), nullable=True),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('consents_contact_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['import_id'], ['imports.id'], name=op.f('consents_import_id_fkey')),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('consents_user_id_fkey')),
        sa.PrimaryKeyConstraint('id', name=op.f('consents_pkey'))
    )
    op.create_index('consents_newest_idx', 'consents', ['contact_id', 'channel', sa.literal_column('id DESC')], unique=False)
    op.create_table('imported_contacts',
        sa.Column('import_id', sa.BigInteger(), nullable=False),
        sa.Column('contact_id', sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('imported_contacts_contact_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['import_id'], ['imports.id'], name=op.f('imported_contacts_import_id_fkey'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('import_id', 'contact_id', name=op.f('imported_contacts_pkey'))
    )
    op.create_index(op.f('imported_contacts_contact_id_idx'), 'imported_contacts', ['contact_id'], unique=False)
    op.create_table('deliveries',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('case_id', sa.String(length=32), nullable=False),
        sa.Column('contact_id', sa.BigInteger(), nullable=False),
        sa.Column('entry_id', sa.BigInteger(), nullable=True),
        sa.Column('callback_id', sa.BigInteger(), nullable=True),
        sa.Column('number', sa.BigInteger(), nullable=False),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('channel', sa.Text(), nullable=False),
        sa.Column('provider', sa.Text(), server_default='', nullable=False),
        sa.Column('provider_id', sa.Text(), nullable=True),
        sa.Column('status', sa.Text(), server_default='queued', nullable=False),
        sa.Column('error', sa.Text(), server_default='', nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('queued_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('sending_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('queued', 'sending', 'accepted', 'delivered', 'failed', 'unknown', 'suppressed')", name='deliveries_status_check'),
        sa.ForeignKeyConstraint(['callback_id'], ['callbacks.id'], name=op.f('deliveries_callback_id_fkey'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('deliveries_case_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('deliveries_contact_id_fkey'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['entry_id'], ['campaign_entries.id'], name=op.f('deliveries_entry_id_fkey'), ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name=op.f('deliveries_pkey'))
    )
    op.create_index(op.f('deliveries_callback_id_idx'), 'deliveries', ['callback_id'], unique=False)
    op.create_index('deliveries_cap_idx', 'deliveries', ['contact_id', 'day'], unique=False)
    op.create_index(op.f('deliveries_entry_id_idx'), 'deliveries', ['entry_id'], unique=False)
    op.create_index('deliveries_number_idx', 'deliveries', ['case_id', 'number'], unique=True)
    op.create_index('deliveries_open_idx', 'deliveries', ['status', 'queued_at'], unique=False, postgresql_where=sa.text("status IN ('queued', 'sending')"))
    op.create_index('deliveries_provider_idx', 'deliveries', ['provider', 'provider_id'], unique=False)
    op.add_column('contacts', sa.Column('email', sa.Text(), nullable=True))
    op.add_column('contacts', sa.Column('external_id', sa.Text(), nullable=True))
    op.add_column('contacts', sa.Column('groups', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False))
    op.add_column('contacts', sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False))
    op.create_index(op.f('contacts_email_idx'), 'contacts', ['email'], unique=False)
    op.create_index('contacts_external_id_idx', 'contacts', ['external_id'], unique=True)
    op.create_index('contacts_groups_idx', 'contacts', ['groups'], unique=False, postgresql_using='gin')
    op.execute(_LEDGER)


def downgrade() -> None:
    op.execute('DROP VIEW campaign_ledger')
    op.drop_index('contacts_groups_idx', table_name='contacts', postgresql_using='gin')
    op.drop_index('contacts_external_id_idx', table_name='contacts')
    op.drop_index(op.f('contacts_email_idx'), table_name='contacts')
    op.drop_column('contacts', 'updated_at')
    op.drop_column('contacts', 'groups')
    op.drop_column('contacts', 'external_id')
    op.drop_column('contacts', 'email')
    op.drop_index('deliveries_provider_idx', table_name='deliveries')
    op.drop_index('deliveries_open_idx', table_name='deliveries', postgresql_where=sa.text("status IN ('queued', 'sending')"))
    op.drop_index('deliveries_number_idx', table_name='deliveries')
    op.drop_index(op.f('deliveries_entry_id_idx'), table_name='deliveries')
    op.drop_index('deliveries_cap_idx', table_name='deliveries')
    op.drop_index(op.f('deliveries_callback_id_idx'), table_name='deliveries')
    op.drop_table('deliveries')
    op.drop_index(op.f('imported_contacts_contact_id_idx'), table_name='imported_contacts')
    op.drop_table('imported_contacts')
    op.drop_index('consents_newest_idx', table_name='consents')
    op.drop_table('consents')
    op.drop_index('campaign_entries_state_idx', table_name='campaign_entries')
    op.drop_index('campaign_entries_one_idx', table_name='campaign_entries')
    for name in ('sent', 'reserve', 'due'):
        op.drop_index(f'campaign_entries_{name}_idx', table_name='campaign_entries')
    op.drop_index(op.f('campaign_entries_contact_id_idx'), table_name='campaign_entries')
    op.drop_table('campaign_entries')
    op.drop_index(op.f('imports_digest_idx'), table_name='imports')
    op.drop_table('imports')
    op.drop_index(op.f('campaign_draws_campaign_id_idx'), table_name='campaign_draws')
    op.drop_table('campaign_draws')
    op.drop_index('campaigns_running_idx', table_name='campaigns', postgresql_where=sa.text("status = 'running'"))
    op.drop_table('campaigns')
    op.drop_table('api_keys')

"""Alembic's environment: runs inside the connection and the transaction of `followup.store.migrate`."""

from alembic import context

from followup.store import campaign_models, fact_models, staff_models, wechat_account_models, wechat_models, wechat_notice_models, wecom_account_models, wecom_models  # noqa: F401 - their tables belong to the metadata
from followup.store import dry_run_models, inbox_models, script_models, training_models  # noqa: F401
from followup.store.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()

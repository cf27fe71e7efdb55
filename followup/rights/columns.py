"""Every column that can hold text, decided: what erasing does about it. A test compares this with the schema.

Who adds a column decides here, and in `erase.py` when it can hold something about a customer.
"""

from __future__ import annotations

ERASED: dict[str, tuple[str, ...]] = {
    "contacts": ("name", "title", "phone", "fields", "email", "external_id", "groups"),
    "do_not_contact": ("phone", "email", "words", "reason", "lift_reason"),
    "cases": ("variables", "outcome_reason", "claimed_case_id"),
    "messages": ("text", "quick_replies", "error", "channel_message_id", "acts", "status"),
    "answers": ("value", "words"),
    "answer_corrections": ("before", "after", "reason"),
    "tickets": ("reason", "words", "solution", "data", "topic", "status"),
    "ticket_events": ("detail",),
    "callbacks": ("words", "reason", "status"),
    "inspections": ("comment",),
    "inspection_samples": ("filters",),
    "inspection_corrections": ("before", "after", "reason"),
    "deliveries": ("provider_id", "error", "status"),
    "imports": ("bad", "file_name", "groups"),
    "consents": ("channel", "source", "text_version"),
    "uploads": ("file_name", "digest", "choices", "checked", "todo", "stage", "error"),
    "api_requests": ("key", "digest", "answer"),
    "audit_log": ("detail",),
    "wechat_users": ("account", "openid", "unionid", "case_id", "sent", "tries"),
    "wechat_received": ("account", "key"),
    "wechat_invitations": ("case_id",),
    "wechat_reports": ("account", "number", "code", "template"),
    "wechat_subscriptions": ("template",),
    "wecom_users": ("account", "open_kfid", "external_userid", "unionid", "case_id", "sent", "welcome_code", "tries"),
    "wecom_received": ("account", "key"),
    "wecom_sent": ("account", "msgid", "rows"),
    "wechat_logins": ("nonce", "account", "case_id"),
    "notes": ("case_id", "kind", "topic", "text"),
    "staff_notes": ("case_id", "text"),
    "annotations": ("intent", "comment", "status"),
    "training_decisions": ("decision", "intent", "comment"),
    "access_tokens": ("case_id", "token_hash", "purpose"),
    "events": ("sender_id", "type_name", "intent_name", "action_name", "data"),
    "talk_facts": ("answers",),
    "procrastinate_jobs": ("queue_name", "task_name", "lock", "queueing_lock", "args"),
}
"""Emptied, or gone with the row."""

KEPT: dict[str, tuple[str, ...]] = {
    "do_not_contact": ("phone_digest", "email_digest", "other_digests", "source"),
    "cases": ("id", "script_id", "status", "outcome", "side"),
    "attempts": ("case_id", "channel", "reason", "outcome"),
    "messages": ("case_id", "direction", "channel", "intent"),
    "answers": ("case_id", "question_id", "how"),
    "tickets": ("case_id", "kind", "department", "revisit_case_id"),
    "ticket_events": ("kind",),
    "callbacks": ("case_id",),
    "inspections": ("case_id", "scores", "sheet"),
    "deliveries": ("case_id", "kind", "channel", "provider"),
    "campaign_entries": ("rule", "stratum", "state", "reason", "channel", "case_id"),
    "imports": ("source", "digest"),
    "take_overs": ("case_id", "how_ended"),
    "staff_messages": ("forbidden",),
    "talk_facts": (
        "case_id", "script_id", "outcome", "why", "stopped", "length_step", "wait_step", "reply_step", "said_step", "aspects",
    ),
    "dirty_talks": ("case_id",),
    # Examples: what could be somebody's is masked before a sentence is kept here; what is not handed in goes with the customer.
    "example_changes": ("kind", "text", "intent", "new_text", "new_intent", "state", "commit"),
    "word_marks": ("words", "meaning", "script_id", "state", "commit"),
    "audit_log": ("user_name", "role", "action", "object_type", "object_id"),
}
"""Ids and codes that say nothing about anybody."""

NOT_ABOUT_CUSTOMERS = frozenset(
    {
        "users", "staff_sessions", "login_attempts", "script_revisions", "digest_key", "fact_state", "alembic_version",
        "api_keys", "rate_buckets", "campaigns", "campaign_draws", "procrastinate_events", "procrastinate_workers", "procrastinate_periodic_defers", "wechat_tokens",
        "wechat_accounts", "wechat_menus", "delivery_checks",
        "wecom_cursors", "wecom_accounts", "dry_runs",
        "model_versions", "model_deployments", "model_servers",
        "script_drafts", "published_scripts", "script_comparisons",
    }
)  # fmt: skip

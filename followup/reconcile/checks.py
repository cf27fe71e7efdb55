"""What must hold over the records, as queries for what breaks it: columns `id` and `case_id`, no row when all is well.

`:at` is the product's present time, `:grace` how long something may wait before it counts as left behind. Talks that were erased
(decision 0009) keep no words and no events, so what is compared with those passes over them.
"""

from __future__ import annotations

from dataclasses import dataclass

from followup.campaigns.ledger import STAGES
from followup.campaigns.results import STALE as SENDER_GIVES_UP
from followup.channels.wechat.outbox import STALE as OUTBOX_GIVES_UP
from followup.channels.wechat.queue import SEND_TASK as SEND_WECHAT
from followup.channels.wecom.queue import SEND_TASK as SEND_WECOM
from followup.channels.wecom.receive import RECALLED
from followup.store.campaign_models import DELIVERY_STATES
from followup.store.messages import TO_A_COLLEAGUE
from followup.talk.inbox import SYSTEM_CHANNEL, TURN_TASK

COUNTED = (
    "contacts", "cases", "messages", "events", "answers", "tickets", "callbacks", "notes", "attempts", "do_not_contact", "campaigns",
    "campaign_entries", "deliveries",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """`key`: its words in words.yml."""

    key: str
    sql: str


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _job(task: str, case: str) -> str:
    """A job for the talk waits, or a worker that lives is at it. procrastinate counts a worker that was silent for 30 s as dead."""
    return f"""EXISTS (
        SELECT FROM procrastinate_jobs AS job LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
        WHERE job.task_name = '{task}' AND job.args ->> 'case_id' = {case}
          AND (job.status = 'todo' OR job.status = 'doing' AND worker.last_heartbeat > now() - interval '30 seconds')
    )"""


_TALKS = "JOIN cases AS talk ON talk.id = message.case_id AND talk.erased_at IS NULL"
_TURN = "EXISTS (SELECT FROM events WHERE events.sender_id = message.case_id AND events.message_id = message.id)"
# By the talk as well, where an index leads to.
_REPLY = "EXISTS (SELECT FROM messages AS reply WHERE reply.case_id = message.case_id AND reply.direction = 'out' AND reply.in_reply_to = message.id)"
# Heard and answered in one transaction, without a turn: a picture, a menu's click that opens a talk (wechat.receive).
_AT_ONCE = "(message.channel LIKE 'wechat%' OR message.channel LIKE 'wecom%') AND message.handled_at = message.created_at"

_INBOX = (
    Check(
        "waits_without_job",
        f"""
        SELECT message.id, message.case_id FROM messages AS message
        WHERE message.status = 'received' AND message.created_at <= CAST(:at AS timestamptz) - CAST(:grace AS interval)
          AND NOT {_job(TURN_TASK, "message.case_id")}
        """,
    ),
    Check(
        "no_such_state",
        """
        SELECT id, case_id FROM messages
        WHERE NOT coalesce(CASE direction WHEN 'out' THEN status IN ('queued', 'sending', 'sent', 'failed', 'unknown')
            WHEN 'in' THEN status IN ('received', 'handled', 'failed') WHEN 'system' THEN status IN ('received', 'handled', 'failed') END, false)
        """,
    ),
    Check(
        "handled_without_reply",
        f"""
        SELECT message.id, message.case_id FROM messages AS message {_TALKS}
        WHERE message.direction = 'in' AND message.status = 'handled' AND message.error IS NULL AND NOT {_REPLY}
          AND NOT ({_AT_ONCE} AND EXISTS (
            SELECT FROM messages AS later WHERE later.case_id = message.case_id
              AND (later.id > message.id AND later.direction = 'out' OR later.status IN ('received', 'queued'))))
        """,
    ),
    Check(
        "handled_without_turn",
        f"""
        SELECT message.id, message.case_id FROM messages AS message {_TALKS}
        WHERE message.direction IN ('in', 'system') AND message.status = 'handled' AND message.error IS NULL AND NOT {_TURN}
          AND NOT ({_AT_ONCE})
        """,
    ),
    Check(
        "put_aside_without_reason",
        f"""
        SELECT message.id, message.case_id FROM messages AS message {_TALKS}
        LEFT JOIN (SELECT case_id, min(begun_at) AS begun_at FROM take_overs GROUP BY case_id) AS taken ON taken.case_id = message.case_id
        WHERE message.direction = 'in' AND message.status = 'handled' AND message.error IS NOT NULL AND NOT (
            message.error = '{RECALLED}' OR message.error = '{TO_A_COLLEAGUE}'
            AND (message.channel LIKE 'wecom%' OR coalesce(taken.begun_at <= message.handled_at, false)))
        """,
    ),
    Check(
        "failed_unseen",
        f"""
        SELECT message.id, message.case_id FROM messages AS message {_TALKS}
        WHERE message.direction IN ('in', 'system') AND message.status = 'failed' AND NOT (
            EXISTS (SELECT FROM notes WHERE notes.message_id = message.id AND notes.kind = 'unanswered')
            AND (message.direction = 'system' OR {_REPLY}))
        """,
    ),
)

# Message ids rise in the order of the turns, so the greatest so far is the turn an event belongs to.
_SAID = """
    SELECT sender_id, turn, count(*) FILTER (WHERE type_name = 'bot' AND data ~ '"text": "[^"]') AS lines
    FROM (SELECT sender_id, type_name, data, max(message_id) OVER (PARTITION BY sender_id ORDER BY id) AS turn FROM events) AS of_turns
    WHERE turn IS NOT NULL GROUP BY sender_id, turn
"""
_WRITTEN_DOWN = """
    SELECT in_reply_to AS message_id, count(*) AS lines FROM messages
    WHERE direction = 'out' AND channel_message_id LIKE in_reply_to || '-%' GROUP BY in_reply_to
"""
_OUTBOX = (
    Check("line_of_no_talk", "SELECT message.id, message.case_id FROM messages AS message LEFT JOIN cases ON cases.id = message.case_id WHERE cases.id IS NULL"),
    Check(
        "reply_to_nothing",
        """
        SELECT reply.id, reply.case_id FROM messages AS reply LEFT JOIN messages AS message ON message.id = reply.in_reply_to
        WHERE reply.direction = 'out' AND (reply.in_reply_to IS NOT NULL AND (message.id IS NULL OR message.case_id <> reply.case_id)
            OR reply.channel_message_id ~ '^[0-9]+-[0-9]+$' AND (reply.in_reply_to IS NULL OR message.status = 'received'
                OR reply.channel_message_id NOT LIKE reply.in_reply_to || '-%'))
        """,
    ),
    Check(
        "replied_twice",
        """
        SELECT max(id) AS id, case_id FROM messages WHERE direction = 'out' GROUP BY case_id, channel_message_id HAVING count(*) > 1
        """,
    ),
    Check(
        "not_what_was_said",
        f"""
        SELECT message.id, message.case_id FROM messages AS message {_TALKS}
        JOIN ({_SAID}) AS said ON said.sender_id = message.case_id AND said.turn = message.id
        LEFT JOIN ({_WRITTEN_DOWN}) AS written ON written.message_id = message.id
        WHERE message.status = 'handled' AND message.error IS NULL AND said.lines <> coalesce(written.lines, 0)
        """,
    ),
    Check(
        "turn_of_no_message",
        """
        SELECT events.id, events.sender_id AS case_id FROM events LEFT JOIN messages ON messages.id = events.message_id
        WHERE events.message_id IS NOT NULL AND (messages.id IS NULL OR messages.case_id <> events.sender_id)
        """,
    ),
    Check(
        "line_being_sent_for_ever",
        f"""
        SELECT id, case_id FROM messages WHERE direction = 'out' AND status = 'sending'
          AND handled_at <= CAST(:at AS timestamptz) - CAST(:grace AS interval) - interval '{OUTBOX_GIVES_UP.total_seconds():.0f} seconds'
        """,
    ),
    Check(
        "line_without_job",
        f"""
        SELECT message.id, message.case_id FROM messages AS message
        WHERE message.direction = 'out' AND message.status = 'queued' AND message.error IS NULL
          AND (message.channel LIKE 'wechat%' OR message.channel LIKE 'wecom%')
          AND message.created_at <= CAST(:at AS timestamptz) - CAST(:grace AS interval)
          AND NOT {_job(SEND_WECHAT, "message.case_id")} AND NOT {_job(SEND_WECOM, "message.case_id")}
        """,
    ),
)

_WRITTEN = ("answers", "tickets", "callbacks", "notes")
_EFFECTS = (
    Check(
        "answer_twice",
        """
        SELECT max(id) AS id, case_id FROM answers GROUP BY case_id, question_id, message_id HAVING count(*) > 1
        UNION SELECT max(id), case_id FROM answers WHERE NOT superseded GROUP BY case_id, question_id HAVING count(*) > 1
        """,
    ),
    Check(
        "ticket_twice",
        """
        SELECT max(id) AS id, case_id FROM tickets GROUP BY case_id, topic HAVING count(*) > 1
        UNION SELECT ticket.id, ticket.case_id FROM tickets AS ticket JOIN cases ON cases.id = ticket.case_id AND cases.erased_at IS NULL,
            jsonb_array_elements(ticket.words) AS word
        GROUP BY ticket.id, ticket.case_id, word HAVING count(*) > 1
        UNION SELECT max(ticket.id), ticket.case_id FROM ticket_events AS event JOIN tickets AS ticket ON ticket.id = event.ticket_id
        WHERE event.kind IN ('raised_again', 'withdrawn') AND event.detail ->> 'message_id' IS NOT NULL
        GROUP BY ticket.case_id, ticket.topic, event.kind, event.detail ->> 'message_id' HAVING count(*) > 1
        """,
    ),
    Check(
        "note_twice",
        "SELECT max(id) AS id, case_id FROM notes GROUP BY case_id, kind, topic, message_id HAVING count(*) > 1",
    ),
    Check(
        "callback_twice",
        """
        SELECT max(id) AS id, case_id FROM callbacks GROUP BY case_id, message_id HAVING count(*) > 1
        UNION SELECT max(id), case_id FROM callbacks WHERE status IN ('booked', 'due') GROUP BY case_id HAVING count(*) > 1
        """,
    ),
    Check(
        "of_another_talk",
        " UNION ".join(
            f"SELECT written.id, written.case_id FROM {table} AS written LEFT JOIN messages ON messages.id = written.message_id"
            " WHERE written.message_id IS NOT NULL AND (messages.id IS NULL OR messages.case_id <> written.case_id)"
            for table in _WRITTEN
        ),
    ),
    Check(
        "attempts_do_not_count_up",
        """
        SELECT case_id AS id, case_id FROM attempts GROUP BY case_id
        HAVING max(number) <> count(*) OR min(number) <> 1 OR count(*) FILTER (WHERE ended_at IS NULL) > 1
        """,
    ),
    Check(
        "end_does_not_fit",
        """
        SELECT id, id AS case_id FROM cases WHERE erased_at IS NULL AND NOT coalesce(CASE status
            WHEN 'new' THEN outcome IS NULL WHEN 'open' THEN outcome IS NULL
            WHEN 'waiting' THEN outcome IS NOT NULL WHEN 'closed' THEN outcome IS NOT NULL AND ended_at IS NOT NULL END, false)
        """,
    ),
    Check(
        "script_does_not_fit",
        """
        SELECT talk.id, talk.id AS case_id FROM cases AS talk LEFT JOIN script_revisions AS revision ON revision.id = talk.revision_id
        WHERE revision.id IS NULL OR revision.script_id <> talk.script_id
        """,
    ),
)

# When each customer was not to be contacted any more. One who said so was heard when that turn was written down, not when the
# message came in; five seconds are for what another process had already in hand.
_STOPS = """
    SELECT contact.id AS contact_id, stop.lifted_at,
        CASE WHEN stop.message_id IS NULL THEN stop.at ELSE coalesce(heard.handled_at, 'infinity') END + interval '5 seconds' AS since
    FROM do_not_contact AS stop LEFT JOIN messages AS heard ON heard.id = stop.message_id
    JOIN contacts AS contact ON stop.contact_id = contact.id
    WHERE stop.source <> 'erased'
    UNION ALL SELECT contact.id, stop.lifted_at,
        CASE WHEN stop.message_id IS NULL THEN stop.at ELSE coalesce(heard.handled_at, 'infinity') END + interval '5 seconds'
    FROM do_not_contact AS stop LEFT JOIN messages AS heard ON heard.id = stop.message_id
    JOIN contacts AS contact ON stop.phone <> '' AND stop.phone = contact.phone
    WHERE stop.source <> 'erased'
    UNION ALL SELECT contact.id, stop.lifted_at,
        CASE WHEN stop.message_id IS NULL THEN stop.at ELSE coalesce(heard.handled_at, 'infinity') END + interval '5 seconds'
    FROM do_not_contact AS stop LEFT JOIN messages AS heard ON heard.id = stop.message_id
    JOIN contacts AS contact ON stop.email <> '' AND stop.email = contact.email
    WHERE stop.source <> 'erased'
"""
_OPT_OUT = (
    Check(
        "invited_after_opt_out",
        f"""
        SELECT DISTINCT delivery.id, delivery.case_id FROM deliveries AS delivery JOIN ({_STOPS}) AS stop USING (contact_id)
        WHERE delivery.status IN ('sending', 'accepted', 'delivered', 'unknown') AND delivery.sending_at > stop.since
          AND (stop.lifted_at IS NULL OR delivery.sending_at < stop.lifted_at)
        """,
    ),
    Check(
        "spoken_to_after_opt_out",
        f"""
        SELECT DISTINCT line.id, line.case_id FROM messages AS line JOIN messages AS began ON began.id = line.in_reply_to
        JOIN cases AS talk ON talk.id = line.case_id JOIN ({_STOPS}) AS stop ON stop.contact_id = talk.contact_id
        WHERE line.direction = 'out' AND line.status <> 'failed' AND began.direction = 'system' AND began.channel = '{SYSTEM_CHANNEL}'
          AND began.channel_message_id NOT LIKE 'colleague-%' AND line.created_at > stop.since
          AND (stop.lifted_at IS NULL OR line.created_at < stop.lifted_at)
        """,
    ),
)

_CAMPAIGNS = (
    Check(
        "delivery_without_end",
        f"""
        SELECT delivery.id, delivery.case_id FROM deliveries AS delivery JOIN cases AS talk ON talk.id = delivery.case_id AND talk.erased_at IS NULL
        WHERE delivery.status NOT IN ({_listed(DELIVERY_STATES)})
           OR delivery.status IN ('accepted', 'delivered', 'failed', 'unknown', 'suppressed') AND delivery.done_at IS NULL
           OR delivery.status = 'delivered' AND delivery.delivered_at IS NULL
           OR delivery.status IN ('sending', 'accepted', 'delivered') AND delivery.sending_at IS NULL
           OR delivery.status IN ('queued', 'sending') AND delivery.done_at IS NOT NULL
        """,
    ),
    Check(
        "delivery_being_sent_for_ever",
        f"""
        SELECT id, case_id FROM deliveries WHERE status = 'sending'
          AND sending_at <= CAST(:at AS timestamptz) - CAST(:grace AS interval) - interval '{SENDER_GIVES_UP.total_seconds():.0f} seconds'
        """,
    ),
    Check("deliveries_do_not_count_up", "SELECT max(id) AS id, case_id FROM deliveries GROUP BY case_id HAVING max(number) <> count(*) OR min(number) <> 1"),
    Check(
        "delivery_to_another",
        """
        SELECT delivery.id, delivery.case_id FROM deliveries AS delivery LEFT JOIN cases AS talk ON talk.id = delivery.case_id
        LEFT JOIN campaign_entries AS entry ON entry.id = delivery.entry_id
        WHERE talk.id IS NULL OR talk.contact_id <> delivery.contact_id
           OR entry.id IS NOT NULL AND (entry.contact_id <> delivery.contact_id OR entry.case_id <> delivery.case_id)
        """,
    ),
    Check(
        "entry_without_its_delivery",
        """
        SELECT entry.id, entry.case_id FROM campaign_entries AS entry
        WHERE entry.state = 'queued' AND 1 <> (SELECT count(*) FROM deliveries WHERE entry_id = entry.id AND status IN ('queued', 'sending'))
        """,
    ),
    Check(
        "delivery_without_its_entry",
        """
        SELECT delivery.id, delivery.case_id FROM deliveries AS delivery JOIN campaign_entries AS entry ON entry.id = delivery.entry_id
        JOIN contacts AS contact ON contact.id = entry.contact_id AND contact.erased_at IS NULL
        WHERE delivery.status IN ('queued', 'sending') AND entry.state NOT IN ('queued', 'closed', 'cancelled')
        """,
    ),
    Check(
        "sent_and_not_in_the_ledger",
        """
        SELECT entry.id, entry.case_id FROM campaign_entries AS entry
        WHERE entry.sent_at IS NULL AND EXISTS (SELECT FROM deliveries WHERE entry_id = entry.id AND status IN ('accepted', 'delivered'))
           OR entry.sent_at IS NOT NULL AND NOT EXISTS (SELECT FROM deliveries WHERE entry_id = entry.id AND sending_at IS NOT NULL)
        """,
    ),
    Check(
        "entry_forgotten",
        """
        SELECT entry.id, entry.case_id FROM campaign_entries AS entry JOIN campaigns AS campaign ON campaign.id = entry.campaign_id
        WHERE campaign.status = 'running' AND entry.state = 'waiting' AND entry.next_at IS NULL AND entry.version = campaign.version
        """,
    ),
    Check(
        "sums_do_not_agree",
        f"""
        SELECT campaign.id, NULL AS case_id FROM campaigns AS campaign
        LEFT JOIN (SELECT campaign_id, count(*) AS entries FROM campaign_entries GROUP BY campaign_id) AS entry ON entry.campaign_id = campaign.id
        LEFT JOIN (
            SELECT campaign_id, sum(entries) AS entries FROM (
                SELECT campaign_id, stage, count(*) AS entries FROM campaign_ledger GROUP BY campaign_id, stage
            ) AS stages WHERE stage IN ({_listed(STAGES)}) GROUP BY campaign_id
        ) AS ledger ON ledger.campaign_id = campaign.id
        WHERE coalesce(entry.entries, 0) <> coalesce(ledger.entries, 0)
        """,
    ),
)

CHECKS = (*_INBOX, *_OUTBOX, *_EFFECTS, *_OPT_OUT, *_CAMPAIGNS)

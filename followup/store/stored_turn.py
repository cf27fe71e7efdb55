"""What Rasa's own events say about one turn. Pure: events are Rasa's JSON objects.

A turn is a user event and everything after it up to the next message's user event. It is answered from here whether the
turn ran just now or before a kill, so that both ways give the same replies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """One thing the bot says, with the labels the customer may tap."""

    text: str
    quick_replies: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Understanding:
    """How the customer's words were read."""

    intent: str | None
    confidence: float | None
    acts: list[dict[str, Any]] | None


def is_finished(events: Sequence[Event]) -> bool:
    """Whether the turn came to its end: Rasa listens again."""
    return any(event.get("event") == "action" and event.get("name") == "action_listen" for event in events[1:])


def replies_of(events: Sequence[Event]) -> list[Reply]:
    """What the bot said, in order."""
    return [
        Reply(event["text"], _labels(event.get("data") or {}))
        for event in events
        if event.get("event") == "bot" and event.get("text")
    ]


def understanding_of(events: Sequence[Event]) -> Understanding:
    """How the turn's user event was parsed."""
    parsed = events[0].get("parse_data") or {}
    intent = parsed.get("intent") or {}
    return Understanding(intent.get("name"), intent.get("confidence"), parsed.get("acts"))


def message_id_of(event: Event) -> int | None:
    """The message a user event belongs to; None for other events and for users without one (`rasa shell`)."""
    if event.get("event") != "user":
        return None
    message_id = (event.get("metadata") or {}).get("message_id")
    return message_id if isinstance(message_id, int) else None


def needs_reply(user_event: Event) -> bool:
    """Whether the turn must say something: a customer wrote. A trigger may end in silence."""
    return (user_event.get("metadata") or {}).get("direction") == "in"


def fault_of(events: Sequence[Event]) -> str | None:
    """Why the events of a turn, beginning with its user event, must not count as one; None when they may."""
    if not is_finished(events):
        return "the turn did not come to its end"
    if needs_reply(events[0]) and not replies_of(events):
        return "nothing was said to the customer"
    return None


def _labels(data: Mapping[str, Any]) -> list[str]:
    buttons = data.get("buttons") or data.get("quick_replies") or []
    return [button["title"] for button in buttons if isinstance(button, Mapping) and button.get("title")]

"""Make Rasa give a turn up where it would go on with half of it.

Rasa catches every `Exception`: a tracker that cannot be loaded makes the customer look new, one that cannot be saved is
kept in memory only, and an action that fails is skipped together with the answers it took. `TurnAbandoned` is a
cancellation, which is no `Exception`: it passes all of that, up to the REST channel, which answers `200 []`. The turn
is then found not to be stored, and is asked again from the state before it (followup.talk.turn).
"""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any

from rasa.core.actions.action import ActionExecutionRejection, RemoteAction

_log = logging.getLogger(__name__)


class TurnAbandoned(asyncio.CancelledError):
    """This turn must leave no trace."""


def abandon(reason: str, error: BaseException | None = None) -> TurnAbandoned:
    """Log why, and return what to raise. The log names no customer's words."""
    _log.error("turn abandoned: %s (%s)", reason, type(error).__name__ if error else "no exception")
    return TurnAbandoned(reason)


def install() -> None:
    """Let a failed action abandon its turn. Changes Rasa's RemoteAction in place; a second call does nothing.

    Rasa 3.6 has no hook for it: MessageProcessor._run_action catches what an action raises.
    """
    if getattr(RemoteAction.run, "fails_closed", False):
        return
    original = RemoteAction.run

    @functools.wraps(original)
    async def run(self: RemoteAction, *args: Any, **kwargs: Any) -> Any:
        try:
            return await original(self, *args, **kwargs)
        except ActionExecutionRejection:
            raise  # not a failure: the form gives the turn to another rule
        except Exception as error:
            raise abandon(f"action {self.name()} failed", error) from error

    run.fails_closed = True  # type: ignore[attr-defined]
    RemoteAction.run = run

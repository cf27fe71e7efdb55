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


def abandon(reason: str, error: BaseException) -> TurnAbandoned:
    """Log why, and return what to raise. `reason` holds no customer's words; of the error only its kind is logged."""
    _log.error("turn abandoned: %s (%s)", reason, kind_of(error))
    return TurnAbandoned(reason)


def kind_of(error: BaseException) -> str:
    """The types of an error and of what caused it, with PostgreSQL's or HTTP's code: none of them holds anybody's words."""
    kinds = []
    link: BaseException | None = error
    while link is not None:
        code = getattr(link, "sqlstate", None) or getattr(link, "status", None)
        kinds.append(f"{type(link).__name__} {code}" if code else type(link).__name__)
        link = link.__cause__ or link.__context__
    return " from ".join(kinds)


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

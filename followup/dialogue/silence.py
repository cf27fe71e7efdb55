"""A customer who does not reply: asked once whether they are there, then left in peace."""

from __future__ import annotations

from followup.dialogue.effects import BookCallback, Outcome
from followup.dialogue.turn import Turn


def fall_silent(turn: Turn) -> None:
    """First time: a friendly word, nothing asked. Second time: the talk is put down, to be taken up any time."""
    state = turn.state
    if state.count("silence") == 1:
        turn.lead("silence.first")
        state.quiet = True
        return
    state.resume_at = state.resume_at or state.open
    state.callback_reason, state.callback_at = "silence", ""  # an appointment that stood has been kept, or missed
    if not turn.script.customer_led:  # who came to us is not called after
        turn.effects.append(BookCallback(None, "silence", ""))
    outcome = Outcome.ENDED_EARLY if state.order or state.values.get("served") else Outcome.UNREACHABLE
    turn.end(outcome, "silence", turn.wording.say("silence.last"))

"""A talk held in this process: the real understanding and the real dialogue, without Rasa, actions and database.

What data/rules.yml and actions/talk.py do between the two is done here in a few lines; that it is the same is shown by
the talks that are held both ways (tests/e2e/test_talks.py). A candidate model is proved with it before it may go live.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from followup import clock
from followup.dialogue.after import after, resume
from followup.dialogue.effects import Effect, Outcome
from followup.dialogue.finish import close
from followup.dialogue.hear import hear
from followup.dialogue.interrupt import respond
from followup.dialogue.items import Said, ask, first_item
from followup.dialogue.reply import Act, Reply
from followup.dialogue.silence import fall_silent
from followup.dialogue.state import TalkState
from followup.dialogue.turn import Turn, Verdict
from followup.nlu.model import IntentModel
from followup.nlu.understanding import read_reply
from followup.scripts.load import load_script
from followup.scripts.model import Script
from followup.store.records import TranscriptLine
from followup.talk.inbox import Trigger
from followup.talk.trial import CUSTOMER, TITLE, TrialResult
from followup.talk.wording import clean_text, for_rasa
from followup.training.notebook import Notebook
from followup.training.talk_file import DialogueFile, TalkFailed, hold, set_now

CASE_ID = "0" * 32
NOT_TAKEN_UP = (Outcome.COMPLETED, Outcome.DO_NOT_CONTACT)
script_of = lru_cache(maxsize=None)(load_script)


@dataclass(frozen=True)
class Step:
    """One turn, as somebody sees it who keeps count of the ways that talks take."""

    script: Script
    before: TalkState | None
    """None for the opening."""
    after: TalkState
    reply: Reply | None
    """None for what nobody said: opening, silence, resuming."""
    verdict: Verdict | None
    """What the reply was to the open item; None after the talk and for what nobody said."""
    effects: tuple[Effect, ...]


class InProcessTrial:
    """`followup.talk.trial.Trial` with everything in this process."""

    def __init__(
        self,
        script: Script,
        variables: Mapping[str, Any],
        model: IntentModel,
        seen: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self._model = model
        self._script = script
        self._seen = seen
        self._book = Notebook()
        self._messages = 0
        # As actions/talk.py begins: the case's variables, with the contact's name and title.
        given = {**script.demo_variables(), "customer": CUSTOMER, "title": TITLE, **variables}
        self._state = TalkState(CASE_ID, script.id, given, open=first_item(script))

    async def start(self) -> list[TranscriptLine]:
        self._messages += 1
        self._book.reopen()
        self._state.now = clock.now().isoformat()
        return self._report(None, None, None, [], self._ask())

    async def trigger(self, trigger: Trigger, key: str = "") -> list[TranscriptLine]:
        self._messages += 1
        if trigger is Trigger.SILENCE:
            return self._silence()
        self._book.reopen()
        if self._book.blocked or self._state.outcome in NOT_TAKEN_UP:
            return []
        before, now = self._begin()
        resume(self._script, self._state)
        return self._report(before, None, None, [], self._ask())

    async def say(self, text: str) -> list[TranscriptLine]:
        self._messages += 1
        before, now = self._begin()
        cleaned = clean_text(text)
        reading = read_reply(for_rasa(cleaned), self._model)
        leading = reading.leading
        acts = tuple(Act(act.intent, act.confidence, act.text) for act in reading.acts)
        reply = Reply(for_rasa(cleaned).strip(), leading.intent, leading.confidence, acts, now, self._messages)
        heard = [asdict(act) for act in acts]
        self._line("in", cleaned, leading.intent.split("/")[0], leading.confidence, heard)
        turn = Turn(self._script, self._state, reply)
        if self._state.over:
            return self._after(before, turn)
        verdict = hear(turn)
        if verdict is Verdict.INTERRUPTED:
            respond(turn)
        said = self._close(turn) if self._state.over else self._ask()
        return self._report(before, reply, verdict, turn.effects, said)

    async def result(self) -> TrialResult:
        return self._book.result()

    def _silence(self) -> list[TranscriptLine]:
        if self._book.status != "open":
            return []
        before, now = self._begin()
        turn = Turn(self._script, self._state, Reply(f"/{Trigger.SILENCE}", "silence", 1.0, (), now, self._messages))
        fall_silent(turn)
        said = self._close(turn) if self._state.over else self._ask()
        return self._report(before, None, None, turn.effects, said)

    def _after(self, before: TalkState, turn: Turn) -> list[TranscriptLine]:
        if after(turn):
            resume(self._script, self._state, agreed=True)
            said = self._ask()
        else:
            said, self._state.lead = Said("".join(self._state.lead)), []
        return self._report(before, turn.reply, None, turn.effects, said)

    def _begin(self) -> tuple[TalkState, Any]:
        """The state as the tracker's slot gives it back, and a copy of it."""
        now = clock.now()
        slot = json.dumps(self._state.to_slot(), ensure_ascii=False)
        self._state = TalkState.from_slot(json.loads(slot))
        self._state.now = now.isoformat()
        return TalkState.from_slot(json.loads(slot)), now

    def _ask(self) -> Said:
        return ask(self._script, self._state)

    def _close(self, turn: Turn) -> Said:
        return Said(close(self._script, self._state, turn.reply.at))

    def _report(
        self,
        before: TalkState | None,
        reply: Reply | None,
        verdict: Verdict | None,
        effects: list[Effect],
        said: Said,
    ) -> list[TranscriptLine]:
        self._book.apply(self._messages, effects, clock.now())
        spoken = [self._line("out", text) for text in said.messages]
        self._seen(Step(self._script, before, self._state, reply, verdict, tuple(effects)))
        return spoken

    def _line(
        self, direction: str, text: str, intent: str | None = None, confidence: float | None = None, acts: Any = ()
    ) -> TranscriptLine:
        line = TranscriptLine(
            message_id=len(self._book.lines) + 1,
            direction=direction,
            text=text,
            at=clock.now(),
            intent=intent,
            confidence=confidence,
            acts=list(acts),
            quick_replies=[],
            status="handled",
        )
        self._book.lines.append(line)
        return line


def talk_files(folder: Path) -> list[Path]:
    """All talks below `folder`, in a stable order."""
    return sorted(folder.rglob("*.yml"))


def replay(path: Path, model: IntentModel) -> str | None:
    """Hold the talk of a file with this model. Returns what went otherwise than written down, with the transcript."""
    # In a context of its own, so that the talk's clock stands only there.
    return contextvars.copy_context().run(lambda: asyncio.run(_replay(path, model)))


async def _replay(path: Path, model: IntentModel) -> str | None:
    try:
        file = DialogueFile.load(path)
        # `voice` chooses among the wordings of a sentence, so that a talk is worded the same in every run.
        variables = {"voice": path.stem, **file.raw.get("variables", {})}
        await hold(file, InProcessTrial(script_of(file.raw["script"]), variables, model), set_now)
    except TalkFailed as failure:
        return str(failure)
    except Exception as error:  # whatever the dialogue stumbled over is this talk's failure, not the training's
        return f"{path.stem}\n{error!r}"
    return None

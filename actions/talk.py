"""The actions of a talk: open, hear, respond, close, resume, after.

Each of them asks what is to be asked next by itself. The form has nothing of its own to ask with (no `action_ask_answer`): a turn
would cost another call from Rasa to this process.
"""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecutionRejected, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.context import Meta, callback_at, case_of, remember_script, talk, turn_of, utter, write
from followup.dialogue.after import after, resume
from followup.dialogue.effects import Outcome
from followup.dialogue.finish import close
from followup.dialogue.handed_back import How, part, take_back
from followup.dialogue.hear import hear
from followup.dialogue.interrupt import respond
from followup.dialogue.items import Said, ask, first_item
from followup.dialogue.silence import fall_silent
from followup.dialogue.state import TalkState
from followup.dialogue.turn import Turn, Verdict
from followup.scripts.model import Script
from followup.store.records import CaseView

FORM = "followup_form"
TRIGGERS = ("start_followup", "resume_followup", "silence")
Events = list[EventType]


def ask_next(dispatcher: CollectingDispatcher, script: Script, state: TalkState, **slots: None) -> Events:
    """Ask the open question; the rules open the form, or leave it open, for the reply."""
    utter(dispatcher, ask(script, state))
    return talk(state, talk_over=False, **slots)


def unless_over(dispatcher: CollectingDispatcher, turn: Turn) -> Events:
    """The same, unless the talk has reached its outcome: then the rules close it."""
    return talk(turn.state, talk_over=True) if turn.state.over else ask_next(dispatcher, turn.script, turn.state)


class StartFollowup(Action):
    """Open the talk: who we are, that it is a machine, why, and is it convenient?

    It must not touch the slot `answer`: the form would take that for something the customer said.
    """

    def name(self) -> str:
        return "action_start_followup"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict) -> Events:
        case = await case_of(Meta.of(tracker))
        script = remember_script(case)
        variables = {**case.variables, "customer": case.contact_name, "title": case.contact_title}
        now = Meta.of(tracker).received_at.isoformat()
        state = TalkState(case.case_id, script.id, variables, open=first_item(script), now=now)
        if case.do_not_contact and not script.customer_led:
            state.outcome = Outcome.DO_NOT_CONTACT
            utter(dispatcher, Said(Turn(script, state, None).wording.say("after.do_not_contact")))
        if state.over:
            return talk(state, talk_over=True)
        return ask_next(dispatcher, script, state)


class HearAnswer(Action):
    """`followup_form`'s validation: an answer is stored, an interruption is left to the rules."""

    def name(self) -> str:
        return f"validate_{FORM}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict) -> Events:
        if tracker.slots_to_validate().get("answer") is None:
            return []  # the form is being opened, or taken up again after an interruption: nothing new was said
        if (tracker.latest_message.get("intent") or {}).get("name") in TRIGGERS:
            return [SlotSet("answer", None), ActionExecutionRejected(FORM)]
        turn = await turn_of(tracker)
        verdict = hear(turn)
        await write(Meta.of(tracker), turn.effects)
        if verdict is Verdict.INTERRUPTED:
            return [*talk(turn.state, answer=None), ActionExecutionRejected(FORM)]
        if verdict is Verdict.OVER:
            return talk(turn.state, answer=turn.reply.text, talk_over=True)
        return ask_next(dispatcher, turn.script, turn.state, answer=None)


class Respond(Action):
    """React to an interruption; `talk_over` tells the rules whether to go back to the question or to close."""

    def name(self) -> str:
        return "action_respond"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict) -> Events:
        turn = await turn_of(tracker)
        respond(turn)
        await write(Meta.of(tracker), turn.effects)
        return unless_over(dispatcher, turn)


class NoticeSilence(Action):
    """The customer has not replied for a while."""

    def name(self) -> str:
        return "action_notice_silence"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict) -> Events:
        turn = await turn_of(tracker)
        fall_silent(turn)
        await write(Meta.of(tracker), turn.effects)
        return unless_over(dispatcher, turn)


class CloseTalk(Action):
    """Part with the closing sentence of the outcome."""

    def name(self) -> str:
        return "action_close_talk"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict) -> Events:
        turn = await turn_of(tracker)
        utter(dispatcher, Said(close(turn.script, turn.state, turn.reply.at)))
        return talk(turn.state, answer=None, talk_over=True)


class ResumeTalk(Action):
    """A call-back is due, or the customer is back: go on at the unanswered question."""

    def name(self) -> str:
        return "action_resume_talk"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict) -> Events:
        meta = Meta.of(tracker)
        case = await case_of(meta)
        turn = await turn_of(tracker)
        if meta.colleague is not None:
            return await self._after_a_colleague(dispatcher, meta, meta.colleague, case, turn)
        if case.do_not_contact or turn.state.outcome in (Outcome.COMPLETED, Outcome.DO_NOT_CONTACT):
            return talk(turn.state, talk_over=True)
        resume(turn.script, turn.state)
        return ask_next(dispatcher, turn.script, turn.state)

    async def _after_a_colleague(
        self, dispatcher: CollectingDispatcher, meta: Meta, how: How, case: CaseView, turn: Turn
    ) -> Events:
        if how is How.CLOSED:
            part(turn, case.outcome or Outcome.ENDED_EARLY, case.outcome_reason, await callback_at(meta))
        elif take_back(turn, how, blocked=case.do_not_contact):
            await write(meta, turn.effects)
            return ask_next(dispatcher, turn.script, turn.state)
        await write(meta, turn.effects)
        utter(dispatcher, Said("".join(turn.state.lead)))
        turn.state.lead = []
        return talk(turn.state, answer=None, talk_over=True)


class AfterTalk(Action):
    """The customer writes again although the talk is over."""

    def name(self) -> str:
        return "action_after_talk"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict) -> Events:
        if (tracker.latest_message.get("intent") or {}).get("name") in TRIGGERS:
            return [SlotSet("talk_over", True)]
        turn = await turn_of(tracker)
        goes_on = after(turn)
        await write(Meta.of(tracker), turn.effects)
        if goes_on:
            resume(turn.script, turn.state, agreed=True)
            return ask_next(dispatcher, turn.script, turn.state)
        utter(dispatcher, Said("".join(turn.state.lead)))
        turn.state.lead = []
        return talk(turn.state, talk_over=True)

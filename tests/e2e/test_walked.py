"""What a talk is said to have walked is what happened in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from followup.scripts.branches import Branch, Kind
from tests.e2e.dialogue_file import set_now
from tests.e2e.in_process import InProcessTrial, script_of
from tests.e2e.walked import Walked


def walk(script_id: str, *says: str) -> Walked:
    walked = Walked()
    asyncio.run(_hold(script_id, says, walked))
    return walked


async def _hold(script_id: str, says: Sequence[str], walked: Walked) -> None:
    set_now("2026-11-23 10:00")
    trial = InProcessTrial(script_of(script_id), {"voice": "test"}, walked.see)
    await trial.start()
    for text in says:
        await trial.say(text)


def test_questions_that_were_asked_and_the_reason_that_was_asked_for() -> None:
    walked = walk("auto_loan_satisfaction", "方便", "朋友介绍的", "不满意")
    assert walked.asked == {"source", "price"}
    assert Branch("price", Kind.PROBE) in walked.branches
    assert walked.outcomes == set()


def test_a_reason_given_at_once_is_not_asked_for() -> None:
    walked = walk("auto_loan_satisfaction", "方便", "朋友介绍的", "不满意，利率太高了")
    assert Branch("price", Kind.PROBE) not in walked.branches


def test_what_came_between_a_question_and_its_answer() -> None:
    walked = walk("auto_loan_satisfaction", "方便", "你是机器人吗", "朋友介绍的", "asdfgh", "我在开车")
    assert walked.interruptions == {("source", "bot_challenge"), ("price", "unclear"), ("price", "driving")}
    assert walked.outcomes == {"appointed"}


def test_at_the_opening_nothing_is_interrupted_yet() -> None:
    assert walk("auto_loan_satisfaction", "你是谁", "我在开车").interruptions == set()


def test_an_answer_that_ends_the_talk_and_what_is_then_not_asked() -> None:
    walked = walk("workshop_service_satisfaction", "是的，方便", "没有去过")
    assert Branch("visited", Kind.ENDS, "false") in walked.branches
    assert not [branch for branch in walked.branches if branch.kind is Kind.NOT_ASKED]

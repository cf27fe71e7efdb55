"""A colleague comes into a talk with the real Rasa and leaves again: the bot goes on where it was, and heard nothing between."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from sqlalchemy import select

from followup.dialogue.effects import Outcome
from followup.store.database import Database
from followup.store.messages import TO_A_COLLEAGUE
from followup.store.models import Case, Message, RasaEvent, User
from followup.talk import takeover
from followup.talk.rasa_client import RasaClient
from followup.talk.trial import Trial
from tests.e2e.conftest import Addresses
from tests.e2e.dialogue_file import set_now

SCRIPT = "auto_loan_satisfaction"


class Held:
    """A talk, and a colleague who may come into it."""

    def __init__(self, trial: Trial, user_id: int) -> None:
        self.trial, self.user_id = trial, user_id

    async def take(self) -> None:
        async with takeover.quiet(self.trial.database, self.trial.case_id) as session:
            await takeover.begin(session, self.trial.case_id, self.user_id, "小王")

    async def says(self, words: str) -> None:
        async with self.trial.database.session() as session:
            await takeover.say(session, self.trial.case_id, self.user_id, words, words)

    async def back(self) -> list[str]:
        async with takeover.quiet(self.trial.database, self.trial.case_id) as session:
            await takeover.hand_back(session, self.trial.case_id, self.user_id)
        return await self._hold()

    async def close(self, outcome: Outcome) -> list[str]:
        async with takeover.quiet(self.trial.database, self.trial.case_id) as session:
            await takeover.close(session, self.trial.case_id, self.user_id, outcome, "同事谈妥了")
        return await self._hold()

    async def customer(self, words: str) -> list[str]:
        await self.trial.say(words)
        said = (await self.messages())
        heard = [row for row in said if row.direction == "in"][-1]
        return [row.text for row in said if row.in_reply_to == heard.id and row.acts is None]

    async def _hold(self) -> list[str]:
        """The turn of what was just begun; returns what the bot says in it."""
        trigger = [row for row in await self.messages() if row.direction == "system"][-1]
        await self.trial.held(trigger.id)
        return [row.text for row in await self.messages() if row.in_reply_to == trigger.id]

    async def messages(self) -> list[Message]:
        async with self.trial.database.session() as session:
            rows = await session.scalars(
                select(Message).where(Message.case_id == self.trial.case_id).order_by(Message.id)
            )
            return list(rows)

    async def heard_by_rasa(self) -> list[str]:
        async with self.trial.database.session() as session:
            events = await session.scalars(
                select(RasaEvent.data)
                .where(RasaEvent.sender_id == self.trial.case_id, RasaEvent.type_name == "user")
                .order_by(RasaEvent.id)
            )
            return [json.loads(data)["text"] for data in events]

    async def case(self) -> Case:
        async with self.trial.database.session() as session:
            return await session.get_one(Case, self.trial.case_id)


async def held(addresses: Addresses, hold: Callable[[Held], Awaitable[None]]) -> None:
    set_now("2026-11-23T10:00")
    database = Database(addresses.database_url, pool_size=2)
    try:
        async with RasaClient(addresses.rasa_url) as rasa:
            trial = await Trial.open(database, rasa, SCRIPT, {"voice": "taken_over"})
            async with database.session() as session:
                user = User(name=f"colleague {trial.case_id}", password_hash="x", role="agent")
                session.add(user)
                await session.flush()
            await trial.start()
            await hold(Held(trial, user.id))
    finally:
        await database.close()


async def test_asked_for_a_person_and_handed_back_the_same_question_is_open(addresses: Addresses) -> None:
    async def hold(talk: Held) -> None:
        question = (await talk.customer("方便"))[-1].split("。")[-1]
        assert "稍等" in (await talk.customer("转人工"))[-1]
        assert (await talk.case()).outcome == "handed_over"
        await talk.take()
        assert await talk.customer("不满意，等了一个多月") == []  # would be an answer, had the bot heard it
        await talk.says("您好，我来帮您看。")
        assert await talk.customer("那你们取消回访吧") == []
        before = await talk.trial.result()
        said = await talk.back()
        assert said and said[0].startswith("同事这边已经处理好了") and said[-1].endswith(question), said
        case = await talk.case()
        assert (case.status, case.outcome) == ("open", None)
        after = await talk.trial.result()
        assert before.answers == after.answers == {}
        await talk.customer("朋友介绍的")
        assert len((await talk.trial.result()).answers) == 1
        heard = await talk.heard_by_rasa()
        assert heard[-2:] == ["/resume_followup", "朋友介绍的"]
        assert not any("一个多月" in words or "取消回访" in words for words in heard)
        assert [row.error for row in await talk.messages() if "一个多月" in row.text] == [TO_A_COLLEAGUE]

    await held(addresses, hold)


async def test_in_the_middle_of_a_question_the_bot_goes_on_with_it(addresses: Addresses) -> None:
    async def hold(talk: Held) -> None:
        question = (await talk.customer("方便"))[-1].split("。")[-1]
        await talk.take()
        await talk.says("您好")
        said = await talk.back()
        assert said[-1].endswith(question), said
        assert (await talk.customer("朋友介绍的"))[-1] != said[-1]
        assert len((await talk.trial.result()).answers) == 1

    await held(addresses, hold)


async def test_what_a_colleague_closed_in_the_middle_is_over_for_rasa_too(addresses: Addresses) -> None:
    async def hold(talk: Held) -> None:
        await talk.customer("方便")
        await talk.take()
        said = await talk.close(Outcome.COMPLETED)
        assert len(said) == 1 and "人工服务就到这里" in said[0], said
        case = await talk.case()
        assert (case.status, case.outcome, case.outcome_reason) == ("closed", "completed", "同事谈妥了")
        answer = await talk.customer("好的谢谢")
        assert answer and "？" not in answer[-1], answer
        assert (await talk.case()).outcome == "completed"
        assert (await talk.trial.result()).answers == {}

    await held(addresses, hold)

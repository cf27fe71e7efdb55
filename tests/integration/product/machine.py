"""Everything that may happen to the product, in any order (Hypothesis); after each step everything must still fit together."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from followup import clock
from followup.store.database import Database
from tests.e2e.in_process import trained

from .whole import SCRIPTS, START, Product, Talk, mortal, new_product

T = TypeVar("T")

LINES = (
    "方便", "不方便", "价格有点贵", "挺好的", "不满意", "朋友介绍的", "没有了", "我在开车", "我在开会，明天下午三点再打给我吧", "你是机器人吗",
    "转人工", "我要投诉你们", "梨坏了好几个", "一般吧", "刚才说错了，是满意", "嗯", "啊？", "谢谢", "下周一上午十点吧", "没用过", "asdf", "现在有空了",
)  # fmt: skip
OPT_OUT = ("别再联系我了", "以后不要给我打电话了")
ENDS = ((), ("says",), ("says", "hands back"), ("hands back",), ("closes",))
"""What a colleague does who has been spoken to."""
_numbers = strategies.integers(0, 1000)


class Machine(RuleBasedStateMachine):
    """One life of the product. `world` is set by `run`."""

    world: Runner

    def __init__(self) -> None:
        super().__init__()
        self.product: Product = self.world.begin()

    def _talk(self, number: int) -> Talk:
        return self.product.talks[number % len(self.product.talks)]

    def _do(self, name: str, coroutine: Coroutine[Any, Any, T]) -> T:
        self.world.steps[name] += 1
        return self.world.do(coroutine)

    @initialize(script=strategies.sampled_from(SCRIPTS))
    def a_talk_begins(self, script: str) -> None:
        self._do("begin", self.product.begin(script))
        self._do("work", self.product.works())

    @precondition(lambda self: len(self.product.talks) < 4)
    @rule(script=strategies.sampled_from(SCRIPTS), same=strategies.booleans())
    def another_talk_begins(self, script: str, same: bool) -> None:
        self._do("begin", self.product.begin(script, same_customer=same))

    @rule(number=_numbers)
    def the_link_is_opened_again(self, number: int) -> None:
        self._do("open again", self.product.opens(self._talk(number)))

    @rule(number=_numbers, words=strategies.sampled_from(LINES))
    def say(self, number: int, words: str) -> None:
        self._do("say", self.product.says(self._talk(number), words))
        self._do("work", self.product.works())

    @rule(number=_numbers, words=strategies.lists(strategies.sampled_from(LINES), min_size=2, max_size=4))
    def say_much_and_have_it_done_in_another_order(self, number: int, words: list[str]) -> None:
        for place, line in enumerate(words):
            self._do("say", self.product.says(self._talk(number + place), line))
        self._do("reorder", self.product.works(newest_first=True))

    @rule(number=_numbers, words=strategies.sampled_from(LINES), copies=strategies.sampled_from((1, 2, 5)))
    def say_and_deliver_it_again(self, number: int, words: str, copies: int) -> None:
        talk = self._talk(number)
        self._do("say", self.product.says(talk, words))
        self._do("duplicate", self.product.says_again(talk, len(talk.said) - 1, copies))
        self._do("work", self.product.works())
        self._do("duplicate", self.product.says_again(talk, number, copies))

    @rule(number=_numbers, words=strategies.sampled_from(OPT_OUT))
    def opt_out(self, number: int, words: str) -> None:
        self._do("opt out", self.product.says(self._talk(number), words))
        self._do("work", self.product.works())

    @rule(number=_numbers, words=strategies.sampled_from((*LINES, *OPT_OUT)), point=strategies.integers(1, 24))
    def the_worker_dies_in_a_turn(self, number: int, words: str, point: int) -> None:
        self._do("say", self.product.says(self._talk(number), words))
        self._do("crash", self.product.works(dies_at=point))

    @rule(point=strategies.integers(1, 30))
    def the_worker_dies_in_the_clocks_minute(self, point: int) -> None:
        self._do("crash", self.product.minute(dies_at=point))

    @rule()
    def everything_is_started_again(self) -> None:
        self._do("restart", self.product.restarts())

    @rule(faults=strategies.lists(strategies.sampled_from(("away", "cut", "empty", "action")), min_size=1, max_size=3))
    def rasa_fails(self, faults: list[str]) -> None:
        self.product.rasa.faults += faults
        self.world.steps["Rasa fails"] += 1

    @rule(how=strategies.sampled_from(("busy", "lost", "refused")))
    def the_provider_fails(self, how: str) -> None:
        self.product.fails_to_send(how)
        self.world.steps["provider fails"] += 1

    @rule(number=_numbers, act=strategies.sampled_from(("takes over", "takes over", "says", "hands back", "closes")), user=strategies.integers(0, 1))
    def a_colleague(self, number: int, act: str, user: int) -> None:
        self._staff(self._talk(number), act, user)

    @rule(number=_numbers, words=strategies.sampled_from(LINES), then=strategies.sampled_from(ENDS))
    def a_colleague_is_spoken_to(self, number: int, words: str, then: tuple[str, ...]) -> None:
        talk = self._talk(number)
        if self._staff(talk, "takes over", 0):
            self._do("say", self.product.says(talk, words))
            self._do("work", self.product.works())
            for act in then:
                self._staff(talk, act, 0)
            self._do("say", self.product.says(talk, words))
            self._do("work", self.product.works())

    def _staff(self, talk: Talk, act: str, user: int) -> bool:
        done = self._do("colleague", self.product.staff(talk, act, user))
        self.world.steps[f"colleague {act}"] += done
        return done

    @precondition(lambda self: self.product.did["published"] < 3)
    @rule(number=_numbers)
    def a_script_is_edited(self, number: int) -> None:
        self._do("publish", self.product.publishes(number))

    @precondition(lambda self: self.product.did["promoted"] < 2)
    @rule()
    def a_model_is_promoted(self) -> None:
        self._do("promote", self.product.promotes())

    @rule(by=strategies.sampled_from((timedelta(minutes=6), timedelta(minutes=11), timedelta(hours=5), timedelta(hours=25), timedelta(days=4))))
    def time_passes(self, by: timedelta) -> None:
        """Silence, a colleague who is away, call-backs, the end of a talk."""
        self.product.passes(by)
        self._do("time", self.product.minute())

    @rule()
    def the_clock_is_set_back(self) -> None:
        self.product.passes(timedelta(hours=-1))
        self._do("clock back", self.product.minute())

    @invariant()
    def everything_fits_together(self) -> None:
        if self.product.talks:
            self._fits_together()

    def _fits_together(self) -> None:
        found = self.world.do(self.product.wrong())
        assert not found, "\n".join(found)

    def teardown(self) -> None:
        if self.product.talks:
            self.world.do(self.product.settles())
            self._fits_together()
            self.world.lives += 1


class Runner:
    """One event loop and one database for all lives."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.database = Database(url, pool_size=8)
        self.model = trained()
        self.products: list[Product] = []
        self.mortal = mortal(self.database, self.products)
        self.steps: Counter[str] = Counter()
        self.lives = 0
        self.chance = random.Random(0)
        self.plain = secrets.token_hex
        secrets.token_hex = lambda size=32: self.chance.randbytes(size).hex()  # or talks had other ids, and so another order, each time
        self.do(self.mortal.__aenter__())

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    def begin(self) -> Product:
        app = self.products[-1].app if self.products else None
        self.products.clear()
        self.chance.seed(0)
        clock.stand_at(START)
        product = self.do(new_product(self.database, self.model, app))
        self.products.append(product)
        return product

    def close(self) -> None:
        secrets.token_hex = self.plain
        if self.products:
            self.do(self.products[-1].app.close_async())
        self.do(self.mortal.__aexit__(None, None, None))
        self.do(self.database.close())
        self.loop.close()


def run(url: str, *, lives: int, steps: int, derandomize: bool) -> Runner:
    """Play so many lives of at most so many steps. Raises what Hypothesis found, made as small as it can."""
    runner = Runner(url)
    held = settings(
        max_examples=lives, stateful_step_count=steps, derandomize=derandomize, deadline=None, database=None,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    try:
        run_state_machine_as_test(type("Life", (Machine,), {"world": runner}), settings=held)
    finally:
        runner.close()
        clock._standing.set(None)
    return runner


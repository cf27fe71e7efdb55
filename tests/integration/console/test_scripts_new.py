"""A script that is begun, looked over and published in the browser; and a talk that is tried before that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from followup.campaigns.dispatch import NoScript, script_now
from followup.console.scripts import try_talk
from followup.nlu.model import IntentModel
from followup.scripts import load
from followup.store import published as watcher
from followup.store.database import Database
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.test_scripts import FILE, author, begin, publish, reviewer, row_of, write  # noqa: F401 - fixtures

Enter = Callable[..., Awaitable[Browser]]
NEW = "winter_tyres"


async def started(author: Browser, like: str = "", **given: str) -> str:  # noqa: F811
    return await author.post("/console/scripts/new", id=NEW, name="冬季轮胎回访", trade="car-service", like=like, **given)


@pytest.mark.parametrize("like", ["", "fruit_order"])
async def test_a_new_script_is_nobodys_before_it_is_published_and_then_everybodys(
    author: Browser, reviewer: Browser, database: Database, like: str  # noqa: F811
) -> None:
    draft = await started(author, like)
    with pytest.raises(NoScript):
        script_now(NEW)
    await author.get(f"/console/scripts/script/{NEW}", 404)
    assert "冬季轮胎回访" in text_of(await author.get("/console/scripts"))
    row = await row_of(database, draft)
    assert await write(author, database, draft, row.text) == f"{draft}?told=submitted"
    assert "冬季轮胎回访" in text_of(await reviewer.get(draft))
    assert await publish(reviewer, database, draft) == f"/console/scripts/script/{NEW}?told=published"
    assert script_now(NEW)[0].name == "冬季轮胎回访"
    assert "在这里新建的" in text_of(await author.get("/console/scripts"))
    await author.get(f"/console/scripts/script/{NEW}")
    await author.get(f"/console/scripts/script/{NEW}/versions/0", 404)
    watcher.forget()  # another process, which has not looked yet
    with pytest.raises(NoScript):
        script_now(NEW)
    async with database.session() as session:
        await watcher.refresh(session)
    assert script_now(NEW)[0].trade == "car-service"
    assert "冬季轮胎回访" in await reviewer.get("/console/campaigns/new")
    assert "/edit/talk" in await reviewer.post("/console/campaigns", name="冬季", script=NEW)


async def test_a_published_new_script_is_changed_like_any_other(author: Browser, reviewer: Browser, database: Database) -> None:  # noqa: F811
    draft = await started(author)
    await write(author, database, draft, (await row_of(database, draft)).text)
    await publish(reviewer, database, draft)
    again = await begin(author, f"/console/scripts/script/{NEW}")
    await write(author, database, again, (await row_of(database, again)).text.replace("name: 冬季轮胎回访", "name: 冬胎回访"))
    await publish(reviewer, database, again)
    assert load.load_script(NEW).name == "冬胎回访"


async def test_names_that_cannot_be_are_refused_and_what_was_typed_stays(author: Browser, database: Database) -> None:  # noqa: F811
    for given, why in (
        ({"id": "Winter-Tyres"}, "只能用小写字母"), ({"id": "fruit_order"}, "这个编号已经有了"), ({"name": ""}, "请写名称"),
        ({"name": "a: b"}, "不要用冒号"), ({"trade": ""}, "行业"), ({"like": "no_such"}, "找不到要照着写的"), ({"id": "x" * 61}, "最多 60"),
    ):  # fmt: skip
        fields = {"id": NEW, "name": "冬季轮胎回访", "trade": "car-service", "like": "", **given}
        page = await author.post("/console/scripts/new", 409 if "已经有了" in why else 400, **fields)
        assert why in page and f'value="{fields["id"]}"' in page


async def test_two_people_do_not_begin_the_same_new_script(author: Browser, reviewer: Browser, database: Database) -> None:  # noqa: F811
    draft = await started(author)
    assert "有同事正在用它起草" in await reviewer.post("/console/scripts/new", 409, id=NEW, name="冬胎", trade="car-service", like="")
    assert await author.post(f"{draft}/withdraw") == "/console/scripts?told=withdrawn"
    await reviewer.post("/console/scripts/new", id=NEW, name="冬胎", trade="car-service", like="")


# —— tried before anybody else sees it ————————————————————————————————————————————

SAID = {"consent": "方便 可以 可以的 好的 你说吧 行", "satisfied": "很满意 挺好的 非常满意 不错 很好 满意", "refuse": "不想聊 别打了 没兴趣 不参加 不用了 算了"}


@pytest.fixture
def small_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A real model of three intents, trained here: what a talk is tried with where the product has trained none yet."""
    lines = [(text, intent) for intent, texts in SAID.items() for text in texts.split()]
    model = IntentModel.train(*map(list, zip(*lines, strict=True)))
    file = tmp_path / "model.tar.gz"
    file.write_bytes(b"")
    monkeypatch.setattr(try_talk, "_model_file", lambda settings: file)
    monkeypatch.setattr(try_talk, "_model", lambda path, changed: model)


@pytest.mark.usefixtures("small_model")
async def test_a_talk_is_tried_by_the_text_in_the_editor_and_leaves_nothing(author: Browser, database: Database) -> None:  # noqa: F811
    draft = await begin(author)
    await author.get(draft)
    first = text_of(await author.post(f"{draft}/try", 200, text=FILE, do="again"))
    assert "能占用您2分钟吗" in first
    told = await author.post(f"{draft}/try", 200, text=FILE.replace("请问您收到的{product}怎么样呢？", "收到的{product}还满意吗？"), do="say", say="方便")
    assert "收到的红啤梨还满意吗？" in text_of(told) and 'name="said" value="方便"' in told
    async with database.session() as session:
        assert await session.scalar(watcher.select(watcher.func.count()).select_from(watcher.PublishedScript)) == 0
    assert (await row_of(database, draft)).text == FILE


@pytest.mark.usefixtures("small_model")
async def test_a_new_script_can_be_tried_before_it_is_published(author: Browser) -> None:  # noqa: F811
    draft = await started(author)
    assert "小演" in text_of(await author.post(f"{draft}/try", 200, do="again", text=""))


async def test_without_a_model_trying_says_so(author: Browser, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(try_talk, "_model_file", lambda settings: None)
    draft = await begin(author)
    assert "还没有可以用的模型" in await author.post(f"{draft}/try", 200, text=FILE, do="again")

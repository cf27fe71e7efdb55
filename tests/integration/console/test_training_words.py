"""A trainer marks a few words of a customer's line, before a real PostgreSQL and a small project of its own in git."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from followup.settings import PROJECT_DIR, SHANGHAI, Settings
from followup.store.database import Database
from followup.store.inbox_models import WordMark
from followup.store.script_models import ScriptDraft
from followup.store.staff_models import AuditEntry
from tests.git_project import commit_all, git
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import LOAN, Said, write_talk

Enter = Callable[..., Awaitable[Browser]]
ASKED_PRICE = "好的。请问您对我们的收费价格是否满意？如果有自己的看法，也欢迎您一起告诉我。"
ASKED_SOURCE = "请问您是以什么方式知悉我们演示公司的呢？"


@pytest.fixture(autouse=True)
def _evening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", datetime(2026, 11, 20, 18, tzinfo=SHANGHAI).isoformat())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "data" / "nlu").mkdir(parents=True)
    (project / "data" / "nlu" / "a.yml").write_text('version: "3.1"\nnlu:\n- intent: satisfied\n  examples: |\n    - 挺满意的\n', "utf-8")
    shutil.copytree(PROJECT_DIR / "data" / "lexicon", project / "data" / "lexicon")
    (project / "tests" / "nlu").mkdir(parents=True)
    commit_all(project)
    return project


@pytest.fixture
def settings(database_url: str, tmp_path: Path, project: Path) -> Settings:
    return Settings(home=tmp_path, database_url=database_url, secret="t" * 40, project_dir=project, proof_dir=project / "tests")


async def line(database: Database, text: str, asked: str = ASKED_PRICE, **more: str) -> int:
    """A customer's line after a question; its number."""
    talk = await write_talk(database, [Said("方便", "consent", reply=asked), Said(text, "inform", 0.3)], **more)
    return talk.messages[1]


async def marked(database: Database) -> list[tuple[str, str, str]]:
    async with database.session() as session:
        return [(row.words, row.meaning, row.state) for row in await session.scalars(select(WordMark).order_by(WordMark.id))]


async def drafts(database: Database) -> list[ScriptDraft]:
    async with database.session() as session:
        return list(await session.scalars(select(ScriptDraft).order_by(ScriptDraft.id)))


async def test_the_answers_of_the_question_that_was_asked_are_offered_first(enter: Enter, database: Database) -> None:
    trainer = await enter("trainer")
    price, source = await line(database, "嘎嘎公道咧"), await line(database, "俺们屯里人说的", ASKED_SOURCE, phone="13812345679")
    page = await trainer.get(f"/console/training/groups/{price}")
    assert "请问您对我们的收费价格是否满意" in text_of(page) and 'value="opinion:2"' in page
    assert 'value="option:source:' in await trainer.get(f"/console/training/groups/{source}")


async def test_a_word_of_an_aspect_is_handed_in_as_one_commit_with_one_line_changed(enter: Enter, database: Database, project: Path) -> None:
    trainer, number = await enter("trainer"), await line(database, "嘎嘎死贵咧")
    back = await trainer.post(f"/console/training/lines/{number}/words", words="嘎嘎死贵", other="说“价格”不好", leader=number)
    assert back == f"/console/training/groups/{number}#word-{number}"
    assert "说“价格”不好 ，等您交出" in text_of(await trainer.get(f"/console/training/groups/{number}"))
    assert "还有 1 处没有交出" in text_of(await trainer.get("/console/training/changes"))
    assert "+" in await trainer.get("/console/training/changes.patch")
    await trainer.post("/console/training/hand-in")
    assert await marked(database) == [("嘎嘎死贵", "aspect:price:negative", "handed_in")]
    assert git(project, "show", "--stat", "--format=%an%n%s").splitlines()[1] == "词表：添加 1 个词"
    assert git(project, "show", "--numstat", "--format=").split() == ["1", "1", "data/lexicon/aspects.yml"]
    assert "嘎嘎死贵" in git(project, "show")


async def test_a_word_for_a_satisfaction_goes_to_the_level(enter: Enter, database: Database, project: Path) -> None:
    trainer, number = await enter("trainer"), await line(database, "嘎嘎稀罕哩")
    await trainer.post(f"/console/training/lines/{number}/words", words="嘎嘎稀罕", meaning="opinion:2", leader=number)
    await trainer.post("/console/training/hand-in")
    from followup.training.word_lists import words_at

    assert words_at((project / "data" / "lexicon" / "opinions.yml").read_text("utf-8"), ("phrases", "2"))[-1] == "嘎嘎稀罕"


async def test_a_mark_is_undone_before_it_is_handed_in_and_not_afterwards(enter: Enter, database: Database, project: Path) -> None:
    trainer, number = await enter("trainer"), await line(database, "嘎嘎稀罕哩")
    await trainer.post(f"/console/training/lines/{number}/words", words="嘎嘎稀罕", meaning="opinion:2", leader=number)
    other = await enter("trainer", name="另一位")
    await other.post("/console/training/words/1/undo", status=404)
    await trainer.post("/console/training/words/1/undo")
    assert await marked(database) == [("嘎嘎稀罕", "opinion:2", "withdrawn")]
    assert "没有还没交出的改动" in text_of(await trainer.get("/console/training/changes"))
    await trainer.post(f"/console/training/lines/{number}/words", words="嘎嘎稀罕", meaning="opinion:2", leader=number)
    await trainer.post("/console/training/hand-in")
    assert "已经交出了" in text_of(await trainer.post("/console/training/words/2/undo", status=409))
    assert git(project, "rev-list", "--count", "HEAD").strip() == "2"


async def test_an_answer_of_a_question_goes_into_the_trainers_own_draft_and_out_of_it_again(enter: Enter, database: Database) -> None:
    trainer, number = await enter("trainer"), await line(database, "俺们屯里人说的", ASKED_SOURCE)
    page = await trainer.get(f"/console/training/groups/{number}")
    code = page.split('name="meaning" value="option:source:')[1].split('"')[0]
    await trainer.post(f"/console/training/lines/{number}/words", words="俺们屯里人", meaning=f"option:source:{code}", leader=number)
    (draft,) = await drafts(database)
    assert (draft.script_id, draft.state, draft.note) == (LOAN, "draft", f"“俺们屯里人”也算“{code}”")
    assert draft.text.count("俺们屯里人") == 1 and len(draft.text.splitlines()) == len(draft.base_text.splitlines())
    page = await trainer.get(f"/console/training/groups/{number}")
    assert f"/console/scripts/drafts/{draft.id}" in page and "写进了话术草稿" in page
    assert "已经记过了" in text_of(
        await trainer.post(f"/console/training/lines/{number}/words", 400, words="俺们屯里人", meaning=f"option:source:{code}", leader=number)
    )
    await trainer.post("/console/training/words/1/undo", line=number, leader=number)
    assert [(one.state, "屯里人" in one.text) for one in await drafts(database)] == [("withdrawn", True)]  # nothing else was in it
    assert (await marked(database))[0][2] == "withdrawn"


async def test_a_draft_that_was_handed_in_is_left_alone(enter: Enter, database: Database) -> None:
    trainer, number = await enter("trainer"), await line(database, "俺们屯里人说的", ASKED_SOURCE)
    page = await trainer.get(f"/console/training/groups/{number}")
    code = "option:source:" + page.split('name="meaning" value="option:source:')[1].split('"')[0]
    await trainer.post(f"/console/training/lines/{number}/words", words="俺们屯里人", meaning=code, leader=number)
    async with database.session() as session:
        (await session.scalars(select(ScriptDraft))).one().state = "review"
    assert "正在审核" in text_of(await trainer.post(f"/console/training/lines/{number}/words", 400, words="屯里人说的", meaning=code, leader=number))
    assert "已经提交" in text_of(await trainer.post("/console/training/words/1/undo", 400, line=number, leader=number))
    assert len(await marked(database)) == 1


@pytest.mark.parametrize(
    ("said", "meaning", "why"),
    [
        ("", "opinion:2", "请先选中"),
        ("嘎", "opinion:2", "一个字太容易听错"),
        ("从来没说过的", "opinion:2", "没有这几个字"),
        ("嘎嘎稀罕", "opinion:7", "没有这个意思"),
        ("嘎嘎稀罕", "option:source:nothing", "没有这个意思"),
        ("不贵", "aspect:price:negative", "已经记作“说“价格”好”，"),
        ("13987654321", "opinion:2", "个人信息"),
        ("汪小满", "person:spouse", "个人信息"),
        ("嘎嘎稀罕不贵" * 5, "opinion:2", "太长了"),
    ],
)
async def test_what_cannot_be_marked_is_told_beside_the_line(enter: Enter, database: Database, said: str, meaning: str, why: str) -> None:
    trainer = await enter("trainer")
    number = await line(database, "嘎嘎稀罕不贵，我是汪小满13987654321", name="汪小满", phone="13987654321")
    path = f"/console/training/lines/{number}/words"
    assert why in text_of(await trainer.post(path, status=400, words=said, meaning=meaning, leader=number)).replace(" ", "")
    assert await marked(database) == []
    async with trainer.client.post(path, data={"csrf": trainer.csrf, "words": said, "meaning": meaning}, headers={"HX-Request": "true"}) as answer:
        part = await answer.text()
    assert answer.status == 200 and part.lstrip().startswith("<div") and why in text_of(part).replace(" ", "")


async def test_only_those_who_train_may_mark_and_it_is_audited(enter: Enter, database: Database) -> None:
    number, auditor = await line(database, "嘎嘎稀罕哩"), await enter("auditor")
    assert "标出几个字" not in await auditor.get(f"/console/training/groups/{number}")
    await auditor.post(f"/console/training/lines/{number}/words", status=403, words="嘎嘎稀罕", meaning="opinion:2")
    await (await enter("trainer")).post(f"/console/training/lines/{number}/words", words="嘎嘎稀罕", meaning="opinion:2", leader=number)
    async with database.session() as session:
        assert (await session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("word.")))).all() == ["word.mark"]


async def test_what_was_given_to_the_authors_opens_a_draft_at_the_question_concerned(enter: Enter, database: Database) -> None:
    trainer, number = await enter("trainer"), await line(database, "这个问得不是时候", ASKED_SOURCE)
    await trainer.post(f"/console/training/groups/{number}", **{f"take_{number}": "1", "act": "wrong_step", "comment": "早问了"})
    assert f"/console/training/authors/{number}/draft" in await trainer.get("/console/training/authors")
    led = await trainer.post(f"/console/training/authors/{number}/draft")
    (draft,) = await drafts(database)
    path, _, at = led.partition("#line-")
    assert path == f"/console/scripts/drafts/{draft.id}" and draft.text.splitlines()[int(at) - 1] == "- id: source"
    auditor = await enter("auditor")
    assert "改话术" not in await auditor.get("/console/training/authors")
    await auditor.post(f"/console/training/authors/{number}/draft", status=403)
    await trainer.post("/console/training/authors/999999/draft", status=404)

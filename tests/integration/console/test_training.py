"""The trainer's workbench before a real PostgreSQL and a small project of its own in git."""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from followup.console.permissions import Staff
from followup.settings import SHANGHAI, Settings
from followup.store.database import Database
from followup.store.inbox_models import InboxClaim, TrainingDecision
from followup.store.staff_models import Annotation, AnswerCorrection, AuditEntry
from followup.store.training_models import ExampleChange
from followup.training.inbox_groups import groups
from followup.training.inbox_lines import asked_again_words, undecided
from followup.training.inbox_work import CLAIMED_FOR, Decision, Taken, decide, take
from tests.git_project import commit_all, git
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import Said, Written, write_talk

Enter = Callable[..., Awaitable[Browser]]
NOW = datetime(2026, 11, 20, 18, tzinfo=SHANGHAI)
FILE = """version: "3.1"

# 顶上的注释
nlu:
- intent: satisfied
  examples: |
    - 挺满意的
    # 中间的注释
    - [服务态度](aspect)特别好
- intent: dissatisfied
  examples: |
    - 方向盘抖得很
- intent: faq/other
  examples: |
    - 提前还款要手续费吗
"""


@pytest.fixture(autouse=True)
def _evening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", NOW.isoformat())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "data" / "nlu").mkdir(parents=True)
    (project / "tests" / "nlu").mkdir(parents=True)
    (project / "data" / "nlu" / "a.yml").write_text(FILE, "utf-8")
    (project / "tests" / "nlu" / "late.tsv").write_text("# chat: 某人\n师傅手艺真不错啊\tsatisfied\n", "utf-8")
    commit_all(project)
    return project


@pytest.fixture
def settings(database_url: str, tmp_path: Path, project: Path) -> Settings:
    return Settings(home=tmp_path, database_url=database_url, secret="t" * 40, project_dir=project, proof_dir=project / "tests")


async def changes(database: Database, state: str = "open") -> list[tuple[str, ...]]:
    async with database.session() as session:
        rows = await session.scalars(select(ExampleChange).where(ExampleChange.state == state).order_by(ExampleChange.id))
        return [tuple(filter(None, (row.kind, row.text, row.intent, row.new_text, row.new_intent))) for row in rows]


async def shaking(database: Database) -> list[Written]:
    """Three customers say the same and were not understood."""
    lines = ("方向盘老是抖", "方向盘老是抖！", "方向盘老是抖啊")
    return [await write_talk(database, [Said("方便", "consent"), Said(line, "inform", 0.3)], phone=f"1381234567{n}") for n, line in enumerate(lines)]


def decision(written: list[Written], text: str = "方向盘老是抖", **more: str) -> dict[str, str]:
    ids = [talk.messages[-1] for talk in written]
    return {**{f"take_{one}": "1" for one in ids}, **{f"text_{one}": text for one in ids}, **more}


# —— the inbox ——————————————————————————————————————————————————————————


async def test_every_reason_brings_a_line_to_the_inbox_and_nothing_else_does(database: Database) -> None:
    again = asked_again_words()[0].rstrip("%") + "，好吗？"
    unclear = await write_talk(database, [Said("啥玩意儿", "inform", 0.2), Said("可以", "consent")])
    unsure = await write_talk(database, [Said("也就那样吧", "neutral", 0.6), Said("好的", "consent")])
    asked = await write_talk(database, [Said("嗯呐那个", "consent", 0.9, reply=again), Said("好的", "consent")])
    corrected = await write_talk(database, [Said("价格还行", "neutral", 0.9, answers=[("price", "一般")]), Said("好的", "consent")])
    said = await write_talk(database, [Said("我再看看", "inform", 0.9), Said("好的", "consent")])
    broken = await write_talk(database, [Said("你谁啊", "ask_who", 0.9)], outcome=None, status="open")
    await write_talk(database, [Said("挺好", "satisfied", 0.95)])
    await write_talk(database, [Said("演示里的话", "inform", 0.2)], is_demo=True)
    await write_talk(database, [Said("很久以前", "inform", 0.2)], at=NOW - timedelta(days=60))
    async with database.session() as session:
        from followup.console import accounts

        user, _ = await accounts.create(session, "甲", "agent", "a long enough one")
        session.add(AnswerCorrection(answer_id=corrected.answers["price"], before="一般", after="满意", reason="听错了", user_id=user.id))
        session.add(Annotation(message_id=said.messages[0], intent="refuse", user_id=user.id))
    async with database.session() as session:
        found = {line.id: line for line in await undecided(session, NOW, days=30)}
    assert {number: line.reasons for number, line in found.items()} == {
        unclear.messages[0]: ("not_understood",),
        unsure.messages[0]: ("unsure",),
        asked.messages[0]: ("asked_again",),
        corrected.messages[0]: ("corrected",),
        said.messages[0]: ("corrected",),
        broken.messages[0]: ("broke_off",),
    }
    assert found[said.messages[0]].said_by_staff == "refuse"


async def test_one_decision_labels_the_group_makes_one_example_and_nothing_comes_again(enter: Enter, database: Database) -> None:
    trainer, written = await enter("trainer"), await shaking(database)
    shown = text_of(await trainer.get("/console/training"))
    assert "3 句，1 组" in shown
    group = f"/console/training/groups/{written[0].messages[-1]}"
    assert await trainer.post(group, **decision(written, act="intent:dissatisfied")) == f"/console/training/next?did={written[0].messages[-1]}"
    assert await changes(database) == [("add", "方向盘老是抖", "dissatisfied")]
    assert "没有等着判断的原话" in text_of(await trainer.get("/console/training"))
    await trainer.post(group, status=409, **decision(written, act="intent:satisfied"))
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(TrainingDecision)) == 3
        assert await session.scalar(select(func.count()).select_from(InboxClaim)) == 0
        assert (await session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("training.")))).all() == ["training.decide"]


async def test_what_is_not_ticked_waits_and_an_emptied_wording_is_no_example(enter: Enter, database: Database) -> None:
    trainer, written = await enter("trainer"), await shaking(database)
    await trainer.post(f"/console/training/groups/{written[0].messages[-1]}", **decision(written[:2], "", act="intent:dissatisfied"))
    assert await changes(database) == []
    assert "1 句，1 组" in text_of(await trainer.get("/console/training"))


async def test_undoing_the_change_brings_its_lines_back(enter: Enter, database: Database) -> None:
    trainer, written = await enter("trainer"), await shaking(database)
    await trainer.post(f"/console/training/groups/{written[0].messages[-1]}", **decision(written, act="search", other="不满意"))
    async with database.session() as session:
        number = await session.scalar(select(ExampleChange.id))
    await trainer.post(f"/console/training/changes/{number}/undo")
    assert await changes(database) == []
    assert "3 句，1 组" in text_of(await trainer.get("/console/training"))


async def test_a_name_or_number_never_becomes_an_example(enter: Enter, database: Database) -> None:
    trainer = await enter("trainer")
    talk = await write_talk(database, [Said("我是汪小满，打13987654321，住人民路18号3单元", "inform", 0.3), Said("好")], name="汪小满", phone="13987654321")
    path = f"/console/training/groups/{talk.messages[0]}"
    page = await trainer.get(path)
    for secret in ("汪小满", "13987654321", "人民路18号"):
        assert secret not in page
    number = talk.messages[0]
    for text in ("我是汪小满", "打13987654321", "打139****4321", "住人民路18号3单元"):
        refused = text_of(await trainer.post(path, status=400, **{f"take_{number}": "1", f"text_{number}": text, "act": "intent:faq/other"}))
        assert "个人信息" in refused
    assert await changes(database) == []
    await trainer.post(path, **{f"take_{number}": "1", f"text_{number}": "我打过好几次电话", "act": "intent:faq/other"})
    assert await changes(database) == [("add", "我打过好几次电话", "faq/other")]


async def test_what_has_no_answer_goes_to_the_authors_and_can_come_back(enter: Enter, database: Database) -> None:
    trainer, written = await enter("trainer"), await shaking(database)
    path = f"/console/training/groups/{written[0].messages[-1]}"
    await trainer.post(path, status=400, **decision(written, act="not_covered"))
    await trainer.post(path, **decision(written[:1], act="not_covered", comment="问抖不抖，打13987654321"))
    await trainer.post(path.replace(str(written[0].messages[-1]), str(written[1].messages[-1])), **decision(written[1:2], act="wrong_step"))
    shown = text_of(await trainer.get("/console/training/authors"))
    assert "没有现成的回答" in shown and "话术环节不对" in shown and "13987654321" not in shown
    await trainer.post(f"/console/training/decisions/{written[0].messages[-1]}/undo")
    assert "2 句，1 组" in text_of(await trainer.get("/console/training"))


async def test_two_trainers_at_once_never_have_the_same_group(database: Database) -> None:
    for number in range(6):
        await write_talk(database, [Said(f"{'甲乙丙丁戊己'[number] * 5}说的话", "inform", 0.2), Said("好")])
    people = []
    async with database.session() as session:
        from followup.console import accounts

        for name in ("甲", "乙", "丙"):
            user, _ = await accounts.create(session, name, "trainer", "a long enough one")
            people.append(Staff(user.id, name, "trainer", ""))

    async def work(who: Staff) -> tuple[int, ...]:
        async with database.session() as session:
            found = groups((line.id, line.text) for line in await undecided(session, NOW, days=30))
            return await take(session, who, found, None, NOW)

    for _ in range(5):
        got = await asyncio.gather(*(work(who) for who in people))
        assert all(got) and len({number for ids in got for number in ids}) == sum(map(len, got))
    async with database.session() as session:
        with pytest.raises(Taken, match="甲"):
            await decide(session, people[1], got[0], Decision("ignored"), NOW)
    async with database.session() as session:  # ten minutes later it is free again
        await decide(session, people[1], got[0], Decision("ignored"), NOW + CLAIMED_FOR)
    async with database.session() as session:
        with pytest.raises(Taken):
            await decide(session, people[0], got[0], Decision("ignored"), NOW + CLAIMED_FOR)


async def test_a_colleague_sees_who_has_the_group(enter: Enter, database: Database) -> None:
    one, two = await enter("trainer", "训练师甲"), await enter("supervisor")
    written = await shaking(database)
    path = f"/console/training/groups/{written[0].messages[-1]}"
    await one.get(path)
    assert "训练师甲正在处理" in text_of(await two.get("/console/training"))
    assert "训练师甲正在处理这一组" in text_of(await two.get(path))
    assert await two.get("/console/training/next", status=303) == ""
    await two.post(path, status=409, **decision(written, act="ignored"))


async def test_an_auditor_reads_and_takes_nothing(enter: Enter, database: Database) -> None:
    auditor, written = await enter("auditor"), await shaking(database)
    page = await auditor.get(f"/console/training/groups/{written[0].messages[-1]}")
    assert "1381234567" not in page and 'name="act"' not in page
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(InboxClaim)) == 0


# —— examples ——————————————————————————————————————————————————————————


async def test_examples_are_counted_found_added_edited_moved_and_deleted(enter: Enter, database: Database) -> None:
    trainer = await enter("trainer")
    add, one = "/console/training/examples", "/console/training/examples/one"
    await trainer.post(add, text="价格很公道", intent="satisfied")
    await trainer.post(one, old="服务态度特别好", old_intent="satisfied", text="服务特别周到", intent="satisfied")
    await trainer.post(one, old="价格很公道", old_intent="satisfied", text="价格很公道", intent="dissatisfied")
    await trainer.post(one, old="挺满意的", old_intent="satisfied", act="delete")
    assert await changes(database) == [
        ("add", "价格很公道", "satisfied"),
        ("edit", "服务态度特别好", "satisfied", "服务特别周到"),
        ("move", "价格很公道", "satisfied", "dissatisfied"),
        ("delete", "挺满意的", "satisfied"),
    ]
    shown = text_of(await trainer.get(f"{add}?intent=dissatisfied"))
    assert "价格很公道 新改动" in shown and "不满意（2）" in shown and "满意（1）" in shown
    assert "服务特别周到" in await trainer.get(f"{add}?q=周到")
    await trainer.post(one, status=409, old="挺满意的", old_intent="satisfied", text="很满意", intent="satisfied")


@pytest.mark.parametrize(
    ("text", "intent", "said"),
    [
        ("师傅手艺真不错啊！", "satisfied", "固定测试句"),
        ("挺满意的。", "dissatisfied", "别的意图里已经有同一句话"),
        ("挺满意的", "satisfied", "已经有这句话"),
        ("打13987654321", "satisfied", "个人信息"),
        ("价格很公道", "nonsense", "没有这个意图"),
    ],
)
async def test_what_may_not_be_trained_on_is_refused_with_the_reason(enter: Enter, database: Database, text: str, intent: str, said: str) -> None:
    trainer = await enter("trainer")
    assert said in text_of(await trainer.post("/console/training/examples", status=400, text=text, intent=intent))
    assert await changes(database) == []


async def test_what_is_near_is_shown_while_typing(enter: Enter) -> None:
    trainer = await enter("trainer")
    shown = text_of(await trainer.get("/console/training/examples/check?text=挺满意的呀&intent=dissatisfied"))
    assert "别的意图里有很像的" in shown and "挺满意的" in shown
    assert "没有相近的例句" in text_of(await trainer.get("/console/training/examples/check?text=今天天气不错&intent=satisfied"))


async def test_two_who_add_the_same_line_at_once_add_it_once(enter: Enter, database: Database) -> None:
    one, two = await enter("trainer"), await enter("supervisor")

    async def add(browser: Browser) -> int:
        data = {"csrf": browser.csrf, "text": "价格很公道", "intent": "satisfied"}
        async with browser.client.post("/console/training/examples", data=data, allow_redirects=False) as answer:
            return answer.status

    assert sorted(await asyncio.gather(add(one), add(two))) == [303, 400]
    assert len(await changes(database)) == 1


# —— handing in, export, import ——————————————————————————————————————————————


async def test_handing_in_is_one_commit_of_ones_own_changes(enter: Enter, database: Database, project: Path) -> None:
    trainer, other = await enter("trainer", "训练师甲"), await enter("supervisor")
    await trainer.post("/console/training/examples", text="价格很公道", intent="satisfied")
    await other.post("/console/training/examples", text="离合器发硬", intent="dissatisfied")
    there = await trainer.post("/console/training/hand-in")
    head = git(project, "rev-parse", "HEAD").strip()
    assert there == f"/console/training/changes?done={head[:12]}"
    assert git(project, "log", "-1", "--format=%an|%s").strip() == "训练师甲|例句：添加 1 句"
    now = (project / "data" / "nlu" / "a.yml").read_text("utf-8")
    assert "    # 中间的注释\n    - [服务态度](aspect)特别好\n    - 价格很公道\n" in now and "# 顶上的注释" in now and "离合器" not in now
    assert await changes(database) == [("add", "离合器发硬", "dissatisfied")]
    assert head[:12] in await trainer.get("/console/training/changes")
    await trainer.post("/console/training/hand-in", status=400)


async def test_where_it_cannot_be_committed_there_is_a_patch_and_the_changes_stay(enter: Enter, database: Database, project: Path) -> None:
    trainer = await enter("trainer")
    await trainer.post("/console/training/examples", text="价格很公道", intent="satisfied")
    (project / ".git").rename(project.parent / "elsewhere")
    assert "下载补丁" in text_of(await trainer.post("/console/training/hand-in", status=409))
    body = await trainer.get("/console/training/changes.patch")
    assert await changes(database) == [("add", "价格很公道", "satisfied")]
    (project.parent / "elsewhere").rename(project / ".git")
    subprocess.run(["git", "-C", str(project), "apply"], input=body.encode(), check=True)
    # Merged by hand: handing in finds everything there.
    assert await trainer.post("/console/training/hand-in") == "/console/training/changes?done=there"
    assert await changes(database) == []


async def test_only_ones_own_changes_can_be_undone(enter: Enter, database: Database) -> None:
    trainer, other = await enter("trainer"), await enter("supervisor")
    await trainer.post("/console/training/examples", text="价格很公道", intent="satisfied")
    async with database.session() as session:
        number = await session.scalar(select(ExampleChange.id))
    await other.post(f"/console/training/changes/{number}/undo", status=404)
    await trainer.post(f"/console/training/changes/{number}/undo")
    assert await changes(database, "withdrawn") == [("add", "价格很公道", "satisfied")]


async def upload(browser: Browser, name: str, content: bytes, status: int = 200) -> str:
    form = aiohttp.FormData()
    form.add_field("csrf", browser.csrf)
    form.add_field("file", content, filename=name)
    async with browser.client.post("/console/training/import", data=form) as answer:
        text = await answer.text()
        assert answer.status == status, text[:500]
        return text


@pytest.mark.parametrize("kind", ["yml", "xlsx"])
async def test_what_is_exported_can_be_imported_and_brings_nothing_new(enter: Enter, database: Database, kind: str) -> None:
    trainer = await enter("trainer")
    await trainer.post("/console/training/examples", text="价格很公道", intent="satisfied")
    async with trainer.client.get(f"/console/training/examples.{kind}") as answer:
        content = await answer.read()
    if kind == "xlsx":
        rows = list(load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))
        assert rows[0] == ("意图", "例句") and ("satisfied", "价格很公道") in rows
    assert "0 句可以导入，5 句不导入" in text_of(await upload(trainer, f"a.{kind}", content))


async def test_an_import_is_checked_first_and_takes_only_what_is_good(enter: Enter, database: Database) -> None:
    trainer = await enter("trainer")
    lines = ["坐着很舒服", "打13987654321", "坐着很舒服", "师傅手艺真不错啊"]
    content = "version: '3.1'\nnlu:\n- intent: satisfied\n  examples: |\n" + "".join(f"    - {line}\n" for line in lines)
    page = await upload(trainer, "a.yml", content.encode())
    assert "1 句可以导入，2 句不导入" in text_of(page)
    assert await changes(database) == []
    await trainer.post("/console/training/import/take", payload='[["坐着很舒服", "satisfied"], ["打13987654321", "satisfied"]]')
    assert await changes(database) == [("add", "坐着很舒服", "satisfied")]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nothing", b"nlu: 7", b"\xff\xfe", b"nlu:\n- intent: [", b"- a\n- b"])
async def test_a_file_that_is_none_is_refused_in_chinese(enter: Enter, content: bytes) -> None:
    assert "读不出来" in text_of(await upload(await enter("trainer"), "a.yml", content, 400))


async def test_a_question_that_is_asked_again_after_the_inbox_was_looked_at_is_found_the_next_time(database: Database) -> None:
    again = asked_again_words()[0].rstrip("%") + "，好吗？"

    async def found() -> list[int]:
        async with database.session() as session:
            return [line.id for line in await undecided(session, NOW, days=30)]

    first = await write_talk(database, [Said("嗯呐那个", "consent", 0.9, reply=again), Said("好的", "consent")])
    assert await found() == [first.messages[0]]
    later = await write_talk(database, [Said("那个啥", "consent", 0.9, reply=again), Said("好的", "consent")], phone="13812345679")
    assert await found() == [later.messages[0], first.messages[0]]

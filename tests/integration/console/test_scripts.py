"""Scripts in the browser: written by one, published by another; talks that run keep what they began with."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from sqlalchemy import select, text as sql
from sqlalchemy.exc import DBAPIError

from followup.console.audit import AuditEntry
from followup.scripts import load, published
from followup.store import published as watcher
from followup.store import records
from followup.store.database import Database
from followup.store.script_models import PublishedScript, ScriptDraft
from tests.integration.console.conftest import Browser, text_of

Enter = Callable[..., Awaitable[Browser]]
SCRIPT = "fruit_order"
PAGE = f"/console/scripts/script/{SCRIPT}"
OLD, NEW = "请问您收到的{product}怎么样呢？", "请问收到的{product}您还满意吗？"
FILE = published.file_text(load.find(SCRIPT))


@pytest_asyncio.fixture
async def author(enter: Enter) -> Browser:
    return await enter("trainer", "小训")


@pytest_asyncio.fixture
async def reviewer(enter: Enter) -> Browser:
    return await enter("supervisor", "主管王")


async def row_of(database: Database, draft: str) -> ScriptDraft:
    async with database.session() as session:
        return await session.get_one(ScriptDraft, int(draft.rpartition("/")[2]))


async def begin(author: Browser, page: str = PAGE) -> str:
    return await author.post(f"{page}/edit")


async def write(author: Browser, database: Database, draft: str, text: str, do: str = "submit", status: int = 303) -> str:
    seen = (await row_of(database, draft)).version
    return await author.post(draft, status, do=do, text=text, note="换个问法", seen=seen)


async def publish(reviewer: Browser, database: Database, draft: str, status: int = 303) -> str:
    return await reviewer.post(f"{draft}/publish", status, seen=(await row_of(database, draft)).version, reason="")


async def published_rows(database: Database) -> list[PublishedScript]:
    async with database.session() as session:
        return list(await session.scalars(select(PublishedScript).order_by(PublishedScript.id)))


async def published_once(author: Browser, reviewer: Browser, database: Database, text: str = FILE.replace(OLD, NEW)) -> str:
    draft = await begin(author)
    await write(author, database, draft, text)
    await publish(reviewer, database, draft)
    return draft


async def test_what_one_writes_and_another_publishes_is_what_new_talks_begin_with(author: Browser, reviewer: Browser, database: Database):
    async with database.session() as session:
        revision = await records.save_revision(session, SCRIPT, "1", load.content(SCRIPT))
        contact = await records.create_contact(session, name="王", title="先生")
        running = await records.create_case(session, contact, revision, {})
    draft = await begin(author)
    assert await write(author, database, draft, FILE.replace(OLD, NEW)) == f"{draft}?told=submitted"
    assert load.load_script(SCRIPT).questions[0].ask == OLD  # not before somebody has looked at it
    assert NEW in text_of(await reviewer.get(draft))
    assert await publish(reviewer, database, draft) == f"{PAGE}?told=published"
    assert load.load_script(SCRIPT).questions[0].ask == NEW
    async with database.session() as session:
        case = await records.load_case(session, running)
        assert case.script["script"]["questions"][0]["ask"] == OLD
        actions = list(await session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("script.%")).order_by(AuditEntry.id)))
    assert actions == ["script.begin", "script.save", "script.submit", "script.publish"]
    shown = text_of(await author.get(PAGE))
    assert NEW in shown and "小训写，主管王审核" in shown


async def test_nobody_publishes_what_they_wrote_themselves(reviewer: Browser, enter: Enter, database: Database):
    draft = await begin(reviewer)
    await write(reviewer, database, draft, FILE.replace(OLD, NEW))
    assert "自己写的，要请另一位同事审核" in await publish(reviewer, database, draft, 409)
    assert await published_rows(database) == []
    other = await enter("admin")
    await publish(other, database, draft)
    assert len(await published_rows(database)) == 1


async def test_only_who_may_reviews_and_only_who_may_writes(author: Browser, enter: Enter, database: Database):
    draft = await begin(author)
    await write(author, database, draft, FILE.replace(OLD, NEW))
    other = await enter("trainer", "另一位")
    await other.post(f"{draft}/publish", 403, seen=2)
    assert "只有作者本人能改这份草稿" in await write(other, database, draft, "id: x", status=409)
    auditor, agent = await enter("auditor"), await enter("agent")
    await auditor.get(draft)
    await auditor.post(f"{PAGE}/edit", 403)
    await agent.get("/console/scripts", 403)
    assert (await row_of(database, draft)).state == "review"


async def test_what_has_errors_is_kept_but_goes_to_nobody(author: Browser, reviewer: Browser, database: Database):
    draft = await begin(author)
    wrong = FILE.replace(OLD, "请问{prodct}怎么样？")
    assert "内容里还有错误" in await write(author, database, draft, wrong, status=400)
    row = await row_of(database, draft)
    assert (row.state, row.text) == ("draft", wrong)
    shown = text_of(await author.get(draft))
    assert "变量 {prodct} 没有说明过" in shown
    assert "变量 {prodct} 没有说明过" in text_of(await author.post(f"{draft}/check", 200, text=wrong))


async def test_a_rejected_draft_comes_back_with_the_reason(author: Browser, reviewer: Browser, database: Database):
    draft = await begin(author)
    await write(author, database, draft, FILE.replace(OLD, NEW))
    seen = (await row_of(database, draft)).version
    assert "请写明原因" in await reviewer.post(f"{draft}/reject", 409, seen=seen, reason="")
    await reviewer.post(f"{draft}/reject", seen=seen, reason="太长了")
    assert "太长了" in text_of(await author.get(draft))
    await write(author, database, draft, FILE.replace(OLD, "满意吗？"))
    assert (await row_of(database, draft)).state == "review"


async def test_what_others_published_meanwhile_is_shown_and_put_together(author: Browser, reviewer: Browser, enter: Enter, database: Database):
    mine = await begin(author)
    await write(author, database, mine, FILE.replace("name: 水果订单售后回访", "name: 水果回访"))
    await published_once(await enter("trainer", "另一位"), reviewer, database)
    assert "有同事发布了新的内容" in await publish(reviewer, database, mine, 409)
    await author.post(f"{mine}/back")
    page = text_of(await author.get(mine))
    assert "有同事先发布了" in page and NEW in page
    assert await author.post(f"{mine}/merge", seen=(await row_of(database, mine)).version) == f"{mine}?told=merged"
    merged = (await row_of(database, mine)).text
    assert NEW in merged and "name: 水果回访" in merged
    await write(author, database, mine, merged)
    await publish(reviewer, database, mine)
    assert load.load_script(SCRIPT).name == "水果回访"


async def test_two_changes_of_one_sentence_are_left_to_the_author_and_nothing_is_lost(author: Browser, reviewer: Browser, enter: Enter, database: Database):
    mine, own = await begin(author), FILE.replace(OLD, "满意吗？")
    await write(author, database, mine, own, do="save")
    await published_once(await enter("trainer", "另一位"), reviewer, database)
    assert await author.post(f"{mine}/merge", seen=(await row_of(database, mine)).version) == f"{mine}?told=kept"
    assert (await row_of(database, mine)).text == own
    assert NEW in text_of(await author.get(mine))  # as what this draft would take away


async def test_what_was_written_in_a_second_window_is_not_saved_over(author: Browser, database: Database):
    draft = await begin(author)
    seen = (await row_of(database, draft)).version
    await author.post(draft, do="save", text=FILE.replace(OLD, NEW), note="", seen=seen)
    page = await author.post(draft, 409, do="save", text=FILE.replace(OLD, "另一种写法？"), note="", seen=seen)
    assert "没有保存" in page and "另一种写法？" in page
    assert NEW in (await row_of(database, draft)).text


async def test_one_person_goes_back_to_an_older_text_with_a_reason(author: Browser, reviewer: Browser, database: Database):
    await published_once(author, reviewer, database)
    (first,) = await published_rows(database)
    await author.post(f"{PAGE}/again", 403, publication=0, seen=first.id, reason="x")
    assert "请写明原因" in await reviewer.post(f"{PAGE}/again", 400, publication=0, seen=first.id, reason="")
    await reviewer.post(f"{PAGE}/again", publication=0, seen=first.id, reason="客户听不懂")
    assert load.load_script(SCRIPT).questions[0].ask == OLD
    assert "请看最新的内容" in await reviewer.post(f"{PAGE}/again", 409, publication=first.id, seen=first.id, reason="又要")
    newest = (await published_rows(database))[-1]
    await reviewer.post(f"{PAGE}/again", publication=first.id, seen=newest.id, reason="还是新的好")
    assert load.load_script(SCRIPT).questions[0].ask == NEW
    assert [row.again for row in await published_rows(database)] == [None, None, first.id]
    for row in (0, first.id, newest.id):
        await reviewer.get(f"{PAGE}/versions/{row}")


async def test_what_was_published_cannot_be_changed_or_deleted(author: Browser, reviewer: Browser, database: Database):
    await published_once(author, reviewer, database)
    for statement in ("UPDATE published_scripts SET text = ''", "DELETE FROM published_scripts"):
        with pytest.raises(DBAPIError, match="only grows"):
            async with database.session() as session:
                await session.execute(sql(statement))


async def test_a_file_that_an_upgrade_changed_is_told(author: Browser, reviewer: Browser, database: Database, monkeypatch: pytest.MonkeyPatch):
    await published_once(author, reviewer, database)
    assert "安装的文件变了" not in await author.get(PAGE)
    real = published.file_text
    monkeypatch.setattr(published, "file_text", lambda path: real(path).replace("红啤梨", "皇冠梨"))
    page = await author.get(PAGE)
    assert "安装的文件变了" in page and load.load_script(SCRIPT).questions[0].ask == NEW
    assert "安装的文件变了" in await author.get("/console/scripts")


async def test_another_process_notices_within_seconds(author: Browser, reviewer: Browser, database: Database):
    await published_once(author, reviewer, database)
    watcher.forget()  # as a process that has not looked yet
    assert load.load_script(SCRIPT).questions[0].ask == OLD
    async with asyncio.timeout(60):
        while load.load_script(SCRIPT).questions[0].ask != NEW:
            await asyncio.sleep(0.05)


async def test_a_sentence_of_the_form_goes_into_the_text_with_its_comments(author: Browser, database: Database):
    draft = await begin(author)
    sent = {"form": "1", "text": FILE, "field:questions/0/ask": NEW}
    answer = await author.post(f"{draft}/check", 200, **sent)
    (text,) = re.findall(r'(?s)<textarea id="text"[^>]*>\n(.*?)</textarea>', answer)
    assert text == FILE.replace(OLD, NEW).replace("&", "&amp;").replace('"', "&#34;").replace(">", "&gt;").replace("'", "&#39;")
    await author.post(draft, do="fields", note="", seen=0, **{name: value for name, value in sent.items() if name != "form"})
    assert (await row_of(database, draft)).text == FILE.replace(OLD, NEW)


@pytest.mark.parametrize("page", ["/console/scripts/shared/_shared", "/console/scripts/knowledge/invoice", "/console/scripts/knowledge/_company"])
async def test_shared_wording_and_answers_go_the_same_way(author: Browser, reviewer: Browser, database: Database, page: str):
    draft = await begin(author, page)
    row = await row_of(database, draft)
    await write(author, database, draft, f"# 改过\n{row.text}")
    await publish(reviewer, database, draft)
    assert [(one.kind, one.script_id, one.text[:4]) for one in await published_rows(database)] == [(row.kind, row.script_id, "# 改过")]
    await author.get(page)


async def test_anchors_that_grow_without_end_cost_nothing(author: Browser, database: Database):
    draft = await begin(author)
    laughs = "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20))
    async with asyncio.timeout(60):
        assert "不支持锚点" in await author.post(f"{draft}/check", 200, text=laughs)
        await author.post(f"{draft}/try", 200, text=laughs, do="again")

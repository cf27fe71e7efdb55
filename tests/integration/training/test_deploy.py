"""Promoting and rolling back: who may, what is refused with which words, what is audited, what is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from followup import clock
from followup.console.permissions import Staff
from followup.settings import PROJECT_DIR
from followup.store.database import Database
from followup.store.models import Message, User
from followup.store.records import create_case, create_contact, save_revision
from followup.store.staff_models import AuditEntry
from followup.store.training_models import ModelDeployment, ModelServer, ModelVersion
from followup.supervise.model import code_hash
from followup.training import deploy, versions
from followup.training.labels import Refused


async def made(database: Database, *, state: str = "ready", code: str = "", report: dict[str, object] | None = None) -> int:
    async with database.session() as session:
        row = ModelVersion(
            state=state, code_hash=code or code_hash(PROJECT_DIR), digest=versions.digest_of(b"x"), archive=b"x", size=1, report=report
        )
        session.add(row)
        await session.flush()
        return row.id


async def staff(database: Database, role: str) -> Staff:
    async with database.session() as session:
        user = User(name=f"{role} one", password_hash="x", role=role)
        session.add(user)
        await session.flush()
        return Staff(user.id, user.name, role, "")


async def promoted(database: Database, version: int, who: Staff | None = None, reason: str = "") -> int:
    async with database.session() as session:
        return await deploy.promote(session, who, version, reason)


async def rolled_back(database: Database, who: Staff | None = None, reason: str = "不行") -> int:
    async with database.session() as session:
        await deploy.rollback(session, who, reason)
    return await wanted(database)


async def wanted(database: Database) -> int:
    async with database.session() as session:
        found = await versions.wanted(session)
    assert found is not None
    return found.version


async def test_a_promotion_is_wanted_everywhere_and_audited(database: Database) -> None:
    version, who = await made(database), await staff(database, "supervisor")
    await promoted(database, version, who)
    assert await wanted(database) == version
    async with database.session() as session:
        entry = (await session.scalars(select(AuditEntry))).one()
    assert (entry.action, entry.object_id, entry.user_id) == ("model.promote", str(version), who.id)


@pytest.mark.parametrize("role", ["trainer", "agent", "auditor"])
async def test_only_supervisors_decide_what_is_live(database: Database, role: str) -> None:
    version, who = await made(database), await staff(database, role)
    with pytest.raises(Refused, match="只有主管和管理员"):
        await promoted(database, version, who)
    with pytest.raises(Refused, match="只有主管和管理员"):
        await rolled_back(database, who)


async def test_a_blocked_version_needs_a_reason_and_the_override_is_audited(database: Database) -> None:
    version = await made(database, state="blocked", report={"blocked": ["正确率下降。"]})
    who = await staff(database, "supervisor")
    with pytest.raises(Refused, match="没有通过比较：正确率下降。"):
        await promoted(database, version, who, " ")
    await promoted(database, version, who, "客户投诉多，先上")
    async with database.session() as session:
        row = (await session.scalars(select(ModelDeployment))).one()
        entry = (await session.scalars(select(AuditEntry))).one()
    assert row.overridden and row.reason == "客户投诉多，先上"
    assert entry.detail == {"reason": "客户投诉多，先上", "overridden": True}


@pytest.mark.parametrize("state", ["failed", "cancelled"])
async def test_what_did_not_become_a_model_cannot_go_live(database: Database, state: str) -> None:
    version = await made(database, state=state)
    with pytest.raises(Refused, match="不能上线"):
        await promoted(database, version)


async def test_a_model_of_older_code_is_refused(database: Database) -> None:
    version = await made(database, code="older")
    with pytest.raises(Refused, match="旧版程序"):
        await promoted(database, version)


async def test_twice_is_refused_unless_a_machine_did_not_take_it(database: Database) -> None:
    version = await made(database)
    first = await promoted(database, version)
    with pytest.raises(Refused, match="已经在线上"):
        await promoted(database, version)
    async with database.session() as session:
        session.add(ModelServer(id="m", name="m", state="failed", deployment_id=first, error="没有接手"))
    assert await promoted(database, version) > first


async def test_the_first_promotion_can_be_rolled_back_to_what_it_was_compared_with(database: Database) -> None:
    files = await made(database)
    version = await made(database, report={"compared_with": files})
    await promoted(database, version)
    assert await rolled_back(database) == files
    with pytest.raises(Refused, match="没有更早的版本"):
        await rolled_back(database)


async def test_two_rollbacks_go_back_two(database: Database) -> None:
    first, second, third = [await made(database) for _ in range(3)]
    for version in (first, second, third):
        await promoted(database, version)
    assert [await rolled_back(database), await rolled_back(database)] == [second, first]


async def test_a_rollback_needs_a_reason(database: Database) -> None:
    with pytest.raises(Refused, match="请写明原因"):
        await rolled_back(database, reason=" ")


async def test_old_bytes_go_and_rows_stay(database: Database) -> None:
    old, before, live, *newer = [await made(database) for _ in range(6)]
    for version in (old, before, live):
        await promoted(database, version)
    async with database.session() as session:
        await session.execute(update(ModelDeployment).values(at=clock.now() - timedelta(days=200)))
    async with database.session() as session:
        await versions.clean_up(session, clock.now(), keep=1, live_days=90)
    async with database.session() as session:
        kept = set(await session.scalars(select(ModelVersion.id).where(ModelVersion.archive.is_not(None))))
        assert len(list(await session.scalars(select(ModelVersion.id)))) == 6
    assert kept == {before, live, newer[-1]}, "what is live, where a rollback goes, and the newest"
    with pytest.raises(Refused, match="已经按保留规则清理"):
        await promoted(database, old)


async def test_what_was_live_lately_keeps_its_bytes(database: Database) -> None:
    first, second, third, newest = [await made(database) for _ in range(4)]
    for version in (first, second, third):
        await promoted(database, version)
    async with database.session() as session:
        assert await versions.clean_up(session, clock.now(), keep=1, live_days=90) == 0


async def test_a_report_shows_a_customers_line_until_it_is_erased(database: Database) -> None:
    async with database.session() as session:
        contact = await create_contact(session, name="王", title="先生")
        case = await create_case(session, contact, await save_revision(session, "tea", "1", {"id": "tea"}))
        row = Message(case_id=case, direction="in", channel="web", channel_message_id="1", text="我在忙着呢", status="handled")
        session.add(row)
        await session.flush()
        message = row.id
    flip = {"message_id": message, "intent": "busy", "live": ["wait", 0.5], "candidate": ["busy", 0.9], "better": True, "set": "corrected"}
    version = await made(database, report={"corrected": {"flips": [flip]}, "frozen": {"flips": []}})
    async with database.session() as session:
        told = await deploy.report(session, version)
        assert told is not None and told["corrected"]["flips"][0]["text"] == "我在忙着呢"
        assert (await deploy.versions(session))[0].better == 1
        (await session.get_one(Message, message)).text = ""
    async with database.session() as session:
        told = await deploy.report(session, version)
        assert told is not None and told["corrected"]["flips"][0]["text"] == ""

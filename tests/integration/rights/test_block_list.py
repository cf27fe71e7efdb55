"""A list of numbers that must not be contacted: taken in as a whole, each number once, whoever else adds it meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from followup.rights import block
from followup.console.audit import entry_of
from followup.rights.erase import erase_customer
from followup.store import records
from followup.store.database import Database
from followup.store.models import Callback, DoNotContact

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


async def take(database: Database, *numbers: str) -> tuple[int, int]:
    async with database.session() as session:
        return await block.block_all(session, [(number, "总部名单") for number in numbers], None, AT)


async def standing(database: Database) -> list[str | None]:
    async with database.session() as session:
        return list(await session.scalars(select(DoNotContact.phone).order_by(DoNotContact.id)))


async def test_each_number_is_added_once_and_in_its_order(database: Database) -> None:
    assert await take(database, "13900139000", "138-0013-8000", "13900139000") == (2, 1)
    assert await take(database, "13800138000", "13700137000") == (1, 1)
    assert await standing(database) == ["13900139000", "13800138000", "13700137000"]


async def test_an_empty_list_adds_nothing(database: Database) -> None:
    assert await take(database) == (0, 0)


@pytest.mark.parametrize(("line", "key"), [(("12", "坏的"), "bad_phone"), (("13800138000", "  "), "no_reason")])
async def test_a_list_with_a_line_that_cannot_be_taken_adds_nothing(database: Database, line: tuple[str, str], key: str) -> None:
    with pytest.raises(block.BlockError, match=key):
        async with database.session() as session:
            await block.block_all(session, [("13900139000", "总部名单"), line], None, AT)
    assert await standing(database) == []


async def test_a_number_that_was_lifted_is_added_again_and_one_of_an_erased_customer_is_known(database: Database) -> None:
    async with database.session() as session:
        contact = await records.create_contact(session, name="王芳", phone="13900139000")
        await block.block_contact(session, contact, "退订", None, AT)
        lifted = await block.block_phone(session, "13800138000", "来电", None, AT)
        lifted.lifted_at = AT
        entry = entry_of(None, "customer.erase", "contact", contact)
        session.add(entry)
        await session.flush()
        await erase_customer(session, contact, entry.id, AT)
    assert await take(database, "13800138000", "13900139000") == (1, 1)


async def test_a_booked_call_back_of_who_is_on_it_is_off_and_nobody_elses(database: Database) -> None:
    async with database.session() as session:
        revision = await records.save_revision(session, "tea", "1", {"id": "tea", "questions": []})
        for phone in ("13800138000", "13900139000"):
            contact = await records.create_contact(session, name="王芳", phone=phone)
            case_id = await records.create_case(session, contact, revision)
            session.add(Callback(case_id=case_id, at=AT + timedelta(days=1), words="", reason="busy", status="booked"))
    await take(database, "13800138000")
    async with database.session() as session:
        assert list(await session.scalars(select(Callback.status).order_by(Callback.id))) == ["cancelled", "booked"]


async def test_lists_and_single_numbers_at_once_add_no_number_twice(database: Database) -> None:
    numbers = [f"1390013{number:04d}" for number in range(60)]

    async def single(number: str) -> None:
        try:
            async with database.session() as session:
                await block.block_phone(session, number, "来电", None, AT)
        except block.BlockError as error:
            assert error.key == "already"

    await asyncio.gather(take(database, *numbers), *map(single, numbers[:20]), take(database, *reversed(numbers)), *map(single, numbers[40:]))
    assert sorted(filter(None, await standing(database))) == numbers

"""A case to write records for."""

import pytest_asyncio

from followup.store import records
from followup.store.database import Database


@pytest_asyncio.fixture
async def case_id(database: Database) -> str:
    async with database.session() as session:
        contact = await records.create_contact(session, name="王强", title="先生", phone="13800000001")
        revision = await records.save_revision(session, "tea", "1", {"id": "tea", "questions": []})
        return await records.create_case(session, contact, revision, {"product": "龙井"})

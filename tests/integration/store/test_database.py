"""What an error of the database tells."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from followup.store.database import Database


async def test_an_error_does_not_repeat_what_the_customer_said(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.session() as session:
            await session.execute(text("INSERT INTO nowhere (words) VALUES (:words)"), {"words": "我住在和平路"})
    assert "和平路" not in str(caught.value)

"""What a customer system reads of two versions compared."""

from __future__ import annotations

from sqlalchemy import select, text

from followup.store.database import Database
from followup.store.models import Case
from tests.integration.api.test_api import AT, Api, api, client  # noqa: F401 - fixtures
from tests.integration.console.made_up_comparison import a_campaign


async def test_both_versions_are_read_beside_each_other_as_the_console_counts_them(api: Api, database: Database) -> None:  # noqa: F811
    campaign = await a_campaign(database, AT)
    found = await api.call("GET", f"/campaigns/{campaign}/comparisons")
    going, before = found["comparisons"]
    a, b = going["versions"]["A"], going["versions"]["B"]
    assert (found["campaign"], going["chosen"], before["chosen"], before["versions"]["A"]["invited"]) == ("签收回访", None, "A", 0)
    assert a["invited"] + b["invited"] == 120 and a["opened"] + b["opened"] == 96
    assert b["completed"] / b["invited"] > a["completed"] / a["invited"]
    assert going["p"]["completed"] < 0.05 < going["p"]["opened"]


async def test_a_customers_talk_says_by_which_version_it_is_held(api: Api, database: Database) -> None:  # noqa: F811
    await a_campaign(database, AT, people=12)
    async with database.session() as session:
        await session.execute(text("UPDATE contacts SET external_id = 'C' || id"))
        sides = dict(map(tuple, await session.execute(select(Case.contact_id, Case.side))))
    for contact, side in sides.items():
        (talk,) = (await api.call("GET", f"/contacts/C{contact}/result"))["talks"]
        assert talk["version"] == {"first": "A", "second": "B"}[side]


async def test_a_campaign_that_there_is_not_is_not_found(api: Api) -> None:  # noqa: F811
    for number in ("1", "9" * 30):
        await api.call("GET", f"/campaigns/{number}/comparisons", status=404)

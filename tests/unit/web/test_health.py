import asyncio

from followup.web.health import Health, Unwell


async def well() -> str:
    return "ok"


async def test_everything_well_is_ok():
    report = await Health({"database": well, "rasa": well}).report()
    assert report.ok
    assert report.parts == {"database": "ok", "rasa": "ok"}


async def test_the_part_that_fails_is_named():
    async def away() -> str:
        raise Unwell("no worker is alive")

    report = await Health({"database": well, "worker": away}).report()
    assert not report.ok
    assert report.parts == {"database": "ok", "worker": "no worker is alive"}


async def test_an_address_is_not_shown():
    async def away() -> str:
        raise OSError("cannot connect to 10.0.0.5")

    assert (await Health({"rasa": away}).report()).parts == {"rasa": "not reachable"}


async def test_a_crowd_that_asks_costs_one_check():
    asked = 0

    async def count() -> str:
        nonlocal asked
        asked += 1
        return "ok"

    health = Health({"database": count})
    await asyncio.gather(*(health.report() for _ in range(20)))
    assert asked == 1


async def test_a_part_that_hangs_does_not_hang_the_answer(monkeypatch):
    monkeypatch.setattr("followup.web.health._TIMEOUT_SECONDS", 0.01)

    async def hang() -> str:
        await asyncio.sleep(60)
        return "ok"

    assert (await Health({"rasa": hang}).report()).parts == {"rasa": "no answer in time"}

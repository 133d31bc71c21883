"""Readings of rows that nobody should have written: a number on two shards, times without end."""

import pytest

from kit.base import db

from . import doors
from .one_shard import award


@pytest.fixture
def elsewhere(database, shards, till):
    """A till on another shard that gives the same account value."""
    other = doors.Till(database, next(shards))
    other.account = till.account
    return other


async def test_a_number_with_value_on_two_shards_is_read_by_the_part_that_is_named(
    door, till, elsewhere
):
    await till.post(till.buy(award(100)), till.spend(30))
    await elsewhere.post(elsewhere.buy(award(5)))
    account = f"/v1/accounts/{till.account}"
    paths = ("balance", "lots", "statement", "lots/4096", "entries/1/proof")
    for path in paths:
        answer = await door(f"{account}/{path}")
        told = answer.json()
        assert (answer.status_code, told["code"]) == (409, "account-on-many-shards"), path
        assert told["shards"] == [till.shard, elsewhere.shard]
        assert f"shards {till.shard}, {elsewhere.shard}: name one with ?shard=" in told["detail"]
        assert "شارد" in told["fa"]
    for one, points in ((till, 70), (elsewhere, 5)):
        part = f"shard={one.shard}"
        found = (await door(f"{account}/balance?{part}")).json()
        assert (found["shard"], found["points"]) == (one.shard, points)
        lots = (await door(f"{account}/lots?{part}")).json()["items"]
        assert [lot["remaining"] for lot in lots] == [points]
        told = (await door(f"{account}/lots/{lots[0]['lot']}?{part}")).json()
        assert (told["shard"], told["lot"]["remaining"]) == (one.shard, points)
        entries = (await door(f"{account}/statement?{part}")).json()
        assert (entries["shard"], entries["items"][0]["balance"]) == (one.shard, points)
        assert (await door(f"{account}/entries/1/proof?{part}")).json()["shard"] == one.shard
    nothing = (await door(f"{account}/balance?shard=32767")).json()
    assert (nothing["shard"], nothing["points"]) == (None, 0)
    answer = await door(f"{account}/balance?shard=x")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-number")


@pytest.mark.parametrize("kept", ["infinity", "-infinity"])
async def test_rows_with_times_without_end_are_read_by_every_door(door, till, dsn, owner_dsn, kept):
    """As a till wrote them that sent DateTime.MinValue, before the bound of S1."""
    party = 30_000 + till.shard  # nobody else's points
    given = [till.buy(award(points, issuer=party)) for points in (100, 40)]
    await till.post(*given, till.spend(30))
    owner = await db.connect(owner_dsn(dsn))
    for column in ("born_at", "expires_at", "available_from"):
        await owner.execute(
            f"update lots set {column} = $2::text::timestamptz where shard = $1", till.shard, kept
        )
    await owner.close()
    account = f"/v1/accounts/{till.account}"
    lots = (await door(f"{account}/lots")).json()["items"]
    year = "0002-01-01" if kept.startswith("-") else "9998-12-31"
    for lot in lots:
        for name in ("born_at", "expires_at", "available_from"):
            assert lot[name].startswith(year)
            assert lot[name].endswith("Z")
    paths = ("balance", "lots?which=all", "statement", f"lots/{lots[0]['lot']}")
    for path in (*[f"{account}/{one}" for one in paths], f"/v1/vintages?issuer={party}"):
        answer = await door(path)
        assert answer.status_code == 200, (path, answer.text)

"""What an account sent and what neither arrived nor came back: now, then, and in the vintages."""

from datetime import timedelta

import pytest

from contracts.ledger import IssueValue
from contracts.value import AccountStatus, SendValue, SetStanding
from contracts.values import Unit

from . import generators, postgres
from .test_between_shards import commands_said

BAKER, FLORIST = 5, 7
NP, CR = Unit.NETWORK_POINTS, Unit.CREDIT


class Road:
    """Two shards and what the ledger says between them, delivered when a test wants it."""

    def __init__(self, database, door, here, there):
        self.database, self.door = database, door
        self.here, self.there = here, there
        self.ali, self.sara = 6_000_000 + here, 6_000_000 + there
        self.at = generators.START
        self.said = []
        self.count = 0

    def name(self):
        self.count += 1
        return f"a.{self.ali}.n{self.count}"

    async def hear(self, shard, body):
        """One command, a minute later; gives its decision time."""
        self.at += timedelta(minutes=1)
        self.door.clock.at = self.at
        said = await postgres.post(
            self.database, postgres.events(shard, [generators.wrap(body, self.at)])
        )
        self.said += commands_said(said)
        return self.at

    async def issue(self, amount, *, issuer=BAKER, unit=NP):
        return await self.hear(
            self.here,
            IssueValue(
                name=self.name(), account=self.ali, member=1, unit=unit, amount=amount,
                cost_rial=amount * 10, issuer=issuer, funder=issuer, rule="base", rule_version=1,
            ),
        )  # fmt: skip

    async def send(self, amount, *, unit=NP):
        return await self.hear(
            self.here,
            SendValue(
                name=self.name(), account=self.ali, member=1, unit=unit, amount=amount,
                to_shard=self.there, to_account=self.sara, to_member=2,
            ),
        )  # fmt: skip

    async def deliver(self):
        """The oldest of what was said, on its shard; gives its decision time."""
        shard, envelope = self.said.pop(0)
        return await self.hear(shard, envelope.data)

    async def balance(self, account, **query):
        text = "&".join(f"{k}={v}" for k, v in query.items()).replace("+", "%2B")
        found = await self.door(f"/v1/accounts/{account}/balance?{text}")
        assert found.status_code == 200, found.text
        return found.json()

    async def way(self, **query):
        """What is on its way from the sender: (unit, issuer) -> amount; and the points' total."""
        found = await self.balance(self.ali, **query)
        parts = {(p["unit"], p["issuer"]): p["in_transit"] for p in found["by_issuer"]}
        units = {u["unit"]: u["in_transit"] for u in found["by_unit"]}
        assert found["in_transit_points"] == units.get("NP", 0)
        for unit in units:
            assert units[unit] == sum(n for (one, _), n in parts.items() if one == unit)
        return {kin: n for kin, n in parts.items() if n}


@pytest.fixture
def road(database, door, shards):
    return Road(database, door, next(shards), next(shards))


async def test_what_is_on_its_way_is_told_until_it_arrives(road):
    await road.issue(100)
    await road.issue(50, issuer=FLORIST)
    await road.issue(7_000, unit=CR, issuer=1)
    before = road.at
    first = await road.send(120)
    second = await road.send(2_000, unit=CR)
    both = {("NP", BAKER): 100, ("NP", FLORIST): 20, ("CR", 1): 2_000}
    assert await road.way() == both
    found = await road.balance(road.ali)
    assert (found["points"], found["available_points"], found["credit_rial"]) == (30, 30, 5_000)
    arrived = await road.deliver()
    assert await road.way() == {("CR", 1): 2_000}
    last = await road.deliver()
    assert await road.way() == {}
    assert (await road.balance(road.sara))["points"] == 120
    sent = {("NP", BAKER): 100, ("NP", FLORIST): 20}
    for at, expected in (
        (before, {}), (first - timedelta(microseconds=1), {}), (first, sent), (second, both),
        (arrived - timedelta(microseconds=1), both), (arrived, {("CR", 1): 2_000}), (last, {}),
    ):  # fmt: skip
        assert await road.way(at=at.isoformat()) == expected
    assert await road.way(sequence=4) == sent
    assert await road.way(sequence=5) == both


async def test_what_is_refused_there_is_on_its_way_until_it_is_back(road):
    await road.issue(100)
    await road.hear(
        road.there,
        SetStanding(
            name=road.name(), standing=AccountStatus.CLOSED, by="ops", reason="r", account=road.sara
        ),
    )
    sent = await road.send(70)
    refused = await road.deliver()
    assert await road.way() == {("NP", BAKER): 70}
    back = await road.deliver()
    assert await road.way() == {}
    assert (await road.balance(road.ali))["points"] == 100
    for at, amount in ((sent, 70), (refused, 70), (back, 0)):
        found = await road.balance(road.ali, at=at.isoformat())
        assert (found["in_transit_points"], found["points"]) == (amount, 100 - amount)


async def test_vintages_know_what_is_between_two_accounts(road):
    await road.issue(100, issuer=road.here)  # an issuer of this test's own
    await road.send(30)
    path = f"/v1/vintages?issuer={road.here}"
    (between,) = (await road.door(path)).json()["items"]
    assert (between["amount"]["in_transit"], between["amount"]["outstanding"]) == ("30", "70")
    cut = (await road.door(path)).json()["vector"] | {str(road.there): 0}
    await road.deliver()
    (whole,) = (await road.door(path)).json()["items"]
    assert (whole["amount"]["in_transit"], whole["amount"]["outstanding"]) == ("0", "100")
    assert whole["amount"]["issued"] == "100"
    then = ",".join(f"{shard}:{n}" for shard, n in cut.items())
    (again,) = (await road.door(f"{path}&vector={then}")).json()["items"]
    assert again == between
    torn = dict(cut) | {str(road.there): 1, str(road.here): 1}  # arrived there, not sent here
    text = ",".join(f"{shard}:{n}" for shard, n in torn.items())
    answer = await road.door(f"{path}&vector={text}")
    assert (answer.status_code, answer.json()["code"]) == (422, "vector-cuts-a-transfer")

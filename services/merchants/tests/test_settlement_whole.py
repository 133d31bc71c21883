"""Whatever happens to a settlement, money moved is what booked pairs come to, and nothing else."""

from collections import defaultdict
from random import Random
from typing import Any

import pytest

from contracts.value import SettlePosition
from kit.base.db import Database
from merchants.clearing.domain.counting import Pair

from .ledger_outcomes import outcome, redemption
from .test_clearing import commit, markers
from .test_settlement import (
    PATH,
    answered,
    approved,
    commands_of,
    proposed,
    sheba_of,
)

pytestmark = pytest.mark.SH14
A, B, C, D, E = 11, 12, 13, 14, 15
PARTIES = (A, B, C, D, E)


async def _owing(door: Any, pool: Database, debts: dict[Pair, int]) -> None:
    """Window 1, closed, in which parties came to owe one another."""
    for party in PARTIES:
        body = {"title_fa": "طرف", "title_en": "x", "sheba": sheba_of(f"{party:022d}")}
        assert (await door("PUT", f"/v1/parties/{party}", body)).status_code == 201
    sales = [
        (0, outcome(n, redemption(pair.debtor, pair.creditor, rial, 0)))
        for n, (pair, rial) in enumerate(sorted(debts.items()), 1)
    ]
    await commit(pool, sales)
    await door("PUT", "/v1/windows/1", {})
    await commit(pool, markers(1, {0: len(sales) + 1, 1: 1, 2: 1}))
    await commands_of(pool)


async def _window_2(door: Any, pool: Database, sequence: int) -> dict[int, int]:
    """What is proposed for window 2, in which nothing happened."""
    await door("PUT", "/v1/windows/2", {})
    await commit(pool, markers(2, {0: sequence, 1: 2, 2: 2}))
    return _targets(await proposed(door, "/v1/windows/2/settlement"))


def _targets(report: dict[str, Any]) -> dict[int, int]:
    return {one["party"]: int(one["target_rial"]) for one in report["parties"]}


async def _paid(door: Any, *lines: dict[str, Any], state: str = "paid") -> Any:
    return await answered(door, *(f"{one['reference']},{state},," for one in lines))


async def _lines(door: Any, direction: str, state: str = "instructed") -> list[dict[str, Any]]:
    report = (await door("GET", PATH)).json()
    return [
        one
        for one in report["instructions"]
        if (one["direction"], one["state"]) == (direction, state)
    ]


async def test_before_money_came_in_nothing_is_booked_and_all_may_be_withdrawn(
    door: Any, pool: Database
) -> None:
    """A and B pass on what they are owed and pay nothing: their pair is not paid by that."""
    debts = {Pair(D, A): 1_000_000, Pair(A, B): 1_000_000, Pair(B, E): 1_000_000}
    await _owing(door, pool, debts)
    assert _targets(await proposed(door)) == {A: 0, B: 0, D: -1_000_000, E: 1_000_000}
    await approved(door)
    assert await commands_of(pool) == []
    assert (await door("PUT", PATH + "/withdrawal")).json()["state"] == "withdrawn"
    assert await _window_2(door, pool, 5) == {A: 0, B: 0, D: -1_000_000, E: 1_000_000}


async def test_pairs_of_who_paid_wait_until_nobody_can_be_excluded(
    door: Any, pool: Database
) -> None:
    await _owing(door, pool, {Pair(A, B): 100_000, Pair(B, C): 500_000, Pair(D, C): 300_000})
    await proposed(door)
    await approved(door)
    of_a, of_b, _ = await _lines(door, "collection")
    await _paid(door, of_a, of_b)
    assert await commands_of(pool) == []
    report = (await door("PUT", f"{PATH}/exclusions/{D}", subject="sara")).json()
    assert _targets(report) == {A: -100_000, B: -400_000, C: 500_000, D: 0}
    await approved(door)
    await _paid(door, *await _lines(door, "payout"))
    assert (await door("GET", PATH)).json()["state"] == "completed"
    booked = {(body.debtor, body.creditor) for _, body in await commands_of(pool)}
    assert booked == {(A, B), (B, C)}


async def test_a_collection_that_comes_back_is_asked_for_again_and_undoes_nothing(
    door: Any, pool: Database
) -> None:
    await _owing(door, pool, {Pair(A, B): 100_000, Pair(B, C): 500_000})
    await proposed(door)
    await approved(door)
    collected = await _lines(door, "collection")
    await _paid(door, *collected)
    await _paid(door, *await _lines(door, "payout"))
    assert len(await commands_of(pool)) == 2
    await _paid(door, collected[0], state="returned")
    before = (await door("GET", PATH)).json()
    assert before["state"] == "collecting"
    for step in (f"exclusions/{A}", "withdrawal"):
        refused = await door("PUT", f"{PATH}/{step}", subject="sara")
        assert (refused.status_code, refused.json()["code"]) == (409, "settlement-not-there")
    assert (await door("GET", PATH)).json() == before
    (again,) = await _lines(door, "collection")
    assert (again["party"], again["amount_rial"]) == (A, "100000")
    await _paid(door, again)
    assert (await door("GET", PATH)).json()["state"] == "completed"
    assert await commands_of(pool) == []


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_moved_money_is_the_net_of_booked_pairs(
    door: Any, pool: Database, seed: int
) -> None:
    """Steps in any order; then everybody pays, or the settlement is withdrawn."""
    rng = Random(seed)
    debts = {
        Pair(*rng.sample(PARTIES, 2)): rng.randrange(1_000, 900_000)
        for _ in range(rng.randint(4, 9))
    }
    await _owing(door, pool, debts)
    assert (await door("PUT", PATH, {}, subject="sara")).status_code == 201
    for _ in range(rng.randint(1, 4)):
        await _round(door, rng)
    await _to_the_end(door)
    report = (await door("GET", PATH)).json()
    booked = _booked(await commands_of(pool))
    if report["state"] == "withdrawn":
        assert booked == {}
    assert report["state"] in ("completed", "withdrawn")
    nets: defaultdict[int, int] = defaultdict(int)
    for pair, rial in booked.items():
        assert debts[pair] == rial
        nets[pair.debtor] -= rial
        nets[pair.creditor] += rial
    for one in report["parties"]:
        assert int(one["moved_rial"]) == nets.pop(one["party"], 0), one
    assert not any(nets.values())


def _booked(commands: list[tuple[int | None, SettlePosition]]) -> dict[Pair, int]:
    return {Pair(body.debtor, body.creditor): body.amount_rial for _, body in commands}


async def _round(door: Any, rng: Random) -> None:
    """An approval, some payments, some that fail or come back, and perhaps somebody left out."""
    await door("PUT", PATH + "/approval", subject="reza")
    for direction in ("collection", "payout"):
        instructed = await _lines(door, direction)
        for one in rng.sample(instructed, rng.randint(0, len(instructed))):
            await _paid(door, one, state="paid" if rng.random() < 0.8 else "rejected")
        paid = await _lines(door, direction, "paid")
        if paid and rng.random() < 0.3:
            await _paid(door, rng.choice(paid), state="returned")
    if rng.random() < 0.6:
        await door("PUT", f"{PATH}/exclusions/{rng.choice(PARTIES)}", subject="sara")
    if rng.random() < 0.1:
        await door("PUT", PATH + "/withdrawal")
    await door("PUT", PATH + "/reinstruction")


async def _to_the_end(door: Any) -> None:
    """Everybody pays what is asked for, until nothing is."""
    for _ in range(12):
        state = (await door("GET", PATH)).json().get("state")
        if state in ("completed", "withdrawn"):
            return
        await door("PUT", PATH + "/approval", subject="reza")
        await _paid(door, *await _lines(door, "collection"))
        await door("PUT", PATH + "/reinstruction")
        await _paid(door, *await _lines(door, "payout"))

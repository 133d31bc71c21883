"""Corrections of disputes in a settlement: netted, paid with whole pairs, and then at zero."""

from typing import Any

import pytest

from kit.base.db import Database

from .disputing import OWED, Parties, arranged, ends_after, id_of
from .ledger_outcomes import BAKER, FLORIST, GROCER, paid, payment
from .test_settlement import answered, approved, brief, commands_of, proposed, sheba_of

pytestmark = pytest.mark.SH14


@pytest.fixture
async def parties(door: Any, pool: Database) -> Parties:
    """Window 1 closed, and each party with an account."""
    made = await arranged(door, pool)
    for party in (BAKER, GROCER, FLORIST):
        change = f"/v1/parties/{party}/sheba-changes/{id_of(party)}"
        body = {"sheba": sheba_of(f"{party:022d}"), "reason": "x"}
        await door("PUT", change, body, subject="sara")
        await door("PUT", change + "/approval", subject="reza")
    return made


async def test_a_settlement_pays_the_net_and_tells_the_ledger_whole_pairs(
    parties: Parties, pool: Database
) -> None:
    """10,000 owed, 4,000 corrected: 6,000 are paid, and every closing returns to zero."""
    plain = await parties.door("PUT", "/v1/windows/1/settlement", {"dry_run": True})
    before = {one["party"]: int(one["target_rial"]) for one in plain.json()["parties"]}
    await parties.open()
    await parties.answer(4_000)
    await parties.close(ends_after(2))
    await commands_of(pool)
    path = "/v1/windows/2/settlement"
    report = await proposed(parties.door, path)
    targets = {one["party"]: int(one["target_rial"]) for one in report["parties"]}
    assert targets[BAKER] == before[BAKER] + 4_000
    assert targets[GROCER] == before[GROCER] - 4_000
    ageing = (await parties.door("GET", "/v1/ageing")).json()
    owes = {one["party"]: one for one in ageing["items"]}
    assert sum(map(int, owes[GROCER]["owes"].values())) == 4_000 + 3_000 + 150
    await _pay(parties, path)
    sent = brief(await commands_of(pool))
    between = [one for one in sent if {one[2], one[3]} == {BAKER, GROCER}]
    assert sum(rial for *_, debtor, _, rial in between if debtor == BAKER) == OWED
    sequences = {shard: last + 1 for shard, last in ends_after(2).items()}
    booked: list[Any] = []
    for shard, _, debtor, creditor, rial in sent:
        assert shard is not None
        booked.append((shard, payment(sequences[shard], paid(debtor, creditor, rial))))
        sequences[shard] += 1
    await parties.close(sequences, *booked)
    positions = await parties.positions(3)
    assert {party: one["closing_rial"] for party, one in positions.items()} == dict.fromkeys(
        positions, 0
    )
    moved = {party: one["paid_rial"] for party, one in positions.items()}
    assert moved == targets  # the money that moved, with what was set off
    statement = await parties.statement(3, BAKER)
    assert [(one["correction_rial"], one["paid_rial"]) for one in statement["disputes"]] == [
        ("0", "4000")
    ]
    assert await parties.differences(3) == []
    await parties.close({shard: last + 1 for shard, last in sequences.items()})
    nothing = await parties.door("PUT", "/v1/windows/4/settlement", {})
    assert nothing.json()["code"] == "nothing-to-settle"


async def test_a_correction_alone_is_settled_without_a_booking(
    parties: Parties, pool: Database
) -> None:
    """All that the ledger knows of was paid before; what the dispute came to is paid by itself."""
    await _settle(parties, 1)
    assert await commands_of(pool)
    await parties.open()
    await parties.answer(4_000)
    await parties.close(ends_after(2))
    await commands_of(pool)
    report = await _settle(parties, 2)
    targets = {one["party"]: int(one["moved_rial"]) for one in report["parties"]}
    assert targets == {BAKER: 4_000, GROCER: -4_000}
    assert await commands_of(pool) == []
    await parties.close(ends_after(3))
    corrected = (await parties.positions(3))[BAKER]
    assert (corrected["paid_rial"], corrected["position_rial"]) == (4_000, 0)


async def _settle(parties: Parties, window: int) -> dict[str, Any]:
    path = f"/v1/windows/{window}/settlement"
    await proposed(parties.door, path)
    return await _pay(parties, path)


async def _pay(parties: Parties, path: str) -> dict[str, Any]:
    """Approve what was proposed; everybody pays."""
    report = await approved(parties.door, path)
    for direction in ("collection", "payout"):
        lines = [one for one in report["instructions"] if one["direction"] == direction]
        await answered(parties.door, *(f"{one['reference']},paid,," for one in lines), path=path)
        report = (await parties.door("GET", path)).json()
    assert report["state"] == "completed"
    return report

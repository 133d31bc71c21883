"""Whose account an identifier leads to after it was given to another, on a real broker."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.members import Binding
from contracts.pos import PosTransaction

from .conftest import Edge
from .fakes import OPENED, identifier, purchase


async def sent(edge: Edge, body: dict[str, Any]) -> tuple[int, PosTransaction]:
    answer = await edge.post(body)
    assert answer.status_code == 200, answer.text
    record, event = edge.last()
    return record.partition, event.data


async def moved_an_hour_ago(edge: Edge, card: str) -> dict[str, Any]:
    """A card that was given to account 1000003 an hour ago."""
    moved = datetime.now(UTC) - timedelta(hours=1)
    bindings = (
        Binding(from_at=OPENED, member=8, account=1000002, shard=3),
        Binding(from_at=moved, member=9, account=1000003, shard=4),
    )
    await edge.publish(identifier(card, bindings=bindings))
    return {"card": card}


def hours_ago(hours: int) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


async def test_an_inquiry_of_any_past_time_is_about_the_holder_of_now(edge: Edge) -> None:
    moved = await moved_an_hour_ago(edge, "6037991212121218")
    for sequence, hours in enumerate((0, 2, 2000), 60):
        bare = {"kind": "inquiry", "lines": ..., "amount_rial": ..., "identifier": moved}
        shard, data = await sent(edge, purchase(sequence, occurred_at=hours_ago(hours), **bare))
        assert (shard, data.account, data.identifier_moved) == (4, 1000003, False)


async def test_a_redemption_of_before_a_rebinding_goes_on_with_its_mark(edge: Edge) -> None:
    """On its first holder's shard, where an earlier answer is known, and without its account."""
    moved = await moved_an_hour_ago(edge, "6037997777777773")
    spend = {"kind": "redemption", "redeem": {"points": 70}, "identifier": moved}
    for sequence, hours, expected in ((63, 2, (3, 0, True)), (64, 0, (4, 1000003, False))):
        shard, data = await sent(edge, purchase(sequence, occurred_at=hours_ago(hours), **spend))
        assert (shard, data.account, data.identifier_moved) == expected


async def test_a_purchase_of_before_a_rebinding_is_its_first_holders(edge: Edge) -> None:
    moved = await moved_an_hour_ago(edge, "6037998888888889")
    shard, data = await sent(edge, purchase(65, occurred_at=hours_ago(2), identifier=moved))
    assert (shard, data.account, data.identifier_moved) == (3, 1000002, False)

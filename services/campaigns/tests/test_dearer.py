"""A dearer settlement price, as the road tells the ledger of it."""

from typing import Any

from campaigns.programmes import usecases as programmes
from contracts.values import Kind


async def test_a_redemption_and_its_preview_say_what_a_dearer_price_adds_at_most(
    grant: Any, make: Any, tx: Any
) -> None:
    """A18: points were issued at 500 Rial; the network's terms say 600 since, and owe the 100."""
    await programmes.keep_terms(tx, [make.terms(version=2, price_rial=600)])
    asked = [
        make.screened(name=f"t.1.1.{n}", kind=kind, points=10, terms_version=version)
        for n, (kind, version) in enumerate(
            ((Kind.REDEMPTION, 1), (Kind.REDEMPTION, 2), (Kind.INQUIRY, 2))
        )
    ]
    before, after, seen = await grant(*[make.event(one, offset=n) for n, one in enumerate(asked)])
    told = [(r.points_value_rial, r.network_max_rial) for r in
            (before.data.redemption, after.data.redemption)]  # fmt: skip
    assert told == [(5_000, 0), (6_000, 1_000)]
    assert (seen.data.offer.least_rial, seen.data.offer.least_points) == (500, 1)

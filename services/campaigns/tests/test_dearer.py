"""A dearer settlement price, as the road tells the ledger of it."""

from typing import Any

import pytest

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


@pytest.mark.parametrize(("before", "after"), [(500, 600), (600, 500)])
async def test_the_tills_clock_chooses_no_price(
    grant: Any, make: Any, tx: Any, before: int, after: int
) -> None:
    """F9: the price changed between occurred_at and accepted_at, and the network gives nothing.

    Points are born at the higher of both prices, and spent at the lower.
    """
    await programmes.keep_terms(
        tx, [make.terms(version=2, price_rial=before), make.terms(version=3, price_rial=after)]
    )
    late = {"terms_version": 2, "accepted_terms_version": 3}
    asked = [
        make.screened(name="t.1.1.1", **late),
        make.screened(name="t.1.1.2", kind=Kind.REDEMPTION, points=10, **late),
        make.screened(name="t.1.1.3", kind=Kind.INQUIRY, **late),
    ]
    bought, spent, seen = await grant(*[make.event(one, offset=n) for n, one in enumerate(asked)])
    assert [(a.amount, a.cost_rial) for a in bought.data.awards] == [(70, 42_000), (30, 18_000)]
    cheaper = 2 if before < after else 3
    assert (spent.data.redemption.points_value_rial, spent.data.redemption.network_max_rial) == (
        5_000,
        0,
    )
    assert spent.data.redemption.terms_version == cheaper
    assert {a.cost_rial // a.amount for a in spent.data.awards} == {
        600
    }  # its paid part, newly born
    assert (seen.data.offer.price_rial, seen.data.offer.terms_version) == (500, cheaper)


async def test_terms_that_the_gateway_saw_at_acceptance_are_waited_for(
    grant: Any, make: Any
) -> None:
    late = make.screened(terms_version=1, accepted_terms_version=2)
    (said,) = await grant(make.event(late))
    assert said.data.reason.code == "programme-not-known-in-time"

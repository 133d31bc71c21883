"""Authorisations, captures and voids under the rules: what counts where, what no rule refuses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.fraud import ScreeningDecision
from contracts.values import Kind, till_name
from fraud.screening import usecases
from fraud.screening.domain import reasons
from fraud.screening.usecases import ScreeningState
from kit.base import db
from kit.stream.consumer import Event

Screened = Callable[[db.Tx], list[Any]]
Sale = Callable[..., Event]
HOLD: dict[str, Any] = {"kind": Kind.AUTHORISATION, "points": 5}
BURST = 10  # of the default rule card-burst


def capture(sale: Sale, sequence: int, original: int, **fields: Any) -> Event:
    given = {
        "kind": Kind.CAPTURE, "original": till_name(10_000_017, 1, original), "account": 0,
        "member": 0, "identifier_id": "", "identifier_kind": None,
    }  # fmt: skip
    return sale(sequence, after_s=sequence, **(given | fields))


async def account_of(tx: db.Tx, sequence: int) -> int:
    name = till_name(10_000_017, 1, sequence)
    return await tx.fetchval("select account from decisions where name = $1", name)


@pytest.mark.parametrize("together", [True, False])
async def test_a_capture_counts_for_the_account_of_its_authorisation(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened, together: bool
) -> None:
    batches = [[sale(1, **HOLD), capture(sale, 2, 1)]]
    if not together:
        batches = [[one] for one in batches[0]]
    for batch in batches:
        await usecases.screen_transactions(tx, state, batch)
    said = screened(tx)
    assert [one.data.decision for one in said] == [ScreeningDecision.ALLOW] * 2
    assert said[1].data.transaction.account == 0  # passed on as it came
    assert await account_of(tx, 2) == 1_000_001


async def test_a_capture_of_what_nobody_authorised_counts_for_nobody(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    await usecases.screen_transactions(tx, state, [capture(sale, 2, 1)])
    assert [one.data.decision for one in screened(tx)] == [ScreeningDecision.ALLOW]
    assert await account_of(tx, 2) == 0


async def said_of(
    tx: db.Tx, state: ScreeningState, screened: Screened, batch: list[Event]
) -> list[ScreeningDecision]:
    await usecases.screen_transactions(tx, state, batch)
    return [one.data.decision for one in screened(tx)]


async def test_authorisations_are_limited_as_redemptions_are(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    def burst(first: int, kind: Kind, account: int) -> list[Event]:
        own = {"account": account, "identifier_id": f"card-{account}"}
        return [
            sale(n, after_s=n - first, kind=kind, points=5, **own)
            for n in range(first, first + BURST + 2)
        ]

    spent = await said_of(tx, state, screened, burst(1, Kind.REDEMPTION, 1_000_001))
    held = await said_of(tx, state, screened, burst(101, Kind.AUTHORISATION, 1_000_002))
    assert held == spent
    assert ScreeningDecision.DECLINE in held


async def test_what_a_burst_of_captures_earns_is_reviewed_where_sales_would_be_declined(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    shown = {"identifier_id": "card-1", "account": 1_000_001, "member": 1}
    batch = [capture(sale, n, 99, **shown) for n in range(1, BURST + 2)]
    said = await said_of(tx, state, screened, batch)
    assert said == [ScreeningDecision.ALLOW] * BURST + [ScreeningDecision.REVIEW]
    cases = await tx.fetch("select account, member from cases")
    assert [tuple(row) for row in cases] == [(1_000_001, 1)]


async def test_a_blocked_card_authorises_nothing_and_a_capture_needs_no_card(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    blocked = {"identifier_blocked": True}
    await usecases.screen_transactions(
        tx, state, [sale(1, **HOLD, **blocked), sale(2, **HOLD), capture(sale, 3, 2, **blocked)]
    )
    first, _, sold = screened(tx)
    assert first.data.reasons == (reasons.IDENTIFIER_BLOCKED,)
    assert sold.data.decision is ScreeningDecision.ALLOW


async def test_a_void_may_be_of_any_age(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened, now: Any
) -> None:
    old = now - timedelta(days=9)
    void = sale(2, kind=Kind.VOID, original=till_name(10_000_017, 1, 1), occurred_at=old)
    late = sale(3, occurred_at=old, **HOLD)
    await usecases.screen_transactions(tx, state, [void, late])
    assert [one.data.decision for one in screened(tx)] == [
        ScreeningDecision.ALLOW, ScreeningDecision.DECLINE,
    ]  # fmt: skip

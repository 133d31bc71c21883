"""The first purchase's credit (SH5): once an account whatever repeats, back with its purchase."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from campaigns.first_purchase import consumer, domain, usecases
from contracts.envelope import encode
from contracts.ledger import IssueValue, LotIssued, LotMoved, RevokeIssue
from contracts.values import Channel, Kind, Status, Unit
from kit.base import versions

pytestmark = pytest.mark.SH5

ISSUED = {
    "name": "a.1000003.first-purchase",
    "command": "issue-value.v1",
    "purpose": "first-purchase",
    "kind": None,
}


async def hear(tx: Any, make: Any, *events: Any) -> list[Any]:
    await consumer.on_ledger_entries(tx, events)
    return make.said(tx)


async def state(tx: Any) -> tuple[str, bool]:
    row = await tx.fetchrow("select state, returned from first_purchases where account = 1000003")
    return row["state"], row["returned"]


async def test_the_first_completed_purchase_gives_the_credit(tx: Any, make: Any) -> None:
    decided = make.now + timedelta(seconds=2)
    (said,) = await hear(tx, make, make.outcome_event(decided_at=decided))
    assert said.data == IssueValue(
        name="a.1000003.first-purchase",
        account=1000003,
        member=7,
        unit=Unit.CREDIT,
        amount=200_000,
        cost_rial=200_000,
        issuer=1,
        funder=1,
        rule="first-purchase",
        rule_version=1,
        expires_at=datetime.fromisoformat("2026-05-20T20:30:00Z"),
        purpose="first-purchase",
        original="t.10000017.1.42",
    )
    # on the account's shard, stamped with the outcome's decision time
    assert (said.occurred_at, said.accepted_at, said.key) == (decided, decided, "1000003")
    assert await state(tx) == ("reserved", False)


async def test_the_command_goes_where_the_outcome_came_from(tx: Any, make: Any) -> None:
    await consumer.on_ledger_entries(tx, [make.outcome_event(partition=8)])
    assert [(m.topic, m.partition) for m in tx.take_messages()] == [("ledger.commands", 8)]


async def test_repeats_and_further_purchases_give_nothing_more(tx: Any, make: Any) -> None:
    first = make.outcome_event()
    second = make.outcome_event(name="t.10000017.1.43", member=8)  # of the same household
    (said,) = await hear(tx, make, first, second, first)
    assert said.data.original == "t.10000017.1.42"
    assert await hear(tx, make, first) == []
    assert await hear(tx, make, second) == []


NOT_FIRST: list[tuple[str, dict[str, Any]]] = [
    ("history", {"channel": Channel.HISTORY}),
    ("a decline", {"status": Status.DECLINED}),
    ("a refusal", {"command": "refuse-transaction.v1", "status": Status.REFUSED}),
    ("a redemption", {"kind": Kind.REDEMPTION}),
    ("a refund", {"kind": Kind.REFUND, "original": "t.1.1.1"}),
    ("an outcome without an account", {"account": 0}),
    ("a tick", {"command": "advance-clock.v1", "kind": None}),
]


@pytest.mark.parametrize("changes", [n[1] for n in NOT_FIRST], ids=[n[0] for n in NOT_FIRST])
async def test_what_is_no_first_purchase(tx: Any, make: Any, changes: dict[str, Any]) -> None:
    assert await hear(tx, make, make.outcome_event(**changes)) == []
    assert len(await hear(tx, make, make.outcome_event(name="t.1.1.99"))) == 1


async def test_a_held_purchase_counts(tx: Any, make: Any) -> None:
    (said,) = await hear(tx, make, make.outcome_event(status=Status.UNDER_REVIEW, case_id="c"))
    assert isinstance(said.data, IssueValue)


UNDONE: list[tuple[str, dict[str, Any]]] = [
    ("a full refund", {"kind": Kind.REFUND, "fully_refunded": True}),
    ("a reversal", {"kind": Kind.REVERSAL, "account": 0}),  # named by its original alone
    ("a reviewer's cancel", {"kind": None, "command": "cancel-pending.v1", "name": "v.c-9"}),
]


@pytest.mark.parametrize("changes", [u[1] for u in UNDONE], ids=[u[0] for u in UNDONE])
async def test_undoing_that_very_purchase_takes_the_credit_back_once(
    tx: Any, make: Any, changes: dict[str, Any]
) -> None:
    await hear(tx, make, make.outcome_event(), make.outcome_event(**ISSUED))
    assert await state(tx) == ("confirmed", False)
    given = {"name": "t.10000017.1.50", "original": "t.10000017.1.42"} | changes
    decided = make.now + timedelta(days=1)
    undo = make.outcome_event(**given, decided_at=decided)
    (said,) = await hear(tx, make, undo, undo)
    assert said.data == RevokeIssue(
        name="a.1000003.first-purchase-return",
        account=1000003,
        member=7,
        issued_by="a.1000003.first-purchase",
        purpose="first-purchase-return",
    )
    assert (said.occurred_at, said.accepted_at) == (decided, decided)
    assert await hear(tx, make, undo) == []
    # the count is not given back: the next purchase gets no second credit
    assert await hear(tx, make, make.outcome_event(name="t.10000017.1.51")) == []
    assert await state(tx) == ("confirmed", True)


async def test_a_purchase_and_its_reversal_in_one_poll(tx: Any, make: Any) -> None:
    undo = make.outcome_event(
        name="t.10000017.1.50", kind=Kind.REVERSAL, original="t.10000017.1.42"
    )
    issued, returned = await hear(tx, make, make.outcome_event(), undo)
    assert isinstance(issued.data, IssueValue)
    assert isinstance(returned.data, RevokeIssue)


KEPT: list[tuple[str, dict[str, Any]]] = [
    ("a refund of a part", {"kind": Kind.REFUND, "original": "t.10000017.1.42"}),
    ("a full refund of another purchase",
     {"kind": Kind.REFUND, "original": "t.10000017.1.41", "fully_refunded": True}),
    ("a refund that was declined",
     {"kind": Kind.REFUND, "original": "t.10000017.1.42", "fully_refunded": True,
      "status": Status.DECLINED}),
    ("a release", {"kind": None, "command": "release-pending.v1", "original": "t.10000017.1.42"}),
]  # fmt: skip


@pytest.mark.parametrize("changes", [k[1] for k in KEPT], ids=[k[0] for k in KEPT])
async def test_what_leaves_the_credit_alone(tx: Any, make: Any, changes: dict[str, Any]) -> None:
    await hear(tx, make, make.outcome_event())
    assert await hear(tx, make, make.outcome_event(name="t.10000017.1.50", **changes)) == []


async def test_a_credit_that_the_ledger_refused_is_not_taken_back(tx: Any, make: Any) -> None:
    refused = make.outcome_event(**(ISSUED | {"status": Status.REFUSED}))
    await hear(tx, make, make.outcome_event(), refused, refused)
    assert await state(tx) == ("released", False)
    undo = make.outcome_event(name="t.1.1.50", kind=Kind.REVERSAL, original="t.10000017.1.42")
    assert await hear(tx, make, undo) == []
    assert await hear(tx, make, make.outcome_event(name="t.1.1.51")) == []


async def test_a_command_said_again_is_byte_for_byte_the_same(pool: Any, make: Any) -> None:
    """As after a restore of an older database, which has forgotten the count."""
    heard: list[bytes] = []
    for _ in range(2):
        with pytest.raises(KeyError):
            async with pool.transaction() as tx:
                heard += [encode(said) for said in await hear(tx, make, make.outcome_event())]
                raise KeyError  # rolled back
    assert len(heard) == 2
    assert heard[0] == heard[1]


def version(number: int, **changes: Any) -> domain.Version:
    given: dict[str, Any] = {
        "version": number,
        "effective_from": datetime.fromisoformat("2026-03-21T08:00:00Z"),
        "amount_rial": 300_000,
        "validity_days": None,
        "funder": 9,
        "title_fa": "خوش‌آمد",
        "title_en": "Welcome",
    }
    return domain.Version(**(given | changes))


async def test_the_version_in_force_when_it_was_bought_counts(tx: Any, make: Any) -> None:
    off = version(3, effective_from=make.now + timedelta(days=2), amount_rial=0)
    assert await usecases.put_version(tx, version(2))
    assert await usecases.put_version(tx, off)
    before = make.now - timedelta(hours=1)
    events = [
        make.outcome_event(name="t.1.1.1", account=1, occurred_at=before),
        make.outcome_event(name="t.1.1.2", account=2),
        make.outcome_event(name="t.1.1.3", account=3, occurred_at=make.now + timedelta(days=3)),
    ]
    said = [e.data for e in await hear(tx, make, *events)]
    assert [(c.account, c.amount, c.funder, c.rule_version) for c in said] == [
        (1, 200_000, 1, 1), (2, 300_000, 9, 2),
    ]  # fmt: skip
    assert said[1].expires_at is None


async def test_versions_are_contiguous_and_never_changed(tx: Any, make: Any) -> None:
    assert await usecases.put_version(tx, version(2))
    assert not await usecases.put_version(tx, version(2))
    with pytest.raises(versions.AlreadyExistsDifferently):
        await usecases.put_version(tx, version(2, amount_rial=1))
    with pytest.raises(versions.VersionNotNext):
        await usecases.put_version(tx, version(4))
    with pytest.raises(versions.EffectiveTooSoon):
        await usecases.put_version(tx, version(3, effective_from=make.now - timedelta(days=1)))


# ------------------------------------------------------------- first is a fact about history (F13)


async def test_who_bought_while_nothing_was_on_offer_is_no_new_customer(tx: Any, make: Any) -> None:
    """F13: a version of 0 Rial, two purchases, a version of 150,000 Rial, a third purchase: 0."""
    none = version(2, effective_from=make.now - timedelta(hours=1), amount_rial=0)
    await usecases.put_version(tx, none)
    for number in (1, 2):
        assert await hear(tx, make, make.outcome_event(name=f"t.1.1.{number}")) == []
    assert await state(tx) == ("unoffered", False)
    later = make.now + timedelta(days=1)
    await usecases.put_version(tx, version(3, effective_from=later, amount_rial=150_000))
    third = make.outcome_event(name="t.1.1.3", occurred_at=later)
    assert await hear(tx, make, third) == []
    fresh = make.outcome_event(name="t.1.1.4", account=9, occurred_at=later)
    assert [e.data.amount for e in await hear(tx, make, fresh)] == [150_000]
    undo = {"kind": Kind.REVERSAL, "original": "t.1.1.1"}
    assert await hear(tx, make, make.outcome_event(name="t.1.1.5", **undo)) == []


# ------------------------------------------------------------------------ a standing claim (F14)

LOT = LotIssued(
    lot=77, unit=Unit.CREDIT, amount=200_000, cost_rial=200_000, issuer=1, funder=1,
    rule="first-purchase", available_from=None,
)  # fmt: skip


def back(lot: int, unit: Unit = Unit.CREDIT) -> dict[str, Any]:
    move = LotMoved(
        lot=lot, movement="restored", unit=unit, amount=200_000, cost_rial=200_000, issuer=1
    )
    return {"kind": Kind.REFUND, "original": "t.10000017.1.44", "moves": (move,)}


async def test_credit_that_comes_back_after_its_purchase_was_undone_is_taken_back_again(
    tx: Any, make: Any
) -> None:
    """F14: buy (gift), spend the gift, refund the first sale, refund the second."""
    issued = make.outcome_event(**(ISSUED | {"lots": (LOT,)}))
    spent = make.outcome_event(name="t.10000017.1.44", kind=Kind.REDEMPTION, sequence=4)
    await hear(tx, make, make.outcome_event(), issued, spent)
    first = {"kind": Kind.REFUND, "fully_refunded": True, "original": "t.10000017.1.42"}
    (said,) = await hear(tx, make, make.outcome_event(name="t.1.1.50", sequence=5, **first))
    assert said.data.name == "a.1000003.first-purchase-return"
    second = make.outcome_event(name="t.1.1.51", sequence=6, **back(77))
    (again,) = await hear(tx, make, second)
    assert again.data == RevokeIssue(
        name="a.1000003.first-purchase-return-6",
        account=1000003,
        member=7,
        issued_by="a.1000003.first-purchase",
        purpose="first-purchase-return",
    )
    others = [back(77, Unit.NETWORK_POINTS), back(77) | {"status": Status.DECLINED},
              back(77) | {"account": 1000004}, back(77) | {"partition": 9}]  # fmt: skip
    for number, other in enumerate(others):
        assert await hear(tx, make, make.outcome_event(name=f"t.1.1.6{number}", **other)) == []


AFTERWARDS: list[tuple[str, dict[str, Any]]] = [
    ("past its date, in a lot of its own", back(78)),
    ("from a card or a member that did not take it", {
        "kind": None, "command": "return-value.v1", "moves": (LotMoved(
            lot=77, movement="arrived", unit=Unit.CREDIT, amount=5, cost_rial=5, issuer=1
        ),),
    }),
    ("out of a hold", {"kind": None, "command": "void-hold.v1"}),
    ("out of a hold that fell due", {"kind": None, "command": "release-hold.v1"}),
    ("out of a hold that took less", {"kind": None, "command": "capture-hold.v1"}),
]  # fmt: skip


@pytest.mark.parametrize("changes", [a[1] for a in AFTERWARDS], ids=[a[0] for a in AFTERWARDS])
async def test_however_credit_comes_back_the_claim_on_it_stands(
    tx: Any, make: Any, changes: dict[str, Any]
) -> None:
    await hear(tx, make, make.outcome_event(), make.outcome_event(**(ISSUED | {"lots": (LOT,)})))
    first = {"kind": Kind.REFUND, "fully_refunded": True, "original": "t.10000017.1.42"}
    await hear(tx, make, make.outcome_event(name="t.1.1.50", sequence=5, **first))
    (again,) = await hear(tx, make, make.outcome_event(name="t.1.1.51", sequence=6, **changes))
    assert again.data.name == "a.1000003.first-purchase-return-6"
    assert await hear(tx, make, make.outcome_event(name="t.1.1.52", sequence=7)) == []


async def test_both_refunds_in_one_poll_leave_a_claim_on_what_came_back(tx: Any, make: Any) -> None:
    issued = make.outcome_event(**(ISSUED | {"lots": (LOT,)}))
    await hear(tx, make, make.outcome_event(), issued)
    first = {"kind": Kind.REFUND, "fully_refunded": True, "original": "t.10000017.1.42"}
    said = await hear(
        tx, make,
        make.outcome_event(name="t.1.1.50", sequence=5, **first),
        make.outcome_event(name="t.1.1.51", sequence=6, **back(77)),
    )  # fmt: skip
    assert [e.data.name.rpartition(".")[2] for e in said] == [
        "first-purchase-return",
        "first-purchase-return-6",
    ]


async def test_credit_that_comes_back_while_its_purchase_stands_is_the_members(
    tx: Any, make: Any
) -> None:
    issued = make.outcome_event(**(ISSUED | {"lots": (LOT,)}))
    await hear(tx, make, make.outcome_event(), issued)
    assert await hear(tx, make, make.outcome_event(name="t.1.1.51", **back(77))) == []

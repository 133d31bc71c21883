from datetime import date

import pytest

from kit.base import db
from kit.base.db import Tx
from merchants.daily_totals import store as daily_totals
from merchants.daily_totals.domain import DailyTotals
from merchants.parties import store
from merchants.parties.domain import Branch


async def test_core_columns_are_columns_of_the_database(tx: Tx) -> None:
    rows = await tx.fetch(
        "select column_name from information_schema.columns where table_name = $1",
        store.MERCHANTS.name,
    )
    assert {c.name for c in store.MERCHANTS.columns} <= {row["column_name"] for row in rows}


async def test_a_branch_needs_its_merchant(tx: Tx) -> None:
    with pytest.raises(db.DataError) as refused:
        await store.insert_branch(tx, Branch(5, 1, "مرکزی", "Central"))
    assert refused.value.state == "23503"


async def test_versions_cannot_be_changed_by_the_room(tx: Tx) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await tx.execute("update programmes set earn_points = 0")


async def test_keys_cannot_be_kept_in_clear(tx: Tx) -> None:
    with pytest.raises(db.DataError):
        await tx.execute(
            "insert into terminal_keys (terminal, key_id, sha256, created_at, epoch)"
            " values (1, 'aaaaaaaa', 'pvt_1_aaaaaaaa_secret', now(), 1)"
        )


async def test_a_days_sums_may_outgrow_the_largest_integer_of_the_database(tx: Tx) -> None:
    """S15: 1,100 baskets of 2^53 - 1 Rial on one day are more than 2^63, and read as they are."""
    basket, day = 2**53 - 1, date(2026, 11, 21)
    for part in ([1] * 1_000, [1] * 100):
        whole = DailyTotals(
            merchant=5,
            day=day,
            transactions_count=len(part),
            amount_rial=basket * len(part),
            refunded_rial=basket * len(part),
            earned_points=basket * len(part),
            redeemed_points=basket * len(part),
            returned_points=basket * len(part),
            restored_points=basket * len(part),
        )
        await daily_totals.upsert_totals(tx, [whole])
    (totals,) = await daily_totals.list_totals(tx, 5, first=day, last=day, limit=9)
    assert totals.amount_rial == 1_100 * basket > 2**63
    assert totals.transactions_count == 1_100
    assert (
        totals.restored_points == totals.returned_points == totals.refunded_rial == 1_100 * basket
    )

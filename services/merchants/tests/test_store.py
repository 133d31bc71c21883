import pytest

from kit import db
from kit.db import Tx
from merchants.domain.partners import Branch
from merchants.store import partners as store


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

import uuid
from datetime import datetime

import pytest

from contracts.members import IdentifierKind
from kit.base import db
from kit.base.db import Tx
from members.balances import store as balances
from members.balances.domain import Balance
from members.identifiers import domain, store
from members.identifiers.domain import Fresh
from members.people import store as people
from members.people.domain import AccountBinding

from .conftest import TERMS

BINDING = AccountBinding(7, 1_000_001, 5)


def fresh(text: str, number: int, now: datetime, binding: AccountBinding = BINDING) -> Fresh:
    mark = domain.mark(TERMS.key_set.identifiers, IdentifierKind.EXTERNAL, text, party=4_000)
    return Fresh(domain.new_identifier(str(uuid.UUID(int=number)), mark, binding=binding, now=now))


async def test_no_number_is_assigned_twice(tx: Tx) -> None:
    first = await people.take_member_numbers(tx, 3)
    second = await people.take_member_numbers(tx, 2)
    assert len({*first, *second}) == 5
    assert min(await people.take_account_numbers(tx, 1)) >= 1_000_001
    assert await people.take_account_numbers(tx, 0) == []


async def test_identifiers_come_back_as_they_were_written(tx: Tx, now: datetime) -> None:
    new = [fresh("A", 1, now), fresh("B", 2, now)]
    await store.insert_identifiers(tx, new, now)
    kept = await store.find_digests(tx, [f.identifier.digest for f in new])
    assert list(kept.values()) == [f.identifier for f in new]
    assert await store.find_identifier(tx, uuid.UUID(int=1)) == new[0].identifier
    assert await store.list_of_member(tx, 7, limit=1) == [new[0].identifier]
    assert await store.find_identifier(tx, uuid.UUID(int=3)) is None


async def test_a_digest_has_one_identifier(tx: Tx, now: datetime) -> None:
    await store.insert_identifiers(tx, [fresh("A", 1, now)], now)
    with pytest.raises(db.DataError) as refused:
        await store.insert_identifiers(tx, [fresh("A", 2, now)], now)
    assert refused.value.state == "23505"


@pytest.mark.parametrize(
    "statement",
    [
        "delete from identifiers",
        "update bindings set member = 1",
        "update consents set marketing = true",
        "update accounts set shard = 0",
        "delete from members",
    ],
)
async def test_history_cannot_be_changed_by_the_room(tx: Tx, statement: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await tx.execute(statement)  # type: ignore[arg-type]


async def test_balances_never_go_back(tx: Tx, now: datetime) -> None:
    newer, older = Balance(1, 5, 9, 90, 1, 2, now), Balance(1, 5, 8, 80, 1, 2, None)
    await balances.upsert_balances(tx, [newer])
    await balances.upsert_balances(tx, [older])
    assert await balances.find_balance(tx, 1) == newer
    assert await balances.lock_balances(tx, [1, 2]) == {1: newer}


async def test_columns_of_the_local_table_are_columns_of_the_database(tx: Tx) -> None:
    rows = await tx.fetch(
        "select column_name from information_schema.columns where table_name = $1",
        balances.BALANCES.name,
    )
    assert {row["column_name"] for row in rows} == set(balances.BALANCES.columns)

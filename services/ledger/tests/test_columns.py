"""Rows as the literals that statements unnest: the server reads back what was written."""

import pytest

from ledger.tables import columns

NAMES = [
    "10000001.1.7", "", " ", "NULL", "null", 'a "quoted" name', "back\\slash", '\\"', ",", "{}",
    "{a,b}", "line\nbreak", "\ttab", "نام فارسی", "‏right to left", "'", "$1", "e\u0301",
]  # fmt: skip


@pytest.mark.parametrize("names", [[], [""], ["NULL"], ["plain", "names"], ['"'], NAMES])
async def test_texts_of_any_kind_arrive_as_they_are(database, names):
    async with database.read() as tx:
        assert await tx.fetchval("select $1::text::text[]", columns.quoted(names)) == names


async def test_numbers_arrive_as_they_are(database):
    rows = [(1, -(2**63), 0), (-7, 2**63 - 1, 2**31)]
    async with database.read() as tx:
        for column, literal in zip(zip(*rows, strict=True), columns.literals(rows, 3), strict=True):
            assert await tx.fetchval("select $1::text::bigint[]", literal) == list(column)


def test_no_rows_are_empty_columns():
    assert columns.literals([], 2) == ["{}", "{}"]
    assert columns.arrays([], 2) == [[], []]

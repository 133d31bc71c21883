"""One list of columns a table: what is written and read in its order is what its values are."""

from datetime import UTC, datetime

from msgspec.structs import asdict, replace

from contracts.values import Unit
from ledger.book.facts import Lot, Origin
from ledger.log.domain import leaves
from ledger.tables import lots
from ledger.tables.definitions import CONSUMPTIONS, ENTRIES, LOT, LOTS

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
FULL = Lot(
    8192, 1000001, Unit.MERCHANT_POINTS, 70, 7000, 5, 6, "base", 3, AT, AT, AT, 7, Origin.AWARD, 9,
    60, 6000, 4, 2, 30,
)  # fmt: skip


def test_a_lot_has_the_columns_of_its_fields_but_for_whose_it_is():
    assert LOT.names == tuple(name for name in Lot.__struct_fields__ if name != "owner")
    assert LOTS.names[: LOT.width] == LOT.names


def test_a_lot_is_written_and_read_in_the_order_of_its_columns():
    born = replace(FULL, amount=71, cost_rial=7001)
    row = dict(zip(LOT.names, lots.row_of(FULL, born), strict=True))
    fields = asdict(FULL) | {"amount": 71, "cost_rial": 7001}
    del fields["owner"]
    assert row == fields
    assert lots.lot_of(lots.row_of(FULL, FULL), FULL.owner) == FULL


def test_entries_and_consumptions_are_the_leafs_rows_behind_sequence_and_shard():
    assert ENTRIES.names == ("sequence", "shard", *leaves.ENTRY_COLUMNS)
    assert CONSUMPTIONS.names == ("sequence", "shard", *leaves.CONSUMPTION_COLUMNS)


def test_a_statement_has_a_parameter_for_every_column():
    assert ENTRIES.insert(5).count("$") == ENTRIES.width
    assert f"${4 + ENTRIES.width}::bigint[]" in ENTRIES.insert(5)
    assert f"${5 + ENTRIES.width}" not in ENTRIES.insert(5)

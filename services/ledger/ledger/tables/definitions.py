"""Tables that a batch adds to: one list of columns each, with types, in the order of rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, LiteralString, cast


@dataclass(frozen=True, slots=True)
class Table:
    """columns: type by name."""

    name: LiteralString
    columns: Mapping[LiteralString, LiteralString]

    @property
    def width(self) -> int:
        """The number of columns of a row."""
        return len(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns in the order of a row."""
        return tuple(self.columns)

    def selected(self, alias: LiteralString, *without: str) -> LiteralString:
        """The columns in their order, as a statement selects them."""
        return ", ".join([f"{alias}.{name}" for name in self.columns if name not in without])

    def insert(self, first: int) -> LiteralString:
        """A statement that adds rows: a parameter a column, from $first on, each an array.

        The first is unnested through a subselect, which hides the number of rows from the planner.
        Otherwise it would make a plan of its own for a few rows at every poll.
        """
        names = ", ".join(self.columns)
        arrays: list[LiteralString] = [
            f"{_parameter(number)}::{type_}[]"
            for number, type_ in enumerate(self.columns.values(), first)
        ]
        rows: LiteralString = ", ".join([f"(select {arrays[0]})", *arrays[1:]])
        return f"insert into {self.name} ({names}) select * from unnest({rows})"  # noqa: S608


def _parameter(number: int) -> LiteralString:
    return cast(LiteralString, f"${number}")  # a number cannot carry foreign text


OUTCOMES: Final = Table(
    "outcomes", {"sequence": "bigint", "shard": "smallint", "name": "text", "fingerprint": "bytea"}
)
# behind sequence and shard, entries and consumptions are rows of a leaf
ENTRIES: Final = Table(
    "entries",
    {
        "sequence": "bigint",
        "shard": "smallint",
        "line": "smallint",
        "account_id": "int",
        "account_sequence": "int",
        "amount": "bigint",
        "balance": "bigint",
    },
)
CONSUMPTIONS: Final = Table(
    "consumptions",
    {
        "sequence": "bigint",
        "shard": "smallint",
        "ordinal": "smallint",
        "lot": "bigint",
        "amount": "bigint",
        "cost_rial": "bigint",
        "claim_rial": "bigint",
        "fee_rial": "bigint",
        "original_sequence": "bigint",
        "original_ordinal": "smallint",
        "issuer": "int",
        "acceptor": "int",
        "merchant": "int",
        "what": "text",
    },
)
LOT: Final = Table(  # a lot as decisions see it, without its owner
    "lots",
    {
        "lot": "bigint",
        "unit": "text",
        "amount": "bigint",
        "cost_rial": "bigint",
        "issuer": "int",
        "funder": "int",
        "rule": "text",
        "rule_version": "int",
        "available_from": "timestamptz",
        "expires_at": "timestamptz",
        "born_at": "timestamptz",
        "merchant": "int",
        "origin": "text",
        "parent": "bigint",
        "remaining": "bigint",
        "cost_left": "bigint",
        "lapsed": "bigint",
        "held": "bigint",
        "sliding_days": "int",
    },
)
LOTS: Final = Table(
    "lots",
    {
        **LOT.columns,
        "shard": "smallint",
        "account_id": "int",
        "open": "boolean",
        "waits": "boolean",
    },
)
ACCOUNTS: Final = Table(
    "accounts",
    {
        "shard": "smallint",
        "account_id": "int",
        "entry_count": "int",
        "counterparty": "int",
        "owner": "bigint",
        "balance": "bigint",
        "role": "text",
        "unit": "text",
    },
)
LEAVES: Final = Table(
    "leaves",
    {
        "first": "bigint",
        "decided_at": "timestamptz",
        "shard": "smallint",
        "count": "smallint",
        "digest": "bytea",
        "packed": "bytea",
    },
)
NODES: Final = Table(
    "nodes", {"shard": "smallint", "level": "smallint", "number": "bigint", "hash": "bytea"}
)
LOT_DATES: Final = Table(
    "lot_dates",
    {
        "sequence": "bigint",
        "shard": "smallint",
        "lot": "bigint",
        "available_from": "timestamptz",
        "expires_at": "timestamptz",
    },
)
SENDS: Final = Table(
    "sends",
    {"sequence": "bigint", "shard": "smallint", "owner": "bigint", "to_shard": "smallint"},
)

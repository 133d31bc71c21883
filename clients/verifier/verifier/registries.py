"""Rows that a shard's house should have in its tables: standings, terms, cards, windows."""

from collections.abc import Iterator
from typing import Any

from verifier.state import State
from verifier.tables import CARDS, POSITIONS, SETTLEMENTS, STANDINGS, TERMS, WINDOWS, Table

Row = tuple[Any, ...]


def rows(state: State) -> Iterator[tuple[Table, tuple[str, ...], list[Row]]]:
    """Each table with the columns that name a row, and all of its rows in order."""
    house, shard = state.house, state.shard
    yield (
        STANDINGS,
        ("is_party", "number"),
        [
            (shard, *who, sequence, standing)
            for who, (standing, sequence) in sorted(house.standings.items())
        ],
    )
    yield (
        TERMS,
        ("kind", "id", "version"),
        [
            (shard, version, numerator, denominator, sequence, accepted, kind, name)
            for (kind, name, version), (numerator, denominator, accepted, sequence) in sorted(
                house.terms.items()
            )
        ],
    )
    yield (
        CARDS,
        ("account",),
        [(shard, account, *card) for account, card in sorted(house.cards.items())],
    )
    yield WINDOWS, ("closed",), [(shard, n, cut) for n, cut in enumerate(house.windows, 1)]
    yield (
        POSITIONS,
        ("debtor", "creditor", "closed"),
        [(shard, *pair, rial) for pair, rial in sorted(house.reached.items())],
    )
    yield (
        SETTLEMENTS,
        ("debtor", "creditor"),
        [(shard, *pair, *settled) for pair, settled in sorted(house.settled.items())],
    )

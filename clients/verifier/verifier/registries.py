"""Rows that a shard's registry requires in its tables: statuses, terms, cards, windows."""

from collections.abc import Iterator
from typing import Any

from verifier.state import State
from verifier.tables import CARDS, POSITIONS, SETTLEMENTS, STANDINGS, TERMS, WINDOWS, Table

Row = tuple[Any, ...]


def rows(state: State) -> Iterator[tuple[Table, tuple[str, ...], list[Row]]]:
    """Each table with the columns that name a row, and all of its rows in order."""
    registry, shard = state.registry, state.shard
    yield (
        STANDINGS,
        ("is_party", "number"),
        [
            (shard, *who, sequence, standing)
            for who, (standing, sequence) in sorted(registry.standings.items())
        ],
    )
    yield (
        TERMS,
        ("kind", "id", "version"),
        [
            (shard, version, numerator, denominator, sequence, accepted, kind, name)
            for (kind, name, version), (numerator, denominator, accepted, sequence) in sorted(
                registry.terms.items()
            )
        ],
    )
    yield (
        CARDS,
        ("account",),
        [(shard, account, *card) for account, card in sorted(registry.cards.items())],
    )
    yield WINDOWS, ("closed",), [(shard, n, cut) for n, cut in enumerate(registry.windows, 1)]
    yield (
        POSITIONS,
        ("debtor", "creditor", "closed"),
        [(shard, *pair, rial) for pair, rial in sorted(registry.reached.items())],
    )
    yield (
        SETTLEMENTS,
        ("debtor", "creditor"),
        [(shard, *pair, *settled) for pair, settled in sorted(registry.settled.items())],
    )

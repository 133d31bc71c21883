"""Writes what a batch changed in its shards' registries: nothing for most batches."""

from collections.abc import Sequence
from typing import Any

from kit.base.db import Tx
from ledger.posting.decide.batch_state import Posting
from ledger.posting.domain.shard_registry import Change, Pair, Settled, Subject
from ledger.posting.store import registry


class _Rows:
    """Rows by table; the last state of what changed twice."""

    def __init__(self) -> None:
        self.standings: dict[tuple[int, Subject], tuple[str, int]] = {}
        self.settled: dict[tuple[int, Pair], tuple[Settled, int]] = {}
        self.terms: list[tuple[Any, ...]] = []
        self.cards: list[tuple[int, ...]] = []
        self.windows: list[tuple[int, ...]] = []
        self.positions: list[tuple[int, ...]] = []

    def add(self, shard: int, sequence: int, change: Change) -> None:
        """Add the changes of one decision."""
        for subject, standing in change.standings:
            self.standings[shard, subject] = (standing, sequence)
        for pair, state in change.settled:
            self.settled[shard, pair] = (state, sequence)
        if change.card is not None:
            self.cards.append((shard, *change.card, sequence))
        if change.window:
            self.windows.append((shard, change.window, sequence))
            reached = change.reached
            self.positions += [(shard, *pair, change.window, rial) for pair, rial in reached]
        if change.terms is not None:
            key, terms = change.terms
            accepted_by = "{" + ",".join(map(str, terms.accepted_by)) + "}"
            self.terms.append(
                (shard, *key, terms.numerator, terms.denominator, accepted_by, sequence)
            )


async def write(tx: Tx, decisions: Sequence[Posting]) -> None:
    """Write the changes of decisions, in order, one statement for each kind."""
    rows = _Rows()
    for decision in decisions:
        if decision.change is not None:
            rows.add(decision.command.shard, decision.sequence, decision.change)
    if rows.standings:
        standings = [
            (shard, *subject, *state) for (shard, subject), state in sorted(rows.standings.items())
        ]
        await registry.upsert_standings(tx, standings)
    if rows.terms:
        await registry.insert_terms(tx, rows.terms)
    if rows.cards:
        await registry.insert_cards(tx, rows.cards)
    if rows.windows:
        await registry.insert_windows(tx, rows.windows, rows.positions)
    if rows.settled:
        paid = [(s, *pair, *state, at) for (s, pair), (state, at) in sorted(rows.settled.items())]
        await registry.upsert_settlements(tx, paid)

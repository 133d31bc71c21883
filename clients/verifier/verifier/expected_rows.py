"""Rows that the leaves require in their tables, as values or as the bytes of a copy."""

import struct
from typing import Any

from verifier import row_bytes
from verifier.leaves import Leaf
from verifier.model.commands_value import Reissue, Send
from verifier.model.decode import Command

Row = tuple[Any, ...]
_SENDS = (Send, Reissue)
OF_BUDGET = 4  # fields of a budget's message; one of value has more


def written_outcomes(shard: int, leaves: list[Leaf]) -> bytes | None:
    """As outcomes, in the bytes of a copy; None: they cannot be written."""
    pack = row_bytes.outcome
    try:
        return b"".join(
            [
                pack(leaf.head[1], shard, name, mark)
                for leaf in leaves
                for name, mark in leaf.rows.get("names", ())
            ]
        )
    except struct.error:
        return None


def outcomes(shard: int, leaves: list[Leaf]) -> list[Row]:
    """Rows of outcomes."""
    return [(leaf.head[1], shard, *row) for leaf in leaves for row in leaf.rows.get("names", ())]


def written_consumptions(shard: int, leaves: list[Leaf]) -> bytes | None:
    """As consumptions, in the bytes of a copy; None: they cannot be written."""
    pack = row_bytes.consumption
    try:
        return b"".join(
            [
                pack(leaf.head[1], shard, row)
                for leaf in leaves
                if "consumptions" in leaf.rows
                for row in leaf.rows["consumptions"]
            ]
        )
    except struct.error:
        return None


def consumptions(shard: int, leaves: list[Leaf]) -> list[Row]:
    """Rows of consumptions."""
    return [
        (leaf.head[1], *row[:11], shard, row[11])
        for leaf in leaves
        for row in leaf.rows.get("consumptions", ())
    ]


def entries(shard: int, leaves: list[Leaf]) -> list[Row]:
    """Rows of entries."""
    rows: list[Row] = []
    for leaf in leaves:
        if "entries" in leaf.rows:
            sequence = leaf.head[1]
            rows += [(sequence, *row, shard) for row in leaf.rows["entries"]]
    return rows


def dates(shard: int, leaves: list[Leaf]) -> list[Row]:
    """Rows of lot_dates."""
    return [
        (leaf.head[1], lot, shard, *when)
        for leaf in leaves
        if "dates" in leaf.rows
        for lot, *when in leaf.rows["dates"]
    ]


def sends(
    shard: int,
    leaves: list[Leaf],
    commands: list[Command | None],
    onward: dict[int, tuple[int, int]],
) -> list[Row]:
    """Rows of sends: at most one of each leaf whose command has sent value to another account.

    onward: account and shard by sequence, where value was forwarded to the card in a closed one's
    place.
    """
    rows: list[Row] = []
    for leaf, command in zip(leaves, commands, strict=True):
        sequence = leaf.head[1]
        if command is None or all(row[11] != "sent" for row in leaf.rows.get("consumptions", ())):
            continue
        if isinstance(command.body, _SENDS):
            rows.append((sequence, command.body.account, shard, command.body.to_shard))
        elif sequence in onward:
            account, to_shard = onward[sequence]
            rows.append((sequence, account, shard, to_shard))
    return rows

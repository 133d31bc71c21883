"""Rows as bytes of PostgreSQL's binary copy: bytes are compared, and nothing is decoded."""

import struct
from typing import Any

from verifier.copying import NULL

_INT = struct.Struct(">i")
_OUTCOME = struct.Struct(">hiqihi")
_CONSUMPTION = struct.Struct(">hiqihiqiqiqiqiqiqihiiiiiiihi")
_OUTCOME_COLUMNS, _CONSUMPTION_COLUMNS = 4, 14


def outcome(sequence: int, shard: int, name: str, fingerprint: bytes | None) -> bytes:
    """A row of outcomes. Raises struct.error on values that its columns cannot have."""
    text = name.encode()
    head = _OUTCOME.pack(_OUTCOME_COLUMNS, 8, sequence, 2, shard, len(text))
    if fingerprint is None:
        return head + text + NULL
    return head + text + _INT.pack(len(fingerprint)) + fingerprint


def consumption(sequence: int, shard: int, row: tuple[Any, ...]) -> bytes:
    """A row of consumptions; row: as the leaf has it. Raises struct.error."""
    (
        ordinal, lot, amount, cost, claim, fee, original, place, issuer, acceptor, merchant,
        movement,
    ) = row  # fmt: skip
    text = movement.encode()
    return (
        _CONSUMPTION.pack(
            _CONSUMPTION_COLUMNS, 8, sequence, 2, ordinal, 8, lot, 8, amount, 8, cost, 8, claim,
            8, fee, 8, original, 2, place, 4, issuer, 4, acceptor, 4, merchant, 2, shard, len(text),
        )
        + text
    )  # fmt: skip

"""One transaction as it was booked: command, answer, every entry, lots, and its money leg."""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, json

from contracts.values import Unit, public_id
from kit.base import errors
from kit.base.db import Tx
from ledger.book.commands import Command
from ledger.book.facts import Role
from ledger.log import store as log_store
from ledger.log.domain import leaves, records
from ledger.log.domain.leaves import Leaf
from ledger.log.usecases import log_read
from ledger.query.store import history

Key = Mapping[str, Any]  # owner, role, unit, counterparty


async def booking_of(tx: Tx, shard: int, name: str) -> dict[str, Any]:
    """All that a name put into the book, from its leaf. Raises NotFound.

    The name of an original whose reversal came first shows that reversal.
    """
    await log_store.begin_snapshot(tx)
    rows = await log_store.find_outcomes(tx, [(shard, name)])
    if not rows:
        raise errors.NotFound("no outcome under this name", code="unknown-outcome")
    place = (shard, int(rows[0]["sequence"]))
    leaf = (await log_read.leaves_at(tx, {place}))[place]
    numbers = sorted({row[1] for row in leaf.entries} | {row[1] for row in leaf.lots})
    keys = {
        row["account_id"]: {k: row[k] for k in ("owner", "role", "unit", "counterparty")}
        for row in await history.list_numbered_accounts(tx, shard, numbers)
    }
    command = records.command_from(shard, leaf.command)
    return _head(leaf, command, name) | {
        "entries": [_entry(row, keys) for row in leaf.entries],
        "lots": [dict(zip(leaves.LOT_COLUMNS, row, strict=True)) for row in leaf.lots],
        "consumptions": [
            dict(zip(leaves.CONSUMPTION_COLUMNS, row, strict=True)) for row in leaf.consumptions
        ],
        "holds": [dict(zip(leaves.HOLD_COLUMNS, row, strict=True)) for row in leaf.holds],
        "dates": [dict(zip(leaves.DATE_COLUMNS, row, strict=True)) for row in leaf.dates],
        "money": _money(leaf, keys),
    }


def _head(leaf: Leaf, command: Command, name: str) -> dict[str, Any]:
    own = command.name == name
    return {
        "id": public_id(leaf.shard, name),
        "shard": leaf.shard,
        "sequence": leaf.sequence,
        "booked_by": public_id(leaf.shard, command.name),
        "command": command.type,
        "kind": command.facts.kind,
        "merchant": command.facts.merchant,
        "status": leaf.status,
        "code": leaf.code,
        "occurred_at": command.occurred_at,
        "accepted_at": command.accepted_at,
        "decided_at": leaf.decided_at,
        "fingerprint": _hex(leaf, name),
        "body": _json(leaf.command),
        "answer": _json(leaf.answer if own else leaf.marked or b""),
    }


def _entry(row: tuple[int, ...], keys: Mapping[int, Key]) -> dict[str, Any]:
    return dict(zip(leaves.ENTRY_COLUMNS, row, strict=True)) | dict(keys[row[1]])


def _money(leaf: Leaf, keys: Mapping[int, Key]) -> dict[str, Any]:
    """The debts between parties that it booked, from its Rial entries; below zero in a refund.

    claims: what each debtor owes each creditor by it, the network's fee among them.
    """
    claims: dict[tuple[int, int], int] = {}
    sums: dict[Role, int] = {}
    for row in leaf.entries:
        key, amount = keys[row[1]], row[3]
        if key["unit"] != Unit.RIAL:
            continue
        role = Role(key["role"])
        sums[role] = sums.get(role, 0) + amount
        if role is Role.PAYABLE:
            pair = (key["owner"], key["counterparty"])
            claims[pair] = claims.get(pair, 0) - amount
    return {
        "claims": [
            {"debtor": debtor, "creditor": creditor, "rial": claims[debtor, creditor]}
            for debtor, creditor in sorted(claims)
        ],
        "fee_rial": sums.get(Role.FEE, 0),
        "own_discount_rial": sums.get(Role.DISCOUNT_GIVEN, 0),
        "cost_released_rial": sums.get(Role.COST_RELEASED, 0),
    }


def _hex(leaf: Leaf, name: str) -> str | None:
    fingerprint = dict(leaf.names).get(name)
    return None if fingerprint is None else fingerprint.hex()


def _json(raw: bytes) -> Raw | None:
    """The bytes where they are JSON; an undecodable record's are not."""
    try:
        json.decode(raw)
    except ValueError:
        return None
    return Raw(raw)

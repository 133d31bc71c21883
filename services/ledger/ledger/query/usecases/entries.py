"""Proof that the log holds an account's entry, by its number in the account."""

from typing import Any

from contracts.values import Unit
from kit.base import errors
from kit.base.db import Tx
from ledger.log.clients import Archive
from ledger.log.usecases import proofs
from ledger.query.store import history
from ledger.query.usecases import accounts


async def inclusion_of(
    tx: Tx,
    archive: Archive | None,
    account: int,
    chosen: tuple[Unit, int, int | None],
    number: int,
    *,
    size: int | None,
) -> dict[str, Any]:
    """Proof of inclusion of the leaf with an account's entry. chosen: as find_value_account."""
    account_row = await accounts.find_value_account(tx, account, *chosen)
    entry = None
    if account_row is not None:
        entry = await history.find_entry(
            tx, shard=account_row["shard"], account_id=account_row["account_id"], number=number
        )
    if account_row is None or entry is None:
        raise errors.NotFound("the account has no such entry", code="unknown-entry")
    proof = await proofs.inclusion_at(
        tx, archive, account_row["shard"], entry["sequence"], size=size
    )
    return proof | {
        "entry": {
            "account": account,
            "account_id": account_row["account_id"],
            "account_sequence": number,
            "line": entry["line"],
            "amount": entry["amount"],
            "balance": entry["balance"],
        }
    }

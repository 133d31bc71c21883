"""All the SQL of terminals, activations and keys."""

from datetime import datetime
from typing import Final

from contracts.merchants import Terminal, TerminalKey
from kit.base.db import Record, Tx
from merchants import settings
from merchants.terminals.domain import Activation

_TERMINAL: Final = (
    "select t.terminal, t.version, t.epoch, t.merchant, m.party, t.branch, t.active, t.stopped,"
    " t.online"
    " from terminals t join merchants m using (merchant)"
)


async def insert_terminal(tx: Tx, terminal: Terminal) -> bool:
    """False when the number is taken; an unknown branch is a DataError."""
    tag = await tx.execute(
        "insert into terminals (terminal, merchant, branch, version, epoch, active, online)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict (terminal) do nothing",
        terminal.terminal,
        terminal.merchant,
        terminal.branch,
        terminal.version,
        terminal.epoch,
        terminal.active,
        terminal.online,
    )
    return tag == "INSERT 0 1"


async def find_online(tx: Tx, merchant: int) -> int | None:
    """The terminal that names a merchant's orders, or None."""
    return await tx.fetchval(
        "select terminal from terminals where merchant = $1 and online", merchant
    )


async def find_terminal(tx: Tx, terminal: int) -> Terminal | None:
    """The terminal with all its keys, or None."""
    row = await tx.fetchrow(_TERMINAL + " where t.terminal = $1", terminal)
    return None if row is None else await _with_keys(tx, row)


async def lock_terminal(tx: Tx, terminal: int) -> Terminal | None:
    """The terminal with all its keys, locked until the transaction ends, or None."""
    row = await tx.fetchrow(_TERMINAL + " where t.terminal = $1 for no key update of t", terminal)
    return None if row is None else await _with_keys(tx, row)


async def list_terminals(tx: Tx, merchant: int, *, after: int, limit: int) -> list[Terminal]:
    """Terminals of a merchant in number order, above after, with their keys."""
    rows = await tx.fetch(
        _TERMINAL + " where t.merchant = $1 and t.terminal > $2 order by t.terminal limit $3",
        merchant,
        after,
        limit,
    )
    keys = await _find_keys(tx, [row["terminal"] for row in rows])
    return [Terminal(**dict(row), keys=tuple(keys.get(row["terminal"], []))) for row in rows]


async def update_terminal(tx: Tx, terminal: Terminal) -> None:
    """Write version, epoch, whether it is active and whether it is stopped."""
    await tx.execute(
        "update terminals set version = $2, epoch = $3, active = $4, stopped = $5"
        " where terminal = $1",
        terminal.terminal,
        terminal.version,
        terminal.epoch,
        terminal.active,
        terminal.stopped,
    )


async def insert_key(tx: Tx, terminal: int, key: TerminalKey) -> None:
    """Add a key; a key id that the terminal has is a DataError."""
    await tx.execute(
        "insert into terminal_keys (terminal, key_id, sha256, created_at, epoch)"
        " values ($1, $2, $3, $4, $5)",
        terminal,
        key.key_id,
        key.sha256,
        key.created_at,
        key.epoch,
    )


async def update_ends(
    tx: Tx, terminal: int, *, ends_at: datetime, key_id: str | None = None
) -> bool:
    """Let one key, or all, end at a time, where none has ended before it; whether any changed."""
    tag = await tx.execute(
        "update terminal_keys set revoked_at = $2"
        " where terminal = $1 and ($3::text is null or key_id = $3)"
        " and (revoked_at is null or revoked_at > $2)",
        terminal,
        ends_at,
        key_id,
    )
    return tag != "UPDATE 0"


async def find_key(tx: Tx, terminal: int, key_id: str) -> TerminalKey | None:
    """A key of a terminal, however long ago it ended, or None."""
    row = await tx.fetchrow(
        "select key_id, sha256, created_at, revoked_at, epoch from terminal_keys"
        " where terminal = $1 and key_id = $2",
        terminal,
        key_id,
    )
    return None if row is None else TerminalKey(**dict(row))


async def insert_activation(tx: Tx, activation: Activation, key: TerminalKey) -> None:
    """Remember what an activation issued."""
    await tx.execute(
        "insert into activations"
        " (activation, terminal, epoch, key_id, activated_at, overlap_s)"
        " values ($1::uuid, $2, $3, $4, $5, $6)",
        activation.activation,
        activation.terminal,
        activation.epoch,
        activation.key_id,
        key.created_at,
        activation.overlap_s,
    )


async def find_activation(tx: Tx, activation: str) -> Activation | None:
    """What an activation issued, or None."""
    row = await tx.fetchrow(
        "select activation::text, terminal, epoch, key_id, overlap_s from activations"
        " where activation = $1::uuid",
        activation,
    )
    return None if row is None else Activation(**dict(row))


async def _with_keys(tx: Tx, row: Record) -> Terminal:
    keys = await _find_keys(tx, [row["terminal"]])
    return Terminal(**dict(row), keys=tuple(keys.get(row["terminal"], [])))


async def _find_keys(tx: Tx, terminals: list[int]) -> dict[int, list[TerminalKey]]:
    rows = await tx.fetch(
        "select terminal, key_id, sha256, created_at, revoked_at, epoch from ("
        "  select k.*, row_number() over ("
        "   partition by terminal order by revoked_at desc nulls first, created_at desc, key_id"
        "  ) as place from terminal_keys k where terminal = any($1::int[])"
        " ) told where place <= $2 order by terminal, created_at, key_id",
        terminals,
        settings.KEYS_PUBLISHED_MAX,
    )
    keys: dict[int, list[TerminalKey]] = {}
    for row in rows:
        key = TerminalKey(
            key_id=row["key_id"],
            sha256=row["sha256"],
            created_at=row["created_at"],
            revoked_at=row["revoked_at"],
            epoch=row["epoch"],
        )
        keys.setdefault(row["terminal"], []).append(key)
    return keys

"""SQL of payment instructions, the bank's answers, and where parties are paid."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from merchants.settlement.domain.instructions import (
    Direction,
    Instruction,
    InstructionState,
    Method,
)

_SELECT: Final = (
    "select reference, window_number as window, party, direction, batch, place, method,"
    " amount_rial, name, sheba, instructed_at, state, reason, answered_at"
    " from payment_instructions"
)
_CHANGE: Final = (
    "select change::text, party, sheba, reason, proposed_by, proposed_at, approved_by, approved_at"
    " from sheba_changes"
)


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file of the bank as it was sent here. changed_count: instructions that it changed."""

    answer: str
    window: int
    format: str
    content: str
    changed_count: int
    sent_by: str
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShebaChange:
    """Where a party is paid from the approval of the change on."""

    change: str
    party: int
    sheba: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None


async def insert_instructions(tx: Tx, instructions: Sequence[Instruction]) -> None:
    """Write new instructions."""
    columns = (
        "reference, window_number, party, direction, batch, place, method, amount_rial, name,"
        " sheba, instructed_at"
    )
    await tx.execute(
        f"insert into payment_instructions ({columns})"  # noqa: S608 - literals
        " select * from unnest($1::text[], $2::int[], $3::int[], $4::text[], $5::int[],"
        " $6::int[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::timestamptz[])",
        [one.reference for one in instructions],
        [one.window for one in instructions],
        [one.party for one in instructions],
        [one.direction for one in instructions],
        [one.batch for one in instructions],
        [one.place for one in instructions],
        [one.method for one in instructions],
        [one.amount_rial for one in instructions],
        [one.name for one in instructions],
        [one.sheba for one in instructions],
        [one.instructed_at for one in instructions],
    )


async def update_answered(
    tx: Tx, reference: str, state: InstructionState, reason: str, at: datetime
) -> None:
    """Write what became of an instruction."""
    await tx.execute(
        "update payment_instructions set state = $2, reason = $3, answered_at = $4"
        " where reference = $1",
        reference,
        state,
        reason,
        at,
    )


async def cancel_collections(tx: Tx, window: int, at: datetime) -> None:
    """Cancel the collections of a settlement that have not come."""
    await tx.execute(
        "update payment_instructions set state = 'cancelled', answered_at = $2"
        " where window_number = $1 and direction = 'collection' and state = 'instructed'",
        window,
        at,
    )


async def list_instructions(
    tx: Tx,
    window: int,
    *,
    direction: Direction | None = None,
    batch: int | None = None,
    party: int | None = None,
) -> list[Instruction]:
    """Instructions of a settlement: of one direction, batch or party, or all; in file order."""
    rows = await tx.fetch(
        _SELECT + " where window_number = $1 and ($2::text is null or direction = $2)"
        " and ($3::int is null or batch = $3) and ($4::int is null or party = $4)"
        " order by direction, batch, place",
        window,
        direction,
        batch,
        party,
    )
    return [_instruction(row) for row in rows]


async def insert_file(tx: Tx, file: BankFile) -> None:
    """Keep a file of the bank."""
    await tx.execute(
        "insert into bank_answers"
        " (answer, window_number, format, content, changed_count, sent_by, sent_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        file.answer,
        file.window,
        file.format,
        file.content,
        file.changed_count,
        file.sent_by,
        file.sent_at,
    )


async def find_file(tx: Tx, answer: str) -> BankFile | None:
    """A file of the bank, or None."""
    row = await tx.fetchrow(
        "select answer::text, window_number as window, format, content, changed_count, sent_by,"
        " sent_at from bank_answers where answer = $1",
        answer,
    )
    return None if row is None else BankFile(**dict(row))


async def insert_change(tx: Tx, change: ShebaChange) -> None:
    """Write a proposed change."""
    await tx.execute(
        "insert into sheba_changes (change, party, sheba, reason, proposed_by, proposed_at)"
        " values ($1, $2, $3, $4, $5, $6)",
        change.change,
        change.party,
        change.sheba,
        change.reason,
        change.proposed_by,
        change.proposed_at,
    )


async def update_approved(tx: Tx, change: str, by: str, at: datetime) -> None:
    """Write who approved a change."""
    sql = "update sheba_changes set approved_by = $2, approved_at = $3 where change = $1"
    await tx.execute(sql, change, by, at)


async def find_change(tx: Tx, change: uuid.UUID) -> ShebaChange | None:
    """A change, or None."""
    row = await tx.fetchrow(_CHANGE + " where change = $1", change)
    return None if row is None else ShebaChange(**dict(row))


async def list_shebas(tx: Tx, parties: Sequence[int]) -> dict[int, str]:
    """The Sheba of each party by its last approved change, of those that have one."""
    rows = await tx.fetch(
        "select distinct on (party) party, sheba from sheba_changes"
        " where party = any($1::int[]) and approved_at is not null"
        " order by party, approved_at desc",
        list(parties),
    )
    return {row["party"]: row["sheba"] for row in rows}


def _instruction(row: Record) -> Instruction:
    values = dict(row)
    values["direction"] = Direction(row["direction"])
    values["method"] = Method(row["method"])
    values["state"] = InstructionState(row["state"])
    return Instruction(**values)

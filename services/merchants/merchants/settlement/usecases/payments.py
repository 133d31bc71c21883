"""Asking parties for their payments, instructing payouts, and the bank's answers to both."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kit.base.db import Tx
from merchants import errors
from merchants.parties import usecases as parties
from merchants.settlement.domain import bank_files, instructions, settlements
from merchants.settlement.domain.instructions import (
    BadAnswer,
    BankAnswer,
    Direction,
    Instruction,
    InstructionState,
    Limits,
    Method,
)
from merchants.settlement.domain.settlements import NoAccount, SettlementState
from merchants.settlement.store import instructions as store
from merchants.settlement.store import settlements as settlement_store
from merchants.settlement.store.instructions import BankFile, ShebaChange


@dataclass(frozen=True, slots=True)
class _Account:
    """Where a party is paid. sheba "": nobody knows."""

    name: str
    sheba: str


async def _accounts(tx: Tx, numbers: Sequence[int]) -> dict[int, _Account]:
    known = await parties.list_parties(tx, numbers)
    changed = await store.list_shebas(tx, numbers)
    return {
        number: _Account(party.title_fa, changed.get(number) or party.sheba or "")
        for number, party in known.items()
    }


# -------------------------------------------------------------------------------------- collections


async def ask_collections(tx: Tx, window: int, now: datetime) -> None:
    """Ask for what is left to be paid in and is not asked for, under a reference for each party."""
    asked = await _under_way(tx, window, Direction.COLLECTION)
    payers = [
        (one.party, rial)
        for one in await settlement_store.list_parties(tx, window)
        if (rial := -one.left_rial - asked.get(one.party, 0)) > 0
    ]
    if not payers:
        return
    earlier = await store.list_instructions(tx, window, direction=Direction.COLLECTION)
    batch = max((one.batch for one in earlier), default=0) + 1
    accounts = await _accounts(tx, [party for party, _ in payers])
    await store.insert_instructions(
        tx,
        [
            Instruction(
                reference=instructions.reference_of(window, Direction.COLLECTION, batch, place),
                window=window,
                party=party,
                direction=Direction.COLLECTION,
                batch=batch,
                place=place,
                method=Method.COLLECTION,
                amount_rial=rial,
                name=_name_of(party, accounts),
                sheba="",
                instructed_at=now,
            )
            for place, (party, rial) in enumerate(payers, start=1)
        ],
    )


def _name_of(party: int, accounts: dict[int, _Account]) -> str:
    return accounts[party].name if party in accounts else str(party)


# --------------------------------------------------------------------------------------- payouts


async def instruct_payouts(tx: Tx, window: int, *, now: datetime, limits: Limits) -> int:
    """Instruct what is left to be paid and is not under way, as a new batch; how many lines.

    A party without a Sheba waits; `reinstruct` takes it up once it has one.
    """
    under_way = await _under_way(tx, window, Direction.PAYOUT)
    owed = [
        (one, one.left_rial - under_way.get(one.party, 0))
        for one in await settlement_store.list_parties(tx, window)
    ]
    accounts = await _accounts(tx, [one.party for one, rial in owed if rial > 0])
    lines = [
        (one, method, part)
        for one, rial in owed
        if rial > 0 and one.party in accounts and accounts[one.party].sheba
        for method, part in limits.parts_of(rial)
    ]
    earlier = await store.list_instructions(tx, window, direction=Direction.PAYOUT)
    batch = max((one.batch for one in earlier), default=0) + 1
    await store.insert_instructions(
        tx,
        [
            Instruction(
                reference=instructions.reference_of(window, Direction.PAYOUT, batch, place),
                window=window,
                party=one.party,
                direction=Direction.PAYOUT,
                batch=batch,
                place=place,
                method=method,
                amount_rial=part,
                name=accounts[one.party].name,
                sheba=accounts[one.party].sheba,
                instructed_at=now,
            )
            for place, (one, method, part) in enumerate(lines, start=1)
        ],
    )
    return len(lines)


async def _under_way(tx: Tx, window: int, direction: Direction) -> dict[int, int]:
    """What is instructed for each party one way and not answered, in Rial."""
    sums: dict[int, int] = {}
    for one in await store.list_instructions(tx, window, direction=direction):
        if one.state is InstructionState.INSTRUCTED:
            sums[one.party] = sums.get(one.party, 0) + one.amount_rial
    return sums


async def reinstruct(tx: Tx, window: int, *, now: datetime, limits: Limits) -> int:
    """Instruct again what was rejected, returned or waits for a Sheba; how many lines.

    Nothing where all that is left is under way. Raises Unknown, WrongState, NoAccount.
    """
    settlement = await settlement_store.lock_settlement(tx, window)
    if settlement is None:
        raise errors.Unknown(f"window {window} has no settlement; propose one")
    settlements.check_state(settlement, SettlementState.PAYING)
    lines = await instruct_payouts(tx, window, now=now, limits=limits)
    if not lines and await _waits_for_account(tx, window):
        raise NoAccount("a party to be paid has no Sheba; register it by a change of Sheba")
    return lines


async def _waits_for_account(tx: Tx, window: int) -> bool:
    under_way = await _under_way(tx, window, Direction.PAYOUT)
    kept = await settlement_store.list_parties(tx, window)
    return any(one.left_rial > under_way.get(one.party, 0) for one in kept)


async def get_batch(tx: Tx, window: int, batch: int) -> list[Instruction]:
    """The payouts of one file, in its order. Raises Unknown."""
    lines = await store.list_instructions(tx, window, direction=Direction.PAYOUT, batch=batch)
    if not lines:
        raise errors.Unknown(f"the settlement of window {window} has no file {batch}")
    return lines


# --------------------------------------------------------------------------------- bank's answers


async def record_file(tx: Tx, file: BankFile) -> tuple[BankFile, bool]:
    """Take a file of the bank: its lines in their order, all or none; whether it is new.

    file: its changed_count is counted here. A line that was said before changes nothing. Raises
    Unknown, Differs, BadAnswer, WrongState.
    """
    settlement = await settlement_store.lock_settlement(tx, file.window)
    if settlement is None:
        raise errors.Unknown(f"window {file.window} has no settlement; propose one")
    kept = await store.find_file(tx, file.answer)
    if kept is not None:
        if (kept.window, kept.format, kept.content) != (file.window, file.format, file.content):
            raise errors.Differs("another file has this id; make a new UUID")
        return kept, False
    settlements.check_state(
        settlement,
        SettlementState.COLLECTING,
        SettlementState.PAYING,
        SettlementState.COMPLETED,
    )
    read = bank_files.read_pain_002 if file.format == "pain.002" else bank_files.read_csv
    answers = read(file.content)
    changed = await _apply(tx, file.window, answers, file.sent_at)
    counted = replace(file, changed_count=changed)
    await store.insert_file(tx, counted)
    return counted, True


async def _apply(tx: Tx, window: int, answers: Sequence[BankAnswer], now: datetime) -> int:
    known = {one.reference: one for one in await store.list_instructions(tx, window)}
    changed = 0
    for answer in answers:
        line = known.get(answer.reference)
        if line is None:
            raise BadAnswer(f"{answer.reference[:40]!r} is no payment of window {window}")
        moved = instructions.answered(line, answer)
        if moved is None:
            continue
        changed += 1
        known[line.reference] = replace(line, state=answer.state)
        await store.update_answered(tx, line.reference, answer.state, answer.reason, now)
        if moved:
            await settlement_store.add_moved(tx, window, line.party, moved)
    return changed


# --------------------------------------------------------------------------- where parties are paid


async def propose_sheba(tx: Tx, change: ShebaChange) -> tuple[ShebaChange, bool]:
    """Propose where a party is to be paid; whether it is new. Raises Unknown, Differs."""
    await parties.lock_party(tx, change.party)
    kept = await store.find_change(tx, uuid.UUID(change.change))
    if kept is not None:
        if (kept.party, kept.sheba, kept.reason) != (change.party, change.sheba, change.reason):
            raise errors.Differs("this change was another one; make a new UUID")
        return kept, False
    await store.insert_change(tx, change)
    return change, True


async def approve_sheba(
    tx: Tx, party: int, change: uuid.UUID, *, by: str, now: datetime
) -> ShebaChange:
    """Approve it, as a second person; payouts instructed from now on go there.

    Repeated by the same person it changes nothing. Raises Unknown, SamePerson, Differs.
    """
    await parties.lock_party(tx, party)
    kept = await get_sheba_change(tx, party, change)
    if kept.approved_by == by:
        return kept
    if kept.approved_by is not None:
        raise errors.Differs("somebody else has approved it")
    settlements.check_second_person(kept.proposed_by, by)
    await store.update_approved(tx, kept.change, by, now)
    return await get_sheba_change(tx, party, change)


async def get_sheba_change(tx: Tx, party: int, change: uuid.UUID) -> ShebaChange:
    """A change of a party. Raises Unknown."""
    kept = await store.find_change(tx, change)
    if kept is None or kept.party != party:
        raise errors.Unknown(f"party {party} has no change {change}; PUT it first")
    return kept

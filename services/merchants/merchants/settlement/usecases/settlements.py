"""Proposing, approving and following a settlement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.ledger import Outcome
from kit.base import telemetry
from kit.base.db import Tx
from kit.stream import requests
from merchants import errors
from merchants.clearing import usecases as clearing
from merchants.clearing.domain.counting import Pair
from merchants.settlement.domain import ageing, netting, settlements
from merchants.settlement.domain.ageing import PartyAgeing
from merchants.settlement.domain.instructions import Direction, Instruction, Limits
from merchants.settlement.domain.netting import Due
from merchants.settlement.domain.settlements import (
    AlreadySettled,
    NothingToSettle,
    PartyPayment,
    Settlement,
    SettlementState,
    UnderWay,
    WrongState,
)
from merchants.settlement.store import instructions as instruction_store
from merchants.settlement.store import settlements as store
from merchants.settlement.usecases import payments

ENDED: Final = (SettlementState.COMPLETED, SettlementState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class SettlementReport:
    """A settlement with its parties, its instructions, and what became of the ledger's commands."""

    settlement: Settlement
    parties: list[PartyPayment]
    instructions: list[Instruction]
    pairs: list[Pair]
    bookings_pending: int
    bookings_declined: int


# -------------------------------------------------------------------------------------- proposing


async def preview(tx: Tx, window: int, *, minimum_rial: int) -> list[PartyPayment]:
    """What each party would pay or be paid; changes nothing. Raises as propose does."""
    await _check_window(tx, window)
    return await _targets(tx, window, minimum_rial)


async def propose(
    tx: Tx, window: int, *, minimum_rial: int, by: str, now: datetime
) -> tuple[SettlementReport, bool]:
    """Propose to settle all that is unpaid up to a closed window; whether it is new.

    The same again, by whomever, gives what there is. Raises Unknown, NotClosed (window), UnderWay,
    AlreadySettled, NothingToSettle, Differs (another minimum).
    """
    kept = await store.lock_settlement(tx, window)
    if kept is not None:
        if kept.minimum_rial != minimum_rial:
            raise errors.Differs(f"the settlement of window {window} has another minimum")
        return await get_settlement(tx, window), False
    await store.lock_sequence(tx)
    await _check_window(tx, window)
    targets = await _targets(tx, window, minimum_rial)
    settlement = Settlement(
        window=window,
        state=SettlementState.PROPOSED,
        minimum_rial=minimum_rial,
        proposed_by=by,
        proposed_at=now,
    )
    await store.insert_settlement(tx, settlement)
    await store.upsert_parties(tx, window, targets)
    return await get_settlement(tx, window), True


async def _check_window(tx: Tx, window: int) -> None:
    await clearing.get_closed(tx, window)
    last = await store.find_last(tx)
    if last is None:
        return
    if last.state not in ENDED:
        raise UnderWay(f"the settlement of window {last.window} is {last.state}; finish it first")
    if last.window >= window:
        raise AlreadySettled(f"window {last.window} was settled; settle a later one")


async def _targets(tx: Tx, window: int, minimum_rial: int) -> list[PartyPayment]:
    dues = await _list_dues(tx, window)
    nets = netting.payments_of(netting.unpaid_of(dues), minimum_rial=minimum_rial)
    if not nets:
        raise NothingToSettle(f"no net reaches {minimum_rial} Rial; all of it is carried over")
    return [PartyPayment(party, rial) for party, rial in nets.items()]


# ---------------------------------------------------------------------------------------- steps


async def approve(
    tx: Tx, window: int, *, by: str, now: datetime, limits: Limits
) -> SettlementReport:
    """Approve what another person proposed: debtors are asked for their payments.

    Repeated by the same person it changes nothing. Raises Unknown, SamePerson, WrongState.
    """
    settlement = await _locked(tx, window)
    if settlement.approved_by == by:
        return await get_settlement(tx, window)
    settlements.check_state(settlement, SettlementState.PROPOSED)
    settlements.check_second_person(settlement.proposed_by, by)
    approved = replace(
        settlement, state=SettlementState.COLLECTING, approved_by=by, approved_at=now
    )
    await store.update_settlement(tx, approved)
    await advance(tx, approved, now=now, limits=limits)
    return await get_settlement(tx, window)


async def withdraw(tx: Tx, window: int, *, now: datetime) -> SettlementReport:
    """End a settlement of which nothing was paid yet; the next window settles all of it.

    Raises Unknown, WrongState.
    """
    settlement = await _locked(tx, window)
    if settlement.state is SettlementState.WITHDRAWN:
        return await get_settlement(tx, window)
    await _check_undoable(tx, settlement)
    if any(one.moved_rial for one in await store.list_parties(tx, window)):
        raise WrongState("somebody has paid already; exclude whoever does not pay")
    await instruction_store.cancel_collections(tx, window, now)
    await store.update_settlement(tx, replace(settlement, state=SettlementState.WITHDRAWN))
    return await get_settlement(tx, window)


async def exclude(tx: Tx, window: int, party: int, *, by: str, now: datetime) -> SettlementReport:
    """Leave out a party that does not pay, with all its pairs, and propose the others' payments.

    Whoever has paid more than is asked of it now is paid back. A second person approves again.
    Repeated it changes nothing. Raises Unknown, WrongState.
    """
    settlement = await _locked(tx, window)
    kept = await store.list_parties(tx, window)
    own = next((one for one in kept if one.party == party), None)
    if own is None:
        raise errors.Unknown(f"party {party} has no part in the settlement of window {window}")
    if own.excluded:
        return await get_settlement(tx, window)
    await _check_undoable(tx, settlement)
    dues = await _list_dues(tx, window)
    out = {one.party for one in kept if one.excluded} | {party}
    nets = netting.payments_of(
        netting.unpaid_of(dues), minimum_rial=settlement.minimum_rial, excluded=out
    )
    await store.upsert_parties(tx, window, settlements.retargeted(kept, nets))
    await instruction_store.cancel_collections(tx, window, now)
    proposed = replace(
        settlement,
        state=SettlementState.PROPOSED,
        proposed_by=by,
        proposed_at=now,
        approved_by=None,
        approved_at=None,
    )
    await store.update_settlement(tx, proposed)
    return await get_settlement(tx, window)


async def _check_undoable(tx: Tx, settlement: Settlement) -> None:
    """Raises WrongState once money goes out, also where a payment in was returned after that."""
    settlements.check_state(settlement, SettlementState.PROPOSED, SettlementState.COLLECTING)
    window = settlement.window
    payouts = await instruction_store.list_instructions(tx, window, direction=Direction.PAYOUT)
    if payouts or await store.list_pairs(tx, window):
        raise WrongState("money has gone out already; what came back is asked for again")


async def advance(tx: Tx, settlement: Settlement, *, now: datetime, limits: Limits) -> None:
    """Take a settlement that is approved as far as the money that moved allows.

    Payouts are instructed once every debtor has paid. From then on the ledger is told of a pair
    once both its parties are done, and nobody is left out any more.
    """
    window = settlement.window
    parties = await store.list_parties(tx, window)
    if settlements.state_after(parties) is SettlementState.COLLECTING:
        await payments.ask_collections(tx, window, now)
    else:
        for one in parties:
            if settlements.keeps_its_own(one):
                await store.add_moved(tx, window, one.party, one.left_rial)
        if settlement.state is SettlementState.COLLECTING:
            await payments.instruct_payouts(tx, window, now=now, limits=limits)
        parties = await store.list_parties(tx, window)
        await _book(tx, window, parties, now)  # before, the settlement may still be undone
    state = settlements.state_after(parties)
    completed_at = now if state is SettlementState.COMPLETED else None
    await store.update_settlement(
        tx, replace(settlement, state=state, completed_at=settlement.completed_at or completed_at)
    )


async def _book(tx: Tx, window: int, parties: Sequence[PartyPayment], now: datetime) -> None:
    """Send the bookings of pairs whose parties are done, each pair once."""
    done = {one.party for one in parties if one.is_done and not one.excluded}
    sent = set(await store.list_pairs(tx, window))
    dues: dict[Pair, list[Due]] = {}
    for due in await _list_dues(tx, window):
        pair = Pair(min(due.pair), max(due.pair))
        if done.issuperset(pair) and pair not in sent:
            dues.setdefault(pair, []).append(due)
    if not dues:
        return
    for _, part in sorted(dues.items()):
        bookings = netting.bookings_of(part)
        await requests.send(tx, [(one.shard, settlements.command(one, now)) for one in bookings])
        await store.insert_bookings(tx, window, bookings)
    await store.insert_pairs(tx, window, sorted(dues), now)
    await clearing.pay_corrections(tx, sorted(dues), up_to=window, now=now)


async def _list_dues(tx: Tx, window: int) -> list[Due]:
    """What the ledger and the ends of disputes left open between each pair, up to a window."""
    corrections = await clearing.list_unpaid_corrections(tx, window)
    return [
        *await store.list_dues(tx, window),
        *(Due(one.window, one.pair, None, one.amount_rial) for one in corrections),
    ]


async def record_outcomes(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> None:
    """Keep the ledger's answers to bookings; a declined one raises an alarm."""
    answers = await requests.record_outcomes(tx, outcomes, commands=(settlements.COMMAND,))
    for answer in answers:
        if not answer.completed:
            telemetry.count(telemetry.Metric.ALARMS, "settlement-booking-declined")


# ----------------------------------------------------------------------------------------- reading


async def get_settlement(tx: Tx, window: int) -> SettlementReport:
    """A settlement with all that belongs to it. Raises Unknown."""
    settlement = await store.find_settlement(tx, window)
    if settlement is None:
        raise errors.Unknown(f"window {window} has no settlement; propose one")
    pending, declined = await store.count_unbooked(tx, window)
    return SettlementReport(
        settlement=settlement,
        parties=await store.list_parties(tx, window),
        instructions=await instruction_store.list_instructions(tx, window),
        pairs=await store.list_pairs(tx, window),
        bookings_pending=pending,
        bookings_declined=declined,
    )


async def list_settlements(tx: Tx, *, before: int, limit: int) -> list[Settlement]:
    """Settlements, newest first."""
    return await store.list_settlements(tx, before=before, limit=limit)


async def lock_settlement(tx: Tx, window: int) -> Settlement:
    """A settlement, held until the transaction ends. Raises Unknown."""
    return await _locked(tx, window)


async def _locked(tx: Tx, window: int) -> Settlement:
    settlement = await store.lock_settlement(tx, window)
    if settlement is None:
        raise errors.Unknown(f"window {window} has no settlement; propose one")
    return settlement


@dataclass(frozen=True, slots=True)
class AgeingReport:
    """What is unpaid as of the last closed window; 0: none was closed."""

    window: int
    parties: list[PartyAgeing]
    total: tuple[int, ...]


async def get_ageing(tx: Tx, now: datetime) -> AgeingReport:
    """What is unpaid, by the age of the window that brought it."""
    closed_at = await store.list_closed(tx)
    last = max(closed_at, default=0)
    dues = await _list_dues(tx, last)
    parties = ageing.ageing_of(dues, closed_at, now)
    return AgeingReport(last, parties, ageing.total_of(parties))

"""Opening disputes, their steps, and what their ends come to."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts import envelope, topics, values
from contracts.merchants import DisputeChanged
from kit.base import telemetry
from kit.base.db import Database, Tx
from kit.stream import outbox
from merchants import errors
from merchants.clearing import usecases as clearing
from merchants.clearing.domain.corrections import Correction
from merchants.clearing.domain.counting import PairSums
from merchants.disputes.domain import disputes as rules
from merchants.disputes.domain.disputes import (
    Deadlines,
    Dispute,
    DisputeFilter,
    DisputeState,
    Opening,
    Step,
)
from merchants.disputes.domain.evidence import EvidenceFile
from merchants.disputes.domain.refusals import (
    ForeignTransaction,
    NothingToDispute,
    SecondPersonNeeded,
    UnknownDispute,
)
from merchants.disputes.store import disputes as store
from merchants.disputes.store import evidence as evidence_store
from merchants.parties import usecases as parties

log = logging.getLogger(__name__)
EXPIRED_MAX: Final = 100  # deadlines that one round of the job looks at
ANSWERED: Final = frozenset(
    {DisputeState.ACCEPTED, DisputeState.PARTLY_ACCEPTED, DisputeState.REJECTED}
)
DECIDED: Final = frozenset(
    {DisputeState.UPHELD, DisputeState.PARTLY_UPHELD, DisputeState.DISMISSED}
)
ESCALATED: Final = frozenset({DisputeState.ESCALATED})
WITHDRAWN: Final = frozenset({DisputeState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, when, and who approved it. party: for whom; None: the network as the judge."""

    subject: str
    now: datetime
    party: int | None = None
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A dispute with all that belongs to it."""

    dispute: Dispute
    steps: list[Step]
    files: list[EvidenceFile]
    correction: Correction | None


# ----------------------------------------------------------------------------------------- opening


async def open_dispute(
    tx: Tx, opening: Opening, by: By, deadlines: Deadlines
) -> tuple[Report, bool]:
    """Dispute a line of a closed window; whether it is new. The same again gives what there is.

    Raises Unknown (window, party), NotClosed, NothingToDispute, OverLine, ForeignTransaction,
    TooLate, Differs.
    """
    kept = await store.find_dispute(tx, opening.dispute)
    if kept is None:
        sums = await _lock_line(tx, opening, by.now, deadlines)
        kept = await store.find_dispute(tx, opening.dispute)  # opened by who held the line before
        if kept is None:
            await _check_line(tx, opening, sums)
            due_at = by.now + deadlines.answer
            created = await store.insert_dispute(tx, opening, at=by.now, due_at=due_at)
            kept = await _get(tx, opening.dispute)
            if created:
                await _record(tx, kept, by, rial=opening.amount_rial, note="")
                return await _report(tx, kept), True
    if kept.opening != opening:
        raise errors.Differs("this dispute was another one; make a new UUID")
    return await _report(tx, kept), False


async def _lock_line(tx: Tx, opening: Opening, now: datetime, deadlines: Deadlines) -> PairSums:
    """The sums of the disputed line, of which one dispute at a time is opened."""
    window = await clearing.get_closed(tx, opening.window)
    await parties.get_party(tx, opening.opener)
    await parties.get_party(tx, opening.respondent)
    rules.check_in_time(window.closed_at or now, now, deadlines)
    if opening.opener == opening.respondent:
        raise NothingToDispute("a party has no line with itself that it owes")
    return await clearing.lock_line(tx, opening.window, opening.line)


async def _check_line(tx: Tx, opening: Opening, sums: PairSums) -> None:
    if not rules.disputable(opening.side, sums):
        raise NothingToDispute("this line took nothing from the party; look at its statement")
    rules.check_room(opening, sums, await store.list_of_line(tx, opening))
    named = [values.parse_public_id(one) for one in opening.transactions]
    foreign = await clearing.list_foreign(tx, opening.window, opening.line, named)
    if foreign:
        raise ForeignTransaction(
            "these are not behind the line; list its transactions",
            transactions=[values.public_id(shard, name) for shard, name in foreign],
        )


# ------------------------------------------------------------------------------------------- steps


async def answer(
    tx: Tx, dispute: str, accepted_rial: int, note: str, *, by: By, deadlines: Deadlines
) -> tuple[Report, bool]:
    """The respondent's answer; whether it is new. All accepted: the correction is made with it.

    Raises UnknownDispute, NotYours, NotThere, TooLate, OverDispute, Differs.
    """
    kept = await _lock(tx, dispute, by.party)
    rules.check_whose(kept, by.party, opener=False)
    return await _step(
        tx, kept, ANSWERED, by, note, accepted_rial,
        lambda: rules.answered(kept, accepted_rial, by.now, deadlines),
    )  # fmt: skip


async def escalate(tx: Tx, dispute: str, note: str, *, by: By) -> tuple[Report, bool]:
    """The opener asks the network to decide. Raises as answer does, without OverDispute."""
    kept = await _lock(tx, dispute, by.party)
    rules.check_whose(kept, by.party, opener=True)
    return await _step(tx, kept, ESCALATED, by, note, None, lambda: rules.escalated(kept, by.now))


async def withdraw(tx: Tx, dispute: str, note: str, *, by: By) -> tuple[Report, bool]:
    """The opener gives it up. Raises UnknownDispute, NotYours, NotThere, Differs."""
    kept = await _lock(tx, dispute, by.party)
    rules.check_whose(kept, by.party, opener=True)
    return await _step(tx, kept, WITHDRAWN, by, note, None, lambda: rules.withdrawn(kept))


async def decide(
    tx: Tx, dispute: str, upheld_rial: int, note: str, *, by: By
) -> tuple[Report, bool]:
    """The network's decision, proposed by one person and approved by another (decision 0044).

    Its correction is made with it. Raises UnknownDispute, SecondPersonNeeded, NotThere,
    OverDispute, BelowAccepted, Differs.
    """
    if not by.approved_by:
        raise SecondPersonNeeded("two people decide: send it with a session, so it is proposed")
    kept = await _lock(tx, dispute, None)
    return await _step(
        tx, kept, DECIDED, by, note, upheld_rial, lambda: rules.decided(kept, upheld_rial)
    )


async def _step(  # noqa: PLR0913 - a step's facts, and the rule that makes it
    tx: Tx,
    kept: Dispute,
    states: frozenset[DisputeState],
    by: By,
    note: str,
    rial: int | None,
    rule: Callable[[], Dispute],
) -> tuple[Report, bool]:
    """Make a step, unless it was made: then the same again gives what there is."""
    for step in await store.list_steps(tx, kept.opening.dispute):
        if step.state in states:
            if (step.rial, step.note) != (rial, note):
                raise errors.Differs("this step was made otherwise; it is not made again")
            return await _report(tx, kept), False
    after = rule()
    await _apply(tx, after, by, rial=rial, note=note)
    return await _report(tx, after), True


async def _apply(tx: Tx, after: Dispute, by: By, *, rial: int | None, note: str) -> None:
    """Write a step; where it ends in the opener's favour, its correction in the same transaction.

    So there is no moment between them, and a correction goes by the dispute's name, once.
    """
    await store.update_dispute(tx, after)
    correction = None
    if after.correction_rial:
        correction = await clearing.correct(
            tx,
            after.opening.dispute,
            of_window=after.opening.window,
            pair=after.opening.correction,
            amount_rial=after.correction_rial,
            now=by.now,
        )
    await _record(tx, after, by, rial=rial, note=note, correction=correction)


async def _record(
    tx: Tx,
    dispute: Dispute,
    by: By,
    *,
    rial: int | None,
    note: str,
    correction: Correction | None = None,
) -> None:
    """Keep a step, and tell both parties' programs of it."""
    step = Step(
        dispute.version, dispute.state, by.now, by.subject, by.approved_by, by.party, rial, note
    )
    await store.insert_step(tx, dispute.opening.dispute, step)
    opening = dispute.opening
    changed = DisputeChanged(
        dispute=opening.dispute,
        version=dispute.version,
        state=dispute.state.value,
        at=by.now,
        window=opening.window,
        opener=opening.opener,
        respondent=opening.respondent,
        amount_rial=opening.amount_rial,
        reason=opening.reason.value,
        due_at=dispute.due_at,
        accepted_rial=dispute.accepted_rial,
        correction_rial=dispute.correction_rial,
        correction_window=None if correction is None else correction.window,
        opener_merchants=tuple(await parties.list_merchants_of(tx, opening.opener)),
        respondent_merchants=tuple(await parties.list_merchants_of(tx, opening.respondent)),
    )
    outbox.add(tx, [_message(changed)])


def _message(changed: DisputeChanged) -> outbox.Message:
    kind = "dispute-changed.v1"
    event = envelope.Envelope(
        id=envelope.derive_id(f"{changed.dispute}@{changed.version}", kind),
        type=kind,
        key=changed.dispute,
        occurred_at=changed.at,
        accepted_at=changed.at,
        data=changed,
    )
    return outbox.message(topics.MERCHANTS_DISPUTES, event)


# --------------------------------------------------------------------------------------- deadlines


async def expire_due(database: Database, now: datetime) -> None:
    """Make what deadlines that passed make of disputes, each in a transaction of its own.

    One that cannot be made raises an alarm and does not stop the others.
    """
    async with database.read() as tx:
        due = await store.list_due(tx, now, limit=EXPIRED_MAX)
    for dispute in due:
        try:
            async with database.transaction() as tx:
                await expire(tx, dispute, now)
        except Exception:
            telemetry.count(telemetry.Metric.ALARMS, "dispute-not-expired")
            log.exception("dispute %s is past its deadline", dispute)


async def expire(tx: Tx, dispute: str, now: datetime) -> None:
    """Make what a deadline that passed makes of a dispute; nothing where somebody was first."""
    kept = await _lock(tx, dispute, None)
    after = rules.expired(kept, now)
    if after is not None:
        await _apply(tx, after, By(rules.SCHEDULE, now), rial=after.correction_rial, note="")


# ----------------------------------------------------------------------------------------- reading


async def get_dispute(tx: Tx, dispute: str, party: int | None) -> Dispute:
    """A dispute. Raises UnknownDispute, also for a third party."""
    kept = await _get(tx, dispute)
    _check_party(kept, party)
    return kept


async def get_report(tx: Tx, dispute: str, party: int | None) -> Report:
    """A dispute with all that belongs to it. Raises UnknownDispute, also for a third party."""
    return await _report(tx, await get_dispute(tx, dispute, party))


async def list_disputes(tx: Tx, of: DisputeFilter, *, before: int, limit: int) -> list[Dispute]:
    """Disputes, newest first, below a number."""
    return await store.list_disputes(tx, of, before=before, limit=limit)


async def list_by_name(tx: Tx, disputes: list[str]) -> dict[str, Dispute]:
    """Those of some disputes that there are, by name."""
    return {one.opening.dispute: one for one in await store.list_by_name(tx, disputes)}


async def list_uncorrected(tx: Tx, window: int, *, limit: int) -> list[Dispute]:
    """Disputes of earlier windows that came to something and have no correction: none, if well."""
    return await store.list_uncorrected(tx, window, limit=limit)


async def lock_dispute(tx: Tx, dispute: str, party: int | None) -> Dispute:
    """A dispute, held until the transaction ends. Raises UnknownDispute, also for a third party."""
    return await _lock(tx, dispute, party)


async def _lock(tx: Tx, dispute: str, party: int | None) -> Dispute:
    kept = await store.lock_dispute(tx, dispute)
    if kept is None:
        raise UnknownDispute(f"there is no dispute {dispute}")
    _check_party(kept, party)
    return kept


async def _get(tx: Tx, dispute: str) -> Dispute:
    kept = await store.find_dispute(tx, dispute)
    if kept is None:
        raise UnknownDispute(f"there is no dispute {dispute}")
    return kept


def _check_party(kept: Dispute, party: int | None) -> None:
    opening = kept.opening
    if party is not None and party not in (opening.opener, opening.respondent):
        raise UnknownDispute(f"there is no dispute {opening.dispute}")


async def _report(tx: Tx, kept: Dispute) -> Report:
    dispute = kept.opening.dispute
    return Report(
        dispute=kept,
        steps=await store.list_steps(tx, dispute),
        files=await evidence_store.list_files(tx, dispute),
        correction=await clearing.find_correction(tx, dispute),
    )

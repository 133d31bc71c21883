"""Originals: what a refund, reversal or verdict must know of an earlier command."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from contracts.ledger import IssueValue, PostTransaction, RefuseTransaction
from contracts.value import (
    CaptureHold,
    HoldValue,
    ReceiveValue,
    RedemptionTerms,
    ReissueCard,
    ReturnValue,
    SendValue,
    SpendValue,
)
from contracts.values import Kind, Status, Unit
from ledger.book import money
from ledger.book.commands import Command
from ledger.book.facts import (
    Grant,
    LotMovement,
    LotMovementKind,
    PriorPosting,
    Progress,
    lot_of_issue,
    lots_of_awards,
)
from ledger.book.money import Discount
from ledger.log.domain import records
from ledger.log.domain.leaves import ConsumptionRow, Leaf, RefusedAwardRow

_WHATS: Final = {what.value: what for what in LotMovementKind}


def hold_of(command: Command, status: Status) -> str:
    """Name of the hold whose account and place a capture's original takes over, "" for none."""
    done = status is Status.COMPLETED and isinstance(command.body, CaptureHold)
    return command.body.original if done else ""


def original_of(  # noqa: PLR0913 - all that a leaf keeps of it
    command: Command,
    status: Status,
    *,
    sequence: int,
    now: datetime,
    rows: tuple[LotMovement, ...],
    refused_awards: Sequence[RefusedAwardRow] = (),
    hold: PriorPosting | None = None,
) -> PriorPosting:
    """An original as booked, from its command and rows, without later progress.

    Everything follows from what the log keeps, so nothing else is stored for refunds.
    refused_awards: of a basket's awards those that took no effect. hold: that a capture names;
    whose it is and where, a capture does not say again.
    """
    body = command.body
    plain = PriorPosting(command.name, sequence, command.type, status)
    match body:
        case PostTransaction():
            body = effective(body, refused_awards)
            return _original_of_transaction(command, body, plain, rows=rows, now=now)
        case IssueValue():
            _, grant = lot_of_issue(
                body, sequence=sequence, occurred_at=command.occurred_at, now=now
            )
            grants = (grant,) if status is Status.COMPLETED else ()
            return PriorPosting(
                command.name, sequence, command.type, status,
                account=body.account, member=body.member, grants=grants,
                pending_event=body.pending_event,
            )  # fmt: skip
        case SpendValue():
            return _original_of_spend(plain, body, body.spend, rows=rows)
        case CaptureHold():
            if hold is None:
                return replace(plain, kind=Kind.REDEMPTION)
            return _original_of_spend(plain, hold, body.spend, rows=rows)
        case HoldValue():
            return replace(
                plain, account=body.account, member=body.member, merchant=body.merchant,
                acceptor=body.acceptor, held_until=body.due_at,
            )  # fmt: skip
        case SendValue() | ReissueCard() | ReceiveValue() | ReturnValue():
            return replace(plain, account=body.account, rows=_sent(rows))
        case RefuseTransaction():
            return replace(plain, kind=body.kind, account=body.account)
        case _:
            return plain


def original_in(
    leaf: Leaf, name: str, rows: tuple[LotMovement, ...], hold: PriorPosting | None = None
) -> PriorPosting:
    """What a name's leaf booked, without later progress. rows: its consumption rows."""
    command = command_in(leaf)
    if command.name != name:
        return marked_original(name, leaf.sequence, command.type)
    return original_of(
        command, Status(leaf.status), sequence=leaf.sequence, now=leaf.decided_at, rows=rows,
        refused_awards=leaf.refused_awards, hold=hold,
    )  # fmt: skip


def command_in(leaf: Leaf) -> Command:
    """The command that a leaf's sequence number was given to."""
    return records.command_from(leaf.shard, leaf.command)


def marked_original(name: str, sequence: int, command_type: str) -> PriorPosting:
    """The original of a reversal that came first: there is nothing behind its name."""
    return PriorPosting(name, sequence, command_type, Status.DECLINED, arrived=False)


def row_of(sealed: ConsumptionRow) -> LotMovement:
    """A consumption row of a leaf as a value; its lot knows the unit."""
    (
        ordinal, lot, amount, cost, claim, fee, original_sequence, original_ordinal, issuer,
        acceptor, merchant, what,
    ) = sealed  # fmt: skip
    return LotMovement(
        ordinal, lot, Unit.NETWORK_POINTS, _WHATS[what], amount, cost, issuer, acceptor, merchant,
        claim, fee, original_sequence, original_ordinal,
    )  # fmt: skip


def asked_rial(body: object) -> int | None:
    """Rial of its original that a command may undo at most; None: all of it, or it is no refund."""
    if not isinstance(body, PostTransaction) or body.kind is not Kind.REFUND:
        return None
    return sum([part.amount_rial for part in body.refund_lines]) or body.amount_rial or None


def reached(original: PriorPosting, rial: int) -> tuple[LotMovement, ...]:
    """Of an original's rows those that undoing up to so many Rial more gives anything back of.

    A part of a step is zero where that of a longer one is: shares only grow. Of a redemption of
    thousands of lots, a refund of a line is of few (findings S16).
    """
    total, before = original.total_rial, sum(original.progress.refunded)
    after = min(before + rial, total)
    seen: dict[int, bool] = {0: False}  # many rows are alike
    found: list[LotMovement] = []
    for row in original.rows:
        for part in (row.amount, row.claim_rial, row.fee_rial, row.cost_rial - row.claim_rial):
            some = seen.get(part)
            if some is None:
                some = seen[part] = money.share(part, before, after, total) > 0
            if some:
                found.append(row)
                break
    return tuple(found)


def _sent(rows: tuple[LotMovement, ...]) -> tuple[LotMovement, ...]:
    """What a command put into transit: not what repaid a debt."""
    return tuple(row for row in rows if row.kind is LotMovementKind.SENT)


def effective(body: PostTransaction, refused: Sequence[RefusedAwardRow]) -> PostTransaction:
    """The basket with those of its awards that took effect."""
    if not refused:
        return body
    without = {place for place, _ in refused}
    kept = [award for place, award in enumerate(body.awards) if place not in without]
    return replace(body, awards=tuple(kept))


def _original_of_transaction(
    command: Command,
    body: PostTransaction,
    plain: PriorPosting,
    *,
    rows: tuple[LotMovement, ...],
    now: datetime,
) -> PriorPosting:
    posted = plain.status in (Status.COMPLETED, Status.UNDER_REVIEW)
    grants: tuple[Grant, ...] = ()
    if posted:
        _, grants = lots_of_awards(
            body, body.account, sequence=plain.sequence, occurred_at=command.occurred_at, now=now
        )
    spent = tuple(row for row in rows if row.kind is LotMovementKind.REDEEMED)
    if body.kind in (Kind.REFUND, Kind.REVERSAL):
        spent = _sent(rows)  # on, to the card that took a closed one's place
    lines = tuple((line.line, line.amount_rial) for line in body.lines)
    if not lines:
        lines = ((0, body.amount_rial),)
    own_rial = network_rial = 0
    if body.redemption is not None and posted:
        own_rial, network_rial = _added(money.of_redemption(body.redemption), spent)
    return PriorPosting(
        plain.name, plain.sequence, plain.type, plain.status,
        kind=body.kind, account=body.account, member=body.member, merchant=body.merchant,
        acceptor=body.acceptor, lines=lines, grants=grants, rows=spent, own_rial=own_rial,
        network_rial=network_rial,
        held_until=body.review_due_at if plain.status is Status.UNDER_REVIEW else None,
        progress=Progress((0,) * len(lines)),
    )  # fmt: skip


def _original_of_spend(
    plain: PriorPosting,
    where: SpendValue | PriorPosting,
    spend: RedemptionTerms,
    *,
    rows: tuple[LotMovement, ...],
) -> PriorPosting:
    spent = tuple(row for row in rows if row.kind is LotMovementKind.REDEEMED)
    own_rial, network_rial = _added(money.of_spend(spend), spent) if spent else (0, 0)
    return replace(
        plain, kind=Kind.REDEMPTION, account=where.account, member=where.member,
        merchant=where.merchant, acceptor=where.acceptor, lines=((0, spend.worth_rial),),
        rows=spent, own_rial=own_rial, network_rial=network_rial, progress=Progress((0,)),
    )  # fmt: skip


def _added(discount: Discount, spent: tuple[LotMovement, ...]) -> tuple[int, int]:
    """Rial beyond the claims: what the acceptor gave of its own, what the network added."""
    claim = sum(row.claim_rial for row in spent)
    network = money.of_network(discount, claim)
    return discount.rial - claim - network, network

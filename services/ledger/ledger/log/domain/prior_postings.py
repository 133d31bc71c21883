"""Prior postings: what a refund, reversal or review outcome needs of an earlier command."""

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
    grant_of_top_up,
    lot_of_issue,
    lots_of_awards,
)
from ledger.book.money import Discount
from ledger.log.domain import records
from ledger.log.domain.leaves import ConsumptionRow, Leaf, RefusedAwardRow

_MOVEMENT_KINDS: Final = {kind.value: kind for kind in LotMovementKind}


def hold_of(command: Command, status: Status) -> str:
    """The name of the hold that a capture names, "" for none; it gives the account and place."""
    done = status is Status.COMPLETED and isinstance(command.body, CaptureHold)
    return command.body.original if done else ""


def original_of(  # noqa: PLR0913 - all that a leaf has of it
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

    All of it follows from the log, so nothing else is stored for refunds. refused_awards: awards of
    the basket that took no effect. hold: the one that a capture names, which has the account and
    the place that the capture does not repeat.
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
    """The posting of a name in its leaf, without later progress. rows: its consumption rows."""
    command = command_in(leaf)
    if command.name != name:
        return marked_original(name, leaf.sequence, command.type)
    return original_of(
        command, Status(leaf.status), sequence=leaf.sequence, now=leaf.decided_at, rows=rows,
        refused_awards=leaf.refused_awards, hold=hold,
    )  # fmt: skip


def command_in(leaf: Leaf) -> Command:
    """The command of a leaf."""
    return records.command_from(leaf.shard, leaf.command)


def marked_original(name: str, sequence: int, command_type: str) -> PriorPosting:
    """The original of a reversal that came first: it has no posting."""
    return PriorPosting(name, sequence, command_type, Status.DECLINED, arrived=False)


def row_of(sealed: ConsumptionRow) -> LotMovement:
    """A consumption row of a leaf as a value; the unit is that of its lot."""
    (
        ordinal, lot, amount, cost, claim, fee, original_sequence, original_ordinal, issuer,
        acceptor, merchant, kind,
    ) = sealed  # fmt: skip
    return LotMovement(
        ordinal, lot, Unit.NETWORK_POINTS, _MOVEMENT_KINDS[kind], amount, cost, issuer, acceptor,
        merchant, claim, fee, original_sequence, original_ordinal,
    )  # fmt: skip


def refund_rial(body: object) -> int | None:
    """The most Rial of its original that a command may undo; None: all, or it is no refund."""
    if not isinstance(body, PostTransaction) or body.kind is not Kind.REFUND:
        return None
    return sum([part.amount_rial for part in body.refund_lines]) or body.amount_rial or None


def reached(original: PriorPosting, rial: int) -> tuple[LotMovement, ...]:
    """Rows of an original of which a refund of up to so many Rial gives something back.

    Shares only grow with the step, so a row without a share in the longest step has none in a
    shorter one. A refund of one line of a redemption of thousands of lots concerns few of them
    (findings S16).
    """
    total, before = original.total_rial, sum(original.progress.refunded)
    after = min(before + rial, total)
    seen: dict[int, bool] = {0: False}  # many rows are alike
    kept: list[LotMovement] = []
    for row in original.rows:
        for part in (row.amount, row.claim_rial, row.fee_rial, row.cost_rial - row.claim_rial):
            gives_back = seen.get(part)
            if gives_back is None:
                gives_back = seen[part] = money.share(part, before, after, total) > 0
            if gives_back:
                kept.append(row)
                break
    return tuple(kept)


def _sent(rows: tuple[LotMovement, ...]) -> tuple[LotMovement, ...]:
    """Rows that put value into transit, without those that repaid a debt."""
    return tuple(row for row in rows if row.kind is LotMovementKind.SENT)


def effective(body: PostTransaction, refused: Sequence[RefusedAwardRow]) -> PostTransaction:
    """The sale with only those awards that took effect."""
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
    if posted and body.kind is Kind.TOP_UP:
        grants = (grant_of_top_up(body, plain.sequence, now),)
    elif posted:
        _, grants = lots_of_awards(
            body, body.account, sequence=plain.sequence, occurred_at=command.occurred_at, now=now
        )
    spent = tuple(row for row in rows if row.kind is LotMovementKind.REDEEMED)
    if body.kind in (Kind.REFUND, Kind.REVERSAL):
        spent = _sent(rows)  # forwarded to the card that took a closed one's place
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
        held_until=_held_until(body, plain.status),
        progress=Progress((0,) * len(lines)),
    )  # fmt: skip


def _held_until(body: PostTransaction, status: Status) -> datetime | None:
    """Until when its review may last, or until when its authorisation reserves value."""
    match status:
        case Status.UNDER_REVIEW:
            return body.review_due_at
        case Status.COMPLETED:
            return body.due_at
        case _:
            return None


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
    """Rial beyond the claims: the acceptor's own discount, and the network's addition."""
    claim = sum(row.claim_rial for row in spent)
    network = money.of_network(discount, claim)
    return discount.rial - claim - network, network

"""Earlier commands that later ones name, read back from their leaves."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from verifier.leaves import Leaf
from verifier.model import money
from verifier.model.commands_value import (
    Capture,
    HoldValue,
    Receive,
    RedemptionTerms,
    Reissue,
    Return,
    Send,
    SpendAway,
)
from verifier.model.computation import DONE
from verifier.model.decode import Command
from verifier.model.messages import Issue, Prize, Refusal, Transaction, micros
from verifier.state import LOTS_PER_SEQUENCE

Row = tuple[Any, ...]


class Grant(Struct):
    """A prize as booked, with its lot and its own date without a review."""

    line: int
    unit: str
    amount: int
    cost: int
    issuer: int
    funder: int
    lot: int
    own_start: int
    budget: int | None = None
    sliding: int = 0


class Original(Struct):
    """A command as it was booked. lines: number and Rial. spent: its rows that redeemed."""

    name: str
    sequence: int
    type: str
    status: str
    arrived: bool = True  # False: only its reversal came
    kind: str | None = None
    account: int = 0
    member: int = 0
    merchant: int = 0
    acceptor: int = 0
    lines: Sequence[tuple[int, int]] = ()
    grants: Sequence[Grant] = ()
    spent: Sequence[Row] = ()
    beside: tuple[int, int] = (0, 0)  # Rial no issuer owes: the acceptor's own, made up for
    held_until: int | None = None
    pending_event: str = ""  # the event that an issue waits for
    leaf: Leaf | None = None
    body: Any = None

    @property
    def total(self) -> int:
        """Rial of the whole basket."""
        return sum(rial for _, rial in self.lines)


def original_of(
    name: str, leaf: Leaf, command: Command | None, hold: "Original | None" = None
) -> Original:
    """The posting of a name, from its leaf. hold: the one that a capture names."""
    _, sequence, at, status, *_ = leaf.head
    if command is None or command.name != name:
        kind = "undecodable" if command is None else command.type
        arrived = command is None
        return Original(name, sequence, kind, status if arrived else "declined", arrived)
    original = Original(name, sequence, command.type, status, leaf=leaf, body=command.body)
    body = command.body
    match body:
        case Transaction():
            _transaction(original, body, leaf, at)
        case Issue():
            original.account, original.member, original.pending_event = (
                body.account,
                body.member,
                body.pending_event,
            )
            if status == "completed":
                original.grants = (_issued(body, sequence, at),)
        case Refusal():
            original.kind, original.account = body.kind, body.account
        case _:
            _other_kinds(original, body, leaf, hold)
    return original


def _other_kinds(original: Original, body: Any, leaf: Leaf, hold: Original | None) -> None:
    match body:
        case SpendAway():
            _spent(original, body, body.spend, leaf)
        case Capture():
            original.kind = "redemption"
            if hold is not None and original.status == "completed":
                _spent(original, hold, body.spend, leaf)
        case HoldValue():
            original.account, original.member = body.account, body.member
            original.merchant, original.acceptor = body.merchant, body.acceptor
            original.held_until = micros(body.due_at)
        case Send() | Reissue() | Receive() | Return():
            original.account = body.account
            original.spent = [r for r in leaf.rows.get("consumptions", ()) if r[11] == "sent"]
        case _:
            pass


def _spent(original: Original, where: Any, spend: RedemptionTerms, leaf: Leaf) -> None:
    """A spend away from a till is a redemption of one line."""
    original.kind, original.account, original.member = "redemption", where.account, where.member
    original.merchant, original.acceptor, original.lines = (
        where.merchant,
        where.acceptor,
        [(0, spend.worth_rial)],
    )
    original.spent = [row for row in leaf.rows.get("consumptions", ()) if row[11] == "redeemed"]
    if original.spent:
        original.beside = _beside(money.worth_of(spend), original.spent)


def _beside(worth: money.Worth, spent: Sequence[Row]) -> tuple[int, int]:
    claim = sum(row[4] for row in spent)
    made_up = worth.made_up(claim)
    return worth.discount - claim - made_up, made_up


def _issued(body: Issue, sequence: int, at: int) -> Grant:
    own = at if body.available_from is None else micros(body.available_from)
    return Grant(
        0, body.unit, body.amount, body.cost_rial, body.issuer, body.funder,
        sequence * LOTS_PER_SEQUENCE, own, body.budget,
    )  # fmt: skip


def _transaction(original: Original, body: Transaction, leaf: Leaf, at: int) -> None:
    original.kind, original.account, original.member = body.kind, body.account, body.member
    original.merchant, original.acceptor = body.merchant, body.acceptor
    original.lines = [(line.line, line.amount_rial) for line in body.lines] or [
        (0, body.amount_rial)
    ]
    kind = "sent" if body.kind in ("refund", "reversal") else "redeemed"
    original.spent = [row for row in leaf.rows.get("consumptions", ()) if row[11] == kind]
    if original.status not in DONE:
        return
    awards = booked(body, leaf)
    if body.kind == "top-up":
        rial, who, lot = body.amount_rial, body.acceptor, original.sequence * LOTS_PER_SEQUENCE
        original.grants = (Grant(0, "CR", rial, rial, who, who, lot, at),)
        return
    original.grants = grants_of(body, awards, original.sequence, at)
    if body.redemption is not None:
        original.beside = _beside(money.worth_of(body.redemption), original.spent)
    if original.status == "held":
        original.held_until = None if body.review_due_at is None else micros(body.review_due_at)
    elif body.due_at is not None:
        original.held_until = micros(body.due_at)


def booked(body: Transaction, leaf: Leaf) -> Sequence[Prize]:
    """The prizes that took effect."""
    refused = {place for place, _ in leaf.rows.get("refused_awards", ())}
    if not refused:
        return body.awards
    return [prize for place, prize in enumerate(body.awards) if place not in refused]


def grants_of(body: Transaction, awards: Sequence[Prize], sequence: int, now: int) -> list[Grant]:
    """Each prize with its lot: prizes of one kin share a lot."""
    kins: dict[Any, int] = {}
    grants: list[Grant] = []
    for prize, own, kin in _starts(body, awards, now):
        number = sequence * LOTS_PER_SEQUENCE + kins.setdefault(kin, len(kins))
        grants.append(
            Grant(
                prize.line, prize.unit, prize.amount, prize.cost_rial, prize.issuer, prize.funder,
                number, own, prize.budget, prize.sliding_days,
            )
        )  # fmt: skip
    return grants


def kins_of(body: Transaction, awards: Sequence[Prize], now: int) -> dict[Any, list[int]]:
    """Kins in the order of their lots, with points and cost of each."""
    sums_of: dict[Any, list[int]] = {}
    for prize, _, kin in _starts(body, awards, now):
        sums = sums_of.setdefault(kin, [0, 0])
        sums[0] += prize.amount
        sums[1] += prize.cost_rial
    return sums_of


def _starts(
    body: Transaction, awards: Sequence[Prize], now: int
) -> Iterator[tuple[Prize, int, tuple[Any, ...]]]:
    """Each prize, its date without a review, and its kin under one."""
    due = None if body.review_due_at is None else micros(body.review_due_at)
    for prize in awards:
        own = now if prize.available_from is None else micros(prize.available_from)
        yield prize, own, _kin(prize, own if due is None else max(own, due))


def _kin(prize: Prize, start: int) -> tuple[Any, ...]:
    until = None if prize.expires_at is None else micros(prize.expires_at)
    return (
        prize.unit, prize.issuer, prize.funder, prize.rule, prize.rule_version, start, until,
        prize.sliding_days,
    )  # fmt: skip


def sliding_of(leaf: Leaf, command: Command | None, lot: int) -> int:
    """The days by which activity renews a lot, from the command that opened it."""
    body = command.body if command is not None else None
    match body:
        case Transaction():
            awards = booked(body, leaf)
            grants = grants_of(body, awards, leaf.head[1], leaf.head[2])
            return next((grant.sliding for grant in grants if grant.lot == lot), 0)
        case Issue():
            return body.sliding_days if lot % LOTS_PER_SEQUENCE == 0 else 0
        case Receive():
            place = lot % LOTS_PER_SEQUENCE
            return body.parcels[place].sliding_days if place < len(body.parcels) else 0
        case _:
            return 0

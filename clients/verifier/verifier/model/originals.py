"""Earlier commands that later ones name: what they booked, read back from their leaf."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from verifier.leaves import Leaf
from verifier.model.messages import Heard, Issue, Prize, Refusal, Transaction, micros
from verifier.model.work import DONE
from verifier.state import LOTS_PER_SEQUENCE

Row = tuple[Any, ...]


class Grant(Struct):
    """A prize as booked: in which lot, and from when without a review."""

    line: int
    unit: str
    amount: int
    cost: int
    issuer: int
    funder: int
    lot: int
    own_start: int


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
    own: int = 0
    held_until: int | None = None
    leaf: Leaf | None = None
    body: Any = None

    @property
    def total(self) -> int:
        """Rial of the whole basket."""
        return sum(rial for _, rial in self.lines)


def original_of(name: str, leaf: Leaf, heard: Heard | None) -> Original:
    """What stands behind a name, from the leaf that answered it."""
    _, sequence, at, status, *_ = leaf.head
    if heard is None or heard.name != name:
        kind = "undecodable" if heard is None else heard.type
        arrived = heard is None
        return Original(name, sequence, kind, status if arrived else "declined", arrived)
    found = Original(name, sequence, heard.type, status, leaf=leaf, body=heard.body)
    body = heard.body
    match body:
        case Transaction():
            _transaction(found, body, leaf, at)
        case Issue():
            found.account, found.member = body.account, body.member
            if status == "completed":
                found.grants = (_issued(body, sequence, at),)
        case Refusal():
            found.kind, found.account = body.kind, body.account
        case _:
            pass
    return found


def _issued(body: Issue, sequence: int, at: int) -> Grant:
    return Grant(
        0, body.unit, body.amount, body.cost_rial, body.issuer, body.funder,
        sequence * LOTS_PER_SEQUENCE, at,
    )  # fmt: skip


def _transaction(found: Original, body: Transaction, leaf: Leaf, at: int) -> None:
    found.kind, found.account, found.member = body.kind, body.account, body.member
    found.merchant, found.acceptor = body.merchant, body.acceptor
    found.lines = [(line.line, line.amount_rial) for line in body.lines] or [(0, body.amount_rial)]
    found.spent = [row for row in leaf.rows.get("consumptions", ()) if row[11] == "redeemed"]
    if found.status not in DONE:
        return
    found.grants = [grant for grant, _ in grants_of(body, found.sequence, at)]
    if body.redemption is not None:
        found.own = discount_of(body.redemption) - sum(row[4] for row in found.spent)
    if found.status == "held":
        found.held_until = None if body.review_due_at is None else micros(body.review_due_at)


def grants_of(body: Transaction, sequence: int, now: int) -> list[tuple[Grant, Any]]:
    """Each prize with the lot it lies in and that lot's kin: prizes of one kin share a lot."""
    due = None if body.review_due_at is None else micros(body.review_due_at)
    kins: dict[Any, int] = {}
    found: list[tuple[Grant, Any]] = []
    for prize in body.awards:
        own = now if prize.available_from is None else micros(prize.available_from)
        kin = _kin(prize, own if due is None else max(own, due))
        number = sequence * LOTS_PER_SEQUENCE + kins.setdefault(kin, len(kins))
        found.append(
            (
                Grant(
                    prize.line, prize.unit, prize.amount, prize.cost_rial, prize.issuer,
                    prize.funder, number, own,
                ),
                kin,
            )
        )  # fmt: skip
    return found


def _kin(prize: Prize, start: int) -> tuple[Any, ...]:
    until = None if prize.expires_at is None else micros(prize.expires_at)
    return (
        prize.unit, prize.issuer, prize.funder, prize.rule, prize.rule_version, start, until,
    )  # fmt: skip


def discount_of(deal: Any) -> int:
    """Rial off the basket: worth of points, credit, and what the acceptor adds."""
    worth = deal.points_value_rial + deal.credit_rial + deal.gift_rial
    return worth + deal.own_discount_rial

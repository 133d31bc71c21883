"""The money leg of a redemption: claims and fees by lot, and the entries of all that is spent."""

from collections.abc import Iterable
from typing import NamedTuple

from verifier.model.commands_value import RedemptionTerms
from verifier.model.computation import NETWORK, RIAL, Draft, No, spread
from verifier.model.messages import Deal
from verifier.state import Key, Lot

_SLACK_A_LOT = 2  # Rial: a lot's cost was rounded down when it was born and when it is split


class Piece(NamedTuple):
    """One row of a redemption. free: cost that is not claimed."""

    unit: str
    issuer: int
    amount: int
    claim: int
    fee: int
    free: int


class Worth(NamedTuple):
    """What the acceptor gives for all of it. own: its declared own part; own_max: the most.

    network_max: the most that the network adds, where its price rose since the points were issued.
    """

    discount: int
    own: int
    own_max: int
    fee_bp: int
    network_max: int

    def made_up(self, claim: int) -> int:
        """Rial that the network adds to a claim."""
        return max(0, min(self.discount - self.own - claim, self.network_max))


def worth_of(deal: Deal | RedemptionTerms) -> Worth:
    """The worth of a redemption at a till, or of a spend away from one."""
    if isinstance(deal, RedemptionTerms):
        return Worth(deal.worth_rial, 0, deal.own_max_rial, deal.fee_bp, deal.network_max_rial)
    worth = deal.points_value_rial + deal.credit_rial + deal.gift_rial
    own, most = deal.own_discount_rial, deal.own_discount_max_rial
    return Worth(worth + own, own, most, deal.fee_bp, deal.network_max_rial)


def spend(draft: Draft, takes: list[tuple[Lot, int]], worth: Worth) -> int:
    """Take from these lots with their claims and fees. Gives the acceptor's own part."""
    if len(takes) == 1:
        return _spend_one(draft, *takes[0], worth)
    costs = [lot.cost * amount // lot.left for lot, amount in takes]
    claim = min(worth.discount, sum(costs))
    made_up = worth.made_up(claim)
    own = worth.discount - claim - made_up
    _check_own(worth, own, len(takes))
    claims = spread(claim, costs)
    abroad = [lot.issuer != draft.acceptor for lot, _ in takes]
    owed = sum(part for part, out in zip(claims, abroad, strict=True) if out)
    fees = spread(
        owed * worth.fee_bp // 10_000,
        [cost if out else 0 for cost, out in zip(costs, abroad, strict=True)],
    )
    pieces: list[Piece] = []
    for (lot, amount), cost, part, fee in zip(takes, costs, claims, fees, strict=True):
        draft.take_at(lot, amount, "redeemed", (cost, part, fee))
        pieces.append(Piece(lot.unit, lot.issuer, amount, part, fee, cost - part))
    enter(draft, draft.acceptor, pieces, (own, made_up))
    return own


def _check_own(worth: Worth, own: int, lots: int) -> None:
    slack = min(max(own - worth.own, 0), _SLACK_A_LOT * lots)
    if worth.own > worth.own_max or own - slack > worth.own_max:
        raise No("own-discount-too-large")


def _spend_one(draft: Draft, lot: Lot, amount: int, worth: Worth) -> int:
    """The same from a single lot, the usual case: nothing is spread."""
    acceptor, issuer, unit = draft.acceptor, lot.issuer, lot.unit
    cost = lot.cost * amount // lot.left
    claim = min(worth.discount, cost)
    made_up = worth.made_up(claim)
    own = worth.discount - claim - made_up
    _check_own(worth, own, 1)
    owed = claim if issuer != acceptor else 0
    due = owed * worth.fee_bp // 10_000
    draft.take_at(lot, amount, "redeemed", (cost, claim, due))
    draft.move(draft.value(unit, issuer), (issuer, "redeemed", unit, 0), amount)
    draft.move((issuer, "payable", RIAL, acceptor), (acceptor, "receivable", RIAL, issuer), owed)
    draft.move((issuer, "points-cost", RIAL, 0), (issuer, "cost-released", RIAL, 0), cost - claim)
    beside_claims(draft, acceptor, own, made_up)
    fee(draft, acceptor, due)
    return own


def enter(
    draft: Draft, acceptor: int, pieces: Iterable[Piece], beside: tuple[int, int], sign: int = 1
) -> None:
    """Entries of a redemption, or with sign -1 of its undoing. beside: as in beside_claims."""
    spent: dict[Key, int] = {}
    sinks: dict[tuple[str, int], int] = {}
    claims: dict[int, int] = {}
    free: dict[int, int] = {}
    fees = 0
    for piece in pieces:
        kin = (piece.unit, piece.issuer)
        purse = draft.value(piece.unit, piece.issuer)
        spent[purse] = spent.get(purse, 0) + piece.amount
        sinks[kin] = sinks.get(kin, 0) + piece.amount
        if piece.claim and piece.issuer != acceptor:
            claims[piece.issuer] = claims.get(piece.issuer, 0) + piece.claim
        if piece.free:
            free[piece.issuer] = free.get(piece.issuer, 0) + piece.free
        fees += piece.fee
    legs = draft.legs
    legs += [(purse, -sign * amount) for purse, amount in spent.items() if amount]
    legs += [
        ((issuer, "redeemed", unit, 0), sign * amount)
        for (unit, issuer), amount in sinks.items()
        if amount
    ]
    for issuer, rial in claims.items():
        draft.move(
            (issuer, "payable", RIAL, acceptor), (acceptor, "receivable", RIAL, issuer), sign * rial
        )
    for issuer, rial in free.items():
        draft.move(
            (issuer, "points-cost", RIAL, 0), (issuer, "cost-released", RIAL, 0), sign * rial
        )
    own, made_up = beside
    beside_claims(draft, acceptor, sign * own, sign * made_up)
    fee(draft, acceptor, sign * fees)


def beside_claims(draft: Draft, acceptor: int, own: int, made_up: int) -> None:
    """The part of a discount that no issuer owes: the acceptor's own, the network's addition."""
    draft.fund(acceptor, NETWORK, made_up)
    draft.move((acceptor, "own-discount", RIAL, 0), (acceptor, "discount-given", RIAL, 0), own)


def fee(draft: Draft, acceptor: int, rial: int) -> None:
    """The network's share of claims."""
    draft.move((acceptor, "payable", RIAL, NETWORK), (NETWORK, "fee", RIAL, acceptor), rial)

"""The chart of accounts: the legs of each movement of value. Each transfer sums to zero."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contracts.values import NETWORK_PARTY, Unit
from ledger.book.facts import AccountKey, Leg, Role, value_key

Transfer = Sequence[Leg]
_RIAL = Unit.RIAL


class Spent(NamedTuple):
    """One consumption row of a redemption; all >= 0. released_rial: cost that is not claimed."""

    unit: Unit
    issuer: int
    amount: int
    claim_rial: int
    fee_rial: int
    released_rial: int


class Added(NamedTuple):
    """Discount beyond all claims, in Rial: the acceptor's own, and what the network adds."""

    own_rial: int
    network_rial: int


def issue(owner: int, unit: Unit, issuer: int, amount: int) -> Transfer:
    """Value goes from its issuer to the member; a negative amount brings it back."""
    return (
        Leg(AccountKey(issuer, Role.ISSUED, unit, 0), -amount),
        Leg(value_key(owner, unit, issuer), amount),
    )


def fund(issuer: int, funder: int, cost_rial: int) -> Transfer:
    """The funder owes the issuer what the points cost; negative: it owes that much less."""
    if issuer == funder:
        return ()
    return _owe(funder, issuer, cost_rial)


def expire(owner: int, unit: Unit, issuer: int, amount: int) -> Transfer:
    """Points past their date go to their issuer's breakage."""
    return (
        Leg(value_key(owner, unit, issuer), -amount),
        Leg(AccountKey(issuer, Role.EXPIRED, unit, 0), amount),
    )


def claw_into_debt(owner: int, unit: Unit, issuer: int, amount: int) -> Transfer:
    """The member owes the issuer what a clawback could not take from lots."""
    return (
        Leg(AccountKey(owner, Role.DEBT, unit, issuer), -amount),
        Leg(AccountKey(issuer, Role.ISSUED, unit, 0), amount),
    )


def repay(owner: int, unit: Unit, issuer: int, amount: int) -> Transfer:
    """A debt is repaid from lots of the issuer it is owed to."""
    return (
        Leg(value_key(owner, unit, issuer), -amount),
        Leg(AccountKey(owner, Role.DEBT, unit, issuer), amount),
    )


def redeem(
    owner: int, acceptor: int, spent: Iterable[Spent], added: Added, *, sign: int = 1
) -> list[Transfer]:
    """The points leg and the money leg of a redemption; sign -1: of its refund.

    For each issuer: points to its sink; the acceptor's claim on it, none where issuer = acceptor;
    cost beyond the discount, released to it. Then the network's addition, the acceptor's own
    discount, and the network's fee on claims that cross parties. Source: architecture 5, ledger
    reference 1 (money leg), decision 0029.
    """
    points: dict[tuple[Unit, int], int] = {}
    claims: dict[int, int] = {}
    released: dict[int, int] = {}
    fee = 0
    for part in spent:
        kin = (part.unit, part.issuer)
        points[kin] = points.get(kin, 0) + part.amount
        if part.claim_rial and part.issuer != acceptor:
            claims[part.issuer] = claims.get(part.issuer, 0) + part.claim_rial
        if part.released_rial:
            released[part.issuer] = released.get(part.issuer, 0) + part.released_rial
        fee += part.fee_rial
    transfers: list[Transfer] = [_points_leg(owner, points, sign)]
    transfers += [_owe(issuer, acceptor, sign * claim) for issuer, claim in claims.items()]
    transfers += [
        _pair(issuer, Role.POINTS_COST, Role.COST_RELEASED, sign * rial)
        for issuer, rial in released.items()
    ]
    if added.network_rial:
        transfers.append(fund(acceptor, NETWORK_PARTY, sign * added.network_rial))
    if added.own_rial:
        own = sign * added.own_rial
        transfers.append(_pair(acceptor, Role.OWN_DISCOUNT, Role.DISCOUNT_GIVEN, own))
    if fee:
        transfers.append(_fee(acceptor, sign * fee))
    return transfers


def _points_leg(owner: int, points: dict[tuple[Unit, int], int], sign: int) -> Transfer:
    totals: dict[AccountKey, int] = {}
    for (unit, issuer), amount in points.items():
        key = value_key(owner, unit, issuer)
        totals[key] = totals.get(key, 0) + amount
    legs = [Leg(key, -sign * amount) for key, amount in totals.items()]
    legs += [
        Leg(AccountKey(issuer, Role.REDEEMED, unit, 0), sign * amount)
        for (unit, issuer), amount in points.items()
    ]
    return legs


def _owe(debtor: int, creditor: int, rial: int) -> Transfer:
    return (
        Leg(AccountKey(debtor, Role.PAYABLE, _RIAL, creditor), -rial),
        Leg(AccountKey(creditor, Role.RECEIVABLE, _RIAL, debtor), rial),
    )


def _pair(party: int, less: Role, more: Role, rial: int) -> Transfer:
    return (
        Leg(AccountKey(party, less, _RIAL, 0), -rial),
        Leg(AccountKey(party, more, _RIAL, 0), rial),
    )


def _fee(acceptor: int, rial: int) -> Transfer:
    return (
        Leg(AccountKey(acceptor, Role.PAYABLE, _RIAL, NETWORK_PARTY), -rial),
        Leg(AccountKey(NETWORK_PARTY, Role.FEE, _RIAL, acceptor), rial),
    )

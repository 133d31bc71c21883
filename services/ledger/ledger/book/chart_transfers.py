"""Legs between accounts, units, budgets and windows. Each transfer sums to zero."""

from collections.abc import Iterable

from contracts.values import NETWORK_PARTY, Unit
from ledger.book.chart import Transfer
from ledger.book.facts import AccountKey, Leg, Role, value_key

_RIAL = Unit.RIAL
Moved = tuple[Unit, int, int]  # unit, issuer, amount


def transit(owner: int, moved: Iterable[Moved], *, sign: int) -> list[Transfer]:
    """Value into transit (sign 1) or out of it into the account (sign -1), by issuer."""
    return _between(owner, Role.TRANSIT, moved, sign)


def exchange(owner: int, moved: Iterable[Moved], *, sign: int) -> list[Transfer]:
    """Value surrendered for another unit (sign 1), or received for it (sign -1), by issuer."""
    return _between(owner, Role.EXCHANGE, moved, sign)


def fee(acceptor: int, rial: int) -> Transfer:
    """The network's share of a claim."""
    return (
        Leg(AccountKey(acceptor, Role.PAYABLE, _RIAL, NETWORK_PARTY), -rial),
        Leg(AccountKey(NETWORK_PARTY, Role.FEE, _RIAL, acceptor), rial),
    )


def grant(party: int, campaign: int, rial: int) -> Transfer:
    """A party lets this much more be issued."""
    return (
        Leg(AccountKey(party, Role.BUDGET_GRANTED, _RIAL, campaign), -rial),
        Leg(budget_key(party, campaign), rial),
    )


def draw(party: int, campaign: int, rial: int) -> Transfer:
    """The cost of points comes out of the slice; negative: it goes back."""
    return (
        Leg(budget_key(party, campaign), -rial),
        Leg(AccountKey(party, Role.BUDGET_SPENT, _RIAL, campaign), rial),
    )


def budget_transit(party: int, campaign: int, rial: int) -> Transfer:
    """Part of a slice into transit; negative: out of it."""
    return (
        Leg(budget_key(party, campaign), -rial),
        Leg(AccountKey(NETWORK_PARTY, Role.TRANSIT, _RIAL, party), rial),
    )


def budget_key(party: int, campaign: int) -> AccountKey:
    """The slice of a budget on this shard; its balance is never below zero."""
    return AccountKey(party, Role.BUDGET, _RIAL, campaign)


def pay_in(custodian: int, rial: int) -> Transfer:
    """A custodian has received money for a wallet."""
    return (
        Leg(AccountKey(custodian, Role.WALLET, _RIAL, 0), -rial),
        Leg(AccountKey(custodian, Role.CASH, _RIAL, 0), rial),
    )


def settle(debtor: int, creditor: int, rial: int, *, fee_rial: int) -> list[Transfer]:
    """A payable and its receivable fall by rial; negative: the creditor pays it back.

    fee_rial: the part of it that is the network's fee, which has an account of its own.
    """
    return [
        (
            Leg(AccountKey(debtor, Role.PAYABLE, _RIAL, creditor), rial),
            Leg(AccountKey(creditor, Role.RECEIVABLE, _RIAL, debtor), fee_rial - rial),
            Leg(AccountKey(creditor, Role.FEE, _RIAL, debtor), -fee_rial),
        ),
        (
            Leg(AccountKey(debtor, Role.CASH, _RIAL, 0), -rial),
            Leg(AccountKey(creditor, Role.CASH, _RIAL, 0), rial),
        ),
    ]


def fee_key(debtor: int) -> AccountKey:
    """The account of the fees that a debtor owes the network."""
    return AccountKey(NETWORK_PARTY, Role.FEE, _RIAL, debtor)


def _between(owner: int, role: Role, moved: Iterable[Moved], sign: int) -> list[Transfer]:
    sums: dict[tuple[Unit, int], int] = {}
    for unit, issuer, amount in moved:
        sums[unit, issuer] = sums.get((unit, issuer), 0) + sign * amount
    return [
        (
            Leg(value_key(owner, unit, issuer), -amount),
            Leg(AccountKey(NETWORK_PARTY, role, unit, issuer), amount),
        )
        for (unit, issuer), amount in sums.items()
    ]

"""Whose a capture is that shows no identifier: its authorisation's, by whose account it counts.

Else whoever authorises one point might sell any basket uncounted (decision 0050).
"""

from collections.abc import Mapping

from msgspec import structs

from contracts.values import Kind
from fraud.screening.domain.decisions import Attempt, Key


def is_unnamed(attempt: Attempt | None) -> bool:
    """Whether it is a capture without an account of its own."""
    if attempt is None or attempt.transaction.kind is not Kind.CAPTURE:
        return False
    return not (attempt.transaction.account or attempt.transaction.shown)


def missing(attempts: Mapping[Key, Attempt]) -> set[Key]:
    """The authorisations whose accounts are wanted and are not in the same poll."""
    return {_authorisation(key, one) for key, one in attempts.items() if is_unnamed(one)} - (
        attempts.keys()
    )


def named(attempts: Mapping[Key, Attempt], earlier: Mapping[Key, int]) -> dict[Key, Attempt]:
    """The attempts with the accounts that they lack. earlier: accounts of names before this poll.

    A capture of what nobody authorised stays without one: the ledger declines it.
    """
    accounts = dict(earlier) | {key: one.transaction.account for key, one in attempts.items()}
    return {
        key: _with_account(one, accounts.get(_authorisation(key, one), 0))
        if is_unnamed(one)
        else one
        for key, one in attempts.items()
    }


def _authorisation(key: Key, attempt: Attempt) -> Key:
    return key[0], attempt.transaction.original


def _with_account(attempt: Attempt, account: int) -> Attempt:
    about = structs.replace(attempt.transaction, account=account)
    return structs.replace(attempt, transaction=about)

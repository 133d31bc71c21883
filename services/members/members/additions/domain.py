"""Rules of adding to an account that was there before: whose key may, and how often (A10).

Whoever shows an identifier spends what the account has, so to add one is to let somebody spend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from contracts.members import HoldingChange, Identifier, IdentifierKind, ShownIdentifier
from kit.base import errors

# presented at a till; a partner's reference brings history in and spends nothing
SPENDING: Final = frozenset({IdentifierKind.CARD, IdentifierKind.MOBILE, IdentifierKind.QR})


class OfAnotherParty(errors.Forbidden):
    """A partner's key, and an account that was not opened under the partner."""

    code = "member-of-another-party"
    fa = "این عضویت را همکار شما باز نکرده است؛ از پشتیبانی پیوند بخواهید."


class TooManyAdditions(errors.TooMany):
    """A day's bound of an account, or of a key."""

    code = "too-many-additions"
    fa = "امروز بیش از این به این حساب، یا با این کلید، شناسه‌ای افزوده نمی‌شود؛ فردا دوباره بفرستید."


@dataclass(frozen=True, slots=True)
class Enroller:
    """Whose key acts. party: a partner's key, for accounts opened under it; None: the network's.

    account_day, key_day: most additions a day of Tehran, to one account and under this key.
    """

    subject: str
    party: int | None
    account_day: int
    key_day: int

    def may(self, party: int) -> bool:
        """Whether the key acts on an account that was opened under party (0: the network)."""
        return self.party is None or self.party == party


@dataclass(frozen=True, slots=True)
class Addition:
    """Identifiers that were added to an account or left it, and the members who get the notice."""

    account: int
    holders: tuple[int, ...]
    identifiers: tuple[ShownIdentifier, ...]
    change: HoldingChange = HoldingChange.ADDED


def counted(by: Enroller, account: int) -> tuple[str, str]:
    """Under what an addition is counted: the account, and the key."""
    return f"account:{account}", f"key:{by.subject}"


def party_refusal(by: Enroller, party: int) -> errors.Problem | None:
    """Why a key does not act on an account that was opened under party; None where it does."""
    return None if by.may(party) else OfAnotherParty(_OF_ANOTHER)


def refusals(
    by: Enroller,
    accounts: Sequence[int],
    parties: Mapping[int, int],
    counts: Mapping[str, int],
) -> tuple[list[errors.Problem | None], dict[str, int]]:
    """Why each addition to an account may not be, in order; and the counts after the others.

    parties: whom each account was opened under; 0 where it is not among them.
    """
    after = dict(counts)
    answers: list[errors.Problem | None] = []
    for account in accounts:
        of_account, of_key = counted(by, account)
        other = party_refusal(by, parties.get(account, 0))
        if other is not None:
            answers.append(other)
        elif after.get(of_account, 0) >= by.account_day:
            answers.append(TooManyAdditions(f"{by.account_day} additions a day to one account"))
        elif after.get(of_key, 0) >= by.key_day:
            answers.append(TooManyAdditions(f"{by.key_day} additions a day under one key"))
        else:
            answers.append(None)
            for whose in (of_account, of_key):
                after[whose] = after.get(whose, 0) + 1
    return answers, after


_OF_ANOTHER: Final = "the account was opened under another party; ask the network to add to it"


def spending_labels(identifiers: Sequence[Identifier]) -> tuple[ShownIdentifier, ...]:
    """Labels of the identifiers that can spend, for a notice."""
    return tuple(
        ShownIdentifier(kind=one.kind, last4=one.last4)
        for one in identifiers
        if one.kind in SPENDING
    )


def with_issued(addition: Addition, issued: Sequence[Identifier], qr: Identifier) -> Addition:
    """With the identifiers issued for the membership; without any, its QR was shown again."""
    labels = (*addition.identifiers, *spending_labels(issued))
    if labels:
        return replace(addition, identifiers=labels)
    return replace(addition, identifiers=spending_labels([qr]), change=HoldingChange.SHOWN)

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


@dataclass(frozen=True, slots=True)
class Claim:
    """What asks for room under the bounds of a day.

    account: the one that is added to; None: one that is opened. elsewhere: the person belongs to
    another party, so nothing is added, and the question itself is counted under the key.
    """

    account: int | None
    elsewhere: bool = False


def counted(by: Enroller, claim: Claim) -> tuple[str, ...]:
    """Under what a claim is bounded: the account, where it was there before, and the key."""
    of_key = f"key:{by.subject}"
    return (of_key,) if claim.account is None else (f"account:{claim.account}", of_key)


def party_refusal(by: Enroller, party: int) -> errors.Problem | None:
    """Why a key does not act on an account that was opened under party; None where it does."""
    return None if by.may(party) else OfAnotherParty(OF_ANOTHER)


def refusals(
    by: Enroller,
    claims: Sequence[Claim],
    parties: Mapping[int, int],
    counts: Mapping[str, int],
) -> tuple[list[errors.Problem | None], dict[str, int]]:
    """Why each claim may not be, in order; and the counts after the others.

    parties: whom each account was opened under; 0 where it is not among them. The bounds answer
    before the person does: past them, a stranger and a member of elsewhere hear the same.
    """
    after = dict(counts)
    answers: list[errors.Problem | None] = []
    for claim in claims:
        refused = _refusal(by, claim, parties, after)
        if refused is None:
            for whose in _counts_on(by, claim):
                after[whose] = after.get(whose, 0) + 1
            refused = OfAnotherParty(OF_ANOTHER) if claim.elsewhere else None
        answers.append(refused)
    return answers, after


def _refusal(
    by: Enroller, claim: Claim, parties: Mapping[int, int], counts: Mapping[str, int]
) -> errors.Problem | None:
    """What refuses a claim whoever the person is."""
    if claim.account is not None:
        other = party_refusal(by, parties.get(claim.account, 0))
        if other is not None:
            return other
        if counts.get(f"account:{claim.account}", 0) >= by.account_day:
            return TooManyAdditions(f"{by.account_day} additions a day to one account")
    if counts.get(f"key:{by.subject}", 0) >= by.key_day:
        return TooManyAdditions(f"{by.key_day} additions a day under one key")
    return None


def _counts_on(by: Enroller, claim: Claim) -> tuple[str, ...]:
    """What a claim that is let through is counted under; an account that is opened is free."""
    if claim.elsewhere:
        return (f"key:{by.subject}",)
    return () if claim.account is None else counted(by, claim)


OF_ANOTHER: Final = "the account was opened under another party; ask the network to add to it"


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

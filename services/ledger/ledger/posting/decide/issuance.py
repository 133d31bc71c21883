"""Who may be issued value: it has an issuer and a funder, and its account may hold the unit."""

from contracts.values import Unit
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline


def refusal_to_issue(draft: AccountDraft, unit: Unit, issuer: int, funder: int) -> Effects | None:
    """A decline of an issue: Rial is not value, and value needs an issuer and a funder."""
    if unit is Unit.RIAL:
        return decline("not-value")
    if not issuer or not funder:
        return decline("no-issuer")
    return refusal_to_load(draft, unit)


def refusal_to_load(draft: AccountDraft, unit: Unit) -> Effects | None:
    """A decline of gift value on an account that is no activated card (SH2)."""
    if unit is Unit.GIFT and draft.owner not in draft.registry.cards:
        return decline("card-not-active")
    return None

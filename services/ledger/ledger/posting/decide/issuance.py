"""What may be issued to whom: somebody issues it and pays for it, and its account may hold it."""

from contracts.values import Unit
from ledger.posting.decide import effects
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects


def refusal_to_issue(draft: AccountDraft, unit: Unit, issuer: int, funder: int) -> Effects | None:
    """Members hold value, not what parties owe; somebody issues it and pays for it."""
    if unit is Unit.RIAL:
        return effects.decline("not-value")
    if not issuer or not funder:
        return effects.decline("no-issuer")
    return refusal_to_load(draft, unit)


def refusal_to_load(draft: AccountDraft, unit: Unit) -> Effects | None:
    """Gift value belongs on a card that was activated, and on no other account (SH2)."""
    if unit is Unit.GIFT and draft.owner not in draft.registry.cards:
        return effects.decline("card-not-active")
    return None

"""Prices, rates and fees by version: installed once, never changed."""

from typing import Final

from contracts.value import InstallTerms, TermsKind
from contracts.values import NETWORK_PARTY
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, unchanged
from ledger.posting.decide.kinds import Kind
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain.shard_registry import Change, Terms, TermsKey


def install(draft: AccountDraft, body: InstallTerms) -> Effects:
    """Install a version, which never changes; a rate needs the network and a merchant."""
    accepted_by = tuple(sorted(set(body.accepted_by)))
    if body.kind is TermsKind.RATE and (NETWORK_PARTY not in accepted_by or len(accepted_by) < 2):
        return decline("rate-not-accepted")
    key = TermsKey(body.kind, body.id, body.version)
    terms = Terms(body.numerator, body.denominator, accepted_by)
    known = draft.registry.terms.get(key)
    if known is not None:
        if known == terms:
            return unchanged("already-installed")
        return decline("version-differs")
    draft.change = Change(terms=(key, terms))
    return Effects()


def _needs(needs: RegistryNeeds, shard: int, body: InstallTerms) -> None:
    needs.terms.add((shard, TermsKey(body.kind, body.id, body.version)))


KINDS: Final = (Kind(InstallTerms, lambda draft, body, _: install(draft, body), needs=_needs),)

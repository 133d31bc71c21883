"""Accounts and parties that are frozen or closed: what they may still do."""

from collections.abc import Iterable
from typing import Final, TypeVar

from contracts.value import AccountStatus, SetStanding
from contracts.values import NETWORK_PARTY, Unit
from ledger.book.facts import AccountKey, Role
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, unchanged
from ledger.posting.decide.kinds import Kind, always
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain.shard_registry import Change, ShardRegistry, Subject

B = TypeVar("B")
_OWING = frozenset({Role.PAYABLE, Role.RECEIVABLE, Role.FEE})


def decide(draft: AccountDraft, body: SetStanding) -> Effects:
    """Freeze, open again or close (architecture 5). Closed is for ever."""
    subject = Subject(not body.account, body.account or body.party)
    if not subject.number:
        return decline("no-account")
    present = draft.registry.standings.get(subject, AccountStatus.OPEN)
    if present is body.standing:
        return unchanged("standing-unchanged")
    if present is AccountStatus.CLOSED:
        return decline("party-closed" if subject.is_party else "account-closed")
    if body.standing is AccountStatus.CLOSED:
        code = _code_of_party(draft.registry, body.party) if subject.is_party else _code_of(draft)
        if code:
            return decline(code)
    draft.change = Change(standings=((subject, body.standing),))
    return Effects()


def refusal(draft: AccountDraft, kind: Kind[B], body: B) -> Effects | None:
    """Whether a status of the account, or of a party that the command touches, forbids it.

    A command that a stage declined, and one that brings value back, is never refused here. A closed
    party begins nothing new; what it began before is undone and settled to the end (decision 0021).
    A capture happens at its hold's place, which `holds` checks itself.
    """
    if kind.exempt(body):
        return None
    match draft.registry.of_account(draft.owner):
        case AccountStatus.CLOSED if not kind.returns(draft, body):
            return decline("account-closed")
        case AccountStatus.FROZEN if kind.leaves(body):
            return decline("account-frozen")
        case _:
            pass
    code = code_of_parties(draft.registry, kind.makers(body))
    return decline(code) if code else closed(draft.registry, kind.begins(body))


def closed(registry: ShardRegistry, party: int) -> Effects | None:
    """A decline where the party that would begin something is closed."""
    if party and registry.of_party(party) is AccountStatus.CLOSED:
        return decline("party-closed")
    return None


def code_of_parties(registry: ShardRegistry, parties: Iterable[int]) -> str:
    """The code why these parties may issue or fund nothing; "" where they may."""
    standings = {registry.of_party(party) for party in parties if party}
    if AccountStatus.CLOSED in standings:
        return "party-closed"
    return "party-frozen" if AccountStatus.FROZEN in standings else ""


def _code_of(draft: AccountDraft) -> str:
    if not draft.is_empty():
        return "account-not-empty"
    return "account-owes" if draft.debts else ""


def _code_of_party(registry: ShardRegistry, party: int) -> str:
    if any(registry.outstanding(party).values()):
        return "party-not-empty"
    owing = any(
        balance and key.owner == party and key.role in _OWING
        for key, balance in registry.balances.items()
    )
    return "party-owes" if owing else ""


def _needs(needs: RegistryNeeds, shard: int, body: SetStanding) -> None:
    if body.account or body.standing is not AccountStatus.CLOSED:
        return
    needs.parties.add((shard, body.party))
    for unit in Unit:
        for role in (Role.TRANSIT, Role.EXCHANGE):
            needs.balances.add((shard, AccountKey(NETWORK_PARTY, role, unit, body.party)))


KINDS: Final = (
    Kind(
        SetStanding,
        lambda draft, body, _: decide(draft, body),
        needs=_needs,
        parties=lambda body: (body.party,),
        exempt=always,
    ),
)

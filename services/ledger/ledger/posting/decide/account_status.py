"""Accounts and parties that are frozen or closed: what they may still do."""

from collections.abc import Iterable
from typing import Final, TypeVar

from contracts.value import SetStanding, Standing
from contracts.values import NETWORK_PARTY, Unit
from ledger.book.facts import AccountKey, Role
from ledger.posting.decide import effects
from ledger.posting.decide.draft import Draft
from ledger.posting.decide.effects import Said
from ledger.posting.decide.kinds import Kind, always
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain.shard_registry import Change, House, Subject

B = TypeVar("B")
_OWING = frozenset({Role.PAYABLE, Role.RECEIVABLE, Role.FEE})


def decide(draft: Draft, body: SetStanding) -> Said:
    """Freeze, open again or close (architecture 5). Closed is for ever."""
    subject = Subject(not body.account, body.account or body.party)
    if not subject.number:
        return effects.decline("no-account")
    present = draft.house.standings.get(subject, Standing.OPEN)
    if present is body.standing:
        return effects.unchanged("standing-unchanged")
    if present is Standing.CLOSED:
        return effects.decline("party-closed" if subject.is_party else "account-closed")
    if body.standing is Standing.CLOSED:
        code = _code_of_party(draft.house, body.party) if subject.is_party else _code_of(draft)
        if code:
            return effects.decline(code)
    draft.change = Change(standings=((subject, body.standing),))
    return Said()


def refusal(draft: Draft, kind: Kind[B], body: B) -> Said | None:
    """Whether a status of the account, or of a party that the command touches, forbids it.

    What a stage declined, and what brings value back, is never refused here. A closed party begins
    nothing; what it had begun is undone and settled to the end (decision 0021). Where a capture
    happens its hold says: holds asks.
    """
    if kind.exempt(body):
        return None
    match draft.house.of_account(draft.owner):
        case Standing.CLOSED if not kind.returns(draft, body):
            return effects.decline("account-closed")
        case Standing.FROZEN if kind.leaves(body):
            return effects.decline("account-frozen")
        case _:
            pass
    code = code_of_parties(draft.house, kind.makers(body))
    return effects.decline(code) if code else closed(draft.house, kind.begins(body))


def closed(house: House, party: int) -> Said | None:
    """A no where a party that something would begin with is closed."""
    if party and house.of_party(party) is Standing.CLOSED:
        return effects.decline("party-closed")
    return None


def code_of_parties(house: House, parties: Iterable[int]) -> str:
    """Why these parties may issue or fund nothing, "" where they may."""
    found = {house.of_party(party) for party in parties if party}
    if Standing.CLOSED in found:
        return "party-closed"
    return "party-frozen" if Standing.FROZEN in found else ""


def _code_of(draft: Draft) -> str:
    if not draft.is_empty():
        return "account-not-empty"
    return "account-owes" if draft.debts else ""


def _code_of_party(house: House, party: int) -> str:
    if any(house.outstanding(party).values()):
        return "party-not-empty"
    owing = any(
        balance and key.owner == party and key.role in _OWING
        for key, balance in house.balances.items()
    )
    return "party-owes" if owing else ""


def _needs(needs: RegistryNeeds, shard: int, body: SetStanding) -> None:
    if body.account or body.standing is not Standing.CLOSED:
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

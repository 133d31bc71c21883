"""Accounts and parties that are frozen or closed: what they may still do."""

from collections.abc import Iterable
from typing import Any

from contracts.ledger import ExpireLot, IssueValue, PostTransaction, RefuseTransaction
from contracts.value import (
    FORWARDS_MAX,
    ActivateCard,
    AdjustValue,
    CaptureHold,
    ExchangeValue,
    GrantBudget,
    HoldValue,
    ReceiveBudget,
    ReceiveValue,
    ReturnValue,
    SendBudget,
    SendValue,
    SetStanding,
    SpendValue,
    Standing,
    TopUpWallet,
)
from contracts.values import Kind, Unit
from ledger.book.facts import Role
from ledger.posting.decide import effects
from ledger.posting.decide.draft import Draft
from ledger.posting.decide.effects import Said
from ledger.posting.domain.shard_registry import Change, House, Subject

_LEAVES = (SpendValue, HoldValue, CaptureHold, SendValue, ExchangeValue, ActivateCard)
_ALWAYS = (RefuseTransaction, ReturnValue, ReceiveBudget, SetStanding, ExpireLot)
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


def refusal(draft: Draft, body: Any) -> Said | None:
    """Whether a standing of the account, or of a party that the command touches, forbids it.

    What a stage declined, and what brings value back, is never refused here. A closed party begins
    nothing; what it had begun is undone and settled to the end (decision 0021). Where a capture
    happens its hold says: holds asks.
    """
    if isinstance(body, _ALWAYS) or getattr(body, "decline", ()):
        return None
    match draft.house.of_account(draft.owner):
        case Standing.CLOSED if not _comes_back(draft, body):
            return effects.decline("account-closed")
        case Standing.FROZEN if _leaves(body):
            return effects.decline("account-frozen")
        case _:
            pass
    code = code_of_parties(draft.house, _makers(body))
    return effects.decline(code) if code else closed(draft.house, _begins(body))


def _comes_back(draft: Draft, body: Any) -> bool:
    """Whether a command may reach a closed account: what is undone, or what goes on from it."""
    if type(body) is PostTransaction:
        return body.kind in (Kind.REFUND, Kind.REVERSAL)
    if type(body) is ReceiveValue:
        return draft.owner in draft.house.successors and body.forwarded < FORWARDS_MAX
    return False


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


def _leaves(body: Any) -> bool:
    """Whether value would leave the account, or what comes in could not be used by its holder."""
    if isinstance(body, PostTransaction):
        return body.redemption is not None
    if isinstance(body, IssueValue):
        return body.unit is Unit.GIFT  # a load of a blocked card
    return isinstance(body, _LEAVES)


def _makers(body: Any) -> tuple[int, ...]:
    """Parties that would owe more by a command: not while they are frozen."""
    match body:
        case IssueValue():
            return (body.issuer, body.funder)
        case ActivateCard() | ExchangeValue():
            return (body.issuer,)
        case TopUpWallet():
            return (body.custodian,)
        case AdjustValue() if not body.take:
            return (body.issuer, body.funder)
        case _:
            return ()


def _begins(body: Any) -> int:
    """Another party that a command would begin something with, 0 for none.

    Refunds, reversals and payments end what had begun.
    """
    match body:
        case GrantBudget() | SendBudget():
            return body.party
        case PostTransaction() if body.kind in (Kind.REFUND, Kind.REVERSAL):
            return 0
        case _:
            return getattr(body, "acceptor", 0)


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

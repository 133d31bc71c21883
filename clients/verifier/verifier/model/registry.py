"""A shard's registry: statuses, terms, windows and their payments."""

from collections.abc import Iterable
from typing import Any

from verifier.model import budgets
from verifier.model.commands_value import (
    FORWARDS_MAX,
    Activate,
    Adjust,
    Capture,
    CloseWindow,
    Exchange,
    GrantBudget,
    HoldValue,
    Install,
    Receive,
    ReceiveBudget,
    Return,
    Send,
    SendBudget,
    SetStanding,
    Settle,
    SpendAway,
    TopUp,
)
from verifier.model.computation import GIFT, NETWORK, RIAL, Draft, Effects, No
from verifier.model.messages import Expire, Issue, Refusal, Transaction
from verifier.state import State

_OUTWARD = (SpendAway, HoldValue, Capture, Send, Exchange, Activate)
_NEVER_REFUSED = (Refusal, Return, ReceiveBudget, SetStanding, Expire)
_OWING = ("payable", "receivable", "fee")
_OF_ISSUER = ("issued", "redeemed", "expired")
_TOWARDS_ISSUER = ("transit", "exchange", "debt")


def check(draft: Draft, body: Any) -> None:
    """Decline what a status of the account, or of a party that the command touches, forbids."""
    registry = draft.state.registry
    if isinstance(body, _NEVER_REFUSED) or getattr(body, "decline", ()):
        return
    match registry.standing(False, draft.owner):
        case "closed" if not _comes_back(draft, body):
            raise No("account-closed")
        case "frozen" if _goes_out(body):
            raise No("account-frozen")
        case _:
            pass
    code = budgets.of_parties(draft, _who_would_owe(body))
    if code:
        raise No(code)
    may_begin(draft, _begins(body))


def _comes_back(draft: Draft, body: Any) -> bool:
    """A closed account takes what is undone, and what its successor is to have."""
    match body:
        case Transaction():
            return body.kind in ("refund", "reversal", "void")
        case Receive():
            return draft.owner in draft.state.registry.successors and body.forwarded < FORWARDS_MAX
        case _:
            return False


def may_begin(draft: Draft, party: int) -> None:
    """Decline anything new at a closed party."""
    if party and draft.state.registry.standing(True, party) == "closed":
        raise No("party-closed")


def _goes_out(body: Any) -> bool:
    match body:
        case Transaction():
            return body.redemption is not None
        case Issue():
            return body.unit == GIFT
        case _:
            return isinstance(body, _OUTWARD)


def _who_would_owe(body: Any) -> tuple[int, ...]:
    match body:
        case Issue():
            return (body.issuer, body.funder)
        case Activate() | Exchange():
            return (body.issuer,)
        case Transaction(kind="top-up"):
            return (body.acceptor,)
        case TopUp():
            return (body.custodian,)
        case Adjust():
            return () if body.take else (body.issuer, body.funder)
        case _:
            return ()


def _begins(body: Any) -> int:
    """The party where something new would happen; an undoing or a payment is not new."""
    match body:
        case GrantBudget() | SendBudget():
            return body.party
        case Transaction(kind="refund" | "reversal" | "void"):
            return 0
        case _:
            return getattr(body, "acceptor", 0)


def stand(draft: Draft, body: SetStanding) -> Effects:
    """Freeze, open again, or close for ever."""
    is_party = not body.account
    number = body.account or body.party
    if not number:
        raise No("no-account")
    present = draft.state.registry.standing(is_party, number)
    if present == body.standing:
        return Effects(code="standing-unchanged")
    if present == "closed":
        raise No("party-closed" if is_party else "account-closed")
    if body.standing == "closed":
        if is_party:
            _may_close_party(draft.state, number)
        elif draft.live():
            raise No("account-not-empty")
        elif draft.debts:
            raise No("account-owes")
    draft.changes.append(("standing", is_party, number, body.standing))
    return Effects()


def _may_close_party(state: State, party: int) -> None:
    """Decline while its points are outstanding, or while it owes or is owed."""
    outstanding: dict[str, int] = {}
    owes = False
    for (owner, role, unit, counterparty), account in state.by_key.items():
        own = owner == party
        if unit != RIAL and (
            (own and role in _OF_ISSUER) or (counterparty == party and role in _TOWARDS_ISSUER)
        ):
            outstanding[unit] = outstanding.get(unit, 0) + account.balance
        owes = owes or bool(own and role in _OWING and account.balance)
    if any(outstanding.values()):
        raise No("party-not-empty")
    if owes:
        raise No("party-owes")


def install(draft: Draft, body: Install) -> Effects:
    """A version of a price, rate or fee, never changed again."""
    accepted = tuple(sorted(set(body.accepted_by)))
    if body.kind == "rate" and (NETWORK not in accepted or len(accepted) < 2):
        raise No("rate-not-accepted")
    key = (body.kind, body.id, body.version)
    known = draft.state.registry.terms.get(key)
    if known is not None:
        if known[:3] == (body.numerator, body.denominator, accepted):
            return Effects(code="already-installed")
        raise No("version-differs")
    draft.changes.append(("terms", key, (body.numerator, body.denominator, accepted)))
    return Effects()


def close_window(draft: Draft, body: CloseWindow) -> Effects:
    """Close a window: it settles what each pair owes up to here."""
    registry = draft.state.registry
    if body.window != len(registry.windows) + 1:
        raise No("not-the-next-window")
    reached = {pair: rial for pair, (rial, *_) in registry.settled.items() if rial}
    for (owner, role, unit, counterparty), account in draft.state.by_key.items():
        if role == "payable" and unit == RIAL and account.balance:
            reached[owner, counterparty] = reached.get((owner, counterparty), 0) - account.balance
    draft.changes.append(("window", body.window, reached))
    return Effects()


def settle(draft: Draft, body: Settle) -> Effects:
    """A debtor paid a creditor; what the creditor owes back from earlier payments counts too."""
    registry = draft.state.registry
    if body.window > len(registry.windows):
        raise No("window-not-closed")
    pair, back = (body.debtor, body.creditor), (body.creditor, body.debtor)
    own = max(0, _owed(draft, pair, body.window))
    returned = max(0, -_owed(draft, back, body.window)) if back != pair else 0
    if body.amount_rial > own + returned:
        raise No("more-than-owed")
    paid = min(own, body.amount_rial)
    for part, rial in ((pair, paid), (back, paid - body.amount_rial)):
        if rial:
            _check_order(draft, part, body.window, 1 if rial > 0 else -1)
            _pay(draft, part, rial)
            before = registry.settled.get(part, (0, 0, 0))[0]
            draft.changes.append(("settled", part, before + rial, body.window))
    return Effects()


def _owed(draft: Draft, pair: tuple[int, int], window: int) -> int:
    registry = draft.state.registry
    return registry.reached.get((*pair, window), 0) - registry.settled.get(pair, (0, 0, 0))[0]


def _check_order(draft: Draft, pair: tuple[int, int], window: int, sign: int) -> None:
    last = draft.state.registry.settled.get(pair, (0, 0, 0))[1]
    if window < last:
        raise No("window-passed")
    for earlier in range(max(last, 1), window):
        if sign * _owed(draft, pair, earlier) > 0:
            raise No("earlier-window-open")


def _pay(draft: Draft, pair: tuple[int, int], rial: int) -> None:
    """A payable goes back towards zero against cash; the network's fees are apart."""
    debtor, creditor = pair
    fee = 0
    if creditor == NETWORK:
        account = draft.state.by_key.get((NETWORK, "fee", RIAL, debtor))
        owed = account.balance if account is not None else 0
        fee = min(rial, max(owed, 0)) if rial > 0 else max(rial, min(owed, 0))
    _legs(
        draft,
        ((debtor, "payable", RIAL, creditor), rial),
        ((creditor, "receivable", RIAL, debtor), fee - rial),
        ((creditor, "fee", RIAL, debtor), -fee),
    )
    _legs(draft, ((debtor, "cash", RIAL, 0), -rial), ((creditor, "cash", RIAL, 0), rial))


def _legs(draft: Draft, *legs: tuple[tuple[int, str, str, int], int]) -> None:
    draft.legs += [leg for leg in legs if leg[1]]


def apply(state: State, changes: Iterable[tuple[Any, ...]], sequence: int) -> None:
    """Apply a command's changes of the registry for the next command."""
    registry = state.registry
    for change, *values in changes:
        match change, values:
            case "standing", [is_party, number, standing]:
                registry.standings[is_party, number] = (standing, sequence)
            case "terms", [key, terms]:
                registry.terms[key] = (*terms, sequence)
            case "successor", [account, shard, card]:
                registry.successors[account] = (shard, card)
            case "card", [account, issuer]:
                registry.cards[account] = (issuer, sequence)
            case "window", [number, reached]:
                registry.windows.append(sequence)
                for (debtor, creditor), rial in reached.items():
                    registry.reached[debtor, creditor, number] = rial
            case "settled", [pair, rial, window]:
                registry.settled[pair] = (rial, window, sequence)
            case _:
                raise ValueError(change)

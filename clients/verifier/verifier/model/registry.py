"""A shard's house worked out: standings, terms, windows and what is paid for them."""

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
from verifier.model.computation import GIFT, NETWORK, RIAL, No, Said, Work
from verifier.model.messages import Expire, Issue, Refusal, Transaction
from verifier.state import State

_OUTWARD = (SpendAway, HoldValue, Capture, Send, Exchange, Activate)
_NEVER_REFUSED = (Refusal, Return, ReceiveBudget, SetStanding, Expire)
_OWING = ("payable", "receivable", "fee")
_OF_ISSUER = ("issued", "redeemed", "expired")
_TOWARDS_ISSUER = ("transit", "exchange", "debt")


def check(work: Work, body: Any) -> None:
    """A standing of the account or of a party that the command touches may forbid it."""
    house = work.state.house
    if isinstance(body, _NEVER_REFUSED) or getattr(body, "decline", ()):
        return
    match house.standing(False, work.owner):
        case "closed" if not _comes_back(work, body):
            raise No("account-closed")
        case "frozen" if _goes_out(body):
            raise No("account-frozen")
        case _:
            pass
    code = budgets.of_parties(work, _who_would_owe(body))
    if code:
        raise No(code)
    may_begin(work, _begins(body))


def _comes_back(work: Work, body: Any) -> bool:
    """A closed account hears what is undone, and what its successor is to have."""
    match body:
        case Transaction():
            return body.kind in ("refund", "reversal")
        case Receive():
            return work.owner in work.state.house.successors and body.forwarded < FORWARDS_MAX
        case _:
            return False


def may_begin(work: Work, party: int) -> None:
    """Nothing new happens at a closed party."""
    if party and work.state.house.standing(True, party) == "closed":
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
        case TopUp():
            return (body.custodian,)
        case Adjust():
            return () if body.take else (body.issuer, body.funder)
        case _:
            return ()


def _begins(body: Any) -> int:
    """Where something new would happen; what is undone or paid is not new."""
    match body:
        case GrantBudget() | SendBudget():
            return body.party
        case Transaction(kind="refund" | "reversal"):
            return 0
        case _:
            return getattr(body, "acceptor", 0)


def stand(work: Work, body: SetStanding) -> Said:
    """Frozen, open again, or closed for ever."""
    is_party = not body.account
    number = body.account or body.party
    if not number:
        raise No("no-account")
    present = work.state.house.standing(is_party, number)
    if present == body.standing:
        return Said(code="standing-unchanged")
    if present == "closed":
        raise No("party-closed" if is_party else "account-closed")
    if body.standing == "closed":
        if is_party:
            _may_close_party(work.state, number)
        elif work.live():
            raise No("account-not-empty")
        elif work.debts:
            raise No("account-owes")
    work.changes.append(("standing", is_party, number, body.standing))
    return Said()


def _may_close_party(state: State, party: int) -> None:
    """None of its points are out, and it neither owes nor is owed."""
    outstanding: dict[str, int] = {}
    owes = False
    for (owner, role, unit, other), account in state.by_key.items():
        own = owner == party
        if unit != RIAL and (
            (own and role in _OF_ISSUER) or (other == party and role in _TOWARDS_ISSUER)
        ):
            outstanding[unit] = outstanding.get(unit, 0) + account.balance
        owes = owes or bool(own and role in _OWING and account.balance)
    if any(outstanding.values()):
        raise No("party-not-empty")
    if owes:
        raise No("party-owes")


def install(work: Work, body: Install) -> Said:
    """A version of a price, rate or fee, never changed again."""
    accepted = tuple(sorted(set(body.accepted_by)))
    if body.kind == "rate" and (NETWORK not in accepted or len(accepted) < 2):
        raise No("rate-not-accepted")
    key = (body.kind, body.id, body.version)
    known = work.state.house.terms.get(key)
    if known is not None:
        if known[:3] == (body.numerator, body.denominator, accepted):
            return Said(code="already-installed")
        raise No("version-differs")
    work.changes.append(("terms", key, (body.numerator, body.denominator, accepted)))
    return Said()


def close_window(work: Work, body: CloseWindow) -> Said:
    """What each pair came to owe up to here belongs to the window."""
    house = work.state.house
    if body.window != len(house.windows) + 1:
        raise No("not-the-next-window")
    reached = {pair: rial for pair, (rial, *_) in house.settled.items() if rial}
    for (owner, role, unit, other), account in work.state.by_key.items():
        if role == "payable" and unit == RIAL and account.balance:
            reached[owner, other] = reached.get((owner, other), 0) - account.balance
    work.changes.append(("window", body.window, reached))
    return Said()


def settle(work: Work, body: Settle) -> Said:
    """A debtor paid a creditor; what the creditor owes back from earlier payments counts too."""
    house = work.state.house
    if body.window > len(house.windows):
        raise No("window-not-closed")
    pair, back = (body.debtor, body.creditor), (body.creditor, body.debtor)
    own = max(0, _owed(work, pair, body.window))
    returned = max(0, -_owed(work, back, body.window)) if back != pair else 0
    if body.amount_rial > own + returned:
        raise No("more-than-owed")
    paid = min(own, body.amount_rial)
    for part, rial in ((pair, paid), (back, paid - body.amount_rial)):
        if rial:
            _check_order(work, part, body.window, 1 if rial > 0 else -1)
            _pay(work, part, rial)
            before = house.settled.get(part, (0, 0, 0))[0]
            work.changes.append(("settled", part, before + rial, body.window))
    return Said()


def _owed(work: Work, pair: tuple[int, int], window: int) -> int:
    house = work.state.house
    return house.reached.get((*pair, window), 0) - house.settled.get(pair, (0, 0, 0))[0]


def _check_order(work: Work, pair: tuple[int, int], window: int, sign: int) -> None:
    last = work.state.house.settled.get(pair, (0, 0, 0))[1]
    if window < last:
        raise No("window-passed")
    for earlier in range(max(last, 1), window):
        if sign * _owed(work, pair, earlier) > 0:
            raise No("earlier-window-open")


def _pay(work: Work, pair: tuple[int, int], rial: int) -> None:
    """A payable goes back towards zero against cash; the network's fees stand apart."""
    debtor, creditor = pair
    fee = 0
    if creditor == NETWORK:
        account = work.state.by_key.get((NETWORK, "fee", RIAL, debtor))
        owed = account.balance if account is not None else 0
        fee = min(rial, max(owed, 0)) if rial > 0 else max(rial, min(owed, 0))
    _legs(
        work,
        ((debtor, "payable", RIAL, creditor), rial),
        ((creditor, "receivable", RIAL, debtor), fee - rial),
        ((creditor, "fee", RIAL, debtor), -fee),
    )
    _legs(work, ((debtor, "cash", RIAL, 0), -rial), ((creditor, "cash", RIAL, 0), rial))


def _legs(work: Work, *legs: tuple[tuple[int, str, str, int], int]) -> None:
    work.legs += [leg for leg in legs if leg[1]]


def apply(state: State, changes: Iterable[tuple[Any, ...]], sequence: int) -> None:
    """Make what a command changed the house that the next one sees."""
    house = state.house
    for what, *values in changes:
        match what, values:
            case "standing", [is_party, number, standing]:
                house.standings[is_party, number] = (standing, sequence)
            case "terms", [key, terms]:
                house.terms[key] = (*terms, sequence)
            case "successor", [account, shard, card]:
                house.successors[account] = (shard, card)
            case "card", [account, issuer]:
                house.cards[account] = (issuer, sequence)
            case "window", [number, reached]:
                house.windows.append(sequence)
                for (debtor, creditor), rial in reached.items():
                    house.reached[debtor, creditor, number] = rial
            case "settled", [pair, rial, window]:
                house.settled[pair] = (rial, window, sequence)
            case _:
                raise ValueError(what)

"""Pass 7: what a leaf must say, from its command's bytes and the state before it."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from verifier.model import (
    budgets,
    commands_value,
    crossing,
    holds,
    life,
    registry,
    sale,
    undo,
    value,
)
from verifier.model.computation import No, Said, Work
from verifier.model.decode import Heard
from verifier.model.messages import (
    ROAD,
    Cancel,
    Expire,
    Inquiry,
    Issue,
    Refusal,
    Release,
    TakeBack,
    Tick,
    Transaction,
)
from verifier.model.originals import Original
from verifier.state import State

Find = Callable[[str], Original | None]

# What a leaf can bring a rule to when the rows that it rests on are not there, or not so.
BEYOND_REASON = (LookupError, ArithmeticError, ValueError, TypeError, AssertionError)
AHEAD = "clock-ahead"  # the sender's clock was, by what its record's append time tells
_NEVER_BOOKED = "may never be in the book"


_SHAPES: tuple[type[Any], ...] = (*ROAD.values(), *commands_value.FURTHER.values())
_NAMING: dict[type[Any], str] = {  # under which field an earlier command is named
    shape: field
    for shape in _SHAPES
    for field in ("original", "issued_by")
    if field in shape.__struct_fields__
}
_OF_A_LOT = frozenset(shape for shape in _SHAPES if "lot" in shape.__struct_fields__)


def target_of(heard: Heard | None) -> str:
    """The name of the earlier command that this one is about; "" for none."""
    if heard is None:
        return ""
    body: object = heard.body
    field = _NAMING.get(type(body))
    return getattr(body, field) if field is not None else ""


def named_lots(heards: Iterable[Heard | None]) -> set[int]:
    """Lots that commands name themselves."""
    return {
        heard.body.lot
        for heard in heards
        if heard is not None and type(heard.body) in _OF_A_LOT and heard.body.lot
    }


def heard_name(heard: Heard | None, raw: bytes) -> str:
    """Under which name a record is answered."""
    return heard.name if heard is not None else f"u.{hashlib.sha256(raw).hexdigest()}"


def work_out(
    state: State, heard: Heard | None, find: Find, *, sequence: int, ahead: bool = False
) -> tuple[Work, Said]:
    """All that one command must have done. The state is as before, but for the work's lots.

    The caller undoes the work when it has compared. ahead: the ledger found it ahead of its record,
    which no leaf tells: it is refused, and no time passes.
    """
    now = state.now
    if heard is not None and heard.accepted is not None and not ahead:
        now = max(now, heard.accepted)
    work = Work(state, sequence=sequence, now=now, occurred=heard.occurred if heard else 0)
    if heard is None:
        return work, Said("refused", "undecodable")
    target = target_of(heard)
    original = find(target) if target else None
    work.about(_account_of(heard.body, original), heard.body)
    if work.purse.holds:
        work.free_due()
    try:
        said = Said("refused", AHEAD) if ahead else _rule(work, heard.body, original)
    except BEYOND_REASON as error:
        said = Said(f"anything, but it cannot be worked out: {error!r}")
    except No as no:
        said = Said("declined", no.code)
        if isinstance(heard.body, Transaction) and heard.body.decline:
            said.reasons = heard.body.decline
    if said.status not in ("completed", "held"):
        work.forget()
        if work.purse.holds:  # a no books nothing, but what is due reads as free all the same
            work.free_due()
            work.rows, work.legs, work.hold_rows = [], [], []
            work.ended.clear()
        _return(work, heard.body, said)
    return work, said


def _account_of(body: Any, original: Original | None) -> int:
    """Whom a command is about; nobody where somebody of another shard was shown with it."""
    if getattr(body, "shown", 0):
        return 0
    named = getattr(body, "account", 0)
    return named or (original.account if original is not None else 0)


def _rule(work: Work, body: Any, original: Original | None) -> Said:
    """The rule of a command, between what standings forbid and what they send on."""
    watched = work.state.house.standings
    if watched:
        registry.check(work, body)
    said = _say(work, body, original)
    if watched and said.status == "completed":
        crossing.pass_on(work, body, original)
    return said


def _say(work: Work, body: Any, original: Original | None) -> Said:
    match body:
        case Transaction():
            return _transaction(work, body, original)
        case Refusal():
            said = Said("refused", body.reason.code)
            said.reasons = (body.reason,)
            return said
        case Issue():
            return value.issue(work, body)
        case TakeBack():
            return value.take_back(work, original)
        case Release() | Cancel():
            return value.verdict(work, body, original)
        case Expire():
            return value.expire(work, body)
        case Tick():
            return Said()
        case Inquiry():
            return Said(_NEVER_BOOKED, _NEVER_BOOKED)
        case _:
            return _say_held(work, body, original)


def _say_held(work: Work, body: Any, original: Original | None) -> Said:
    match body:
        case commands_value.SpendAway():
            return holds.spend(work, body)
        case commands_value.HoldValue():
            return holds.place(work, body)
        case commands_value.Capture():
            return holds.capture(work, body, original)
        case commands_value.VoidHold():
            return holds.void(work, original)
        case commands_value.LetGo():
            return holds.let_go(work, body)
        case commands_value.Extend():
            return life.extend(work, body)
        case commands_value.Adjust():
            return life.adjust(work, body)
        case _:
            return _say_crossing(work, body, original)


def _say_crossing(work: Work, body: Any, original: Original | None) -> Said:
    match body:
        case commands_value.Send():
            return crossing.send(work, body)
        case commands_value.Receive():
            return crossing.receive(work, body)
        case commands_value.Return():
            return crossing.bring_back(work, original)
        case commands_value.Exchange():
            return crossing.exchange(work, body)
        case commands_value.Activate():
            return crossing.activate(work, body)
        case commands_value.Reissue():
            return crossing.reissue(work, body)
        case commands_value.TopUp():
            return crossing.top_up(work, body)
        case _:
            return _say_of_house(work, body)


def _say_of_house(work: Work, body: Any) -> Said:
    match body:
        case commands_value.GrantBudget():
            return budgets.grant(work, body)
        case commands_value.SendBudget():
            return budgets.send(work, body)
        case commands_value.ReceiveBudget():
            return budgets.receive(work, body)
        case commands_value.Install():
            return registry.install(work, body)
        case commands_value.SetStanding():
            return registry.stand(work, body)
        case commands_value.CloseWindow():
            return registry.close_window(work, body)
        case commands_value.Settle():
            return registry.settle(work, body)
        case _:
            return Said("refused", "undecodable")


def _return(work: Work, body: Any, said: Said) -> None:
    """What was sent here and refused goes back."""
    if isinstance(body, commands_value.Receive):
        name = f"b.{body.from_shard}.{body.from_sequence}"
        content = (body.from_shard, body.from_account, body.sent_by, said.code)
        work.crosses.append((name, content))


_ARRIVING = (commands_value.Receive, commands_value.ReceiveBudget, commands_value.Return)


def arrival_of(shard: int, heard: Heard | None) -> tuple[str, Any] | None:
    """What a command of the ledger's own says that it brings, to set beside what was sent."""
    body = heard.body if heard is not None else None
    if type(body) not in _ARRIVING:
        return None
    match body:
        case commands_value.Receive():
            pieces = crossing.said_pieces(body.parcels)
            return body.name, (
                shard, body.account, body.member, body.from_shard, body.from_sequence,
                body.from_account, body.from_member, pieces, body.purpose, body.sent_by,
                body.forwarded,
            )  # fmt: skip
        case commands_value.ReceiveBudget():
            return body.name, (shard, body.party, body.campaign, body.amount_rial)
        case commands_value.Return():
            return body.name, (shard, body.account, body.original, body.code)
        case _:
            return None


def _transaction(work: Work, body: Transaction, original: Original | None) -> Said:
    if body.replayed:
        return Said(_NEVER_BOOKED, _NEVER_BOOKED)
    if body.decline:
        raise No(body.decline[0].code)
    match body.kind:
        case "refund":
            return undo.refund(work, body, original)
        case "reversal":
            return undo.reverse(work, body, original)
        case "inquiry":
            return Said("refused", "not-a-command")
        case _:
            return sale.sell(work, body)

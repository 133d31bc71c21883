"""Pass 7: the expected content of a leaf, from its command's bytes and the state before it."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from verifier.model import (
    authorisations,
    budgets,
    commands_value,
    crossing,
    holds,
    life,
    registry,
    sale,
    undo,
    value,
    wallet,
)
from verifier.model.computation import Draft, Effects, No
from verifier.model.decode import Command
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

# Errors of a rule when rows that it relies on are missing or altered.
BEYOND_REASON = (LookupError, ArithmeticError, ValueError, TypeError, AssertionError)
AHEAD = "clock-ahead"  # the sender's clock was ahead of the record's append time
_NEVER_BOOKED = "may never be in the book"


_SHAPES: tuple[type[Any], ...] = (*ROAD.values(), *commands_value.VALUE_COMMANDS.values())
_NAMING: dict[type[Any], str] = {  # the field that names an earlier command
    shape: field
    for shape in _SHAPES
    for field in ("original", "issued_by")
    if field in shape.__struct_fields__
}
_OF_A_LOT = frozenset(shape for shape in _SHAPES if "lot" in shape.__struct_fields__)


def target_of(command: Command | None) -> str:
    """The name of the earlier command that this one refers to; "" for none."""
    if command is None:
        return ""
    body: object = command.body
    field = _NAMING.get(type(body))
    return getattr(body, field) if field is not None else ""


def named_lots(commands: Iterable[Command | None]) -> set[int]:
    """Lots that commands name themselves."""
    return {
        command.body.lot
        for command in commands
        if command is not None and type(command.body) in _OF_A_LOT and command.body.lot
    }


def heard_name(command: Command | None, raw: bytes) -> str:
    """The name under which a record is answered."""
    return command.name if command is not None else f"u.{hashlib.sha256(raw).hexdigest()}"


def work_out(
    state: State, command: Command | None, find: Find, *, sequence: int, ahead: bool = False
) -> tuple[Draft, Effects]:
    """Compute the effects of one command. The state stays as before, except for the draft's lots.

    The caller undoes the draft after the comparison. ahead: the ledger judged the command ahead of
    its record, which no leaf shows. It is refused, and no time passes.
    """
    now = state.now
    if command is not None and command.accepted is not None and not ahead:
        now = max(now, command.accepted)
    draft = Draft(state, sequence=sequence, now=now, occurred=command.occurred if command else 0)
    if command is None:
        return draft, Effects("refused", "undecodable")
    target = target_of(command)
    original = find(target) if target else None
    draft.about(_account_of(command.body, original), command.body)
    if draft.purse.holds:
        draft.free_due()
    try:
        effects = Effects("refused", AHEAD) if ahead else _rule(draft, command.body, original)
    except BEYOND_REASON as error:
        effects = Effects(f"anything, but it cannot be worked out: {error!r}")
    except No as no:
        effects = Effects("declined", no.code)
        if isinstance(command.body, Transaction) and command.body.decline:
            effects.reasons = command.body.decline
    if effects.status not in ("completed", "held"):
        draft.forget()
        if draft.purse.holds:  # a decline books nothing, but due holds are free all the same
            draft.free_due()
            draft.rows, draft.legs, draft.hold_rows = [], [], []
            draft.ended.clear()
        _return(draft, command.body, effects)
    return draft, effects


def _account_of(body: Any, original: Original | None) -> int:
    """The account of a command; none where the till presented an account of another shard."""
    if getattr(body, "shown", 0):
        return 0
    named = getattr(body, "account", 0)
    return named or (original.account if original is not None else 0)


def _rule(draft: Draft, body: Any, original: Original | None) -> Effects:
    """Apply the command's rule, between the check of statuses and the forwarding."""
    watched = draft.state.registry.standings
    if watched:
        registry.check(draft, body)
    effects = _say(draft, body, original)
    if watched and effects.status == "completed":
        crossing.pass_on(draft, body, original)
    return effects


def _say(draft: Draft, body: Any, original: Original | None) -> Effects:
    match body:
        case Transaction():
            return _transaction(draft, body, original)
        case Refusal():
            effects = Effects("refused", body.reason.code)
            effects.reasons = (body.reason,)
            return effects
        case Issue():
            return value.issue(draft, body)
        case TakeBack():
            return value.take_back(draft, original)
        case Release() | Cancel():
            return value.review_outcome(draft, body, original)
        case Expire():
            return value.expire(draft, body)
        case Tick():
            return Effects()
        case Inquiry():
            return Effects(_NEVER_BOOKED, _NEVER_BOOKED)
        case _:
            return _rule_of_holds(draft, body, original)


def _rule_of_holds(draft: Draft, body: Any, original: Original | None) -> Effects:
    match body:
        case commands_value.SpendAway():
            return holds.spend(draft, body)
        case commands_value.HoldValue():
            return holds.place(draft, body)
        case commands_value.Capture():
            return holds.capture(draft, body, original)
        case commands_value.VoidHold():
            return holds.void(draft, original)
        case commands_value.ReleaseHold():
            return holds.release(draft, body)
        case commands_value.Extend():
            return life.extend(draft, body)
        case commands_value.Adjust():
            return life.adjust(draft, body)
        case _:
            return _say_crossing(draft, body, original)


def _say_crossing(draft: Draft, body: Any, original: Original | None) -> Effects:
    match body:
        case commands_value.Send():
            return crossing.send(draft, body)
        case commands_value.Receive():
            return crossing.receive(draft, body)
        case commands_value.Return():
            return crossing.bring_back(draft, original)
        case commands_value.Exchange():
            return crossing.exchange(draft, body)
        case commands_value.Activate():
            return crossing.activate(draft, body)
        case commands_value.Reissue():
            return crossing.reissue(draft, body)
        case commands_value.TopUp():
            return crossing.top_up(draft, body)
        case _:
            return _registry_effects(draft, body)


def _registry_effects(draft: Draft, body: Any) -> Effects:
    match body:
        case commands_value.GrantBudget():
            return budgets.grant(draft, body)
        case commands_value.SendBudget():
            return budgets.send(draft, body)
        case commands_value.ReceiveBudget():
            return budgets.receive(draft, body)
        case commands_value.Install():
            return registry.install(draft, body)
        case commands_value.SetStanding():
            return registry.stand(draft, body)
        case commands_value.CloseWindow():
            return registry.close_window(draft, body)
        case commands_value.Settle():
            return registry.settle(draft, body)
        case _:
            return Effects("refused", "undecodable")


def _return(draft: Draft, body: Any, effects: Effects) -> None:
    """Return value that was sent here and refused."""
    if isinstance(body, commands_value.Receive):
        name = f"b.{body.from_shard}.{body.from_sequence}"
        content = (body.from_shard, body.from_account, body.sent_by, effects.code)
        draft.crosses.append((name, content))


_ARRIVING = (commands_value.Receive, commands_value.ReceiveBudget, commands_value.Return)


def arrival_of(shard: int, command: Command | None) -> tuple[str, Any] | None:
    """The content of the ledger's own command, to compare with what was sent."""
    body = command.body if command is not None else None
    if type(body) not in _ARRIVING:
        return None
    match body:
        case commands_value.Receive():
            pieces = crossing.received_pieces(body.parcels)
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


def _transaction(draft: Draft, body: Transaction, original: Original | None) -> Effects:
    if body.replayed:
        return Effects(_NEVER_BOOKED, _NEVER_BOOKED)
    if body.decline:
        raise No(body.decline[0].code)
    match body.kind:
        case "refund":
            return undo.refund(draft, body, original)
        case "reversal":
            return _reversal(draft, body, original)
        case "top-up":
            return wallet.top_up(draft, body)
        case "authorisation":
            return authorisations.authorise(draft, body)
        case "capture":
            return authorisations.capture(draft, body, original)
        case "void":
            return authorisations.void(draft, body, original)
        case "inquiry":
            return Effects("refused", "not-a-command")
        case _:
            return sale.sell(draft, body)


def _reversal(draft: Draft, body: Transaction, original: Original | None) -> Effects:
    if original is not None and original.kind == "authorisation":
        return authorisations.void(draft, body, original)
    if original is not None and original.kind == "top-up":
        return wallet.reverse(draft, body, original)
    return undo.reverse(draft, body, original)

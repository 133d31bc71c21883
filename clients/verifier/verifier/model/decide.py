"""Pass 7: what a leaf must say, from its command's bytes and the state before it."""

import hashlib
from collections.abc import Callable
from typing import Any

from verifier.model import sale, undo, value
from verifier.model.messages import (
    Cancel,
    Expire,
    Heard,
    Inquiry,
    Issue,
    Refusal,
    Release,
    TakeBack,
    Tick,
    Transaction,
)
from verifier.model.originals import Original
from verifier.model.work import No, Said, Work
from verifier.state import State

Find = Callable[[str], Original | None]

_NEVER_BOOKED = "may never be in the book"


def target_of(heard: Heard | None) -> str:
    """The name of the earlier command that this one is about; "" for none."""
    if heard is None:
        return ""
    return getattr(heard.body, "original", "") or getattr(heard.body, "issued_by", "")


def named_lots(heard: Heard | None) -> tuple[int, ...]:
    """Lots that a command names itself."""
    lot = getattr(heard.body, "lot", 0) if heard is not None else 0
    return (lot,) if lot else ()


def heard_name(heard: Heard | None, raw: bytes) -> str:
    """Under which name a record is answered."""
    return heard.name if heard is not None else f"u.{hashlib.sha256(raw).hexdigest()}"


def work_out(state: State, heard: Heard | None, find: Find, *, sequence: int) -> tuple[Work, Said]:
    """All that one command must have done. The state is as before, but for the work's lots.

    The caller undoes the work when it has compared.
    """
    accepted = state.now if heard is None or heard.accepted is None else heard.accepted
    now = max(state.now, accepted)
    work = Work(state, sequence=sequence, now=now, occurred=heard.occurred if heard else 0)
    if heard is None:
        return work, Said("refused", "undecodable")
    target = target_of(heard)
    original = find(target) if target else None
    named = getattr(heard.body, "account", 0)
    work.about(named or (original.account if original is not None else 0), heard.body)
    try:
        said = _say(work, heard.body, original)
    except No as no:
        said = Said("declined", no.code)
        if isinstance(heard.body, Transaction) and heard.body.decline:
            said.reasons = heard.body.decline
    if said.status not in ("completed", "held"):
        work.forget()
    return work, said


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
            return Said("refused", "undecodable")


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

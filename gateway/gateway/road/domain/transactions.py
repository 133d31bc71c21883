"""The transaction that enters the road: what was sent, and what the gateway resolved."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import UNSET, UnsetType

from contracts import members, pos
from contracts.members import FUTURE_SKEW_S, Binding, Identifier
from contracts.merchants import Terminal
from contracts.values import Channel, Kind
from gateway import problems
from gateway.problems import Code
from gateway.road.domain import names, shapes

EVENT: Final = "transaction-submitted.v1"
_TILL_HOLD_S: Final = 15 * 60  # loyalty reference 1.3
_ORDER_HOLD_S: Final = 24 * 3_600
_SKEW: Final = timedelta(seconds=FUTURE_SKEW_S)


@dataclass(frozen=True, slots=True)
class ResolvedIdentifier:
    """An identifier as it stood at a time: whose it was, and where that account lives."""

    identifier: Identifier
    binding: Binding


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the gateway adds to what the caller sent.

    terms: versions as of occurred_at, and as of accepted_at where those are others (else 0).
    shown: as in pos.PosTransaction; moved: as its identifier_moved.
    """

    shard: int
    programme: int
    terms: tuple[int, int]
    accepted_at: datetime
    identifier: ResolvedIdentifier | None = None
    original: str = ""
    shown: int = 0
    moved: bool = False


def refuse_ahead(occurred_at: datetime, now: datetime) -> None:
    """Raise OCCURRED_AT_AHEAD beyond the skew that re-bindings allow for.

    A time too long ago is not refused here: fraud declines it, and that answer is stored.
    """
    if occurred_at > now + _SKEW:
        raise problems.refusal(Code.OCCURRED_AT_AHEAD)


def as_of(identifier: Identifier, at: datetime) -> ResolvedIdentifier:
    """An identifier as of a time, by the function that members uses."""
    return ResolvedIdentifier(identifier, members.as_of(identifier.bindings, at))


def has_moved(resolved: ResolvedIdentifier | None, at: datetime) -> bool:
    """Whether another account has the identifier at a time than the one it was resolved to."""
    if resolved is None:
        return False
    return members.as_of(resolved.identifier.bindings, at).account != resolved.binding.account


def shard_of(identifier: ResolvedIdentifier | None) -> int:
    """The shard of the identifier's account. Raises MISSING_FIELD where none was sent."""
    if identifier is None:
        raise problems.refusal(Code.MISSING_FIELD, "identifier")
    return identifier.binding.shard


def live_transaction(
    body: shapes.Transaction, terminal: Terminal, resolution: Resolution
) -> pos.PosTransaction:
    """What a till or an online shop sent, as it enters the road. terminal: whose key it was."""
    redeem = body.redeem
    return pos.PosTransaction(
        name=names.text_of(body),
        kind=body.kind,
        channel=Channel.TILL if body.order is UNSET else Channel.ONLINE,
        merchant=terminal.merchant,
        party=terminal.party,
        branch=terminal.branch,
        terminal=terminal.terminal,
        programme_version=resolution.programme,
        terms_version=resolution.terms[0],
        accepted_terms_version=resolution.terms[1],
        **_identity(resolution.identifier, resolution.accepted_at),
        identifier_moved=resolution.moved,
        amount_rial=_amount(body.amount_rial),
        lines=() if body.kind is Kind.REFUND else _lines(body.lines, body.amount_rial),
        points=0 if redeem is UNSET else _amount(redeem.points),
        credit_rial=0 if redeem is UNSET else _amount(redeem.credit_rial),
        original=resolution.original,
        refund_lines=()
        if body.refund_lines is UNSET
        else tuple(
            pos.RefundLine(line=part.line, amount_rial=part.amount_rial)
            for part in body.refund_lines
        ),
        shown=resolution.shown,
        hold_s=_hold_s(body),
    )


def _hold_s(body: shapes.Transaction) -> int:
    """For how long an authorisation reserves value; 0 of every other kind."""
    if body.kind is not Kind.AUTHORISATION:
        return 0
    if body.hold_s is not UNSET:
        return body.hold_s
    return _TILL_HOLD_S if body.order is UNSET else _ORDER_HOLD_S


def historic_transaction(
    body: shapes.HistoricPurchase, name: str, party: int, resolution: Resolution
) -> pos.PosTransaction:
    """A purchase of the past, marked as an operator's import (architecture 2, history)."""
    return pos.PosTransaction(
        name=name,
        kind=Kind.PURCHASE,
        channel=Channel.HISTORY,
        merchant=body.merchant,
        party=party,
        branch=_amount(body.branch),
        terminal=_amount(body.terminal),
        programme_version=resolution.programme,
        terms_version=resolution.terms[0],
        accepted_terms_version=resolution.terms[1],
        **_identity(resolution.identifier, resolution.accepted_at),
        amount_rial=body.amount_rial,
        lines=_lines(body.lines, body.amount_rial),
    )


def _identity(resolved: ResolvedIdentifier | None, accepted_at: datetime) -> dict[str, Any]:
    """Fields of whose transaction it is; none where only the original is named."""
    if resolved is None:
        return {}
    identifier, binding = resolved.identifier, resolved.binding
    blocked_at = identifier.blocked_at
    return {
        "account": binding.account,
        "member": binding.member,
        "identifier_id": identifier.identifier_id,
        "identifier_last4": identifier.last4,
        "identifier_kind": identifier.kind,
        "identifier_blocked": blocked_at is not None and blocked_at <= accepted_at,
    }


def _amount(value: int | UnsetType) -> int:
    return 0 if value is UNSET else value


def _lines(
    lines: tuple[shapes.Line, ...] | UnsetType, amount: int | UnsetType
) -> tuple[pos.Line, ...]:
    """The basket's lines; one that was sent without any is one line of the whole amount."""
    if lines is UNSET:
        whole = _amount(amount)
        return (pos.Line(line=1, amount_rial=whole),) if whole else ()
    return tuple(
        pos.Line(
            line=line.line,
            amount_rial=line.amount_rial,
            quantity=1 if line.quantity is UNSET else line.quantity,
            sku="" if line.sku is UNSET else line.sku,
            category="" if line.category is UNSET else line.category,
        )
        for line in lines
    )

"""What enters the road: ids and names, versions in force, the stamped transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from contracts import members, pos, values
from contracts.members import FUTURE_SKEW_S, Binding, Identifier
from contracts.merchants import Terminal
from contracts.values import Channel, Family, Kind
from gateway.domain import names, problems, requests
from gateway.domain.problems import Code

EVENT: Final = "transaction-submitted.v1"
_SKEW: Final = timedelta(seconds=FUTURE_SKEW_S)
_REFUNDABLE: Final = frozenset({Family.TILL, Family.ORDER, Family.HISTORY})


class Edition(Struct, frozen=True, array_like=True):
    """A version of a programme or of the network's terms; party: 0 where it is of no merchant."""

    version: int
    effective_from: datetime
    party: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """An identifier as it stood at a time: whose it was, and where that account lives."""

    identifier: Identifier
    binding: Binding


@dataclass(frozen=True, slots=True)
class Id:
    """A public id taken apart; name is in its one canonical spelling."""

    shard: int
    name: str
    family: Family
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the gateway adds to what the caller said. shown: as in pos.PosTransaction."""

    shard: int
    programme: int
    terms: int
    accepted_at: datetime
    found: Found | None = None
    original: str = ""
    shown: int = 0


def parse_id(text: str, *, shards: int) -> Id:
    """Take a public id apart. Raises BAD_TRANSACTION_ID unless spelled as an answer spells it."""
    plain = values.ascii_digits(text.strip())
    try:
        shard, name = values.parse_public_id(plain)
        family, parts = values.name_parts(name)
        spelled = values.name(family, *(_numbers(family, parts)))
    except (ValueError, UnicodeDecodeError) as error:
        raise problems.refusal(Code.BAD_TRANSACTION_ID, str(error)) from error
    if values.public_id(shard, spelled) != plain or shard >= shards:
        raise problems.refusal(Code.BAD_TRANSACTION_ID)
    return Id(shard, name, family, parts)


def parse_original(text: str, *, shards: int) -> Id:
    """The id of a sale. Raises BAD_TRANSACTION_ID or ORIGINAL_NOT_REFUNDABLE."""
    found = parse_id(text, shards=shards)
    if found.family not in _REFUNDABLE:
        raise problems.refusal(Code.ORIGINAL_NOT_REFUNDABLE)
    return found


def _numbers(family: Family, parts: Sequence[str]) -> Sequence[int | str]:
    """Numeric parts as numbers, so that only the plain spelling comes out again."""
    match family:
        case (
            Family.TILL | Family.TICK | Family.RECEIPT | Family.RETURN | Family.WINDOW
            | Family.HOLD
        ):  # fmt: skip
            return [_int(p) for p in parts]
        case Family.ORDER | Family.HISTORY | Family.ACCOUNT | Family.EXPIRY | Family.PARTY:
            return [_int(parts[0]), *parts[1:]]
        case Family.VERDICT | Family.UNDECODABLE:
            return parts


def _int(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        raise ValueError("a number in a transaction id has 1 to 16 digits")
    return int(text)


def refuse_ahead(occurred_at: datetime, now: datetime) -> None:
    """Raise OCCURRED_AT_AHEAD beyond the skew that re-bindings allow for (architecture 2).

    Too old is no refusal of the gateway's: fraud decides it, and the answer is stored.
    """
    if occurred_at > now + _SKEW:
        raise problems.refusal(Code.OCCURRED_AT_AHEAD)


def in_force(editions: Sequence[Edition], at: datetime) -> Edition | None:
    """The edition in force at a time: of those effective by then the latest, ties to the newer."""
    best: Edition | None = None
    for edition in editions:
        if edition.effective_from > at:
            continue
        if best is None or (edition.effective_from, edition.version) > (
            best.effective_from,
            best.version,
        ):
            best = edition
    return best


def as_of(identifier: Identifier, at: datetime) -> Found:
    """An identifier as of the terminal's time, by the function that members uses."""
    return Found(identifier, members.as_of(identifier.bindings, at))


def live_transaction(
    body: requests.Transaction, terminal: Terminal, stamp: Stamp
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
        programme_version=stamp.programme,
        terms_version=stamp.terms,
        **_identity(stamp.found, stamp.accepted_at),
        amount_rial=_amount(body.amount_rial),
        lines=() if body.kind is Kind.REFUND else _lines(body.lines, body.amount_rial),
        points=0 if redeem is UNSET else _amount(redeem.points),
        credit_rial=0 if redeem is UNSET else _amount(redeem.credit_rial),
        original=stamp.original,
        refund_lines=()
        if body.refund_lines is UNSET
        else tuple(
            pos.RefundLine(line=part.line, amount_rial=part.amount_rial)
            for part in body.refund_lines
        ),
        shown=stamp.shown,
    )


def historic_transaction(
    body: requests.HistoricPurchase, name: str, party: int, stamp: Stamp
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
        programme_version=stamp.programme,
        terms_version=stamp.terms,
        **_identity(stamp.found, stamp.accepted_at),
        amount_rial=body.amount_rial,
        lines=_lines(body.lines, body.amount_rial),
    )


def history_name(merchant: int, transaction: str) -> str:
    """Name of an imported purchase. Raises BAD_NAME when it is empty or too long."""
    try:
        return values.name(Family.HISTORY, merchant, transaction, "purchase")
    except ValueError as error:
        raise problems.refusal(Code.BAD_NAME) from error


def _identity(found: Found | None, accepted_at: datetime) -> dict[str, Any]:
    """Fields of whose transaction it is; none where only the original is named."""
    if found is None:
        return {}
    identifier, binding = found.identifier, found.binding
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
    lines: tuple[requests.Line, ...] | UnsetType, amount: int | UnsetType
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

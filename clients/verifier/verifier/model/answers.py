"""What a till was told, against what it should have been: every number, code and time of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from verifier.model.messages import Heard, Refusal, Told, Transaction, Why, micros
from verifier.model.work import CREDIT, GIFT, POINTS, Said, Work

_TEHRAN = ZoneInfo("Asia/Tehran")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_DAY_MICROS = 86_400_000_000
NOTHING = b"null"
Pair = tuple[str, Any, Any]  # what, as found, as it should be


class Holding(Struct):
    """An account as the answer tells it."""

    points: int
    available_points: int
    pending_points: int
    credit_rial: int
    expiring_points: int
    expiring_at: datetime | None
    held_points: int = 0
    held_credit_rial: int = 0
    gift_rial: int = 0
    held_gift_rial: int = 0


class Answer(Struct, omit_defaults=True):
    """An answer's fields, but for the sentences that people read."""

    id: str
    kind: str
    status: str
    occurred_at: datetime
    accepted_at: datetime
    code: str = ""
    reasons: tuple[Why, ...] = ()
    points_earned: int = 0
    points_pending: int = 0
    pending_until: datetime | None = None
    points_redeemed: int = 0
    credit_redeemed_rial: int = 0
    discount_rial: int = 0
    own_discount_rial: int = 0
    payable_rial: int = 0
    points_clawed_back: int = 0
    points_restored: int = 0
    credit_restored_rial: int = 0
    debt_points: int = 0
    gift_redeemed_rial: int = 0
    gift_restored_rial: int = 0
    merchant_points_restored: int = 0
    lines: tuple[Told, ...] = ()
    balance: Holding | None = None
    original: str = ""


_NUMBERS = (
    "points_earned", "points_pending", "points_redeemed", "credit_redeemed_rial", "discount_rial",
    "own_discount_rial", "payable_rial", "points_clawed_back", "points_restored",
    "credit_restored_rial", "debt_points", "gift_redeemed_rial", "gift_restored_rial",
    "merchant_points_restored",
)  # fmt: skip
_decoder = msgspec.json.Decoder(Answer)


def differences(
    raw: bytes, heard: Heard | None, work: Work, said: Said, name: str
) -> Iterator[Pair]:
    """How an answer differs from what the work came to."""
    told_to_till = heard is None or isinstance(heard.body, Transaction | Refusal)
    if not told_to_till:
        if raw != NOTHING:
            yield "answer", raw, NOTHING
        return
    try:
        told = _decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError) as error:
        yield "answer", f"unreadable: {error}", "an answer"
        return
    yield from _head(told, heard, work, said, name)
    if heard is None:
        return
    for number in _NUMBERS:
        found, wanted = getattr(told, number), said.numbers.get(number, 0)
        if found != wanted:
            yield number, found, wanted
    until = None if told.pending_until is None else micros(told.pending_until)
    if until != said.numbers.get("pending_until"):
        yield "pending_until", until, said.numbers.get("pending_until")
    if list(told.lines) != said.lines:
        yield "lines", told.lines, said.lines
    yield from _balance(told.balance, work)


def _head(told: Answer, heard: Heard | None, work: Work, said: Said, name: str) -> Iterator[Pair]:
    body = heard.body if heard is not None else None
    occurred = heard.occurred if heard is not None else work.now
    accepted = heard.accepted if heard is not None else work.now
    reasons = tuple(reason.code for reason in told.reasons)
    for what, found, wanted in (
        ("id", told.id, f"{work.state.shard}.{name}"),
        ("kind", told.kind, getattr(body, "kind", "purchase")),
        ("status", told.status, said.status),
        ("code", told.code, said.code),
        ("occurred_at", micros(told.occurred_at), occurred),
        ("accepted_at", micros(told.accepted_at), accepted),
        ("original", told.original, getattr(body, "original", "")),
        ("reasons", reasons, reasons if said.reasons is not None else _codes(said)),
    ):
        if found != wanted:
            yield what, found, wanted
    if said.reasons is not None and told.reasons != tuple(said.reasons):
        yield "reasons", told.reasons, said.reasons


def _codes(said: Said) -> tuple[str, ...]:
    return (said.code,) if said.code else ()


def _balance(told: Holding | None, work: Work) -> Iterator[Pair]:
    if told is None:
        yield "balance", None, "the account's"
        return
    found = (
        told.points, told.available_points, told.pending_points, told.credit_rial,
        told.expiring_points, None if told.expiring_at is None else micros(told.expiring_at),
        told.held_points, told.held_credit_rial, told.gift_rial, told.held_gift_rial,
    )  # fmt: skip
    wanted = holding(work)
    if found != wanted:
        for column, one, other in zip(_BALANCE, found, wanted, strict=True):
            if one != other:
                yield f"balance: {column}", one, other


_BALANCE = (
    "points", "available_points", "pending_points", "credit_rial", "expiring_points",
    "expiring_at", "held_points", "held_credit_rial", "gift_rial", "held_gift_rial",
)  # fmt: skip


def holding(work: Work) -> tuple[int | None, ...]:
    """What a member may be told of an account now, in the order of _BALANCE."""
    now = work.now
    usable = pending = held = 0
    money = {CREDIT: [0, 0], GIFT: [0, 0]}
    dated: list[tuple[int, int]] = []
    for lot in work.purse.lots.values():
        left, until = lot.left - lot.held, lot.until
        points = lot.unit == POINTS
        if lot.held:
            if points:
                held += lot.held
            elif lot.unit in money:
                money[lot.unit][1] += lot.held
        if not left or (until is not None and until <= now):
            continue
        if lot.start > now:
            pending += left if points else 0
        elif points:
            usable += left
            if until is not None:
                dated.append((until, left))
        elif lot.unit in money:
            money[lot.unit][0] += left
    soon, first = _expiring(dated)
    (credit, held_credit), (gift, held_gift) = money[CREDIT], money[GIFT]
    return (
        usable + pending + held, usable, pending, credit, soon, first, held, held_credit, gift,
        held_gift,
    )  # fmt: skip


def _expiring(dated: list[tuple[int, int]]) -> tuple[int, int | None]:
    """How much expires on the next day in Iran on which anything does, and from when."""
    if not dated:
        return 0, None
    first = min(dated)[0]
    if len(dated) > 1:
        dated = [pair for pair in dated if pair[0] < first + _DAY_MICROS * 2]
        if any(until != first for until, _ in dated):
            end = _end_of_day(first)
            dated = [pair for pair in dated if pair[0] < end]
    return sum([left for _, left in dated]), first


def _end_of_day(at: int) -> int:
    """When the day of a time ends in Iran."""
    local = (_EPOCH + timedelta(microseconds=at)).astimezone(_TEHRAN)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return micros(midnight + _DAY)


def marked_differences(raw: bytes | None, work: Work, heard: Heard, said: Said) -> Iterator[Pair]:
    """The same for what the original of a reversal that came first will hear."""
    if not said.marks:
        if raw is not None:
            yield "marked", raw, None
        return
    try:
        told = _decoder.decode(raw or b"")
    except (msgspec.MsgspecError, ValueError) as error:
        yield "marked", f"unreadable: {error}", "an answer"
        return
    code = "reversed-before-arrival"
    for what, found, wanted in (
        ("id", told.id, f"{work.state.shard}.{said.marks}"),
        ("kind", told.kind, "purchase"),
        ("status", told.status, "declined"),
        ("code", told.code, code),
        ("reasons", tuple(reason.code for reason in told.reasons), (code,)),
        ("occurred_at", micros(told.occurred_at), heard.occurred),
        ("accepted_at", micros(told.accepted_at), heard.accepted),
    ):
        if found != wanted:
            yield f"marked: {what}", found, wanted

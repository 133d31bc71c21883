"""What a till was told, against what it should have been: every number, code and time of it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from verifier.model.computation import CREDIT, GIFT, MERCHANT, POINTS, Said, Work
from verifier.model.decode import Heard
from verifier.model.messages import Refusal, Told, Transaction, Why, micros

_TEHRAN = ZoneInfo("Asia/Tehran")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_HALF_HOUR = 1_800_000_000
NOTHING = b"null"
_TOLD_OF = (Transaction, Refusal)
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
    debt_points: int = 0
    debt_credit_rial: int = 0
    debt_gift_rial: int = 0


class Moved(Struct, frozen=True):
    """So much of a unit moved."""

    what: str
    unit: str
    amount: int


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
    debt_rial: int = 0
    moved: tuple[Moved, ...] = ()
    lines: tuple[Told, ...] = ()
    balance: Holding | None = None
    original: str = ""


_NUMBERS = (
    "points_earned", "points_pending", "points_redeemed", "credit_redeemed_rial", "discount_rial",
    "own_discount_rial", "payable_rial", "points_clawed_back", "points_restored",
    "credit_restored_rial", "debt_points", "gift_redeemed_rial", "gift_restored_rial",
    "merchant_points_restored", "debt_rial",
)  # fmt: skip
_ZEROS = (0,) * len(_NUMBERS)
_numbers = attrgetter(*_NUMBERS)
_decoder = msgspec.json.Decoder(Answer)


def differences(
    raw: bytes, heard: Heard | None, work: Work, said: Said, name: str
) -> Iterable[Pair]:
    """How an answer differs from what the work came to."""
    if heard is not None and not isinstance(heard.body, _TOLD_OF):
        return () if raw == NOTHING else [("answer", raw, NOTHING)]
    try:
        told = _decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError) as error:
        return [("answer", f"unreadable: {error}", "an answer")]
    if (
        heard is not None
        and said.reasons is None
        and not said.code
        and _agrees(told, heard, work, said, name)
    ):
        return ()
    return list(_differences(told, heard, work, said, name))


def _agrees(told: Answer, heard: Heard, work: Work, said: Said, name: str) -> bool:
    """The usual answer, a yes without reasons, in one comparison; False: look closely."""
    numbers, body = said.numbers, heard.body
    wanted = (
        f"{work.state.shard}.{name}", body.kind, said.status, "", body.original, (),
        heard.occurred_at, heard.accepted_at, *map(numbers.get, _NUMBERS, _ZEROS),
    )  # fmt: skip
    balance = told.balance
    return (
        _plain(told) == wanted
        and (told.pending_until is None) == (numbers.get("pending_until") is None)
        and (told.pending_until is None or micros(told.pending_until) == numbers["pending_until"])
        and list(told.lines) == said.lines
        and told.moved == moved(work)
        and balance is not None
        and work.owner != 0
        and _held(balance) == holding(work)
    )


def _held(told: Holding) -> tuple[int | None, ...]:
    until = told.expiring_at
    return (*_points(told), None if until is None else micros(until))


def _differences(
    told: Answer, heard: Heard | None, work: Work, said: Said, name: str
) -> Iterator[Pair]:
    yield from _head(told, heard, work, said, name)
    if heard is None:
        return
    wanted = tuple(map(said.numbers.get, _NUMBERS, _ZEROS))
    yield from _pairs("", _NUMBERS, _numbers(told), wanted)
    until = None if told.pending_until is None else micros(told.pending_until)
    if until != said.numbers.get("pending_until"):
        yield "pending_until", until, said.numbers.get("pending_until")
    lines = [_line(line, wanted) for line, wanted in zip(told.lines, said.lines, strict=False)]
    if lines != said.lines or len(told.lines) != len(said.lines):
        yield "lines", told.lines, said.lines
    if told.moved != moved(work):
        yield "moved", told.moved, moved(work)
    if (told.balance is None) != (not work.owner):
        yield "balance", told.balance, "the account's, where there is one"
    elif told.balance is not None:
        yield from _pairs("balance: ", _BALANCE, _held(told.balance), holding(work))


def _line(told: Told, wanted: Told) -> Told:
    """A line as it is compared: where the ledger itself gave a reason, only its code is known."""
    if told.reason is None or wanted.reason is None or wanted.reason.en:
        return told
    return msgspec.structs.replace(told, reason=Why(told.reason.code, "", ""))


def _pairs(
    where: str, columns: tuple[str, ...], found: tuple[Any, ...], wanted: tuple[Any, ...]
) -> Iterator[Pair]:
    for column, one, other in zip(columns, found, wanted, strict=True):
        if one != other:
            yield where + column, one, other


def _head(told: Answer, heard: Heard | None, work: Work, said: Said, name: str) -> Iterator[Pair]:
    body = heard.body if heard is not None else None
    found = (
        told.id, told.kind, told.status, told.code, micros(told.occurred_at),
        micros(told.accepted_at), told.original,
    )  # fmt: skip
    occurred, accepted = (work.now, work.now) if heard is None else (heard.occurred, heard.accepted)
    wanted = (
        f"{work.state.shard}.{name}", getattr(body, "kind", "purchase"), said.status, said.code,
        occurred, accepted, getattr(body, "original", ""),
    )  # fmt: skip
    yield from _pairs("", _HEAD, found, wanted)
    if said.reasons is None:
        codes = tuple([reason.code for reason in told.reasons])
        if codes != ((said.code,) if said.code else ()):
            yield "reasons", codes, said.code
    elif told.reasons != tuple(said.reasons):
        yield "reasons", told.reasons, said.reasons


_HEAD = ("id", "kind", "status", "code", "occurred_at", "accepted_at", "original")


_BALANCE = (
    "points", "available_points", "pending_points", "credit_rial", "expiring_points",
    "held_points", "held_credit_rial", "gift_rial", "held_gift_rial", "debt_points",
    "debt_credit_rial", "debt_gift_rial", "expiring_at",
)  # fmt: skip
_points = attrgetter(*_BALANCE[:-1])
_plain = attrgetter(
    "id", "kind", "status", "code", "original", "reasons", "occurred_at", "accepted_at", *_NUMBERS
)


def holding(work: Work) -> tuple[int | None, ...]:
    """What a member may be told of an account now, in the order of _BALANCE."""
    now = work.now
    usable = pending = held = 0
    money: dict[str, list[int]] = {}
    dated: list[tuple[int, int]] = []
    for lot in work.purse.lots.values():
        left, until = lot.left - lot.held, lot.until
        if lot.unit != POINTS:
            free_and_held = money.setdefault(lot.unit, [0, 0])
            free_and_held[1] += lot.held
            if lot.start <= now and (until is None or until > now):
                free_and_held[0] += left
            continue
        held += lot.held
        if not left or (until is not None and until <= now):
            continue
        if lot.start > now:
            pending += left
        else:
            usable += left
            if until is not None:
                dated.append((until, left))
    soon, first = _expiring(dated)
    credit, held_credit = money.get(CREDIT, _NO_MONEY)
    gift, held_gift = money.get(GIFT, _NO_MONEY)
    return (
        usable + pending + held, usable, pending, credit, soon, held, held_credit, gift, held_gift,
        *_owed(work), first,
    )  # fmt: skip


_NO_MONEY = (0, 0)
_NO_DEBT = (0, 0, 0)


def _owed(work: Work) -> tuple[int, int, int]:
    """What the account owes in points, credit and gift value, to all issuers."""
    if not work.debts:
        return _NO_DEBT
    owed = {POINTS: 0, CREDIT: 0, GIFT: 0}
    for (unit, _), balance in work.debts.items():
        if unit in owed:
            owed[unit] -= balance
    return owed[POINTS], owed[CREDIT], owed[GIFT]


_MOVES = ("earned", "pending", "spent", "restored", "taken-back", "owed", "repaid")
_ROWS = {"redeemed": "spent", "restored": "restored", "clawed-back": "taken-back"}
_UNITS = (POINTS, MERCHANT, CREDIT, GIFT)


def moved(work: Work) -> tuple[Moved, ...]:
    """All that a command did with its account's value, as its rows, lots and entries have it.

    What dates alone expired is not its doing, though it may book it.
    """
    sums: dict[tuple[str, str], int] = {}

    def add(what: str, unit: str, amount: int) -> None:
        sums[what, unit] = sums.get((what, unit), 0) + amount

    for lot, amount, _ in work.opened:
        if lot.origin == "award":
            add("earned", lot.unit, amount)
            add("pending", lot.unit, amount if lot.start > work.now else 0)
    for row in work.rows:
        lot = work.purse.lots.get(row[1])
        if lot is not None and row[-1] in _ROWS:
            add(_ROWS[row[-1]], lot.unit, row[2])
    for (_, role, unit, _), amount in work.legs:
        if role == "debt":
            add("repaid" if amount > 0 else "owed", unit, abs(amount))
    return tuple(
        [
            Moved(what, unit, sums[what, unit])
            for what in _MOVES
            for unit in _UNITS
            if sums.get((what, unit))
        ]
    )


def _expiring(dated: list[tuple[int, int]]) -> tuple[int, int | None]:
    """How much expires on the next day in Iran on which anything does, and from when."""
    if not dated:
        return 0, None
    first, left = min(dated)
    if len(dated) == 1:
        return left, first
    end = _end_of_day(first // _HALF_HOUR)
    return sum([left for until, left in dated if until < end]), first


@lru_cache(maxsize=10_000)
def _end_of_day(half_hour: int) -> int:
    """When the day of a half hour since 1970 ends in Iran, whose clocks never turn inside one."""
    local = (_EPOCH + timedelta(microseconds=half_hour * _HALF_HOUR)).astimezone(_TEHRAN)
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

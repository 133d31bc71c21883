"""A till's answer compared with the expected one: every amount, code and time."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from verifier.model.computation import CREDIT, GIFT, MERCHANT, POINTS, Draft, Effects
from verifier.model.decode import Command
from verifier.model.messages import AnswerLine, Refusal, Transaction, Why, micros

_TEHRAN = ZoneInfo("Asia/Tehran")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_HALF_HOUR = 1_800_000_000
NOTHING = b"null"
_ANSWERED = (Transaction, Refusal)
Pair = tuple[str, Any, Any]  # column, recorded value, expected value


class Holding(Struct):
    """An account's balance in an answer."""

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
    """An amount of a unit that moved."""

    what: str
    unit: str
    amount: int


class Answer(Struct, omit_defaults=True):
    """The fields of an answer, without the sentences for people."""

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
    lines: tuple[AnswerLine, ...] = ()
    balance: Holding | None = None
    original: str = ""
    due_at: datetime | None = None


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
    raw: bytes, command: Command | None, draft: Draft, effects: Effects, name: str
) -> Iterable[Pair]:
    """The differences between an answer and the computed effects."""
    if command is not None and not isinstance(command.body, _ANSWERED):
        return () if raw == NOTHING else [("answer", raw, NOTHING)]
    try:
        recorded = _decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError) as error:
        return [("answer", f"unreadable: {error}", "an answer")]
    if (
        command is not None
        and effects.reasons is None
        and not effects.code
        and _agrees(recorded, command, draft, effects, name)
    ):
        return ()
    return list(_differences(recorded, command, draft, effects, name))


def _agrees(recorded: Answer, command: Command, draft: Draft, effects: Effects, name: str) -> bool:
    """Whether a usual answer, completed without reasons, agrees; False: compare each field."""
    numbers, body = effects.numbers, command.body
    expected = (
        f"{draft.state.shard}.{name}", body.kind, effects.status, "", body.original, (),
        command.occurred_at, command.accepted_at, *map(numbers.get, _NUMBERS, _ZEROS),
    )  # fmt: skip
    balance = recorded.balance
    return (
        _plain(recorded) == expected
        and (recorded.pending_until is None) == (numbers.get("pending_until") is None)
        and (
            recorded.pending_until is None
            or micros(recorded.pending_until) == numbers["pending_until"]
        )
        and recorded.due_at is None
        and numbers.get("due_at") is None
        and list(recorded.lines) == effects.lines
        and recorded.moved == moved(draft)
        and balance is not None
        and draft.owner != 0
        and _held(balance) == holding(draft)
    )


def _held(recorded: Holding) -> tuple[int | None, ...]:
    until = recorded.expiring_at
    return (*_points(recorded), None if until is None else micros(until))


def _differences(
    recorded: Answer, command: Command | None, draft: Draft, effects: Effects, name: str
) -> Iterator[Pair]:
    yield from _head(recorded, command, draft, effects, name)
    if command is None:
        return
    expected = tuple(map(effects.numbers.get, _NUMBERS, _ZEROS))
    yield from _pairs("", _NUMBERS, _numbers(recorded), expected)
    until = None if recorded.pending_until is None else micros(recorded.pending_until)
    if until != effects.numbers.get("pending_until"):
        yield "pending_until", until, effects.numbers.get("pending_until")
    due = None if recorded.due_at is None else micros(recorded.due_at)
    if due != effects.numbers.get("due_at"):
        yield "due_at", due, effects.numbers.get("due_at")
    lines = [
        _line(line, expected) for line, expected in zip(recorded.lines, effects.lines, strict=False)
    ]
    if lines != effects.lines or len(recorded.lines) != len(effects.lines):
        yield "lines", recorded.lines, effects.lines
    if recorded.moved != moved(draft):
        yield "moved", recorded.moved, moved(draft)
    if (recorded.balance is None) != (not draft.owner):
        yield "balance", recorded.balance, "the account's, where there is one"
    elif recorded.balance is not None:
        yield from _pairs("balance: ", BALANCE, _held(recorded.balance), holding(draft))


def _line(recorded: AnswerLine, expected: AnswerLine) -> AnswerLine:
    """A line for comparison: of a reason by the ledger only the code is known."""
    if recorded.reason is None or expected.reason is None or expected.reason.en:
        return recorded
    return msgspec.structs.replace(recorded, reason=Why(recorded.reason.code, "", ""))


def _pairs(
    where: str, columns: tuple[str, ...], recorded: tuple[Any, ...], expected: tuple[Any, ...]
) -> Iterator[Pair]:
    for column, value, expected_value in zip(columns, recorded, expected, strict=True):
        if value != expected_value:
            yield where + column, value, expected_value


def _head(
    recorded: Answer, command: Command | None, draft: Draft, effects: Effects, name: str
) -> Iterator[Pair]:
    body = command.body if command is not None else None
    values = (
        recorded.id, recorded.kind, recorded.status, recorded.code, micros(recorded.occurred_at),
        micros(recorded.accepted_at), recorded.original,
    )  # fmt: skip
    occurred, accepted = (
        (draft.now, draft.now) if command is None else (command.occurred, command.accepted)
    )
    expected = (
        f"{draft.state.shard}.{name}", getattr(body, "kind", "purchase"),
        effects.status, effects.code, occurred, accepted, getattr(body, "original", ""),
    )  # fmt: skip
    yield from _pairs("", _HEAD, values, expected)
    if effects.reasons is None:
        codes = tuple([reason.code for reason in recorded.reasons])
        if codes != ((effects.code,) if effects.code else ()):
            yield "reasons", codes, effects.code
    elif recorded.reasons != tuple(effects.reasons):
        yield "reasons", recorded.reasons, effects.reasons


_HEAD = ("id", "kind", "status", "code", "occurred_at", "accepted_at", "original")


BALANCE = (
    "points", "available_points", "pending_points", "credit_rial", "expiring_points",
    "held_points", "held_credit_rial", "gift_rial", "held_gift_rial", "debt_points",
    "debt_credit_rial", "debt_gift_rial", "expiring_at",
)  # fmt: skip
_points = attrgetter(*BALANCE[:-1])
_plain = attrgetter(
    "id", "kind", "status", "code", "original", "reasons", "occurred_at", "accepted_at", *_NUMBERS
)


def holding(draft: Draft) -> tuple[int | None, ...]:
    """An account's balance for its holder, in the order of BALANCE."""
    now = draft.now
    usable = pending = held = 0
    money: dict[str, list[int]] = {}
    dated: list[tuple[int, int]] = []
    for lot in draft.purse.lots.values():
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
        *_owed(draft), first,
    )  # fmt: skip


_NO_MONEY = (0, 0)
_NO_DEBT = (0, 0, 0)


def _owed(draft: Draft) -> tuple[int, int, int]:
    """What the account owes in points, credit and gift value, to all issuers."""
    if not draft.debts:
        return _NO_DEBT
    owed = {POINTS: 0, CREDIT: 0, GIFT: 0}
    for (unit, _), balance in draft.debts.items():
        if unit in owed:
            owed[unit] -= balance
    return owed[POINTS], owed[CREDIT], owed[GIFT]


_MOVES = (
    "earned", "pending", "spent", "restored", "taken-back", "owed", "repaid", "authorised",
    "released", "paid-in",
)  # fmt: skip
_OF_LOTS = {"award": "earned", "top-up": "paid-in"}
_OF_HOLDS = {"held": "authorised", "released": "released"}
_ROWS = {"redeemed": "spent", "restored": "restored", "clawed-back": "taken-back"}
_UNITS = (POINTS, MERCHANT, CREDIT, GIFT)


def moved(draft: Draft) -> tuple[Moved, ...]:
    """All movements of the account's value by a command, from its rows, lots and entries.

    Expiry by date is none of its movements, though the command may book it.
    """
    sums: dict[tuple[str, str], int] = {}

    def add(movement: str, unit: str, amount: int) -> None:
        sums[movement, unit] = sums.get((movement, unit), 0) + amount

    for lot, amount, _ in draft.opened:
        if lot.origin in _OF_LOTS:
            add(_OF_LOTS[lot.origin], lot.unit, amount)
            add("pending", lot.unit, amount if lot.start > draft.now else 0)
    for row in draft.rows:
        lot = draft.purse.lots.get(row[1])
        if lot is not None and row[-1] in _ROWS:
            add(_ROWS[row[-1]], lot.unit, row[2])
    for _, _, number, amount, event in draft.hold_rows:
        if event in _OF_HOLDS:
            add(_OF_HOLDS[event], draft.purse.lots[number].unit, amount)
    for (_, role, unit, _), amount in draft.legs:
        if role == "debt":
            add("repaid" if amount > 0 else "owed", unit, abs(amount))
    return tuple(
        [
            Moved(movement, unit, sums[movement, unit])
            for movement in _MOVES
            for unit in _UNITS
            if sums.get((movement, unit))
        ]
    )


def _expiring(dated: list[tuple[int, int]]) -> tuple[int, int | None]:
    """The amount that expires on the next day in Iran with an expiry, and the first instant."""
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


def marked_differences(
    raw: bytes | None, draft: Draft, command: Command, effects: Effects
) -> Iterator[Pair]:
    """The same for the answer to the original of a reversal that came first."""
    if not effects.marks:
        if raw is not None:
            yield "marked", raw, None
        return
    try:
        recorded = _decoder.decode(raw or b"")
    except (msgspec.MsgspecError, ValueError) as error:
        yield "marked", f"unreadable: {error}", "an answer"
        return
    code = "reversed-before-arrival"
    for column, value, expected in (
        ("id", recorded.id, f"{draft.state.shard}.{effects.marks}"),
        ("kind", recorded.kind, "purchase"),
        ("status", recorded.status, "declined"),
        ("code", recorded.code, code),
        ("reasons", tuple(reason.code for reason in recorded.reasons), (code,)),
        ("occurred_at", micros(recorded.occurred_at), command.occurred),
        ("accepted_at", micros(recorded.accepted_at), command.accepted),
    ):
        if value != expected:
            yield f"marked: {column}", value, expected

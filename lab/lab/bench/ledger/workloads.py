"""The one generator: workloads W1 to W7 as lines of JSON that any runner reads.

A line: i (its number), id (16 bytes as hex, time-ordered), kind (earn, spend, hold, capture, void,
tick), debit and credit (account numbers, 0 for none), amount (points), hold (id of the hold that is
resolved, else ""), at (milliseconds since the epoch). A hold falls due HOLD_S after its at. Source:
ledger reference 3.
"""

import bisect
import hashlib
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

SEED: Final = 20261121
MERCHANTS: Final = 100
FIRST_MEMBER: Final = MERCHANTS + 1
MEMBERS: Final = 100_000
START_MS: Final = 1_800_000_000_000
AMOUNT_MAX: Final = 500  # below which every amount is
PLENTY: Final = 10**9
SCARCE: Final = 1_000  # of W3
ZIPF: Final = 0.99
MUST_FAIL: Final = 0.2
RESOLVED_WITHIN: Final = 2_000
HOLD_S: Final = 5
REPEAT_WITHIN: Final = 5_000
REPEATED, CHANGED = 0.10, 0.01
LOTS: Final = 5  # of a member in W7
LOT_POINTS: Final = 200
LOT_DAYS: Final = 400
COST_MIN, COST_MAX = 50, 150  # Rial a point
COMMANDS_A_DAY: Final = 10_000
DAY_MS: Final = 86_400_000


class Kind(StrEnum):
    """What a command does with value."""

    EARN = "earn"
    SPEND = "spend"
    HOLD = "hold"
    CAPTURE = "capture"
    VOID = "void"
    TICK = "tick"  # a day has passed: what is due is swept


class Command(msgspec.Struct, frozen=True, gc=False):
    """One line of a command file, fields in their order there."""

    i: int
    id: str
    kind: Kind
    debit: int
    credit: int
    amount: int
    hold: str
    at: int


class Workload(StrEnum):
    """The workloads of ledger reference 3; W6 reads W1's file."""

    W1 = "W1"
    W2 = "W2"
    W3 = "W3"
    W4 = "W4"
    W5 = "W5"
    W6 = "W6"
    W7 = "W7"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a workload: commands drawn (W5 adds its repeats) and members."""

    commands: int
    members: int = MEMBERS
    commands_a_day: int = COMMANDS_A_DAY


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot that a member has before the run. days None: it never expires."""

    points: int
    cost_rial: int = 0
    days: int | None = None


# ------------------------------------------------------------------------------------------ before


def lots_before(workload: Workload, size: Size) -> Iterator[tuple[int, tuple[Lot, ...]]]:
    """Every member with the lots it starts with."""
    rng = random.Random(SEED)
    for member in range(FIRST_MEMBER, FIRST_MEMBER + size.members):
        match workload:
            case Workload.W3:
                yield member, (Lot(SCARCE),)
            case Workload.W7:
                yield member, tuple([_lot(rng) for _ in range(LOTS)])
            case _:
                yield member, (Lot(PLENTY),)


def _lot(rng: random.Random) -> Lot:
    days = rng.randrange(1, LOT_DAYS + 1)
    return Lot(LOT_POINTS, LOT_POINTS * rng.randrange(COST_MIN, COST_MAX + 1), days)


def earned(command: Command) -> Lot:
    """The lot that an earn of W7 opens: days and cost follow from its number alone."""
    cost = COST_MIN + command.i % (COST_MAX - COST_MIN + 1)
    return Lot(command.amount, command.amount * cost, 1 + command.i % LOT_DAYS)


# ---------------------------------------------------------------------------------------- commands


def generate(workload: Workload, size: Size) -> Iterator[Command]:
    """The commands of a workload, the same ones every time."""
    match workload:
        case Workload.W1 | Workload.W6:
            return _mix(size)
        case Workload.W2:
            return _mix(size, merchant=1)
        case Workload.W3:
            return _scarce(size)
        case Workload.W4:
            return _holds(size)
        case Workload.W5:
            return _repeats(size)
        case Workload.W7:
            return _days(size)


def _id(i: int, at: int) -> str:
    digest = hashlib.blake2b(f"{SEED}:{i}".encode(), digest_size=10)
    return at.to_bytes(6, "big").hex() + digest.hexdigest()


def _at(i: int) -> int:
    return START_MS + i // 10


def _earn(i: int, merchant: int, member: int, amount: int) -> Command:
    at = _at(i)
    return Command(i, _id(i, at), Kind.EARN, merchant, member, amount, "", at)


def _spend(i: int, merchant: int, member: int, amount: int) -> Command:
    at = _at(i)
    return Command(i, _id(i, at), Kind.SPEND, member, merchant, amount, "", at)


@dataclass(slots=True)
class _Draws:
    """The draws that most workloads share: a merchant, a member, an amount."""

    rng: random.Random
    members: int

    def merchant(self) -> int:
        return self.rng.randrange(1, MERCHANTS + 1)

    def member(self) -> int:
        return FIRST_MEMBER + self.rng.randrange(self.members)

    def amount(self) -> int:
        return self.rng.randrange(1, AMOUNT_MAX)


def _mix(size: Size, *, merchant: int = 0) -> Iterator[Command]:
    """Half earn, half spend, nothing refused. merchant: all of it there."""
    draws = _Draws(random.Random(SEED), size.members)
    spent: dict[int, int] = {}
    for i in range(size.commands):
        drawn = draws.merchant()
        place, member = merchant or drawn, draws.member()
        earn, amount = draws.rng.random() < 0.5, draws.amount()
        gone = spent.get(member, 0)
        if earn or gone + amount > PLENTY:
            spent[member] = gone - amount
            yield _earn(i, place, member, amount)
        else:
            spent[member] = gone + amount
            yield _spend(i, place, member, amount)


def _scarce(size: Size) -> Iterator[Command]:
    """Few points, many of them with few members: some burns must fail."""
    draws = _Draws(random.Random(SEED), size.members)
    rng = draws.rng
    ranks = list(range(1, size.members + 1))
    rng.shuffle(ranks)
    sums = list(itertools.accumulate(rank**-ZIPF for rank in ranks))
    available: dict[int, int] = {}
    for i in range(size.commands):
        place = draws.merchant()
        member = FIRST_MEMBER + bisect.bisect(sums, rng.random() * sums[-1], hi=len(sums) - 1)
        has = available.get(member, SCARCE)
        if rng.random() < 0.5:
            amount = draws.amount()
            yield _earn(i, place, member, amount)
            available[member] = has + amount
        elif rng.random() < MUST_FAIL:
            yield _spend(i, place, member, has + draws.amount())
        elif has == 0:
            amount = draws.amount()
            yield _earn(i, place, member, amount)
            available[member] = amount
        else:
            amount = rng.randrange(1, min(AMOUNT_MAX - 1, has) + 1)
            yield _spend(i, place, member, amount)
            available[member] = has - amount


def _holds(size: Size) -> Iterator[Command]:
    """Holds, each with its fate drawn at once: captured, voided, or left to fall due."""
    draws = _Draws(random.Random(SEED), size.members)
    rng = draws.rng
    fates: dict[int, deque[tuple[Kind, Command, int]]] = {}  # by number of the resolution
    late: deque[tuple[Kind, Command, int]] = deque()  # whose number was taken by another
    for i in range(size.commands):
        late.extend(fates.pop(i, ()))
        if late:
            kind, held, amount = late.popleft()
            at = _at(i)
            yield Command(i, _id(i, at), kind, held.debit, held.credit, amount, held.id, at)
            continue
        merchant, member, amount, at = draws.merchant(), draws.member(), draws.amount(), _at(i)
        hold = Command(i, _id(i, at), Kind.HOLD, member, merchant, amount, "", at)
        yield hold
        fate = _fate(rng, hold)
        if fate is not None:
            fates.setdefault(i + rng.randrange(1, RESOLVED_WITHIN + 1), deque()).append(fate)


def _fate(rng: random.Random, hold: Command) -> tuple[Kind, Command, int] | None:
    drawn = rng.randrange(6)
    if drawn < 3:
        part = rng.random() < 0.5 and hold.amount > 1
        return Kind.CAPTURE, hold, rng.randrange(1, hold.amount) if part else hold.amount
    if drawn < 5:
        return Kind.VOID, hold, 0
    return None


def _repeats(size: Size) -> Iterator[Command]:
    """W1, and after each command perhaps an earlier line again, as it was or with one point more.

    The repeats are drawn from a seed of their own, so that W1's commands are W1's.
    """
    rng = random.Random(SEED + 1)
    last: deque[Command] = deque(maxlen=REPEAT_WITHIN)
    for command in _mix(size):
        yield command
        last.append(command)
        drawn = rng.random()
        if drawn < REPEATED + CHANGED:
            again = last[rng.randrange(len(last))]
            if drawn >= REPEATED:
                again = msgspec.structs.replace(again, amount=again.amount + 1)
            yield again


def _days(size: Size) -> Iterator[Command]:
    """Half earn, half burn on lots that expire; refusals allowed; days pass."""
    draws = _Draws(random.Random(SEED), size.members)
    day = 0
    for i in range(size.commands):
        if (i + 1) % size.commands_a_day == 0:
            day += 1
            at = _at(i) + day * DAY_MS
            yield Command(i, _id(i, at), Kind.TICK, 0, 0, 0, "", at)
        else:
            yield _day_one(draws, i, day)


def _day_one(draws: _Draws, i: int, day: int) -> Command:
    at = _at(i) + day * DAY_MS
    merchant, member = draws.merchant(), draws.member()
    earn, amount = draws.rng.random() < 0.5, draws.amount()
    kind = Kind.EARN if earn else Kind.SPEND
    debit, credit = (merchant, member) if earn else (member, merchant)
    return Command(i, _id(i, at), kind, debit, credit, amount, "", at)


# ------------------------------------------------------------------------------------------- files

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Command).decode


@dataclass(frozen=True, slots=True)
class Written:
    """A command file. sha256: of its bytes."""

    workload: Workload
    path: Path
    lines: int
    sha256: str


def write(workload: Workload, size: Size, folder: Path) -> Written:
    """Write a workload's file, anew each time: W1-200000.jsonl and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{workload}-{size.commands}-{size.members}.jsonl"
    digest, lines = hashlib.sha256(), 0
    with path.open("wb") as file:
        for line in _lines(generate(workload, size)):
            file.write(line)
            digest.update(line)
            lines += 1
    return Written(workload, path, lines, digest.hexdigest())


def read(path: Path) -> Iterator[Command]:
    """The commands of a file."""
    with path.open("rb") as file:
        yield from map(_decode, file)


def slices(path: Path, length: int) -> Iterator[list[Command]]:
    """The commands of a file, so many at a time."""
    commands = read(path)
    while taken := list(itertools.islice(commands, length)):
        yield taken


def _lines(commands: Iterable[Command]) -> Iterator[bytes]:
    one: Callable[[Command], bytes] = _encode
    for command in commands:
        yield one(command) + b"\n"

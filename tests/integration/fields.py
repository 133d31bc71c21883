"""Every field of every message with its extremes and what lies beyond, as bytes of a record."""

import json
import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from msgspec import inspect

from contracts import envelope
from contracts.topics import Topic
from contracts.values import AMOUNT_MAX

from .extremes import NUMBERS, RAW, SHAPES, TEXTS, TIMES

EXAMPLES: Final = Path(__file__).parents[2] / "contracts" / "examples"
NAMES: Final = (  # of what is there, of nothing, of other merchants and other rooms
    *("t.10000017.1.42-1", "o.99.x.y", "o.12.a%2Eb.sale", "h.12.x.purchase", "x.1.1", "k.1"),
    *("t.1.2", "p.1.rate-2", "a.1000007.first-purchase", "7.t.10000017.1.42", "999999.t.1.1.1"),
    *("t.99999999999999999999.1.1", "u." + "0" * 64, "v.00000000-0000-8000-a000-000000000000"),
)
KNOWN: Final = (12, 5, 7, 1_000_007, 1_000_008, 10_000_017, 1201)  # numbers of the examples
UNREADABLE_EACH: Final = 1  # of one field: what no decoder reads is the same from any of them
SEQUENCE_FIRST: Final = 100_000  # of outcomes, which a shard numbers without a gap
SEQUENCE_STEP: Final = 10
ADDING_UP: Final = {"ledger.commands": ("issue-value.v1", "amount")}
MANY_EVENTS: Final = 10
SAMPLED: Final = 10  # values of one field, where a topic has very many fields
EDGES: Final = 4  # the first of each list
LAST: Final = "set-standing"  # it would leave the account of the examples closed to the others
Path_ = tuple[str | int, ...]
Said = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One record: its bytes, and what is strange in it."""

    raw: bytes
    told: str


def examples(topic: Topic, kind: str) -> list[Said]:
    """The golden messages of one type."""
    found = sorted((EXAMPLES / topic.name).glob(f"{kind}.*.json"))
    return [json.loads(path.read_text("utf-8")) for path in found]


def encoded(said: Said) -> bytes:
    """The bytes of a message; a lone surrogate as JSON escapes it, and as no UTF-8 has it."""
    return json.dumps(said).encode()


def renamed(said: Said, n: int) -> Said:
    """The same under a name of its own, so that it is no repetition of what went before."""
    made = deepcopy(said)
    made["id"] = f"00000000-0000-8000-a000-{n:012}"
    if "sequence" in made["data"]:
        made["data"]["sequence"] = SEQUENCE_FIRST + SEQUENCE_STEP * n
    for held in (made["data"], made["data"].get("transaction")):
        if isinstance(held, dict) and "name" in held:
            family, *parts = str(held["name"]).split(".")
            held["name"] = ".".join([family, *parts[:-1], _numbered(family, parts[-1], n)])
    return made


def _numbered(family: str, part: str, n: int) -> str:
    return str(5_000_000 + n) if family in "tkxwdbr" else f"{part}-{n}"


def cases(topic: Topic) -> list[Case]:
    """Records of every event of a topic with each place of it in turn, and all places at once."""
    rng = random.Random(topic.name)
    most = SAMPLED if len(topic.events) > MANY_EVENTS else 1_000
    made = [Case(raw, f"raw {raw[:20]!r}") for raw in RAW]
    of_all: set[Path_] = {("type",), ("data",)}  # the envelope's own, tried with the first event
    for kind in sorted(topic.events, key=lambda kind: (kind.startswith(LAST), kind)):
        told = inspect.type_info(envelope.Envelope[topic.events[kind]])
        seen = set(of_all)
        for example in examples(topic, kind):
            for at, of in _places(told, example, ()):
                if at not in seen:
                    seen.add(at)
                    values = _values(of, rng, most)
                    made += _few_unreadable(topic, example, at, values, len(made))
            made += _whole(told, example, len(made))
        of_all |= {at for at in seen if len(at) == 1}
    return made + list(_adding_up(topic, len(made)))


def _adding_up(topic: Topic, first: int) -> Iterator[Case]:
    """So many of the largest amount, for one account, that their sum is past 2^63."""
    if topic.name not in ADDING_UP:
        return
    kind, at = ADDING_UP[topic.name]
    for n in range(first, first + 2**63 // AMOUNT_MAX + 2):
        said = put(renamed(examples(topic, kind)[0], n), ("data", at), AMOUNT_MAX)
        yield Case(encoded(said), f"{kind} that adds up, {n}")


def _few_unreadable(
    topic: Topic, example: Said, at: Path_, values: Sequence[Any], first: int
) -> Iterator[Case]:
    left, n = UNREADABLE_EACH, first
    for value in values:
        raw = encoded(put(renamed(example, n), at, value))
        try:
            envelope.decode(raw, dict(topic.events))
        except envelope.Malformed:
            left -= 1
            if left < 0:
                continue
        n += 1
        yield Case(raw, f"{example['type']} {'.'.join(map(str, at))} = {str(value)[:60]!r}")


def _places(kind: inspect.Type, value: Any, at: Path_) -> Iterator[tuple[Path_, inspect.Type]]:
    """Every place of a type, as deep as an example goes, fields that it leaves out too."""
    if at:
        yield at, kind
    match kind:
        case inspect.StructType():
            if isinstance(value, dict):
                for one in kind.fields:
                    held = value.get(one.encode_name)
                    yield from _places(one.type, held, (*at, one.encode_name))
        case inspect.VarTupleType():
            if isinstance(value, list) and value:
                yield from _places(kind.item_type, value[0], (*at, 0))
        case inspect.UnionType():
            for one in kind.types:
                if not isinstance(one, inspect.NoneType):
                    yield from list(_places(one, value, at))[1:]
        case _:
            pass


def _values(kind: inspect.Type, rng: random.Random, most: int) -> list[Any]:
    """The edges of a type, up to so many others of it, and three of other types."""
    own: list[Any] = []
    for one in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        own += _of(one)
    if len(own) > most:
        own = own[:EDGES] + rng.sample(own[EDGES:], most - EDGES)
    others = [value for value in (*NUMBERS, *TIMES, *TEXTS, *SHAPES) if value not in own]
    return own + rng.sample(others, 3)


def _of(kind: inspect.Type) -> list[Any]:
    match kind:
        case inspect.IntType():
            edges = [kind.le, kind.le - 1, kind.ge] if kind.le and kind.ge is not None else []
            return [*dict.fromkeys([*edges, *NUMBERS, *KNOWN])]
        case inspect.DateTimeType():
            return [*TIMES, "1970-01-01T00:00:00Z", "2026-11-21T09:30:59.999999Z"]
        case inspect.StrType():
            return [TEXTS[3], NAMES[0], TEXTS[5], TEXTS[13], *dict.fromkeys((*TEXTS, *NAMES))]
        case inspect.EnumType():
            return [one.value for one in kind.cls]
        case inspect.BoolType():
            return [True, False]
        case inspect.NoneType():
            return [None]
        case inspect.VarTupleType():
            return [[], *(_many(kind.item_type, n) for n in (2, 500, 501))]
        case _:
            return [*SHAPES]


def _many(kind: inspect.Type, count: int) -> list[Any]:
    return [_edge(kind, None, most=True)] * count


def _whole(told: inspect.Type, example: Said, first: int) -> Iterator[Case]:
    """All numbers and times at their least and at their most at once; the most twice: they add."""
    for n, most in enumerate((False, True, True), first):
        made = renamed(example, n)
        made["data"] = _edge(_data_of(told), made["data"], most=most)
        for held in (made["data"], made["data"].get("transaction")):
            if isinstance(held, dict) and "name" in held:
                held["name"] = renamed(example, n)["data"].get("name", held["name"])
        yield Case(encoded(made), f"{example['type']} all at their {'most' if most else 'least'}")


def _data_of(told: inspect.Type) -> inspect.Type:
    if not isinstance(told, inspect.StructType):
        raise TypeError(told)
    return next(one.type for one in told.fields if one.name == "data")


def _edge(kind: inspect.Type, value: Any, *, most: bool) -> Any:
    """A value of a type at its edge; texts as they are, or short."""
    match kind:
        case inspect.StructType():
            held = value if isinstance(value, dict) else {}
            wanted = [f for f in kind.fields if f.required or f.encode_name in held or most]
            return {
                f.encode_name: _edge(f.type, held.get(f.encode_name), most=most) for f in wanted
            }
        case inspect.VarTupleType():
            return [_edge(kind.item_type, one, most=most) for one in value or ()]
        case inspect.UnionType():
            rest = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
            return _edge(rest[0], value, most=most)
        case inspect.IntType():
            return (kind.le if most else kind.ge) if kind.le is not None else 2**62
        case inspect.DateTimeType():
            return "2199-12-31T23:59:59.999999Z" if most else "1970-01-01T00:00:00Z"
        case inspect.EnumType():
            return value if value is not None else next(iter(kind.cls)).value
        case inspect.BoolType():
            return bool(value)
        case inspect.StrType():
            return value if value is not None else ""
        case _:
            return value if value is not None else {}


def put(body: Any, at: Path_, value: Any) -> Any:
    """A copy with a value at a place; a field on the way that is missing is made."""
    copy = deepcopy(body)
    inner = copy
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return copy

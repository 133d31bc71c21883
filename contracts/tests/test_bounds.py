"""Numbers and times in messages: one spoilt beyond use makes its record undecodable."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec import inspect

from contracts import envelope, limits
from contracts.platform import ClockAdvanced
from contracts.topics import LEDGER_COMMANDS, PLATFORM_CLOCK, TOPICS, Topic

EXAMPLES = Path(__file__).parents[1] / "examples"
INT8_MAX = 2**63 - 1
EVENTS = [(topic, name) for topic in TOPICS for name in topic.events]
GOLDEN = [
    (topic, path) for topic in TOPICS for path in sorted((EXAMPLES / topic.name).glob("*.json"))
]
Path_ = tuple[str | int, ...]
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


Held = TypeVar("Held", inspect.IntType, inspect.DateTimeType)


def every(sought: type[Held], kind: inspect.Type, path: str) -> Iterator[tuple[str, Held]]:
    """Every number, or every time, that a type holds, at any depth, by its path."""
    match kind:
        case inspect.StructType():
            for field in kind.fields:
                yield from every(sought, field.type, f"{path}.{field.encode_name}")
        case inspect.VarTupleType():
            yield from every(sought, kind.item_type, path)
        case inspect.UnionType():
            for one in kind.types:
                yield from every(sought, one, path)
        case _:
            if isinstance(kind, sought):
                yield path, kind


@pytest.mark.parametrize(("topic", "name"), EVENTS, ids=[name for _, name in EVENTS])
def test_every_number_of_an_event_is_bounded(topic: Topic, name: str) -> None:
    loose = [
        path
        for path, found in every(inspect.IntType, inspect.type_info(topic.events[name]), name)
        if found.ge is None or found.le is None or found.le > INT8_MAX
    ]
    assert not loose


@pytest.mark.parametrize(("topic", "name"), EVENTS, ids=[name for _, name in EVENTS])
def test_every_time_of_an_event_has_a_zone(topic: Topic, name: str) -> None:
    told = inspect.type_info(envelope.Envelope[topic.events[name]])
    times = list(every(inspect.DateTimeType, told, name))
    assert times
    assert [path for path, found in times if found.tz is not True] == []


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """What a JSON value holds, by path."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*path, key))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from leaves(one, (*path, place))
    else:
        yield path, value


def numbers(value: Any) -> Iterator[Path_]:
    """Paths of the whole numbers in a JSON value."""
    for path, found in leaves(value):
        if isinstance(found, int) and not isinstance(found, bool):
            yield path


def put(body: Any, path: Path_, value: object) -> Any:
    """A copy with something else at a path."""
    copy = deepcopy(body)
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copy


@pytest.mark.parametrize(("topic", "path"), GOLDEN, ids=[path.name for _, path in GOLDEN])
def test_a_number_too_large_for_any_column_makes_a_record_undecodable(
    topic: Topic, path: Path
) -> None:
    good = json.loads(path.read_text("utf-8"))
    types = dict(topic.events)
    envelope.decode(json.dumps(good).encode(), types)
    for where in numbers(good["data"]):
        if {"answer", "body", "condition", "effect"} & set(where):
            continue  # bytes of somebody else's, kept whole
        for large in (INT8_MAX + 1, 10**30):
            raw = json.dumps(put(good, ("data", *where), large)).encode()
            with pytest.raises(envelope.Malformed):
                envelope.decode(raw, types)


@pytest.mark.parametrize(("topic", "path"), GOLDEN, ids=[path.name for _, path in GOLDEN])
def test_a_time_without_a_zone_makes_a_record_undecodable(topic: Topic, path: Path) -> None:
    good = json.loads(path.read_text("utf-8"))
    for where, found in list(leaves(good)):
        if {"answer", "body", "condition", "effect"} & set(where):
            continue
        if isinstance(found, str) and TIME.fullmatch(found):
            raw = json.dumps(put(good, where, found.removesuffix("Z"))).encode()
            with pytest.raises(envelope.Malformed):
                envelope.decode(raw, dict(topic.events))


BEYOND = {
    "0001-01-01T00:00:00Z": "from 1990 to 2199",
    "0001-01-01T00:00:00+03:30": "from 1990 to 2199",
    "1403-05-01T10:00:00+03:30": "looks like a Solar Hijri year",
    "1969-12-31T23:59:59.999999Z": "from 1990 to 2199",
    "2200-01-01T00:00:00Z": "from 1990 to 2199",
    "9999-12-31T23:59:59.999999Z": "from 1990 to 2199",
    "9999-12-31T23:59:59-23:59": "from 1990 to 2199",
}


@pytest.mark.parametrize(("topic", "path"), GOLDEN, ids=[path.name for _, path in GOLDEN])
def test_a_time_beyond_the_platforms_calendar_makes_a_record_undecodable(
    topic: Topic, path: Path
) -> None:
    good = json.loads(path.read_text("utf-8"))
    for where, found in list(leaves(good)):
        if {"answer", "body", "condition", "effect"} & set(where):
            continue
        if isinstance(found, str) and TIME.fullmatch(found):
            for beyond, why in BEYOND.items():
                with pytest.raises(envelope.Malformed, match=why):
                    envelope.decode(
                        json.dumps(put(good, where, beyond)).encode(), dict(topic.events)
                    )


@pytest.mark.parametrize(("topic", "name"), EVENTS, ids=[name for _, name in EVENTS])
def test_every_time_of_an_event_is_looked_at(topic: Topic, name: str) -> None:
    """A golden example may leave a time out; the shape does not."""
    held = list(every(inspect.DateTimeType, inspect.type_info(topic.events[name]), ""))
    assert (limits.times_of(topic.events[name]) is not None) is bool(held)


def test_a_time_that_no_reader_would_take_is_not_said() -> None:
    raw = (EXAMPLES / "platform.clock/clock-advanced.v1.plain.json").read_bytes()
    said = envelope.decode(raw, dict(PLATFORM_CLOCK.events))
    far = datetime(9999, 12, 31, tzinfo=UTC)
    for spoilt in (
        msgspec.structs.replace(said, occurred_at=far),
        msgspec.structs.replace(said, data=ClockAdvanced(now=far)),
    ):
        with pytest.raises(ValueError, match="9999"):
            envelope.encode(spoilt)


@pytest.mark.parametrize("inner", [b"[", b'{"a":', b'[{"\\"]":'])
def test_nesting_is_bounded_wherever_the_reader_stands(inner: bytes) -> None:
    raw = (EXAMPLES / "ledger.commands/advance-clock.v1.plain.json").read_bytes()
    types = dict(LEDGER_COMMANDS.events)
    shut = {b"[": b"]", b"{": b"}"}
    ends = b"".join(shut[c] for c in (bytes([b]) for b in reversed(inner)) if c in shut)
    levels = inner.count(b"[") + inner.count(b"{")
    for depth, fine in ((limits.NESTING_MAX // levels - 2, True), (100_000, False)):
        deep = b'"more":' + inner * depth + b"1" + ends * depth
        nested = raw.replace(b'"data": {', b'"data": {' + deep + b",", 1)
        assert nested != raw
        if fine:
            envelope.decode(nested, types)
            continue
        with pytest.raises(envelope.Malformed, match="nests deeper"):
            envelope.decode(nested, types)
        with pytest.raises(envelope.Malformed):
            envelope.decode(b"[" * depth, types)


def test_brackets_in_texts_are_no_nesting() -> None:
    raw = (EXAMPLES / "ledger.commands/advance-clock.v1.plain.json").read_bytes()
    text = json.dumps('[{"\\' * 1_000).encode()
    said = envelope.decode(
        raw.replace(b'"data": {', b'"data": {"more":' + text + b",", 1),
        dict(LEDGER_COMMANDS.events),
    )
    assert said.type == "advance-clock.v1"


@pytest.mark.parametrize(
    ("example", "field", "largest"),
    [
        ("pos.transactions/transaction-submitted.v1.purchase", "account", 2**53 - 1),
        ("pos.transactions/transaction-submitted.v1.purchase", "member", 2**53 - 1),
        ("pos.transactions/transaction-submitted.v1.purchase", "terminal", 2**31 - 1),
        ("pos.transactions/transaction-submitted.v1.purchase", "branch", 2**31 - 1),
        ("ledger.commands/post-transaction.v1.purchase", "account", 2**53 - 1),
        ("ledger.commands/post-transaction.v1.purchase", "merchant", 2**31 - 1),
        ("ledger.commands/post-transaction.v1.purchase", "acceptor", 2**31 - 1),
        ("ledger.commands/issue-value.v1.first-purchase", "issuer", 2**31 - 1),
        ("ledger.commands/expire-lot.v1.plain", "lot", 2**63 - 1),
        ("ledger.entries/outcome-recorded.v1.purchase", "account", 2**53 - 1),
        ("members.contacts/contact-changed.v1.plain", "member", 2**53 - 1),
    ],
)
def test_the_largest_number_that_its_column_holds_passes_and_no_larger(
    example: str, field: str, largest: int
) -> None:
    body = json.loads((EXAMPLES / f"{example}.json").read_text("utf-8"))
    topic = next(t for t in TOPICS if t.name == example.partition("/")[0])
    raw = msgspec.json.encode(put(body, ("data", field), largest))
    said = envelope.decode(raw, dict(topic.events))
    assert getattr(said.data, field) == largest
    for wrong in (largest + 1, -1):
        raw = json.dumps(put(body, ("data", field), wrong)).encode()
        with pytest.raises(envelope.Malformed):
            envelope.decode(raw, dict(topic.events))

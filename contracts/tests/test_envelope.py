"""The envelope and every golden example ever written."""

import json
from pathlib import Path

import pytest

from contracts import envelope
from contracts.catalogue import TARGET, page
from contracts.topics import TOPICS, Spread, partitions

EXAMPLES = Path(__file__).parents[1] / "examples"
FILES = sorted(EXAMPLES.glob("*/*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_example_parses_and_survives_a_round_trip(path: Path) -> None:
    topic = next(t for t in TOPICS if t.name == path.parent.name)
    raw = path.read_bytes()
    read = envelope.decode(raw, dict(topic.events))
    again = envelope.encode(read)
    assert envelope.decode(again, dict(topic.events)) == read
    assert (
        json.loads(again).items()
        >= {k: v for k, v in json.loads(raw).items() if k != "data"}.items()
    )
    assert json.loads(again)["data"] == json.loads(raw)["data"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_unknown_fields_are_ignored(path: Path) -> None:
    topic = next(t for t in TOPICS if t.name == path.parent.name)
    grown = json.loads(path.read_text("utf-8"))
    grown["later"] = 1
    grown["data"]["later"] = {"a": 1}
    read = envelope.decode(json.dumps(grown).encode(), dict(topic.events))
    assert json.loads(envelope.encode(read)) == json.loads(path.read_text("utf-8"))


def test_every_event_has_an_example() -> None:
    shown = {(p.parent.name, p.name.split(".v1.")[0] + ".v1") for p in FILES}
    assert {(t.name, e) for t in TOPICS for e in t.events} == shown


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"id":"1"}',
        b'{"id":"1","type":"nobody.v1","key":"k","occurred_at":"2026-01-01T00:00:00Z",'
        b'"accepted_at":"2026-01-01T00:00:00Z","data":{}}',
        b'{"id":"1","type":"clock-advanced.v1","key":"k","occurred_at":"2026-01-01T00:00:00Z",'
        b'"accepted_at":"2026-01-01T00:00:00Z","data":{"now":"yesterday"}}',
        b"\xff\xfe",
    ],
)
def test_what_cannot_be_read_is_malformed(raw: bytes) -> None:
    events = next(t for t in TOPICS if t.name == "platform.clock").events
    with pytest.raises(envelope.Malformed):
        envelope.decode(raw, dict(events))


def test_what_follows_is_named_by_its_cause() -> None:
    assert envelope.derive_id("a", "b", 1) == envelope.derive_id("a", "b", 1)
    assert len({envelope.derive_id(*x) for x in (("a", "b", 0), ("a", "b", 1), ("a", "c", 0))}) == 3


def test_a_fingerprint_ignores_order_and_nothing_else() -> None:
    first = envelope.fingerprint_of({"a": 1, "b": {"c": "۱", "d": [1, 2]}})
    assert first == envelope.fingerprint_of({"b": {"d": [1, 2], "c": "۱"}, "a": 1})
    for other in (
        {"a": 1},
        {"a": 1, "b": {"c": "1", "d": [1, 2]}},
        {"a": 1, "b": {"c": "۱", "d": [2, 1]}},
    ):
        assert envelope.fingerprint_of(other) != first


def test_topics_have_the_partitions_their_spread_says() -> None:
    counts = {t.spread: partitions(t, shards=12, gateways=3) for t in TOPICS}
    assert counts == {Spread.SHARDS: 12, Spread.GATEWAYS: 3, Spread.FOUR: 4, Spread.ONE: 1}


def test_the_catalogue_says_what_the_table_says() -> None:
    assert TARGET.read_text("utf-8") == page()

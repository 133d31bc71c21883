"""docs/messages.json is what the contracts hold, and it only grows."""

import json
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from contracts import schemas

from . import history
from .message_growth import breaking_changes

NAME = "docs/messages.json"
BREAKS = "contracts/breaks.toml"
ADVICE = (
    f"Messages may only grow: a new topic, a new type, a new field with a default. Give what is"
    f" changed a new type (….v2) and keep the old one, or write each break and why it does no harm"
    f" into {BREAKS}:"
)
STALE = f"{NAME} changed since, or without these breaks: take them out of {BREAKS}"


def committed(revision: str) -> dict[str, Any] | None:
    text = history.git("show", f"{revision}:{NAME}")
    return None if text is None else json.loads(text)


def allowed(text: str) -> dict[str, str]:
    return tomllib.loads(text)["breaks"]


def now() -> dict[str, Any]:
    return json.loads(schemas.TARGET.read_text("utf-8"))


def breaks_now() -> dict[str, str]:
    return allowed((schemas.PROJECT / BREAKS).read_text("utf-8"))


def assert_grown(before: dict[str, Any], after: dict[str, Any], reasons: dict[str, str]) -> None:
    """One step breaks what is listed for it, nothing else; and nothing is listed in vain."""
    changes = breaking_changes(before, after)
    unlisted = [change for change in changes if not reasons.get(change, "").strip()]
    assert not unlisted, "\n".join([ADVICE, *(f'"{change}" = "…"' for change in unlisted)])
    assert not reasons.keys() - set(changes), f"{STALE}: {reasons.keys() - set(changes)}"


# ------------------------------------------------------------------------------------- the file


def test_the_file_is_what_the_contracts_hold() -> None:
    text = schemas.TARGET.read_text("utf-8")
    assert text == schemas.rendered(schemas.document()), f"{NAME} is stale: run `make contracts`"


def test_the_last_change_breaks_nothing_that_is_not_listed() -> None:
    """This tree against the last commit; where it changed nothing, the last change again."""
    before = committed("HEAD")
    if before == now():
        if not history.whole():
            pytest.skip("no history: a clone of few commits")
        earlier = history.changes(NAME)[1:2]
        before = committed(earlier[0]) if earlier else None
    if before is None:
        pytest.skip("no clone, or the file is new: no earlier commit has it")
    assert_grown(before, now(), breaks_now())


def test_earlier_changes_of_this_branch_broke_nothing_that_they_did_not_list() -> None:
    """Each with the list of its own commit: what main never had goes through the same gate."""
    steps = list(earlier_steps())
    if not steps:
        pytest.skip("no earlier change of the file since the branch left main, or no history")
    for before, after, reasons in steps:
        assert_grown(before, after, reasons)


def earlier_steps() -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, str]]]:
    """Changes of the file since main but the last one, which the test above has."""
    bases = history.bases() if history.whole() else set[str]()
    last = history.changes(NAME)[:1] if committed("HEAD") == now() else []
    for commit in dict.fromkeys(
        one for base in bases for one in history.changes(NAME, f"{base}..")
    ):
        older = history.changes(NAME, f"{commit}~")
        before, after = committed(older[0]) if older else None, committed(commit)
        listed = history.git("show", f"{commit}:{BREAKS}")
        if commit not in last and before and after and listed:
            yield before, after, allowed(listed)


# ---------------------------------------------------------------------------------- the comparer


def field(name: str, kind: dict[str, Any], **default: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **default}


def struct(*fields: dict[str, Any], **traits: Any) -> dict[str, Any]:
    plain = {"tag": None, "tag_field": None, "array_like": False, "forbid_unknown_fields": False}
    return {"fields": list(fields), **plain, **traits}


def small() -> dict[str, Any]:
    """A document with one of everything that is compared."""
    points = {"type": "int", "ge": 0, "le": 100}
    optional = {"type": "union", "types": [{"type": "datetime", "tz": True}, {"type": "none"}]}
    topic = {
        "key": "account",
        "partitions": "one per shard",
        "retention_ms": 1000,
        "compacted": False,
        "numbered": True,
        "durable": True,
        "append_time": False,
        "events": {"sold.v1": {"ref": "pos.Sale"}},
    }
    sale = struct(
        field("points", points),
        field("unit", {"ref": "pos.Unit"}),
        field("lines", {"type": "vartuple", "item_type": {"ref": "pos.Line"}}, default=[]),
        field("until", optional, default=None),
    )
    pair = struct(field("a", points), field("b", points, default=0), array_like=True)
    closed = struct(field("pair", {"ref": "pos.Pair"}), forbid_unknown_fields=True)
    return {
        "envelope": {"ref": "envelope.Envelope"},
        "topics": {"sales": topic},
        "types": {
            "envelope.Envelope": struct(
                field("id", {"type": "str"}), field("data", {"type": "raw"})
            ),
            "pos.Sale": sale,
            "pos.Line": struct(field("price", points), field("more", {"ref": "pos.Closed"})),
            "pos.Closed": closed,
            "pos.Pair": pair,
            "pos.Unit": {"values": ["NP", "MP"]},
        },
        "examples": {"sales/sold.v1.plain.json": "0a", "sales/sold.v1.lines.json": "0b"},
    }


def changed(**edits: Any) -> dict[str, Any]:
    """The small document with a value at each place; ... takes it away, a list of one adds it."""
    document = small()
    for place, value in edits.items():
        *parents, last = place.split("|")
        at: Any = document
        for key in parents:
            at = at[int(key) if isinstance(at, list) else key]
        key: Any = int(last) if isinstance(at, list) else last
        if value is ...:
            del at[key]
        elif isinstance(at, list) and key == len(at):
            at.append(value)
        else:
            at[key] = value
    return document


SALES, SALE, LINE = "topics|sales", "types|pos.Sale|fields", "types|pos.Line|fields"
PAIR, CLOSED, UNIT = "types|pos.Pair|fields", "types|pos.Closed|fields", "types|pos.Unit|values"
POINTS = small()["types"]["pos.Sale"]["fields"][0]
FIRST = small()["types"]["pos.Pair"]["fields"][0]
NEW = field("new", {"type": "int"}, default=0)
BROKEN = [
    ({SALES: ...}, "sales: the topic is gone"),
    ({f"{SALES}|key": "member"}, "sales: key is member now, and was account"),
    ({f"{SALES}|partitions": "one"}, "sales: partitions is one now, and was one per shard"),
    ({f"{SALES}|retention_ms": 999}, "sales: kept 999 ms now, and was 1000"),
    ({f"{SALES}|compacted": True}, "sales: compacted is True now"),
    ({f"{SALES}|numbered": False}, "sales: numbered is False now"),
    ({f"{SALES}|durable": False}, "sales: durable is False now"),
    ({f"{SALES}|append_time": True}, "sales: append_time is True now"),
    ({f"{SALES}|events|sold.v1": ...}, "sales: sold.v1 is gone"),
    ({f"{SALES}|events": {"sold.v2": {"ref": "pos.Sale"}}}, "sales: sold.v1 is gone"),
    ({f"{SALE}|0": ...}, "pos.Sale.points: the field is gone"),
    ({f"{SALE}|0|name": "amount"}, "pos.Sale.points: the field is gone"),
    ({f"{SALE}|0|name": "amount"}, "pos.Sale.amount: the field is new and has no default"),
    ({f"{SALE}|0|type": {"type": "str"}}, "pos.Sale.points: int became str"),
    ({f"{SALE}|0|type|type": "float"}, "pos.Sale.points: int became float"),
    ({f"{SALE}|0|type|le": 50}, "pos.Sale.points: le is 50 now, and was 100"),
    ({f"{SALE}|0|type|le": 500}, "pos.Sale.points: le is 500 now, and was 100"),
    ({f"{SALE}|0|type|le": ...}, "pos.Sale.points: le is None now, and was 100"),
    ({f"{SALE}|0|default": 0}, "pos.Sale.points: the field may be absent now"),
    ({f"{SALE}|2|default": ...}, "pos.Sale.lines: the field has no default now"),
    ({f"{SALE}|3|default": "never"}, "pos.Sale.until: absent means 'never' now, and was None"),
    ({f"{SALE}|3|type": {"type": "datetime", "tz": True}}, "pos.Sale.until: union became datetime"),
    ({f"{SALE}|3|type|types|0|tz": False}, "pos.Sale.until: tz is False now, and was True"),
    ({f"{SALE}|3|type|types|2": {"type": "int"}}, "pos.Sale.until: types is datetime or none or"),
    ({f"{SALE}|2|type|item_type": {"type": "str"}}, "pos.Sale.lines: pos.Line became str"),
    ({f"{LINE}|0": ...}, "pos.Line.price: the field is gone"),
    ({f"{SALE}|4": field("new", {"type": "int"})}, "pos.Sale.new: the field is new and has no"),
    ({f"{CLOSED}|1": NEW}, "pos.Closed.new: the field is new, and an older reader refuses it"),
    ({f"{PAIR}|0": NEW, f"{PAIR}|2": FIRST}, "pos.Pair: the order of an array's fields is another"),
    ({"types|pos.Pair|array_like": False}, "pos.Pair: array_like is False now, and was True"),
    ({"types|pos.Sale|tag": "sale"}, "pos.Sale: tag is sale now, and was None"),
    ({"types|pos.Sale": {"values": []}}, "pos.Sale: a struct became an enumeration"),
    ({f"{UNIT}|0": ...}, "pos.Unit: NP is gone"),
    ({f"{UNIT}|0": "points"}, "pos.Unit: NP is gone"),
    ({f"{UNIT}|2": "CR"}, "pos.Unit: CR is new to older readers"),
    ({"types|envelope.Envelope|fields|0|name": "uuid"}, "envelope.Envelope.id: the field is gone"),
    ({"examples|sales/sold.v1.plain.json": ...}, "sales/sold.v1.plain.json: the golden example is "
     "gone"),
    ({"examples|sales/sold.v1.plain.json": "0c"}, "sales/sold.v1.plain.json: the golden example is "
     "another"),
]  # fmt: skip
GROWN: list[dict[str, Any]] = [
    {},
    {"topics|refunds": small()["topics"]["sales"]},
    {f"{SALES}|events|sold.v2": {"ref": "pos.Line"}},
    {f"{SALES}|retention_ms": 2000},
    {f"{SALES}|retention_ms": None},
    {f"{SALE}|4": NEW},
    {f"{SALE}|0": NEW, f"{SALE}|4": POINTS},
    {f"{PAIR}|2": NEW},
    {"types|pos.Terminal": struct()},
    {"types|pos.Purchase": small()["types"]["pos.Sale"],
     f"{SALES}|events|sold.v1": {"ref": "pos.Purchase"}, "types|pos.Sale": ...},
    {"examples|sales/sold.v1.new.json": "0c"},
]  # fmt: skip


@pytest.mark.parametrize(("edits", "sentence"), BROKEN, ids=[row[1] for row in BROKEN])
def test_what_breaks_a_reader_or_a_record_is_reported(edits: dict[str, Any], sentence: str) -> None:
    changes = breaking_changes(small(), changed(**edits))
    assert any(sentence in change for change in changes), changes


@pytest.mark.parametrize("edits", GROWN, ids=[next(iter(edits), "nothing") for edits in GROWN])
def test_what_grows_breaks_nobody(edits: dict[str, Any]) -> None:
    assert breaking_changes(small(), changed(**edits)) == []


def test_a_topic_that_was_kept_for_ever_is_kept_for_ever() -> None:
    before = changed(**{f"{SALES}|retention_ms": None})
    assert breaking_changes(before, small()) == ["sales: kept 1000 ms now, and was for ever"]


def test_a_field_taken_from_any_type_of_today_is_seen() -> None:
    """The comparer on the real file: it walks from the topics to every struct and enumeration."""
    before = now()
    for name, kind in before["types"].items():
        after = deepcopy(before)
        del after["types"][name]["values" if "values" in kind else "fields"][0]
        assert any(change.startswith(name) for change in breaking_changes(before, after)), name


def test_a_listed_break_passes_once_and_the_failure_shows_how_to_list_it() -> None:
    after = changed(**{f"{UNIT}|0": ...})
    with pytest.raises(AssertionError, match="may only grow") as failed:
        assert_grown(small(), after, {})
    assert '"pos.Unit: NP is gone" = "…"' in str(failed.value)
    with pytest.raises(AssertionError, match="may only grow"):
        assert_grown(small(), after, {"pos.Unit: NP is gone": " "})
    listed = {"pos.Unit: NP is gone": "no record has it"}
    assert_grown(small(), after, listed)
    with pytest.raises(AssertionError, match="take them out"):
        assert_grown(after, after, listed)

"""JSON bodies: no nesting, key or text of a caller's is an error of ours, or is read by halves."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kit.base import bodies, errors

WORDS = st.text(st.sampled_from('abAB"\\:{}[], \n٫س'), max_size=6)
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def code_of(body: bytes) -> str:
    with pytest.raises(errors.Malformed) as caught:
        bodies.read(body)
    assert caught.value.fa
    assert len(caught.value.detail) < 400
    return caught.value.code


@pytest.mark.parametrize("deep", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("levels", [bodies.DEPTH_MAX + 1, 400, 1_000, 10_000, 30_000])
def test_no_nesting_is_too_deep_for_us(deep: bytes, levels: int) -> None:
    shut = {b"[": b"]", b'{"a":': b"}", b'[{"a":': b"}]"}[deep]
    assert code_of(deep * levels + b'"\\u0000"' + shut * levels) == "malformed-json"
    assert code_of(deep * levels) == "malformed-json"


def test_what_is_nested_as_far_as_anybody_needs_passes() -> None:
    levels = bodies.DEPTH_MAX
    assert bodies.read(b"[" * levels + b"1" + b"]" * levels)


@pytest.mark.parametrize("body", [
    b"", b"{", b"nan", b'{"a":NaN}', b"[-Infinity]", b"\xff\xfe", '{"a":1}'.encode("utf-16"),
    b'\xef\xbb\xbf{"a":1}', b"9" * 5_000, b'{"a":1}{"b":2}', b'"\x01"', b"'a'",
])  # fmt: skip
def test_what_is_no_json_is_refused(body: bytes) -> None:
    assert code_of(body) == "malformed-json"


@pytest.mark.parametrize("body", [
    rb'"\u0000"', rb'{"\u0000":1}', rb'[["\ud800"]]', rb'{"a":{"b":["x","\udfff"]}}',
])  # fmt: skip
def test_text_that_cannot_be_kept_is_refused(body: bytes) -> None:
    assert code_of(body) == "unstorable-text"


@pytest.mark.parametrize("body", [
    b'{"a":1,"a":1}', b'{"a" :1,"b":2,"a":3}', rb'{"a":1,"\u0061":2}', b'[{"x":{"k":1,"k":2}}]',
])  # fmt: skip
def test_a_key_that_is_sent_twice_is_refused(body: bytes) -> None:
    assert code_of(body) == "duplicate-key"
    assert bodies.repeats(body, msgspec.json.encode(json.loads(body)))


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
@example({"a": ":", ":b": '":'}, None, False)
def test_what_has_each_key_once_is_read_as_it_is(
    value: Any, indent: int | None, plain: bool
) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=plain).encode()
    assert bodies.read(body) == value
    assert not bodies.repeats(body, msgspec.json.encode(json.loads(body)))


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4), VALUES, st.data())
def test_a_repeated_key_is_seen_wherever_it_is(value: Any, other: Any, data: Any) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    twice = f"{json.dumps(value)[:-1]},{json.dumps(key)}:{json.dumps(other)}}}"
    body = f'{{"outer":[1,{twice}]}}'.encode()
    assert code_of(body) == "duplicate-key"
    assert bodies.repeats(body, msgspec.json.encode(json.loads(body)))


def test_an_object_of_more_keys_than_anybody_needs_is_refused() -> None:
    """Their number is bounded before they are compared: to name the one sent twice took 19 s."""
    keys = ",".join(f'"k{n}":0' for n in range(bodies.KEYS_MAX))
    assert len(bodies.read(f"{{{keys}}}".encode())) == bodies.KEYS_MAX
    assert code_of(f'{{{keys},"k0":0}}'.encode()) == "malformed-json"
    last = keys.rpartition(",")[0]
    assert code_of(f'{{{last},"k0":0}}'.encode()) == "duplicate-key"


def test_a_heap_of_combining_marks_cannot_be_kept() -> None:
    assert code_of(json.dumps("a" + "\u0300\u0316" * 16).encode()) == "unstorable-text"

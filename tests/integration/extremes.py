"""What a caller may send and nobody expects: extremes of every type and what lies beyond them."""

import random
import uuid
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

NUMBERS: Final[tuple[Any, ...]] = (
    *(-1, 0, 1, 366, 10_000, 2**15, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64),
    *(-(2**31), -(2**63), -(2**63) - 1, 10**30, 1.5, -0.0, 1e308, True),
)
TIMES: Final = (
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+03:30", "1403-05-01T10:00:00+03:30"),
    *("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "1969-12-31T23:59:59Z"),
    *("1990-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z", "2200-01-01T00:00:00Z"),
    *("2026-03-21T00:00:00", "2026-03-21T00:00:00.1234567+03:30", "infinity", "-infinity"),
    *("2026-02-30T00:00:00Z", "۲۰۲۶-۰۳-۲۱T۰۰:۰۰:۰۰Z", "1405-09-01", "0001-01-01", "9999-12-31"),
)
TEXTS: Final = (
    *("", " ", "\u0000", "a\u0000b", "\ud800", "\u202eسلام\u0007\u001b[31m", "\u200b", "\ufeff"),
    *("كيك ۱۲\u200f", "<script>alert(1)</script>", "x" * 65, "ش" * 201, "\ufdfa" * 64, "e\u0301"),
    *("'; drop table lots; --", "%00", "../../x", "9" * 400, "١٢٣", "-1", "1e999", "NaN", "null"),
    *(str(2**63), str(2**31), "00000000-0000-0000-0000-000000000000", "\U0001f600", "{value}"),
)
SHAPES: Final[tuple[Any, ...]] = (
    *(None, [], {}, [[]], [None], {"a": 1}, ["x"] * 600, [1] * 6_000, [1, 1]),
    {"==": [{"var": "nothing"}, 1]},
)
DEEP: Final = b"[" * 400 + b'"\\u0000"' + b"]" * 400
RAW: Final = (
    *(b"", b"{", b"[]", b"null", b"nan", b"\xff\xfe", b'{"a":1,"a":2}', b'{"a":1e999}', DEEP),
    *(b"9" * 5_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b"\x00", '{"a":1}'.encode("utf-16")),
)
Step = str | int


def beyond(schema: dict[str, Any], rng: random.Random) -> list[Any]:
    """Values for one field: all extremes of its own type, and some of every other."""
    own: list[Any] = []
    text = str(schema)
    if "integer" in text:
        own += NUMBERS
    if "date" in text:
        own += TIMES
    others = [value for value in (*NUMBERS, *TIMES, *TEXTS, *SHAPES) if value not in own]
    return own + rng.sample(others, 8)


class Shapes:
    """Values that a document's schemas allow, and the places in them."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._named: dict[str, Any] = document.get("components", {}).get("schemas", {})

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema itself, where it stands under a name or among others that may be null."""
        if "$ref" in schema:
            return self.resolved(self._named[schema["$ref"].rpartition("/")[2]])
        for one in schema.get("anyOf", ()):
            if one.get("type") != "null":
                return self.resolved(one)
        return schema

    def plain(self, schema: dict[str, Any]) -> Any:
        """A value that the schema allows, as small as it may be."""
        schema = self.resolved(schema)
        if "default" in schema or "const" in schema:
            return deepcopy(schema.get("const", schema.get("default")))
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "integer":
                return max(1, schema.get("minimum", 1))
            case "string":
                return _text(schema)
            case "array":
                return [self.plain(schema["items"])] * schema.get("minItems", 0)
            case "object":
                fields = schema.get("properties", {})
                return {name: self.plain(fields[name]) for name in schema.get("required", ())}
            case "boolean":
                return False
            case _:
                return {}

    def example(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The document's example of a body; empty where it has none."""
        return next(iter(self.resolved(schema).get("examples", ())), {})

    def places(self, schema: dict[str, Any], at: tuple[Step, ...] = ()) -> Iterator[Any]:
        """Every place in a body, with its schema, fields that may be left out too."""
        schema = self.resolved(schema)
        yield at, schema
        if len(at) < 3:
            for name, field in schema.get("properties", {}).items():
                yield from self.places(field, (*at, name))
            if "items" in schema:
                yield from self.places(schema["items"], (*at, 0))


def _text(schema: dict[str, Any]) -> str:
    match schema.get("format"):
        case "date-time":
            return "2026-03-22T00:00:00Z"
        case "date":
            return "2026-03-22"
        case "uuid":
            return str(uuid.uuid4())
        case _:
            return "x" * max(1, schema.get("minLength", 1))


def put(body: Any, at: tuple[Step, ...], value: Any) -> Any:
    """A copy of a body with a value at a place; what is missing on the way is made."""
    if not at:
        return value
    made = (
        deepcopy(body) if isinstance(body, dict | list) else ({} if isinstance(at[0], str) else [])
    )
    if isinstance(made, list):
        made = made or [{}]
        made[0] = put(made[0], at[1:], value)
    else:
        made[at[0]] = put(made.get(at[0]), at[1:], value)
    return made

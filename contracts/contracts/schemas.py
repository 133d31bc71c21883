"""Writes docs/messages.json, all messages as data: `python -m contracts.schemas`.

It has what a reader of a topic relies on: topics, types of messages with their fields, and a digest
of each golden example. `make contracts` writes it, and tests let it only grow.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, Raw, inspect

from contracts.envelope import Envelope
from contracts.topics import TOPICS, Topic

PROJECT: Final = Path(__file__).parents[2]
TARGET: Final = PROJECT / "docs" / "messages.json"
EXAMPLES: Final = PROJECT / "contracts" / "examples"
OF_A_STRUCT: Final = ("tag", "tag_field", "array_like", "forbid_unknown_fields")

Described = dict[str, Any]


def document() -> Described:
    """Every topic, type and golden example."""
    types: dict[str, Described] = {}
    envelope = _type(inspect.type_info(Envelope[Raw]), types)
    topics = {topic.name: _topic(topic, types) for topic in TOPICS}
    return {"envelope": envelope, "topics": topics, "types": types, "examples": _examples()}


def rendered(described: Described) -> str:
    """The text of the file: sorted, one value a line, so that a change shows as a change."""
    return json.dumps(described, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _topic(topic: Topic, types: dict[str, Described]) -> Described:
    events = {name: _type(inspect.type_info(kind), types) for name, kind in topic.events.items()}
    return {
        "key": topic.key,
        "partitions": topic.spread.value,
        "retention_ms": topic.retention_ms,
        "compacted": topic.compacted,
        "numbered": topic.numbered,
        "durable": topic.durable,
        "append_time": topic.append_time,
        "events": events,
    }


def _examples() -> dict[str, str]:
    """Digest of each golden example as JSON: another layout of the same text is no change."""
    return {
        f"{path.parent.name}/{path.name}": _digest(json.loads(path.read_text("utf-8")))
        for path in EXAMPLES.glob("*/*.json")
    }


def _digest(example: Any) -> str:
    text = json.dumps(example, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _type(kind: inspect.Type, types: dict[str, Described]) -> Described:
    """A type with its bounds; structs and enumerations by their names in types."""
    if isinstance(kind, inspect.StructType | inspect.EnumType):
        return {"ref": _named(kind, types)}
    described: Described = {"type": type(kind).__name__.removesuffix("Type").lower()}
    for field in msgspec.structs.fields(kind):
        value: Any = getattr(kind, field.name)
        if value is not None:
            described[field.name] = _part(value, types)
    return described


def _part(
    value: inspect.Type | tuple[inspect.Type, ...] | str | float, types: dict[str, Described]
) -> Any:
    """A bound as it is, the types that another one is made of by their descriptions."""
    if isinstance(value, inspect.Type):
        return _type(value, types)
    if isinstance(value, tuple):
        return [_type(kind, types) for kind in value]
    return value


def _named(kind: inspect.StructType | inspect.EnumType, types: dict[str, Described]) -> str:
    """Name of a struct or an enumeration whose description is in types afterwards."""
    name = f"{kind.cls.__module__.rpartition('.')[2]}.{kind.cls.__name__}"
    if name in types:
        return name
    types[name] = {}  # before its fields: one of them may be of the same type
    if isinstance(kind, inspect.EnumType):
        types[name] = {"values": [member.value for member in kind.cls]}
        return name
    fields = [_field(field, types) for field in kind.fields]
    types[name] = {"fields": fields, **{key: getattr(kind, key) for key in OF_A_STRUCT}}
    return name


def _field(field: inspect.Field, types: dict[str, Described]) -> Described:
    described: Described = {"name": field.encode_name, "type": _type(field.type, types)}
    if field.default is not NODEFAULT:
        described["default"] = _builtin(field.default)
    elif field.default_factory is not NODEFAULT:
        described["default"] = _builtin(field.default_factory())
    return described


def _builtin(default: Any) -> Any:
    """A default as it stands in JSON."""
    if isinstance(default, Raw):
        return msgspec.json.decode(default)
    return msgspec.to_builtins(default)


def main() -> None:
    """Write the file."""
    TARGET.write_text(rendered(document()), "utf-8")


if __name__ == "__main__":
    main()

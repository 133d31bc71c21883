"""Writes docs/events.md, the event catalogue, from topics.py: `python -m contracts.catalogue`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from contracts.topics import TOPICS, Topic

TARGET = Path(__file__).parents[2] / "docs" / "events.md"

_HEAD = """# Event catalogue

Generated from `contracts/contracts/topics.py` by `make contracts`; a check compares it. Every
message is JSON in one envelope: `id`, `type`, `key`, `occurred_at`, `accepted_at`,
`fingerprint`?, `cause_id`?, `data`. Trace context, stream and number, and the reply address ride
in headers. Fields marked ? may be absent.
"""


def page() -> str:
    """The whole page as Markdown."""
    described: set[type[Any]] = set()
    parts = [_HEAD]
    for topic in TOPICS:
        parts.append(_topic(topic))
        for name, kind in topic.events.items():
            parts.extend(_event(name, kind, described))
    return "\n".join(parts).rstrip() + "\n"


def _topic(topic: Topic) -> str:
    kept = "for ever" if topic.retention_ms is None else f"{topic.retention_ms // 60_000} minutes"
    traits = [
        f"partitions: {topic.spread.value}",
        "compacted" if topic.compacted else f"kept {kept}",
        *(["numbered streams"] if topic.numbered else []),
        *(["flushed before acknowledged"] if topic.durable else []),
    ]
    tables = "".join(
        f"\n- local table `{t.table}` in {t.room}: key ({', '.join(t.key) or 'the network'}),"
        f" version column `{t.version}`"
        for t in topic.local_tables
    )
    of_all = "operators, and kit where it is the sandbox's clock"
    readers = ", ".join(topic.consumers) or (of_all if topic.owner == "platform" else "nobody yet")
    return (
        f"\n## `{topic.name}`\n\n- owner: {topic.owner}; keyed by {topic.key}; read by: {readers}\n"
        f"- {'; '.join(traits)}{tables}"
    )


def _event(name: str, kind: type[Any], described: set[type[Any]]) -> Iterator[str]:
    yield f"\n### `{name}`\n\n{_docstring(kind)}\n\n{_table(kind)}"
    for inner in _structs(kind):
        if inner not in described:
            described.add(inner)
            yield f"\n#### {inner.__name__}\n\n{_docstring(inner)}\n\n{_table(inner)}"


def _docstring(kind: type[Any]) -> str:
    return "\n".join(line.strip() for line in (kind.__doc__ or "").strip().splitlines())


def _table(kind: type[Any]) -> str:
    rows = [
        f"| `{f.encode_name}`{'' if f.required else '?'} | {_type(f.type)} | {_default(f)} |"
        for f in msgspec.structs.fields(kind)
    ]
    return "\n".join(["| field | type | when absent |", "| --- | --- | --- |", *rows])


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is NODEFAULT:
        return "" if field.required else "empty"
    value = field.default
    if value is None:
        return "none"
    return f"`{bytes(value).decode() if isinstance(value, msgspec.Raw) else repr(value)}`"


def _type(kind: Any) -> str:
    if get_origin(kind) is not None and hasattr(kind, "__metadata__"):
        base, *metas = get_args(kind)
        bounds = [
            f"{sign} {getattr(meta, field)}"
            for meta in metas
            for field, sign in (("ge", "≥"), ("le", "≤"), ("max_length", "length ≤"))
            if getattr(meta, field, None) is not None
        ]
        return " ".join([_type(base), *bounds])
    if get_origin(kind) is tuple:
        return f"list of {_type(get_args(kind)[0])}"
    args = [a for a in get_args(kind) if a is not type(None)]
    if args:
        return " or ".join(_type(a) for a in args)
    return getattr(kind, "__name__", str(kind))


def _structs(kind: Any) -> Iterator[type[Any]]:
    """Structs reachable from the fields of one, depth first."""
    for field in msgspec.structs.fields(kind):
        yield from _within(field.type)


def _within(kind: Any) -> Iterator[type[Any]]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        yield kind
        yield from _structs(kind)
    for arg in get_args(kind):
        if arg is not Ellipsis and not isinstance(arg, msgspec.Meta):
            yield from _within(arg)


if __name__ == "__main__":
    text = page()
    if "--check" in sys.argv and TARGET.read_text("utf-8") != text:
        sys.exit("docs/events.md is not what topics.py says: run `make contracts`")
    TARGET.write_text(text, "utf-8")

"""What newer messages break for readers and records of older ones: docs/messages.json only grows.

Kafka keeps records of every age, and while a release comes out, old programs read new records. So
every old record must read with the new types, and every new one with the old types. That leaves a
new topic, a new type of message, and a new field that has a default. Even a new value of an
enumeration, or a wider bound, is a record that an older reader sets aside as malformed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Described = Mapping[str, Any]
OF_A_TOPIC: Final = ("key", "partitions", "compacted", "numbered", "durable", "append_time")
OF_A_TYPE: Final = ("tag", "tag_field", "array_like", "forbid_unknown_fields")


def breaking_changes(old: Described, new: Described) -> list[str]:
    """Every change that breaks a reader or a record of the older messages, as sentences."""
    return list(dict.fromkeys(Comparison(old, new).changes()))


class Comparison:
    """Two documents, and the pairs of their types that were compared already."""

    def __init__(self, old: Described, new: Described) -> None:
        self.old, self.new = old, new
        self._compared: set[tuple[str, str]] = set()

    def changes(self) -> Iterator[str]:
        """Changes of the envelope, of each older topic, then of the golden examples."""
        yield from self._type("the envelope", self.old["envelope"], self.new["envelope"])
        for name, topic in self.old["topics"].items():
            if name in self.new["topics"]:
                yield from self._topic(name, topic, self.new["topics"][name])
            else:
                yield f"{name}: the topic is gone"
        for name, digest in self.old["examples"].items():
            after = self.new["examples"].get(name)
            if after != digest:
                yield f"{name}: the golden example {'is gone' if after is None else 'is another'}"

    def _topic(self, name: str, old: Described, new: Described) -> Iterator[str]:
        for trait in OF_A_TOPIC:
            if old[trait] != new[trait]:
                yield f"{name}: {trait} is {new[trait]} now, and was {old[trait]}"
        before, after = old["retention_ms"], new["retention_ms"]
        if after is not None and (before is None or after < before):
            yield f"{name}: kept {after} ms now, and was {before or 'for ever'}"
        for event, kind in old["events"].items():
            if event in new["events"]:
                yield from self._type(f"{name} {event}", kind, new["events"][event])
            else:
                yield f"{name}: {event} is gone"

    def _type(self, where: str, old: Described, new: Described) -> Iterator[str]:
        if "ref" in old and "ref" in new:
            yield from self._definition(old["ref"], new["ref"])
        elif "ref" in old or "ref" in new or old["type"] != new["type"]:
            yield f"{where}: {_text(old)} became {_text(new)}"
        else:
            for key in sorted(old.keys() | new.keys()):
                yield from self._part(where, key, old.get(key), new.get(key))

    def _part(self, where: str, key: str, old: Any, new: Any) -> Iterator[str]:
        """One bound of a type, or the types that it is made of."""
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from self._type(where, old, new)
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for before, after in zip(old, new, strict=True):
                yield from self._type(where, before, after)
        elif old != new:
            yield f"{where}: {key} is {_text(new)} now, and was {_text(old)}"

    def _definition(self, old_name: str, new_name: str) -> Iterator[str]:
        """A struct or an enumeration; what programs call it is on no wire."""
        if (old_name, new_name) in self._compared:
            return
        self._compared.add((old_name, new_name))
        old, new = self.old["types"][old_name], self.new["types"][new_name]
        if old.keys() != new.keys():
            yield f"{old_name}: a struct became an enumeration, or the other way round"
        elif "values" in old:
            yield from _values(old_name, old["values"], new["values"])
        else:
            yield from self._struct(old_name, old, new)

    def _struct(self, where: str, old: Described, new: Described) -> Iterator[str]:
        for trait in OF_A_TYPE:
            if old[trait] != new[trait]:
                yield f"{where}: {trait} is {new[trait]} now, and was {old[trait]}"
        before = {field["name"]: field for field in old["fields"]}
        after = {field["name"]: field for field in new["fields"]}
        for name, field in before.items():
            if name in after:
                yield from self._field(f"{where}.{name}", field, after[name])
            else:
                yield f"{where}.{name}: the field is gone"
        for name in sorted(after.keys() - before.keys()):
            if "default" not in after[name]:
                yield f"{where}.{name}: the field is new and has no default"
            if old["forbid_unknown_fields"]:
                yield f"{where}.{name}: the field is new, and an older reader refuses it"
        if old["array_like"] and list(after)[: len(before)] != list(before):
            yield f"{where}: the order of an array's fields is another"

    def _field(self, where: str, old: Described, new: Described) -> Iterator[str]:
        if "default" in old and "default" not in new:
            yield f"{where}: the field has no default now"
        elif "default" in new and "default" not in old:
            yield f"{where}: the field may be absent now"
        elif old.get("default") != new.get("default"):
            now, was = _text(new["default"]), _text(old["default"])
            yield f"{where}: absent means {now} now, and was {was}"
        yield from self._type(where, old["type"], new["type"])


def _values(where: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    yield from (f"{where}: {value} is gone" for value in old if value not in new)
    yield from (f"{where}: {value} is new to older readers" for value in new if value not in old)


def _text(described: Any) -> str:
    """A type, a bound or a default in one line."""
    if isinstance(described, Mapping) and {"ref", "type"} & described.keys():
        return str(described.get("ref") or described["type"])
    if isinstance(described, list):
        return " or ".join(map(_text, described)) or "none"
    return repr(described)

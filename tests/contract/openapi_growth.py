"""What a newer OpenAPI document takes away from an older one: such a document may only grow.

A client that was written against the older document must still work. So a request may be
demanded no more than before, and an answer may hold no less: a path, method, status or field
stays, a required field of an answer stays required, a field of a request stays optional, types
and bounds of a request become no narrower and types of an answer no wider. New values of an
enumeration may appear in an answer: docs/guides/till-makers.md tells clients so.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
METHODS: Final = ("get", "put", "post", "patch", "delete", "head", "options")
UPPER_BOUNDS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
LOWER_BOUNDS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
REQUEST, ANSWER = "request", "answer"


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Every change of a document that breaks a client of the older one, as sentences."""
    return list(Comparison(old, new).changes())


class Comparison:
    """Two documents, and the pairs of their components that were compared already."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self.old, self.new = old, new
        self._compared: set[tuple[str, str, str]] = set()

    def changes(self) -> Iterator[str]:
        """Changes of paths and methods, then of each operation that both documents have."""
        for path, old_item in self.old["paths"].items():
            new_item = self.new["paths"].get(path)
            if new_item is None:
                yield f"{path}: the path is gone"
                continue
            for method in METHODS:
                if method not in old_item:
                    continue
                where = f"{method.upper()} {path}"
                if method not in new_item:
                    yield f"{where}: the method is gone"
                else:
                    yield from self._operation(where, old_item[method], new_item[method])

    def _operation(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        if _needs_another_key(old, new):
            yield f"{where}: another key is needed than before"
        yield from self._parameters(where, old, new)
        yield from self._request_body(where, old.get("requestBody"), new.get("requestBody"))
        for status, old_answer in old.get("responses", {}).items():
            new_answer = new.get("responses", {}).get(status)
            if new_answer is None:
                yield f"{where}: the answer {status} is gone"
                continue
            at = f"{where} {status}"
            yield from self._contents(at, old_answer, new_answer, ANSWER)

    def _parameters(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in old.get("parameters", ())}
        after = {(p["in"], p["name"]): p for p in new.get("parameters", ())}
        for key, parameter in after.items():
            if parameter.get("required") and not before.get(key, {}).get("required"):
                yield f"{where}: the parameter {key[1]} is required now"
        for key, parameter in before.items():
            if key not in after:
                yield f"{where}: the parameter {key[1]} is gone"
                continue
            at = f"{where} parameter {key[1]}"
            yield from self._schema(at, parameter["schema"], after[key]["schema"], REQUEST)

    def _request_body(self, where: str, old: Schema | None, new: Schema | None) -> Iterator[str]:
        required_before = old is not None and old.get("required", False)
        if new is not None and new.get("required", False) and not required_before:
            yield f"{where}: a body is required now"
        if old is not None and new is None:
            yield f"{where}: the body is gone"
        elif old is not None and new is not None:
            yield from self._contents(f"{where} body", old, new, REQUEST)

    def _contents(self, where: str, old: Schema, new: Schema, side: str) -> Iterator[str]:
        for media, content in old.get("content", {}).items():
            if media not in new.get("content", {}):
                yield f"{where}: the media type {media} is gone"
                continue
            after = new["content"][media]
            yield from self._schema(where, content.get("schema", {}), after.get("schema", {}), side)

    def _schema(self, where: str, old: Schema, new: Schema, side: str) -> Iterator[str]:
        """Changes of a schema; components that refer to themselves are compared once."""
        if "$ref" in old and "$ref" in new:
            pair = (old["$ref"], new["$ref"], side)
            if pair in self._compared:
                return
            self._compared.add(pair)
        before, after = _options(self.old, old), _options(self.new, new)
        if len(before) == len(after) == 1:
            yield from self._plain(where, before[0], after[0], side)
            return
        # every form that was sent must still be taken; every form that comes must be known
        wanted, offered = (before, after) if side == REQUEST else (after, before)
        for form in wanted:
            if not any(self._fits(form, other, side) for other in offered):
                change = "is taken no more" if side == REQUEST else "may come now"
                yield f"{where}: {_described(form)} {change}"

    def _fits(self, wanted: Schema, offered: Schema, side: str) -> bool:
        before, after = (wanted, offered) if side == REQUEST else (offered, wanted)
        fresh = Comparison(self.old, self.new)  # a trial leaves no mark on what was compared
        fresh._compared = set(self._compared)
        return not any(fresh._plain("", before, after, side))

    def _plain(self, where: str, old: Schema, new: Schema, side: str) -> Iterator[str]:
        yield from _types(where, old, new, side)
        if side == REQUEST:
            yield from _narrower(where, old, new)
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        if side == REQUEST:
            for name in sorted(required_after - required_before):
                yield f"{where}: the field {name} is required now"
        else:
            for name in sorted(required_before - required_after):
                if name in new.get("properties", {}):
                    yield f"{where}: the field {name} may be absent now"
        for name, field in old.get("properties", {}).items():
            after = new.get("properties", {}).get(name)
            if after is None:
                yield f"{where}: the field {name} is gone"
            else:
                yield from self._schema(f"{where} .{name}", field, after, side)
        for key in ("items", "additionalProperties"):
            if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
                yield from self._schema(f"{where}[]", old[key], new[key], side)


def _options(document: Schema, schema: Schema) -> list[Schema]:
    """The plain forms of a schema: references resolved, alternatives as a list."""
    while "$ref" in schema:
        *_, kind, name = schema["$ref"].split("/")
        schema = document["components"][kind][name]
    forms = schema.get("anyOf") or ("properties" not in schema and schema.get("oneOf"))
    if not forms:
        return [schema]
    return [option for form in forms for option in _options(document, form)]


def _types(where: str, old: Schema, new: Schema, side: str) -> Iterator[str]:
    narrow, wide = (old, new) if side == REQUEST else (new, old)
    known, allowed = _type_set(narrow), _type_set(wide)
    if allowed and not (known and known <= allowed):
        yield f"{where}: {_described(old)} became {_described(new)}"
    elif old.get("format") != new.get("format"):
        yield f"{where}: the format {old.get('format')} became {new.get('format')}"


def _type_set(schema: Schema) -> set[str]:
    kinds = schema.get("type", ())
    types = {kinds} if isinstance(kinds, str) else set(kinds)
    return types | {"integer"} if "number" in types else types


def _narrower(where: str, old: Schema, new: Schema) -> Iterator[str]:
    """What a request may hold no more."""
    before, after = _values(old), _values(new)
    if after is not None:
        lost = sorted(map(str, (before or set()) - after))
        if before is None:
            yield f"{where}: only some values are taken now"
        elif lost:
            yield f"{where}: {', '.join(lost)} is taken no more"
    for bound in UPPER_BOUNDS:
        if bound in new and (bound not in old or new[bound] < old[bound]):
            yield f"{where}: {bound} is {new[bound]} now, and was {old.get(bound, 'none')}"
    for bound in LOWER_BOUNDS:
        if bound in new and (bound not in old or new[bound] > old[bound]):
            yield f"{where}: {bound} is {new[bound]} now, and was {old.get(bound, 'none')}"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{where}: the pattern is {new['pattern']} now, and was {old.get('pattern', 'none')}"


def _values(schema: Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _described(schema: Schema) -> str:
    kinds = "|".join(sorted(_type_set(schema))) or "any value"
    return f"{kinds} {schema['title']}" if "title" in schema else kinds


def _needs_another_key(old: Schema, new: Schema) -> bool:
    """Whether a key that opened it before opens it no more; a further one takes nothing away."""
    before, after = old.get("security") or [], new.get("security") or []
    return bool(after) and (not before or any(key not in after for key in before))

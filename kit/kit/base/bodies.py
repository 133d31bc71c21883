"""What every JSON body is before anyone reads it: UTF-8, not too deep, whole text, no key twice.

Every door reads bodies here, and every error is the caller's: findings S4 (808 bytes of brackets
cost 132 kB of log), minor (a key sent twice counted the last one).
"""

import json
from typing import Any, Final, Never

from contracts.values import storable
from kit.base import errors

KEYS_MAX: Final = 1_000  # of one object; the largest that anybody needs has some thirty
DEPTH_MAX: Final = 64  # levels of objects and lists; the deepest that anybody needs is a rule's


def read(body: bytes) -> Any:
    """The value of a body. Raises Malformed `malformed-json`, `duplicate-key`, `unstorable-text`.

    Costs a till's body of 400 bytes some 12 µs: the road reads with msgspec, and asks `repeats`.
    """
    try:
        value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise malformed(str(error)) from error
    _check(value)
    return value


def repeats(body: bytes, decoded: bytes) -> bool:
    """Whether an object of a body has a key twice. Raises Malformed as read does.

    decoded: the body's value, encoded again without blanks, so each key once. In a body without
    backslashes every key ends in a quote and a colon: where both have equally many of those, no
    key was dropped. Otherwise the body is read once more. Some 0.7 µs.
    """
    if b"\\" not in body:
        tight = body.translate(None, b" \t\n\r")
        if tight.count(b'":') == decoded.count(b'":'):
            return False
    try:
        read(body)
    except errors.Malformed as error:
        if error.code == "duplicate-key":
            return True
        raise
    return False


def malformed(why: str) -> errors.Malformed:
    """A body that is no JSON."""
    return errors.Malformed(
        f"the body is not JSON in UTF-8 ({why[:200]}); correct it and send it again",
        code="malformed-json",
        fa="بدنهٔ درخواست JSON درست نیست؛ قالب را درست کنید و دوباره بفرستید.",
    )


def repeated(key: str) -> errors.Malformed:
    """An object that has a key twice: nobody knows which of the two was meant."""
    return errors.Malformed(
        f"the key {key[:64]!r} stands twice in one object; send it once",
        code="duplicate-key",
        fa="یک کلید دو بار در یک شیء آمده است؛ هر کلید را یک بار بفرستید.",
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a refusal costs no more than the reading, however many keys (findings M5)."""
    if len(pairs) > KEYS_MAX:
        raise malformed(f"an object of over {KEYS_MAX} keys")
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if key in fields:
            raise repeated(key)
        fields[key] = value
    return fields


def _constant(name: str) -> Never:
    raise ValueError(f"{name} is no number of JSON")


def _check(value: Any) -> None:
    """Level by level, so that no nesting is too deep for us before it is for the caller."""
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        below: list[Any] = []
        for item in level:
            match item:
                case str():
                    if not storable(item):
                        raise _unstorable()
                case dict():
                    below += item  # pyright: ignore[reportUnknownArgumentType]
                    below += item.values()  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
                case list():
                    below += item  # pyright: ignore[reportUnknownArgumentType]
                case _:
                    pass
        if not below:
            return
        level = below
    raise malformed(f"nested over {DEPTH_MAX} levels deep")


def _unstorable() -> errors.Malformed:
    return errors.Malformed(
        "text holds U+0000, a lone surrogate or over 30 combining marks in a row; remove them",
        code="unstorable-text",
        fa="متن نویسه‌ای دارد که نگه‌داشتنی نیست؛ نویسه‌های کامل یونیکد بفرستید.",
    )

"""Bounds that types alone cannot set: the times in a message, and how deep its JSON nests."""

from collections.abc import Callable
from itertools import accumulate
from typing import Any, Final

from msgspec import inspect

from contracts.values import MOMENT_MAX, TIME_ZERO, moment_error

NESTING_MAX: Final = 200  # far below what any reader's stack holds, wherever it reads from
Check = Callable[[Any], None]

_BRACKETS: Final = b"[]{}"
_OTHERS: Final = bytes(set(range(256)) - set(_BRACKETS))
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def nests_too_deep(raw: bytes) -> bool:
    """Whether JSON text has over NESTING_MAX brackets open at once, not counting those in strings.

    Deeper text one reader could read and another could not, depending on its stack.
    """
    if raw.count(b"[") + raw.count(b"{") <= NESTING_MAX:  # nearly always, in 0.2 us
        return False
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(plain.split(b'"')[::2]).translate(None, _OTHERS)
    return max(accumulate(_STEPS[bracket] for bracket in outside), default=0) > NESTING_MAX


def times_of(kind: Any) -> Check | None:
    """A check of every time that a type holds, at any depth; None: it holds none.

    The check raises ValueError, naming the field, for one outside [TIME_ZERO, MOMENT_MAX).
    Source: findings S1, S19, C3.
    """
    return _check_of(inspect.type_info(kind))


def _check_of(kind: inspect.Type) -> Check | None:
    match kind:
        case inspect.StructType():
            return _of_fields(kind)
        case inspect.VarTupleType():
            inner = _check_of(kind.item_type)
            return None if inner is None else _of_items(inner)
        case inspect.UnionType():
            checks = [check for one in kind.types if (check := _check_of(one)) is not None]
            return checks[0] if checks else None  # of a value or None: no contract has other unions
        case inspect.DateTimeType():
            return _time
        case _:
            return None


def _of_fields(kind: inspect.StructType) -> Check | None:
    times: list[str] = []
    others: list[tuple[str, Check]] = []
    for field in kind.fields:
        check = _check_of(field.type)
        if check is _time:
            times.append(field.name)
        elif check is not None:
            others.append((field.name, check))
    if not times and not others:
        return None

    def check_fields(value: Any) -> None:
        for name in times:
            at = getattr(value, name)
            if at is not None and not TIME_ZERO <= at < MOMENT_MAX:
                raise ValueError(f"{name}: {moment_error(at)}")
        for name, check in others:
            inner = getattr(value, name)
            if inner:
                check(inner)

    return check_fields


def _of_items(inner: Check) -> Check:
    def check_items(values: Any) -> None:
        for value in values:
            inner(value)

    return check_items


def _time(at: Any) -> None:
    if not TIME_ZERO <= at < MOMENT_MAX:
        raise ValueError(moment_error(at))

"""Cursors of pages whose items have two numbers as their key: "7.12"."""

from contracts.values import ascii_digits
from kit.base import errors, fields


def two_numbers(text: str, *, most: int = fields.NUMBER_MAX) -> tuple[int, int]:
    """The numbers of a cursor, digits of any script; most: of the second. Raises Invalid."""
    first, _, second = ascii_digits(text).partition(".")
    numeric = first.isdecimal() and second.isdecimal()
    if not numeric or int(first) > fields.NUMBER_MAX or int(second) > most:
        raise errors.Invalid("after is the next of the page before", code="bad-cursor")
    return int(first), int(second)

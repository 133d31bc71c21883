"""Public ids of transactions: read in their one spelling, and the names of imported purchases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts import values
from contracts.values import NameKind
from gateway import problems
from gateway.problems import Code

_REFUNDABLE: Final = frozenset({NameKind.TILL, NameKind.ORDER, NameKind.HISTORY})


@dataclass(frozen=True, slots=True)
class TransactionId:
    """A public id taken apart; name is in its one canonical spelling."""

    shard: int
    name: str
    family: NameKind
    parts: tuple[str, ...]


def parse_id(text: str, *, shards: int) -> TransactionId:
    """Take a public id apart. Raises BAD_TRANSACTION_ID unless spelled as an answer spells it."""
    plain = values.ascii_digits(text.strip())
    try:
        shard, name = values.parse_public_id(plain)
        family, parts = values.name_parts(name)
        spelled = values.name(family, *(_numbers(family, parts)))
    except (ValueError, UnicodeDecodeError) as error:
        raise problems.refusal(Code.BAD_TRANSACTION_ID, str(error)) from error
    if values.public_id(shard, spelled) != plain or shard >= shards:
        raise problems.refusal(Code.BAD_TRANSACTION_ID)
    return TransactionId(shard, name, family, parts)


def parse_original(text: str, *, shards: int) -> TransactionId:
    """The id of a sale. Raises BAD_TRANSACTION_ID or ORIGINAL_NOT_REFUNDABLE."""
    original = parse_id(text, shards=shards)
    if original.family not in _REFUNDABLE:
        raise problems.refusal(Code.ORIGINAL_NOT_REFUNDABLE)
    return original


def history_name(merchant: int, transaction: str) -> str:
    """Name of an imported purchase. Raises BAD_NAME when it is empty or too long."""
    try:
        return values.name(NameKind.HISTORY, merchant, transaction, "purchase")
    except ValueError as error:
        raise problems.refusal(Code.BAD_NAME) from error


def _numbers(family: NameKind, parts: Sequence[str]) -> Sequence[int | str]:
    """Numeric parts as numbers, so that only the plain spelling comes out again."""
    match family:
        case (
            NameKind.TILL | NameKind.TICK | NameKind.RECEIPT | NameKind.RETURN | NameKind.WINDOW
            | NameKind.HOLD
        ):  # fmt: skip
            return [_int(p) for p in parts]
        case (
            NameKind.ORDER | NameKind.HISTORY | NameKind.ACCOUNT | NameKind.EXPIRY | NameKind.PARTY
        ):
            return [_int(parts[0]), *parts[1:]]
        case NameKind.VERDICT | NameKind.UNDECODABLE:
            return parts


def _int(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        raise ValueError("a number in a transaction id has 1 to 16 digits")
    return int(text)

"""One leaf of a shard's log: the canonical bytes of one sequence number's rows in the book.

The layout is docs/decisions/0011.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import starmap
from struct import Struct as Layout
from typing import Any, Final

from msgspec import Struct

from contracts.values import micros
from ledger.book.facts import BEGINNING

VERSION: Final = 1
NULL_NUMBER: Final = -(2**63)
NULL_LENGTH: Final = 2**32 - 1

# Columns of a section's rows, in their order.
ENTRY_COLUMNS: Final = ("line", "account_id", "account_sequence", "amount", "balance")
CONSUMPTION_COLUMNS: Final = (
    "ordinal", "lot", "amount", "cost_rial", "claim_rial", "fee_rial", "original_sequence",
    "original_ordinal", "issuer", "acceptor", "merchant", "what",
)  # fmt: skip
LOT_COLUMNS: Final = (
    "lot", "account_id", "amount", "cost_rial", "available_from", "expires_at", "born_at",
    "parent", "issuer", "funder", "merchant", "rule_version", "unit", "rule", "origin",
)  # fmt: skip
HOLD_COLUMNS: Final = ("ordinal", "hold", "lot", "amount", "what")
DATE_COLUMNS: Final = ("lot", "available_from", "expires_at")

# The same rows as types, in the order of the tuple named last of each.
NameRow = tuple[str, bytes | None]  # name, fingerprint: by the name's UTF-8 bytes
AccountRow = tuple[int, int, int, str, str]  # account_id, owner, counterparty, role, unit
EntryRow = tuple[int, int, int, int, int]  # line, account_id, account_sequence, amount, balance
ConsumptionRow = tuple[int, int, int, int, int, int, int, int, int, int, int, str]
LotRow = tuple[
    int, int, int, int, datetime | None, datetime | None, datetime, int | None, int, int, int, int,
    str, str, str,
]  # fmt: skip
HoldRow = tuple[int, int, int, int, str]  # ordinal, hold, lot, amount, what
DateRow = tuple[int, datetime | None, datetime | None]  # lot, available_from, expires_at
RefusedAwardRow = tuple[int, str]  # place among its command's awards from 0, code

_NAMES, _ACCOUNTS, _ENTRIES, _CONSUMPTIONS, _LOTS, _HOLDS, _DATES, _REFUSED_AWARDS = range(1, 9)
_HEAD: Final = Layout(">B3q5I")
_SECTION: Final = Layout(">BI")
_NAME: Final = Layout(">II")
_ACCOUNT: Final = Layout(">3qII")
_ENTRY: Final = Layout(">5q")
_CONSUMPTION: Final = Layout(">11qI")
_LOT: Final = Layout(">12q3I")
_HOLD: Final = Layout(">4qI")
_DATE: Final = Layout(">3q")
_REFUSED_AWARD: Final = Layout(">qI")


class Leaf(Struct, frozen=True, gc=False):
    """The rows that one sequence number put into the book, in their tables' order.

    command: the record as received. answer: the bytes of the answer. marked: the answer for the
    original of a reversal that came first. names: its rows of outcomes, by name. accounts: those it
    used first, by number. entries: by line. consumptions, holds: by ordinal. lots: those it opened,
    by number. dates: lots whose dates changed, by number. refused_awards: awards of the command
    that took no effect, in their order. Their columns are above.
    """

    shard: int
    sequence: int
    decided_at: datetime
    status: str
    code: str
    command: bytes
    answer: bytes
    marked: bytes | None
    names: Sequence[NameRow]
    accounts: Sequence[AccountRow] = ()
    entries: Sequence[EntryRow] = ()
    consumptions: Sequence[ConsumptionRow] = ()
    lots: Sequence[LotRow] = ()
    holds: Sequence[HoldRow] = ()
    dates: Sequence[DateRow] = ()
    refused_awards: Sequence[RefusedAwardRow] = ()


# ----------------------------------------------------------------------------------------- writing


def encode(leaf: Leaf) -> bytes:
    """Canonical bytes of a leaf: equal for equal leaves, different for any other.

    Raises struct.error on a number outside 64 bits, ValueError on text with lone surrogates.
    Source: architecture 5 (log), decision 0011.
    """
    status, code, marked = leaf.status.encode(), leaf.code.encode(), leaf.marked
    parts = [
        _HEAD.pack(
            VERSION, leaf.shard, leaf.sequence, micros(leaf.decided_at), len(status), len(code),
            len(leaf.command), len(leaf.answer), NULL_LENGTH if marked is None else len(marked),
        ),
        status, code, leaf.command, leaf.answer, marked or b"",
    ]  # fmt: skip
    if leaf.names:
        _add(parts, _NAMES, [_name(row) for row in leaf.names])
    if leaf.accounts:
        _add(parts, _ACCOUNTS, [_account(row) for row in leaf.accounts])
    if leaf.entries:
        parts.append(_SECTION.pack(_ENTRIES, len(leaf.entries)))
        parts += starmap(_ENTRY.pack, leaf.entries)
    if leaf.consumptions:
        _add(parts, _CONSUMPTIONS, [_consumption(row) for row in leaf.consumptions])
    if leaf.lots:
        _add(parts, _LOTS, [_lot(row) for row in leaf.lots])
    if leaf.holds:
        _add(parts, _HOLDS, [_hold(row) for row in leaf.holds])
    if leaf.dates:
        _add(parts, _DATES, [_date(row) for row in leaf.dates])
    if leaf.refused_awards:
        _add(parts, _REFUSED_AWARDS, [_refused_award(row) for row in leaf.refused_awards])
    return b"".join(parts)


def _add(parts: list[bytes], tag: int, rows: list[bytes]) -> None:
    parts.append(_SECTION.pack(tag, len(rows)))
    parts += rows


def _name(row: NameRow) -> bytes:
    name, fingerprint = row[0].encode(), row[1]
    if fingerprint is None:
        return _NAME.pack(len(name), NULL_LENGTH) + name
    return _NAME.pack(len(name), len(fingerprint)) + name + fingerprint


def _account(row: AccountRow) -> bytes:
    account_id, owner, counterparty, role, unit = row
    texts = role.encode(), unit.encode()
    return _ACCOUNT.pack(account_id, owner, counterparty, *map(len, texts)) + b"".join(texts)


def _consumption(row: ConsumptionRow) -> bytes:
    movement = row[-1].encode()
    return _CONSUMPTION.pack(*row[:-1], len(movement)) + movement


def _lot(row: LotRow) -> bytes:
    lot, account_id, amount, cost, available_from, expires_at, born_at, parent = row[:8]
    unit, rule, origin = row[12].encode(), row[13].encode(), row[14].encode()
    return _LOT.pack(
        lot, account_id, amount, cost, _micros_or_null(available_from),
        _micros_or_null(expires_at), micros(born_at),
        NULL_NUMBER if parent is None else parent, *row[8:12], len(unit), len(rule), len(origin),
    ) + unit + rule + origin  # fmt: skip


def _hold(row: HoldRow) -> bytes:
    event = row[-1].encode()
    return _HOLD.pack(*row[:-1], len(event)) + event


def _date(row: DateRow) -> bytes:
    lot, available_from, expires_at = row
    return _DATE.pack(lot, _micros_or_null(available_from), _micros_or_null(expires_at))


def _refused_award(row: RefusedAwardRow) -> bytes:
    code = row[1].encode()
    return _REFUSED_AWARD.pack(row[0], len(code)) + code


def _micros_or_null(at: datetime | None) -> int:
    return NULL_NUMBER if at is None else micros(at)


# ----------------------------------------------------------------------------------------- reading


def decode(raw: bytes) -> Leaf:
    """A leaf from bytes that encode wrote. Raises ValueError on an unknown version or tag.

    It is no check: the log's hashes prove the bytes.
    """
    (version, shard, sequence, at, *lengths) = _HEAD.unpack_from(raw)
    if version != VERSION:
        raise ValueError(f"a leaf of version {version}")
    texts, place = _texts(raw, _HEAD.size, lengths)
    sections: dict[int, list[Any]] = {}
    while place < len(raw):
        tag, count = _SECTION.unpack_from(raw, place)
        read = _READERS.get(tag)
        if read is None:
            raise ValueError(f"a leaf's section {tag} is not known")
        place += _SECTION.size
        rows: list[Any] = sections.setdefault(tag, [])
        for _ in range(count):
            row, place = read(raw, place)
            rows.append(row)
    status, code, command, answer, marked = texts
    return Leaf(
        shard, sequence, _time(at), (status or b"").decode(), (code or b"").decode(),
        command or b"", answer or b"", marked,
        *(sections.get(tag, ()) for tag in range(_NAMES, _REFUSED_AWARDS + 1)),
    )  # fmt: skip


def _texts(raw: bytes, place: int, lengths: Sequence[int]) -> tuple[list[bytes | None], int]:
    texts: list[bytes | None] = []
    for length in lengths:
        if length == NULL_LENGTH:
            texts.append(None)
        else:
            texts.append(raw[place : place + length])
            place += length
    return texts, place


def _read_name(raw: bytes, place: int) -> tuple[NameRow, int]:
    texts, place = _texts(raw, place + _NAME.size, _NAME.unpack_from(raw, place))
    return ((texts[0] or b"").decode(), texts[1]), place


def _reader(layout: Layout, texts: int) -> Callable[[bytes, int], tuple[Any, int]]:
    """A reader of rows of numbers followed by texts that are never null."""

    def read(raw: bytes, place: int) -> tuple[Any, int]:
        fixed = layout.unpack_from(raw, place)
        place += layout.size
        if not texts:
            return fixed, place
        values, place = _texts(raw, place, fixed[-texts:])
        return (*fixed[:-texts], *((text or b"").decode() for text in values)), place

    return read


def _read_lot(raw: bytes, place: int) -> tuple[LotRow, int]:
    row, place = _reader(_LOT, 3)(raw, place)
    parent = None if row[7] == NULL_NUMBER else row[7]
    lot: Any = (
        *row[:4], _time_or_none(row[4]), _time_or_none(row[5]), _time(row[6]), parent, *row[8:],
    )  # fmt: skip
    return lot, place


def _read_date(raw: bytes, place: int) -> tuple[DateRow, int]:
    lot, available_from, expires_at = _DATE.unpack_from(raw, place)
    return (lot, _time_or_none(available_from), _time_or_none(expires_at)), place + _DATE.size


def _time(at: int) -> datetime:
    return BEGINNING + timedelta(microseconds=at)


def _time_or_none(at: int) -> datetime | None:
    return None if at == NULL_NUMBER else _time(at)


_READERS: Final[dict[int, Callable[[bytes, int], tuple[Any, int]]]] = {
    _NAMES: _read_name,
    _ACCOUNTS: _reader(_ACCOUNT, 2),
    _ENTRIES: _reader(_ENTRY, 0),
    _CONSUMPTIONS: _reader(_CONSUMPTION, 1),
    _LOTS: _read_lot,
    _HOLDS: _reader(_HOLD, 1),
    _DATES: _read_date,
    _REFUSED_AWARDS: _reader(_REFUSED_AWARD, 1),
}

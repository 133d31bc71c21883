"""What a till or an import may send: extremes in each field, and what passes can be sent on."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from contracts import values
from contracts.pos import Line
from gateway.road.domain import requests, shapes
from gateway.road.domain.shapes import HistoricPurchase, Transaction
from kit.base import errors

AT = "2026-03-21T13:30:00+03:30"
LINE = {"line": 1, "amount_rial": 1000, "quantity": 1, "sku": "A-1", "category": "لبنیات"}
SALE: dict[str, Any] = {
    "terminal": 7, "epoch": 1, "sequence": 1, "kind": "purchase", "occurred_at": AT,
    "identifier": {"card": "6037990000000006"}, "amount_rial": 1000, "lines": [LINE],
}  # fmt: skip
BOUGHT: dict[str, Any] = {
    "merchant": 12, "order": "77", "operation": "buy", "kind": "redemption", "occurred_at": AT,
    "identifier": {"mobile": "09123456789"}, "amount_rial": 1000, "redeem": {"points": 5},
}  # fmt: skip
REFUND: dict[str, Any] = {
    "terminal": 7, "epoch": 1, "sequence": 2, "kind": "refund", "occurred_at": AT,
    "original": {"terminal": 7, "epoch": 1, "sequence": 1, "occurred_at": AT},
    "identifier": {"qr": "PV1" + "a" * 32}, "refund_lines": [{"line": 1, "amount_rial": 5}],
}  # fmt: skip
HISTORY: dict[str, Any] = {
    "merchant": 5, "transaction": "r-1", "identifier": {"external": "m-1"}, "occurred_at": AT,
    "amount_rial": 1000, "lines": [LINE], "terminal": 0, "branch": 0,
}  # fmt: skip
EXTREMES: tuple[Any, ...] = (
    *(-(2**63) - 1, -1, 0, 1, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, 10**30, 1.5, 1e308),
    *(True, None, [], {}, [[]], {"a": 1}, [1] * 600, "", " ", "\u0000", "a\u0000", "\ud800"),
    *("\u202e\u001b[2J", "<img src=x>\r\nX: y", "\ufdfa" * 64, "x" * 129, "\u200c", "٣", "9" * 400),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "1403-05-01T10:00:00+03:30", "NaN"),
    *("2026-03-21T00:00:00", "1990-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z", "-1", "1e3"),
)
Reader = Callable[[bytes], Transaction | HistoricPurchase]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    for key in (
        value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    ):
        yield from places(value[key], (*at, key))


def put(value: Any, at: tuple[Any, ...], extreme: Any) -> Any:
    if not at:
        return extreme
    edited = deepcopy(value)
    edited[at[0]] = put(edited[at[0]], at[1:], extreme)
    return edited


@pytest.mark.parametrize(
    ("reader", "body"),
    [(requests.read_transaction, b) for b in (SALE, BOUGHT, REFUND)]
    + [(requests.read_historic, HISTORY)],
    ids=["sale", "online", "refund", "history"],
)
def test_what_is_sent_is_taken_whole_or_refused_with_a_code(reader: Reader, body: Any) -> None:
    assert reader(json.dumps(body).encode())
    for at in places(body):
        for extreme in EXTREMES:
            sent = json.dumps(put(body, at, extreme)).encode()
            try:
                taken = reader(sent)
                if isinstance(taken.identifier, shapes.Identifier):
                    requests.canonical_identifier(taken.identifier)
            except errors.Problem as refused:
                wrong = (refused.status not in (400, 422)) or not refused.fa
            else:
                wrong = not is_sayable(taken)
            assert not wrong, sent


def is_sayable(taken: Transaction | HistoricPurchase) -> bool:
    """Whether every room reads what goes onward, and nobody's screen is turned by it."""
    words = [getattr(taken, "transaction", ""), getattr(taken, "order", "") or ""]
    for line in () if taken.lines is msgspec.UNSET else taken.lines:
        fields = msgspec.structs.asdict(line)
        sent = msgspec.convert({k: v for k, v in fields.items() if v is not msgspec.UNSET}, Line)
        words += [sent.sku, sent.category]
    plain = all(str(word).isprintable() for word in words)
    return plain and values.moment_error(taken.occurred_at) == ""

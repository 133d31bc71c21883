"""Requests and answers of the road as they go over the wire; a test reads and sends each."""

from typing import Any, Final

Example = dict[str, Any]

_AT: Final = "2026-11-22T18:05:00+03:30"
_TILL: Final[Example] = {"terminal": 10000017, "epoch": 1}
_CARD: Final[Example] = {"card": "6037990000000006"}
_BASKET: Final = [
    {"line": 1, "amount_rial": 1_200_000, "category": "dairy"},
    {"line": 2, "amount_rial": 800_000, "category": "bakery"},
]


def _example(summary: str, value: Example) -> Example:
    return {"summary": summary, "value": value}


TRANSACTION: Final[dict[str, Example]] = {
    "purchase": _example(
        "خرید · A purchase with its basket",
        {
            **_TILL,
            "sequence": 42,
            "kind": "purchase",
            "occurred_at": _AT,
            "identifier": _CARD,
            "amount_rial": 2_000_000,
            "lines": _BASKET,
        },
    ),
    "redemption": _example(
        "خرج امتیاز · Points spent on a basket",
        {
            **_TILL,
            "sequence": 43,
            "kind": "redemption",
            "occurred_at": _AT,
            "identifier": {"mobile": "09121234567"},
            "amount_rial": 900_000,
            "redeem": {"points": 100},
        },
    ),
    "authorisation": _example(
        "نگه‌داشت امتیاز برای یک سفارش · Points reserved for an order that is shipped later",
        {
            "merchant": 12,
            "order": "1404/78",
            "operation": "authorisation",
            "kind": "authorisation",
            "occurred_at": _AT,
            "identifier": {"mobile": "09121234567"},
            "amount_rial": 900_000,
            "redeem": {"points": 100},
            "hold_s": 172_800,
        },
    ),
    "capture": _example(
        "فروش با امتیاز نگه‌داشته · The sale that spends what was reserved, here a part of it",
        {
            "merchant": 12,
            "order": "1404/78",
            "operation": "capture",
            "kind": "capture",
            "occurred_at": _AT,
            "original": {"id": "3.o.12.1404%2F78.authorisation"},
            "amount_rial": 700_000,
            "redeem": {"points": 80},
        },
    ),
    "void": _example(
        "آزادسازی امتیاز نگه‌داشته · What was reserved is free again",
        {
            **_TILL,
            "sequence": 47,
            "kind": "void",
            "occurred_at": _AT,
            "original": {"id": "3.t.10000017.1.40"},
        },
    ),
    "top-up": _example(
        "شارژ کیف پول در صندوق · Money paid in at the till becomes credit",
        {
            **_TILL,
            "sequence": 48,
            "kind": "top-up",
            "occurred_at": _AT,
            "identifier": _CARD,
            "amount_rial": 500_000,
        },
    ),
    "refund": _example(
        "برگشت بخشی از خرید · Part of a line comes back",
        {
            **_TILL,
            "sequence": 44,
            "kind": "refund",
            "occurred_at": _AT,
            "original": {"id": "3.t.10000017.1.42"},
            "refund_lines": [{"line": 2, "amount_rial": 800_000}],
        },
    ),
    "reversal": _example(
        "ابطال خرید بی‌پاسخ · A sale that had no answer is undone by its name",
        {
            **_TILL,
            "sequence": 45,
            "kind": "reversal",
            "occurred_at": _AT,
            "identifier": _CARD,
            "original": {**_TILL, "sequence": 41, "occurred_at": _AT},
        },
    ),
    "inquiry": _example(
        "استعلام · What the member has and could spend here",
        {
            **_TILL,
            "sequence": 46,
            "kind": "inquiry",
            "occurred_at": _AT,
            "identifier": _CARD,
            "amount_rial": 500_000,
        },
    ),
    "online": _example(
        "سفارش فروشگاه اینترنتی · An online shop's order",
        {
            "merchant": 12,
            "order": "1404/77",
            "operation": "purchase",
            "kind": "purchase",
            "occurred_at": _AT,
            "identifier": {"mobile": "۰۹۱۲۱۲۳۴۵۶۷"},
            "amount_rial": 900_000,
        },
    ),
}

HISTORY: Final[dict[str, Example]] = {
    "purchase": _example(
        "خرید سال پیش · A purchase of last year",
        {
            "merchant": 12,
            "transaction": "1001",
            "identifier": {"external": "C-17"},
            "occurred_at": "2025-05-01T10:00:00+03:30",
            "amount_rial": 150_000,
        },
    ),
}

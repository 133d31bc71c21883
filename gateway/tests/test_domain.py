"""What a caller may send: shapes, kinds, sums, digits, identifiers, fingerprints."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.problems import Code
from gateway.road.domain import requests, shapes
from kit.base import errors

CARD = "6037991234567893"


def purchase(**changes: Any) -> dict[str, Any]:
    body = {
        "terminal": 10000017,
        "epoch": 1,
        "sequence": 42,
        "kind": "purchase",
        "occurred_at": "2026-03-21T13:30:00+03:30",
        "identifier": {"card": CARD},
        "amount_rial": 1000,
        "lines": [
            {"line": 1, "amount_rial": 600, "quantity": 2, "sku": "a", "category": "لبنیات"},
            {"line": 2, "amount_rial": 400},
        ],
    }
    return {k: v for k, v in (body | changes).items() if v is not ...}


def read(body: Any) -> shapes.Transaction:
    return requests.read_transaction(json.dumps(body).encode())


def refused(body: Any) -> str:
    with pytest.raises(errors.Problem) as caught:
        read(body)
    return caught.value.code


REFUSED = [
    ({"amount_rial": 1000.0}, Code.NOT_AN_INTEGER),
    ({"amount_rial": 1e3}, Code.NOT_AN_INTEGER),
    ({"amount_rial": True}, Code.NOT_AN_INTEGER),
    ({"amount_rial": None}, Code.NOT_AN_INTEGER),
    ({"amount_rial": "1000.0"}, Code.NOT_AN_INTEGER),
    ({"amount_rial": "-5"}, Code.NOT_AN_INTEGER),
    ({"amount_rial": "هزار"}, Code.NOT_AN_INTEGER),
    ({"amount_rial": "9" * 5000}, Code.NOT_AN_INTEGER),
    ({"amount_rial": -1}, Code.OUT_OF_RANGE),
    ({"amount_rial": 2**53}, Code.OUT_OF_RANGE),
    ({"amount_rial": 10**30}, Code.OUT_OF_RANGE),
    ({"amount_rial": 0, "lines": ...}, Code.AMOUNT_IS_ZERO),
    ({"amount_rial": ...}, Code.MISSING_FIELD),
    ({"amount_rial": 999}, Code.LINES_DO_NOT_ADD_UP),
    ({"lines": []}, Code.OUT_OF_RANGE),
    ({"lines": [{"line": 1, "amount_rial": 1}] * 501}, Code.OUT_OF_RANGE),
    ({"lines": [{"line": 1, "amount_rial": 500}] * 2}, Code.LINE_REPEATED),
    ({"lines": [{"line": 0, "amount_rial": 1000}]}, Code.OUT_OF_RANGE),
    ({"lines": [{"line": 1, "amount_rial": 1000.5}]}, Code.NOT_AN_INTEGER),
    ({"lines": [{"line": 1, "amount_rial": 1000, "vat": 9}]}, Code.UNKNOWN_FIELD),
    ({"lines": [{"line": 1, "amount_rial": 1000, "sku": "x" * 65}]}, Code.OUT_OF_RANGE),
    ({"lines": {"line": 1}}, Code.BAD_SHAPE),
    ({"kind": "gift"}, Code.UNKNOWN_KIND),
    ({"kind": 5}, Code.BAD_SHAPE),
    ({"colour": "red"}, Code.UNKNOWN_FIELD),
    ({"terminal": ...}, Code.MISSING_FIELD),
    ({"terminal": 0}, Code.OUT_OF_RANGE),
    ({"terminal": 2**31}, Code.OUT_OF_RANGE),
    ({"epoch": 0}, Code.OUT_OF_RANGE),
    ({"sequence": -1}, Code.OUT_OF_RANGE),
    ({"occurred_at": "2026-03-21T13:30:00"}, Code.BAD_TIME),
    ({"occurred_at": "yesterday"}, Code.BAD_TIME),
    ({"occurred_at": 1774087200}, Code.BAD_TIME),
    *(
        ({"occurred_at": at}, Code.BAD_TIME)
        for at in (
            *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+03:30", "1989-12-31T23:59:59Z"),
            *("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "2200-01-01T00:00:00Z"),
            "1403-05-01T10:00:00+03:30",  # a Solar Hijri year
        )
    ),
    ({"identifier": ...}, Code.MISSING_FIELD),
    ({"identifier": {"external": "x"}}, Code.BAD_IDENTIFIER),
    ({"identifier": {"passport": "x"}}, Code.UNKNOWN_FIELD),
    ({"identifier": {"card": ""}}, Code.OUT_OF_RANGE),
    ({"redeem": {"points": 5}}, Code.FIELD_NOT_ALLOWED),
    ({"original": {"id": "1.t.2.1.3"}}, Code.FIELD_NOT_ALLOWED),
    ({"refund_lines": [{"line": 1, "amount_rial": 5}]}, Code.FIELD_NOT_ALLOWED),
    ({"kind": "redemption"}, Code.MISSING_FIELD),
    ({"kind": "redemption", "redeem": {"points": 0}}, Code.NOTHING_TO_REDEEM),
    ({"kind": "redemption", "redeem": {"points": 1.5}}, Code.NOT_AN_INTEGER),
    ({"kind": "refund"}, Code.FIELD_NOT_ALLOWED),
]


@pytest.mark.parametrize(("changes", "code"), REFUSED)
def test_a_bad_purchase_is_refused_under_a_stable_code(changes: dict[str, Any], code: Code) -> None:
    assert refused(purchase(**changes)) == code.code


def refund(**changes: Any) -> dict[str, Any]:
    bare = {"amount_rial": ..., "lines": ..., "identifier": ..., "kind": "refund"}
    return purchase(**(bare | {"original": {"id": "3.t.10000017.1.41"}} | changes))


NAMED = {"terminal": 10000017, "epoch": 1, "sequence": 41, "occurred_at": "2026-03-21T10:00:00Z"}
REFUND_REFUSED = [
    ({"original": ...}, Code.MISSING_FIELD),
    ({"original": {}}, Code.MISSING_FIELD),
    ({"original": NAMED}, Code.MISSING_FIELD),
    ({"original": NAMED | {"id": "3.t.1.1.1"}}, Code.FIELD_NOT_ALLOWED),
    ({"original": NAMED | {"sequence": 42}, "identifier": {"card": CARD}}, Code.ORIGINAL_IS_ITSELF),
    ({"refund_lines": [{"line": 1, "amount_rial": 0}]}, Code.OUT_OF_RANGE),
    ({"refund_lines": [{"line": 1, "amount_rial": 5}] * 2}, Code.LINE_REPEATED),
    ({"kind": "reversal", "refund_lines": [{"line": 1, "amount_rial": 5}]}, Code.FIELD_NOT_ALLOWED),
    ({"amount_rial": 0}, Code.AMOUNT_IS_ZERO),
    ({"amount_rial": -1}, Code.OUT_OF_RANGE),
    ({"amount_rial": 5.0}, Code.NOT_AN_INTEGER),
    (
        {"amount_rial": 5, "refund_lines": [{"line": 1, "amount_rial": 5}]},
        Code.FIELD_NOT_ALLOWED,
    ),
    ({"amount_rial": 5, "lines": [{"line": 1, "amount_rial": 5}]}, Code.FIELD_NOT_ALLOWED),
    ({"kind": "reversal", "amount_rial": 5}, Code.FIELD_NOT_ALLOWED),
]


@pytest.mark.parametrize(("changes", "code"), REFUND_REFUSED)
def test_a_bad_refund_is_refused_under_a_stable_code(changes: dict[str, Any], code: Code) -> None:
    assert refused(refund(**changes)) == code.code


@pytest.mark.parametrize(
    "body",
    [
        refund(),
        refund(refund_lines=[{"line": 1, "amount_rial": 5}], identifier={"card": CARD}),
        refund(amount_rial=5),
        refund(amount_rial="۵", original=NAMED | {"sequence": 40}, identifier={"card": CARD}),
        refund(kind="reversal"),
        refund(kind="reversal", original=NAMED, identifier={"card": CARD}),
        purchase(kind="inquiry", amount_rial=..., lines=...),
        purchase(kind="inquiry"),
        purchase(kind="redemption", redeem={"credit_rial": 5}),
        purchase(lines=...),
    ],
)
def test_each_kind_passes_with_what_it_needs(body: dict[str, Any]) -> None:
    assert read(body).kind.value == body["kind"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"terminal":1,}',
        b"[1",
        b'{"terminal":01}',
        b'{"a":NaN}',
        b"\xff\xfe",
        b'{"kind":"\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"q":' + b"[" * 50_000,
    ],
)
def test_what_is_not_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(errors.Problem) as caught:
        requests.read_transaction(raw)
    assert caught.value.code == "malformed-json"
    assert caught.value.status == 400


def test_no_object_is_a_bad_shape() -> None:
    assert refused([]) == "bad-shape"
    assert refused("text") == "bad-shape"


def test_persian_and_arabic_digits_mean_their_numbers() -> None:
    plain = read(purchase())
    typed = read(
        purchase(
            terminal="۱۰۰۰۰۰۱۷",
            sequence="٤٢",
            amount_rial="۱۰۰۰",
            occurred_at="۲۰۲۶-۰۳-۲۱T۱۳:۳۰:۰۰+۰۳:۳۰",
            lines=[
                {
                    "line": "۱",
                    "amount_rial": "٦٠٠",
                    "quantity": "2",
                    "sku": "a",
                    "category": "لبنيات",
                },
                {"line": 2, "amount_rial": 400},
            ],
        )
    )
    assert typed == plain
    assert requests.canonical_identifier(shapes.Identifier(card="۶۰۳۷-۹۹۱۲-۳۴۵۶-۷۸۹۳"))[1] == CARD
    assert (
        requests.canonical_identifier(shapes.Identifier(mobile="۰۹۱۲۳۴۵۶۷۸۹"))[1] == "+989123456789"
    )


@given(st.integers(0, 2**53 - 1))
def test_any_number_reads_the_same_however_it_is_typed(amount: int) -> None:
    persian = str(amount).translate({ord(str(i)): c for i, c in enumerate("۰۱۲۳۴۵۶۷۸۹")})
    body = purchase(kind="inquiry", lines=..., amount_rial=amount)
    assert read(body) == read(body | {"amount_rial": persian})


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    st.sampled_from(sorted(purchase())),
)
def test_nothing_but_a_problem_comes_of_any_value_anywhere(value: Any, field: str) -> None:
    body = json.dumps(purchase(**{field: value})).encode()
    raised: errors.Problem | None = None
    try:
        requests.read_transaction(body)
    except errors.Problem as problem:
        raised = problem
    assert raised is None or raised.code in {code.code for code in Code}


@pytest.mark.parametrize(
    ("identifier", "note"),
    [
        ({"card": "6037991234567890"}, "check digit"),
        ({"card": "123"}, "16 digits"),
        ({"mobile": "02188776655"}, "mobile"),
        ({"qr": "hello"}, "QR"),
        ({"card": CARD, "mobile": "09123456789"}, "exactly one"),
        ({}, "send a card"),
    ],
)
def test_an_identifier_is_one_and_valid(identifier: dict[str, str], note: str) -> None:
    with pytest.raises(errors.Problem) as caught:
        requests.canonical_identifier(shapes.Identifier(**identifier))
    assert caught.value.code == "bad-identifier"
    assert note in caught.value.detail


# ---------------------------------------------------------------------------------- fingerprints


def print_of(body: dict[str, Any], digest: str | None = "d") -> str:
    return requests.fingerprint(read(body), digest)


def test_the_order_of_keys_and_the_spelling_say_nothing() -> None:
    body = purchase()
    backwards = dict(reversed(list(body.items())))
    assert print_of(backwards) == print_of(body)
    assert print_of(body | {"occurred_at": "2026-03-21T10:00:00Z"}) == print_of(body)
    assert print_of(body | {"amount_rial": "۱۰۰۰"}) == print_of(body)


LINES = purchase()["lines"]
CHANGES = [
    {"terminal": 10000018},
    {"epoch": 2},
    {"sequence": 43},
    {"kind": "inquiry"},
    {"occurred_at": "2026-03-21T13:30:01+03:30"},
    {"amount_rial": 1001, "lines": [LINES[0], LINES[1] | {"amount_rial": 401}]},
    {"lines": ...},
    {"lines": [LINES[1], LINES[0]]},
    {"lines": [LINES[0] | {"line": 3}, LINES[1]]},
    {"lines": [LINES[0] | {"quantity": 1}, LINES[1]]},
    {"lines": [LINES[0] | {"sku": "b"}, LINES[1]]},
    {"lines": [LINES[0] | {"category": "گوشت"}, LINES[1]]},
    {"lines": [LINES[0] | {"amount_rial": 599}, LINES[1] | {"amount_rial": 401}]},
    {"lines": [LINES[0], LINES[1] | {"quantity": 1}]},  # present is not absent
]


@pytest.mark.parametrize("changes", CHANGES)
def test_each_field_changed_in_turn_changes_the_fingerprint(changes: dict[str, Any]) -> None:
    assert print_of(purchase(**changes)) != print_of(purchase())


@pytest.mark.parametrize(
    "changes",
    [
        {"original": {"id": "3.t.10000017.1.40"}},
        {"refund_lines": [{"line": 1, "amount_rial": 5}]},
        {"amount_rial": 5},
        {"identifier": {"card": CARD}},
        {"kind": "reversal"},
    ],
)
def test_each_field_of_a_refund_counts_too(changes: dict[str, Any]) -> None:
    assert print_of(refund(**changes)) != print_of(refund())


def test_the_identifier_counts_by_digest_and_kind_and_is_not_guessable() -> None:
    assert print_of(purchase(), "d") != print_of(purchase(), "e")
    by_mobile = purchase(identifier={"mobile": "09123456789"})
    assert print_of(by_mobile, "d") != print_of(purchase(), "d")
    spelled = purchase(identifier={"card": "۶۰۳۷ ۹۹۱۲ ۳۴۵۶ ۷۸۹۳"})
    assert print_of(spelled, "d") == print_of(purchase(), "d")

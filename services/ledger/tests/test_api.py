"""The HTTP door: readings in one snapshot, bounded lists, one outcome with what became of it."""

import itertools
from datetime import timedelta

import pytest

from contracts.ledger import IssueValue, ReleasePending
from contracts.values import Unit

from . import generators
from .one_shard import BAKER, FLORIST, NETWORK, award, terms


def figures(**fields):
    nothing = dict.fromkeys(
        ("total", "available", "held", "pending", "past", "balance", "debt", "in_transit",
         "expiring"), 0,
    )  # fmt: skip
    return nothing | {"expiring_at": None} | fields


@pytest.mark.RK1
@pytest.mark.NH8
async def test_a_balance_says_total_available_pending_by_issuer_and_what_expires(door, till):
    soon = till.one_shard.at + timedelta(days=3)
    due = till.one_shard.at + timedelta(hours=72)
    await till.post(
        till.buy(award(100, expires_at=soon)),
        till.buy(award(50, issuer=FLORIST), review_due_at=due),
        IssueValue(
            name=f"a.{till.account}.first-purchase", account=till.account, member=1,
            unit=Unit.CREDIT, amount=7_000, cost_rial=7_000, issuer=NETWORK, funder=NETWORK,
            rule="first-purchase", rule_version=1,
        ),
        till.spend(30),
    )  # fmt: skip
    found = (await door(f"/v1/accounts/{till.account}/balance")).json()
    assert found.pop("as_of") == till.one_shard.at.isoformat().replace("+00:00", "Z")
    assert found.pop("expiring_at") == soon.isoformat().replace("+00:00", "Z")
    assert found == {
        "account": till.account, "shard": till.shard, "sequence": 4, "points": 120,
        "available_points": 70, "pending_points": 50, "credit_rial": 7_000,
        "expiring_points": 70, "held_points": 0, "in_transit_points": 0, "final": False,
        "by_unit": [
            figures(unit="CR", total=7000, available=7000, balance=7000),
            figures(unit="NP", total=120, available=70, pending=50, balance=120, expiring=70,
                    expiring_at=soon.isoformat().replace("+00:00", "Z")),
        ],
        "by_issuer": [
            figures(issuer=1, unit="CR", total=7000, available=7000, balance=7000),
            figures(issuer=5, unit="NP", total=70, available=70, balance=70, expiring=70,
                    expiring_at=soon.isoformat().replace("+00:00", "Z")),
            figures(issuer=7, unit="NP", total=50, pending=50, balance=50),
        ],
    }  # fmt: skip
    door.clock.at = due
    later = (await door(f"/v1/accounts/{till.account}/balance")).json()
    assert (later["points"], later["available_points"]) == (50, 50)  # one matured, one expired


async def test_an_account_that_never_had_value_has_nothing(door):
    found = (await door("/v1/accounts/9007199254740991/balance")).json()
    assert found == {
        "account": 2**53 - 1, "shard": None, "sequence": 0,
        "as_of": generators.START.isoformat().replace("+00:00", "Z"), "points": 0,
        "available_points": 0, "pending_points": 0, "credit_rial": 0, "expiring_points": 0,
        "expiring_at": None, "by_issuer": [], "by_unit": [], "held_points": 0,
        "in_transit_points": 0, "final": False,
    }  # fmt: skip
    for path in ("lots", "statement"):
        answer = await door(f"/v1/accounts/9007199254740991/{path}")
        found = answer.json()
        assert (answer.status_code, found["items"], found["next"]) == (200, [], None)


@pytest.mark.NH18
@pytest.mark.NH8
async def test_lots_and_statement_are_read_by_pages(door, till):
    for _ in range(7):
        await till.post(till.buy(award(10)), till.spend(3))
    seen, after = [], 0
    while after is not None:
        page = (await door(f"/v1/accounts/{till.account}/lots?limit=2&after={after}")).json()
        seen += page["items"]
        after = page["next"]
    assert sum(lot["remaining"] for lot in seen) == 49
    assert [lot["lot"] for lot in seen] == sorted(lot["lot"] for lot in seen)
    lines, before = [], ""
    while before is not None:
        query = f"?limit=4&before={before}" if before else "?limit=4"
        page = (await door(f"/v1/accounts/{till.account}/statement{query}")).json()
        lines += page["items"]
        before = page["next"]
    assert [line["account_sequence"] for line in lines] == list(range(14, 0, -1))
    for newer, older in itertools.pairwise(lines):
        assert newer["balance"] - newer["amount"] == older["balance"]
    assert {line["kind"] for line in lines} == {"purchase", "redemption"}
    assert (await door(f"/v1/accounts/{till.account}/statement?unit=CR")).json()["items"] == []


@pytest.mark.SH14
async def test_positions_say_who_owes_whom_and_the_fee(door, till):
    party = 30_000 + till.shard
    await till.post(
        till.buy(award(100, issuer=party)),
        till.one_shard.transaction(
            "redemption", party + 1_000_000, redemption=terms(100), account=till.account
        ),
    )
    found = (await door(f"/v1/positions?after={party}.0&limit=1")).json()
    assert found["items"] == [
        {"debtor": party, "creditor": party + 1_000_000, "owed_rial": "10000", "fee_rial": "0"}
    ]
    assert found["next"] == f"{party}.{party + 1_000_000}"
    assert found["vector"][str(till.shard)] == 2
    fee = (await door(f"/v1/positions?after={party + 1_000_000}.0&limit=1")).json()["items"]
    assert fee == [
        {"debtor": party + 1_000_000, "creditor": 1, "owed_rial": "100", "fee_rial": "100"}
    ]


async def outcome(door, till, name):
    answer = await door(f"/internal/outcomes/{till.shard}/{name}", role="service")
    return answer.status_code, answer


async def test_an_outcome_keeps_its_first_answer_and_says_what_became_of_it(door, till):
    due = till.one_shard.at + timedelta(hours=72)
    sale = till.buy(award(100), review_due_at=due)
    ((_, first),) = (await till.post(sale)).values()
    status, answer = await outcome(door, till, sale.name)
    assert (status, answer.json()["current"]) == (
        200, {"status": "held", "points_pending": 100, "refunded_rial": 0},
    )  # fmt: skip
    assert first in answer.content
    await till.post(
        ReleasePending(name=f"v.{till.shard}", original=sale.name, case_id="1", reviewer="r")
    )
    _, answer = await outcome(door, till, sale.name)
    assert answer.json()["current"]["status"] == "released"
    assert answer.json()["current"]["points_pending"] == 0
    await till.post(
        till.one_shard.transaction("reversal", BAKER, original=sale.name, account=0, amount_rial=0)
    )
    _, answer = await outcome(door, till, sale.name)
    assert answer.json()["current"] == {
        "status": "reversed", "points_pending": 0, "refunded_rial": 1_000_000,
    }  # fmt: skip
    assert first in answer.content


async def test_statuses_of_what_was_declined_refunded_or_never_came(door, till):
    short = till.spend(5)
    sale = till.buy(award(10))
    await till.post(
        short,
        sale,
        till.one_shard.transaction("refund", BAKER, original=sale.name, account=0, amount_rial=0),
        till.one_shard.transaction("reversal", BAKER, original="t.1.1.7", account=0, amount_rial=0),
    )
    for name, expected in (
        (short.name, "declined"),
        (sale.name, "refunded"),
        ("t.1.1.7", "reversed_before_arrival"),
    ):
        status, answer = await outcome(door, till, name)
        assert (status, answer.json()["current"]["status"]) == (200, expected)
        assert answer.json()["id"] == f"{till.shard}.{name}"
    status, _ = await outcome(door, till, "t.1.1.8")
    assert status == 404


async def test_a_held_sale_is_released_by_its_due_time_alone(door, till):
    due = till.one_shard.at + timedelta(hours=72)
    sale = till.buy(award(100), review_due_at=due)
    await till.post(sale)
    door.clock.at = due
    _, answer = await outcome(door, till, sale.name)
    assert answer.json()["current"]["status"] == "released"


@pytest.mark.parametrize(
    ("path", "role", "status", "code"),
    [
        ("/v1/accounts/0/balance", "auditor", 422, "invalid"),
        ("/v1/accounts/9007199254740992/balance", "auditor", 422, "invalid"),
        ("/v1/accounts/ninety/balance", "auditor", 422, "invalid"),
        ("/v1/accounts/99/balance", "", 401, "unauthorized"),
        ("/v1/accounts/99/balance", "service", 403, "forbidden"),
        ("/v1/accounts/99/statement", "merchant:5", 403, "forbidden"),
        ("/v1/accounts/99/lots?limit=201", "auditor", 422, "invalid"),
        ("/v1/accounts/99/statement?unit=EUR", "auditor", 422, "invalid"),
        ("/v1/positions?after=x", "auditor", 422, "invalid"),
        ("/v1/positions?after=9999999999.1", "auditor", 422, "bad-cursor"),
        ("/v1/accounts/99/balance?att=2026-01-01T00:00:00Z", "auditor", 422, "invalid"),
        ("/v1/accounts/99/balance?at=yesterday", "auditor", 422, "bad-time"),
        ("/v1/accounts/99/balance?sequence=-1", "auditor", 422, "bad-number"),
        (
            "/v1/accounts/99/balance?sequence=1&at=2026-01-01T00:00:00Z",
            "auditor",
            422,
            "as-of-twice",
        ),
        ("/v1/accounts/99/lots/4096?after=1", "auditor", 422, "bad-cursor"),
        ("/v1/accounts/99/lots/4096", "auditor", 404, "unknown-lot"),
        ("/v1/accounts/99/statement?unit=MP", "auditor", 422, "issuer-missing"),
        ("/v1/accounts/99/statement?since=1405-01-01", "auditor", 422, "bad-time"),
        ("/v1/accounts/99/entries/1/proof", "auditor", 404, "unknown-entry"),
        ("/v1/bookings/nothing", "auditor", 422, "bad-transaction-id"),
        ("/v1/bookings/99999.t.1.1.1", "auditor", 422, "bad-transaction-id"),
        ("/v1/bookings/1.t.1.1.1", "auditor", 404, "unknown-outcome"),
        ("/v1/bookings/1.t.1.1.1", "service", 403, "forbidden"),
        ("/v1/positions?vector=0:1,x", "auditor", 422, "bad-vector"),
        ("/v1/positions?vector=0:0", "auditor", 422, "vector-lacks-a-shard"),
        ("/v1/vintages?at=2999-01-01T00:00:00Z", "auditor", 422, "not-yet-reached"),
        ("/v1/vintages?after=5.XX.1405-01", "auditor", 422, "bad-cursor"),
        ("/v1/vintages", "merchant:5", 403, "forbidden"),
        (
            "/v1/revenue?issuer=5&month=2026-03&at=2026-03-20T00:00:00Z&allocated_rial=1"
            "&redeemed_share_bp=1",
            "auditor",
            422,
            "bad-month",
        ),
        (
            "/v1/revenue?issuer=5&month=1405-01&at=2026-03-20T00:00:00Z&allocated_rial=1"
            "&allocated_rial=2&redeemed_share_bp=1",
            "auditor",
            422,
            "periods-do-not-match",
        ),
        ("/v1/checkpoints", "auditor", 404, "no-checkpoint"),
        ("/v1/checkpoints/1", "service", 403, "forbidden"),
        ("/v1/proofs/32767/1", "auditor", 404, "unknown-shard"),
        ("/v1/proofs/11/1", "auditor", 422, "not-yet-reached"),
        ("/v1/proofs/11/0", "auditor", 422, "not-in-the-log"),
        ("/v1/proofs/11/one", "auditor", 422, "bad-number"),
        ("/v1/consistency/11?old=1", "auditor", 422, "not-yet-reached"),
        ("/v1/consistency/11", "auditor", 422, "invalid"),
        ("/internal/outcomes/1/t.1.1.1", "auditor", 403, "forbidden"),
        ("/internal/outcomes/1/t.1.1.1", "service", 404, "unknown-outcome"),
        ("/internal/outcomes/99999/t.1.1.1", "service", 422, "invalid"),
    ],
)
async def test_what_is_wrong_gets_a_problem_with_a_stable_code(door, path, role, status, code):
    answer = await door(path, role=role)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"

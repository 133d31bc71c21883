"""One transaction as booked: every entry with its account, what lots did, who owes whom by it."""

import hashlib

import pytest

from contracts import envelope as envelopes
from ledger.log.domain.records import fingerprint_bytes

from . import postgres
from .one_shard import BAKER, FLORIST, GROCER, NETWORK, award

pytestmark = pytest.mark.NH18

RAW = b"\xffnonsense"
ENTRY = ("owner", "role", "unit", "counterparty", "amount")


async def read(door, till, name):
    answer = await door(f"/v1/bookings/{till.shard}.{name.replace('%', '%25')}")
    assert answer.status_code == 200, answer.text
    return answer.json(), answer


async def test_a_redemption_shows_both_legs_and_its_money(door, till):
    spend = till.spend(150)
    said = await till.post(
        till.buy(award(100)), till.buy(award(60, issuer=FLORIST), merchant=FLORIST), spend
    )
    found, answer = await read(door, till, spend.name)
    assert [tuple(entry[k] for k in ENTRY) for entry in found["entries"]] == [
        (till.account, "value", "NP", 0, -150),
        (BAKER, "redeemed", "NP", 0, 100),
        (FLORIST, "redeemed", "NP", 0, 50),
        (BAKER, "payable", "IRR", GROCER, -10_000),
        (GROCER, "receivable", "IRR", BAKER, 10_000),
        (FLORIST, "payable", "IRR", GROCER, -5_000),
        (GROCER, "receivable", "IRR", FLORIST, 5_000),
        (GROCER, "payable", "IRR", NETWORK, -150),
        (NETWORK, "fee", "IRR", GROCER, 150),
    ]
    assert [(r["what"], r["amount"], r["claim_rial"], r["fee_rial"], r["issuer"])
            for r in found["consumptions"]] == [
        ("redeemed", 100, 10_000, 100, BAKER), ("redeemed", 50, 5_000, 50, FLORIST),
    ]  # fmt: skip
    assert found["money"] == {
        "claims": [
            {"debtor": BAKER, "creditor": GROCER, "rial": 10_000},
            {"debtor": GROCER, "creditor": NETWORK, "rial": 150},
            {"debtor": FLORIST, "creditor": GROCER, "rial": 5_000},
        ],
        "fee_rial": 150, "own_discount_rial": 0, "cost_released_rial": 0,
    }  # fmt: skip
    assert (found["sequence"], found["kind"], found["status"]) == (3, "redemption", "completed")
    assert found["id"] == found["booked_by"] == f"{till.shard}.{spend.name}"
    fingerprint = fingerprint_bytes(envelopes.fingerprint_of(spend))
    assert bytes.fromhex(found["fingerprint"]) == fingerprint
    assert found["body"]["data"]["name"] == spend.name
    assert said[2][1] in answer.content  # the bytes answered


async def test_a_refund_mirrors_the_money_and_a_sale_opens_lots(door, till):
    sale, spend = till.buy(award(100)), till.spend(100)
    refund = till.one_shard.transaction(
        "refund", GROCER, original=spend.name, account=0, amount_rial=0
    )
    await till.post(sale, spend, refund)
    bought, _ = await read(door, till, sale.name)
    assert [(lot["lot"], lot["amount"], lot["issuer"]) for lot in bought["lots"]] == [
        (4096, 100, BAKER)
    ]
    assert bought["money"]["claims"] == []
    spent, _ = await read(door, till, spend.name)
    back, _ = await read(door, till, refund.name)
    assert [c["rial"] for c in back["money"]["claims"]] == [
        -c["rial"] for c in spent["money"]["claims"]
    ]
    assert back["money"]["fee_rial"] == -spent["money"]["fee_rial"]
    assert [r["what"] for r in back["consumptions"]] == ["restored"]


async def test_refusals_marked_names_and_bytes_nobody_could_read_are_bookings_too(
    door,
    till,
    database,
):
    short = till.spend(5)
    reverse = till.one_shard.transaction(
        "reversal", BAKER, original="t.1.1.7", account=0, amount_rial=0
    )
    await till.post(short, reverse)
    found, _ = await read(door, till, short.name)
    assert (found["status"], found["entries"], found["consumptions"]) == ("declined", [], [])
    marked, _ = await read(door, till, "t.1.1.7")
    assert marked["id"] == f"{till.shard}.t.1.1.7"
    assert marked["booked_by"] == f"{till.shard}.{reverse.name}"
    assert marked["fingerprint"] is None
    await postgres.post(database, [postgres.undecodable(till.shard, RAW)])
    lost, _ = await read(door, till, f"u.{hashlib.sha256(RAW).hexdigest()}")
    assert (lost["command"], lost["status"], lost["body"]) == ("undecodable", "refused", None)


async def test_a_name_with_escapes_is_found(door, till):
    sale = till.buy(award(1), name="h.5.a%2Eb.purchase")
    await till.post(sale)
    found, _ = await read(door, till, sale.name)
    assert found["id"] == f"{till.shard}.h.5.a%2Eb.purchase"

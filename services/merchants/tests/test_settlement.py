"""A window is settled: proposed and approved by two, collected, paid out, told to the ledger."""

import uuid
from typing import Any

import pytest
from defusedxml import ElementTree as Xml

from contracts import envelope, topics
from contracts.iran import sheba_check_digits
from contracts.ledger import COMMANDS, Outcome
from contracts.value import SettlePosition
from contracts.values import NETWORK_PARTY as NETWORK
from contracts.values import Status
from kit.base.db import Database
from kit.stream import outbox
from merchants.settlement import consumer
from support.trail import Trail

from .ledger_outcomes import (
    BAKER,
    FLORIST,
    GROCER,
    event,
    outcome,
    paid,
    redemption,
    refund,
)
from .test_clearing import ENDS, SALES, commit, markers
from .test_domain_bank_files import pain_002

pytestmark = pytest.mark.SH14


def sheba_of(account: str) -> str:
    """A right Sheba of an account, 22 digits."""
    return f"IR{sheba_check_digits(account)}{account}"


SHEBAS = {BAKER: sheba_of("0170000000123456789012"), GROCER: sheba_of("0170000000098765432109")}
NEW_SHEBA = sheba_of("0120000000004444555566")
PATH = "/v1/windows/1/settlement"
TARGETS = {NETWORK: 330, BAKER: -2_150, GROCER: 8_820, FLORIST: -7_000}


@pytest.fixture
async def closed(door: Any, pool: Database) -> Any:
    """Window 1, closed with the sales of test_clearing; its parties registered."""
    for party, title in ((BAKER, "نان"), (GROCER, "بقالی"), (FLORIST, "گل")):
        body = {"title_fa": title, "title_en": "x"}
        if party in SHEBAS:
            body["sheba"] = SHEBAS[party]
        answer = await door("PUT", f"/v1/parties/{party}", body)
        assert answer.status_code == 201, answer.text
    await commit(pool, SALES)
    await door("PUT", "/v1/windows/1", {})
    await commit(pool, markers(1, ENDS))
    await commands_of(pool)
    return door


async def proposed(door: Any, path: str = PATH) -> dict[str, Any]:
    answer = await door("PUT", path, {}, subject="sara")
    assert answer.status_code == 201, answer.text
    return answer.json()["settlement"]


async def approved(door: Any, path: str = PATH) -> dict[str, Any]:
    answer = await door("PUT", path + "/approval", subject="reza")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def answered(door: Any, *lines: str, path: str = PATH) -> Any:
    content = "reference,status,amount_rial,reason\n" + "\n".join(lines) + "\n"
    body = {"format": "csv", "content": content}
    return await door("PUT", f"{path}/answers/{uuid.uuid4()}", body)


async def collected(door: Any) -> dict[str, Any]:
    await proposed(door)
    await approved(door)
    answer = await answered(door, "PV1-C1-1,paid,2150,", "PV1-C1-2,paid,7000,")
    assert answer.status_code == 201, answer.text
    return (await door("GET", PATH)).json()


async def commands_of(pool: Database) -> list[tuple[int | None, SettlePosition]]:
    """Shard and body of the settle-positions that were sent since the last call."""
    async with pool.transaction() as tx:
        messages, _ = await outbox.take_messages(tx, 200)
    decoded = [
        (one.partition, envelope.decode(one.value or b"", COMMANDS).data)
        for one in messages
        if one.topic == topics.LEDGER_COMMANDS.name
    ]
    return [(shard, body) for shard, body in decoded if isinstance(body, SettlePosition)]


def brief(
    commands: list[tuple[int | None, SettlePosition]],
) -> list[tuple[int | None, int, int, int, int]]:
    return [(shard, c.window, c.debtor, c.creditor, c.amount_rial) for shard, c in commands]


async def test_it_is_proposed_by_one_and_approved_by_another(closed: Any) -> None:
    dry = (await closed("PUT", PATH, {"dry_run": True})).json()
    assert {one["party"]: int(one["target_rial"]) for one in dry["parties"]} == TARGETS
    assert dry["settlement"] is None
    assert (await closed("GET", PATH)).status_code == 404
    report = await proposed(closed)
    assert report["state"] == "proposed"
    assert (await closed("PUT", PATH, {}, subject="mina")).status_code == 200  # there is one
    alone = await closed("PUT", PATH + "/approval", subject="sara")
    assert (alone.status_code, alone.json()["code"]) == (403, "same-person")


async def test_a_window_is_settled_from_end_to_end(closed: Any, pool: Database) -> None:
    door = closed
    await proposed(door)
    report = await approved(door)
    assert report["state"] == "collecting"
    collections = [(i["reference"], i["party"], i["amount_rial"]) for i in report["instructions"]]
    assert collections == [("PV1-C1-1", BAKER, "2150"), ("PV1-C1-2", FLORIST, "7000")]
    assert await approved(door) == report  # repeated
    assert await commands_of(pool) == []

    await answered(door, "PV1-C1-1,paid,۲۱۵۰,")
    assert (await door("GET", PATH)).json()["state"] == "collecting"
    await answered(door, "PV1-C1-2,paid,7000,")
    paying = (await door("GET", PATH)).json()
    assert paying["state"] == "paying"
    left = {one["party"]: one["left_rial"] for one in paying["parties"]}
    assert left == {NETWORK: "0", BAKER: "0", GROCER: "8820", FLORIST: "0"}
    (payout,) = [one for one in paying["instructions"] if one["direction"] == "payout"]
    assert (payout["party"], payout["sheba"]) == (GROCER, "*" * 22 + "2109")
    # both parties of these pairs are done; the grocer's pairs wait
    assert brief(await commands_of(pool)) == [
        (0, 1, BAKER, NETWORK, 45),
        (1, 1, BAKER, NETWORK, 105),
        (1, 1, FLORIST, BAKER, 7_000),
    ]

    await answered(door, "PV1-P1-1,paid,8820,")
    done = (await door("GET", PATH)).json()
    assert (done["state"], done["completed_at"] is not None) == ("completed", True)
    commands = await commands_of(pool)
    assert brief(commands) == [
        (0, 1, GROCER, NETWORK, 150),
        (1, 1, GROCER, NETWORK, 30),
        (0, 1, BAKER, GROCER, 10_000),
        (0, 1, GROCER, BAKER, 3_000),
        (1, 1, BAKER, GROCER, 2_000),
    ]
    assert (done["bookings_pending"], done["bookings_declined"]) == (8, 0)
    answers = [_booked(shard or 0, body, 100 + n) for n, (shard, body) in enumerate(commands)]
    await _hear(pool, answers)
    after = (await door("GET", PATH)).json()
    assert (after["bookings_pending"], after["bookings_declined"]) == (3, 0)


def _booked(
    shard: int, body: SettlePosition, sequence: int, status: Status = Status.COMPLETED
) -> tuple[int, Outcome]:
    entries = paid(body.debtor, body.creditor, body.amount_rial)
    fields = {"command": "settle-position.v1", "name": body.name, "status": status}
    return shard, outcome(sequence, entries, **fields)


async def _hear(pool: Database, batch: list[tuple[int, Outcome]]) -> None:
    for _ in range(2):
        async with pool.transaction() as tx:
            await consumer.on_ledger_entries(tx, [event(shard, one) for shard, one in batch])


async def test_a_declined_booking_is_seen(closed: Any, pool: Database) -> None:
    await collected(closed)
    (shard, body), *_ = await commands_of(pool)
    await _hear(pool, [_booked(shard or 0, body, 100, Status.DECLINED)])
    report = (await closed("GET", PATH)).json()
    assert (report["bookings_pending"], report["bookings_declined"]) == (2, 1)


async def test_a_refund_after_the_payment_goes_back_in_the_next_window(
    closed: Any, pool: Database
) -> None:
    """N18: window 1 settled: issuer paid 10,000; refund in window 2: acceptor owes 10,000."""
    await collected(closed)
    await answered(closed, "PV1-P1-1,paid,,")
    await commands_of(pool)
    await commit(pool, [(0, outcome(5, refund(BAKER, GROCER, 10_000, 150)))])
    await closed("PUT", "/v1/windows/2", {})
    await commit(pool, markers(2, {0: 6, 1: 4, 2: 2}))
    await commands_of(pool)
    path = "/v1/windows/2/settlement"
    report = await proposed(closed, path)
    targets = {one["party"]: int(one["target_rial"]) for one in report["parties"]}
    assert targets == {NETWORK: -150, BAKER: 10_000, GROCER: -9_850}
    await approved(closed, path)
    await answered(closed, "PV2-C1-1,paid,150,", "PV2-C1-2,paid,9850,", path=path)
    await answered(closed, "PV2-P1-1,paid,10000,", path=path)
    assert (await closed("GET", path)).json()["state"] == "completed"
    assert brief(await commands_of(pool)) == [
        (0, 2, NETWORK, GROCER, 150),
        (0, 2, GROCER, BAKER, 10_000),
    ]


async def test_a_rejected_payout_is_paid_to_a_corrected_account(
    closed: Any, pool: Database
) -> None:
    await collected(closed)
    report = pain_002(
        "<OrgnlEndToEndId>PV1-P1-1</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
    )
    path = f"{PATH}/answers/{uuid.uuid4()}"
    body = {"format": "pain.002", "content": report}
    assert (await closed("PUT", path, body)).status_code == 201
    (line,) = payouts((await closed("GET", PATH)).json())
    assert (line["state"], line["reason"]) == ("rejected", "AC04")
    change = f"/v1/parties/{GROCER}/sheba-changes/{uuid.uuid4()}"
    sheba = {"sheba": NEW_SHEBA, "reason": "نامهٔ بانک"}
    assert (await closed("PUT", change, sheba, subject="sara")).status_code == 201
    assert (await closed("PUT", change, sheba, subject="sara")).status_code == 200
    alone = await closed("PUT", change + "/approval", subject="sara")
    assert alone.json()["code"] == "same-person"
    assert (await closed("PUT", change + "/approval", subject="reza")).status_code == 200
    again = (await closed("PUT", PATH + "/reinstruction")).json()
    assert again["lines"] == 1
    assert (await closed("PUT", PATH + "/reinstruction")).json()["lines"] == 0  # under way
    raw = await closed("GET", PATH + "/files/2/pain001")
    assert raw.headers["content-type"].startswith("application/xml")
    ibans = [one.text for one in Xml.fromstring(raw.content).iter() if one.tag.endswith("IBAN")]
    assert ibans[1:] == [NEW_SHEBA]
    await answered(closed, "PV1-P2-1,paid,8820,")
    done = (await closed("GET", PATH)).json()
    assert done["state"] == "completed"
    assert [one["state"] for one in payouts(done)] == ["rejected", "paid"]


def payouts(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in report["instructions"] if one["direction"] == "payout"]


async def test_a_returned_payout_opens_the_settlement_again(closed: Any, pool: Database) -> None:
    await collected(closed)
    await answered(closed, "PV1-P1-1,paid,8820,")
    booked = len(await commands_of(pool))
    await answered(closed, "PV1-P1-1,returned,8820,حساب بسته")
    report = (await closed("GET", PATH)).json()
    assert report["state"] == "paying"
    assert booked == 8
    assert (await closed("PUT", PATH + "/reinstruction")).json()["lines"] == 1
    await answered(closed, "PV1-P2-1,paid,8820,")
    assert (await closed("GET", PATH)).json()["state"] == "completed"
    assert await commands_of(pool) == []  # the ledger knows already that they are quits


async def test_bad_answers_change_nothing(closed: Any) -> None:
    await proposed(closed)
    early = await answered(closed, "PV1-C1-1,paid,2150,")
    assert (early.status_code, early.json()["code"]) == (409, "settlement-not-there")
    before = await approved(closed)
    for lines in (
        ("PV1-C1-1,paid,2150,", "PV1-C1-9,paid,1,"),  # the first line is right
        ("PV1-C1-1,paid,2150,", "PV1-C1-2,paid,6999,"),
        ("PV1-C1-1,returned,2150,",),
        ("PV2-C1-1,paid,2150,",),
    ):
        answer = await answered(closed, *lines)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-bank-answer"), lines
        assert answer.json()["fa"]
    assert (await closed("GET", PATH)).json() == before


async def test_the_same_file_again_changes_nothing(closed: Any) -> None:
    await proposed(closed)
    await approved(closed)
    path = f"{PATH}/answers/{uuid.uuid4()}"
    content = "reference,status,amount_rial,reason\nPV1-C1-1,paid,2150,\n"
    body = {"format": "csv", "content": content}
    first = await closed("PUT", path, body)
    assert (first.status_code, first.json()["changed_count"]) == (201, 1)
    again = await closed("PUT", path, body)
    assert (again.status_code, again.json()) == (200, first.json())
    other = await closed("PUT", path, body | {"content": content + "PV1-C1-2,paid,7000,\n"})
    assert other.json()["code"] == "already-exists-differently"
    said_again = await answered(closed, "PV1-C1-1,paid,2150,")
    assert said_again.json()["changed_count"] == 0


async def test_settlements_come_one_after_the_other(closed: Any, pool: Database) -> None:
    open_window = await closed("PUT", "/v1/windows/2/settlement", {})
    assert (open_window.status_code, open_window.json()["code"]) == (409, "window-not-closed")
    assert (await closed("PUT", "/v1/windows/9/settlement", {})).status_code == 404
    await closed("PUT", "/v1/windows/2", {})
    await commit(pool, markers(2, {0: 5, 1: 4, 2: 2}))
    await proposed(closed)
    under_way = await closed("PUT", "/v1/windows/2/settlement", {})
    assert under_way.json()["code"] == "settlement-under-way"
    withdrawn = (await closed("PUT", PATH + "/withdrawal")).json()
    assert withdrawn["state"] == "withdrawn"
    assert (await closed("PUT", PATH + "/withdrawal")).json() == withdrawn
    refused = await closed("PUT", PATH + "/approval", subject="reza")
    assert refused.json()["code"] == "settlement-not-there"
    later = await proposed(closed, "/v1/windows/2/settlement")
    targets = {one["party"]: int(one["target_rial"]) for one in later["parties"]}
    assert targets == TARGETS
    listed = (await closed("GET", "/v1/settlements")).json()
    assert [one["window"] for one in listed["items"]] == [2, 1]


async def test_once_somebody_paid_it_is_not_withdrawn(closed: Any) -> None:
    await proposed(closed)
    await approved(closed)
    await answered(closed, "PV1-C1-1,paid,2150,")
    refused = await closed("PUT", PATH + "/withdrawal")
    assert (refused.status_code, refused.json()["code"]) == (409, "settlement-not-there")


async def test_nothing_reaches_the_minimum(door: Any, pool: Database) -> None:
    await commit(pool, [(0, outcome(1, redemption(BAKER, GROCER, 499, 0)))])
    await door("PUT", "/v1/windows/1", {})
    await commit(pool, markers(1, {0: 2, 1: 1, 2: 1}))
    for body in ({"dry_run": True}, {}):
        answer = await door("PUT", PATH, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-settle")
    assert (await door("GET", "/v1/settlements")).json()["items"] == []


async def test_files_are_the_same_bytes_for_ever_and_who_took_them_is_kept(
    closed: Any, pool: Database
) -> None:
    trail = await Trail.of(pool)
    await collected(closed)
    for kind in ("pain001", "csv"):
        first = await closed("GET", f"{PATH}/files/1/{kind}")
        assert first.status_code == 200
        assert (await closed("GET", f"{PATH}/files/1/{kind}")).content == first.content
        assert (await closed("GET", f"{PATH}/files/2/{kind}")).status_code == 404
    rows = await trail.rows()
    reads = [row for row in rows if row["act"] == "read" and "/files/" in row["route"]]
    assert len(reads) == 4
    assert SHEBAS[GROCER] not in str(rows)

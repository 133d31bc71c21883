"""Disputes at the door: opened, answered, escalated, decided; deadlines; who may; what is told."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from contracts import envelope, topics
from contracts.merchants import DisputeChanged
from kit.base import errors
from kit.base.db import Database
from kit.stream import outbox
from merchants.disputes import jobs
from support.clocks import StoppedClock
from support.trail import Trail

from .conftest import NOW
from .disputing import OWED, Parties, arranged, body_of, ends_after, id_of
from .ledger_outcomes import BAKER, FLORIST, GROCER

pytestmark = pytest.mark.SH14
TEN_DAYS = timedelta(days=10)


@pytest.fixture
async def parties(door: Any, pool: Database) -> Parties:
    return await arranged(door, pool)


def refusal(answer: Any) -> tuple[int, str]:
    problem = answer.json()
    assert problem["fa"]
    assert problem["detail"]
    return answer.status_code, problem["code"]


async def told(pool: Database) -> list[DisputeChanged]:
    """What the topic was told since the last call."""
    async with pool.transaction() as tx:
        messages, _ = await outbox.take_messages(tx, 200)
    decoders = {"dispute-changed.v1": DisputeChanged}
    return [
        envelope.decode(one.value or b"", decoders).data
        for one in messages
        if one.topic == topics.MERCHANTS_DISPUTES.name
    ]


async def test_a_dispute_is_opened_once_with_its_deadline(parties: Parties, pool: Database) -> None:
    first = await parties.open(text="  این   فروش دو بار آمده ‎است ")
    assert first.status_code == 201, first.text
    kept = first.json()
    assert (kept["state"], kept["opener"], kept["respondent"]) == ("open", BAKER, GROCER)
    assert (kept["amount_rial"], kept["reason_fa"]) == ("4000", "دو بار به حساب آمده است")
    assert kept["text"] == "این فروش دو بار آمده است"
    assert kept["due_at"] == "2026-03-31T08:00:00Z"
    (step,) = kept["steps"]
    assert (step["state"], step["party"], step["by"], step["rial"]) == (
        "open",
        BAKER,
        "tester",
        "4000",
    )
    again = await parties.open(text="این فروش دو بار آمده است")
    assert (again.status_code, again.json()) == (200, kept)
    other = await parties.open(amount_rial=4_001)
    assert refusal(other) == (422, "already-exists-differently")
    changed = await told(pool)
    assert [(one.version, one.state) for one in changed] == [(1, "open")]
    assert (changed[0].opener_merchants, changed[0].respondent_merchants) == ((20,), (30,))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_rial": OWED + 1}, (409, "over-the-line")),
        ({"amount_rial": 0}, (422, "invalid")),
        ({"amount_rial": "4000"}, (422, "invalid")),
        ({"counterparty": 1, "side": "claim"}, (422, "nothing-to-dispute")),
        ({"counterparty": BAKER}, (422, "nothing-to-dispute")),
        ({"counterparty": 99}, (404, "not-found")),
        ({"window": 2}, (409, "window-not-closed")),
        ({"window": 9}, (404, "not-found")),
        ({"window": 2**31}, (422, "invalid")),
        ({"reason": "because"}, (422, "invalid")),
        ({"side": "own"}, (422, "invalid")),
        ({"side": "claim", "amount_rial": 1}, (422, "nothing-to-dispute")),
        ({"text": ""}, (422, "invalid")),
        ({"text": "x" * 2_001}, (422, "invalid")),
        ({"transactions": ["0.t.10.1.99"]}, (422, "transaction-not-of-line")),
        ({"transactions": ["nothing"]}, (422, "invalid")),
        ({"transactions": ["0.t.10.1.1"] * 51}, (422, "invalid")),
        ({"more": 1}, (422, "invalid")),
    ],
)
async def test_what_cannot_be_disputed_is_refused(
    parties: Parties, pool: Database, changes: dict[str, Any], code: tuple[int, str]
) -> None:
    assert refusal(await parties.open(**changes)) == code
    assert await told(pool) == []


async def test_transactions_behind_the_line_are_named(parties: Parties) -> None:
    kept = (await parties.open(transactions=["۰.t.10.1.1", "1.t.10.1.1", "0.t.10.1.1"])).json()
    assert kept["transactions"] == ["0.t.10.1.1", "1.t.10.1.1"]


async def test_a_claim_that_was_taken_back_is_disputed_by_whom_it_was_due(
    parties: Parties,
) -> None:
    """2,000 of the grocer's claim were reversed: it may dispute these, and no more."""
    of_grocer = {"party": GROCER, "counterparty": BAKER, "side": "claim"}
    assert refusal(await parties.open(**of_grocer, amount_rial=2_001)) == (409, "over-the-line")
    assert (await parties.open(**of_grocer, amount_rial=2_000)).status_code == 201
    ended = (await parties.answer(2_000, party=BAKER)).json()
    assert (ended["state"], ended["correction_rial"], ended["correction_window"]) == (
        "accepted",
        "2000",
        2,
    )


async def test_all_disputes_of_a_line_are_bounded_by_it(parties: Parties) -> None:
    assert (await parties.open(1, amount_rial=6_000)).status_code == 201
    over = await parties.open(2, amount_rial=4_001)
    assert refusal(over) == (409, "over-the-line")
    assert over.json()["left_rial"] == 4_000
    assert (await parties.open(2, amount_rial=4_000)).status_code == 201
    await parties.withdraw(1)
    assert (await parties.open(3, amount_rial=6_000)).status_code == 201
    await parties.answer(6_000, 3)
    assert refusal(await parties.open(4, amount_rial=1)) == (409, "over-the-line")


async def test_a_window_is_disputed_for_45_days(parties: Parties, at: StoppedClock) -> None:
    at.at = NOW + timedelta(days=45)
    assert refusal(await parties.open()) == (409, "dispute-too-late")
    at.at -= timedelta(seconds=1)
    assert (await parties.open()).status_code == 201
    at.at += timedelta(days=1)
    assert (await parties.open()).status_code == 200  # repeated, it is there


async def test_accepted_it_is_corrected_in_the_open_window_alone(
    parties: Parties, pool: Database
) -> None:
    before = await parties.statement(1, BAKER)
    await parties.open()
    first = await parties.answer(4_000, note="درست است")
    assert (first.status_code, first.json()["state"]) == (201, "accepted")
    again = await parties.answer(4_000, note="درست است")
    assert (again.status_code, again.json()) == (200, first.json())
    assert refusal(await parties.answer(3_999)) == (422, "already-exists-differently")
    assert await parties.statement(1, BAKER) == before
    await parties.close(ends_after(2))
    positions = await parties.positions(2)
    assert {party: one["corrections_rial"] for party, one in positions.items()} == {
        1: 0, BAKER: 4_000, GROCER: -4_000, FLORIST: 0,
    }  # fmt: skip
    assert sum(one["position_rial"] for one in positions.values()) == 0
    assert sum(one["closing_rial"] for one in positions.values()) == 0
    assert await parties.differences(1) == await parties.differences(2) == []
    changed = await told(pool)
    assert [(one.state, one.correction_rial, one.correction_window) for one in changed] == [
        ("open", None, None),
        ("accepted", 4_000, 2),
    ]


async def test_both_statements_show_what_a_dispute_came_to(parties: Parties) -> None:
    await parties.open()
    await parties.answer(4_000)
    await parties.close(ends_after(2))
    for party, other, title, rial in (
        (BAKER, GROCER, "بقالی", "4000"),
        (GROCER, BAKER, "نان", "-4000"),
    ):
        kept = await parties.statement(2, party)
        assert kept["disputes"] == [
            {
                "dispute": id_of(1),
                "window": 1,
                "counterparty": other,
                "title_fa": title,
                "title_en": "x",
                "correction_rial": rial,
                "paid_rial": "0",
                "effect_rial": rial,
            }
        ]
        assert kept["corrections_rial"] == kept["position_rial"] == rial
        assert int(kept["closing_rial"]) == int(kept["opening_rial"]) + int(rial)
        file = await parties.door("GET", f"/v1/windows/2/statements/{party}/csv")
        lines = file.content.decode("utf-8-sig").splitlines()
        assert lines[2] == f"2,نتیجهٔ اعتراض به دورهٔ 1,{other},{title},{rial},,,0,,,,{rial}"
    assert (await parties.statement(2, FLORIST))["disputes"] == []


async def test_rejected_it_is_escalated_and_decided_by_two(parties: Parties) -> None:
    await parties.open()
    rejected = (await parties.answer(0, note="رسید دارد")).json()
    assert (rejected["state"], rejected["due_at"]) == ("rejected", "2026-03-31T08:00:00Z")
    assert refusal(await parties.decide(1_000)) == (409, "dispute-not-there")
    escalated = await parties.escalate()
    assert (escalated.status_code, escalated.json()["state"]) == (201, "escalated")
    assert (await parties.escalate()).status_code == 200
    alone = await parties.decide(1_000, approved_by="")
    assert refusal(alone) == (403, "second-person-needed")
    assert refusal(await parties.decide(4_001)) == (422, "over-the-dispute")
    decided = await parties.decide(1_000)
    assert (decided.status_code, decided.json()["state"]) == (201, "partly-upheld")
    assert decided.json()["steps"][-1]["approved_by"] == "reza"
    assert (await parties.decide(1_000, approved_by="mina")).status_code == 200
    assert refusal(await parties.decide(1_001)) == (422, "already-exists-differently")
    assert refusal(await parties.withdraw()) == (409, "dispute-not-there")
    kept = await parties.get()
    assert [step["state"] for step in kept["steps"]] == [
        "open",
        "rejected",
        "escalated",
        "partly-upheld",
    ]
    assert (kept["correction_rial"], kept["correction_window"]) == ("1000", 2)


async def test_what_was_accepted_in_part_comes_once_whatever_follows(
    parties: Parties, at: StoppedClock, pool: Database
) -> None:
    for number in (1, 2):
        await parties.open(number)
        partly = (await parties.answer(1_500, number)).json()
        assert (partly["state"], partly["accepted_rial"], partly["correction_window"]) == (
            "partly-accepted",
            "1500",
            None,
        )
    await parties.escalate(2)
    assert refusal(await parties.decide(1_499, 2)) == (422, "below-accepted")
    assert (await parties.decide(1_500, 2)).json()["state"] == "partly-upheld"
    at.at = NOW + TEN_DAYS
    for _ in range(2):
        await jobs.expire_due(pool, at)
    closed = await parties.get(1)
    assert (closed["state"], closed["correction_rial"]) == ("closed", "1500")
    assert closed["steps"][-1]["by"] == "schedule"
    await parties.close(ends_after(2))
    assert (await parties.positions(2))[BAKER]["corrections_rial"] == 3_000
    assert await parties.differences(2) == []


async def test_unanswered_in_time_the_network_decides(
    parties: Parties, at: StoppedClock, pool: Database
) -> None:
    await parties.open()
    at.at = NOW + TEN_DAYS - timedelta(seconds=1)
    await jobs.expire_due(pool, at)
    assert (await parties.get())["state"] == "open"
    at.at = NOW + TEN_DAYS
    assert refusal(await parties.answer(4_000)) == (409, "dispute-too-late")  # no job ran yet
    await jobs.expire_due(pool, at)
    kept = await parties.get()
    assert (kept["state"], kept["due_at"]) == ("unanswered", None)
    assert refusal(await parties.answer(4_000)) == (409, "dispute-not-there")
    assert refusal(await parties.escalate()) == (409, "dispute-not-there")
    assert (await parties.decide(4_000)).json()["state"] == "upheld"


async def test_rejected_and_not_escalated_it_is_closed_without_a_correction(
    parties: Parties, at: StoppedClock, pool: Database
) -> None:
    await parties.open()
    await parties.answer(0)
    at.at = NOW + TEN_DAYS
    assert refusal(await parties.escalate()) == (409, "dispute-too-late")
    await jobs.expire_due(pool, at)
    kept = await parties.get()
    assert (kept["state"], kept["correction_rial"], kept["correction_window"]) == (
        "closed",
        "0",
        None,
    )


async def test_a_step_is_its_own_partys(parties: Parties) -> None:
    await parties.open()
    assert refusal(await parties.answer(0, party=BAKER)) == (403, "dispute-step-of-other")
    assert refusal(await parties.withdraw(party=GROCER)) == (403, "dispute-step-of-other")
    await parties.answer(0)
    assert refusal(await parties.escalate(party=GROCER)) == (403, "dispute-step-of-other")


async def test_a_third_party_learns_nothing(parties: Parties) -> None:
    """With its own key it finds no dispute; with another's address it is not admitted."""
    await parties.open()
    rest = f"/{id_of(1)}"
    assert refusal(await parties.by(FLORIST, "GET", rest)) == (404, "unknown-dispute")
    assert refusal(await parties.answer(0, party=FLORIST)) == (404, "unknown-dispute")
    assert refusal(await parties.escalate(party=FLORIST)) == (404, "unknown-dispute")
    assert refusal(await parties.withdraw(party=FLORIST)) == (404, "unknown-dispute")
    assert (await parties.by(FLORIST, "GET", "")).json() == {"items": [], "next": None}
    taken = await parties.by(FLORIST, "PUT", rest, body_of(counterparty=BAKER))
    assert refusal(taken) == (422, "already-exists-differently")
    assert "نان" not in taken.text
    for roles in (("party:4",), ("party:22",), ("merchant:2",), ("merchant:20",)):
        for path in (f"/v1/parties/{BAKER}/disputes{rest}", f"/v1/parties/{BAKER}/disputes"):
            assert refusal(await parties.door("GET", path, roles=roles)) == (403, "forbidden")
    for path in ("/v1/disputes", f"/v1/disputes{rest}"):
        refused = await parties.door("GET", path, roles=(f"party:{BAKER}",))
        assert refusal(refused) == (403, "forbidden")
    assert refusal(await parties.by(BAKER, "GET", f"/{id_of(9)}")) == (404, "unknown-dispute")


async def test_disputes_are_listed_by_pages_and_filters(parties: Parties) -> None:
    for number in range(1, 6):
        await parties.open(number, amount_rial=100)
    await parties.open(6, party=FLORIST, counterparty=BAKER, amount_rial=100)
    await parties.answer(0, 2)
    first = (await parties.by(GROCER, "GET", "?limit=3")).json()
    assert [one["dispute"] for one in first["items"]] == [id_of(n) for n in (5, 4, 3)]
    second = (await parties.by(GROCER, "GET", f"?limit=3&before={first['next']}")).json()
    assert [one["dispute"] for one in second["items"]] == [id_of(n) for n in (2, 1)]
    assert second["next"] is None
    for query, numbers in (
        ("state=rejected", [2]),
        ("counterparty=4", [6]),
        ("window=1&counterparty=۴", [6]),
        ("window=2", []),
    ):
        page = (await parties.by(BAKER, "GET", f"?{query}")).json()
        assert [one["dispute"] for one in page["items"]] == [id_of(n) for n in numbers], query
    for query in ("state=lost", "limit=0", "limit=201", "before=-1", "window=x"):
        assert refusal(await parties.by(BAKER, "GET", f"?{query}")) == (422, "invalid"), query
    everything = await parties.door("GET", "/v1/disputes?party=4", roles=("auditor",))
    assert [one["dispute"] for one in everything.json()["items"]] == [id_of(6)]


async def test_the_trail_has_every_step_and_not_what_the_parties_wrote(
    parties: Parties, pool: Database
) -> None:
    trail = await Trail.of(pool)
    await parties.open(1, text="گفتهٔ پنهان")
    await parties.answer(0, 1, note="گفتهٔ پنهان")
    await parties.escalate(1)
    await parties.decide(0, 1)
    await parties.open(2)
    await parties.withdraw(2)
    file = f"/v1/evidence/{BAKER}/{id_of(3)}/{uuid.uuid4()}"
    await parties.open(3)
    sent = await parties.door("PUT", file, b"%PDF-1.7", content_type="application/pdf")
    assert sent.status_code == 201, sent.text
    rows = await trail.rows()
    path = "/v1/parties/{party}/disputes/{dispute}"
    assert [row["route"] for row in rows] == [
        f"PUT {path}",
        f"PUT {path}/answer",
        f"PUT {path}/escalation",
        "PUT /v1/disputes/{dispute}/decision",
        f"PUT {path}",
        f"PUT {path}/withdrawal",
        f"PUT {path}",
        "PUT /v1/evidence/{party}/{dispute}/{file}",
    ]
    assert "پنهان" not in str(rows)
    assert [row["after"]["state"] for row in rows[:4]] == [
        "open",
        "rejected",
        "escalated",
        "dismissed",
    ]


async def test_the_service_can_neither_change_nor_forget_a_dispute(pool: Database) -> None:
    for sql in (
        "update disputes set amount_rial = 1",
        "update disputes set opener = 1",
        "delete from disputes",
        "update dispute_steps set note = ''",
        "delete from dispute_steps",
        "update dispute_files set content = ''",
        "delete from dispute_files",
        "update clearing_corrections set amount_rial = 1",
        "delete from clearing_corrections",
        "delete from clearing_correction_payments",
    ):
        with pytest.raises(errors.Alarm):
            async with pool.transaction() as tx:
                await tx.execute(sql)

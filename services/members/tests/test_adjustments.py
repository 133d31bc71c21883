"""Adjustments: two people, one command to the ledger, whose answer is kept with its code."""

import asyncio
import uuid
from typing import Any

import pytest

from contracts import envelope, topics
from contracts.ledger import COMMANDS, Outcome
from contracts.value import AdjustValue
from contracts.values import Reason, Status, Unit
from kit.base.db import Database
from kit.stream import consumer as kit_consumer
from kit.stream import outbox
from members.adjustments import consumer
from support.trail import Trail

from .conftest import NOW
from .test_api import BODY, enrolment

ADD = {
    "direction": "add",
    "unit": "NP",
    "amount": 40,
    "issuer": 5,
    "funder": 1,
    "cost_rial": 4_000,
    "reason": "پایانه خراب بود",
}
TAKE = {"direction": "take", "unit": "CR", "amount": 7, "issuer": 5, "reason": "دو بار ثبت شد"}
SHORT = Reason(code="insufficient-value", fa="موجودی کافی نیست.", en="Too little value.")


async def enrol(door: Any, pool: Database) -> tuple[int, int]:
    """Account and shard of a new member; nothing is left in the outbox."""
    membership = (await door("PUT", enrolment(1), BODY)).json()
    await commands(pool)
    return membership["account"], membership["shard"]


def path(account: int | str, n: int = 1) -> str:
    return f"/v1/accounts/{account}/adjustments/{uuid.UUID(int=n)}"


async def put(door: Any, account: int | str, n: int = 1, body: Any = None, **who: Any) -> Any:
    """As the gateway sends what was approved."""
    by = {"approved_by": "reza"} | who
    return await door("PUT", path(account, n), ADD if body is None else body, **by)


async def commands(pool: Database) -> list[tuple[int | None, AdjustValue]]:
    """Shard and body of each command to the ledger; these messages are taken from the outbox."""
    async with pool.transaction() as tx:
        messages, _ = await outbox.take_messages(tx, 100)
    return [
        (one.partition, envelope.decode(one.value or b"", COMMANDS).data)
        for one in messages
        if one.topic == topics.LEDGER_COMMANDS.name
    ]


async def answer(pool: Database, shard: int | None, name: str, *reasons: Reason) -> None:
    """Hand the service the ledger's answer, twice."""
    outcome = Outcome(
        sequence=1, name=name, command="adjust-value.v1", decided_at=NOW,
        status=Status.DECLINED if reasons else Status.COMPLETED,
        code=reasons[0].code if reasons else "", reasons=reasons,
    )  # fmt: skip
    recorded = envelope.Envelope(
        id="o", type="outcome-recorded.v1", key="1", occurred_at=NOW, accepted_at=NOW, data=outcome
    )
    event = kit_consumer.event(topics.LEDGER_ENTRIES, recorded, partition=shard or 0, offset=1)
    for _ in range(2):
        async with pool.transaction() as tx:
            await consumer.on_ledger_entries(tx, [event])


async def test_two_people_have_the_ledger_add(door: Any, pool: Any) -> None:
    account, at_shard = await enrol(door, pool)
    first = await put(door, account)
    assert (first.status_code, first.headers["location"]) == (202, path(account))
    assert first.json() == {
        "adjustment": str(uuid.UUID(int=1)),
        "version": 1,
        "correction": ADD | {"expires_at": None},
        "proposed_by": "tester",
        "approved_by": "reza",
        "adjusted_at": "2026-03-21T08:00:00Z",
        "status": "pending",
        "code": "",
        "fa": "",
        "en": "",
        "answered_at": None,
    }
    again = await put(door, account, approved_by="mina")
    assert (again.status_code, again.json()) == (202, first.json()), "the first two people's"
    ((shard, body),) = await commands(pool)
    assert (shard, body.account, body.unit) == (at_shard, account, Unit.NETWORK_POINTS)
    assert (body.amount, body.cost_rial, body.issuer, body.funder) == (40, 4_000, 5, 1)
    assert (body.proposed_by, body.approved_by, body.take) == ("tester", "reza", False)
    await answer(pool, shard, body.name)
    done = await door("GET", path(account))
    assert (done.status_code, done.json()["status"]) == (200, "completed")
    repeated = await put(door, account)
    assert (repeated.status_code, repeated.json()) == (200, done.json())


async def test_taking_names_no_funder_and_is_declined_with_the_ledgers_words(
    door: Any, pool: Any
) -> None:
    account, _ = await enrol(door, pool)
    assert (await put(door, account, body=TAKE)).status_code == 202
    ((shard, body),) = await commands(pool)
    assert (body.take, body.funder, body.cost_rial, body.expires_at) == (True, 0, 0, None)
    await answer(pool, shard, body.name, SHORT)
    await answer(pool, shard, body.name)  # the first answer stands
    kept = (await door("GET", path(account))).json()
    assert (kept["status"], kept["code"], kept["fa"]) == ("declined", SHORT.code, SHORT.fa)


async def test_without_a_second_person_nothing_is_sent(door: Any, pool: Any) -> None:
    """A program's key has no approver, whatever its rights."""
    account, _ = await enrol(door, pool)
    refused = await door("PUT", path(account), ADD)
    assert (refused.status_code, refused.json()["code"]) == (403, "second-person-needed")
    assert "تأیید" in refused.json()["fa"]
    assert (await put(door, account, roles=("support",))).status_code == 403
    assert await commands(pool) == []


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": 2**53},
        {"amount": 1.0},
        {"unit": "GV"},
        {"unit": "IRR"},
        {"direction": "give"},
        {"issuer": 0},
        {"funder": None},
        {"funder": 2**31},
        {"cost_rial": None},
        {"cost_rial": 2**53},
        {"reason": " "},
        {"reason": "x" * 201},
        {"expires_at": "2026-03-21"},
        {"expires_at": "2026-03-21T08:00:00Z"},
        {"more": 1},
        TAKE | {"funder": 1},
        TAKE | {"cost_rial": 0},
        TAKE | {"expires_at": "2027-03-21T08:00:00Z"},
    ],
)
async def test_a_bad_request_is_refused_and_sends_nothing(
    door: Any, pool: Any, change: dict[str, Any]
) -> None:
    account, _ = await enrol(door, pool)
    base = {} if change.get("direction") == "take" else ADD
    answered = await put(door, account, body=base | change)
    assert (answered.status_code, bool(answered.json()["fa"])) == (422, True), answered.text
    assert await commands(pool) == []


async def test_ends_of_ranges_and_persian_digits(door: Any, pool: Any) -> None:
    account, _ = await enrol(door, pool)
    digits = str(account).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    most = ADD | {"amount": 2**53 - 1, "cost_rial": 0, "expires_at": "2026-03-21T08:00:01Z"}
    answered = await put(door, digits, body=most)
    assert (answered.status_code, answered.json()["correction"]["amount"]) == (202, 2**53 - 1)
    ((_, body),) = await commands(pool)
    assert (body.account, body.amount, body.cost_rial) == (account, 2**53 - 1, 0)


async def test_missing_and_differing(door: Any, pool: Any) -> None:
    account, _ = await enrol(door, pool)
    unknown = await put(door, account + 99)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert (await door("GET", path(account))).status_code == 404
    assert (await door("GET", f"/v1/accounts/{account + 99}/adjustments")).status_code == 404
    await put(door, account)
    assert (await door("GET", path(account + 99))).status_code == 404
    for change in ({"amount": 41}, {"reason": "x"}, {"issuer": 6}, {"cost_rial": 1}):
        other = await put(door, account, body=ADD | change)
        assert (other.status_code, other.json()["code"]) == (422, "already-exists-differently")
    assert len(await commands(pool)) == 1


async def test_at_once_each_is_sent_once_and_listed_newest_first(door: Any, pool: Any) -> None:
    account, _ = await enrol(door, pool)
    trail = await Trail.of(pool)
    answers = await asyncio.gather(*(put(door, account, 1 + n % 3) for n in range(6)))
    assert [one.status_code for one in answers] == [202] * 6
    sent = [body.name for _, body in await commands(pool)]
    listed = f"/v1/accounts/{account}/adjustments"
    first = (await door("GET", f"{listed}?limit=2")).json()
    rest = (await door("GET", f"{listed}?limit=2&before={first['next']}")).json()
    items = [*first["items"], *rest["items"]]
    assert ([one["version"] for one in items], rest["next"]) == ([3, 2, 1], None)
    assert sent == [f"a.{account}.adjustment-{one['adjustment']}" for one in reversed(items)]
    assert {row["after"]["approved_by"] for row in await trail.rows()} == {"reza"}

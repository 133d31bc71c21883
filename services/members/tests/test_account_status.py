"""Account status: one command to the ledger, whose answer is kept with its code."""

import asyncio
import uuid
from datetime import datetime
from typing import Any

import pytest

from contracts import envelope, topics
from contracts.ledger import COMMANDS, Outcome
from contracts.value import AccountStatus as Booked
from contracts.value import SetStanding
from contracts.values import Reason, Status
from kit.base.db import Database
from kit.stream import consumer as kit_consumer
from kit.stream import outbox
from members.account_status import consumer
from support.trail import Trail

from .conftest import NOW
from .test_api import BODY, enrolment

STOP = {"standing": "stopped", "reason": "کارت دزدیده شد"}
OPEN = {"standing": "open", "reason": "کارت پیدا شد"}
CLOSED = Reason(code="account-closed", fa="این حساب بسته شده است.", en="The account is closed.")


async def enrol(door: Any) -> dict[str, Any]:
    return (await door("PUT", enrolment(1), BODY)).json()


def change(account: int, n: int) -> str:
    return f"/v1/accounts/{account}/standings/{uuid.UUID(int=n)}"


async def commands(pool: Database) -> list[tuple[int | None, SetStanding]]:
    """Shard and body of each command to the ledger; these messages are taken from the outbox."""
    async with pool.transaction() as tx:
        messages, _ = await outbox.take_messages(tx, 100)
    return [
        (one.partition, envelope.decode(one.value or b"", COMMANDS).data)
        for one in messages
        if one.topic == topics.LEDGER_COMMANDS.name
    ]


async def answer(
    pool: Database, shard: int | None, name: str, *reasons: Reason, now: datetime = NOW
) -> None:
    """Hand the service the ledger's answer, twice."""
    status = Status.DECLINED if reasons else Status.COMPLETED
    code = reasons[0].code if reasons else ""
    outcome = Outcome(
        sequence=1, name=name, command="set-standing.v1", status=status, decided_at=now,
        code=code, reasons=reasons,
    )  # fmt: skip
    recorded = envelope.Envelope(
        id="o", type="outcome-recorded.v1", key="1", occurred_at=now, accepted_at=now, data=outcome
    )
    event = kit_consumer.event(topics.LEDGER_ENTRIES, recorded, partition=shard or 0, offset=1)
    for _ in range(2):
        async with pool.transaction() as tx:
            await consumer.on_ledger_entries(tx, [event])


async def test_an_account_is_stopped_and_opened_through_the_ledger(door: Any, pool: Any) -> None:
    membership = await enrol(door)
    account = membership["account"]
    await commands(pool)
    first = await door("PUT", change(account, 1), STOP)
    assert first.status_code == 202
    assert first.headers["location"] == change(account, 1)
    assert first.json() == STOP | {
        "change": str(uuid.UUID(int=1)),
        "version": 1,
        "changed_by": "tester",
        "changed_at": "2026-03-21T08:00:00Z",
        "status": "pending",
        "code": "",
        "fa": "",
        "en": "",
        "answered_at": None,
    }
    again = await door("PUT", change(account, 1), STOP)
    assert (again.status_code, again.json()) == (202, first.json())
    ((shard, body),) = await commands(pool)  # the repeat sent nothing
    assert (shard, body.account, body.party) == (membership["shard"], account, 0)
    assert (body.standing, body.by, body.reason) == (Booked.FROZEN, "tester", STOP["reason"])
    assert (await door("GET", f"/v1/accounts/{account}/standings")).json()["standing"] == "open"

    await answer(pool, (shard or 0) + 1, body.name)  # another shard's says nothing of this one
    assert (await door("GET", change(account, 1))).json()["status"] == "pending"
    await answer(pool, shard, body.name)
    done = await door("GET", change(account, 1))
    assert (done.status_code, done.json()["status"]) == (200, "completed")
    assert (await door("PUT", change(account, 1), STOP)).json() == done.json()
    assert (await door("PUT", change(account, 1), STOP)).status_code == 200

    await door("PUT", change(account, 2), OPEN)
    ((shard, opened),) = await commands(pool)
    assert opened.standing is Booked.OPEN
    page = (await door("GET", f"/v1/accounts/{account}/standings")).json()
    assert page["standing"] == "stopped"  # until the ledger has opened it
    assert [one["version"] for one in page["items"]] == [2, 1]
    await answer(pool, shard, opened.name)
    assert (await door("GET", f"/v1/accounts/{account}/standings")).json()["standing"] == "open"
    page = (await door("GET", f"/v1/accounts/{account}/standings?limit=1&before=2")).json()
    assert ([one["version"] for one in page["items"]], page["next"]) == ([1], 1)


async def test_a_declined_change_keeps_the_ledgers_code_and_texts(door: Any, pool: Any) -> None:
    account = (await enrol(door))["account"]
    await commands(pool)
    await door("PUT", change(account, 1), STOP)
    ((shard, body),) = await commands(pool)
    await answer(pool, shard, body.name, CLOSED)
    await answer(pool, shard, body.name)  # the first answer stands
    kept = (await door("GET", change(account, 1))).json()
    assert (kept["status"], kept["code"]) == ("declined", "account-closed")
    assert (kept["fa"], kept["en"]) == (CLOSED.fa, CLOSED.en)
    assert (await door("GET", f"/v1/accounts/{account}/standings")).json()["standing"] == "open"


async def test_a_bad_request_is_refused_and_sends_nothing(door: Any, pool: Any) -> None:
    account = (await enrol(door))["account"]
    await commands(pool)
    for body in ({"standing": "stopped"}, STOP | {"reason": " "}, STOP | {"standing": "closed"}):
        assert (await door("PUT", change(account, 1), body)).status_code == 422
    unknown = await door("PUT", change(account + 99, 1), STOP)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert unknown.json()["fa"]
    assert (await door("GET", change(account, 1))).status_code == 404
    assert (await door("GET", f"/v1/accounts/{account + 99}/standings")).status_code == 404
    assert await commands(pool) == []
    assert (await door("PUT", change(account, 1), STOP)).status_code == 202
    for path, body in ((change(account, 1), OPEN), (change(account, 1), STOP | {"reason": "x"})):
        assert (await door("PUT", path, body)).json()["code"] == "already-exists-differently"


@pytest.mark.parametrize("changes", [1, 4])
async def test_changes_at_once_are_numbered_in_the_order_that_they_leave(
    door: Any, pool: Any, changes: int
) -> None:
    account = (await enrol(door))["account"]
    await commands(pool)
    trail = await Trail.of(pool)
    paths = [change(account, 1 + n % changes) for n in range(4)]
    answers = await asyncio.gather(*(door("PUT", path, STOP) for path in paths))
    assert [one.status_code for one in answers] == [202] * 4
    sent = [body.name for _, body in await commands(pool)]
    page = (await door("GET", f"/v1/accounts/{account}/standings")).json()
    kept = [f"a.{account}.standing-{one['change']}" for one in reversed(page["items"])]
    assert sent == kept
    assert len(sent) == changes
    rows = await trail.rows()
    assert len(rows) == 4
    assert {row["after"]["reason"] for row in rows} == {STOP["reason"]}

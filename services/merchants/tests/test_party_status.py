"""Party status: the command goes to every shard; the change is completed by the last answer."""

import uuid
from datetime import timedelta
from typing import Any

from contracts import envelope, topics
from contracts.ledger import COMMANDS, Outcome
from contracts.value import AccountStatus as Booked
from contracts.value import SetStanding
from contracts.values import Reason, Status
from kit.base.db import Database
from kit.stream import consumer as kit_consumer
from kit.stream import outbox
from merchants.party_status import consumer

from .conftest import NOW, SHARDS
from .test_api import OPEN, STOP, arrange

UNCHANGED = Reason(code="standing-unchanged", fa="وضعیت از پیش همین بود.", en="It was so.")
CLOSED = Reason(code="party-closed", fa="این طرف قرارداد بسته شده است.", en="The party is closed.")


def change(n: int, party: int = 2) -> str:
    return f"/v1/parties/{party}/standings/{uuid.UUID(int=n)}"


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
    pool: Database, name: str, shard: int, *reasons: Reason, status: Status = Status.COMPLETED
) -> None:
    """Hand the service a shard's answer, twice."""
    at = NOW + timedelta(seconds=shard)
    outcome = Outcome(
        sequence=1, name=name, command="set-standing.v1", status=status, decided_at=at,
        code=reasons[0].code if reasons else "", reasons=reasons,
    )  # fmt: skip
    recorded = envelope.Envelope(
        id="o", type="outcome-recorded.v1", key="2", occurred_at=at, accepted_at=at, data=outcome
    )
    event = kit_consumer.event(topics.LEDGER_ENTRIES, recorded, partition=shard, offset=1)
    for _ in range(2):
        async with pool.transaction() as tx:
            await consumer.on_ledger_entries(tx, [event])


async def test_a_party_is_stopped_and_opened_on_every_shard(door: Any, pool: Any) -> None:
    await arrange(door)
    await commands(pool)
    first = await door("PUT", change(1), STOP)
    again = await door("PUT", change(1), STOP)
    assert (first.status_code, again.json()) == (202, first.json())
    assert first.headers["location"] == change(1)
    sent = await commands(pool)
    assert [shard for shard, _ in sent] == list(range(SHARDS))  # the repeat sent nothing
    assert {(b.party, b.account, b.standing, b.by) for _, b in sent} == {
        (2, 0, Booked.FROZEN, "tester")
    }
    (name,) = {body.name for _, body in sent}

    for shard in range(SHARDS):
        assert (await door("GET", change(1))).json()["status"] == "pending"
        await answer(pool, name, shard, *([UNCHANGED] if shard else []))
    done = (await door("GET", change(1))).json()
    assert (done["status"], done["code"]) == ("completed", "")  # a shard changed something
    assert done["answered_at"] == "2026-03-21T08:00:02Z"
    assert (await door("PUT", change(1), STOP)).status_code == 200
    assert (await door("GET", "/v1/parties/2/standings")).json()["standing"] == "stopped"

    await door("PUT", change(2), OPEN)
    for shard, body in await commands(pool):
        assert body.standing is Booked.OPEN
        assert (await door("GET", "/v1/parties/2/standings")).json()["standing"] == "stopped"
        await answer(pool, body.name, shard or 0)
    page = (await door("GET", "/v1/parties/2/standings")).json()
    assert (page["standing"], [one["version"] for one in page["items"]]) == ("open", [2, 1])


async def test_one_shard_that_declines_declines_the_change(door: Any, pool: Any) -> None:
    await arrange(door)
    await commands(pool)
    await door("PUT", change(1), STOP)
    (_, body), *_ = await commands(pool)
    await answer(pool, body.name, 0)
    await answer(pool, body.name, 1, CLOSED, status=Status.DECLINED)
    kept = (await door("GET", change(1))).json()
    assert (kept["status"], kept["code"]) == ("declined", "party-closed")
    assert (kept["fa"], kept["en"]) == (CLOSED.fa, CLOSED.en)
    assert (await door("GET", "/v1/parties/2/standings")).json()["standing"] == "open"


async def test_stopping_twice_says_that_nothing_changed(door: Any, pool: Any) -> None:
    await arrange(door)
    await commands(pool)
    await door("PUT", change(1), STOP)
    for shard, body in await commands(pool):
        await answer(pool, body.name, shard or 0, UNCHANGED)
    kept = (await door("GET", change(1))).json()
    assert (kept["status"], kept["code"], kept["fa"]) == (
        "completed",
        UNCHANGED.code,
        UNCHANGED.fa,
    )


async def test_a_bad_request_is_refused_and_sends_nothing(door: Any, pool: Any) -> None:
    await arrange(door)
    await commands(pool)
    for body in ({"standing": "stopped"}, STOP | {"reason": " "}, STOP | {"standing": "closed"}):
        assert (await door("PUT", change(1), body)).status_code == 422
    for path in (change(1, 99), change(1)):
        assert (await door("GET", path)).status_code == 404
    unknown = await door("PUT", change(1, 99), STOP)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert (await door("GET", "/v1/parties/99/standings")).status_code == 404
    assert await commands(pool) == []
    assert (await door("PUT", change(1), STOP)).status_code == 202
    assert (await door("PUT", change(1), OPEN)).json()["code"] == "already-exists-differently"
    assert (await door("PUT", change(1, 1), STOP)).json()["code"] == "already-exists-differently"

"""A replay that its caller named is carried out once, and its repeat is answered the same."""

import uuid
from typing import Any

import httpx
import pytest

from kit.base.db import Database
from notify.webhooks import consumer, store

pytestmark = pytest.mark.SH14
ENDPOINT = "0b2f6d1e-3c5a-4e7b-9a1d-7f8e9d0c1b2b"
PATH = f"/v1/merchants/5/webhook-endpoints/{ENDPOINT}"
BODY = {"url": "https://shop.example/hook", "events": ["transaction.completed"]}
PERIOD = {"since": "2026-03-21T00:00:00+03:30", "until": "2026-03-22T00:00:00+03:30"}
KEY = '"8e03978e-40d5-43e8-bc93-6894a57f9324"'


@pytest.fixture
async def delivered(hooks: Database, client: Any, samples: Any, make: Any) -> Database:
    """An endpoint to which three events came."""
    assert (await client.send("PUT", PATH, BODY)).status_code == 201
    async with hooks.transaction() as tx:
        outcomes = [make.entry_event(samples.outcome(1, merchant=5)) for _ in range(3)]
        await consumer.on_ledger_entries(tx, outcomes)
    await _deliver(hooks)
    return hooks


async def _deliver(database: Database) -> None:
    """As the sender does when an endpoint took all."""
    async with database.transaction() as tx:
        await tx.execute("update webhook_deliveries set state = 'delivered'")


async def _pending(client: Any) -> int:
    return len((await client.get(PATH + "/deliveries?state=pending")).json()["items"])


async def _replayed(
    client: Any, key: str | None = KEY, body: Any = None, path: str = PATH
) -> httpx.Response:
    named = {} if key is None else {"idempotency-key": key}
    answer: httpx.Response = await client.send(
        "POST", path + "/replays", body or PERIOD, headers=named
    )
    return answer


async def test_a_named_replay_is_carried_out_once(delivered: Database, client: Any) -> None:
    """Its answer was lost, and all was delivered before the caller asked again."""
    assert (await _replayed(client)).json() == {"events": 3}
    assert await _pending(client) == 3
    await _deliver(delivered)
    for key in (KEY, KEY.strip('"'), f" {KEY} "):
        again = await _replayed(client, key)
        assert (again.status_code, again.json()) == (200, {"events": 3})
    assert await _pending(client) == 0
    assert (await _replayed(client, '"another"')).json() == {"events": 3}
    assert await _pending(client) == 3


async def test_without_a_name_the_same_again_sends_again(delivered: Database, client: Any) -> None:
    for _ in range(2):
        await _deliver(delivered)
        assert (await _replayed(client, None)).json() == {"events": 3}
        assert await _pending(client) == 3


async def test_the_same_name_for_another_request_is_refused(
    delivered: Database, client: Any
) -> None:
    del delivered
    assert (await _replayed(client)).status_code == 200
    answer = await _replayed(client, KEY, PERIOD | {"until": "2026-03-21T12:00:00+03:30"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    other = f"/v1/merchants/6/webhook-endpoints/{uuid.uuid4()}"
    assert (await client.send("PUT", other, BODY)).status_code == 201
    answer = await _replayed(client, KEY, None, other)  # a name is an endpoint's own
    assert (answer.status_code, answer.json()) == (200, {"events": 0})


@pytest.mark.parametrize("key", ["", '""', '"', '"a', "a b", '"a", "b"', '"a%22', "x" * 65, "?1"])
async def test_a_name_that_is_none_is_refused(delivered: Database, client: Any, key: str) -> None:
    del delivered
    answer = await _replayed(client, key)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-idempotency-key"), key
    assert await _pending(client) == 0


async def test_while_the_first_is_carried_out_the_second_is_refused(
    delivered: Database, client: Any
) -> None:
    async with delivered.transaction() as tx:
        assert await store.try_lock_replay(tx, ENDPOINT, KEY.strip('"'))
        answer = await _replayed(client)
        assert (answer.status_code, answer.json()["code"]) == (409, "request-under-way")
        assert (await _replayed(client, '"another"')).status_code == 200
    assert (await _replayed(client)).json() == {"events": 3}


async def test_after_a_day_the_name_is_free(
    delivered: Database, owner: Database, client: Any
) -> None:
    assert (await _replayed(client)).status_code == 200
    async with owner.transaction() as tx:
        await tx.execute("update webhook_replays set asked_at = asked_at - interval '24 h'")
    other = PERIOD | {"until": "2026-03-23T00:00:00+03:30"}
    assert (await _replayed(client, KEY, other)).json() == {"events": 3}
    async with delivered.read() as tx:
        assert await tx.fetchval("select count(*) from webhook_replays") == 1


async def test_a_refusal_keeps_nothing(delivered: Database, client: Any) -> None:
    del delivered
    assert (await client.send("PUT", PATH, BODY | {"enabled": False})).status_code == 200
    assert (await _replayed(client)).json()["code"] == "endpoint-disabled"
    assert (await client.send("PUT", PATH, BODY)).status_code == 200
    assert (await _replayed(client)).json() == {"events": 3}


async def test_answer_and_deliveries_are_kept_together_or_not_at_all(
    delivered: Database, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del delivered

    async def away(*_: Any, **__: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(store, "insert_replay", away)
        assert (await _replayed(client)).status_code >= 500
    assert await _pending(client) == 0
    assert (await _replayed(client)).json() == {"events": 3}
    assert await _pending(client) == 3

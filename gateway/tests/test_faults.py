"""The third end: a broker that hangs, and the same name sent again once it is back."""

import asyncio

from cluster import servers

from .around import (
    TERMINAL,
    purchase,
)
from .conftest import House


async def test_a_hung_broker_leaves_the_outcome_unknown_and_the_name_usable(
    hasty: House, broker: servers.Servers
) -> None:
    body = purchase(800)
    await asyncio.to_thread(broker.pause_kafka)
    try:
        answer = await hasty.post(body)
    finally:
        await asyncio.to_thread(broker.resume_kafka)
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome-unknown")
    assert answer.headers["retry-after"]
    async with asyncio.timeout(60):
        while (again := await hasty.post(body)).status_code != 200:
            assert again.status_code in (202, 503)
    assert again.json()["name"] == f"t.{TERMINAL}.2.800"
    prints = {
        said.fingerprint for _, said in hasty.stage.heard if said.data.name == f"t.{TERMINAL}.2.800"
    }
    assert len(prints) == 1

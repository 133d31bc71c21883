"""The third end: a broker that hangs, and the same name sent again once it is back."""

import asyncio

from cluster import servers

from .conftest import Edge
from .fakes import (
    TERMINAL,
    purchase,
)


async def test_a_hung_broker_leaves_the_outcome_unknown_and_the_name_usable(
    impatient: Edge, broker: servers.Servers
) -> None:
    body = purchase(800)
    await asyncio.to_thread(broker.pause_kafka)
    try:
        answer = await impatient.post(body)
    finally:
        await asyncio.to_thread(broker.resume_kafka)
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome-unknown")
    assert answer.headers["retry-after"]
    async with asyncio.timeout(60):
        while (again := await impatient.post(body)).status_code != 200:
            assert again.status_code in (202, 503)
    assert again.json()["name"] == f"t.{TERMINAL}.2.800"
    name = f"t.{TERMINAL}.2.800"
    prints = {e.fingerprint for _, e in impatient.road.submitted if e.data.name == name}
    assert len(prints) == 1

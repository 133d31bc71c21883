"""One platform for all end-to-end tests: up for the first of them, down after the last."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from cluster import lifecycle, paths, plan, ports, processes
from kit.stream import kafka

from .collector import Collector
from .counter import Counter
from .participants import Participants
from .shards import Shards
from .street import Street
from .wire import Wire

FOLDER = paths.PROJECT / "var" / "test-cluster"
# one hand plays all operators and strangers of a country here; limits have tests of their own
UNLIMITED = {"PEYVAND_REFUSAL_DELAY_MS": "0"} | {
    f"PEYVAND_{whose}_{what}": "10000"
    for whose in ("TERMINAL", "STATUS", "ADMINISTRATION", "READING", "STRANGER")
    for what in ("RATE_PER_S", "BURST")
}
UNLIMITED |= {"PEYVAND_WINDOW_CUT": ""}  # a test cuts its windows, also at midnight in Tehran
UNLIMITED |= {"PEYVAND_ADMINISTRATION_EACH": "64", "PEYVAND_STATUS_EACH": "64"}
KEPT = os.environ.get("KEEP_SERVERS") == "1"


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """Where every process of the platform sends its spans; its port is the folder's own."""
    if not KEPT:
        lifecycle.clean(FOLDER)
    with Collector(ports.choose(FOLDER, ["collector"])["collector"]) as listening:
        yield listening


@pytest.fixture(scope="package")
def cluster(collector: Collector) -> Iterator[plan.Cluster]:
    """A live platform: Kafka, PostgreSQL and every program. With KEEP_SERVERS=1 it stays up."""
    told = {"PEYVAND_OTLP_ENDPOINT": collector.url, "PEYVAND_TRACE_RATIO": "1"} | UNLIMITED
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)  # what the platform starts again, it starts with the same
    try:
        yield lifecycle.up(FOLDER)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        if not KEPT:
            lifecycle.clean(FOLDER)


@pytest.fixture(autouse=True)
def whole(cluster: plan.Cluster) -> Iterator[None]:
    """A program that ends by itself fails the test it ended in; those after it do not wait."""
    assert not (ended := processes.ended(cluster)), processes.last_words(cluster, ended)
    yield
    assert not (ended := processes.ended(cluster)), processes.last_words(cluster, ended)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def participants(cluster: plan.Cluster) -> AsyncIterator[Participants]:
    """Merchants, tills and members of this run, in a platform that other runs may have used."""
    made = Participants.of(cluster)
    try:
        await made.settle()
        yield made
    finally:
        await made.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def counter(participants: Participants) -> Counter:
    """Where bad requests are handed in."""
    return await Counter.open(participants)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def street(participants: Participants) -> Street:
    """Where stories happen."""
    return await Street.open(participants)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def shards(participants: Participants) -> Shards:
    """A till and a member on each shard."""
    return await Shards.open(participants)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def wire(cluster: plan.Cluster) -> AsyncIterator[Wire]:
    """A way past the rooms, straight to the broker."""
    producer = await kafka.Producer.open(cluster.servers.bootstrap, client_id="e2e")
    yield Wire(cluster, producer)
    await producer.close()

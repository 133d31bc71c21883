"""What is seen while the platform runs: metrics, logs, and one trace along the whole road."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cluster import plan, processes
from contracts import topics
from kit.base.telemetry import Metric
from kit.stream import kafka, outbox
from peyvand import requests, road

from .collector import Collector, Seen
from .participants import now, until
from .street import Street

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

ROOMS = (*plan.WITH_DATABASE, plan.GATEWAY)
CLOSED_LIST = {f"peyvand_{metric.value[0]}": metric.value[2] for metric in Metric}
STAGES = {"fraud-road", "campaigns-road", "ledger-road"}
HEARERS = {"members-state", "merchants-state", "campaigns-state", "notify-state"}


def traceparent(trace_id: str) -> str:
    """A sampled context, as a caller that traces would send it."""
    return f"00-{trace_id}-{secrets.token_hex(8)}-01"


async def sell_traced(street: Street, trace_id: str) -> None:
    """A purchase whose HTTP request carries a trace context."""
    till = street.grocer
    member = await street.participants.member()
    sold = requests.purchase(till.name(), member.card, amount_rial=20_000, occurred_at=now())
    headers = {"authorization": f"Bearer {till.key}", "traceparent": traceparent(trace_id)}
    url = street.participants.cluster.url(plan.GATEWAY)
    async with httpx.AsyncClient(base_url=url, timeout=20.0, headers=headers) as caller:
        reply = await caller.post("/v1/transactions", content=road.encode(sold))
    assert reply.status_code in (200, 202)


EVERYWHERE = {"peyvand_http_seconds", "peyvand_rss_bytes", "peyvand_loop_lag_seconds"}
WITH_CONSUMERS = EVERYWHERE | {"peyvand_batch_seconds", "peyvand_lag"}


@pytest.mark.parametrize("room", ROOMS)
async def test_metrics_are_of_the_closed_list(street: Street, room: str) -> None:
    await street.grocer.buy(await street.participants.member(), 20_000)
    hears = any(room in topic.consumers for topic in topics.TOPICS)
    wanted = WITH_CONSUMERS if hears and room in plan.WITH_DATABASE else EVERYWHERE

    async def seen() -> dict[str, Any]:
        port = street.participants.cluster.inner_port(room)
        status, body = await asyncio.to_thread(processes.get, port, "/metrics")
        assert status == 200
        return {f.name: f for f in text_string_to_metric_families(body.decode())}

    families = await until(seen, lambda found: found.keys() >= wanted)
    assert families.keys() <= CLOSED_LIST.keys()
    for name, family in families.items():
        allowed = {*CLOSED_LIST[name], "le"}
        assert all(sample.labels.keys() <= allowed for sample in family.samples)


def test_metrics_carry_no_number_of_a_person_or_till(cluster: plan.Cluster) -> None:
    """Labels are of few values: a name of a route, not the address that was asked."""
    _, body = processes.get(cluster.inner_port(plan.GATEWAY), "/metrics")
    values = {
        value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        for label, value in sample.labels.items()
        if label != "le"
    }
    assert not [value for value in values if any(part.isdigit() for part in value.split("/")[2:])]


async def test_one_trace_runs_from_the_request_through_every_stage(
    street: Street, collector: Collector
) -> None:
    caller = secrets.token_hex(16)
    await sell_traced(street, caller)
    trace_id = await asyncio.to_thread(collector.own_trace, caller, wait_s=60.0)

    def complete(found: list[Seen]) -> bool:
        return {s.name for s in found} >= {"POST /v1/transactions", *STAGES, *HEARERS}

    spans = await asyncio.to_thread(collector.wait, trace_id, complete, wait_s=60.0)

    assert complete(spans), [(s.service, s.name) for s in spans]
    (root,) = [s for s in spans if s.service == "gateway" and s.trace_id == trace_id]
    spans.sort(key=lambda s: s.began_ns, reverse=True)  # the gift of a first purchase follows
    stages = {s.name: s for s in spans if s.name in STAGES}  # so the first of each stays
    assert {s.service for s in stages.values()} == {"fraud", "campaigns", "ledger"}
    for stage in stages.values():
        assert stage.trace_id == trace_id or trace_id in stage.links
        assert stage.parent == root.span_id or stage.trace_id != trace_id
        assert stage.attributes["messaging.batch.message_count"] >= 1
    began = [root.began_ns] + [
        stages[name].began_ns for name in ("fraud-road", "campaigns-road", "ledger-road")
    ]
    assert began == sorted(began)
    assert root.ended_ns > stages["ledger-road"].began_ns  # it ends with the reply


async def test_traces_that_share_a_batch_are_linked(street: Street, collector: Collector) -> None:
    callers = [secrets.token_hex(16) for _ in range(12)]
    async with asyncio.TaskGroup() as crowd:
        for caller in callers:
            crowd.create_task(sell_traced(street, caller))
    for caller in callers:
        trace_id = await asyncio.to_thread(collector.own_trace, caller, wait_s=60.0)
        spans = await asyncio.to_thread(
            collector.wait,
            trace_id,
            lambda found: {s.name for s in found} >= STAGES,
            wait_s=60.0,
        )
        assert {s.name for s in spans} >= STAGES, trace_id


async def test_a_caller_chooses_no_trace_id_of_ours(street: Street, collector: Collector) -> None:
    """His own is beside ours; what is no traceparent at all sells as well (findings S5)."""
    caller = secrets.token_hex(16)
    await sell_traced(street, caller)
    trace_id = await asyncio.to_thread(collector.own_trace, caller, wait_s=60.0)
    assert trace_id != caller
    await asyncio.to_thread(
        collector.wait, trace_id, lambda found: {s.name for s in found} >= STAGES, wait_s=60.0
    )
    assert collector.touching(caller) == []
    await sell_traced(street, "x" * 32)


def lines(cluster: plan.Cluster, room: str) -> Iterator[dict[str, Any]]:
    """What a process logged, each line as JSON."""
    for line in cluster.log(room).read_text().splitlines():
        if line.startswith("{"):
            yield json.loads(line)


async def test_logs_are_json_with_the_trace_id(street: Street, cluster: plan.Cluster) -> None:
    trace_id = secrets.token_hex(16)
    poison = outbox.Message(
        topics.POS_TRANSACTIONS.name,
        partition=3,
        key=b"1",
        value=b'{"poison": "%s"}' % secrets.token_hex(4).encode(),
        headers=(("traceparent", traceparent(trace_id).encode()),),
    )
    producer = await kafka.Producer.open(cluster.servers.bootstrap, client_id="e2e")
    try:
        await producer.send([poison])
    finally:
        await producer.close()

    async def told() -> list[dict[str, Any]]:
        return [line for line in lines(cluster, "fraud") if line.get("trace_id") == trace_id]

    line = (await until(told))[0]
    assert line["level"] == "ERROR"
    assert "dead letter" in line["message"]
    for room in ROOMS:
        for said in lines(cluster, room):
            assert {"at", "level", "room", "logger", "message"} <= said.keys()
            assert said["room"] == room

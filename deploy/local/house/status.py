"""How a running house does: its processes, how far each consumer is behind, its rates."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

from house import connections, plan, processes, readiness
from house.processes import Seen, State
from kit import kafka

SAMPLE_S = 1.0
REQUESTS = "peyvand_http_seconds_count"
RECORDS = "peyvand_batch_events_sum"
COLOURS: Mapping[State, str] = {
    State.READY: "green",
    State.NOT_READY: "yellow",
    State.PAUSED: "yellow",
    State.DEAD: "red",
    State.STOPPED: "dim",
}


@dataclass(frozen=True, slots=True)
class Lag:
    """How many records of a topic a consumer group has not yet committed."""

    group: str
    topic: str
    records: int


@dataclass(frozen=True, slots=True)
class Rate:
    """What a program did in the last second."""

    name: str
    requests_per_s: float
    records_per_s: float


def lags(home: plan.House) -> list[Lag]:
    """Committed against end offsets, for each group and topic of the house's broker."""
    return readiness.run(_lags(home.servers.bootstrap))


def rates(home: plan.House, names: Sequence[str]) -> list[Rate]:
    """Requests answered and records taken per second, from two looks at each /metrics."""
    before = {name: _counters(home, name) for name in names}
    began = time.monotonic()
    time.sleep(SAMPLE_S)
    after = {name: _counters(home, name) for name in names}
    seconds = time.monotonic() - began
    return [
        Rate(
            name,
            (after[name].get(REQUESTS, 0) - before[name].get(REQUESTS, 0)) / seconds,
            (after[name].get(RECORDS, 0) - before[name].get(RECORDS, 0)) / seconds,
        )
        for name in names
    ]


def process_table(seen: Sequence[Seen]) -> Table:
    """Process, state, port, pid, memory."""
    table = Table("process", "state")
    for heading in ("port", "pid", "memory"):
        table.add_column(heading, justify="right")
    for one in seen:
        colour = COLOURS[one.state]
        table.add_row(
            one.name,
            f"[{colour}]{one.state.value}[/{colour}]",
            str(one.port),
            str(one.pid or "-"),
            f"{one.memory_bytes / 2**20:.0f} MB" if one.memory_bytes else "-",
        )
    return table


def lag_table(found: Sequence[Lag]) -> Table:
    """Consumer group, topic, records behind."""
    table = Table("consumer group", "topic")
    table.add_column("records behind", justify="right")
    for lag in found:
        colour = "yellow" if lag.records else "green"
        table.add_row(lag.group, lag.topic, f"[{colour}]{lag.records}[/{colour}]")
    return table


def rate_table(found: Sequence[Rate]) -> Table:
    """Program, requests and records per second."""
    table = Table("program")
    for heading in ("requests/s", "records/s"):
        table.add_column(heading, justify="right")
    for rate in found:
        table.add_row(rate.name, f"{rate.requests_per_s:.0f}", f"{rate.records_per_s:.0f}")
    return table


async def _lags(bootstrap: str) -> list[Lag]:
    committed = await connections.committed_offsets(bootstrap)
    named = sorted({topic for offsets in committed.values() for topic, _ in offsets})
    ends = await kafka.end_offsets(bootstrap, named) if named else {}
    found: list[Lag] = []
    for group, offsets in committed.items():
        behind: dict[str, int] = {}
        for place, offset in offsets.items():
            behind[place[0]] = behind.get(place[0], 0) + max(0, ends.get(place, offset) - offset)
        found += [Lag(group, topic, records) for topic, records in sorted(behind.items())]
    return found


def _counters(home: plan.House, name: str) -> dict[str, float]:
    """Sums over all labels of what a program counts; empty when it does not answer."""
    status, body = processes.get(home.inner_port(name), "/metrics")
    sums: dict[str, float] = {}
    if status == 200:
        for family in text_string_to_metric_families(body.decode()):
            for sample in family.samples:
                if sample.name in (REQUESTS, RECORDS):
                    sums[sample.name] = sums.get(sample.name, 0) + sample.value
    return sums

"""How a running cluster does: its processes, how far each consumer is behind, its rates."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

from cluster import children, connections, plan, processes, readiness, supervisor
from cluster.processes import Seen, State
from cluster.supervisor import Care
from kit.stream import kafka

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


def lags(cluster: plan.Cluster) -> list[Lag]:
    """Committed against end offsets, for each group and topic of the cluster's broker."""
    return readiness.run(_lags(cluster.servers.bootstrap))


def rates(cluster: plan.Cluster, names: Sequence[str]) -> list[Rate]:
    """Requests answered and records taken per second, from two looks at each /metrics."""
    before = {name: _counters(cluster, name) for name in names}
    began = time.monotonic()
    time.sleep(SAMPLE_S)
    after = {name: _counters(cluster, name) for name in names}
    seconds = time.monotonic() - began
    return [
        Rate(
            name,
            (after[name].get(REQUESTS, 0) - before[name].get(REQUESTS, 0)) / seconds,
            (after[name].get(RECORDS, 0) - before[name].get(RECORDS, 0)) / seconds,
        )
        for name in names
    ]


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A cluster as it was found. rates and lags are empty where nothing answers."""

    seen: Sequence[Seen]
    cares: Mapping[str, Care]
    supervised: bool  # somebody starts again what ends
    expected: bool  # somebody should
    lags: Sequence[Lag]
    rates: Sequence[Rate]

    @property
    def well(self) -> bool:
        """Whether every process is ready, and one that ends would come back where it should."""
        ready = all(one.state is State.READY for one in self.seen)
        return ready and (self.supervised or not self.expected)


def find(cluster: plan.Cluster) -> ClusterStatus:
    """Look at everything, all at once."""
    seen = processes.look(cluster)
    states = {one.name: one.state for one in seen}
    running = [name for name in plan.PROGRAMS if states[name] is State.READY]
    with ThreadPoolExecutor(max_workers=2) as threads:
        rated = threads.submit(rates, cluster, running) if running else None
        consumer_lags = lags(cluster) if states["kafka"] is State.READY else []
    return ClusterStatus(
        seen=seen,
        cares=supervisor.cares(cluster.folder),
        supervised=children.find(cluster.folder, supervisor.NAME) is not None,
        expected=bool(supervisor.expected(cluster.folder)),
        lags=consumer_lags,
        rates=rated.result() if rated is not None else [],
    )


def as_json(snapshot: ClusterStatus) -> dict[str, Any]:
    """The same for programs."""
    return {
        "well": snapshot.well,
        "supervised": snapshot.supervised,
        "processes": [
            asdict(process)
            | {"state": process.state.value}
            | asdict(snapshot.cares.get(process.name, Care()))
            for process in snapshot.seen
        ],
        "lags": [asdict(lag) for lag in snapshot.lags],
        "rates": [asdict(rate) for rate in snapshot.rates],
        "advice": advice(snapshot),
    }


def advice(snapshot: ClusterStatus) -> list[str]:
    """What is wrong and what to do, in order of haste; empty when all is well."""
    sentences: list[str] = []
    stopped = [process.name for process in snapshot.seen if process.state is State.STOPPED]
    if len(stopped) == len(snapshot.seen):
        return ["the cluster is stopped: make up"]
    for process in snapshot.seen:
        match process.state:
            case State.DEAD if snapshot.supervised:
                sentences.append(
                    f"{process.name} ended and is started again: make logs ROOM={process.name}"
                )
            case State.DEAD:
                sentences.append(
                    f"{process.name} ended: make logs ROOM={process.name} says why, make up starts"
                )
            case State.NOT_READY:
                sentences.append(f"{process.name} is not ready: make logs ROOM={process.name}")
            case State.PAUSED:
                sentences.append(f"{process.name} is paused: kill -CONT {process.pid}")
            case State.STOPPED:
                sentences.append(f"{process.name} does not run: make up")
            case State.READY:
                pass
    if snapshot.expected and not snapshot.supervised:
        sentences.append("the supervisor does not run, so nothing comes back by itself: make up")
    return sentences


def process_table(seen: Sequence[Seen], cares: Mapping[str, Care]) -> Table:
    """Process, state, port, pid, memory, and how often it ended by itself."""
    table = Table("process", "state")
    for heading in ("port", "pid", "memory"):
        table.add_column(heading, justify="right")
    table.add_column("restarts")
    for one in seen:
        colour, care = COLOURS[one.state], cares.get(one.name)
        table.add_row(
            one.name,
            f"[{colour}]{one.state.value}[/{colour}]",
            str(one.port),
            str(one.pid or "-"),
            f"{one.memory_bytes / 2**20:.0f} MB" if one.memory_bytes else "-",
            f"{care.restarts}, last {care.ended_at}: {care.how}" if care else "-",
        )
    return table


def lag_table(rows: Sequence[Lag]) -> Table:
    """Consumer group, topic, records behind."""
    table = Table("consumer group", "topic")
    table.add_column("records behind", justify="right")
    for lag in rows:
        colour = "yellow" if lag.records else "green"
        table.add_row(lag.group, lag.topic, f"[{colour}]{lag.records}[/{colour}]")
    return table


def rate_table(rows: Sequence[Rate]) -> Table:
    """Program, requests and records per second."""
    table = Table("program")
    for heading in ("requests/s", "records/s"):
        table.add_column(heading, justify="right")
    for rate in rows:
        table.add_row(rate.name, f"{rate.requests_per_s:.0f}", f"{rate.records_per_s:.0f}")
    return table


async def _lags(bootstrap: str) -> list[Lag]:
    committed = await connections.committed_offsets(bootstrap)
    named = sorted({topic for offsets in committed.values() for topic, _ in offsets})
    ends = await kafka.end_offsets(bootstrap, named) if named else {}
    rows: list[Lag] = []
    for group, offsets in committed.items():
        behind: dict[str, int] = {}
        for place, offset in offsets.items():
            behind[place[0]] = behind.get(place[0], 0) + max(0, ends.get(place, offset) - offset)
        rows += [Lag(group, topic, records) for topic, records in sorted(behind.items())]
    return rows


def _counters(cluster: plan.Cluster, name: str) -> dict[str, float]:
    """Sums over all labels of what a program counts; empty when it does not answer."""
    status, body = processes.get(cluster.inner_port(name), "/metrics")
    sums: dict[str, float] = {}
    if status == 200:
        for family in text_string_to_metric_families(body.decode()):
            for sample in family.samples:
                if sample.name in (REQUESTS, RECORDS):
                    sums[sample.name] = sums.get(sample.name, 0) + sample.value
    return sums

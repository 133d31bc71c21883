"""The bare road up and down: its topics, its table, its four processes."""

import asyncio
import signal
import sys
import time
from typing import Final

import psutil

from cluster import children, connections, paths, plan, ports, processes, readiness
from kit.stream import kafka
from lab.bench.road.bare import words

READY_WAIT_S: Final = 30.0
STOP_WAIT_S: Final = 10.0
_SECRET: Final = "bare"  # noqa: S105 - nobody is let in by it: the bare edge asks for no key

_TABLES: Final = (
    "create table if not exists bare_entries (shard int not null, position bigint not null,"
    " name text not null, amount_rial bigint not null, primary key (shard, position))",
    "create table if not exists bare_offsets (shard int primary key, next bigint not null)",
    "grant select, insert on bare_entries to bare",
    "grant select, update on bare_offsets to bare",
)


def prepare(cluster: plan.Cluster) -> None:
    """Topics, database and table, once a cluster."""
    cluster.servers.create_databases(words.DATABASE)
    asyncio.run(_prepare(cluster))


async def _prepare(cluster: plan.Cluster) -> None:
    await kafka.ensure_topics(
        cluster.servers.bootstrap, words.TOPICS, shards=cluster.shards, gateways=plan.GATEWAYS
    )
    database = await connections.connect(cluster.servers.dsn(words.DATABASE, "bare_owner"))
    try:
        for statement in _TABLES:
            await database.execute(statement)
        await database.execute(
            "insert into bare_offsets select n, 0 from generate_series(0, $1 - 1) n"
            " on conflict do nothing",
            cluster.shards,
        )
    finally:
        await database.close()


def start(cluster: plan.Cluster) -> None:
    """Start the four processes and return when the edge hears replies."""
    for name in words.PROCESSES:
        if children.find(cluster.folder, name) is None:
            children.launch(_launch_of(cluster, name))
    deadline = time.monotonic() + READY_WAIT_S
    while processes.get(port(cluster), "/health/ready")[0] != 200:
        if time.monotonic() > deadline:
            raise readiness.NotReady(
                f"the bare road:\n{processes.log_tail(cluster, words.GATEWAY)}"
            )
        time.sleep(0.1)


def stop(cluster: plan.Cluster) -> None:
    """End the four processes."""
    launched = [children.find(cluster.folder, name) for name in words.PROCESSES]
    running: list[psutil.Process] = [process for process in launched if process is not None]
    for process in running:
        children.ask(process, signal.SIGTERM)
    if not children.wait_gone(running, wait_s=STOP_WAIT_S):
        for process in running:
            children.kill(process)
    for name in words.PROCESSES:
        children.forget(cluster.folder, name)


def url(cluster: plan.Cluster) -> str:
    """Where the bare edge listens."""
    return f"http://127.0.0.1:{port(cluster)}"


def port(cluster: plan.Cluster) -> int:
    """The bare edge's port."""
    return ports.choose(cluster.folder, [words.GATEWAY])[words.GATEWAY]


def _launch_of(cluster: plan.Cluster, name: str) -> children.Launch:
    environment = children.plain_environment() | {
        "PYTHONUNBUFFERED": "1",
        "PEYVAND_KAFKA_BOOTSTRAP": cluster.servers.bootstrap,
        "PEYVAND_HTTP_PORT": str(port(cluster)),
        "PEYVAND_SHARDS": str(cluster.shards),
        "PEYVAND_ACTOR_SECRET": _SECRET,
        "PEYVAND_DATABASE_DSN": cluster.servers.dsn(words.DATABASE, "bare"),
    }
    return children.Launch(
        folder=cluster.folder,
        name=name,
        command=(sys.executable, "-m", "lab.bench.road.bare", name),
        environment=environment,
        log=cluster.log(name),
        working_folder=paths.PROJECT,
    )

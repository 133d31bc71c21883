"""A whole cluster up, down and away."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path

from cluster import (
    children,
    connections,
    fetch,
    kafka_server,
    lockfile,
    paths,
    plan,
    ports,
    postgres_server,
    processes,
    readiness,
    sandbox_clock,
    supervisor,
    version,
)
from contracts import topics
from kit.base import clock, db, errors, migrate
from kit.stream import kafka

COMMAND_WAIT_S = 120.0
PORTS_OF = {kafka_server.NAME: ("kafka", "kafka-controller"), postgres_server.NAME: ("postgres",)}

# a step's text in, a block out: the block is the step, and what it gets changes the text
Step = Callable[[str], AbstractContextManager[Callable[[str], None]]]


def up(
    folder: Path,
    *,
    sandbox: bool | None = None,
    starts_at: datetime | None = None,
    only: Sequence[str] | None = None,
    supervised: bool = False,
    step: Step | None = None,
) -> plan.Cluster:
    """Bring a cluster up and return when all of it is ready; what runs already is left alone, but a
    program of another version of the code, which is stopped before its database is migrated.

    starts_at: a new sandbox cluster's first time (aware UTC; else the machine's now), which its
    driver then advances. only: these programs instead of all. supervised: what ends by itself is
    started again until `down`. When it fails or is interrupted, what it started is ended. Two
    calls at a time for one folder wait for one another.
    Raises readiness.NotReady.
    """
    folder = folder.resolve()
    with lockfile.held(folder / "cluster.lock", wait_s=COMMAND_WAIT_S):
        before, expected = _running(folder), supervisor.expected(folder)
        try:
            cluster = _start_servers(folder, sandbox, step or _silent)
            _stop_other_versions(cluster, _programs(only), step or _silent)
            _prepare_data(cluster, _programs(only), starts_at, step or _silent)
            _start_programs(folder, _programs(only), step or _silent, supervised=supervised)
            return plan.cluster_of(folder)
        except BaseException:
            _end(folder, [name for name in _running(folder) if name not in before])
            supervisor.want(folder, expected)
            raise


def down(folder: Path, *, step: Step | None = None) -> list[str]:
    """Stop a cluster in good order, programs before servers; the names of what was running."""
    folder = folder.resolve()
    if not folder.exists():
        return []
    step = step or _silent
    with lockfile.held(folder / "cluster.lock", wait_s=COMMAND_WAIT_S):
        running = _running(folder)
        cluster = plan.cluster_of(folder)
        supervisor.stop(folder)
        supervisor.forget(folder)
        with step("programs stop"):
            processes.stop(cluster, *reversed(plan.PROGRAMS))
        with step("Kafka and PostgreSQL stop"):
            cluster.servers.stop()
            children.end_all(folder)  # whatever an interrupted command left
    return running


def clean(folder: Path) -> None:
    """End whatever runs in a cluster and delete it, also what it keeps outside its folder."""
    folder = folder.resolve()
    supervisor.stop(folder)
    children.end_all(folder)
    postgres_server.remove(folder)
    shutil.rmtree(folder, ignore_errors=True)


def clean_project() -> list[Path]:
    """Clean every folder of the project in which processes were ever started."""
    var = paths.PROJECT / "var"
    folders = {note.parent for note in (*var.glob("*/ports.json"), *var.glob("*/*/ports.json"))}
    folders.add(paths.CACHE / "kafka-archive")
    for folder in folders:
        clean(folder)
    return sorted(folders)


def prepare(step: Step | None = None) -> None:
    """Fetch the servers and make what speeds their start; harmless when it is all there."""
    step = step or _silent
    with step("Kafka and PostgreSQL, fetched by Maven and verified"):
        jars = fetch.fetch() / "kafka"
    with step("archive of Kafka's classes, made once"):
        kafka_server.class_archive(jars)


def migrate_rooms(
    cluster: plan.Cluster, rooms: Sequence[str] = plan.WITH_DATABASE
) -> dict[str, int]:
    """Bring rooms' databases up to date; how many migrations each got."""
    return readiness.run(_migrate(cluster, rooms))


def rebuild_tables(cluster: plan.Cluster, room: str) -> None:
    """Empty a room's local tables and fill them from their topics. Raises NotReady with its log."""
    command, environment = plan.launch_of_rebuild(cluster, room)
    ran = subprocess.run(
        command, env=environment, cwd=paths.PROJECT, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise readiness.NotReady(f"{room}'s tables are as they were: {ran.stdout}{ran.stderr}")


def _start_servers(folder: Path, sandbox: bool | None, step: Step) -> plan.Cluster:
    """Both servers launched, PostgreSQL ready: Kafka starts while the databases are made."""
    prepare(step)
    cluster = plan.lay_out(folder, sandbox=sandbox)
    silent = [name for name in plan.SERVERS if children.find(folder, name) is None]
    _move_ports(folder, [name for server in silent for name in PORTS_OF[server]], step)
    with step("Kafka is launched"):
        cluster.servers.launch_kafka()
    with step("PostgreSQL answers"):
        cluster.servers.start_postgres()
    return plan.cluster_of(folder)  # a port that somebody took meanwhile was replaced


def _stop_other_versions(cluster: plan.Cluster, names: Sequence[str], step: Step) -> None:
    """Nothing is migrated under a program that knows only the schema of before.

    Raises NotReady, with everything as it was, where a database is newer than this code.
    """
    readiness.run(_refuse_newer(cluster, [name for name in names if name in plan.WITH_DATABASE]))
    others = [
        name
        for name in plan.PROGRAMS
        if children.find(cluster.folder, name) is not None
        and children.version_of(cluster.folder, name) != version.of_code()
    ]
    if others:
        with step(f"stopped, to start in this version of the code: {', '.join(others)}"):
            supervisor.stop(cluster.folder)
            processes.stop(cluster, *others)


async def _refuse_newer(cluster: plan.Cluster, rooms: Sequence[str]) -> None:
    existing = await connections.databases(postgres_server.superuser_dsn(cluster.servers.postgres))
    for room in [room for room in rooms if room in existing]:
        try:
            await migrate.pending(cluster.servers.dsn(room, f"{room}_owner"), _migrations(room))
        except migrate.MigrationError as newer:
            raise readiness.NotReady(f"{room}: {newer}") from newer


def _move_ports(folder: Path, names: Sequence[str], step: Step) -> None:
    """Ports that somebody took meanwhile: the public one is an error, others move, and say so."""
    known = ports.remembered(folder)
    taken = [name for name in names if name in known and not ports.is_free(known[name])]
    for name in taken:
        by = ports.holder(known[name])
        if name == plan.GATEWAY:
            raise readiness.NotReady(
                f"port {known[name]} of the public API is taken by {by}: tills know that address,"
                " so it does not move. End that program and come again; or, to move it for good,"
                f" remove {plan.GATEWAY} from {folder / 'ports.json'}"
            )
        moved = ports.renew(folder, [name])[name]
        with step(f"port of {name} moves from {known[name]}, taken by {by}, to {moved}"):
            pass


def _prepare_data(
    cluster: plan.Cluster, names: Sequence[str], starts_at: datetime | None, step: Step
) -> None:
    rooms = [name for name in names if name in plan.WITH_DATABASE]
    with step("databases are migrated") as tell:
        cluster.servers.create_databases(*rooms)
        done = migrate_rooms(cluster, rooms)
        tell(f"databases are migrated ({sum(done.values())} new migrations)")
    with step("Kafka carries records"):
        cluster.servers.wait_for_kafka()
    with step("topics") as tell:
        created = readiness.run(_ensure_topics(cluster))
        tell(f"topics are there ({len(created)} new)")
    if cluster.sandbox and names:  # with servers alone, the driver may still set it
        with step("the sandbox has a time"):
            first = starts_at or clock.wall()
            readiness.run(sandbox_clock.set_first(cluster.servers.bootstrap, first))


def _start_programs(folder: Path, names: Sequence[str], step: Step, *, supervised: bool) -> None:
    """Started by the supervisor they are its children: it can say how each ended."""
    silent = [name for name in names if children.find(folder, name) is None]
    listeners = [one for one in plan.LISTENERS if one.removesuffix(plan.INNER) in silent]
    _move_ports(folder, listeners, step)
    cluster = plan.cluster_of(folder)
    ready: list[str] = []
    with step("programs are ready") as tell:

        def count(name: str) -> None:
            ready.append(name)
            tell(f"programs are ready ({len(ready)} of {len(names)})")

        if not supervised:
            for name in silent:
                processes.start(cluster, name)
        elif silent or children.find(folder, supervisor.NAME) is None:
            supervisor.start(cluster, (*plan.SERVERS, *names), begin=silent)
            processes.wait_started(cluster, silent, by=supervisor.NAME)
        processes.wait_ready(cluster, names, tell=count)


async def _ensure_topics(cluster: plan.Cluster) -> list[str]:
    return await kafka.ensure_topics(
        cluster.servers.bootstrap, topics.TOPICS, shards=cluster.shards, gateways=plan.GATEWAYS
    )


async def _migrate(cluster: plan.Cluster, rooms: Sequence[str]) -> dict[str, int]:
    done = await asyncio.gather(*(_migrate_room(cluster, room) for room in rooms))
    return dict(zip(rooms, done, strict=True))


async def _migrate_room(cluster: plan.Cluster, room: str) -> int:
    owner = cluster.servers.dsn(room, f"{room}_owner")
    try:
        applied = await migrate.migrate(owner, _migrations(room))
    except (migrate.MigrationError, db.DataError, errors.Unavailable) as failure:
        raise readiness.NotReady(f"{room} could not be migrated: {failure}") from failure
    return len(applied)


def _migrations(room: str) -> Path:
    return paths.PROJECT / "services" / room / "migrations"


def _running(folder: Path) -> list[str]:
    return sorted({name for _, name in children.marked(folder)})


def _end(folder: Path, names: Sequence[str]) -> None:
    """End what an interrupted start has started; the servers in good order, for their data."""
    if supervisor.NAME in names:
        supervisor.stop(folder)  # first: it would start the others again
    for name in names:
        process = children.find(folder, name)
        if name == kafka_server.NAME:
            kafka_server.stop(folder)
        elif name == postgres_server.NAME:
            postgres_server.stop(folder)
        elif process is not None:
            children.kill(process)
        children.forget(folder, name)


def _programs(only: Sequence[str] | None) -> Sequence[str]:
    return plan.PROGRAMS if only is None else only


def _silent(_: str) -> AbstractContextManager[Callable[[str], None]]:
    return nullcontext(lambda _: None)

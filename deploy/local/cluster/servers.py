"""Kafka and PostgreSQL of one folder, started, broken and stopped together or apart."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from cluster import children, kafka_server, lockfile, postgres_server, readiness

START_WAIT_S = 120.0  # much of it only on a machine that others keep busy
HEALTH_WAIT_S = 3.0
FOLDER_LOCK_WAIT_S = 120.0


class NotRunning(Exception):
    """The server that was to be touched does not run."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of a folder. Calls block until done: from a coroutine use asyncio.to_thread."""

    folder: Path
    kafka: kafka_server.Node
    postgres: postgres_server.Server

    @property
    def bootstrap(self) -> str:
        """Kafka's address, "127.0.0.1:port"."""
        return self.kafka.bootstrap

    def dsn(self, database: str, role: str) -> str:
        """A database's address for a role."""
        return self.postgres.dsn(database, role)

    def create_databases(self, *rooms: str) -> None:
        """Make databases named like rooms, with roles `room`_owner (migrates), `room` (runs)."""
        postgres_server.create_databases(self.postgres, rooms)

    def start_kafka(self) -> None:
        """Start the broker unless a healthy one runs, and wait until it carries records."""
        self.launch_kafka()
        self.wait_for_kafka()

    def start_postgres(self) -> None:
        """Start the database server unless a healthy one runs, and wait until it answers."""
        self.launch_postgres()
        self.wait_for_postgres()

    def launch_kafka(self) -> None:
        """Start the broker unless a healthy one runs; does not wait."""
        process = kafka_server.find(self.folder)
        if process is not None:
            if readiness.kafka_is_ready(self.bootstrap, wait_s=HEALTH_WAIT_S):
                return
            children.kill(process)
        kafka_server.launch(self.folder)

    def launch_postgres(self) -> None:
        """Start the database server unless a healthy one runs; does not wait."""
        process = postgres_server.find(self.folder)
        if process is not None:
            dsn = postgres_server.superuser_dsn(self.postgres)
            if readiness.postgres_is_ready(dsn, wait_s=HEALTH_WAIT_S):
                return
            children.kill(process)
        postgres_server.launch(self.folder)

    def wait_for_kafka(self) -> None:
        """Return once a record goes through the broker. Raises readiness.NotReady, with its log."""
        here = servers_of(self.folder)  # a port that somebody took meanwhile was replaced
        try:
            readiness.wait_for_kafka(here.bootstrap, self._kafka(), wait_s=START_WAIT_S)
        except (readiness.NotReady, NotRunning) as failure:
            raise _with_log(failure, self.kafka.log) from failure

    def wait_for_postgres(self) -> None:
        """Return once a query is answered. Raises readiness.NotReady, with the server's log."""
        dsn = postgres_server.superuser_dsn(servers_of(self.folder).postgres)
        try:
            readiness.wait_for_postgres(dsn, self._postgres(), wait_s=START_WAIT_S)
        except (readiness.NotReady, NotRunning) as failure:
            raise _with_log(failure, self.postgres.log) from failure

    def stop(self) -> None:
        """Stop both in good order; whatever does not end in time is killed."""
        kafka_server.stop(self.folder)
        postgres_server.stop(self.folder)

    def stop_kafka(self) -> None:
        """Stop the broker in good order."""
        kafka_server.stop(self.folder)

    def stop_postgres(self) -> None:
        """Stop the database server in good order."""
        postgres_server.stop(self.folder)

    def kill_kafka(self) -> None:
        """kill -9 of the broker."""
        children.kill(self._kafka())

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster and all its children."""
        children.kill(self._postgres())

    def pause_kafka(self) -> None:
        """SIGSTOP: the broker hangs, its connections stay open."""
        children.pause(self._kafka())

    def resume_kafka(self) -> None:
        """SIGCONT after pause_kafka."""
        children.resume(self._kafka())

    def pause_postgres(self) -> None:
        """SIGSTOP: the server hangs, its connections stay open."""
        children.pause(self._postgres())

    def resume_postgres(self) -> None:
        """SIGCONT after pause_postgres."""
        children.resume(self._postgres())

    def _kafka(self) -> psutil.Process:
        return _running(kafka_server.find(self.folder), "kafka")

    def _postgres(self) -> psutil.Process:
        return _running(postgres_server.find(self.folder), "postgres")


def start_servers(folder: Path, *, kafka: bool = True, postgres: bool = True) -> Servers:
    """Start what is asked for in the folder and return when it is ready.

    Healthy servers of the folder that already run are kept as they are; others are ended first.
    Two calls at a time for one folder wait for one another.
    """
    folder = folder.resolve()
    with lockfile.held(folder / "servers.lock", wait_s=FOLDER_LOCK_WAIT_S):
        servers = servers_of(folder)
        # Kafka first: PostgreSQL is prepared while it starts
        if kafka:
            servers.launch_kafka()
        if postgres:
            servers.start_postgres()
        if kafka:
            servers.wait_for_kafka()
    return servers_of(folder)


def servers_of(folder: Path) -> Servers:
    """The servers of a folder, running or not."""
    folder = folder.resolve()
    return Servers(folder, kafka_server.node(folder), postgres_server.server(folder))


def _running(process: psutil.Process | None, name: str) -> psutil.Process:
    if process is None:
        raise NotRunning(f"{name} does not run")
    return process


def _with_log(failure: Exception, log: Path) -> readiness.NotReady:
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""
    return readiness.NotReady(f"{failure}\n{log}:\n{tail}")

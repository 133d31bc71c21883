"""What tests of every room share: real servers, migrated databases, no foreign network."""

import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
import pytest_socket
from xdist.remote import Producer

# The packages first: a test folder such as contracts/tests would else stand in for its package.
import contracts  # noqa: F401
import gateway  # noqa: F401
import kit  # noqa: F401
import lab  # noqa: F401
from cluster import servers as cluster_servers
from kit.base import logs as kit_logs
from support import databases, floors, workers
from support.databases import Run

# Thousands of tests and all they import are looked through by every full collection of garbage:
# a fifth of the whole run's processor time. Collected seldom, and what is there for good never.
gc.set_threshold(100_000, 20, 50)

# A run of the same code tells the same stories; and a busy machine is no failure.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> workers.FileScheduling:
    """Files stay whole, and the platform's tests with one worker."""
    return workers.FileScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, workers.Report, workers.Report]:
    """What a worker tells of a test can be sent, whatever the test logged."""
    report = yield
    return workers.sendable(report)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, where there are workers; some is not measured."""
    if workers.name():
        items[:] = workers.platform_first(items)
    for item in items:
        if not floors.is_measured(item.nodeid):
            item.add_marker("no_cover")


def pytest_collection_finish() -> None:
    """What was imported by now stays."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup() -> None:
    """Foreign sockets are refused; this machine's own are not."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def server_run() -> Iterator[Run]:
    """The folder of this run's servers; starts nothing."""
    run = Run(keep=os.environ.get("KEEP_SERVERS") == "1")
    yield run
    run.close()


@pytest.fixture
def declines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """`declines()`: who was declined here since it was last asked, as the room's log tells it."""
    kit_logs.settle()
    caplog.set_level("INFO", logger=kit_logs.__name__)

    def told() -> list[str]:
        caplog.clear()
        kit_logs.settle()
        return [one for line in caplog.records for one in line.__dict__.get("declined", ())]

    return told


@pytest.fixture(scope="session")
def postgres(server_run: Run) -> cluster_servers.Servers:
    """PostgreSQL alone."""
    return server_run.postgres()


@pytest.fixture(scope="session")
def servers(server_run: Run) -> cluster_servers.Servers:
    """Kafka and PostgreSQL."""
    return server_run.both()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fresh_database(
    server_run: Run,
    postgres: cluster_servers.Servers,  # noqa: ARG001  it must run
) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """`await fresh_database("ledger")`: the address of a new, migrated database of that room."""
    from kit.base import migrate

    async def fresh(room: str) -> str:
        return await server_run.fresh_database(room, _migrate)

    async def _migrate(dsn: str, folder: Path) -> object:
        return await migrate.migrate(dsn, folder)

    yield fresh
    if server_run.keep:
        await server_run.drop_databases()


@pytest.fixture(scope="session")
def owner_dsn(server_run: Run) -> Callable[[str], str]:
    """`owner_dsn(dsn)`: the same database as the role that owns it."""
    return lambda dsn: databases.owner_dsn(server_run.folder, dsn)

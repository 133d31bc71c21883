"""What waits for a cluster gives up once a program of it is gone."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import children, plan, readiness
from lab.observe import driver


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[plan.Cluster]:
    """A cluster of one program, which says a word and sleeps."""
    monkeypatch.setattr(driver, "LOOK_S", 0.05)
    made = plan.cluster_of(tmp_path)
    children.launch(
        children.Launch(
            folder=made.folder,
            name="ledger",
            command=[sys.executable, "-uc", "import time; print('posting'); time.sleep(60)"],
            environment={},
            log=made.log("ledger"),
        )
    )
    while "posting" not in made.log("ledger").read_text():
        time.sleep(0.02)
    yield made
    children.end_all(made.folder)


async def test_work_ends_with_the_last_words_of_the_program_that_is_gone(
    cluster: plan.Cluster,
) -> None:
    ledger = children.find(cluster.folder, "ledger")
    assert ledger is not None
    cancelled = asyncio.Event()

    async def work() -> None:
        children.kill(ledger)
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    with pytest.raises(readiness.NotReady, match="ledger ended:\nposting"):
        await driver.while_all_run(cluster, work())
    assert cancelled.is_set()


async def test_work_in_a_whole_cluster_gives_its_result_or_its_error(cluster: plan.Cluster) -> None:
    async def work() -> int:
        await asyncio.sleep(0.2)
        return 7

    async def fail() -> None:
        raise ValueError("no such till")

    assert await driver.while_all_run(cluster, work()) == 7
    with pytest.raises(ValueError, match="no such till"):
        await driver.while_all_run(cluster, fail())

"""A purchase history brought into a live platform: once, again, in another order, unasked.

In a platform of its own: the figures of a replay are those of the whole platform.
"""

import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster import connections, lifecycle, paths, plan
from lab.history.__main__ import LEFT_OUT
from peyvand import Operator
from peyvand.administration import Programme

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]

FOLDER = paths.PROJECT / "var" / "test-replay"
TODAY = datetime.now(UTC).date()


def ago(days: int) -> str:
    """The date so many days ago."""
    return str(TODAY - timedelta(days=days))


HEAD = "transaction,member,merchant,occurred_at,amount_rial,terminal,line,sku,category,quantity"
GOOD = [
    f"ب-۱,علی,فروشگاه ۷,{ago(21)}T10:00:00+03:30,۱۵۰۰۰۰,,1,bread,food,1",
    f"b2,c-2,shop two,{ago(20)} 09:00,250000,17,,,,",
    f"b3,c-2,shop two,{ago(1500)}T08:00:00Z,900000,,,,,",
    f"ب-۱,علی,فروشگاه ۷,{ago(21)}T06:30:00Z,50000,,2,milk,food,2",
    f"b4,c-3,shop two,{ago(23)},70000,,,a,,",
    f"b4,c-3,shop two,{ago(23)},30000,,,b,,",
]
BAD = [
    f"z1,c-2,shop two,{ago(19)},0,,,,,",
    f"x1,c-2,shop two,{ago(19)},12.5,,,,,",
    f"x2,c-2,shop two,{ago(19)},40000,,,,,",
    f"x2,c-2,shop two,{ago(19)},forty,,,,,",
    f"x3,c-2,shop two,{ago(19)},40000,,,,,",
    f"x3,c-3,shop two,{ago(19)},40000,,,,,",
    "x4,c-2,shop two,yesterday,40000,,,,,",
    f'"x5,c-2,shop two,{ago(19)},40000,,,,,',
    f"ب-۱,علی,فروشگاه ۷,{ago(21)}T06:30:00Z,50000,,2,milk,food,2",
]
BOOK = (  # everything that posted; the clock's ticks post nothing
    "select shard, account_id, account_sequence, amount, balance from entries order by 1, 2, 3",
    "select shard, lot, account_id, amount, expires_at from lots order by 1, 2",
    "select shard, lot, what, amount from consumptions order by 1, 2, 3",
    "select shard, name from outcomes where name not like 'k.%' order by 1, 2",
)


@dataclass(frozen=True)
class Ran:
    """How a replay ended: exit status, what it printed, its report."""

    status: int
    said: str
    report: dict[str, Any]

    @property
    def rows(self) -> dict[str, int]:
        return self.report["rows"]

    @property
    def named(self) -> set[tuple[str, tuple[int, ...]]]:
        """Code and lines of every problem."""
        return {(one["code"], tuple(one["lines"])) for one in self.report["problems"]["listed"]}


Replay = Callable[..., Ran]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the platform of these tests will be; the first replay starts it."""
    lifecycle.clean(FOLDER)
    yield FOLDER
    lifecycle.clean(FOLDER)


@pytest.fixture(scope="module")
def replay(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """`replay(raw)` runs the command over a file of that content."""

    def run(raw: str | bytes, *, enrol: bool = False) -> Ran:
        place = tmp_path_factory.mktemp("replay")
        file = place / ("history.csv.gz" if isinstance(raw, bytes) else "history.csv")
        file.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        told = [sys.executable, "-m", "cluster", "run", "--"]
        told += [sys.executable, "-m", "lab.history", "--file", str(file)]
        told += ["--report", str(place / "report"), *(["--enrol"] if enrol else [])]
        environment = os.environ | {"CLUSTER": str(folder), "COLUMNS": "200"}
        done = subprocess.run(
            told, cwd=paths.PROJECT, env=environment, capture_output=True, text=True, check=False
        )
        report = place / "report" / "report.json"
        found = json.loads(report.read_text()) if report.exists() else {}
        return Ran(done.returncode, done.stdout + done.stderr, found)

    return run


@pytest.fixture(scope="module")
def first(replay: Replay) -> Ran:
    """The first replay: it starts the platform and takes everybody in."""
    return replay(history(*GOOD, *BAD), enrol=True)


def history(*lines: str) -> str:
    return "\n".join((HEAD, *lines)) + "\n"


async def book(folder: Path) -> list[list[tuple[Any, ...]]]:
    """What the platform has posted."""
    db = await connections.connect(plan.cluster_of(folder).servers.dsn("ledger", "ledger_owner"))
    try:
        return [[tuple(row.values()) for row in await db.fetch(query)] for query in BOOK]
    finally:
        await db.close()


def test_a_history_is_taken_in_and_every_line_accounted_for(first: Ran) -> None:
    ran = first
    assert ran.status == LEFT_OUT, ran.said
    assert "the platform is not up: it is started" in ran.said
    assert ran.rows | {"zoneless": 0} == {
        "read": 15,
        "bad": 4,
        "zero": 1,
        "repeated": 1,
        "left_out": 3,
        "refused": 0,
        "sent": 6,
        "transactions": 10,
        "transactions_left_out": 6,
        "transactions_refused": 0,
        "zoneless": 0,
        "alike": 0,
    }
    assert ran.named == {
        ("zero-amount", (8,)),
        ("bad-amount", (9,)),
        ("bad-amount", (11,)),
        ("bad-rows", (10,)),
        ("members-differ", (12, 13)),
        ("bad-time", (14,)),
        ("bad-quotes", (15,)),
        ("repeated-row", (16,)),
    }
    sent = ran.report["transactions"]
    assert (sent["sent"], sent["completed"], sent["failed"], sent["pending"]) == (4, 4, 0, 0)
    points = ran.report["value"]["NP"]
    # a point for 10,000 Rial; what was bought over two years ago is expired and booked
    assert (points["issued"], points["expired"], points["outstanding"]) == (145, 90, 55)
    assert ran.report["replay"]["enrolled"] == {
        "members": 3,
        "merchants": 2,
        "programmes": 2,
        "terms": 1,
    }
    assert not any(ran.report["messages"].values())


async def test_the_same_file_again_changes_no_entry(
    replay: Replay, first: Ran, folder: Path
) -> None:
    assert first.status == LEFT_OUT
    before = await book(folder)
    shuffled = [*GOOD, *BAD]
    random.Random(4).shuffle(shuffled)
    for raw, enrol in (
        (history(*shuffled), False),
        (gzip.compress(history(*GOOD, *BAD).encode()), True),
    ):
        ran = replay(raw, enrol=enrol)
        assert ran.status == LEFT_OUT, ran.said
        assert await book(folder) == before
        assert ran.report["replay"]["known_before"] == ran.report["transactions"]["sent"] == 4
        assert not any(ran.report["replay"]["enrolled"].values())
        assert "all 4 purchases were known from an earlier import" in ran.said


async def test_who_is_unknown_and_a_name_with_another_payload_are_named_by_line(
    replay: Replay, first: Ran, folder: Path
) -> None:
    assert first.status == LEFT_OUT
    entries = len((await book(folder))[0])
    ran = replay(
        history(
            f"n1,c-2,shop two,{ago(17)},60000,,,,,",
            f"n2,nobody,shop two,{ago(17)},60000,,,,,",
            f"n3,c-2,no shop,{ago(17)},60000,,,,,",
            f"n3,c-2,no shop,{ago(17)},10000,,,,,",
            f"b4,c-3,shop two,{ago(23)},70001,,,,,",
        )
    )
    assert ran.status == LEFT_OUT, ran.said
    assert ran.named == {
        ("unknown-member", (3,)),
        ("unknown-merchant", (4, 5)),
        ("name-used-with-another-payload", (6,)),
    }
    assert (ran.rows["sent"], ran.rows["left_out"], ran.rows["refused"]) == (1, 3, 1)
    assert (ran.report["transactions"]["sent"], ran.report["replay"]["points_earned"]) == (1, 6)
    assert len((await book(folder))[0]) == entries + 2


async def test_an_older_file_finds_a_programme_and_a_price_in_a_platform_that_has_newer_ones(
    replay: Replay, first: Ran, folder: Path
) -> None:
    assert first.status == LEFT_OUT
    cluster = plan.cluster_of(folder)
    key = cluster.credentials.operator_key("operator")
    async with Operator(cluster.url(plan.GATEWAY), key) as operator:
        titles: dict[str, Any] = {"title_fa": "فروشگاه", "title_en": "shop"}
        await operator.put_party(4_000, titles)
        await operator.put_merchant(4_000, {"party": 4_000, "sector": "books", **titles})
        body = Programme(
            effective_from=datetime.now(UTC) - timedelta(days=30),
            earn_points=5,
            earn_per_rial=10_000,
            backdated=True,
            **titles,
        )
        await operator.put_programme(4_000, 1, body)
    ran = replay(
        history(
            f"o1,c-9,4000,{ago(10)},100000,,,,,",  # by the merchant's own number and programme
            f"o2,c-9,4000,{ago(2500)},100000,,,,,",  # before that: the default one
            f"o3,c-9,7,{ago(2500)},100000,,,,,",  # a number nobody has: its own c-9, another person
        ),
        enrol=True,
    )
    assert ran.status == 0, ran.said
    assert ran.report["replay"]["points_earned"] == 50 + 10 + 10
    assert ran.report["replay"]["enrolled"] == {
        "members": 2,
        "merchants": 1,
        "programmes": 2,
        "terms": 1,
    }
    async with Operator(cluster.url(plan.GATEWAY), key) as operator:
        (found,) = (await operator.merchants(reference="7")).items
    assert found["merchant"] > 4_000

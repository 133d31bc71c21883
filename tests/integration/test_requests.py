"""kit.stream.requests on a real database: commands sent once, answers kept once, one result."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
import pytest_asyncio

from contracts import topics
from contracts.envelope import Envelope
from contracts.ledger import CancelPending, Outcome
from contracts.values import Reason, Status
from kit.base import errors
from kit.base.db import Database, Tx
from kit.base.migrate import migrate
from kit.stream import requests
from kit.stream.requests import Answer, Progress, Result
from support.transactions import rolled_back

NOW = datetime(2026, 3, 21, 8, tzinfo=UTC)
CANCEL = "cancel-pending.v1"
PENDING, COMPLETED, DECLINED = Progress.PENDING, Progress.COMPLETED, Progress.DECLINED
NO = Reason(code="past-due", fa="مهلت گذشت", en="too late")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(
    fresh_database: Callable[[str], Awaitable[str]], owner_dsn: Callable[[str], str]
) -> AsyncGenerator[Database]:
    """A service's database with kit's tables alone."""
    dsn = await fresh_database("test")
    await migrate(owner_dsn(dsn), None)
    made = await Database.open(dsn, size=2)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tx(database: Database) -> AsyncGenerator[Tx]:
    async with rolled_back(database) as opened:
        yield opened


def command(name: str) -> Envelope[CancelPending]:
    data = CancelPending(name=name, original="t.1.1.1", case_id="c", reviewer="sara")
    return Envelope(
        id=f"{name}-id", type=CANCEL, key="1", occurred_at=NOW, accepted_at=NOW, data=data
    )


def outcome(name: str, status: Status = Status.COMPLETED, after_s: int = 1) -> Outcome:
    declined = status in (Status.DECLINED, Status.REFUSED)
    return Outcome(
        sequence=1,
        name=name,
        command=CANCEL,
        status=status,
        decided_at=NOW + timedelta(seconds=after_s),
        code=NO.code if declined else "",
        reasons=(NO,) if declined else (),
    )


async def recorded(tx: Tx, *outcomes: tuple[int, Outcome]) -> list[Answer]:
    return await requests.record_outcomes(tx, outcomes, commands={CANCEL})


async def result(tx: Tx, name: str) -> Result:
    return (await requests.find_results(tx, [name]))[name]


async def test_a_command_goes_to_each_of_its_shards_once(tx: Tx) -> None:
    await requests.send(tx, [(shard, command("v.1")) for shard in (0, 3)])
    await requests.send(tx, [(shard, command("v.1")) for shard in (0, 3, 4)])
    messages = tx.take_messages()
    assert [(m.topic, m.partition) for m in messages] == [
        (topics.LEDGER_COMMANDS.name, shard) for shard in (0, 3, 4)
    ]
    assert await requests.find_results(tx, ["v.1", "v.2"]) == {"v.1": Result()}
    row = await tx.fetchrow("select command, requested_at from requests where shard = 4")
    assert row is not None
    assert tuple(row) == (CANCEL, NOW)


async def test_what_the_shard_answered_first_stands(tx: Tx) -> None:
    await requests.send(tx, [(3, command("v.1"))])
    assert (await result(tx, "v.1")).status is PENDING
    (new,) = await recorded(tx, (3, outcome("v.1", Status.DECLINED)))
    assert (new.name, new.shard, new.command, new.completed) == ("v.1", 3, CANCEL, False)
    assert await recorded(tx, (3, outcome("v.1", Status.DECLINED))) == []
    assert await recorded(tx, (3, outcome("v.1", after_s=9))) == []
    assert await result(tx, "v.1") == Result(
        DECLINED, NO.code, NO.fa, NO.en, NOW + timedelta(seconds=1)
    )


async def test_only_answers_to_what_was_sent_are_kept(tx: Tx) -> None:
    await requests.send(tx, [(3, command("v.1"))])
    of_others = outcome("v.2"), outcome("t.1.1.1")
    assert await recorded(tx, *[(3, one) for one in of_others]) == []
    assert await recorded(tx, (4, outcome("v.1"))) == []  # another shard's
    assert await requests.record_outcomes(tx, [(3, outcome("v.1"))], commands={"x.v1"}) == []
    assert (await result(tx, "v.1")).status is PENDING
    assert await recorded(tx) == []


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        (Status.COMPLETED, COMPLETED),
        (Status.UNDER_REVIEW, COMPLETED),
        (Status.DECLINED, DECLINED),
        (Status.REFUSED, DECLINED),
    ],
)
async def test_every_status_of_the_ledger_is_an_answer(
    tx: Tx, status: Status, progress: Progress
) -> None:
    await requests.send(tx, [(3, command("v.1"))])
    await recorded(tx, (3, outcome("v.1", status)))
    assert (await result(tx, "v.1")).status is progress


async def test_a_name_on_many_shards_has_one_result_in_whatever_order_they_answer(tx: Tx) -> None:
    answers = [
        (0, outcome("v.1", after_s=5)),
        (1, outcome("v.1", after_s=7)),
        (2, outcome("v.1", after_s=6)),
    ]
    for number, order in enumerate(permutations(answers)):
        name = f"v.{number}"
        await requests.send(tx, [(shard, command(name)) for shard in range(3)])
        for shard, one in order:
            assert (await result(tx, name)).status is PENDING
            renamed = outcome(name, after_s=int((one.decided_at - NOW).total_seconds()))
            await recorded(tx, (shard, renamed))
        assert await result(tx, name) == Result(COMPLETED, answered_at=NOW + timedelta(seconds=7))


async def test_one_shard_that_declines_declines_it(tx: Tx) -> None:
    await requests.send(tx, [(shard, command("v.1")) for shard in range(3)])
    await recorded(tx, (2, outcome("v.1", Status.DECLINED, after_s=4)))
    assert (await result(tx, "v.1")).status is DECLINED
    await recorded(tx, (0, outcome("v.1", after_s=9)), (1, outcome("v.1")))
    last = NOW + timedelta(seconds=9)
    assert await result(tx, "v.1") == Result(DECLINED, NO.code, NO.fa, NO.en, last)


def answer(code: str, *, completed: bool = True) -> Answer:
    return Answer("v.1", 0, CANCEL, completed, code, "", "", NOW)


def test_nothing_changed_only_where_no_shard_changed_anything() -> None:
    same = answer("already-so")
    assert requests.result_of([same, same]).code == "already-so"
    assert requests.result_of([same, answer(""), same]).code == ""
    assert requests.result_of([same, None]) == Result()
    assert requests.result_of([None, answer("no", completed=False)]).status is DECLINED


async def test_a_noun_finds_its_rows_that_completed_everywhere(tx: Tx) -> None:
    for name in ("v.1", "v.2", "v.3"):
        await requests.send(tx, [(shard, command(name)) for shard in range(2)])
    await recorded(tx, (0, outcome("v.1")), (1, outcome("v.1")), (0, outcome("v.2")))
    await recorded(tx, (0, outcome("v.3")), (1, outcome("v.3", Status.DECLINED)))
    rows = await tx.fetch(
        "select t.name from (values ('v.1'), ('v.2'), ('v.3')) as t (name) where "
        + requests.COMPLETED_EVERYWHERE
    )
    assert [row["name"] for row in rows] == ["v.1"]


async def test_the_service_itself_can_neither_change_nor_forget_what_it_sent(
    database: Database,
) -> None:
    async with database.transaction() as committed:
        await requests.send(committed, [(3, command("v.kept"))])
        committed.take_messages()
    for statement in ("delete from requests", "update requests set name = 'v.other'"):
        with pytest.raises(errors.Alarm, match="permission denied"):
            async with database.transaction() as refused:
                await refused.execute(statement)

"""A small bench on a real server: runs, checks, figures; a spoilt book has no speed."""

import io

import pytest
import pytest_asyncio
from rich.console import Console

from lab.bench.ledger import checks, figures, tables, workloads, yardstick
from lab.bench.ledger.model import Model
from lab.bench.ledger.ours import Ours
from lab.bench.ledger.place import ROOM, Place
from lab.bench.ledger.rounds import Plan, Rounds
from lab.bench.ledger.workloads import Workload

PLAN = Plan(
    commands=600, warm_up=0, members=50, rounds=1, batches=(100,), commands_a_day=200, seconds=0.0
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rounds(postgres):
    place = Place(postgres)
    yield Rounds(place, PLAN, lambda text: None)
    await place.clear()


@pytest.mark.parametrize("workload", PLAN.selected)
async def test_every_workloads_book_is_as_the_model_says(rounds, workload):
    row = await rounds.run_ours(workload, 100, audited=False)
    assert not row["wrong"]
    assert row["per_s"] > 0
    assert row["counted"]["sequence_numbers"] >= 600
    assert row["bytes"]["per_command"] > 0
    if workload is Workload.W5:
        assert row["counted"]["conflicting"] > 0
    if workload is Workload.W3:
        assert row["counted"]["refused"] > 0


async def test_figures_of_a_round_are_printed(rounds):
    bare = await rounds.run_yardstick(100)
    ours = await rounds.run_ours(Workload.W1, 100, audited=False)
    rows = [{"round": 0, **row} for row in (bare, ours)]
    found = {"runs": rows, "ratios": figures.ratios(rows), "cpu_s_per_million": figures.cpu(rows)}
    found["profile"] = await rounds.profiled(100, 0.0)
    found["features"] = figures.features(found)
    found |= {"missed": figures.missed(found), "load_before": 0.0, "cores": 2}
    assert [row["of"] for row in found["ratios"]] == ["W1"]
    assert found["ratios"][0]["ratio"] == round(ours["per_s"] / bare["per_s"], 3)
    assert 0 < figures.log_us(found["profile"]) < found["profile"]["us"]
    told = io.StringIO()
    Console(width=120, file=told).print(tables.report(found))
    assert "commands a second" in told.getvalue()


SPOILT = {
    "accounts_off_their_lots": "update lots set remaining = remaining + 1 where lot = 4096",
    "accounts_off_their_entries": "update accounts set balance = balance + 1 where role = 'issued'",
    "balance of 1 members": "update accounts set owner = 9999 where owner = 101 and role = 'value'",
    "sequence numbers": "update shards set last_sequence = last_sequence + 1 where shard = 0",
}


@pytest.mark.parametrize("name", SPOILT)
async def test_a_spoilt_book_fails_its_check(rounds, name):
    mold = await rounds.mold(Workload.W1)
    model = Model.of(Workload.W1, PLAN.size)
    async with rounds.place.copy(mold) as database:
        await checks.check(rounds.place, database, model, born=PLAN.members)
        async with rounds.place.superuser(database) as connection:
            await connection.execute(SPOILT[name])
        with pytest.raises(checks.CheckFailed, match=name.split(" of ")[0]):
            await checks.check(rounds.place, database, model, born=PLAN.members)


async def test_a_spoilt_yardstick_fails_its_check(rounds):
    async with rounds.place.copy(await rounds.bare_mold()) as database:
        dsn = rounds.place.dsn(database)
        await yardstick.check(dsn, 0)
        async with rounds.place.superuser(database) as connection:
            await connection.execute("insert into legs values (1, 1, gen_random_uuid(), 5, 5)")
        with pytest.raises(RuntimeError, match="wrong"):
            await yardstick.check(dsn, 0)


async def test_the_yardstick_posts_a_transfer_once_and_keeps_the_floor(rounds):
    async with rounds.place.copy(await rounds.bare_mold()) as database:
        dsn = rounds.place.dsn(database)
        side = await yardstick.Yardstick.open(dsn)
        commands = list(workloads.generate(Workload.W1, PLAN.size))[:10]
        await side.post(side.prepare(commands))
        await side.post(side.prepare(commands))
        await yardstick.check(dsn, 10)
        spend = next(c for c in commands if c.kind is workloads.Kind.SPEND)
        batch = side.prepare([spend])._replace(ids=["f" * 32], amounts=[2 * 10**9])
        with pytest.raises(RuntimeError, match="below"):
            await side.post(batch)
        await side.close()


async def test_a_second_writer_goes_on_where_the_first_ended(rounds):
    commands = list(workloads.generate(Workload.W1, PLAN.size))
    async with rounds.place.copy(await rounds.mold(Workload.W1)) as database:
        for part in (commands[:150], commands[150:300]):
            side = await Ours.open(rounds.place.dsn(database, ROOM), Workload.W1)
            await side.post(side.prepare(part))
            await side.close()
        model = Model.of(Workload.W1, PLAN.size)
        model.apply(commands[:300])
        counted = await checks.check(rounds.place, database, model, born=PLAN.members)
    assert counted["sequence_numbers"] == PLAN.members + 300

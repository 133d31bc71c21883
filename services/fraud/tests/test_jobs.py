"""What time passing does; every job twice."""

import asyncio
from datetime import datetime, timedelta

import pytest

from contracts.fraud import ScreeningDecision
from contracts.values import Status
from fraud import pruning
from fraud.alerts import domain as alerts_domain
from fraud.alerts import jobs as alerts_jobs
from fraud.alerts import store as alerts_store
from fraud.alerts import usecases as alerts
from fraud.alerts.domain import NameSeen
from fraud.cases import domain as cases_domain
from fraud.cases import jobs as cases_jobs
from fraud.cases import store as cases_store
from fraud.cases import usecases as cases
from fraud.declines import jobs as declines_jobs
from fraud.declines import store as declines_store
from fraud.declines.domain import Declined
from fraud.main import SERVICE
from fraud.screening import jobs, part, store
from fraud.screening.domain import windows
from fraud.screening.domain.decisions import ScreeningResult
from fraud.settings import Settings
from kit.base import db
from kit.stream.sandbox_clock import SandboxClock
from support import services

pytestmark = pytest.mark.usefixtures("committed")
GIVEN = Settings(room="fraud", kafka_bootstrap="", http_port=0, actor_secret="")


def clock_at(at: datetime) -> SandboxClock:
    made = SandboxClock()
    made.advance(at)
    return made


async def test_names_are_forgotten_after_400_days(database: db.Database, now: datetime) -> None:
    edge = now - timedelta(days=400)
    async with database.transaction() as tx:
        for name, at in (("old", edge - timedelta(microseconds=1)), ("edge", edge), ("new", now)):
            made = ScreeningResult(shard=1, name=name, decision=ScreeningDecision.ALLOW)
            await store.write_poll(tx, [(made, None, at, at)], {}, at)
    for _ in range(2):
        await jobs.prune_names(database, clock_at(now), GIVEN)
        async with database.read() as tx:
            rows = await tx.fetch("select name from decisions order by name")
        assert [row["name"] for row in rows] == ["edge", "new"]


async def test_idle_keys_are_forgotten(database: db.Database, now: datetime) -> None:
    async with database.transaction() as tx:
        old, busy = now - timedelta(hours=49), now - timedelta(hours=47)
        empty = windows.empty()
        await store.write_poll(tx, [], {(1, "a.1"): empty}, old)
        await store.write_poll(tx, [], {(1, "a.2"): empty}, busy)
    for _ in range(2):
        await jobs.prune_windows(database, clock_at(now), GIVEN)
        async with database.read() as tx:
            assert [r["key"] for r in await tx.fetch("select key from windows")] == ["a.2"]


async def test_withdrawals_are_forgotten_with_the_windows(
    database: db.Database, now: datetime
) -> None:
    async with database.transaction() as tx:
        early = [
            Declined(
                shard=1,
                name=f"t.1.1.{hours}",
                merchant=7,
                terminal=1,
                declined_at=now - timedelta(hours=hours),
            )
            for hours in (49, 47)
        ]
        await declines_store.insert_early(tx, early)
    for _ in range(2):
        await declines_jobs.prune_withdrawals(database, clock_at(now), GIVEN)
        async with database.read() as tx:
            rows = await tx.fetch("select name from withdrawals")
            assert [r["name"] for r in rows] == ["t.1.1.47"]


async def test_pruning_goes_on_until_a_round_is_not_full(database: db.Database) -> None:
    left = [3, 3, 1, 3]

    async def round_(_: db.Tx, *, limit: int) -> int:
        assert limit == 3
        return left.pop(0)

    await pruning.in_rounds(database, round_, rows=3)
    assert left == [3]
    await pruning.in_rounds(database, round_, rows=3, rounds_max=1)
    assert left == []


async def test_sightings_are_forgotten(database: db.Database, now: datetime) -> None:
    async with database.transaction() as tx:
        for name, days in (("t.1.1.1", 31), ("t.1.1.2", 29)):
            one = NameSeen(
                name=name,
                terminal=1,
                merchant=7,
                shard=1,
                account=1,
                fingerprint="f",
                seen_at=now - timedelta(days=days),
            )
            await alerts.raise_alerts(tx, [one])
    for _ in range(2):
        await alerts_jobs.prune_names_seen(database, clock_at(now), 30)
        async with database.read() as tx:
            rows = await tx.fetch("select name from names_seen")
        assert [row["name"] for row in rows] == ["t.1.1.2"]


async def test_an_open_case_lapses_when_it_is_due(database: db.Database, now: datetime) -> None:
    async with database.transaction() as tx:
        for number in (1, 2):
            review = cases.Review(
                case_id=f"case-{number}",
                shard=1,
                name=f"t.1.1.{number}",
                account=1,
                member=1,
                merchant=7,
                terminal=1,
                amount_rial=1,
                opened_at=now,
                due_at=now + timedelta(hours=number),
                reasons=(),
            )
            await cases.open_cases(tx, [review])
            heard = cases_domain.earning_outcome(1, review.name, Status.UNDER_REVIEW)
            await cases_store.update_ledger_status(tx, [heard])
    for _ in range(2):
        await cases_jobs.expire_cases(database, clock_at(now + timedelta(hours=1)))
        async with database.read() as tx:
            found = await cases.list_cases(tx, None, after=0, limit=9)
        assert [case.status.value for case in found] == ["lapsed", "open"]


async def test_an_unreviewed_earning_that_must_not_lapse_is_cancelled_when_it_is_due(
    database: db.Database, now: datetime
) -> None:
    async with database.transaction() as tx:
        for number in (1, 2):
            review = cases.Review(
                case_id=f"case-{number}",
                shard=4,
                name=f"t.1.1.{number}",
                account=1,
                member=1,
                merchant=7,
                terminal=1,
                amount_rial=9_007_199_254_740_991,
                opened_at=now,
                due_at=now + timedelta(hours=number),
                reasons=(),
                auto_release=False,
            )
            await cases.open_cases(tx, [review])
            await cases_store.update_ledger_status(
                tx, [cases_domain.earning_outcome(4, review.name, Status.UNDER_REVIEW)]
            )
    for _ in range(2):
        for job in cases_jobs.jobs(database, clock_at(now + timedelta(hours=1))):
            await job.run()
        async with database.read() as tx:
            found = await cases.list_cases(tx, None, after=0, limit=9)
        assert [case.status.value for case in found] == ["decided", "open"]
        assert (found[0].reviewer, found[0].note) == (cases.PLATFORM, cases.UNREVIEWED)
    async with database.transaction() as tx:
        (again,) = await cases_store.lock_unreviewed(tx, now + timedelta(days=9), 9)
    assert again.case_id == "case-2"  # the first is decided once


async def test_the_cancel_of_an_unreviewed_earning_goes_to_its_shard(
    tx: db.Tx, now: datetime
) -> None:
    review = cases.Review(
        case_id="case-9", shard=4, name="t.1.1.9", account=1, member=1, merchant=7, terminal=1,
        amount_rial=1, opened_at=now, due_at=now, reasons=(), auto_release=False,
    )  # fmt: skip
    await cases.open_cases(tx, [review])
    await cases_store.update_ledger_status(
        tx, [cases_domain.earning_outcome(4, review.name, Status.UNDER_REVIEW)]
    )
    assert await cases.cancel_unreviewed(tx, now=now, limit=9) == 1
    assert await cases.cancel_unreviewed(tx, now=now, limit=9) == 0
    (said,) = tx.take_messages()
    assert (said.topic, said.partition) == ("ledger.commands", 4)
    assert b'"cancel-pending.v1"' in (said.value or b"")


async def test_every_job_is_run_by_one_process(database: db.Database, now: datetime) -> None:
    clock = clock_at(now)
    opened = services.opened(SERVICE, database, clock)
    made = [job for make in SERVICE.parts for job in make(opened).jobs]
    assert len(made) == 7
    assert all(job.elected for job in made)
    for job in made:
        await job.run()


def test_a_sandbox_has_no_guard_of_its_clock() -> None:
    sandbox = Settings(
        room="fraud", kafka_bootstrap="", http_port=0, actor_secret="", sandbox=True, review_h=1
    )
    assert part.limits(sandbox).clock_ahead_max is None
    assert part.limits(sandbox).review == timedelta(hours=1)
    assert part.limits(GIVEN).clock_ahead_max == timedelta(seconds=10)


async def test_a_case_whose_reasons_do_not_read_is_decided_and_holds_up_no_other(
    tx: db.Tx, now: datetime
) -> None:
    for number in (1, 2, 3):
        review = cases.Review(
            case_id=f"case-{number}", shard=4, name=f"t.1.1.{number}", account=1, member=1,
            merchant=7, terminal=1, amount_rial=1, opened_at=now, due_at=now, reasons=(),
            auto_release=False,
        )  # fmt: skip
        await cases.open_cases(tx, [review])
        await cases_store.update_ledger_status(
            tx, [cases_domain.earning_outcome(4, review.name, Status.UNDER_REVIEW)]
        )
    await tx.execute("update cases set reasons = '[{\"x\": 1}]' where case_id = 'case-2'")
    assert len(await cases.list_cases(tx, None, after=0, limit=9)) == 3
    assert await cases.cancel_unreviewed(tx, now=now, limit=9) == 3
    assert len(tx.take_messages()) == 3


async def test_an_alert_that_commits_late_is_in_a_page_or_after_it(
    database: db.Database, now: datetime
) -> None:
    def seen(name: str, shard: int) -> NameSeen:
        return NameSeen(
            name=name, shard=shard, terminal=1, merchant=7, account=1, fingerprint="", seen_at=now
        )

    async def raise_one(tx: db.Tx, name: str) -> None:
        kind = alerts_domain.AlertKind.TWO_SHARDS
        one = alerts_domain.Alert(
            number=0, kind=kind, first=seen(name, 1), second=seen(name, 2), raised_at=now
        )
        assert await alerts_store.insert_alerts(tx, [one])

    async def page() -> list[str]:
        async with database.read() as tx:
            return [one.first.name for one in await alerts_store.list_alerts(tx, 0, 9)]

    async with database.transaction() as late:
        await raise_one(late, "t.1.1.1")
        async with database.transaction() as early:
            await raise_one(early, "t.1.1.2")
        asked = asyncio.ensure_future(page())
        await asyncio.wait([asked], timeout=0.3)
    assert await asked == ["t.1.1.1", "t.1.1.2"]

"""Corrections: once whatever happens, in an open window alone, netted into the settlement."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from random import Random
from typing import Any

import asyncpg
import pytest

from kit.base import errors
from kit.base.db import Database, Tx
from kit.stream import outbox
from merchants.clearing import usecases as clearing
from merchants.clearing.domain.counting import Pair
from merchants.disputes import jobs
from merchants.disputes.usecases import disputes
from merchants.disputes.usecases.disputes import By
from merchants.statements.domain.reconciliation import Check
from support.clocks import StoppedClock

from .conftest import NOW, SHARDS
from .disputing import DAYS, OWED, Parties, arranged, ends_after, id_of
from .ledger_outcomes import BAKER, GROCER
from .test_clearing import commit, markers
from .test_clearing_crash import Killed, dying

pytestmark = pytest.mark.SH14


@pytest.fixture
async def parties(door: Any, pool: Database) -> Parties:
    return await arranged(door, pool)


# ------------------------------------------------------------------------------------ exactly once


async def test_killed_before_any_statement_the_end_and_its_correction_come_together(
    parties: Parties, pool: Database
) -> None:
    await parties.open()
    by = By("sara", NOW, GROCER)

    async def accept(tx: Tx) -> None:
        await disputes.answer(tx, id_of(1), 4_000, "", by=by, deadlines=DAYS)

    deaths = 0
    for statements in range(60):
        try:
            async with dying(pool, statements) as tx:
                await accept(tx)
            break
        except Killed:
            deaths += 1
            kept = await parties.get()
            assert (kept["state"], kept["correction_window"]) == ("open", None)
    assert deaths >= 6
    async with pool.transaction() as tx:
        await accept(tx)  # the answer was lost, so it is sent again
    async with pool.read() as tx:
        made = await clearing.list_corrections(tx, 2)
    assert [(one.correction, one.pair, one.amount_rial) for one in made] == [
        (id_of(1), Pair(GROCER, BAKER), 4_000)
    ]


async def test_answered_by_many_at_once_there_is_one_correction(
    parties: Parties, pool: Database
) -> None:
    await parties.open()
    answers = await asyncio.gather(*[parties.answer(4_000) for _ in range(6)])
    assert sorted(one.status_code for one in answers) == [200] * 5 + [201]
    async with pool.read() as tx:
        assert len(await clearing.list_corrections(tx, 2)) == 1


async def test_opened_by_many_at_once_a_line_is_not_passed(parties: Parties) -> None:
    """Under different ids some are refused; under one id all have the same dispute."""
    answers = await asyncio.gather(*[parties.open(n, amount_rial=4_000) for n in range(1, 6)])
    assert sorted(one.status_code for one in answers) == [201, 201, 409, 409, 409]
    answers = await asyncio.gather(*[parties.open(9, amount_rial=2_000) for _ in range(5)])
    assert sorted(one.status_code for one in answers) == [200] * 4 + [201]


async def test_a_cut_waits_for_a_correction_that_is_being_made(
    parties: Parties, pool: Database
) -> None:
    """The correction took the open window before the cut, so the window has it when it closes."""
    await parties.open()
    async with pool.transaction() as tx:
        await disputes.answer(tx, id_of(1), 4_000, "", by=By("x", NOW, GROCER), deadlines=DAYS)
        cut = asyncio.ensure_future(parties.door("PUT", "/v1/windows/2", {}))
        await asyncio.wait([cut], timeout=0.3)
        assert not cut.done()
    assert (await cut).status_code == 202
    await commit(pool, markers(2, ends_after(2)))
    assert (await parties.positions(2))[BAKER]["corrections_rial"] == 4_000


async def test_a_correction_that_waited_for_a_cut_falls_into_the_next_window(
    parties: Parties, pool: Database
) -> None:
    await parties.open()
    async with pool.transaction() as tx:
        await clearing.cut_window(tx, 2, by="sara", now=NOW, shards=SHARDS)
        answer = asyncio.ensure_future(parties.answer(4_000))
        await asyncio.wait([answer], timeout=0.3)
        assert not answer.done()
    assert (await answer).json()["correction_window"] == 3
    await commit(pool, markers(2, ends_after(2)))
    assert (await parties.positions(2))[BAKER]["corrections_rial"] == 0
    parties.windows = 2
    await parties.close(ends_after(3))
    assert (await parties.positions(3))[BAKER]["corrections_rial"] == 4_000


async def test_the_database_refuses_a_correction_of_a_window_that_is_not_open(
    parties: Parties, pool: Database, owner_dsn: Any, dsn: str
) -> None:
    await parties.open()
    await parties.answer(4_000)
    await parties.close(ends_after(2))
    owner = await asyncpg.connect(owner_dsn(dsn))
    try:
        for sql in (
            "insert into clearing_corrections (correction, window_number, of_window, debtor,"
            " creditor, amount_rial, made_at) select gen_random_uuid(), 2, of_window, debtor,"
            " creditor, amount_rial, made_at from clearing_corrections",
            "insert into clearing_correction_payments (correction, window_number, paid_at)"
            " select correction, 2, made_at from clearing_corrections",
        ):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="is not open"):
                await owner.execute(sql)
    finally:
        await owner.close()
    async with pool.transaction() as tx:
        with pytest.raises(errors.Alarm, match="other figures"):
            await clearing.correct(
                tx,
                id_of(1),
                of_window=1,
                pair=Pair(GROCER, BAKER),
                amount_rial=3_999,
                now=NOW,
            )


# ------------------------------------------------------------------------------- ------ reconciled


async def test_reconciliation_names_a_correction_that_is_not_its_disputes(
    parties: Parties, owner_dsn: Any, dsn: str
) -> None:
    for number in (1, 2):
        await parties.open(number)
        await parties.answer(4_000, number)
    await parties.close(ends_after(2))
    assert await parties.differences(2) == []
    owner = await asyncpg.connect(owner_dsn(dsn))
    try:
        await owner.execute(
            "update clearing_corrections set amount_rial = 3_000 where correction = $1", id_of(1)
        )
        await owner.execute("delete from clearing_corrections where correction = $1", id_of(2))
    finally:
        await owner.close()
    differences = await parties.differences(2)
    named = [one for one in differences if one["code"] == Check.CORRECTION]
    assert [(one["debtor"], one["creditor"]) for one in named] == [(GROCER, BAKER)] * 2
    assert [id_of(n) in one["expected"] for n, one in zip((1, 2), named, strict=True)] == [True] * 2
    assert {one["code"] for one in differences} == {
        Check.CORRECTION,
        Check.POSITION,
        Check.STATEMENT,
    }


# ------------------------------------------------------------------------------------ any sequence


ACTS = (
    *("open", "open", "answer", "answer", "answer", "escalate", "escalate"),
    *("decide", "decide", "withdraw", "day", "close"),
)


class Model:
    """What a reader of the rules expects of disputes: state, amounts, and what is left of a line.

    Written without the service's rules, as the smallest thing that says the same.
    """

    def __init__(self) -> None:
        self.state: dict[int, str] = {}
        self.amount: dict[int, int] = {}
        self.accepted: dict[int, int] = {}
        self.due: dict[int, int] = {}
        self.corrected: dict[int, int] = {}
        self.windows: dict[int, int] = {}

    def left(self) -> int:
        """Rial of the line that are not disputed or given back."""
        taken = [self.corrected.get(n, rial) for n, rial in self.amount.items()]
        return OWED - sum(taken)

    def end(self, number: int, state: str, rial: int, window: int) -> None:
        self.state[number], self.corrected[number] = state, rial
        self.due.pop(number, None)
        if rial:
            self.windows[number] = window

    def expire(self, day: int, window: int) -> None:
        for number, due in list(self.due.items()):
            if due <= day and self.state[number] == "open":
                self.state[number] = "unanswered"
                del self.due[number]
            elif due <= day:
                self.end(number, "closed", self.accepted[number], window)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_corrections_are_what_the_ends_came_to(
    parties: Parties, pool: Database, at: StoppedClock, seed: int
) -> None:
    """Steps in any order, in time or late, windows closing in between; against the model."""
    rng, model, day = Random(seed), Model(), 0
    for _ in range(70):
        window = parties.windows + 1
        act = rng.choice(ACTS)
        if act == "day":
            day += rng.choice((1, 4, 10))
            at.at = NOW + timedelta(days=day)
            await jobs.expire_due(pool, at)
            model.expire(day, window)
        elif act == "close" and parties.windows < 4:
            await parties.close(ends_after(window))
        elif act == "open":
            await _open(rng, model, parties, day)
        elif model.state:
            await _step(act, rng, model, parties, day)
    assert {n: (await parties.get(n))["state"] for n in model.state} == model.state
    await parties.close(ends_after(parties.windows + 1))
    nets: defaultdict[int, int] = defaultdict(int)
    for number, rial in model.corrected.items():
        nets[model.windows.get(number, 0)] += rial
    for window in range(1, parties.windows + 1):
        positions = await parties.positions(window)
        assert positions[BAKER]["corrections_rial"] == nets[window], window
        assert positions[GROCER]["corrections_rial"] == -nets[window]
        assert sum(one["position_rial"] for one in positions.values()) == 0
        assert await parties.differences(window) == []
    assert sum(model.corrected.values()) <= OWED
    async with pool.transaction() as tx:
        messages, _ = await outbox.take_messages(tx, 500)
    assert len({one.value for one in messages}) == len(messages)


async def _open(rng: Random, model: Model, parties: Parties, day: int) -> None:
    number, rial = len(model.state) + 1, rng.randint(1, 5_000)
    answer = await parties.open(number, amount_rial=rial)
    if day >= 45:
        assert answer.json()["code"] == "dispute-too-late"
    elif rial > model.left():
        assert answer.json()["code"] == "over-the-line"
    else:
        assert answer.status_code == 201, answer.text
        model.state[number], model.amount[number] = "open", rial
        model.due[number] = day + 10


async def _step(act: str, rng: Random, model: Model, parties: Parties, day: int) -> None:
    number = rng.choice(sorted(model.state))
    state, whole = model.state[number], model.amount[number]
    rial = rng.choice((0, whole, rng.randint(0, whole)))
    window = parties.windows + 1
    before = await parties.get(number)
    match act:
        case "answer":
            answer = await parties.answer(rial, number)
            right = state == "open"
        case "escalate":
            answer = await parties.escalate(number)
            right = state in ("rejected", "partly-accepted")
        case "withdraw":
            answer = await parties.withdraw(number)
            right = number not in model.corrected
        case _:
            answer = await parties.decide(rial, number)
            right = state in ("unanswered", "escalated") and rial >= model.accepted.get(number, 0)
    if not right:
        assert answer.status_code in (200, 409, 422), answer.text
        assert await parties.get(number) == before
        return
    assert answer.status_code == 201, answer.text
    if act == "answer":
        model.accepted[number] = rial
        model.state[number] = "partly-accepted" if rial else "rejected"
        model.due[number] = day + 10
        if rial == whole:
            model.end(number, "accepted", rial, window)
    elif act == "escalate":
        model.state[number] = "escalated"
        model.due.pop(number)
    elif act == "withdraw":
        model.end(number, "withdrawn", 0, window)
    else:
        ended = "upheld" if rial == whole else "partly-upheld" if rial else "dismissed"
        model.end(number, ended, rial, window)

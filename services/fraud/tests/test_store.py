"""What the tables keep and refuse."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.fraud import ScreeningDecision
from contracts.values import Reason
from fraud.alerts import store as alerts_store
from fraud.alerts.domain import NameSeen
from fraud.cases import store as cases_store
from fraud.cases.domain import CaseStatus, Review
from fraud.rules import domain as rules
from fraud.rules import store as rules_store
from fraud.screening import store
from fraud.screening.domain import windows
from fraud.screening.domain.decisions import ScreeningResult
from fraud.screening.domain.rulebook import Rulebook
from kit.base import db, errors

REASON = Reason(code="card-burst", fa="بیش", en="more", rule="card-burst", version=3)


async def test_a_decision_comes_back_as_it_was_made(tx: db.Tx, now: datetime) -> None:
    held = ScreeningResult(
        shard=3,
        name="t.1.1.1",
        decision=ScreeningDecision.REVIEW,
        reasons=(REASON,),
        findings=(("card-burst", 3, 11),),
        review_due_at=now,
        case_id="c",
    )
    refused = ScreeningResult(shard=3, name="u.ab", decision=None, reasons=(REASON,))
    await store.write_poll(tx, [(held, None, now, now), (refused, None, now, now)], {}, now)
    asked = [(3, "t.1.1.1"), (3, "u.ab"), (4, "t.1.1.1")]
    revision, known = await store.find_decisions(tx, asked)
    assert revision == await tx.fetchval("select revision from rulebook")
    assert set(known) == set(asked[:2])
    one = known[asked[0]]
    assert (one.decision, one.reasons, one.case_id) == (ScreeningDecision.REVIEW, (REASON,), "c")
    assert known[asked[1]].decision is None
    score = await tx.fetchrow("select score, model_version from decisions where name = 't.1.1.1'")
    assert score is not None
    assert tuple(score) == (None, None)
    assert (await store.find_decisions(tx, []))[1] == {}


async def test_decisions_are_never_changed(tx: db.Tx) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await tx.execute("update decisions set decision = 'allow'")


async def test_windows_come_back_as_they_were_written(tx: db.Tx, now: datetime) -> None:
    one = windows.empty()
    windows.insert(one, windows.PURCHASES, 5, 100, 7)
    windows.insert(one, windows.UNDOS, 6, 2**53 - 1, 2**31 - 1)
    keys = [(3, "a.1"), (3, "c.x"), (11, "a.1")]
    await store.write_poll(tx, [], {keys[0]: one, keys[2]: windows.empty()}, now)
    await store.write_poll(tx, [], {keys[0]: one}, now - timedelta(hours=1))
    found, gone = await store.find_windows(tx, keys)
    assert gone == []
    assert set(found) == {keys[0], keys[2]}
    purchases, redemptions, undos = found[keys[0]]
    assert (purchases.ats, purchases.amounts, purchases.merchants) == ([5], [100], [7])
    assert (redemptions.ats, undos.amounts) == ([], [2**53 - 1])
    assert found[keys[2]] == windows.empty()
    touched = await tx.fetchval("select touched_at from windows where shard = 3 and key = 'a.1'")
    assert touched == now


def review(number: int, now: datetime) -> Review:
    return Review(
        case_id=f"case-{number}",
        shard=number % 12,
        name=f"t.1.1.{number}",
        account=1_000_001,
        member=1,
        merchant=7,
        terminal=1,
        amount_rial=100,
        opened_at=now,
        due_at=now + timedelta(hours=number),
        reasons=(REASON,),
    )


async def test_cases_are_listed_by_status_and_number(tx: db.Tx, now: datetime) -> None:
    for _ in range(2):
        await cases_store.insert_cases(tx, [review(n, now) for n in range(5)])
    first = await cases_store.list_cases(tx, None, 0, 3)
    rest = await cases_store.list_cases(tx, CaseStatus.WAITING, first[-1].number, 3)
    assert [c.review.case_id for c in (*first, *rest)] == [f"case-{n}" for n in range(5)]
    assert await cases_store.list_cases(tx, CaseStatus.OPEN, 0, 3) == []
    assert first[0].review == review(0, now)
    assert await cases_store.find_case(tx, "case-4", lock=True) == rest[-1]
    assert await cases_store.find_case(tx, "case-9") is None


async def test_a_text_that_cannot_be_kept_is_a_datum_not_a_fault(tx: db.Tx, now: datetime) -> None:
    bad = NameSeen(
        name="t.1.1.\x00",
        terminal=1,
        merchant=1,
        shard=1,
        account=1,
        fingerprint="",
        seen_at=now,
    )
    with pytest.raises(db.DataError):
        await alerts_store.insert_names_seen(tx, [bad])


async def test_the_default_rules_are_valid_and_sensible(tx: db.Tx) -> None:
    found = await rules_store.find_rules(tx)
    assert len(found) == 22
    newest = {rule.rule: rule for rule in found}
    for rule in newest.values():
        rules.check(rule)
    for rule in found:
        assert not rule.on_history
        assert "{value}" in rule.fa
    live = [one.rule for one in Rulebook(found, 1).in_force(0)]
    assert len(live) == 16
    for rule in live:  # a rule fires above its threshold, so no text says "from" (findings N11)
        assert "به بالا" not in rule.fa
        assert "این کارت" not in rule.fa
        assert "This card" not in rule.en
    assert [r.rule for r in await rules_store.list_rules(tx, ("card-burst", 1), 2)] == [
        "card-burst",
        "card-day-sum",
    ]
    with pytest.raises(errors.Permanent):
        await rules_store.insert_rule(tx, found[0], "sara")


async def test_the_road_works_by_index_not_by_scan(tx: db.Tx, owner: Any) -> None:
    """Names and keys are found by their primary keys, whatever the planner knew when it planned."""
    await tx.execute("set local enable_seqscan = off")
    plan = await tx.fetch(
        "explain select w.key from unnest(array[1], array['a.1']) as k (shard, key)"
        " join windows w on w.shard = k.shard and w.key = k.key"
    )
    assert any("windows_pkey" in row[0] for row in plan)

"""The bench's pure parts: arrivals fixed in advance, the mix, medians, what makes a run count."""

import random
from collections import Counter
from typing import Any

import msgspec
import pytest

from lab.bench import meter
from lab.bench.road import figures, load
from lab.bench.road.figures import BARE, REAL, Measured, Stage
from lab.bench.road.load import Act, Open, Outcome, Step, Till
from lab.bench.road.shoppers import REDEEM_POINTS, Shoppers, mobile_of
from peyvand import Answer, models


def step(**changes: Any) -> Step:
    given: dict[str, Any] = {
        "world": REAL,
        "rate_per_s": 500.0,
        "seconds": 20.0,
        "in_flight_max": 64,
        "seed": 1,
    }
    return Step(**(given | changes))


def outcome(world: str, **changes: Any) -> Outcome:
    given: dict[str, Any] = {
        "world": world,
        "rate_per_s": 100.0,
        "seconds": 10.0,
        "completed": 1_000,
        "waiting": 0,
        "unsent": 0,
        "answers": {"completed": 1_000},
        "acts": {"purchase": 1_000},
        "failed": {},
        "p50_ms": 10.0,
        "p95_ms": 20.0,
        "p99_ms": 30.0,
        "max_ms": 40.0,
        "late_ms_p99": 1.0,
        "cpu_s": 0.2,
    }
    return Outcome(**(given | changes))


def measured(stage: Stage, heard: Outcome, *, number: int = 0, **cpu_s: float) -> Measured:
    return Measured(round=number, stage=stage, outcome=heard, cpu_s=cpu_s)


def flood(world: str, completed: int, *, number: int = 0, **cpu_s: float) -> Measured:
    heard = outcome(world, completed=completed, rate_per_s=8_000.0)
    return measured(Stage.SATURATION, heard, number=number, **cpu_s)


# ------------------------------------------------------------------------------------------- load


def test_arrivals_are_fixed_by_the_seed_and_come_at_the_rate() -> None:
    due_s = load.arrivals(step(), random.Random(3))
    assert due_s == load.arrivals(step(), random.Random(3))
    assert due_s == sorted(due_s)
    assert due_s[0] > 0
    assert due_s[-1] < 20.0
    assert len(due_s) == pytest.approx(500 * 20, rel=0.05)


def test_a_count_of_arrivals_is_kept_exactly() -> None:
    assert len(load.arrivals(step(seconds=0, count=1_234), random.Random(3))) == 1_234


def test_the_mix_is_the_promised_one() -> None:
    drawn = Counter(load.draw(100_000, step().mix, random.Random(5)))
    shares = {act: drawn[act] / 100_000 for act in drawn}
    assert shares == pytest.approx(
        {Act.PURCHASE: 0.80, Act.REDEMPTION: 0.10, Act.REFUND: 0.05, Act.RESEND: 0.05}, abs=0.01
    )
    assert set(step(mixed=False).mix) == {Act.PURCHASE}
    assert set(step(look_ups=True).mix) == {Act.LOOK_UP}


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.5, 5.0), (0.95, 10.0), (0.99, 10.0), (1.0, 10.0)]
)
def test_a_quantile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert meter.quantile([float(n) for n in range(1, 11)], share) == value


def test_nothing_measured_is_zero() -> None:
    assert meter.quantile([], 0.5) == 0.0
    assert meter.median([]) == 0.0
    assert outcome(REAL, seconds=0.0).completed_per_s == 0.0


def test_a_median_of_two_is_their_mean() -> None:
    assert meter.median([3.0, 1.0]) == 2.0
    assert meter.median([9.0, 1.0, 2.0]) == 2.0


def test_commands_and_outcomes_survive_the_pipe() -> None:
    for said in (step(), Open(REAL, "http://x", [Till(1, 2, "k")], 10, 7)):
        raw = msgspec.json.encode(said)
        assert msgspec.json.decode(raw, type=Open | Step) == said
    heard = outcome(REAL, failed={"too-many": 2})
    assert msgspec.json.decode(msgspec.json.encode(heard), type=Outcome | load.Progress) == heard


# --------------------------------------------------------------------------------------- shoppers


def shoppers() -> Shoppers:
    tills = [Till(terminal=100 + n, epoch=1, key="k") for n in range(5)]
    return Shoppers.open("http://127.0.0.1:1", tills, 20, seed=1)


def answer(sent: bytes, **changes: Any) -> Answer:
    asked = msgspec.json.decode(sent)
    given = {
        "id": f"3.t.{asked['terminal']}.{asked['epoch']}.{asked['sequence']}",
        "kind": asked["kind"],
        "status": "completed",
        "occurred_at": asked["occurred_at"],
        "accepted_at": asked["occurred_at"],
        "balance": {
            "points": 100,
            "available_points": 100,
            "pending_points": 0,
            "credit_rial": 0,
            "expiring_points": 0,
            "expiring_at": None,
        },
    }
    return msgspec.convert(given | changes, Answer)


def test_no_name_is_used_twice_and_members_take_turns_evenly() -> None:
    crowd = shoppers()
    sent = [msgspec.json.decode(crowd.next(Act.PURCHASE).body) for _ in range(200)]
    names = {(s["terminal"], s["epoch"], s["sequence"]) for s in sent}
    assert len(names) == 200
    assert set(Counter(s["identifier"]["mobile"] for s in sent).values()) == {10}
    assert all(s["amount_rial"] == sum(x["amount_rial"] for x in s["lines"]) for s in sent)


def test_before_any_answer_everything_is_a_purchase() -> None:
    crowd = shoppers()
    acts = [crowd.next(act).act for act in (Act.REDEMPTION, Act.REFUND, Act.RESEND)]
    assert acts == [Act.PURCHASE] * 3


def test_an_answered_purchase_is_redeemed_refunded_and_sent_again() -> None:
    crowd = shoppers()
    bought = crowd.next(Act.PURCHASE)
    heard = answer(bought.body)
    crowd.hear(bought, heard)
    redeemed = msgspec.json.decode(crowd.next(Act.REDEMPTION).body)
    assert redeemed["redeem"] == {"points": REDEEM_POINTS, "credit_rial": 0}
    assert redeemed["identifier"]["mobile"] == mobile_of(bought.member)
    refunded = crowd.next(Act.REFUND)
    assert msgspec.json.decode(refunded.body)["original"] == {"id": heard.id}
    assert refunded.till == bought.till
    assert crowd.next(Act.RESEND).body == bought.body


def test_a_declined_purchase_is_neither_redeemed_nor_refunded() -> None:
    crowd = shoppers()
    bought = crowd.next(Act.PURCHASE)
    crowd.hear(bought, answer(bought.body, status=models.Status.DECLINED))
    assert [crowd.next(act).act for act in (Act.REDEMPTION, Act.REFUND)] == [Act.PURCHASE] * 2


def test_a_look_up_names_a_sale_of_another_merchant() -> None:
    asked = msgspec.json.decode(shoppers().next(Act.LOOK_UP).body)
    assert asked["original"]["terminal"] != asked["terminal"]
    assert asked["identifier"]["mobile"].startswith("0913")


# ---------------------------------------------------------------------------------------- figures


def run_of(bare_gateway_s: float = 0.2) -> list[Measured]:
    """Two rounds: the road 100 and 140 a second, the bare one 180 and 220."""
    steps: list[Measured] = []
    for number, (real, bare) in enumerate([(1_000, 1_800), (1_400, 2_200)]):
        idle = {"p50_ms": 16.0 + number * 2}
        steps += [
            measured(Stage.IDLE, outcome(BARE, p50_ms=9.0), number=number),
            measured(Stage.RATE, outcome(BARE, p50_ms=11.0), number=number),
            flood(BARE, bare, number=number, **{"bare-gateway": bare_gateway_s, "kafka": 0.4}),
            measured(Stage.IDLE, outcome(REAL, **idle), number=number),
            measured(Stage.RATE, outcome(REAL, completed=999), number=number),
            flood(REAL, real, number=number, ledger=0.1),
        ]
    return steps


def test_the_report_has_the_promised_fields_and_medians() -> None:
    found = figures.report(run_of(), "bare-gateway")
    assert found["road_per_s"] == 120.0
    assert found["bare_per_s"] == 200.0
    assert found["ratio"] == 0.6
    assert found["idle_p50_ms"] == 17.0
    assert found["bare_idle_p50_ms"] == 9.0
    assert found["idle_times"] == 1.89
    assert [row["rate_per_s"] for row in found["at_rate"]] == [100.0]
    assert found["at_rate"][0][BARE]["p50_ms"] == 11.0
    assert found["cpu_us"]["ledger"] == pytest.approx(85.7, abs=0.1)
    assert found["cpu_us"][figures.GENERATOR] == pytest.approx(171.4, abs=0.1)
    assert found["bare_cpu_us"]["kafka"] == pytest.approx(202.0, abs=0.1)
    assert found["invalid"] == []
    assert figures.missed(found) == []


def test_saturation_is_the_highest_completed_rate_of_a_round_whatever_step_it_came_from() -> None:
    steps = [*run_of(), measured(Stage.RATE, outcome(REAL, completed=5_000), number=1)]
    assert figures.report(steps, "bare-gateway")["road_per_s"] == (100 + 500) / 2


def test_a_bare_gateway_or_generator_that_spends_too_much_makes_the_run_not_count() -> None:
    found = figures.report(run_of(bare_gateway_s=0.6), "bare-gateway")
    assert len(found["invalid"]) == 1
    assert found["invalid"][0].startswith("bare-gateway")
    assert len(figures.invalid({"bare-gateway": 249.0, "generator": 251.0}, "bare-gateway")) == 1
    assert figures.invalid({"bare-gateway": 250.0, "generator": 250.0}, "bare-gateway") == []


def test_what_was_not_measured_does_not_count() -> None:
    assert len(figures.invalid({}, "bare-gateway")) == 2
    found = figures.report([], "bare-gateway")
    assert found["ratio"] == 0.0
    assert len(figures.missed(found)) == 2


def test_misses_are_named() -> None:
    found = figures.report(run_of(), "bare-gateway")
    assert len(figures.missed(found | {"ratio": 0.4})) == 1
    assert len(figures.missed(found | {"idle_times": 2.1})) == 1


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"unsent": 40}, True),
        ({"unsent": 60}, False),
        ({"waiting": 60}, False),
        ({"failed": {"outcome-unknown": 60}}, False),
    ],
)
def test_a_road_that_leaves_a_twentieth_did_not_keep_up(changes: Any, kept: bool) -> None:
    assert figures.kept_up(outcome(REAL, **changes)) is kept


# ------------------------------------------------------------------------------------------ meter


@pytest.mark.parametrize(
    ("title", "database"),
    [
        ("postgres: ledger ledger 127.0.0.1(51234) idle", "ledger"),
        ("postgres: ledger_owner ledger 127.0.0.1(51234) COMMIT", "ledger"),
        ("postgres: bare bare 127.0.0.1(1) INSERT", "bare"),
        ("postgres: walwriter ", ""),
        ("postgres: autovacuum worker ledger", ""),
        ("postgres: checkpointer ", ""),
    ],
)
def test_a_backends_title_names_its_database(title: str, database: str) -> None:
    assert meter.database_of(title) == database


def test_what_was_spent_is_the_difference_and_never_below_zero() -> None:
    before = meter.Spent({"a": 1.0, "b": 5.0}, {"x": 1.0})
    after = meter.Spent({"a": 3.0, "b": 4.0, "c": 2.0}, {"x": 1.5})
    spent = meter.between(before, after)
    assert spent.by_process == {"a": 2.0, "b": 0.0, "c": 2.0}
    assert spent.by_database == {"x": 0.5}

"""`python -m lab.bench.ledger`: the ledger's speed beside bare double entry, on one server."""

import argparse
import asyncio
import sys
from typing import Any, Final

import msgspec
import uvloop

from cluster import connections, postgres_server, readiness
from kit import run
from kit.base import errors
from lab.bench import report
from lab.bench.ledger import figures, loaded, many_lots, tables, workloads
from lab.bench.ledger.checks import CheckFailed
from lab.bench.ledger.kafka_in import KafkaIn, Length
from lab.bench.ledger.loaded import Load
from lab.bench.ledger.place import Place
from lab.bench.ledger.road import RoadFailed
from lab.bench.ledger.rounds import YARDSTICK, Plan, Rounds
from lab.bench.ledger.workloads import Workload
from lab.bench.report import console

QUICK: Final = Plan()
FULL: Final = Plan(
    commands=1_000_000, warm_up=100_000, rounds=5, seconds=0.0, commands_a_day=50_000
)
SMOKE: Final = Plan(commands=3_000, warm_up=0, members=500, rounds=1, commands_a_day=1_000)
CONDITIONS: Final = (
    "one PostgreSQL server with the cluster's settings for both sides: fsync and synchronous_commit"
    " on; no replication on either",
    "one connection on each side; the clock runs from begin to the answer of commit",
    "what is posted is made before the clock starts: generator_us a command is its cost, apart",
    "the ledger with everything on: names, lots, holds, log, offsets, outbox; Kafka left out"
    " where nothing else is said",
    "both sides begin on a fresh copy of a book, no checkpoint between the copy and the run",
    "a run whose check fails has no speed",
)
ROAD_TROUBLES: Final = (
    RoadFailed,
    CheckFailed,
    TimeoutError,
    ExceptionGroup,
    errors.Unavailable,
    errors.SendUnknown,
    *connections.REFUSALS,
)
TROUBLES: Final = (readiness.NotReady, RoadFailed, TimeoutError, OSError, RuntimeError)


def main() -> int:
    """Run the bench; 0 when its figures count, whatever they are."""
    options = _parser().parse_args()
    opened: list[Place] = []

    def bench() -> int:
        opened.append(Place.open(kafka=not (options.no_kafka or options.lots)))
        return _run(options, *opened)

    def close() -> None:
        for place in opened if not options.keep else ():
            place.close()

    return report.ended(bench, TROUBLES, close)


def _run(options: argparse.Namespace, place: Place) -> int:
    run.calm_collector()  # as every process of the cluster does
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        mode = _many_lots if options.lots else _profile if options.profile else _measure
        return runner.run(mode(place, options))


def _tell(text: str) -> None:
    console.print(f"  {text}", highlight=False)


async def _profile(place: Place, options: argparse.Namespace) -> int:
    """Only where the time goes."""
    rounds = await _opened(place, options)
    for batch in rounds.plan.batches:
        rows = await rounds.profiled(batch, options.profile)
        report.write(rows, f"ledger-profile-{batch}.json")
        console.print(tables.profile(rows))
    return 0


async def _many_lots(place: Place, options: argparse.Namespace) -> int:
    """Only what an account full of small lots costs a till."""
    await place.clear()
    rounds = options.rounds or many_lots.ROUNDS
    medians = await many_lots.measure(place, rounds=rounds)
    report.write(medians, "ledger-many-lots.json")
    console.print(tables.many_lots(medians))
    return 0


async def _opened(place: Place, options: argparse.Namespace) -> Rounds:
    await place.clear()
    return Rounds(place, _plan(options), _tell)


async def _measure(place: Place, options: argparse.Namespace) -> int:
    before = report.conditions()
    rounds = await _opened(place, options)
    await rounds.all()
    results: dict[str, Any] = {
        **before,
        "conditions": CONDITIONS,
        "full": options.full,
        "server": dict(postgres_server.SETTINGS),
        "plan": msgspec.to_builtins(rounds.plan),
        "generator": {
            "seed": workloads.SEED,
            "hold_s": workloads.HOLD_S,
            "files": [
                {"name": file.path.name, "lines": file.lines, "sha256": file.sha256}
                for file in rounds.files.values()
            ],
        },
        "first_lots_s": {name: round(took, 1) for name, took in rounds.born_s.items()},
        "runs": rounds.rows,
        "ratios": figures.ratios(rounds.rows),
        "cpu_s_per_million": figures.cpu(rounds.rows),
    }
    if options.profile_s and Workload.W1 in rounds.plan.selected:
        results["profile"] = await rounds.profiled(rounds.plan.batches[0], options.profile_s)
    if not options.no_kafka:
        try:
            await _with_kafka(rounds, options, results)
        except ROAD_TROUBLES as trouble:  # what was measured without it stands
            results["road_failed"] = str(trouble) or repr(trouble)
    if options.full or options.loaded:
        load = Load.of(options.loaded) if options.loaded else Load()
        results["loaded"] = await loaded.measure(rounds, load)
    results["features"] = figures.features(results)
    results["missed"] = figures.missed(results)
    report.write(results, "ledger.json")
    console.print(tables.report(results))
    failed = any(row["wrong"] for row in rounds.rows) or "road_failed" in results
    return 1 if failed else 0


async def _with_kafka(rounds: Rounds, options: argparse.Namespace, results: dict[str, Any]) -> None:
    length = (
        Length() if not options.smoke else Length(commands=2_000, pairs=1, latency_s=1, step_s=1)
    )
    road = KafkaIn(rounds, length)
    results["kafka"] = await road.full_topic()
    _tell(f"W1 with Kafka in {results['kafka']['per_s']}/s")
    singles = await road.one_at_a_time()
    bare = await rounds.run_yardstick(1, seconds=length.latency_s)
    base = singles["plain_p50_ms"] + bare["p50_ms"]
    results["singles"] = singles | {
        YARDSTICK: bare,
        "base_p50_ms": round(base, 2),
        "times": round(singles["p50_ms"] / base, 2),
    }


def _plan(options: argparse.Namespace) -> Plan:
    plan = FULL if options.full else SMOKE if options.smoke else QUICK
    changes: dict[str, Any] = {
        name: value
        for name in ("commands", "warm_up", "members", "rounds", "seconds")
        if (value := getattr(options, name)) is not None
    }
    if options.batch:
        changes["batches"] = tuple(options.batch)
    if options.no_audit:
        changes["audited"] = False
    if options.only:
        changes["selected"] = tuple(Workload(name) for name in options.only)
    return msgspec.structs.replace(plan, **changes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.bench.ledger", description=__doc__)
    add = parser.add_argument
    add("--full", action="store_true", help="a million commands, five rounds, a loaded book")
    add("--smoke", action="store_true", help="a few thousand commands: does it run?")
    add("--profile", type=float, default=0.0, metavar="S", help="only that, S seconds a part")
    add("--profile-s", type=float, default=5.0, help="seconds of each part of the profile; 0: none")
    add("--commands", type=int, help="of each workload")
    add("--warm-up", type=int, help="commands before the clock starts")
    add("--members", type=int)
    add("--rounds", type=int)
    add("--seconds", type=float, help="of posting, for each run at most; 0: all commands")
    add("--batch", type=int, action="append", help="may be given several times")
    add("--only", action="append", choices=[str(w) for w in Workload if w is not Workload.W6])
    add("--loaded", type=int, default=0, metavar="N", help="on N accounts and 10 N entries too")
    add("--no-kafka", action="store_true", help="without W6 and what needs a broker")
    add("--no-audit", action="store_true", help="without the outside auditor's program")
    add("--lots", action="store_true", help="only accounts with many small lots, beside none")
    add("--keep", action="store_true", help="leave the servers running")
    return parser


if __name__ == "__main__":
    sys.exit(main())

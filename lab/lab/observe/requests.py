"""Requests that a run sent: how each ended, how long answers took; figures, faults and a page."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console

ENDS: Final = ("completed", "declined", "held", "pending", "failed")
_ZERO: Final = (
    "transactions.pending",
    "transactions.failed",
    "transactions.answered_differently",
)


@dataclass(slots=True, kw_only=True)
class Sent:
    """What a run sent, by how each name ended (one of ENDS), and how long answers took.

    failures: why names failed. seconds: from the first to the last answer.
    """

    ends: Counter[str] = field(default_factory=Counter[str])
    failures: Counter[str] = field(default_factory=Counter[str])
    resent: int = 0
    resent_before_answer: int = 0
    answered_differently: int = 0
    latencies_s: list[float] = field(default_factory=list[float])
    seconds: float = 0.0


def figures(sent: Sent) -> dict[str, Any]:
    """The figures of a run's requests, as they go to a report."""
    return {
        "transactions": {
            "sent": sent.ends.total(),
            **{end: sent.ends[end] for end in ENDS},
            "resent": sent.resent,
            "resent_before_answer": sent.resent_before_answer,
            "answered_differently": sent.answered_differently,
            "failures": dict(sent.failures),
        },
        "latency_ms": _latencies(sent.latencies_s),
        "rate_per_s": round(sent.ends.total() / max(sent.seconds, 0.001)),
        "seconds": round(sent.seconds, 1),
    }


def faults(report: Mapping[str, Any]) -> Iterator[str]:
    """What does not hold of these, in plain words."""
    for path in _ZERO:
        if (value := at(report, path)) != 0:
            yield f"{path} is {value}, not 0"
    sent = report["transactions"]
    for why, count in sent.get("failures", {}).items():
        yield f"{count} transactions failed: {why}"
    ends = sum(sent[end] for end in ENDS)
    if sent["sent"] != ends:
        yield f"{sent['sent']} names were sent, {ends} are accounted for"


def show(console: Console, report: Mapping[str, Any]) -> None:
    """Print them for a person."""
    sent, took = report["transactions"], report["latency_ms"]
    console.rule("[bold]Peyvand · پیوند")
    console.print(
        f"[bold]{sent['sent']:,}[/] transactions in {report['seconds']} s"
        f" ({report['rate_per_s']:,}/s), answered in {took['p50']} ms"
        f" (p95 {took['p95']}, p99 {took['p99']})"
    )
    console.print(
        f"  completed {sent['completed']:,} · declined {sent['declined']:,}"
        f" · points pending {sent['held']:,} · unanswered {sent['pending']}"
        f" · failed {sent['failed']}"
    )
    console.print(
        f"  sent again {sent['resent']:,} times, {sent['resent_before_answer']:,} of them before"
        f" the first answer; answered differently: {sent['answered_differently']}"
    )


def at(report: Mapping[str, Any], path: str) -> Any:
    """The figure at a path such as points.issued; 0 where there is none."""
    value: Any = report
    for part in path.split("."):
        value = value.get(part, 0)
    return value


def _latencies(taken_s: list[float]) -> dict[str, float]:
    taken = sorted(taken_s) or [0.0]
    return {
        name: round(taken[min(int(len(taken) * share), len(taken) - 1)] * 1000, 1)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }

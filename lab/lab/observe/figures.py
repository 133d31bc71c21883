"""Figures of a run through a cluster: what they are, what must hold of them, and a page to read."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from contracts.values import NETWORK_PARTY
from lab.observe.recompute import VALUE_WORDS, Books, Heard

ENDS = ("completed", "declined", "held", "pending", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """What became of SMS: queued and delivered as notify has it, doubled as the provider saw."""

    queued: int
    delivered: int
    duplicates: int


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


def figures(sent: Sent, books: Books, heard: Heard, messages: Messages) -> dict[str, Any]:
    """The report's figures, as they go to report.json. Those of the book are the cluster's."""
    points = books.value.get("NP", dict.fromkeys(VALUE_WORDS, 0))
    return {
        "transactions": {
            "sent": sent.ends.total(),
            **{end: sent.ends[end] for end in ENDS},
            "resent": sent.resent,
            "resent_before_answer": sent.resent_before_answer,
            "answered_differently": sent.answered_differently,
            "failures": dict(sent.failures),
        },
        "points": points,
        "credit_rial": books.value.get("CR", {}),
        "cross_merchant": {
            "redemptions": books.redemptions_across,
            "share_of_points": round(books.points_across / max(points.get("redeemed", 0), 1), 4),
        },
        "settlement": {
            "matrix": {f"{a}->{b}": owed for (a, b), owed in sorted(books.owes.items())},
            "fee": books.fee_rial,
            "positions": {str(party): net for party, net in books.positions.items()},
            "sum_of_positions": sum(books.positions.values()),
        },
        "ledger": {
            "commands": heard.commands,
            "outcomes": books.outcomes,
            "entries": books.entries,
            "sum_by_unit": books.sum_by_unit,
            "accounts_off": books.accounts_off,
            "lots_off": books.lots_off,
        },
        "fraud": {
            "allowed": heard.decisions["allow"],
            "held": heard.decisions["review"],
            "released": heard.released,
            "declined": heard.decisions["decline"],
        },
        "sms": asdict(messages),
        "latency_ms": _latencies(sent.latencies_s),
        "rate_per_s": round(sent.ends.total() / max(sent.seconds, 0.001)),
        "seconds": round(sent.seconds, 1),
    }


def _latencies(taken_s: list[float]) -> dict[str, float]:
    taken = sorted(taken_s) or [0.0]
    return {
        name: round(taken[min(int(len(taken) * share), len(taken) - 1)] * 1000, 1)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


# ---------------------------------------------------------------------------------- what must hold

_ZERO = (
    "transactions.pending",
    "transactions.failed",
    "transactions.answered_differently",
    "settlement.sum_of_positions",
    "ledger.accounts_off",
    "ledger.lots_off",
    "sms.duplicates",
)


def faults(found: Mapping[str, Any]) -> Iterator[str]:
    """What does not hold, in plain words; nothing when all is well."""
    for path in _ZERO:
        if (value := at(found, path)) != 0:
            yield f"{path} is {value}, not 0"
    for unit, total in found["ledger"]["sum_by_unit"].items():
        if total:
            yield f"the entries in {unit} sum to {total}, not 0"
    sent = found["transactions"]
    for why, count in sent.get("failures", {}).items():
        yield f"{count} transactions failed: {why}"
    ends = sum(sent[end] for end in ENDS)
    if sent["sent"] != ends:
        yield f"{sent['sent']} names were sent, {ends} are accounted for"
    for unit in ("points", "credit_rial"):
        yield from _unbalanced(unit, found[unit])
    if found["ledger"]["commands"] != found["ledger"]["outcomes"]:
        yield (
            f"{found['ledger']['commands']} commands on the topic,"
            f" {found['ledger']['outcomes']} outcomes in the book"
        )


def _unbalanced(unit: str, value: Mapping[str, int]) -> Iterator[str]:
    if not value:
        return
    left = (
        value["issued"]
        - value["clawed_back"]
        - value["redeemed"]
        + value["restored"]
        - value["expired"]
    )
    if left != value["outstanding"]:
        yield f"{unit}: what happened leaves {left}, the lots hold {value['outstanding']}"


def at(found: Mapping[str, Any], path: str) -> Any:
    """The figure at a path such as points.issued; 0 where there is none."""
    value: Any = found
    for part in path.split("."):
        value = value.get(part, 0)
    return value


# --------------------------------------------------------------------------------------- the page


def show(console: Console, found: Mapping[str, Any], names: Mapping[int, str]) -> None:
    """Print the figures for a person. names: what to call parties; the others by number."""
    sent, took = found["transactions"], found["latency_ms"]
    console.rule("[bold]Peyvand · پیوند")
    console.print(
        f"[bold]{sent['sent']:,}[/] transactions in {found['seconds']} s"
        f" ({found['rate_per_s']:,}/s), answered in {took['p50']} ms"
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
    _show_value(console, found)
    _show_matrix(console, found["settlement"], names)
    fraud, sms, ledger = found["fraud"], found["sms"], found["ledger"]
    console.print(
        f"\n[bold]Fraud[/] allowed {fraud['allowed']:,} · held {fraud['held']:,}"
        f" (released by a reviewer: {fraud['released']:,}) · declined {fraud['declined']:,}"
    )
    console.print(
        f"[bold]SMS[/] queued {sms['queued']:,} · delivered {sms['delivered']:,}"
        f" · sent twice {sms['duplicates']}"
    )
    console.print(
        f"[bold]The books recomputed[/] {ledger['commands']:,} commands on the topic,"
        f" {ledger['outcomes']:,} outcomes, {ledger['entries']:,} entries;"
        f" sums {ledger['sum_by_unit']}; accounts off {ledger['accounts_off']},"
        f" lots off {ledger['lots_off']}"
    )


def _show_value(console: Console, found: Mapping[str, Any]) -> None:
    table = Table(title="Value", title_justify="left", box=box.SIMPLE)
    for heading in ("", "points", "credit, Rial"):
        table.add_column(heading, justify="right" if heading else "left")
    for word in VALUE_WORDS:
        cells = (f"{found[unit].get(word, 0):,}" for unit in ("points", "credit_rial"))
        table.add_row(word.replace("_", " "), *cells)
    console.print(table)
    across = found["cross_merchant"]
    console.print(
        f"  {across['redemptions']:,} redemptions at a merchant other than the issuer,"
        f" {across['share_of_points']:.0%} of all points spent"
    )


def _show_matrix(console: Console, settlement: Mapping[str, Any], names: Mapping[int, str]) -> None:
    """Debtors in rows, creditors in columns, million Rial; the network, its fee, and the nets."""
    owes = {
        (int(debtor), int(creditor)): owed
        for key, owed in settlement["matrix"].items()
        for debtor, creditor in (key.split("->"),)
    }
    parties = sorted({int(p) for p in settlement["positions"]})
    if not parties:
        return
    title = "Who owes whom, million Rial (debtors in rows, creditors in columns)"
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 0, 0, 1))
    table.add_column("")
    for party in parties:
        table.add_column(names.get(party, str(party))[:3], justify="right")
    for debtor in parties:
        cells = [owes.get((debtor, creditor), 0) for creditor in parties]
        table.add_row(names.get(debtor, str(debtor)), *map(_millions, cells))
    table.add_section()
    fees = [
        settlement["fee"] if party == NETWORK_PARTY else -owes.get((party, NETWORK_PARTY), 0)
        for party in parties
    ]
    table.add_row("network's fee", *map(_millions, fees))
    nets = [settlement["positions"][str(party)] for party in parties]
    table.add_row("net position", *map(_millions, nets), style="bold")
    if parties:
        console.print(table)
    console.print(
        f"  the network's fee: {settlement['fee']:,} Rial;"
        f" all positions together: {settlement['sum_of_positions']:,}"
    )


def _millions(rial: int) -> str:
    return f"{rial / 1e6:,.1f}".replace("-0.0", "0.0") if rial else "·"

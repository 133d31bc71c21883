"""Figures of a run through a cluster: what they are, what must hold of them, and a page to read."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from contracts.values import NETWORK_PARTY
from lab.observe import requests
from lab.observe.recompute import VALUE_WORDS, Books, TopicCounts
from lab.observe.requests import Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """What became of SMS: queued and delivered as notify has it, doubled as the provider saw."""

    queued: int
    delivered: int
    duplicates: int


def figures(sent: Sent, books: Books, counts: TopicCounts, messages: Messages) -> dict[str, Any]:
    """The report's figures, as they go to report.json. Those of the book are the cluster's."""
    points = books.value.get("NP", dict.fromkeys(VALUE_WORDS, 0))
    return {
        **requests.figures(sent),
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
            "commands": counts.commands,
            "outcomes": books.outcomes,
            "entries": books.entries,
            "sum_by_unit": books.sum_by_unit,
            "accounts_off": books.accounts_off,
            "lots_off": books.lots_off,
        },
        "fraud": {
            "allowed": counts.decisions["allow"],
            "held": counts.decisions["review"],
            "released": counts.released,
            "declined": counts.decisions["decline"],
        },
        "sms": asdict(messages),
    }


# ---------------------------------------------------------------------------------- what must hold

_ZERO = (
    "settlement.sum_of_positions",
    "ledger.accounts_off",
    "ledger.lots_off",
    "sms.duplicates",
)


def faults(report: Mapping[str, Any]) -> Iterator[str]:
    """What does not hold, in plain words; nothing when all is well."""
    for path in _ZERO:
        if (value := requests.at(report, path)) != 0:
            yield f"{path} is {value}, not 0"
    for unit, total in report["ledger"]["sum_by_unit"].items():
        if total:
            yield f"the entries in {unit} sum to {total}, not 0"
    yield from requests.faults(report)
    for unit in ("points", "credit_rial"):
        yield from _unbalanced(unit, report[unit])
    if report["ledger"]["commands"] != report["ledger"]["outcomes"]:
        yield (
            f"{report['ledger']['commands']} commands on the topic,"
            f" {report['ledger']['outcomes']} outcomes in the book"
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


# --------------------------------------------------------------------------------------- the page


def show(console: Console, report: Mapping[str, Any], names: Mapping[int, str]) -> None:
    """Print the figures for a person. names: what to call parties; the others by number."""
    requests.show(console, report)
    _show_value(console, report)
    _show_matrix(console, report["settlement"], names)
    fraud, sms, ledger = report["fraud"], report["sms"], report["ledger"]
    console.print(
        f"\n[bold]Fraud[/] allowed {fraud['allowed']:,} · under review {fraud['held']:,}"
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


def _show_value(console: Console, report: Mapping[str, Any]) -> None:
    table = Table(title="Value", title_justify="left", box=box.SIMPLE)
    for heading in ("", "points", "credit, Rial"):
        table.add_column(heading, justify="right" if heading else "left")
    for word in VALUE_WORDS:
        cells = (f"{report[unit].get(word, 0):,}" for unit in ("points", "credit_rial"))
        table.add_row(word.replace("_", " "), *cells)
    console.print(table)
    across = report["cross_merchant"]
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

"""The demo's report: the shared figures of a street's log, and what the demo means to show."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console

from lab.demo import cast
from lab.demo.street import Log
from lab.observe import figures as shared
from lab.observe import requests
from lab.observe.figures import Messages
from lab.observe.recompute import Books, TopicCounts
from lab.observe.requests import Sent

__all__ = ["Messages", "faults", "figures", "show"]

_SOME = (
    "points.redeemed",
    "points.clawed_back",
    "points.restored",
    "points.expired",
    "transactions.held",
    "fraud.held",
    "fraud.released",
    "fraud.declined",
    "settlement.fee",
    "settlement.windows",
    "settlement.claims",
    "settlement.net_payments",
    "settlement.rejected",
    "cross_merchant.redemptions",
    "sms.delivered",
)


def figures(
    log: Log, books: Books, counts: TopicCounts, messages: Messages, *, shopping_s: float
) -> dict[str, Any]:
    """The report's figures, as they go to report.json."""
    sent = Sent(
        ends=Counter(_end(s) for s in log.transactions()),
        failures=Counter(_why(s) for s in log.transactions() if _end(s) == "failed"),
        resent=log.resent,
        resent_before_answer=log.resent_before_answer,
        answered_differently=len(log.answered_differently),
        latencies_s=log.latencies_s,
        seconds=shopping_s,
    )
    report = shared.figures(sent, books, counts, messages)
    report["transactions"]["inquiries"] = log.inquiries
    return report


def faults(report: Mapping[str, Any], *, some: bool = True) -> Iterator[str]:
    """What does not hold, in plain words; nothing when all is well.

    some: also whether everything that the demo means to show did occur.
    """
    yield from shared.faults(report)
    yield from _unsettled(report["settlement"])
    if some:
        yield from _absent(report)


def _unsettled(settlement: Mapping[str, Any]) -> Iterator[str]:
    for name in ("unsettled_entries", "bookings_declined", "differences"):
        if settlement[name]:
            yield f"settlement.{name} is {settlement[name]}, not 0"
    if settlement["paid"] != settlement["net_payments"]:
        yield f"{settlement['paid']} Rial were paid, {settlement['net_payments']} are due"


def show(console: Console, report: Mapping[str, Any]) -> None:
    """Print the figures for a person."""
    names = {m.party: m.en.split()[0] for m in reversed(cast.MERCHANTS)} | {1: "Network"}
    shared.show(console, report, names)


def _end(sent: Any) -> str:
    if sent.answer is not None:
        status = sent.answer.status.value
        return "failed" if status == "refused" else status
    return "pending" if sent.waiting else "failed"


def _why(sent: Any) -> str:
    return sent.failure if sent.answer is None else sent.answer.code


def _absent(report: Mapping[str, Any]) -> Iterator[str]:
    for path in _SOME:
        if requests.at(report, path) <= 0:
            yield f"{path} is 0: the demo did not show it"
    sent = report["transactions"]
    if sent["sent"] < 20_000:
        yield f"only {sent['sent']} transactions, 20,000 were meant"
    if sent["resent"] < 0.05 * sent["sent"]:
        yield f"only {sent['resent']} requests were sent again, 5 % were meant"
    if sent["resent_before_answer"] < 0.5 * 0.05 * sent["sent"]:
        yield f"only {sent['resent_before_answer']} were sent again before the answer"

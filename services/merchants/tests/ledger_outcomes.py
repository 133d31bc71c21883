"""Outcomes as the ledger's chart of accounts books them, for the tests of clearing."""

from datetime import UTC, datetime
from typing import Any

from contracts import envelope, topics
from contracts.ledger import Entry, Outcome
from contracts.values import NETWORK_PARTY, Reason, Status, Unit
from kit.stream import consumer as kit_consumer

BAKER, GROCER, FLORIST = 2, 3, 4
NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
Entries = tuple[Entry, ...]


def rial(owner: int, role: str, counterparty: int, amount: int) -> Entry:
    return Entry(owner=owner, role=role, counterparty=counterparty, unit=Unit.RIAL, amount=amount)


def owes(debtor: int, creditor: int, amount: int) -> Entries:
    """A payable and its receivable; below zero: they go back."""
    return (
        rial(debtor, "payable", creditor, -amount),
        rial(creditor, "receivable", debtor, amount),
    )


def fee(acceptor: int, amount: int) -> Entries:
    """The network's share of a claim."""
    return (
        rial(acceptor, "payable", NETWORK_PARTY, -amount),
        rial(NETWORK_PARTY, "fee", acceptor, amount),
    )


def points(issuer: int, amount: int) -> Entries:
    """The points leg of a redemption, which is no money."""
    unit = Unit.NETWORK_POINTS
    return (
        Entry(owner=1_000_001, role="value", counterparty=0, unit=unit, amount=-amount),
        Entry(owner=issuer, role="redeemed", counterparty=0, unit=unit, amount=amount),
    )


def redemption(issuer: int, acceptor: int, claim: int, fee_rial: int) -> Entries:
    """Points of one party spent at another."""
    return (*points(issuer, claim // 100), *owes(issuer, acceptor, claim), *fee(acceptor, fee_rial))


def refund(issuer: int, acceptor: int, claim: int, fee_rial: int) -> Entries:
    """The mirror image of a redemption."""
    return redemption(issuer, acceptor, -claim, -fee_rial)


def paid(debtor: int, creditor: int, amount: int, *, fee_rial: int = 0) -> Entries:
    """What settle-position.v1 books; fee_rial: the part of it that pays fees."""
    return (
        rial(debtor, "payable", creditor, amount),
        rial(creditor, "receivable", debtor, fee_rial - amount),
        rial(creditor, "fee", debtor, -fee_rial),
        rial(debtor, "cash", 0, -amount),
        rial(creditor, "cash", 0, amount),
    )


def outcome(sequence: int, entries: Entries = (), **changes: Any) -> Outcome:
    fields: dict[str, Any] = {
        "sequence": sequence,
        "name": f"t.10.1.{sequence}",
        "command": "post-transaction.v1",
        "status": Status.COMPLETED,
        "decided_at": NOW,
        "entries": entries,
    }
    return Outcome(**(fields | changes))


def payment(sequence: int, entries: Entries) -> Outcome:
    return outcome(sequence, entries, command="settle-position.v1", name=f"p.2.s-{sequence}")


def marker(sequence: int, window: int, *, declined: bool = False) -> Outcome:
    """A shard's answer to close-window.v1."""
    no = Reason(code="not-the-next-window", fa="نوبتش نیست", en="not the next")
    return outcome(
        sequence,
        name=f"w.{window}",
        command="close-window.v1",
        status=Status.DECLINED if declined else Status.COMPLETED,
        code=no.code if declined else "",
        reasons=(no,) if declined else (),
    )


def event(shard: int, recorded: Outcome) -> kit_consumer.Event:
    """The record of ledger.entries that carries an outcome."""
    written = envelope.Envelope(
        id=envelope.derive_id(f"{shard}.{recorded.sequence}", recorded.name),
        type="outcome-recorded.v1",
        key="1000001",
        occurred_at=NOW,
        accepted_at=NOW,
        data=recorded,
    )
    offset = recorded.sequence
    return kit_consumer.event(topics.LEDGER_ENTRIES, written, partition=shard, offset=offset)

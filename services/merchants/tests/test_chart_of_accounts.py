"""Every posting of the chart of accounts is counted: its page's tables, which the ledger holds."""

import re
from pathlib import Path
from typing import Final

import pytest

from contracts.ledger import Entry
from contracts.values import NETWORK_PARTY as NETWORK
from contracts.values import Unit
from merchants.clearing.domain import counting
from merchants.clearing.domain.counting import Change, Pair

from .ledger_outcomes import BAKER, FLORIST, GROCER, outcome

PAGE: Final = Path(__file__).parents[3] / "docs/guides/chart-of-accounts.md"
PARTIES: Final = {"network": NETWORK, "baker": BAKER, "grocer": GROCER, "florist": FLORIST}
MEMBERS: Final = {"ali": 1_000_001, "sara": 1_000_002, "card": 2_000_001}
HEADER: Final = "| who | account | unit | towards | debit | credit |"
PAYMENT: Final = "`settle-position.v1`"


def examples() -> dict[str, tuple[str, tuple[Entry, ...]]]:
    """By heading: the type of the command, and the entries of its table."""
    text = PAGE.read_text("utf-8")
    found: dict[str, tuple[str, tuple[Entry, ...]]] = {}
    for section in re.split(r"^##+ ", text, flags=re.MULTILINE):
        if HEADER in section:
            rows = section.split(HEADER)[1].strip().splitlines()[1:]
            command = "settle-position.v1" if PAYMENT in section else "post-transaction.v1"
            entries = tuple(entry_of(row) for row in rows if row.startswith("|"))
            found[section.splitlines()[0]] = (command, entries)
    return found


def entry_of(row: str) -> Entry:
    who, account, unit, towards, debit, credit = (cell.strip() for cell in row[1:-1].split("|"))
    amount = int((debit or credit).replace(",", ""))
    campaign = int(towards.removeprefix("campaign ")) if towards.startswith("campaign") else 0
    return Entry(
        owner=(PARTIES | MEMBERS)[who],
        role=account.strip("`"),
        counterparty=PARTIES.get(towards, campaign),
        unit=Unit(unit),
        amount=amount if debit else -amount,
    )


EXAMPLES: Final = examples()
COUNTED: Final = {
    "Purchase": {Pair(NETWORK, BAKER): Change(claim_rial=10_000)},
    "Redemption worth more than the points cost": {
        Pair(BAKER, GROCER): Change(claim_rial=6_000),
        Pair(GROCER, GROCER): Change(own_discount_rial=500),
        Pair(GROCER, NETWORK): Change(fee_rial=60),
    },
    "Redemption of points that got dearer": {
        Pair(BAKER, GROCER): Change(claim_rial=6_000),
        Pair(NETWORK, GROCER): Change(claim_rial=600),
        Pair(GROCER, NETWORK): Change(fee_rial=60),
    },
    "Refund of half a redemption": {
        Pair(BAKER, GROCER): Change(claim_rial=-3_000),
        Pair(GROCER, NETWORK): Change(fee_rial=-30),
    },
    "Spend away from a till": {
        Pair(BAKER, GROCER): Change(claim_rial=5_000),
        Pair(BAKER, BAKER): Change(released_rial=1_000),
        Pair(GROCER, NETWORK): Change(fee_rial=50),
    },
    "Exchange, network points for merchant points": {
        Pair(GROCER, BAKER): Change(claim_rial=10_000),
        Pair(BAKER, NETWORK): Change(fee_rial=150),
    },
    "Top-up of a wallet": {},
    "Sending of a budget": {},
    "Settlement of a claim": {Pair(BAKER, GROCER): Change(paid_rial=10_000)},
    "Settlement with the network": {Pair(GROCER, NETWORK): Change(paid_rial=1_100)},
    "Settlement turned round": {Pair(BAKER, GROCER): Change(paid_rial=-10_000)},
}


@pytest.mark.parametrize("heading", EXAMPLES)
def test_what_a_posting_does_to_payables_is_what_is_counted(heading: str) -> None:
    command, entries = EXAMPLES[heading]
    owed: dict[Pair, int] = {}
    for entry in entries:
        if entry.role == "payable":
            pair = Pair(entry.owner, entry.counterparty)
            owed[pair] = owed.get(pair, 0) - entry.amount
    changes = counting.changes_of(outcome(1, entries, command=command))
    unpaid = {
        pair: change.claim_rial + change.fee_rial - change.paid_rial
        for pair, change in changes.items()
    }
    assert {pair: rials for pair, rials in unpaid.items() if rials} == owed


@pytest.mark.parametrize("heading", COUNTED)
def test_it_is_counted_as_what_it_is(heading: str) -> None:
    command, entries = EXAMPLES[heading]
    assert counting.changes_of(outcome(1, entries, command=command)) == COUNTED[heading]


def test_the_page_is_read_whole() -> None:
    assert len(EXAMPLES) == PAGE.read_text("utf-8").count(HEADER) > 25

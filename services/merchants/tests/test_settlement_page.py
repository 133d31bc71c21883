"""docs/guides/settlement.md: its matrix and positions follow from its transactions."""

from pathlib import Path
from typing import Final

import pytest

from contracts.values import NETWORK_PARTY as NETWORK
from merchants.clearing.domain import counting, positions
from merchants.clearing.domain.counting import Pair, PairSums, Progress
from merchants.clearing.domain.positions import Position
from merchants.settlement.domain import netting
from merchants.statements.domain.reconciliation import Check

from .ledger_outcomes import BAKER, FLORIST, GROCER, outcome, redemption

PAGE: Final = Path(__file__).parents[3] / "docs/guides/settlement.md"
PARTIES: Final = {"network": NETWORK, "baker": BAKER, "grocer": GROCER, "florist": FLORIST}
Rows = list[list[str]]


def tables() -> dict[str, Rows]:
    """The tables of the page by heading and first column; the heading's row and rule left out."""
    heading, found, last = "", dict[str, Rows](), ""
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            heading, last = line[3:], ""
        elif not line.strip().startswith("|"):
            last = ""
        elif not last:
            last = f"{heading}: {line.split('|')[1].strip()}"
            found[last] = []
        elif "---" not in line:
            found[last].append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return found


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


def pairs_of(rows: Rows) -> dict[Pair, PairSums]:
    """The gross matrix of the transactions that a table tells."""
    booked = [
        outcome(n, redemption(PARTIES[debtor], PARTIES[creditor], number(claim), number(fee)))
        for n, (_, debtor, creditor, claim, fee) in enumerate(rows, 1)
    ]
    counted = counting.count([(0, one) for one in booked], {0: Progress(0)})
    return {pair: sums for (_, pair, _), sums in counted.sums().items()}


def figures(one: Position) -> tuple[int, int, int, int]:
    """Due to it, due from it, fee, position."""
    due_to = one.claims_rial - one.claims_reversed_rial
    return due_to, one.dues_rial - one.dues_reversed_rial, one.fee_rial, one.position_rial


@pytest.mark.SH14
def test_the_matrix_follows_from_the_transactions() -> None:
    rows = tables()
    pairs = pairs_of(rows["What happened in window 7: transaction"])
    told = rows["The gross matrix of window 7: who owes"]
    assert {
        Pair(PARTIES[row[0]], PARTIES[row[1]]): tuple(map(number, row[2:])) for row in told
    } == {
        pair: (sums.claims_rial, sums.reversed_rial, sums.fee_rial, sums.due_rial)
        for pair, sums in pairs.items()
    }


@pytest.mark.SH14
@pytest.mark.parametrize(
    ("transactions", "told"),
    [
        ("What happened in window 7: transaction", "The positions of window 7: party"),
        (
            "Window 8: goods come back that were settled: transaction",
            "Window 8: goods come back that were settled: party",
        ),
    ],
)
def test_the_positions_follow_from_the_transactions(transactions: str, told: str) -> None:
    rows = tables()
    netted = positions.netted_of(pairs_of(rows[transactions]), {})
    assert {PARTIES[row[0]]: tuple(map(number, row[1:])) for row in rows[told]} == {
        one.party: figures(one) for one in netted
    }
    assert sum(one.position_rial for one in netted) == 0


def test_the_sums_in_words_are_those_of_the_window() -> None:
    pairs = pairs_of(tables()["What happened in window 7: transaction"])
    sums = positions.window_sums(pairs, positions.netted_of(pairs, {}), 0)
    owed = sum(one.claims_rial - one.reversed_rial for one in pairs.values())
    assert f"{owed:,} Rial of debts become {sums.net_rial:,} Rial" in PAGE.read_text("utf-8")


def test_every_difference_is_explained() -> None:
    told = tables()["When figures do not agree: code"]
    assert {row[0].strip("`") for row in told} == {check.value for check in Check}


@pytest.mark.SH14
def test_the_payments_of_window_7_are_the_nets_of_its_pairs() -> None:
    rows = tables()["Paying window 7: party"]
    table = {PARTIES[party]: number(paid) - number(pays) for party, pays, paid in rows}
    pairs = pairs_of(tables()["What happened in window 7: transaction"])
    unpaid = {pair: s.due_rial for pair, s in pairs.items() if pair.debtor != pair.creditor}
    assert netting.payments_of(unpaid, minimum_rial=500) == table

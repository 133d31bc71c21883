"""Is the page of accounts true? Its tables are parsed and compared with what is really decided."""

import re
from pathlib import Path

import pytest

from contracts.ledger import COMMANDS
from contracts.values import Status, Unit
from ledger.book.facts import Role

from . import chart_examples
from .many_shards import BAKER, FLORIST, GROCER, NETWORK, WHO

PAGE = Path(__file__).parents[3] / "docs/guides/chart-of-accounts.md"
TEXT = PAGE.read_text("utf-8")
SECTIONS = dict(re.findall(r"^##+ ([^\n]+)\n(.*?)(?=^##|\Z)", TEXT, flags=re.MULTILINE | re.DOTALL))
PARTIES = {WHO[party] for party in (BAKER, GROCER, FLORIST, NETWORK)}
ENTRY = ["who", "account", "unit", "towards", "debit", "credit"]
CAMPAIGN = "campaign 12"
NOT_DECIDED_HERE = {"refuse-transaction.v1", "advance-clock.v1", "inquire.v1"}


def rows_of(heading):
    """(names of columns, rows) of the one table of a section, cells without marks; none: None."""
    lines = [line for line in SECTIONS[heading].splitlines() if line.startswith("|")]
    if not lines:
        return None, []
    cells = [[cell.strip().strip("`") for cell in line[1:-1].split("|")] for line in lines]
    assert set("".join(cells[1])) <= {"-", ":"}
    return cells[0], cells[2:]


def entries_of(heading):
    """A table's entries as the ledger has them: a debit is positive, a credit negative."""
    found = []
    for *account, debit, credit in rows_of(heading)[1]:
        assert bool(debit) != bool(credit), account
        amount = int((debit or credit).replace(",", ""))
        assert amount > 0
        found.append((*account, amount if debit else -amount))
    return found


def chart():
    """{account: (owner, towards, units, balance)}."""
    return {row[0]: tuple(row[2:]) for row in rows_of("The accounts")[1]}


def test_the_page_has_these_examples_and_no_other():
    assert {name for name in SECTIONS if rows_of(name)[0] == ENTRY} == set(chart_examples.EXAMPLES)


@pytest.mark.parametrize("heading", chart_examples.EXAMPLES)
def test_an_example_says_what_is_booked(heading):
    decision = chart_examples.EXAMPLES[heading]()
    assert (decision.status, decision.code) == (Status.COMPLETED, "")
    assert entries_of(heading) == chart_examples.page(decision)


@pytest.mark.parametrize("heading", chart_examples.EXAMPLES)
def test_debits_equal_credits_in_each_unit(heading):
    sums = {}
    for _, _, unit, _, amount in entries_of(heading):
        sums[unit] = sums.get(unit, 0) + amount
    assert set(sums.values()) == {0}


@pytest.mark.parametrize("heading", chart_examples.EXAMPLES)
def test_an_example_names_its_command_and_says_why(heading):
    kind = chart_examples.EXAMPLES[heading]().command.type
    before = TEXT[: TEXT.index(f"### {heading}\n")]
    group = re.findall(r"^## ([^\n]+)\n", before, flags=re.MULTILINE)[-1]
    words = SECTIONS[heading].partition("|")[0]
    assert f"`{kind}`" in words + group
    assert len(words.split()) >= 10


def test_every_command_is_on_the_page():
    assert {kind for kind in COMMANDS if f"`{kind}`" not in TEXT} == set()
    moving = {made().command.type for made in chart_examples.EXAMPLES.values()}
    silent = {row[0] for row in rows_of("Commands without entries")[1]}
    assert silent == set(chart_examples.WITHOUT_ENTRIES) | NOT_DECIDED_HERE
    assert (moving | silent, moving & silent) == (set(COMMANDS), set())


@pytest.mark.parametrize("kind", chart_examples.WITHOUT_ENTRIES)
def test_a_command_without_entries_takes_effect_and_books_none(kind):
    decision = chart_examples.WITHOUT_ENTRIES[kind]()
    assert (decision.command.type, decision.status) == (kind, Status.COMPLETED)
    assert (decision.code, decision.legs, decision.rows) == ("", (), ())


# --------------------------------------------------------------------------------------- the chart


def test_every_account_is_on_the_chart_and_in_an_example():
    assert set(chart()) == set(Role)
    used = {entry[1] for heading in chart_examples.EXAMPLES for entry in entries_of(heading)}
    assert used == set(Role)


@pytest.mark.parametrize("heading", chart_examples.EXAMPLES)
def test_owners_units_and_counterparties_are_those_of_the_chart(heading):
    for who, account, unit, towards, _ in entries_of(heading):
        owner, other, units, _ = chart()[account]
        assert unit in units.split()
        kind = "network" if owner == "network" else "party" if who in PARTIES else "member"
        assert kind == owner
        assert owner != "network" or who == "network"
        assert _kind(towards) == _wanted(other, unit), account


def _kind(towards):
    return {"": "", CAMPAIGN: "campaign"}.get(towards, "party")


def _wanted(other, unit):
    if other.endswith("(MP only)"):
        return "party" if unit == Unit.MERCHANT_POINTS else ""
    return "party" if other == "issuer" else other


BEGINS = {  # where an account that had nothing gets its first entry
    "value": "Purchase",
    "debt": "Refund of a purchase whose points are spent",
    "issued": "Purchase",
    "redeemed": "Redemption at another merchant",
    "expired": "Expiry",
    "payable": "Purchase",
    "receivable": "Purchase",
    "fee": "Redemption at another merchant",
    "own-discount": "Redemption worth more than the points cost",
    "discount-given": "Redemption worth more than the points cost",
    "points-cost": "Spend away from a till",
    "cost-released": "Spend away from a till",
    "cash": "Settlement of a claim",
    "wallet": "Top-up of a wallet",
    "budget": "Grant of a budget",
    "budget-granted": "Grant of a budget",
    "budget-spent": "Purchase paid by a budget",
    "transit": "Sending",
    "exchange": "Exchange, merchant points for network points",
}
SIDES = {
    "debit": {1}, "mostly debit": {1}, "credit": {-1}, "mostly credit": {-1}, "either": {1, -1},
}  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_an_account_begins_on_the_side_that_the_chart_says(role):
    entries = entries_of(BEGINS[role])
    assert {1 if entry[4] > 0 else -1 for entry in entries if entry[1] == role} == SIDES[
        chart()[role][3]
    ]

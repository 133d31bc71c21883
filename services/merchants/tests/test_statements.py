"""Statements: what a party was owed and owed, line by line, as JSON and CSV; reconciliation."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from contracts.values import NETWORK_PARTY as NETWORK
from kit.base import errors
from kit.base.db import Database, Tx
from merchants.clearing import usecases as clearing
from merchants.parties import usecases as parties
from merchants.parties.domain import Party
from merchants.statements import usecases
from merchants.statements.domain import statement
from merchants.statements.domain.reconciliation import Check

from .conftest import SHARDS
from .ledger_outcomes import (
    BAKER,
    FLORIST,
    GROCER,
    NOW,
    fee,
    marker,
    outcome,
    owes,
    paid,
    payment,
    redemption,
    refund,
    rial,
)
from .test_clearing import Batch, hear

PARTIES = (
    Party(BAKER, "شرکت نان", "Bread Co"),
    Party(GROCER, "=1+1", "Grocer Co"),  # a title that a spreadsheet would compute
    Party(FLORIST, "گل", "Florist Co"),
)
OWN = (rial(GROCER, "own-discount", 0, -500), rial(GROCER, "discount-given", 0, 500))
FIRST: Batch = (
    (0, outcome(1, redemption(BAKER, GROCER, 10_000, 150), acceptor=GROCER)),
    (1, outcome(1, redemption(BAKER, GROCER, 4_000, 60) + OWN, acceptor=GROCER)),
    (1, outcome(2, redemption(GROCER, BAKER, 3_000, 45), acceptor=BAKER)),
    (0, outcome(2, owes(NETWORK, GROCER, 700))),
    (0, outcome(3, refund(BAKER, GROCER, 2_000, 30), acceptor=GROCER)),
    (0, marker(4, 1)), (1, marker(3, 1)), (2, marker(1, 1)),
)  # fmt: skip
SECOND: Batch = (
    (0, payment(5, paid(BAKER, GROCER, 12_000))),
    (2, outcome(2, refund(BAKER, GROCER, 8_000, 120), acceptor=GROCER)),
    (0, marker(6, 2)), (1, marker(4, 2)), (2, marker(3, 2)),
)  # fmt: skip


async def close(tx: Tx, window: int, batch: Batch) -> None:
    await clearing.cut_window(tx, window, by="sara", now=NOW, shards=SHARDS)
    await hear(tx, batch)


async def arrange(tx: Tx, windows: int = 2) -> None:
    for party in PARTIES:
        await parties.register_party(tx, party)
    for number, batch in enumerate((FIRST, SECOND)[:windows], 1):
        await close(tx, number, batch)


@pytest.fixture
async def closed(pool: Database, door: Any) -> None:
    """Both windows, closed and committed, and merchant 5 of the grocer's party."""
    async with pool.transaction() as tx:
        await arrange(tx)
    about = {"party": GROCER, "sector": "supermarket", "title_fa": "بقالی", "title_en": "Grocer"}
    assert (await door("PUT", "/v1/merchants/5", about)).status_code == 201


# ---------------------------------------------------------------------------------------- the lines


@pytest.mark.SH14
async def test_opening_and_lines_make_the_closing(tx: Tx) -> None:
    await arrange(tx)
    first = await usecases.get_statement(tx, 1, GROCER)
    assert [(line.side.value, line.counterparty, line.effect_rial) for line in first.lines] == [
        ("claim", NETWORK, 700),
        ("claim", BAKER, 12_000),
        ("due", NETWORK, -180),
        ("due", BAKER, -3_000),
        ("own", GROCER, 0),
    ]
    assert (first.position.opening_rial, first.position.closing_rial) == (0, 9_520)
    assert first.lines[-1].sums.own_discount_rial == 500
    second = await usecases.get_statement(tx, 2, GROCER)
    assert second.position.opening_rial == 9_520
    assert [(line.counterparty, line.effect_rial) for line in second.lines] == [
        (BAKER, -20_000),  # 8,000 come back, and 12,000 were paid
        (NETWORK, 120),
    ]
    assert second.position.closing_rial == 9_520 - 20_000 + 120


async def test_the_networks_statement_has_its_fees(tx: Tx) -> None:
    await arrange(tx)
    first = await usecases.get_statement(tx, 1, NETWORK)
    assert [(line.side.value, line.counterparty, line.effect_rial) for line in first.lines] == [
        ("due", GROCER, -700),
        ("claim", BAKER, 45),
        ("claim", GROCER, 180),
    ]
    assert first.position.closing_rial == -475


async def test_a_party_that_had_nothing_to_do_with_it_has_zeros(tx: Tx) -> None:
    await arrange(tx)
    none = await usecases.get_statement(tx, 1, FLORIST)
    assert (none.lines, none.position.opening_rial, none.position.closing_rial) == ([], 0, 0)


async def test_closings_of_all_parties_are_their_next_openings(tx: Tx) -> None:
    await arrange(tx)
    for party in (NETWORK, BAKER, GROCER):
        first = await usecases.get_statement(tx, 1, party)
        second = await usecases.get_statement(tx, 2, party)
        assert first.position.closing_rial == second.position.opening_rial


async def test_a_statement_whose_lines_lead_elsewhere_is_not_given(tx: Tx) -> None:
    await arrange(tx)
    whole = await usecases.get_statement(tx, 1, GROCER)
    lines = whole.lines[1:]
    torn = statement.Statement(whole.window, whole.party, whole.position, lines)
    with pytest.raises(errors.Alarm, match="the lines lead to"):
        statement.csv_of(torn)


# ----------------------------------------------------------------------------------------- the door


@pytest.mark.SH14
@pytest.mark.usefixtures("closed")
async def test_a_statement_leads_to_its_transactions(door: Any) -> None:
    told = (await door("GET", "/v1/windows/1/statements/3")).json()
    assert (told["title_en"], told["closing_rial"], told["next"]) == ("Grocer Co", "9520", None)
    line = told["lines"][1]
    assert (line["title_fa"], line["claims_rial"], line["reversed_rial"]) == (
        "شرکت نان",
        "14000",
        "2000",
    )
    behind = (await door("GET", line["transactions"])).json()
    assert [one["transaction"] for one in behind["items"]] == [
        "0.t.10.1.1",
        "0.t.10.1.3",
        "1.t.10.1.1",
    ]
    assert sum(int(one["claim_rial"]) for one in behind["items"]) == 12_000
    last = behind["items"][-1]
    assert (last["booking"], last["proof"]) == ("/v1/bookings/1.t.10.1.1", "/v1/proofs/1/1")


@pytest.mark.usefixtures("closed")
async def test_lines_and_transactions_are_read_by_pages(door: Any) -> None:
    for path, key, count in (
        ("/v1/windows/1/statements/3?", "lines", 5),
        ("/v1/windows/۱/statements/۳/transactions?side=claim&counterparty=۲&", "items", 3),
    ):
        whole = (await door("GET", path)).json()[key]
        assert len(whole) == count
        pieces: list[Any] = []
        after = ""
        while after is not None:
            query = f"limit=1&after={after}" if after else "limit=1"
            page = (await door("GET", path + query)).json()
            pieces += page[key]
            after = page["next"]
        assert pieces == whole


@pytest.mark.SH14
@pytest.mark.usefixtures("closed")
async def test_the_file_is_utf8_with_a_mark_and_its_last_column_adds_up(door: Any) -> None:
    answer = await door("GET", "/v1/windows/1/statements/3/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="statement-1-3.csv"'
    assert answer.content.startswith("\ufeffدوره,شرح,".encode())
    heading, opening, *lines, closing = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert {len(row) for row in (heading, opening, *lines, closing)} == {12}
    assert (opening[1], opening[-1]) == ("مانده از پیش", "0")
    assert (closing[1], closing[3], closing[-1]) == ("مانده در پایان دوره", "'=1+1", "9520")
    assert [row[1] for row in lines] == ["طلب از"] * 2 + ["بدهی به"] * 2 + ["هزینهٔ خود"]
    assert sum(int(row[-1]) for row in (opening, *lines)) == 9_520


@pytest.mark.usefixtures("closed")
async def test_a_merchants_reader_reads_its_own_partys_statement_and_no_others(door: Any) -> None:
    for rest in ("", "/csv", "/transactions?side=claim&counterparty=2"):
        own = await door("GET", f"/v1/merchants/5/statements/1{rest}", roles=("merchant:5",))
        staffs = await door("GET", f"/v1/windows/1/statements/3{rest}")
        assert own.status_code == staffs.status_code == 200
        if rest:
            assert own.content == staffs.content
        for path in ("/v1/merchants/5/statements/1", "/v1/windows/1/statements/3"):
            foreign = await door("GET", path + rest, roles=("merchant:6",))
            assert foreign.status_code == 403
    line = (await door("GET", "/v1/merchants/5/statements/1", roles=("merchant:5",))).json()
    address = line["lines"][0]["transactions"]
    assert (await door("GET", address, roles=("merchant:5",))).status_code == 200
    assert (
        await door("GET", "/v1/windows/1/reconciliation", roles=("merchant:5",))
    ).status_code == 403


@pytest.mark.usefixtures("closed")
async def test_what_is_missing_open_or_malformed_is_said(door: Any) -> None:
    for path in ("", "/csv", "/transactions?side=due&counterparty=2"):
        for window, status in ((9, 404), (3, 409)):
            assert (
                await door("GET", f"/v1/windows/{window}/statements/3{path}")
            ).status_code == status
    assert (await door("GET", "/v1/windows/1/statements/99")).status_code == 404
    assert (await door("GET", "/v1/merchants/99/statements/1")).status_code == 404
    for query in (
        "side=claim", "counterparty=2", "side=both&counterparty=2", "side=due&counterparty=0",
        "side=due&counterparty=2&after=1", "side=due&counterparty=2&after=0.9223372036854775808",
        "side=due&counterparty=2&limit=201", "side=due&counterparty=2&window=1",
    ):  # fmt: skip
        path = f"/v1/windows/1/statements/3/transactions?{query}"
        assert (await door("GET", path)).status_code == 422, query
    for query in ("after=x", "after=1.2147483648", "limit=0", "first=1"):
        assert (await door("GET", f"/v1/windows/1/statements/3?{query}")).status_code == 422, query


# ----------------------------------------------------------------------------------- reconciliation


@pytest.mark.SH14
@pytest.mark.usefixtures("closed")
async def test_when_all_is_well_nothing_differs(door: Any) -> None:
    for window in (1, 2):
        told = await door("GET", f"/v1/windows/{window}/reconciliation")
        assert (told.status_code, told.json()) == (200, {"window": window, "differences": []})
    assert (await door("GET", "/v1/windows/3/reconciliation")).status_code == 409
    assert (await door("GET", "/v1/windows/4/reconciliation")).status_code == 404


TAMPERED = [
    ("delete from clearing_markers where window_number = 1 and shard = 2", {Check.MARKER}),
    (
        "update clearing_markers set first_sequence = 2, outcomes_count = 3"
        " where window_number = 1 and shard = 0",
        {Check.SEQUENCE},
    ),
    (
        "update clearing_markers set outcomes_count = 3 where window_number = 1 and shard = 0",
        {Check.OUTCOMES},
    ),
    (
        "update clearing_entries set claim_rial = claim_rial + 1"
        " where window_number = 1 and shard = 0 and sequence = 1 and creditor = 3",
        {Check.ENTRIES},
    ),
    ("delete from clearing_entries where window_number = 1 and creditor = 1", {Check.ENTRIES}),
    (
        "update clearing_pairs set fee_rial = fee_rial + 1"
        " where window_number = 1 and debtor = 3 and creditor = 1",
        {Check.ENTRIES, Check.POSITION, Check.STATEMENT},
    ),
    (
        "update clearing_positions set opening_rial = 7, closing_rial = closing_rial + 7"
        " where window_number = 1 and party = 2",
        {Check.POSITION, Check.BALANCE},
    ),
    ("update clearing_windows set claims_rial = 1 where window_number = 1", {Check.WINDOW}),
]


@pytest.mark.parametrize(("statement_sql", "named"), TAMPERED)
@pytest.mark.usefixtures("closed")
async def test_a_difference_is_named(
    door: Any, dsn: str, owner_dsn: Callable[[str], str], statement_sql: Any, named: set[Check]
) -> None:
    owner = await Database.open(owner_dsn(dsn), size=1)
    async with owner.transaction() as tx:
        await tx.execute(statement_sql)
    await owner.close()
    told = (await door("GET", "/v1/windows/1/reconciliation")).json()["differences"]
    codes = {one["code"] for one in told}
    assert {check.value for check in named} <= codes
    assert codes - {check.value for check in named} <= {Check.WINDOW.value}
    for one in told:
        assert one["expected"] != one["actual"]
        assert one["fa"]
        assert one["en"]


async def test_an_outcome_that_was_set_aside_is_named(tx: Tx) -> None:
    """A dead letter of ours: the shard has a number more than was counted."""
    for party in PARTIES:
        await parties.register_party(tx, party)
    await close(tx, 1, [(0, outcome(1)), (0, marker(3, 1)), (1, marker(1, 1)), (2, marker(1, 1))])
    (difference,) = await usecases.reconcile(tx, 1)
    assert (difference.code, difference.shard) == (Check.OUTCOMES, 0)
    assert (difference.expected, difference.actual) == ("3", "2")


async def test_a_fee_of_the_network_to_itself_is_nobodys_debt(tx: Tx) -> None:
    """The network accepts the baker's points: its fee on that claim goes to itself."""
    for party in PARTIES:
        await parties.register_party(tx, party)
    own = owes(BAKER, NETWORK, 1_000) + fee(NETWORK, 15)
    await close(
        tx, 1, [(0, outcome(1, own)), *((n, marker(2 if n == 0 else 1, 1)) for n in range(3))]
    )
    assert (await usecases.get_statement(tx, 1, NETWORK)).position.closing_rial == 1_000
    assert await usecases.reconcile(tx, 1) == []

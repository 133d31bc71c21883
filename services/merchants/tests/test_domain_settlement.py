"""Who pays how much, in which order it is booked, and what banks are sent and answer."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import NETWORK_PARTY as NETWORK
from merchants.clearing.domain.counting import Pair
from merchants.settlement.domain import instructions, netting, settlements
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
    received = instructions.answered(line(Direction.COLLECTION, state), BankAnswer("", answer))
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

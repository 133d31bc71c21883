"""Does the plain model say what an accountant would?"""

from lab.bench.ledger import workloads
from lab.bench.ledger.model import Model
from lab.bench.ledger.workloads import Command, Kind, Size, Workload

SIZE = Size(2_000, 300, 500)
MEMBER, SHOP = 101, 7
START = workloads.START_MS


class Told:
    """Commands one after another, each a moment later."""

    def __init__(self, workload=Workload.W3):
        self.model = Model.of(workload, SIZE)
        self.count = 0

    def hear(self, kind, amount=0, *, hold="", later_ms=0, id=""):
        self.count += 1
        id = id or f"{self.count:032x}"
        earns = kind is Kind.EARN
        debit, credit = (SHOP, MEMBER) if earns else (MEMBER, SHOP)
        at = START + later_ms
        self.model.apply([Command(self.count, id, kind, debit, credit, amount, hold, at)])
        return id

    def balance(self):
        return self.model.balances()[MEMBER]


def test_a_spend_beyond_what_is_there_is_refused():
    told = Told()
    told.hear(Kind.EARN, 50)
    told.hear(Kind.SPEND, 1_051)
    told.hear(Kind.SPEND, 1_050)
    assert (told.model.posted, told.model.refused, told.balance()) == (2, 1, 0)


def test_a_name_counts_once_and_another_payload_is_a_conflict():
    told = Told()
    for amount in (5, 5, 6):
        told.hear(Kind.SPEND, amount, id="a" * 32)
    assert (told.model.fresh, told.model.repeated, told.model.conflicting) == (1, 1, 1)
    assert told.balance() == 995


def test_what_is_held_backs_nothing_else_until_it_is_due():
    told = Told()
    told.hear(Kind.HOLD, 900)
    told.hear(Kind.SPEND, 101)
    assert (told.model.refused, told.model.held()) == (1, {MEMBER: 900})
    told.hear(Kind.SPEND, 101, later_ms=workloads.HOLD_S * 1_000)
    assert (told.model.refused, told.model.held(), told.balance()) == (1, {}, 899)


def test_a_capture_takes_its_part_and_a_hold_is_resolved_once():
    told = Told()
    hold = told.hear(Kind.HOLD, 100)
    told.hear(Kind.CAPTURE, 40, hold=hold)
    told.hear(Kind.VOID, hold=hold)
    assert (told.model.posted, told.model.refused) == (2, 1)
    assert (told.balance(), told.model.held()) == (960, {})


def test_what_is_past_its_date_is_not_spendable_and_leaves_with_the_sweep():
    told = Told(Workload.W7)
    points = sum(n for _, n in told.model.lots[MEMBER])
    late = workloads.LOT_DAYS * workloads.DAY_MS
    told.hear(Kind.SPEND, 1, later_ms=late)
    assert (told.model.refused, told.balance()) == (1, points)
    told.hear(Kind.TICK, later_ms=late)
    assert (told.balance(), told.model.swept) == (0, SIZE.members * workloads.LOTS)


def test_w1_and_w5_refuse_nothing_and_end_alike():
    plain, repeats = Model.of(Workload.W1, SIZE), Model.of(Workload.W5, SIZE)
    plain.apply(workloads.generate(Workload.W1, SIZE))
    repeats.apply(workloads.generate(Workload.W5, SIZE))
    assert plain.refused == repeats.refused == 0
    assert plain.balances() == repeats.balances()
    assert repeats.repeated
    assert repeats.conflicting


def test_w3_refuses_a_tenth():
    model = Model.of(Workload.W3, SIZE)
    model.apply(workloads.generate(Workload.W3, SIZE))
    assert 0.08 < model.refused / model.fresh < 0.12
    assert min(model.balances().values()) >= 0

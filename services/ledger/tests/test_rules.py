"""Properties of the pure rules: lots, money leg, shares, names of records, words."""

import itertools
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.ledger import COMMANDS, AdvanceClock, Redemption
from contracts.values import Reason, Unit
from ledger.book import lots, money
from ledger.book.commands import Command
from ledger.book.errors import InvariantBroken
from ledger.book.facts import AccountState, Lot, LotMovementKind, Origin
from ledger.log.domain import records
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.domain import texts

from . import generators

NOW = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
DAYS = st.integers(-3, 3)
calm = settings(max_examples=60)


def lot(number, amount, *, expires=None, start=0, born=0, unit=Unit.NETWORK_POINTS, cost=0):
    return Lot(
        number, 1, unit, amount, cost, 5, 5, "base", 1, NOW + timedelta(days=start),
        None if expires is None else NOW + timedelta(days=expires), NOW + timedelta(days=born),
        5, Origin.AWARD, 0, amount, cost,
    )  # fmt: skip


LOTS = st.lists(
    st.builds(
        lot,
        st.just(0),
        st.integers(0, 1000),
        expires=st.none() | DAYS,
        start=DAYS,
        born=DAYS,
        cost=st.integers(0, 10**6),
    ),
    max_size=12,
).map(lambda found: [replace(one, lot=n) for n, one in enumerate(found, 1)])


@calm
@given(LOTS, st.integers(1, 5000), st.randoms())
def test_a_plan_takes_the_demand_from_what_is_available_first_to_expire_first(found, demand, rng):
    shuffled = list(found)
    rng.shuffle(shuffled)
    plan = lots.plan_consumption(shuffled, demand, now=NOW)
    assert plan == lots.plan_consumption(found, demand, now=NOW)
    assert sum(amount for _, amount in plan.takes) + plan.short == demand
    usable = [one for one in found if lots.available(one, NOW)]
    assert plan.short == max(0, demand - sum(one.remaining for one in usable))
    for one, amount in plan.takes:
        assert 0 < amount <= one.remaining
        assert one.available_from is not None
        assert one.available_from <= NOW
        assert one.expires_at is None or one.expires_at > NOW
    order = [(x.expires_at is None, x.expires_at or NOW, x.born_at, x.lot) for x, _ in plan.takes]
    assert order == sorted(order)
    for one, amount in plan.takes[:-1]:
        assert amount == one.remaining
    taken = {one.lot for one, _ in plan.takes}
    if plan.takes:
        last = order[-1]
        for one in usable:
            key = (one.expires_at is None, one.expires_at or NOW, one.born_at, one.lot)
            assert one.lot in taken or key > last


@calm
@given(st.integers(1, 1000), st.integers(0, 10**6), st.lists(st.integers(1, 400), max_size=9))
def test_costs_of_parts_add_up_to_the_cost_of_the_whole(amount, cost, parts):
    one, total = lot(1, amount, cost=cost), 0
    for part in [*parts, 1000]:
        taken = min(part, one.remaining)
        if not taken:
            break
        share = lots.cost_of(one, taken)
        assert 0 <= share <= one.cost_left
        total += share
        one = replace(one, remaining=one.remaining - taken, cost_left=one.cost_left - share)
    assert (one.remaining, one.cost_left, total) == (0, 0, cost)


@calm
@given(LOTS)
def test_what_a_member_is_told_is_available_and_pending_and_never_what_lapsed(found):
    told = lots.balance(found, now=NOW)
    assert told.available_points == sum(x.remaining for x in found if lots.available(x, NOW))
    assert told.points == told.available_points + told.pending_points
    dated = [x for x in found if lots.available(x, NOW) and x.expires_at is not None]
    if dated:
        first = min(x.expires_at for x in dated)
        assert told.expiring_at == first
        assert told.expiring_points == sum(x.remaining for x in dated if x.expires_at == first)
    else:
        assert (told.expiring_points, told.expiring_at) == (0, None)


def test_points_expiring_on_one_tehran_day_are_told_together():
    evening = datetime(2026, 3, 22, 20, 0, tzinfo=UTC)  # 23:30 in Tehran
    found = [
        replace(lot(1, 10), expires_at=evening - timedelta(hours=2)),
        replace(lot(2, 20), expires_at=evening),
        replace(lot(3, 40), expires_at=evening + timedelta(hours=1)),  # the next day
    ]
    told = lots.balance(found, now=NOW)
    assert (told.expiring_points, told.expiring_at) == (30, evening - timedelta(hours=2))


COSTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=8)


@calm
@given(
    COSTS, st.data(), st.integers(0, 10**9), st.integers(0, 10**6), st.integers(0, 10**6),
    st.integers(0, 10_000), st.integers(0, 10**6),
)  # fmt: skip
def test_the_money_leg_adds_up_and_never_passes_a_rows_cost(
    costs, data, value, own, most, fee, dearer
):
    issuers = data.draw(st.lists(st.sampled_from([5, 6]), min_size=len(costs), max_size=len(costs)))
    terms = Redemption(
        points=1, credit_rial=0, points_value_rial=value, own_discount_rial=own,
        own_discount_max_rial=most, fee_bp=fee, terms_version=1, network_max_rial=dearer,
    )  # fmt: skip
    leg = money.settle(costs, issuers, 6, money.of_redemption(terms))
    gap = max(0, value + own - sum(costs))
    network = min(max(gap - own, 0), dearer)
    beyond = gap - network
    if isinstance(leg, money.OwnDiscountTooLarge):
        assert own > most or beyond > most
        return
    assert sum(leg.claims) + leg.own_rial + leg.network_rial == value + own
    assert leg.network_rial == network
    assert leg.own_rial == beyond
    assert leg.own_rial <= most + 2 * len(costs)
    assert all(0 <= claim <= cost for claim, cost in zip(leg.claims, costs, strict=True))
    crossing = sum(c for c, issuer in zip(leg.claims, issuers, strict=True) if issuer != 6)
    assert sum(leg.fees) == crossing * fee // 10_000
    if crossing:
        assert not any(f for f, issuer in zip(leg.fees, issuers, strict=True) if issuer == 6)


@calm
@given(st.integers(0, 10**12), st.integers(0, 10**9), st.lists(st.integers(0, 10**9), max_size=6))
def test_shares_of_any_steps_add_up_to_the_part(part, whole, cuts):
    steps = [0, *sorted(min(cut, whole) for cut in cuts), whole]
    if whole == 0:
        assert money.share(part, 0, 0, 0) == part
        return
    shares = [money.share(part, a, b, whole) for a, b in itertools.pairwise(steps)]
    assert sum(shares) == part
    assert min(shares) >= 0


def drafted():
    command = Command(1, "k.1", "advance-clock.v1", b"", AdvanceClock(name="k.1"))
    return AccountDraft(command, 1, AccountState(), sequence=1, now=NOW)


def test_a_draft_refuses_what_would_break_the_book():
    draft = drafted()
    draft.open(lot(4096, 10, cost=5))
    with pytest.raises(InvariantBroken, match="cannot be given"):
        draft.open(lot(4096, 10))
    with pytest.raises(InvariantBroken, match="below zero"):
        draft.take(draft.lots[4096], 11, LotMovementKind.REDEEMED)
    with pytest.raises(InvariantBroken, match="off zero"):
        draft.post(draft.legs[:1])
    with pytest.raises(InvariantBroken, match="above zero"):
        draft.owe(Unit.NETWORK_POINTS, 5, -1)


@calm
@given(st.text(max_size=40) | st.text(string.hexdigits, min_size=32, max_size=32) | st.none())
def test_a_fingerprint_is_kept_so_that_equal_texts_stay_equal(text):
    kept = records.fingerprint_bytes(text)
    assert (kept is None) == (text is None)
    if text is not None:
        assert kept == records.fingerprint_bytes(str(text))


def test_a_fingerprint_of_the_gateway_takes_sixteen_bytes():
    text = envelopes.fingerprint_of({"a": 1})
    assert records.fingerprint_bytes(text) == bytes.fromhex(text)
    assert records.fingerprint_bytes("z" * 32) == b"z" * 32


def test_every_stored_record_reads_back_as_the_command_it_was():
    for said in generators.Story(5).batch(80):
        raw = envelopes.encode(said)
        command = records.command_from(4, raw)
        again = records.command_of(4, raw, envelopes.decode(raw, COMMANDS))
        assert command == again
        assert (command.name, command.raw) == (said.data.name, raw)
    assert records.command_from(4, b"nonsense").type == "undecodable"


@pytest.mark.parametrize("code", sorted(texts.REASONS))
def test_every_code_speaks_persian_and_english(code):
    fields = {
        name: 1_234
        for template in texts.REASONS[code]
        for _, name, _, _ in string.Formatter().parse(template)
        if name
    }
    reason = texts.reason(code, **fields)
    assert isinstance(reason, Reason)
    assert any("\u0600" <= letter <= "\u06ff" for letter in reason.fa)
    assert reason.en.isascii()
    if fields:
        assert "۱٬۲۳۴" in reason.fa
        assert "1,234" in reason.en

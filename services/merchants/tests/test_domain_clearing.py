"""Rules of clearing: what an outcome changes between parties, windows, net positions."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.ledger import Outcome
from contracts.values import NETWORK_PARTY as NETWORK
from contracts.values import Status
from kit.base import errors
from merchants.clearing.domain import counting, positions, windows
from merchants.clearing.domain.counting import Change, Counted, Pair, PairSums, Progress
from merchants.clearing.domain.positions import Position
from merchants.settings import Settings

from .ledger_outcomes import (
    BAKER,
    FLORIST,
    GROCER,
    NOW,
    Entries,
    fee,
    marker,
    outcome,
    owes,
    paid,
    payment,
    points,
    redemption,
    refund,
    rial,
)


def counted(*outcomes: Outcome, shard: int = 0, at: Progress | None = None) -> Counted:
    progress = {shard: at or Progress(shard)}
    return counting.count([(shard, one) for one in outcomes], progress)


def pairs_of(*outcomes: Outcome) -> dict[Pair, PairSums]:
    return {pair: sums for (_, pair, _), sums in counted(*outcomes).sums().items()}


# ----------------------------------------------------------------------------- what is between two


def test_a_redemption_elsewhere_is_a_claim_and_a_fee() -> None:
    changes = counting.changes_of(outcome(1, redemption(BAKER, GROCER, 6_000, 60)))
    assert changes == {
        Pair(BAKER, GROCER): Change(claim_rial=6_000),
        Pair(GROCER, NETWORK): Change(fee_rial=60),
    }


def test_its_refund_is_the_mirror_image() -> None:
    changes = counting.changes_of(outcome(1, refund(BAKER, GROCER, 6_000, 60)))
    assert changes == {
        Pair(BAKER, GROCER): Change(claim_rial=-6_000),
        Pair(GROCER, NETWORK): Change(fee_rial=-60),
    }
    sums = pairs_of(outcome(1, refund(BAKER, GROCER, 6_000, 60)))
    assert (sums[Pair(BAKER, GROCER)].claims_rial, sums[Pair(BAKER, GROCER)].reversed_rial) == (
        0,
        6_000,
    )


def test_a_claim_on_the_network_and_a_fee_to_it_are_kept_apart() -> None:
    """The grocer owes the network 1,000 for points and 100 of fees: one payable, two accounts."""
    both = owes(GROCER, NETWORK, 1_000) + fee(GROCER, 100)
    assert counting.changes_of(outcome(1, both)) == {
        Pair(GROCER, NETWORK): Change(claim_rial=1_000, fee_rial=100)
    }


def test_a_payment_is_no_claim() -> None:
    settled = paid(GROCER, NETWORK, 1_100, fee_rial=100)
    assert counting.changes_of(payment(1, settled)) == {
        Pair(GROCER, NETWORK): Change(paid_rial=1_100)
    }
    back = paid(BAKER, GROCER, -10_000)
    assert counting.changes_of(payment(1, back)) == {Pair(BAKER, GROCER): Change(paid_rial=-10_000)}


def test_what_concerns_one_party_alone_is_counted_and_owed_by_nobody() -> None:
    own = (
        rial(GROCER, "own-discount", 0, -500),
        rial(GROCER, "discount-given", 0, 500),
        rial(BAKER, "points-cost", 0, -1_000),
        rial(BAKER, "cost-released", 0, 1_000),
    )
    spent = outcome(1, owes(BAKER, GROCER, 5_000) + own, acceptor=GROCER)
    assert counting.changes_of(spent) == {
        Pair(BAKER, GROCER): Change(claim_rial=5_000, released_rial=1_000),
        Pair(GROCER, GROCER): Change(own_discount_rial=500),
    }
    away = outcome(1, own[2:])
    assert counting.changes_of(away) == {Pair(BAKER, BAKER): Change(released_rial=1_000)}
    netted = positions.netted_of(pairs_of(spent), {})
    assert {one.party: one.position_rial for one in netted} == {BAKER: -5_000, GROCER: 5_000}


def test_most_outcomes_change_nothing_between_parties() -> None:
    wallet = (rial(GROCER, "wallet", 0, -9), rial(GROCER, "cash", 0, 9))
    budget = (rial(BAKER, "budget", 12, -9), rial(BAKER, "budget-spent", 12, 9))
    for entries in ((), points(BAKER, 60), wallet, budget):
        assert counting.changes_of(outcome(1, entries)) == {}


@pytest.mark.parametrize(
    "entries",
    [
        (rial(BAKER, "payable", GROCER, -100),),
        (rial(GROCER, "receivable", BAKER, 100),),
        (*owes(BAKER, GROCER, 100), rial(NETWORK, "fee", GROCER, 1)),
        (rial(BAKER, "payable", GROCER, -100), rial(GROCER, "receivable", BAKER, 99)),
    ],
)
def test_a_debt_without_its_twin_is_set_aside(entries: Entries) -> None:
    with pytest.raises(errors.Invalid):
        counted(outcome(1, entries))


# -------------------------------------------------------------------------------- into its window


def test_what_comes_after_the_marker_falls_into_the_next_window() -> None:
    sale = redemption(BAKER, GROCER, 6_000, 60)
    batch = counted(
        outcome(1, sale), marker(2, 1), outcome(3, sale), marker(4, 2), outcome(5, sale)
    )
    assert [(entry.window, entry.sequence) for entry in batch.entries] == [
        (1, 1), (1, 1), (2, 3), (2, 3), (3, 5), (3, 5),
    ]  # fmt: skip
    assert [(m.window, m.first, m.last, m.outcomes_count) for m in batch.markers] == [
        (1, 1, 2, 2),
        (2, 3, 4, 2),
    ]
    assert batch.progress[0] == Progress(0, window=3, first=5, sequence=5, outcomes_count=1)


def test_a_declined_marker_ends_nothing() -> None:
    batch = counted(marker(1, 2, declined=True), outcome(2, redemption(BAKER, GROCER, 100, 1)))
    assert batch.markers == []
    assert {entry.window for entry in batch.entries} == {1}


def test_a_shard_that_was_added_passes_through_the_windows_before() -> None:
    added = counted(outcome(1), marker(2, 1), marker(3, 2), marker(4, 3), at=Progress(0, window=3))
    (ended,) = added.markers
    assert (ended.window, ended.first, ended.last, ended.outcomes_count) == (3, 1, 4, 4)
    assert added.progress[0].window == 4


@pytest.mark.parametrize("name", ["w.2", "w.0", "w.-1", "w.1.1", "w.x", "w.²", "t.1.1.1", "w", ""])
def test_a_marker_of_another_window_is_set_aside(name: str) -> None:
    with pytest.raises(errors.Invalid):
        counted(outcome(1, name=name, command="close-window.v1"))


def test_a_sequence_that_cannot_follow_is_set_aside() -> None:
    with pytest.raises(errors.Invalid):
        counted(outcome(10**6), at=Progress(0, sequence=5))


def test_the_second_outcome_of_a_sequence_counts_once() -> None:
    """A reversal that came first has two outcomes of one number."""
    batch = counted(outcome(1), outcome(1, name="t.10.1.9", status=Status.DECLINED), outcome(2))
    assert (batch.progress[0].sequence, batch.progress[0].outcomes_count) == (2, 2)


@pytest.mark.SH14
@given(st.integers(0, 2**32), st.integers(0, 30), st.integers(0, 30))
def test_however_a_stream_is_cut_and_repeated_each_outcome_counts_once(
    seed: int, cut: int, back: int
) -> None:
    stream = _drawn(Random(seed))
    whole = counting.count(stream, {shard: Progress(shard) for shard in range(3)})
    progress = {shard: Progress(shard) for shard in range(3)}
    entries: list[counting.PairEntry] = []
    markers: list[counting.Marker] = []
    for batch in (stream[:cut], stream[: cut + 3], stream[max(0, cut - back) :], stream):
        part = counting.count(batch, progress)
        progress, entries, markers = (
            part.progress,
            entries + part.entries,
            markers + part.markers,
        )
    assert (entries, markers, progress) == (whole.entries, whole.markers, whole.progress)


def _drawn(random: Random) -> list[tuple[int, Outcome]]:
    """Outcomes on three shards: claims, refunds, payments, markers in their order."""
    sequences, opened = [0, 0, 0], [1, 1, 1]
    stream: list[tuple[int, Outcome]] = []
    for _ in range(30):
        shard = random.randrange(3)
        sequences[shard] += 1
        number, kind = sequences[shard], random.randrange(5)
        issuer, acceptor = random.sample((NETWORK, BAKER, GROCER, FLORIST), 2)
        rials = random.randrange(1, 10**9)
        if kind == 0:
            stream.append((shard, marker(number, opened[shard])))
            opened[shard] += 1
        elif kind == 1:
            stream.append((shard, payment(number, paid(issuer, acceptor, rials))))
        else:
            booked = redemption if kind < 4 else refund
            stream.append((shard, outcome(number, booked(issuer, acceptor, rials, rials // 100))))
    return stream


# -------------------------------------------------------------------------------------- positions


@pytest.mark.SH14
def test_a_refund_after_the_payout_is_a_debt_of_the_acceptor() -> None:
    """N18: window 1 is paid; the refund in window 2 makes the acceptor owe it back."""
    first = positions.netted_of(pairs_of(outcome(1, redemption(BAKER, GROCER, 10_000, 150))), {})
    assert {one.party: one.position_rial for one in first} == {
        NETWORK: 150,
        BAKER: -10_000,
        GROCER: 9_850,
    }
    unpaid = {one.party: one.closing_rial for one in first}
    second = positions.netted_of(
        pairs_of(
            payment(1, paid(BAKER, GROCER, 10_000)),
            payment(2, paid(GROCER, NETWORK, 150, fee_rial=150)),
            outcome(3, refund(BAKER, GROCER, 10_000, 150)),
        ),
        unpaid,
    )
    by_party = {one.party: one for one in second}
    grocer = by_party[GROCER]
    assert (grocer.claims_reversed_rial, grocer.fee_rial) == (10_000, -150)
    assert (grocer.position_rial, grocer.paid_rial, grocer.closing_rial) == (-9_850, 9_850, -9_850)
    assert by_party[NETWORK].fee_rial == 150
    assert by_party[BAKER].position_rial == 10_000
    assert sum(one.position_rial for one in second) == 0
    assert sum(one.closing_rial for one in second) == 0


def test_what_is_unpaid_is_carried_into_windows_without_a_transaction() -> None:
    carried = positions.netted_of({}, {BAKER: -500, GROCER: 500})
    assert [
        (one.party, one.opening_rial, one.position_rial, one.closing_rial) for one in carried
    ] == [
        (BAKER, -500, 0, -500),
        (GROCER, 500, 0, 500),
    ]


@pytest.mark.SH14
@given(st.integers(0, 2**32))
def test_positions_fees_payments_and_closings_each_sum_to_zero(seed: int) -> None:
    random = Random(seed)
    unpaid: dict[int, int] = {}
    balance: dict[int, int] = {}
    for window in (1, 2, 3):
        drawn = [one for _, one in _drawn(random) if one.command != windows.COMMAND]
        numbered = [outcome(n, one.entries, command=one.command) for n, one in enumerate(drawn, 1)]
        netted = positions.netted_of(pairs_of(*numbered), unpaid)
        assert positions.sums_beside_zero(netted) == {}
        for one in numbered:
            for pair, change in counting.changes_of(one).items():
                due = change.claim_rial + change.fee_rial - change.paid_rial
                balance[pair.debtor] = balance.get(pair.debtor, 0) - due
                balance[pair.creditor] = balance.get(pair.creditor, 0) + due
        unpaid = {one.party: one.closing_rial for one in netted if one.closing_rial}
        assert unpaid == {party: rials for party, rials in balance.items() if rials}, window


def test_positions_that_do_not_sum_to_zero_stop_the_writer() -> None:
    with pytest.raises(errors.Alarm, match="zero"):
        positions.positions_of([], {BAKER: 1})
    with pytest.raises(errors.Alarm, match="zero"):
        positions.positions_of([Position(party=BAKER, claims_rial=5)], {})
    lopsided = [Position(party=BAKER, fee_rial=5, dues_reversed_rial=5)]
    assert positions.sums_beside_zero(lopsided) == {"fee_rial": 5}


def test_the_sums_of_a_window_leave_out_what_one_party_owes_itself() -> None:
    pairs = {
        Pair(BAKER, GROCER): PairSums(entries_count=2, claims_rial=900, reversed_rial=100),
        Pair(GROCER, NETWORK): PairSums(entries_count=2, fee_rial=8),
        Pair(NETWORK, NETWORK): PairSums(entries_count=1, fee_rial=7),
    }
    sums = positions.window_sums(pairs, positions.netted_of(pairs, {}), 9)
    assert (sums.outcomes_count, sums.entries_count) == (9, 5)
    assert (sums.claims_rial, sums.reversed_rial, sums.fee_rial, sums.net_rial) == (
        900,
        100,
        8,
        800,
    )


# ----------------------------------------------------------------------------------------- the cut


@pytest.mark.parametrize(
    ("opened_at", "minute", "expected"),
    [
        ("2026-03-21T08:00:00+00:00", 0, "2026-03-21T20:30:00+00:00"),  # 24:00 in Tehran
        ("2026-03-21T20:29:59+00:00", 0, "2026-03-21T20:30:00+00:00"),
        ("2026-03-21T20:30:00+00:00", 0, "2026-03-22T20:30:00+00:00"),
        ("2026-03-21T08:00:00+00:00", 690, "2026-03-22T08:00:00+00:00"),  # 11:30
        ("2026-03-21T07:59:59+00:00", 690, "2026-03-21T08:00:00+00:00"),
    ],
)
def test_the_next_cut_is_a_time_of_tehrans_day(opened_at: str, minute: int, expected: str) -> None:
    cut = windows.next_cut(datetime.fromisoformat(opened_at), minute)
    assert cut.astimezone(UTC) == datetime.fromisoformat(expected)


def test_a_windows_marker_has_one_name_and_an_id_for_each_shard() -> None:
    first, again, other = (windows.command(7, shard, NOW) for shard in (0, 0, 1))
    assert first == again
    assert (first.data.name, other.data.name, first.data.window) == ("w.7", "w.7", 7)
    assert first.id != other.id


def _settings(cut: str) -> Settings:
    return Settings(
        room="merchants", kafka_bootstrap="k", http_port=1, actor_secret="s", window_cut=cut
    )


@pytest.mark.parametrize(
    ("text", "minute"), [("24:00", 0), ("00:00", 0), ("23:59", 1_439), ("05:07", 307), ("", None)]
)
def test_the_setting_is_a_time_of_day_or_empty(text: str, minute: int | None) -> None:
    assert _settings(text).cut_minute == minute


@pytest.mark.parametrize("text", ["24:01", "7:00", "12:60", "noon", "-1:00", "12:00 "])
def test_a_setting_that_is_no_time_of_day_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="PEYVAND_WINDOW_CUT"):
        _settings(text)

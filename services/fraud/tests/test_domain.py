"""Windows equal a brute-force reference; rules and built-in decisions by table."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fraud import ScreeningDecision
from contracts.pos import PosTransaction
from contracts.values import Channel, Kind, micros
from fraud.rules import domain as rules
from fraud.rules.domain import Counted, Measure, Window
from fraud.screening.domain import decisions, windows
from fraud.screening.domain import reasons as screening_reasons
from fraud.screening.domain.rulebook import Rulebook
from kit.base import errors

pytestmark = pytest.mark.SH15

NOW = datetime(2025, 6, 1, 9, 0, tzinfo=UTC)
AT = micros(NOW)
LIMITS = decisions.Limits()
KINDS = (Kind.PURCHASE, Kind.REDEMPTION, Kind.REFUND, Kind.REVERSAL)


def rule(**fields: object) -> rules.Rule:
    given_fields = {
        "rule": "card-burst",
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
        "over": "card_at_merchant",
        "counts": "sales",
        "measure": "count",
        "window": "10m",
        "threshold": 2,
        "on_purchase": "hold",
        "on_redemption": "decline",
        "fa": "{value} بیش از {threshold}",
        "en": "{value} above {threshold}",
    } | fields
    return msgspec.convert(given_fields, rules.Rule)


def attempt(
    sequence: int = 1,
    *,
    at: datetime = NOW,
    occurred_at: datetime | None = None,
    appended_at: datetime | None = None,
    **fields: object,
) -> decisions.Attempt:
    given_fields = {
        "name": f"t.1.1.{sequence}",
        "kind": Kind.PURCHASE,
        "channel": Channel.TILL,
        "merchant": 7,
        "party": 7,
        "branch": 1,
        "terminal": 1,
        "account": 1_000_001,
        "identifier_id": "card-1",
        "amount_rial": 1_000,
    } | fields
    transaction = PosTransaction(**given_fields)  # type: ignore[arg-type]
    return decisions.Attempt(3, transaction, occurred_at or at, at, appended_at or at)


def screen(
    one: decisions.Attempt, known: windows.Windows, *book: rules.Rule
) -> decisions.ScreeningResult:
    """With known as the windows of the card at the shop; the others start empty."""
    seen = decisions.Seen(windows.empty(), windows.empty(), known)
    return decisions.screen(one, seen, Rulebook(book, 1), LIMITS)


# ---------------------------------------------------------------------------------------- windows

EVENT = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 2 * windows.DAY),
    st.integers(0, 2**53 - 1),
    st.integers(1, 4),
)
EDGES = (
    windows.MICROS[Window.TEN_MINUTES],
    windows.MICROS[Window.HOUR],
    windows.DAY,
    windows.DAY + windows.LATENESS,
)
EDGY = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from([AT % windows.DAY + e + d for e in (0, *EDGES) for d in (-1, 0, 1)]),
    st.integers(0, 1_000),
    st.integers(1, 3),
)


def reference(
    seen: list[tuple[Kind, int, int, int]], counted: Counted, measure: Measure, span: int, at: int
) -> int:
    kinds = {
        Counted.SALES: {Kind.PURCHASE, Kind.REDEMPTION},
        Counted.PURCHASES: {Kind.PURCHASE},
        Counted.REDEMPTIONS: {Kind.REDEMPTION},
        Counted.UNDOS: {Kind.REFUND, Kind.REVERSAL},
    }[counted]
    inside = [e for e in seen if e[0] in kinds and at - span < e[1] <= at]
    match measure:
        case Measure.COUNT:
            return len(inside)
        case Measure.SUM_RIAL:
            return sum(e[2] for e in inside)
        case Measure.MERCHANTS:
            return len({e[3] for e in inside})


WHICH = {
    Kind.PURCHASE: windows.PURCHASES,
    Kind.REDEMPTION: windows.REDEMPTIONS,
    Kind.REFUND: windows.UNDOS,
    Kind.REVERSAL: windows.UNDOS,
}


@given(st.lists(st.one_of(EVENT, EDGY), max_size=40))
def test_windows_equal_a_brute_force_reference(stream: list[tuple[Kind, int, int, int]]) -> None:
    """Late events too, as far as the stated bound; packed after each, as between polls."""
    known = windows.empty()
    seen: list[tuple[Kind, int, int, int]] = []
    newest = -(2**62)
    for kind, at, amount, merchant in stream:
        windows.insert(known, WHICH[kind], at, amount, merchant)
        seen.append((kind, at, amount, merchant))
        if at >= newest - windows.LATENESS:
            for counted in Counted:
                for measure in Measure:
                    for window in Window:
                        value = windows.value_of(counted, measure, window)(known, at)
                        span = windows.MICROS[window]
                        assert value == reference(seen, counted, measure, span, at)
        newest = max(newest, at)
        windows.prune(known, WHICH[kind])
        packed = windows.pack(known)
        assert len(packed) == 24 + 24 * sum(len(series.ats) for series in known)
        known = windows.unpack(packed)
    assert [series.ats for series in windows.empty()] == [[], [], []]


@pytest.mark.parametrize("window", Window)
def test_a_window_is_open_behind_and_closed_ahead(window: Window) -> None:
    span = windows.MICROS[window]
    known = windows.empty()
    for at in (AT - span - 1, AT - span, AT - span + 1, AT, AT + 1):
        windows.insert(known, windows.PURCHASES, at, 1, 1)
    assert windows.value_of(Counted.SALES, Measure.COUNT, window)(known, AT) == 2
    assert windows.value_of(Counted.SALES, Measure.SUM_RIAL, window)(known, AT) == 2
    assert windows.value_of(Counted.SALES, Measure.MERCHANTS, window)(known, AT) == 1


def test_beyond_the_bound_the_oldest_are_forgotten() -> None:
    known = windows.empty()
    for place in range(windows.EVENTS_MAX + 5):
        windows.insert(known, windows.UNDOS, AT + place, 1, 1)
        windows.prune(known, windows.UNDOS)
    windows.prune(known, windows.PURCHASES)
    assert len(known[windows.UNDOS].ats) == windows.EVENTS_MAX
    assert known[windows.UNDOS].ats[0] == AT + 5


# ------------------------------------------------------------------------------------------ rules


def test_a_rule_fires_above_its_threshold_and_says_so_in_both_languages() -> None:
    known = windows.empty()
    made = [
        screen(attempt(n, at=NOW + timedelta(seconds=n)), known, rule(threshold=10, rule="many"))
        for n in range(1, 12)
    ]
    assert {d.decision for d in made[:10]} == {ScreeningDecision.ALLOW}
    assert [d.findings for d in made] == [(("many", 1, n),) for n in range(1, 12)]
    last = made[10]
    assert last.decision is ScreeningDecision.REVIEW
    assert (last.reasons[0].code, last.reasons[0].rule, last.reasons[0].version) == (
        "many",
        "many",
        1,
    )
    assert last.reasons[0].en == "11 above 10"
    assert last.reasons[0].fa == "۱۱ بیش از ۱۰"
    assert last.review_due_at == NOW + timedelta(seconds=11, hours=72)
    assert last.case_id == decisions.case_id(3, "t.1.1.11")


def test_a_hold_rule_on_a_redemption_does_what_its_data_says() -> None:
    for on_redemption, decision in (
        ("decline", ScreeningDecision.DECLINE),
        ("allow", ScreeningDecision.ALLOW),
    ):
        known = windows.empty()
        held = rule(threshold=0, on_redemption=on_redemption)
        one = screen(attempt(kind=Kind.REDEMPTION), known, held)
        assert one.decision is decision
        assert one.case_id == ""
        assert one.review_due_at is None
    with pytest.raises(errors.Invalid) as refused:
        rules.check(rule(on_redemption="hold"))
    assert refused.value.code == "redemption-never-held"
    with pytest.raises(errors.Invalid) as refused:
        rules.check(rule(threshold=windows.EVENTS_MAX))
    assert refused.value.code == "threshold-too-high"
    with pytest.raises(errors.Invalid) as refused:
        rules.check(rule(over="card"))
    assert refused.value.code == "card-counts-redemptions"
    rules.check(rule(threshold=10**12, measure="sum_rial"))


ACTIONS = ("allow", "hold", "decline")


@given(st.permutations([rule(rule=f"r-{a}", threshold=0, on_purchase=a) for a in ACTIONS]))
def test_the_most_severe_wins_in_any_order(book: list[rules.Rule]) -> None:
    rank = {"allow": 0, "hold": 1, "review": 1, "decline": 2}
    last = 0
    for size in range(1, 4):
        one = screen(attempt(), windows.empty(), *book[:size])
        assert one.decision is not None
        assert rank[one.decision.value] == max(rank[r.on_purchase.value] for r in book[:size])
        assert rank[one.decision.value] >= last
        last = rank[one.decision.value]
        assert len(one.reasons) == sum(r.on_purchase is not rules.Action.ALLOW for r in book[:size])


def test_severity_only_rises() -> None:
    for one, other in permutations(ScreeningDecision, 2):
        assert decisions.more_severe(one, other) is decisions.more_severe(other, one)
        assert decisions.more_severe(one, one) is one


def test_the_highest_version_whose_time_has_come_is_in_force() -> None:
    first = rule(threshold=1)
    second = rule(version=2, threshold=5, effective_from=NOW)
    retired = rule(version=3, enabled=False, effective_from=NOW + timedelta(hours=1))
    book = Rulebook([retired, second, first], 1)
    before, at, after = (
        book.in_force(AT - 1),
        book.in_force(AT),
        book.in_force(AT + windows.MICROS[Window.HOUR]),
    )
    assert [live.rule.version for live in (*before, *at)] == [1, 2]
    assert after == ()
    assert Rulebook([], 0).in_force(AT) == ()
    assert book.in_force(micros(datetime(2019, 1, 1, tzinfo=UTC))) == ()


# -------------------------------------------------------------------------------------- decisions


def test_refunds_and_reversals_are_counted_and_always_let_through() -> None:
    strict = rule(threshold=0, on_purchase="decline", counts="undos")
    known = windows.empty()
    for n, kind in enumerate((Kind.REFUND, Kind.REVERSAL)):
        one = screen(attempt(n, kind=kind, identifier_blocked=True), known, strict)
        assert (one.decision, one.reasons, one.findings) == (ScreeningDecision.ALLOW, (), ())
    later = screen(attempt(3), known, strict)
    assert later.decision is ScreeningDecision.DECLINE
    assert later.findings == (("card-burst", 1, 2),)


def test_what_is_declined_without_a_rule_is_not_counted() -> None:
    known = windows.empty()
    old = attempt(1, occurred_at=NOW - timedelta(hours=72, microseconds=1))
    one = screen(old, known, rule())
    assert (one.decision, [r.code for r in one.reasons]) == (
        ScreeningDecision.DECLINE,
        [screening_reasons.TOO_OLD],
    )
    assert "72" in one.reasons[0].en
    assert "۷۲" in one.reasons[0].fa
    both = screen(
        attempt(2, occurred_at=NOW - timedelta(days=9), identifier_blocked=True), known, rule()
    )
    assert [r.code for r in both.reasons] == [screening_reasons.BLOCKED, screening_reasons.TOO_OLD]
    assert not one.counted
    assert known == windows.empty()
    edge = screen(attempt(3, occurred_at=NOW - timedelta(hours=72)), known, rule())
    assert edge.decision is ScreeningDecision.ALLOW


def test_a_former_holder_is_spent_nothing_of() -> None:
    """F11: who has a number now is not whose account the till's time leads to."""
    known = windows.empty()
    one = screen(attempt(1, kind=Kind.REDEMPTION, account=0, identifier_moved=True), known, rule())
    codes = [reason.code for reason in one.reasons]
    assert (one.decision, codes) == (ScreeningDecision.DECLINE, ["identifier-moved"])
    assert (one.counted, known) == (False, windows.empty())


def test_a_stamp_ahead_of_the_broker_is_refused_unless_clock_or_channel_says_so() -> None:
    ahead = attempt(appended_at=NOW - timedelta(seconds=10, microseconds=1))
    one = screen(ahead, windows.empty())
    assert one.decision is None
    assert one.reasons[0].code == screening_reasons.CLOCK_AHEAD
    assert screen(attempt(appended_at=NOW - timedelta(seconds=10)), windows.empty()).decision
    sandbox = decisions.Limits(clock_ahead_max=None)
    nobody = decisions.Seen(None, None, None)
    assert decisions.screen(ahead, nobody, Rulebook((), 0), sandbox).decision
    past = attempt(appended_at=NOW - timedelta(days=1), channel=Channel.HISTORY)
    assert screen(past, windows.empty()).decision is ScreeningDecision.ALLOW


def test_history_is_scored_on_its_own_time_in_windows_of_its_own() -> None:
    year_ago = NOW - timedelta(days=365)
    quiet, loud = rule(threshold=0), rule(rule="loud", threshold=0, on_history=True)
    known = windows.empty()
    past = attempt(occurred_at=year_ago, channel=Channel.HISTORY)
    assert decisions.keys_of(3, past.transaction) == ((3, "ha.1000001"), None, (3, "hm.7.card-1"))
    spend = attempt(kind=Kind.REDEMPTION).transaction
    assert decisions.keys_of(3, spend) == ((3, "a.1000001"), (3, "c.card-1"), (3, "m.7.card-1"))
    for kind in (Kind.PURCHASE, Kind.REFUND):  # two rows of windows, as dear as they ever were
        assert decisions.keys_of(3, attempt(kind=kind).transaction)[1] is None
    one = screen(past, known, quiet)
    assert one.decision is ScreeningDecision.ALLOW
    assert one.findings == (("card-burst", 1, 1),)
    assert known[windows.PURCHASES].ats == [micros(year_ago)]
    assert screen(past, windows.empty(), quiet, loud).decision is ScreeningDecision.REVIEW


def test_without_a_card_or_an_account_its_rules_do_not_fire() -> None:
    book = Rulebook([rule(threshold=0), rule(rule="by-account", over="account")], 1)
    nobody = attempt(account=0, identifier_id="")
    assert decisions.keys_of(3, nobody.transaction) == (None, None, None)
    one = decisions.screen(nobody, decisions.Seen(None, None, None), book, LIMITS)
    assert (one.decision, one.findings) == (ScreeningDecision.ALLOW, ())


def test_an_inquiry_hears_of_a_block_and_leaves_nothing() -> None:
    free = decisions.screen_inquiry(attempt(kind=Kind.INQUIRY))
    blocked = decisions.screen_inquiry(attempt(kind=Kind.INQUIRY, identifier_blocked=True))
    assert (free.decision, free.reasons) == (ScreeningDecision.ALLOW, ())
    assert (blocked.decision, blocked.reasons[0].code) == (
        ScreeningDecision.DECLINE,
        screening_reasons.BLOCKED,
    )


def test_an_unreadable_record_has_a_reason_that_can_be_stored() -> None:
    reason = screening_reasons.unreadable("bad \x00 byte" + "x" * 500)
    assert "\x00" not in reason.en
    assert len(reason.en) < 400
    assert decisions.refusal(1, "u.ab", reason).decision is None
    assert decisions.replay_passthrough(1, "t.1.1.1").decision is ScreeningDecision.ALLOW

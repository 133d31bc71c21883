"""Bounds of the business: counters nobody fills for another, sums, what expires (S6, S8, S15)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fraud import NameSeen, ScreeningDecision
from contracts.members import IdentifierKind
from contracts.merchants import Terms
from contracts.pos import PosTransaction
from contracts.values import AMOUNT_MAX, Channel, Kind
from fraud.rules import domain as rules
from fraud.rules.domain import Counted, Measure, Subject, Window
from fraud.screening.domain import decisions, windows
from fraud.screening.domain import reasons as screening_reasons
from fraud.screening.domain.rulebook import Rulebook
from fraud.sums import domain as sums
from fraud.sums.domain import Daily
from kit.base import errors

pytestmark = pytest.mark.SH15

NOW = datetime(2025, 6, 1, 9, 0, tzinfo=UTC)
LIMITS = decisions.Limits()
TERMS = Terms(
    version=3, effective_from=NOW, price_rial=10_000, price_points=100, fee_bp=0, grace_days=30
)


def rule(**fields: Any) -> rules.Rule:
    given_fields = {
        "rule": "burst",
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
        "over": Subject.CARD_AT_MERCHANT,
        "counts": Counted.SALES,
        "measure": Measure.COUNT,
        "window": Window.TEN_MINUTES,
        "threshold": 10,
        "on_purchase": ScreeningDecision.DECLINE,
        "on_redemption": ScreeningDecision.DECLINE,
        "fa": "{shown}: {value} بیش از {threshold}",
        "en": "{shown}: {value} above {threshold}",
    } | fields
    return rules.Rule(**given_fields)


class Shops:
    """Windows of all keys, as a shard keeps them."""

    def __init__(self, *book: rules.Rule, **known: Any) -> None:
        self.book = Rulebook(book, 1, **known)
        self.known: dict[decisions.Key, windows.Windows] = {}
        self.count = 0

    def screen(
        self, merchant: int, *, after_s: float = 0, **fields: Any
    ) -> decisions.ScreeningResult:
        self.count += 1
        at = NOW + timedelta(seconds=after_s)
        about = PosTransaction(**{
            "name": f"t.1.1.{self.count}",
            "kind": Kind.PURCHASE,
            "channel": Channel.TILL,
            "merchant": merchant,
            "party": merchant,
            "branch": 1,
            "terminal": merchant * 10,
            "account": 1_000_001,
            "identifier_id": "id-1",
            "identifier_kind": IdentifierKind.MOBILE,
            "terms_version": TERMS.version,
            "amount_rial": 500_000,
        } | fields)  # fmt: skip
        keys = decisions.keys_of(3, about)
        found = [None if k is None else self.known.setdefault(k, windows.empty()) for k in keys]
        made = decisions.Attempt(3, about, at, at, at)
        return decisions.screen(made, decisions.Seen(*found), self.book, LIMITS)


A, B = 1, 2


def test_a_burst_at_one_shop_is_declined_there_and_leaves_the_member_alone_elsewhere() -> None:
    """S8's story: twelve purchases of 1 Rial at B by the victim's mobile, then his own at A."""
    street = Shops(rule(), rule(rule="wide", over=Subject.ACCOUNT, threshold=10))
    at_b = [street.screen(B, after_s=n, amount_rial=1) for n in range(12)]
    assert [d.decision for d in at_b] == [ScreeningDecision.ALLOW] * 10 + [
        ScreeningDecision.DECLINE
    ] * 2
    assert [r.code for r in at_b[10].reasons] == ["burst", "wide"]
    street = Shops(rule())
    for n in range(12):
        street.screen(B, after_s=n, amount_rial=1)
    assert street.screen(A, after_s=13).decision is ScreeningDecision.ALLOW
    assert (
        street.screen(B, after_s=14).decision is ScreeningDecision.DECLINE
    )  # it stays so while it lasts


def test_what_was_declined_counts_nowhere_but_where_it_was_tried() -> None:
    wide = rule(rule="wide", over=Subject.ACCOUNT, threshold=11)
    street = Shops(rule(), wide)
    for n in range(60):
        street.screen(B, after_s=n, amount_rial=1)
    own = street.screen(A, after_s=61)
    assert own.decision is ScreeningDecision.ALLOW
    assert dict((name, value) for name, _, value in own.findings) == {"burst": 1, "wide": 11}


EVENTS = st.lists(
    st.tuples(st.sampled_from([A, B]), st.integers(0, 1_000), st.sampled_from([5, 300])),
    max_size=60,
)


@given(EVENTS)
def test_the_networks_windows_hold_what_was_allowed_and_a_shops_hold_all(
    events: list[tuple[int, int, int]],
) -> None:
    """Against lists, late events too; and no attempt at B ever moves a count of A."""
    review = rule(
        rule="sum", over=Subject.ACCOUNT, measure=Measure.SUM_RIAL, threshold=1_000,
        on_purchase=rules.Action.REVIEW,
    )  # fmt: skip
    street, tried, allowed = Shops(rule(threshold=4), review), [], []
    for merchant, after_s, amount in events:
        decision = street.screen(merchant, after_s=after_s, amount_rial=amount)
        tried.append((merchant, after_s))
        here = sum(1 for m, t in tried if m == merchant and after_s - 600 < t <= after_s)
        past = sum(a for t, a in allowed if after_s - 600 < t <= after_s)
        values = {name: value for name, _, value in decision.findings}
        assert values == {"burst": here, "sum": past + amount}
        if decision.decision is ScreeningDecision.ALLOW:
            allowed.append((after_s, amount))
    for (_, key), kept in street.known.items():
        events_of = allowed if key.startswith(("a.", "c.")) else tried
        if not key.startswith("m."):
            assert sum(len(series.ats) for series in kept) == len(events_of)


# --------------------------------------------------------------------------------- spending (S6)


def test_a_redemption_counts_what_it_spends_at_the_price_in_force() -> None:
    book = Rulebook((), 1, [TERMS])
    spend = PosTransaction(
        name="t.1.1.1", kind=Kind.REDEMPTION, channel=Channel.TILL, merchant=A, party=A, branch=1,
        terminal=1, terms_version=3, amount_rial=10**12, points=1_900_000, credit_rial=5,
    )  # fmt: skip
    assert book.redeemed_rial(spend) == 190_000_005
    assert Rulebook((), 1).redeemed_rial(spend) == 10**12  # no terms: at most the basket


def test_a_mobile_number_alone_spends_up_to_a_sum_a_day_and_a_card_more() -> None:
    by_mobile = rule(
        rule="mobile", over=Subject.CARD, counts=Counted.REDEMPTIONS, measure=Measure.SUM_RIAL,
        window=Window.DAY, threshold=2_000_000, identifiers=(IdentifierKind.MOBILE,),
    )  # fmt: skip
    street = Shops(by_mobile, terms=[TERMS])
    spend = {"kind": Kind.REDEMPTION, "amount_rial": 10**9}
    assert street.screen(B, points=10_000, **spend).decision is ScreeningDecision.ALLOW
    no = street.screen(B, points=10_001, **spend)
    assert (no.decision, no.reasons[0].en) == (
        ScreeningDecision.DECLINE,
        "This mobile number: 2,000,100 above 2,000,000",
    )
    assert (
        street.screen(B, points=10_000, **spend).decision is ScreeningDecision.ALLOW
    )  # just at the sum
    card = {"identifier_id": "id-2", "identifier_kind": IdentifierKind.CARD}
    assert street.screen(B, points=50_000, **spend, **card).decision is ScreeningDecision.ALLOW


@pytest.mark.parametrize(
    ("shown", "fa"),
    [
        (IdentifierKind.CARD, "این کارت: ۱ بیش از ۰"),
        (IdentifierKind.MOBILE, "این شمارهٔ موبایل: ۱ بیش از ۰"),
        (IdentifierKind.QR, "این کد QR: ۱ بیش از ۰"),
        (None, "این شناسه: ۱ بیش از ۰"),
    ],
)
def test_a_reason_names_what_was_shown(shown: IdentifierKind | None, fa: str) -> None:
    one = Shops(rule(threshold=0)).screen(A, identifier_kind=shown)
    assert one.reasons[0].fa == fa


# ------------------------------------------------------------------------------------ days (S15)


def seen(sold: int, *, terminal: int = 10, merchant: int = 1, redeemed: int = 0) -> NameSeen:
    return NameSeen(
        name="t.1.1.1", terminal=terminal, merchant=merchant, shard=1, account=1,
        fingerprint="", seen_at=NOW, sold_rial=sold, redeemed_rial=redeemed,
    )  # fmt: skip


DAY = date(2025, 6, 1)


def test_days_add_up_by_terminal_and_merchant_in_the_day_of_tehran() -> None:
    late = NameSeen(
        name="t.1.1.2", terminal=10, merchant=1, shard=2, account=1, fingerprint="",
        seen_at=datetime(2025, 6, 1, 20, 30, tzinfo=UTC), sold_rial=7,
    )  # fmt: skip
    found = sums.added([seen(5), seen(6, terminal=11, redeemed=2), seen(0), late])
    assert found == {
        (Subject.MERCHANT, 1, DAY): Daily(sold_rial=11, redeemed_rial=2),
        (Subject.MERCHANT, 1, date(2025, 6, 2)): Daily(sold_rial=7),
        (Subject.TERMINAL, 10, DAY): Daily(sold_rial=5),
        (Subject.TERMINAL, 10, date(2025, 6, 2)): Daily(sold_rial=7),
        (Subject.TERMINAL, 11, DAY): Daily(sold_rial=6, redeemed_rial=2),
    }


def test_the_road_is_told_when_a_day_goes_above_a_threshold_and_only_then() -> None:
    asked = [sums.Threshold(Subject.TERMINAL, Counted.PURCHASES, 10)]
    steps = [(0, 10, False), (10, 11, True), (11, 12, False), (9, 99, True)]
    for before, after, told in steps:
        args = (Daily(sold_rial=before), Daily(sold_rial=after))
        assert sums.crossed(*args, Subject.TERMINAL, asked) is told
        assert not sums.crossed(*args, Subject.MERCHANT, asked)


def test_beyond_a_days_sum_purchases_are_held_and_redemptions_declined() -> None:
    sold = rule(
        rule="till-day", over=Subject.TERMINAL, counts=Counted.PURCHASES, window=Window.DAY,
        measure=Measure.SUM_RIAL, threshold=100, on_purchase=rules.Action.REVIEW,
        on_redemption=rules.Action.ALLOW,
    )  # fmt: skip
    spent = rule(
        rule="shop-day", over=Subject.MERCHANT, counts=Counted.REDEMPTIONS, window=Window.DAY,
        measure=Measure.SUM_RIAL, threshold=50, on_purchase=rules.Action.ALLOW,
    )  # fmt: skip
    large = {
        (Subject.TERMINAL, 10, DAY): Daily(sold_rial=101),
        (Subject.MERCHANT, 1, DAY): Daily(redeemed_rial=51),
    }
    street = Shops(sold, spent, sums=large)
    assert street.screen(A).decision is ScreeningDecision.REVIEW
    assert street.screen(A, kind=Kind.REDEMPTION, points=1).decision is ScreeningDecision.DECLINE
    assert street.screen(B).decision is ScreeningDecision.ALLOW
    assert street.screen(A, after_s=86_400).decision is ScreeningDecision.ALLOW  # another day
    assert street.screen(A, channel=Channel.HISTORY).decision is ScreeningDecision.ALLOW


def test_a_rule_over_a_day_asks_only_what_is_summed() -> None:
    good = {
        "over": Subject.MERCHANT, "counts": Counted.PURCHASES, "measure": Measure.SUM_RIAL,
        "window": Window.DAY, "threshold": AMOUNT_MAX,
    }  # fmt: skip
    rules.check(rule(**good))
    for wrong in (
        {"counts": Counted.UNDOS},
        {"measure": Measure.COUNT, "threshold": 5},
        {"window": Window.HOUR},
    ):
        with pytest.raises(errors.Invalid) as refused:
            rules.check(rule(**good | wrong))
        assert refused.value.code == "not-summed-by-day"


# -------------------------------------------------------------------------- what expires, and dates


def test_an_unreviewed_earning_above_a_sum_does_not_become_available_at_its_due_time() -> None:
    review = rule(threshold=0, on_purchase=rules.Action.REVIEW, lapse_max_rial=1_000)
    due = NOW + LIMITS.review
    small = Shops(review).screen(A, amount_rial=1_000)
    assert (small.auto_release, small.case_due_at, small.review_due_at) == (True, due, due)
    large = Shops(review).screen(A, amount_rial=1_001)
    assert (large.auto_release, large.case_due_at) == (False, due)
    assert large.review_due_at == due + LIMITS.cancel_within
    both = Shops(
        review,
        rule(rule="other", threshold=0, on_purchase=rules.Action.REVIEW, lapse_max_rial=1),
    )
    assert not both.screen(A, amount_rial=2).auto_release
    assert (
        not Shops(rule(threshold=0, on_purchase=rules.Action.REVIEW))
        .screen(A, amount_rial=rules.LAPSE_MAX_RIAL + 1)
        .auto_release
    )


def test_a_refund_is_dated_like_a_sale_and_a_reversal_may_be_dated_back() -> None:
    for years, kind, decision in (
        (0.0082, Kind.REFUND, ScreeningDecision.ALLOW),  # 71.8 hours
        (0.0083, Kind.REFUND, ScreeningDecision.DECLINE),
        (2_000, Kind.REFUND, ScreeningDecision.DECLINE),
        (2_000, Kind.REVERSAL, ScreeningDecision.ALLOW),
    ):
        about = PosTransaction(
            name="t.1.1.1", kind=kind, channel=Channel.TILL, merchant=A, party=A, branch=1,
            terminal=1, original="t.1.1.0", identifier_blocked=True,
        )  # fmt: skip
        at = NOW - timedelta(days=365 * years)
        made = decisions.Attempt(3, about, at, NOW, NOW)
        nobody = decisions.Seen(None, None, None)
        one = decisions.screen(made, nobody, Rulebook((), 1), LIMITS)
        assert one.decision is decision
        assert [r.code for r in one.reasons] == (
            [screening_reasons.TOO_OLD] if decision is ScreeningDecision.DECLINE else []
        )

"""The platform's own rules on a real database: stories of S6, S8 and S15."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from contracts.fraud import ScreeningDecision, TerminalsSeen
from contracts.members import IdentifierKind
from contracts.merchants import Terms
from contracts.values import Kind
from fraud.rules import store as rules_store
from fraud.rules.domain import Counted, Measure, Subject, Window
from fraud.screening import store, usecases
from fraud.screening.usecases import ScreeningState
from fraud.sums import usecases as sums
from fraud.terms import usecases as terms
from kit.base import db
from kit.stream.consumer import Event

pytestmark = pytest.mark.SH15

Sale = Callable[..., Event]
Screened = Callable[[db.Tx], list[Any]]
MOBILE = {"identifier_id": "mobile-1", "identifier_kind": IdentifierKind.MOBILE}
A, B = 11, 12


async def keep_terms(tx: db.Tx, now: datetime) -> None:
    await terms.keep_terms(
        tx,
        [Terms(version=1, effective_from=now, price_rial=100, price_points=1, fee_bp=0)],
    )


async def test_a_till_cannot_shut_a_member_out_elsewhere(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    """Twelve purchases of 1 Rial at B by the victim's mobile, one a poll; then his own at A."""
    for n in range(1, 13):
        one = sale(n, after_s=n, merchant=B, amount_rial=1, **MOBILE)
        await usecases.screen_transactions(tx, state, [one])
    at_b = [one.data for one in screened(tx)]
    assert [s.decision for s in at_b] == [ScreeningDecision.ALLOW] * 10 + [
        ScreeningDecision.DECLINE
    ] * 2
    assert at_b[-1].reasons[0].fa.startswith("این شمارهٔ موبایل در ده دقیقه ۱۲ بار")
    own = sale(50, after_s=20, merchant=A, amount_rial=500_000, **MOBILE)
    await usecases.screen_transactions(tx, state, [own])
    assert screened(tx)[0].data.decision is ScreeningDecision.ALLOW


async def test_a_day_of_one_request_a_minute_turns_no_earning_elsewhere_into_a_held_one(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    poll = [sale(n, after_s=60 * n, merchant=B, amount_rial=1, **MOBILE) for n in range(1, 300)]
    await usecases.screen_transactions(tx, state, poll)
    screened(tx)
    own = sale(900, after_s=60 * 299 + 1, merchant=A, amount_rial=500_000, **MOBILE)
    await usecases.screen_transactions(tx, state, [own])
    assert screened(tx)[0].data.decision is ScreeningDecision.ALLOW


async def test_no_shop_alone_fills_what_the_whole_network_feels(tx: db.Tx) -> None:
    """A member's card and mobile at one shop together stay below each rule over all shops."""
    book = await rules_store.find_rules(tx)
    newest = {rule.rule: rule for rule in book if rule.enabled}.values()
    at_shop = {
        (r.counts, r.measure, r.window): r.threshold
        for r in newest
        if r.over is Subject.CARD_AT_MERCHANT
    }
    wide = [r for r in newest if r.over is Subject.ACCOUNT and r.measure is not Measure.MERCHANTS]
    for rule in wide:
        mine = at_shop.get((rule.counts, rule.measure, rule.window))
        if rule.rule == "account-day-redeemed":  # a card is shown; a mobile alone spends less
            (mobile,) = [r for r in newest if r.identifiers == (IdentifierKind.MOBILE,)]
            mine = mobile.threshold
        assert mine is not None, rule.rule
        assert 2 * mine < rule.threshold, rule.rule
    assert {r.rule for r in wide} >= {"account-burst", "account-day-sum"}
    assert (Counted.SALES, Measure.COUNT, Window.HOUR) in at_shop


async def test_a_stolen_mobile_number_spends_little_and_the_reason_says_what_to_show(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened, now: datetime
) -> None:
    """S6: 1,900,000 points by a mobile number on a basket of 10^12 Rial."""
    await keep_terms(tx, now)
    spend = {"kind": Kind.REDEMPTION, "terms_version": 1, "amount_rial": 10**12}
    all_of_it = sale(1, points=1_900_000, **spend, **MOBILE)
    little = sale(2, points=20_000, **spend, **MOBILE)
    by_card = sale(3, points=900_000, **spend)
    await usecases.screen_transactions(tx, state, [all_of_it, little, by_card])
    no, yes, card = [one.data for one in screened(tx)]
    assert [r.code for r in no.reasons] == ["account-day-redeemed", "mobile-day-redeemed"]
    assert "کارت یا کد QR عضو را نشان دهید" in no.reasons[1].fa
    assert (yes.decision, card.decision) == (ScreeningDecision.ALLOW, ScreeningDecision.ALLOW)


async def test_a_terminals_day_beyond_its_sum_is_held_as_soon_as_the_stream_was_read(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    """The names_seen of other shards count; what was declined does not; twice adds nothing new."""
    for shard in range(3):
        large = {"shard": shard, "amount_rial": 8_000_000_000}
        poll = [sale(shard * 10 + n, account=100 + shard, **large) for n in (1, 2)]
        await usecases.screen_transactions(tx, state, poll)
    heard = [
        msgspec.convert(msgspec.json.decode(m.value)["data"], TerminalsSeen)
        for m in tx.take_messages()
        if m.topic == "fraud.terminals" and m.value is not None
    ]
    seen = [one for batch in heard for one in batch.names]
    assert sum(one.sold_rial for one in seen) == 48_000_000_000
    before = (await store.find_decisions(tx, []))[0]
    await sums.add_names_seen(tx, seen)
    assert (await store.find_decisions(tx, []))[0] == before + 1
    await usecases.screen_transactions(tx, state, [sale(99, shard=7, account=9, amount_rial=1)])
    (said,) = screened(tx)
    assert (said.data.decision, [r.code for r in said.data.reasons]) == (
        ScreeningDecision.REVIEW,
        ["terminal-day-sales"],
    )
    assert "48,000,000,000" in said.data.reasons[0].en


async def test_a_held_basket_beyond_all_measure_waits_for_a_verdict_and_not_for_time(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened, now: datetime
) -> None:
    """S15: 2^53 - 1 Rial. Repeats say the same."""
    huge = sale(1, amount_rial=2**53 - 1)
    for _ in range(2):
        await usecases.screen_transactions(tx, state, [huge])
        (said,) = screened(tx)
        assert said.data.decision is ScreeningDecision.REVIEW
        assert (said.data.review_due_at - now).days == 3 + 366
    (case,) = await tx.fetch("select auto_release, due_at from cases")
    assert (case["auto_release"], case["due_at"]) == (False, now + timedelta(hours=72))

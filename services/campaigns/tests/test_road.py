"""The road through PostgreSQL: one poll of fraud.screened and the commands it becomes."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from campaigns.awards import consumer
from campaigns.awards import usecases as awards
from campaigns.programmes import usecases as programmes
from campaigns.rules import usecases as rules
from contracts.envelope import encode
from contracts.fraud import RefusedTransaction, ScreeningDecision
from contracts.ledger import Inquire, PostTransaction, RefuseTransaction
from contracts.pos import RefundLine
from contracts.values import Channel, Kind, Reason

BLOCKED = Reason(code="card-blocked", fa="کارت مسدود است.", en="The card is blocked.")
BLOCKED_CARD: Any = {"decision": ScreeningDecision.DECLINE, "reasons": (BLOCKED,)}


async def decisions(tx: Any) -> int:
    return await tx.fetchval("select count(*) from decisions")


async def test_a_purchase_becomes_awards_with_cost_and_dates(grant: Any, make: Any) -> None:
    (said,) = await grant(make.event(make.screened(), correlation="c1"))
    command = said.data
    assert isinstance(command, PostTransaction)
    assert [(a.line, a.amount, a.cost_rial, a.issuer, a.funder) for a in command.awards] == [
        (1, 70, 35_000, 50, 50),
        (2, 30, 15_000, 50, 50),
    ]
    assert {(a.rule, a.rule_version) for a in command.awards} == {("base", 1)}
    assert command.unearned == ()
    assert (said.type, said.key, said.fingerprint) == ("post-transaction.v1", "1000003", "f1")
    assert (said.occurred_at, said.accepted_at) == (make.now, make.now)
    expires_at = command.awards[0].expires_at
    assert expires_at == make.now.replace(year=2027, hour=20, minute=30)


async def test_a_command_leaves_on_its_shard_with_the_reply_address(
    grant: Any, make: Any, tx: Any, stocked: Any
) -> None:
    del grant
    event = make.event(make.screened(kind=Kind.INQUIRY), correlation="c1")
    event = msgspec.structs.replace(event, headers=dict(event.headers) | {"deadline": b"9"})
    await awards.grant_awards(tx, [event], stocked)
    (message,) = tx.take_messages()
    assert (message.topic, message.partition) == ("ledger.commands", make.shard)
    headers = dict(message.headers)
    assert headers == {
        "reply-topic": b"gateway.replies", "correlation-id": b"c1", "deadline": b"9",
    }  # fmt: skip


async def test_a_second_delivery_and_a_retry_get_the_first_output_again(
    grant: Any, make: Any, tx: Any
) -> None:
    (first,) = await grant(make.event(make.screened()))
    (again,) = await grant(make.event(make.screened()))
    assert encode(again) == encode(first)
    # a retry: later, another basket even; only fingerprint and headers are its own
    other = make.screened(lines=make.lines(9_000_000), **BLOCKED_CARD)
    late = make.now + timedelta(minutes=5)
    (retry,) = await grant(make.event(other, offset=9, fingerprint="f2", accepted_at=late))
    assert retry.data == first.data
    assert (retry.fingerprint, retry.accepted_at) == ("f2", first.accepted_at)
    assert retry.id != first.id
    assert await decisions(tx) == 1


async def test_the_same_name_twice_in_one_batch_is_decided_once(
    grant: Any, make: Any, tx: Any
) -> None:
    batch = [
        make.event(make.screened()),
        make.event(make.screened(name="t.10000017.1.43"), offset=1),
        make.event(make.screened(amount_rial=5, lines=()), offset=2, fingerprint="f2"),
    ]
    one, two, three = await grant(*batch)
    assert (one.data, "f2") == (three.data, three.fingerprint)
    assert two.data.name == "t.10000017.1.43"
    assert await decisions(tx) == 2
    assert [encode(e) for e in await grant(*batch)] == [encode(e) for e in (one, two, three)]


async def test_one_name_on_two_shards_is_two_names(grant: Any, make: Any, tx: Any) -> None:
    event = make.event(make.screened())
    await grant(event, msgspec.structs.replace(event, partition=4))
    assert await decisions(tx) == 2


async def test_a_review_and_a_decline_travel_on(grant: Any, make: Any) -> None:
    due = make.now + timedelta(hours=72)
    held = make.screened(decision=ScreeningDecision.REVIEW, case_id="c-9", review_due_at=due)
    declined = make.screened(name="t.1.1.2", **BLOCKED_CARD)
    hold, decline = await grant(make.event(held), make.event(declined, offset=1))
    assert (hold.data.case_id, hold.data.review_due_at) == ("c-9", due)
    assert sum(a.amount for a in hold.data.awards) == 100
    assert (decline.data.decline, decline.data.awards) == ((BLOCKED,), ())


async def test_no_programme_and_no_terms_earn_nothing_and_redeem_nothing(
    grant: Any, make: Any
) -> None:
    events = [
        make.event(make.screened(name=f"t.1.1.{i}", **changes), offset=i)
        for i, changes in enumerate(
            [
                {"programme_version": 0},
                {"terms_version": 0},
                {"programme_version": 0, "kind": Kind.REDEMPTION, "points": 10},
                {"terms_version": 0, "kind": Kind.REDEMPTION, "points": 10},
            ]
        )
    ]
    said = [e.data for e in await grant(*events)]
    assert [[u.reason.code for u in c.unearned] for c in said[:2]] == [
        ["no-programme"],
        ["no-terms"],
    ]
    assert [[r.code for r in c.decline] for c in said[2:]] == [["no-programme"], ["no-terms"]]
    assert not any(c.awards or c.redemption for c in said)


async def test_a_redemption_carries_every_number_and_earns_on_what_is_paid_in_money(
    grant: Any, make: Any
) -> None:
    """350,000 of 1,000,000 Rial are paid with points and credit; F16's own numbers after that."""
    asked = make.screened(kind=Kind.REDEMPTION, points=500, credit_rial=100_000)
    few = make.screened(name="t.1.1.2", kind=Kind.REDEMPTION, points=20)
    said, other = await grant(make.event(asked), make.event(few, offset=1))
    found = said.data.redemption
    assert (found.points, found.points_value_rial, found.credit_rial) == (500, 250_000, 100_000)
    assert (found.fee_bp, found.own_discount_rial, found.terms_version) == (150, 0, 1)
    assert [(a.line, a.amount) for a in said.data.awards] == [(1, 46), (2, 19)]
    assert sum(line.amount_rial for line in said.data.lines) == said.data.amount_rial == 1_000_000
    assert other.data.redemption.points_value_rial == 10_000
    assert sum(award.amount for award in other.data.awards) == 99  # on 990,000


async def test_a_programme_may_let_sales_partly_paid_with_points_earn_nothing(
    grant: Any, make: Any, tx: Any
) -> None:
    two = make.programme(version=2, earns_on_paid_part=False)
    await programmes.keep_programmes(tx, [two])
    asked = make.screened(kind=Kind.REDEMPTION, points=500, programme_version=2)
    (said,) = await grant(make.event(asked))
    assert (said.data.awards, said.data.redemption.points) == ((), 500)
    assert [u.reason.code for u in said.data.unearned] == ["paid-part-does-not-earn"]


async def test_a_basket_beyond_the_programmes_largest_is_a_stored_no(
    grant: Any, make: Any, stocked: Any
) -> None:
    """S15: 2^53 - 1 Rial from any till; 10^10, where a programme declares no other, is taken."""
    huge = {"amount_rial": 2**53 - 1, "lines": ()}
    kinds = (Kind.PURCHASE, Kind.REDEMPTION, Kind.INQUIRY)
    events = [
        make.event(make.screened(name=f"t.1.1.{n}", kind=kind, points=5, **huge), offset=n)
        for n, kind in enumerate(kinds)
    ]
    history = make.screened(name="h.5.x.purchase", channel=Channel.HISTORY, **huge)
    most = make.screened(amount_rial=10**10, lines=())
    said = await grant(*events, make.event(history, offset=8), make.event(most))
    assert [[r.code for r in e.data.decline] for e in said] == [["basket-too-large"]] * 4 + [[]]
    assert "۹٬۰۰۷٬۱۹۹٬۲۵۴٬۷۴۰٬۹۹۱ ریال" in said[0].data.decline[0].fa
    assert not said[0].data.awards
    found = await awards.evaluate(
        make.screened(**huge).transaction,
        occurred_at=make.now,
        accepted_at=make.now,
        caches=stocked,
    )
    assert found.sale.decline == said[0].data.decline


async def test_refund_and_reversal_carry_the_grace_date(grant: Any, make: Any) -> None:
    lines = (RefundLine(line=1, amount_rial=5),)
    refund = make.screened(kind=Kind.REFUND, original="t.1.1.1", refund_lines=lines,
                           programme_version=77)  # fmt: skip
    reversal = make.screened(name="t.1.1.9", kind=Kind.REVERSAL, original="t.1.1.8",
                             terms_version=0)  # fmt: skip
    elsewhere = make.screened(name="t.1.1.10", kind=Kind.REFUND, original="t.1.1.1", account=0,
                              shown=1000009)  # fmt: skip
    one, two, three = await grant(
        make.event(refund), make.event(reversal, offset=1), make.event(elsewhere, offset=2)
    )
    assert (one.data.shown, three.data.account, three.data.shown) == (0, 0, 1000009)
    # the programme is not needed to give back: a version nobody knows stops no refund
    assert one.data.grace_expires_at == datetime.fromisoformat("2026-04-20T20:30:00Z")
    assert (one.data.original, one.data.refund_lines) == ("t.1.1.1", lines)
    assert two.data.grace_expires_at is None


async def test_an_inquiry_previews_and_leaves_no_decision(grant: Any, make: Any, tx: Any) -> None:
    asked = make.event(make.screened(kind=Kind.INQUIRY))
    blocked = make.screened(kind=Kind.INQUIRY, **BLOCKED_CARD)
    bare = make.screened(kind=Kind.INQUIRY, programme_version=0, terms_version=0)
    late = make.screened(kind=Kind.INQUIRY, programme_version=2)
    said = await grant(
        asked, make.event(blocked, offset=1), make.event(bare, offset=2), make.event(late, offset=3)
    )
    queries = [e.data for e in said]
    assert all(isinstance(q, Inquire) for q in queries)
    assert [q.would_earn_points for q in queries] == [100, 0, 0, 0]
    assert [q.offer and (q.offer.price_rial, q.offer.redeem_max_share_bp) for q in queries] == [
        (500, 10_000), (500, 10_000), None, None,
    ]  # fmt: skip
    assert [[r.code for r in q.without] for q in queries] == [
        [], [], ["no-programme"], ["no-programme"],
    ]  # fmt: skip
    assert [[r.code for r in q.decline] for q in queries] == [
        [], ["card-blocked"], [], ["programme-not-known-in-time"],
    ]  # fmt: skip
    assert await decisions(tx) == 0


async def test_an_archived_record_played_again_passes_uncounted(
    grant: Any, make: Any, tx: Any
) -> None:
    replayed = make.event(make.screened(replayed=True))
    inquiry = make.event(make.screened(replayed=True, kind=Kind.INQUIRY), offset=1)
    (said,) = await grant(replayed, inquiry)
    assert (said.data.replayed, said.data.awards) == (True, ())
    assert await decisions(tx) == 0
    (live,) = await grant(make.event(make.screened(), offset=2))
    assert sum(a.amount for a in live.data.awards) == 100


async def test_frauds_refusal_is_passed_on_and_remembered(grant: Any, make: Any, tx: Any) -> None:
    reason = Reason(code="cannot-score", fa="نشد.", en="No.")
    event = make.event(
        RefusedTransaction(name="t.10000017.1.42", reason=reason, transaction=make.transaction())
    )
    unread = make.event(RefusedTransaction(name="u.ab12", reason=reason), offset=1)
    one, two = await grant(event, unread)
    assert isinstance(one.data, RefuseTransaction)
    assert (one.data.reason, one.data.account, one.data.merchant) == (reason, 1000003, 5)
    assert (two.data.name, two.data.account) == ("u.ab12", 0)
    # a repeat that fraud could decide this time still gets the refusal
    (again,) = await grant(make.event(make.screened(), offset=2))
    assert again.data == one.data
    assert await decisions(tx) == 2


async def test_poison_is_refused_under_the_hash_of_its_bytes(
    grant: Any, make: Any, tx: Any
) -> None:
    batch = [make.garbage(), make.event(make.screened(), offset=1), make.garbage()]
    first, fine, second = await grant(*batch)
    assert first.data.name.startswith("u.")
    assert len(first.data.name) == 66
    assert (first.data.reason.code, first.data) == ("undecodable", second.data)
    assert isinstance(fine.data, PostTransaction)
    assert [encode(e) for e in await grant(*batch)] == [encode(e) for e in (first, fine, second)]
    assert await decisions(tx) == 2


async def test_what_fails_for_good_becomes_a_stored_refusal(grant: Any, make: Any, tx: Any) -> None:
    event = make.event(make.screened())
    await consumer.refuse(tx, event, "amount-too-large: 9e99")
    (said,) = make.said(tx)
    assert (said.data.reason.code, said.fingerprint) == ("campaigns-cannot-decide", "f1")
    # again: the first output, and one that was decided before stays so
    await consumer.refuse(tx, event, "amount-too-large: 9e99")
    assert [encode(e) for e in make.said(tx)] == [encode(said)]
    assert [e.data for e in await grant(event)] == [said.data]
    (decided,) = await grant(make.event(make.screened(name="t.1.1.7"), offset=1))
    await consumer.refuse(tx, make.event(make.screened(name="t.1.1.7"), offset=1), "bad-datum: x")
    assert [e.data for e in make.said(tx)] == [decided.data]
    garbage = make.garbage()
    await consumer.refuse(tx, garbage, "bad-datum: x")
    await consumer.refuse(tx, garbage, "bad-datum: x")
    assert {e.data.name[:2] for e in make.said(tx)} == {"u."}


# ------------------------------------------------------------------------------- late versions


async def test_a_version_that_comes_while_the_poll_waits_is_used(
    pool: Any, make: Any, clean: None
) -> None:
    del clean
    async with pool.transaction() as tx:
        await programmes.keep_programmes(tx, [make.programme()])
        await programmes.keep_terms(tx, [make.terms()])
    caches = make.caches()
    batch = [make.event(make.screened(programme_version=2))]
    waits = consumer.dependencies_missing
    assert await waits(batch, caches=caches, database=pool)
    async with pool.transaction() as tx:
        await programmes.keep_programmes(tx, [make.programme(version=2, earn_points=2)])
    assert not await waits(batch, caches=caches, database=pool)
    async with pool.transaction() as tx:
        await awards.grant_awards(tx, batch, caches)
        (said,) = make.said(tx)
    assert {(a.rule_version, a.amount) for a in said.data.awards} == {(2, 140), (2, 60)}


async def test_a_version_that_never_comes_is_a_refusal_with_a_dead_letter(
    grant: Any, make: Any, tx: Any
) -> None:
    late = make.event(make.screened(programme_version=2))
    fine = make.event(make.screened(name="t.1.1.5"), offset=1)
    await awards.grant_awards(tx, [late, fine], make.caches())
    letters = [m for m in tx.messages if m.topic == "platform.dead-letters"]
    one, two = make.said(tx)
    assert (one.data.reason.code, one.data.account) == ("programme-not-known-in-time", 1000003)
    assert isinstance(two.data, PostTransaction)
    assert len(letters) == 1
    assert await tx.fetchval("select code from dead_letters") == "programme-not-known-in-time"
    # stored: the version comes later, the answer stays
    await programmes.keep_programmes(tx, [make.programme(version=2)])
    assert [e.data for e in await grant(late)] == [one.data]


async def test_nobody_waits_for_facts_that_are_not_needed(
    pool: Any, make: Any, clean: None
) -> None:
    del clean
    batch = [
        make.event(make.screened(**BLOCKED_CARD)),
        make.event(make.screened(replayed=True)),
        make.event(make.screened(kind=Kind.REFUND, original="t.1.1.1", terms_version=0)),
        make.event(make.screened(programme_version=0, terms_version=0)),
    ]
    assert not awards.lacks_facts(batch, make.caches())
    assert awards.lacks_facts([make.event(make.screened())], make.caches())
    assert not await consumer.dependencies_missing(batch, caches=make.caches(), database=pool)


# --------------------------------------------------------------------------------- bonus rules


async def test_bonus_rules_add_lots_of_their_own_funders(grant: Any, make: Any, tx: Any) -> None:
    capped = {"multiply": {"increment_bp": 10_000, "cap": {"points": 30, "then": "trim"}}}
    over = {"fixed": {"points": 9, "cap": {"points": 8, "then": "reject"}}}
    await rules.keep_rules(
        tx,
        [
            make.rule(),
            make.rule(rule="double", funder=0, effect=capped),
            make.rule(rule="over", funder=9, effect=over),
            make.rule(rule="elsewhere", merchants=(6,)),
            make.rule(rule="friday", condition={"==": [{"var": "weekday"}, "friday"]}),
        ],
    )
    (said,) = await grant(make.event(make.screened()))
    totals: dict[tuple[str, int], int] = {}
    for award in said.data.awards:
        key = (award.rule, award.funder)
        totals[key] = totals.get(key, 0) + award.amount
    assert totals == {("base", 50): 100, ("nowruz", 1): 100, ("double", 50): 30}
    notes = [(u.line, u.rule, u.reason.code) for u in said.data.unearned]
    assert notes == [(0, "over", "cap-rejected"), (0, "double", "cap-trimmed")]


async def test_history_earns_base_only_and_is_born_when_it_was_bought(
    grant: Any, make: Any, tx: Any
) -> None:
    await rules.keep_rules(tx, [make.rule(effective_from=make.now - timedelta(days=500))])
    bought = make.now - timedelta(days=390)
    history = make.screened(name="h.5.x.purchase", channel=Channel.HISTORY)
    (said,) = await grant(make.event(history, occurred_at=bought))
    assert {a.rule for a in said.data.awards} == {"base"}
    assert all(a.expires_at < make.now for a in said.data.awards)  # born expired


async def test_an_excluded_line_earns_no_bonus_either(grant: Any, make: Any, tx: Any) -> None:
    await programmes.keep_programmes(
        tx, [make.programme(version=2, excluded_categories=("tobacco",))]
    )
    await rules.keep_rules(tx, [make.rule()])
    tobacco = make.lines(100_000, category="tobacco")
    (said,) = await grant(make.event(make.screened(programme_version=2, lines=tobacco)))
    assert said.data.awards == ()
    assert [u.reason.code for u in said.data.unearned] == ["category-excluded"]


async def test_a_poll_of_two_hundred_costs_four_statements(
    make: Any, tx: Any, stocked: Any
) -> None:
    class Counted:
        """The same transaction, counting what goes to the database."""

        def __init__(self) -> None:
            self.statements = 0
            self.messages: list[Any] = []

        def __getattr__(self, name: str) -> Any:
            self.statements += 1
            return getattr(tx, name)

    batch = [make.event(make.screened(name=f"t.1.1.{i % 150}"), offset=i) for i in range(200)]
    counted = Counted()
    await awards.grant_awards(counted, batch, stocked)  # type: ignore[arg-type]
    assert counted.statements == 4
    assert len(counted.messages) == 200

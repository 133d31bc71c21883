"""Stories of points: earned, spent elsewhere, given back, held and decided."""

from typing import Any

import pytest

from peyvand import (
    Answer,
    Conflict,
    Line,
    Redeem,
    Status,
    models,
    original_named,
    requests,
)
from peyvand.operators import every

from .participants import (
    EARN_PER_RIAL,
    FEE_BP,
    NETWORK,
    PRICE_RIAL,
    Member,
    Participants,
    Till,
    answer_of,
    now,
    until,
)
from .street import Street, owed, redemption, refund

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

HELD_RIAL = 2_500_000_000  # over what an account buys in a day without a review


# ------------------------------------------------------------------------------------- SH14, SH6


@pytest.mark.SH14
@pytest.mark.RK1
@pytest.mark.NH1
async def test_points_earned_at_one_merchant_are_spent_at_another(street: Street) -> None:
    participants, issuer, acceptor = (
        street.participants,
        street.grocer.shop.party,
        street.baker.shop.party,
    )
    member = await participants.shopper(street.grocer, 1_000)

    spent = await street.baker.send(redemption(street.baker, member, 200_000, points=600))

    discount = 600 * PRICE_RIAL
    fee = discount * FEE_BP // 10_000
    assert spent.status is Status.COMPLETED
    assert (spent.points_redeemed, spent.discount_rial) == (600, discount)
    assert spent.payable_rial == 200_000 - discount
    assert spent.balance is not None
    assert spent.points_earned == spent.payable_rial // EARN_PER_RIAL == 140  # paid in money
    assert spent.balance.points == 400 + 140
    assert await owed(participants, issuer, acceptor) == (discount, 0)
    assert await owed(participants, acceptor, NETWORK) == (fee, fee)


@pytest.mark.SH14
async def test_points_spent_where_they_were_earned_cost_no_fee(street: Street) -> None:
    member = await street.participants.shopper(street.grocer, 100)
    before = await owed(street.participants, street.grocer.shop.party, NETWORK)
    spent = await street.grocer.send(redemption(street.grocer, member, 90_000, points=100))
    assert spent.discount_rial == 100 * PRICE_RIAL
    assert await owed(street.participants, street.grocer.shop.party, NETWORK) == before
    own = street.grocer.shop.party
    assert await owed(street.participants, own, own) == (0, 0)


@pytest.mark.SH6
@pytest.mark.RK1
async def test_a_basket_is_paid_with_points_up_to_its_share(street: Street) -> None:
    member = await street.participants.shopper(street.grocer, 1_000)
    too_much = await street.baker.send(redemption(street.baker, member, 100_000, points=501))
    assert (too_much.status, too_much.code) == (Status.DECLINED, "redeem-above-share")
    enough = await street.baker.send(redemption(street.baker, member, 100_000, points=500))
    assert enough.payable_rial == 50_000


@pytest.mark.SH14
async def test_refund_of_a_redemption_gives_points_and_claims_back(street: Street) -> None:
    participants = street.participants
    issuer, acceptor = street.grocer.shop.party, street.baker.shop.party
    member = await participants.shopper(street.grocer, 300)
    before = await owed(participants, issuer, acceptor), await owed(participants, acceptor, NETWORK)
    spent = await street.baker.send(redemption(street.baker, member, 100_000, points=300))

    back = await street.baker.send(refund(street.baker, spent))

    assert back.points_restored == 300
    assert (await participants.balance(member))["available_points"] == 300
    after = await owed(participants, issuer, acceptor), await owed(participants, acceptor, NETWORK)
    assert after == before


# ---------------------------------------------------------------------------------------- refunds


async def test_refund_by_line_and_then_of_the_rest(street: Street) -> None:
    till = street.grocer
    member = await street.participants.member()
    lines = (Line(line=1, amount_rial=120_000), Line(line=2, amount_rial=80_000))
    sold = await till.buy(member, 200_000, lines=lines)
    assert sold.points_earned == 200

    part = await till.send(refund(till, sold, (2, 40_000)))
    assert part.points_clawed_back == 40
    standing = await till.client.status(sold.id)
    assert standing is not None
    assert (standing.current.status, standing.current.refunded_rial) == ("completed", 40_000)

    rest = await till.send(refund(till, sold))
    assert rest.points_clawed_back == 160
    standing = await till.client.status(sold.id)
    assert standing is not None
    assert (standing.current.status, standing.current.refunded_rial) == ("refunded", 200_000)
    assert standing.first_answer == sold
    again = await till.send(refund(till, sold))
    assert (again.status, again.code) == (Status.DECLINED, "already-refunded")
    assert (await street.participants.balance(member))["points"] == 0


async def test_refund_by_amount_falls_on_what_is_left_of_each_line(street: Street) -> None:
    till = street.grocer
    member = await street.participants.member()
    lines = (Line(line=1, amount_rial=120_000), Line(line=2, amount_rial=80_000))
    sold = await till.buy(member, 200_000, lines=lines)
    assert (await till.send(refund(till, sold, (1, 20_000)))).points_clawed_back == 20

    part = await till.send(refund(till, sold, amount_rial=90_000))  # half of 100,000 and 80,000
    assert (part.status, part.points_clawed_back) == (Status.COMPLETED, 90)
    much = await till.send(refund(till, sold, amount_rial=90_001))
    assert (much.status, much.code) == (Status.DECLINED, "refund-too-large")
    over = await till.send(refund(till, sold, (1, 50_001)))
    assert (over.status, over.code) == (Status.DECLINED, "refund-too-large")

    rest = await till.send(refund(till, sold, amount_rial=90_000))
    assert rest.points_clawed_back == 90
    standing = await till.client.status(sold.id)
    assert standing is not None
    assert (standing.current.status, standing.current.refunded_rial) == ("refunded", 200_000)
    assert (await street.participants.balance(member))["points"] == 0


async def test_reversal_undoes_a_sale_whose_answer_the_till_never_saw(street: Street) -> None:
    till, at = street.grocer, now()
    member = await street.participants.member()
    name = till.name()
    await till.client.purchase(name, member.card, amount_rial=70_000, occurred_at=at)

    undone = await till.send(
        requests.reversal(
            till.name(), original_named(name, at), occurred_at=now(), identifier=member.card
        )
    )

    assert undone.points_clawed_back == 70
    standing = await till.client.status(f"{member.shard}.{undone.original}")
    assert standing is not None
    assert standing.current.status == "reversed"


async def test_reversal_before_arrival_refuses_the_sale_for_ever(street: Street) -> None:
    till, at = street.grocer, now()
    member = await street.participants.member()
    late = requests.purchase(till.name(), member.card, amount_rial=70_000, occurred_at=at)

    undone = await till.send(
        requests.reversal(
            till.name(), original_named(late.name, at), occurred_at=at, identifier=member.card
        )
    )
    assert (undone.status, undone.code) == (Status.COMPLETED, "original-not-seen")

    first = await till.client.submit(late)
    again = await till.client.submit(late)
    answer = answer_of(first)
    assert (answer.status, answer.code) == (Status.DECLINED, "reversed-before-arrival")
    assert answer_of(again) == answer
    standing = await till.client.status(answer.id)
    assert standing is not None
    assert standing.current.status == "reversed_before_arrival"


# ------------------------------------------------------------------------------------------ fraud


async def find_case(participants: Participants, transaction: str) -> dict[str, Any]:
    async def found() -> list[dict[str, Any]]:
        opened = every(lambda after: participants.reviewer.cases(after, status="open"))
        return [case async for case in opened if case["transaction"] == transaction]

    return (await until(found))[0]


async def held_sale(street: Street) -> tuple[Member, Answer]:
    """A sale so large that fraud holds its points."""
    member = await street.participants.member()
    heard = await street.grocer.client.purchase(
        street.grocer.name(), member.card, amount_rial=HELD_RIAL, occurred_at=now()
    )
    answer = answer_of(heard)
    assert answer.status is Status.HELD
    assert answer.points_pending == answer.points_earned == HELD_RIAL // EARN_PER_RIAL
    assert answer.pending_until is not None
    return member, answer


async def decide(participants: Participants, case: dict[str, Any], verdict: str) -> None:
    """Decide as soon as fraud has heard the outcome of what it held."""

    async def decided() -> bool:
        try:
            await participants.reviewer.put_review_outcome(case["case_id"], verdict, note="seen")
        except Conflict as refused:
            if refused.code == "already-decided":
                raise
            return False
        return True

    await until(decided)


@pytest.mark.SH15
async def test_held_points_are_released_by_a_reviewer(street: Street) -> None:
    participants = street.participants
    member, held = await held_sale(street)
    before = await participants.balance(member)
    assert before["available_points"] == 0
    spend = redemption(street.grocer, member, 900_000, points=1_000)
    assert (await street.grocer.send(spend)).code == "insufficient-points"
    case = await find_case(participants, held.id)
    assert case["reasons"][0]["fa"]

    await decide(participants, case, "release")

    async def standing() -> str:
        found = await street.grocer.client.status(held.id)
        assert found is not None
        assert found.first_answer == held  # the first answer never changes
        return found.current.status

    await until(standing, lambda now: now == "released")
    assert (await participants.balance(member))["available_points"] == held.points_earned
    with pytest.raises(Conflict) as refused:
        await participants.reviewer.put_review_outcome(case["case_id"], "cancel", note="seen")
    assert refused.value.code == "already-decided"


@pytest.mark.SH15
async def test_held_points_are_cancelled_by_a_reviewer(street: Street) -> None:
    member, held = await held_sale(street)
    await decide(street.participants, await find_case(street.participants, held.id), "cancel")

    async def left() -> int:
        return (await street.participants.balance(member))["points"]

    await until(left, lambda points: points == 0)
    found = await street.grocer.client.status(held.id)
    assert found is not None
    assert found.current.status == "cancelled"


@pytest.mark.SH15
async def test_a_burst_at_one_shop_leaves_the_member_alone_at_another(street: Street) -> None:
    """Findings S8: any till could shut a member out everywhere."""
    member = await street.participants.member()
    by_mobile = models.mobile(member.mobile)

    async def sale(till: Till, amount_rial: int) -> Answer:
        heard = await till.client.purchase(
            till.name(), by_mobile, amount_rial=amount_rial, occurred_at=now()
        )
        return answer_of(heard)

    at_baker = [await sale(street.baker, 1) for _ in range(12)]
    assert [a.code for a in at_baker] == [""] * 10 + ["card-burst"] * 2
    own = await sale(street.grocer, 500_000)
    assert (own.status, own.points_earned) == (Status.COMPLETED, 500)


async def test_a_redemption_that_was_declined_takes_nothing_of_the_members_day(
    street: Street,
) -> None:
    """One impossible redemption by somebody's mobile shut his spending everywhere for a day."""
    member = await street.participants.shopper(street.grocer, 5_000)
    by_mobile = models.mobile(member.mobile)

    async def spend(till: Till, points: int, amount_rial: int) -> Answer:
        asked = Redeem(points=points)
        heard = await till.client.redeem(
            till.name(), by_mobile, asked, amount_rial=amount_rial, occurred_at=now()
        )
        return answer_of(heard)

    typo = await spend(street.baker, 19_999, 3_999_800)
    assert (typo.status, typo.code) == (Status.DECLINED, "insufficient-points")

    async def own() -> Answer:
        return await spend(street.grocer, 100, 1_000_000)

    done = await until(own, lambda answer: answer.status is Status.COMPLETED, step_s=1.5)
    assert done.points_redeemed == 100


@pytest.mark.SH15
async def test_a_card_used_in_a_burst_is_declined_with_reasons(street: Street) -> None:
    member = await street.participants.member()

    async def sale() -> Answer:
        heard = await street.grocer.client.purchase(
            street.grocer.name(), member.card, amount_rial=20_000, occurred_at=now()
        )
        return answer_of(heard)

    answers = [await sale() for _ in range(12)]
    assert [a.status for a in answers[:10]] == [Status.COMPLETED] * 10
    assert [(a.status, a.code) for a in answers[10:]] == [(Status.DECLINED, "card-burst")] * 2
    assert all(reason.fa and reason.en for reason in answers[-1].reasons)

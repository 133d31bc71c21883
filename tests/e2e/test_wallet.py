"""Money that a till takes for a wallet, spent elsewhere, and given back (SH6, decision 0048)."""

import pytest

from peyvand import Original, Redeem, Status
from peyvand import requests as requested

from .participants import Participants, answer_of, body_of, now, preview_of

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300), pytest.mark.SH6]
MOST_RIAL = 1_000_000


async def test_money_is_topped_up_once_spent_elsewhere_and_given_back(
    participants: Participants,
) -> None:
    shop = await participants.open_shop("takes money", top_up_max_rial=MOST_RIAL)
    till = await participants.till(shop)
    elsewhere = await participants.till(await participants.open_shop("takes credit"))
    member = await participants.member()

    asked = requested.top_up(till.name(), member.card, amount_rial=300_000, occurred_at=now())
    first = await till.client.submit(asked)
    assert body_of(await till.client.submit(asked)) == body_of(first)
    paid = answer_of(first)
    assert (paid.status, paid.payable_rial, paid.points_earned) == (Status.COMPLETED, 300_000, 0)
    assert paid.balance is not None
    assert paid.balance.credit_rial == 300_000

    spent = answer_of(
        await elsewhere.client.redeem(
            elsewhere.name(), member.card, Redeem(credit_rial=120_000), amount_rial=500_000,
            occurred_at=now(),
        )
    )  # fmt: skip
    assert (spent.credit_redeemed_rial, spent.discount_rial) == (120_000, 120_000)

    back = answer_of(
        await till.client.reverse(till.name(), Original(id=paid.id), occurred_at=now())
    )
    assert (back.status, back.debt_rial) == (Status.COMPLETED, 120_000)
    shown = preview_of(
        await till.client.inquire(till.name(), member.card, amount_rial=0, occurred_at=now())
    )
    assert (shown.balance.credit_rial, shown.balance.debt_credit_rial) == (0, 120_000)


async def test_a_shop_takes_as_much_as_its_programme_says(participants: Participants) -> None:
    bounded = await participants.till(
        await participants.open_shop("takes some", top_up_max_rial=MOST_RIAL)
    )
    without = await participants.till(await participants.open_shop("takes none"))
    member = await participants.member()
    for till, amount, code in (
        (bounded, MOST_RIAL + 1, "top-up-too-large"),
        (without, 1, "top-up-not-offered"),
    ):
        answer = answer_of(
            await till.client.top_up(
                till.name(), member.card, amount_rial=amount, occurred_at=now()
            )
        )
        assert (answer.status, answer.code) == (Status.DECLINED, code)

"""Value reserved for a sale, then captured by it or freed, through the whole platform (0050)."""

from typing import Any

import pytest
from msgspec.structs import replace

from peyvand import Answer, Forbidden, Line, Original, Problem, Redeem, Status, original_named
from peyvand import requests as requested

from .participants import PRICE_RIAL, Member, Till, answer_of, body_of, now, preview_of
from .test_online import Shop, online

__all__ = ["online"]
pytestmark = [pytest.mark.platform, pytest.mark.timeout(300), pytest.mark.NH13, pytest.mark.NH14]
BASKET_RIAL = 900_000


async def reserve(till: Till, member: Member, points: int, *, hold_s: int | None = None) -> Answer:
    """An authorisation at a till, and its answer."""
    return answer_of(
        await till.client.authorise(
            till.name(), member.card, Redeem(points=points), amount_rial=BASKET_RIAL,
            occurred_at=now(), hold_s=hold_s,
        )
    )  # fmt: skip


async def balance(till: Till, member: Member) -> tuple[int, int]:
    """Points that may be spent, and those that are reserved, as a till is shown them."""
    asked = await till.client.inquire(till.name(), member.card, amount_rial=0, occurred_at=now())
    shown = preview_of(asked).balance
    return shown.available_points, shown.held_points


async def test_an_order_is_reserved_and_a_part_of_it_is_shipped_without_the_card(
    online: Shop,
) -> None:
    member = await online.participants.shopper(online.one, 300)
    asked = requested.authorisation(
        online.name("90", "hold"), member.card, Redeem(points=200), amount_rial=BASKET_RIAL,
        occurred_at=now(), hold_s=172_800,
    )  # fmt: skip
    heard = await online.one.client.submit(asked)
    held = answer_of(heard)
    assert (held.status, held.points_redeemed, held.points_earned) == (Status.COMPLETED, 0, 0)
    assert held.payable_rial == BASKET_RIAL - 200 * PRICE_RIAL
    assert held.due_at is not None
    assert (held.due_at - held.accepted_at).total_seconds() == 172_800
    assert await balance(online.till, member) == (100, 200)
    assert body_of(await online.two.client.submit(asked)) == body_of(heard)

    shipped = requested.capture(
        online.name("90", "ship"), Original(id=held.id), amount_rial=500_000, occurred_at=now(),
        redeem=Redeem(points=120),
        lines=(Line(line=1, amount_rial=300_000), Line(line=2, amount_rial=200_000)),
    )  # fmt: skip
    first = await online.two.client.submit(shipped)
    sold = answer_of(first)
    assert (sold.points_redeemed, sold.discount_rial) == (120, 120 * PRICE_RIAL)
    assert sold.points_earned == (500_000 - 120 * PRICE_RIAL) // 1_000
    moved = {one.what: one.amount for one in sold.moved}
    assert (moved["spent"], moved["released"]) == (120, 80)
    assert body_of(await online.one.client.submit(shipped)) == body_of(first)
    assert await balance(online.till, member) == (180 + sold.points_earned, 0)
    found = await online.one.client.status(held.id)
    assert found is not None
    assert found.current.status == "captured"

    back = answer_of(
        await online.till.client.refund(online.till.name(), Original(id=sold.id), occurred_at=now())
    )
    assert (back.points_restored, back.points_clawed_back) == (120, sold.points_earned)
    assert await balance(online.till, member) == (300, 0)


async def test_all_that_is_reserved_is_captured_where_no_part_is_named(online: Shop) -> None:
    member = await online.participants.shopper(online.till, 150)
    held = await reserve(online.till, member, 150)
    sold = answer_of(
        await online.till.client.capture(
            online.till.name(), Original(id=held.id), amount_rial=BASKET_RIAL, occurred_at=now()
        )
    )
    assert (sold.points_redeemed, sold.payable_rial) == (150, held.payable_rial)
    again = answer_of(
        await online.till.client.capture(
            online.till.name(), Original(id=held.id), amount_rial=BASKET_RIAL, occurred_at=now()
        )
    )
    assert (again.status, again.code) == (Status.DECLINED, "hold-captured")


async def test_another_till_of_the_shop_frees_it_and_asking_again_is_no_error(
    online: Shop,
) -> None:
    member = await online.participants.shopper(online.till, 100)
    held = await reserve(online.till, member, 80)
    for code in ("", "hold-voided"):
        freed = answer_of(
            await online.one.client.void(
                online.name("91", f"void-{code or 'first'}"), Original(id=held.id),
                occurred_at=now(),
            )
        )  # fmt: skip
        assert (freed.status, freed.code) == (Status.COMPLETED, code)
        assert [one.amount for one in freed.moved] == ([] if code else [80])
    assert await balance(online.till, member) == (100, 0)
    found = await online.one.client.status(held.id)
    assert found is not None
    assert found.current.status == "voided"


async def test_an_authorisation_without_an_answer_is_reversed_even_before_it_comes(
    online: Shop,
) -> None:
    member = await online.participants.shopper(online.till, 100)
    at, name = now(), online.till.name()
    undo = requested.reversal(
        online.till.name(), original_named(name, at), occurred_at=at, identifier=member.card
    )
    assert (await online.till.send(undo)).code == "original-not-seen"
    late = answer_of(
        await online.till.client.authorise(
            name, member.card, Redeem(points=80), amount_rial=BASKET_RIAL, occurred_at=at
        )
    )
    assert (late.status, late.code) == (Status.DECLINED, "reversed-before-arrival")
    assert await balance(online.till, member) == (100, 0)


async def test_nobody_else_captures_or_frees_it(online: Shop) -> None:
    member = await online.participants.shopper(online.till, 100)
    other = await online.participants.member()
    held = await reserve(online.till, member, 80)
    thief = requested.capture(
        online.till.name(), Original(id=held.id), amount_rial=BASKET_RIAL, occurred_at=now(),
    )  # fmt: skip
    answer = await online.till.send(replace(thief, identifier=other.card))
    assert (answer.status, answer.code) == (Status.DECLINED, "another-account")
    elsewhere = await online.participants.till(await online.participants.open_shop("a stranger"))
    for request in (
        requested.capture(
            elsewhere.name(), Original(id=held.id), amount_rial=BASKET_RIAL, occurred_at=now()
        ),
        requested.void(elsewhere.name(), Original(id=held.id), occurred_at=now()),
    ):
        with pytest.raises((Problem, Forbidden)) as refused:
            await elsewhere.send(request)
        assert refused.value.code == "original-of-another-merchant"
    assert await balance(online.till, member) == (20, 80)


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("out-of-range", {"hold_s": 59}),
        ("out-of-range", {"hold_s": 86_401}),
        ("nothing-to-redeem", {"redeem": Redeem()}),
        ("missing-field", {"redeem": None}),
        ("missing-field", {"amount_rial": 0}),
    ],
)
async def test_what_is_asked_for_wrongly_is_refused_at_the_door(
    online: Shop, code: str, fields: dict[str, Any]
) -> None:
    member = await online.participants.member()
    request = requested.authorisation(
        online.till.name(), member.card, Redeem(points=1), amount_rial=BASKET_RIAL,
        occurred_at=now(),
    )  # fmt: skip
    with pytest.raises(Problem) as refused:
        await online.till.client.submit(replace(request, **fields))
    assert refused.value.code == code

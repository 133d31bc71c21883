"""What an authorisation reserves, and the price and awards of its capture (decision 0050)."""

from datetime import timedelta
from typing import Any

import pytest

from campaigns.programmes import usecases as programmes
from contracts.ledger import PostTransaction
from contracts.pos import Line
from contracts.values import Kind

HOLD = "t.1.1.1"


def hold(make: Any, **fields: Any) -> Any:
    given = {"name": HOLD, "kind": Kind.AUTHORISATION, "points": 10, "hold_s": 900}
    return make.event(make.screened(**(given | fields)))


def capture(make: Any, offset: int = 1, **fields: Any) -> Any:
    """As the gateway sends it: without account and identifier."""
    given = {
        "name": "t.1.1.2", "kind": Kind.CAPTURE, "original": HOLD, "account": 0, "member": 0,
        "identifier_id": "", "identifier_last4": "",
    }  # fmt: skip
    return make.event(make.screened(**(given | fields)), offset=offset)


async def test_an_authorisation_says_until_when_and_by_which_offer(grant: Any, make: Any) -> None:
    (said,) = await grant(hold(make))
    posted: PostTransaction = said.data
    assert posted.due_at == make.now + timedelta(seconds=900)
    assert posted.redemption is not None
    assert posted.offer is not None
    assert (posted.redemption.points, posted.redemption.points_value_rial) == (10, 5_000)
    assert (posted.offer.price_rial, posted.offer.terms_version) == (500, 1)
    assert (posted.awards, posted.unearned) == ((), ())


@pytest.mark.parametrize("together", [True, False])
async def test_a_capture_is_priced_as_it_was_promised_and_earns_by_its_own_moment(
    grant: Any, make: Any, tx: Any, together: bool
) -> None:
    """The price rose and the programme doubled in between; both in one poll, or a poll later."""
    dearer = make.terms(version=2, price_rial=600)
    doubled = make.programme(version=2, earn_points=2)
    await programmes.keep_terms(tx, [dearer])
    await programmes.keep_programmes(tx, [doubled])
    sold = capture(make, terms_version=2, programme_version=2, points=4)
    if together:
        _, said = await grant(hold(make), sold)
    else:
        await grant(hold(make))
        (said,) = await grant(sold)
    posted: PostTransaction = said.data
    assert (posted.account, posted.member, posted.decline) == (1000003, 7, ())
    assert posted.redemption is not None
    assert (posted.redemption.points, posted.redemption.points_value_rial) == (4, 2_000)
    assert posted.redemption.terms_version == 1
    paid = 1_000_000 - 2_000
    assert sum(award.amount for award in posted.awards) == paid * 2 // 10_000
    assert {award.rule_version for award in posted.awards} == {2}
    (again,) = await grant(sold)
    assert again.data == posted


async def test_a_capture_without_an_amount_of_points_takes_them_all(grant: Any, make: Any) -> None:
    _, said = await grant(hold(make, credit_rial=700), capture(make))
    assert (said.data.redemption.points, said.data.redemption.credit_rial) == (10, 700)


async def test_the_share_of_the_promised_offer_holds_for_the_final_basket(
    grant: Any, make: Any, tx: Any
) -> None:
    half = make.programme(version=2, redeem_max_share_bp=5_000)
    await programmes.keep_programmes(tx, [half])
    small = (Line(line=1, amount_rial=9_999),)
    _, said = await grant(hold(make, programme_version=2), capture(make, lines=small))
    assert [reason.code for reason in said.data.decline] == ["redeem-above-share"]


async def test_who_shows_another_card_keeps_that_account_for_the_ledger_to_decline(
    grant: Any, make: Any
) -> None:
    _, own, moved = await grant(
        hold(make),
        capture(make, account=1000009, member=9),
        capture(make, 2, name="t.1.1.3", shown=1000008),
    )
    assert (own.data.account, own.data.member) == (1000009, 9)
    assert (moved.data.account, moved.data.member, moved.data.shown) == (0, 0, 1000008)


async def test_a_capture_of_nothing_or_of_a_sale_goes_on_without_terms(
    grant: Any, make: Any
) -> None:
    """The ledger, which knows what the name was, declines it."""
    bought = make.event(make.screened(name="t.1.1.7"))
    first = capture(make, original="t.1.1.9")
    _, none, sale = await grant(bought, first, capture(make, 2, name="t.1.1.3", original="t.1.1.7"))
    for said in (none, sale):
        assert (said.data.redemption, said.data.awards, said.data.account) == (None, (), 0)


async def test_what_may_not_be_spent_is_declined_before_anything_is_reserved(
    grant: Any, make: Any
) -> None:
    (nothing,) = await grant(hold(make, points=0))
    assert [reason.code for reason in nothing.data.decline] == ["nothing-to-redeem"]
    assert nothing.data.due_at is None


async def test_a_void_passes_as_an_undo(grant: Any, make: Any) -> None:
    (said,) = await grant(capture(make, kind=Kind.VOID))
    assert (said.data.kind, said.data.original, said.data.redemption) == (Kind.VOID, HOLD, None)


@pytest.mark.parametrize(
    ("most", "amount", "code"),
    [(0, 1, "top-up-not-offered"), (500, 501, "top-up-too-large"), (500, 500, "")],
)
async def test_a_wallet_is_topped_up_as_far_as_the_programme_offers_it(
    grant: Any, make: Any, tx: Any, most: int, amount: int, code: str
) -> None:
    await programmes.keep_programmes(tx, [make.programme(version=2, top_up_max_rial=most)])
    asked = make.screened(kind=Kind.TOP_UP, lines=(), amount_rial=amount, programme_version=2)
    (said,) = await grant(make.event(asked))
    assert [reason.code for reason in said.data.decline] == ([code] if code else [])
    assert (said.data.amount_rial, said.data.awards) == (amount, ())

"""What an inquiry hears: a query, so nothing is booked and no time passes."""

from datetime import datetime

from contracts.ledger import Inquire
from contracts.pos import Preview
from contracts.values import BASIS_POINTS, Kind, public_id
from ledger.domain import lots, texts
from ledger.domain.book import Member


def preview(shard: int, body: Inquire, member: Member, *, now: datetime) -> Preview:
    """Balance, and what of this basket points could pay at the price in force.

    now: the later of the shard's decision time and the query's accepted_at.
    """
    effective = lots.effective(member.lots, member.holds, now)
    balance = lots.balance(effective, member.rest, now=now)
    points = min(balance.available_points, room_of(body))
    if body.decline:
        points = 0
    rial = points * body.price_rial // body.price_points
    fa, en = texts.both(texts.INQUIRY, available=balance.available_points, redeemable=rial)
    if body.decline:
        fa, en = body.decline[0].fa, body.decline[0].en
    return Preview(
        id=public_id(shard, body.name),
        kind=Kind.INQUIRY,
        balance=balance,
        redeemable_points=points,
        redeemable_rial=rial,
        would_earn_points=body.would_earn_points,
        fa=fa,
        en=en,
    )


def room_of(body: Inquire) -> int:
    """Points that the basket could take."""
    room_rial = body.amount_rial * body.redeem_max_share_bp // BASIS_POINTS
    return room_rial * body.price_points // body.price_rial

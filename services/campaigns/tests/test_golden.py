"""What baskets come to stays what it was: drawn programmes, rules and baskets, and kept answers.

golden/awards.txt keeps a digest of the command and of the test evaluation of each basket. Where a
change of an answer is meant, write the file anew: GOLDEN=write in the environment.
"""

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from campaigns.awards import usecases as awards
from campaigns.awards.api import _view  # pyright: ignore[reportPrivateUsage]
from campaigns.programmes import usecases as programmes
from campaigns.rules import usecases as rules
from contracts.campaigns import RulePublished
from contracts.merchants import Programme, Terms
from contracts.pos import Line, PosTransaction
from contracts.values import Channel, Kind
from kit.base.db import Tx

GOLDEN = Path(__file__).parent / "golden" / "awards.txt"
WORLDS = 40
BASKETS = 50
CATEGORIES = ("", "bread", "dairy", "sweets")


def drawn_programmes(draw: Random, make: Any) -> list[Programme]:
    """Two versions of one merchant's programme, and one of another's."""

    def one(merchant: int, version: int, days: int) -> Programme:
        return make.programme(
            merchant=merchant,
            party=merchant * 10,
            version=version,
            effective_from=make.now - timedelta(days=days),
            earn_points=draw.choice((0, 1, 3, 10)),
            earn_per_rial=draw.choice((1, 7, 10_000, 100_000)),
            earning_categories=draw.choice(((), (), ("bread", "dairy"))),
            excluded_categories=draw.choice(((), ("sweets",))),
            validity_days=draw.choice((None, 1, 365)),
            activation_days=draw.choice((0, 0, 3)),
            redeem_min_points=draw.choice((0, 50)),
            redeem_max_share_bp=draw.choice((10_000, 5_000)),
            own_discount_bp=draw.choice((0, 1_000)),
            own_discount_max_rial=draw.choice((0, 50_000)),
            basket_max_rial=draw.choice((10**10, 3_000_000)),
            earns_on_paid_part=draw.random() < 0.7,
            earn_in_steps=draw.random() < 0.3,
        )

    return [one(5, 1, 400), one(5, 2, 2), one(6, 1, 400)]


def drawn_terms(draw: Random, make: Any) -> list[Terms]:
    return [
        make.terms(
            version=version,
            effective_from=make.now - timedelta(days=400 // version),
            price_rial=draw.choice((1, 500, 1_000)),
            price_points=draw.choice((1, 1, 3)),
            grace_days=draw.choice((0, 30)),
        )
        for version in (1, 2)
    ]


def drawn_rule(draw: Random, make: Any, number: int) -> list[RulePublished]:
    cap = {"cap": {"points": draw.choice((1, 40)), "then": draw.choice(("trim", "reject"))}}
    lines = {"lines": {"==": [{"var": "category"}, draw.choice(CATEGORIES[1:])]}}
    more: dict[str, Any] = {}
    for option in (cap, lines):
        more |= option if draw.random() < 0.4 else {}
    fixed = {"points": draw.choice((1, 17, 100)), "per": draw.choice(("basket", "line"))}
    times = {"increment_bp": draw.choice((5_000, 10_000, 33_333))}
    effect = {"fixed": fixed | more} if draw.random() < 0.5 else {"multiply": times | more}
    condition = draw.choice(
        (
            True,
            {">=": [{"var": "amount_rial"}, draw.choice((100_000, 1_000_000))]},
            {"==": [{"var": "channel"}, "online"]},
            {"some": [{"var": "lines"}, {"==": [{"var": "category"}, "dairy"]}]},
            {"==": [{"var": "weekday"}, "saturday"]},
        )
    )
    until = draw.choice((None, make.now + timedelta(days=1), make.now - timedelta(hours=1)))
    first = make.rule(
        rule=f"rule-{number}",
        effective_from=make.now - timedelta(days=10),
        effective_until=until,
        merchants=draw.choice(((), (5,), (6,), (5, 6))),
        funder=draw.choice((0, 1)),
        condition=condition,
        effect=effect,
    )
    if draw.random() < 0.6:
        return [first]
    second = msgspec.structs.replace(
        first,
        version=2,
        effective_from=make.now - timedelta(days=draw.choice((1, 10))),
        retired=draw.random() < 0.4,
        effect={"fixed": {"points": 5}},
    )
    return [first, second]


def drawn_basket(draw: Random, make: Any, number: int) -> tuple[PosTransaction, datetime]:
    kind = draw.choice(
        (Kind.PURCHASE,) * 6 + (Kind.REDEMPTION,) * 3 + (Kind.INQUIRY, Kind.REFUND, Kind.REVERSAL)
    )
    amounts = [draw.choice((0, 1, 99_999, 250_000, 1_234_567)) for _ in range(draw.randint(1, 4))]
    lines = tuple(
        Line(
            line=n,
            amount_rial=amount,
            category=draw.choice(CATEGORIES),
            quantity=draw.randint(1, 3),
        )
        for n, amount in enumerate(amounts, 1)
    )
    basket = make.transaction(
        name=f"t.10000017.1.{number}",
        kind=kind,
        channel=draw.choice((Channel.TILL, Channel.TILL, Channel.ONLINE, Channel.HISTORY)),
        merchant=draw.choice((5, 5, 6)),
        programme_version=draw.choice((0, 1, 1, 1)),
        terms_version=draw.choice((0, 1, 1, 2, 2)),
        branch=draw.choice((0, 1)),
        lines=lines if draw.random() < 0.8 else (),
        amount_rial=sum(amounts),
        points=draw.choice((0, 10, 100, 1_000)) if kind is Kind.REDEMPTION else 0,
        credit_rial=draw.choice((0, 50_000)) if kind is Kind.REDEMPTION else 0,
        original="t.10000017.1.1" if kind in (Kind.REFUND, Kind.REVERSAL) else "",
    )
    return basket, make.now - timedelta(days=draw.choice((0, 0, 0, 1, 5, 20)))


def digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:12]


async def answers(tx: Tx, make: Any, world: int) -> list[str]:
    """A line for each basket of a world: its number, and the digests of what it came to."""
    draw = Random(world)
    await programmes.keep_programmes(tx, drawn_programmes(draw, make))
    await programmes.keep_terms(tx, drawn_terms(draw, make))
    published = [v for n in range(draw.randint(0, 5)) for v in drawn_rule(draw, make, n)]
    if published:
        await rules.keep_rules(tx, published)
    caches = make.caches()
    lines: list[str] = []
    for number in range(BASKETS):
        basket, occurred_at = drawn_basket(draw, make, number)
        event = make.event(
            make.screened(**{f: getattr(basket, f) for f in basket.__struct_fields__}),
            occurred_at=occurred_at,
            offset=number,
        )
        await awards.grant_awards(tx, [event], caches)
        (command,) = make.said(tx)
        told = await awards.evaluate(
            basket, occurred_at=occurred_at, accepted_at=make.now, caches=caches
        )
        shown = digest(_view(told)) if basket.kind in (Kind.PURCHASE, Kind.REDEMPTION) else "-"
        lines.append(f"{world}.{number} {command.type} {digest(command.data)} {shown}")
    return lines


@pytest.mark.parametrize("world", range(WORLDS))
async def test_what_a_basket_comes_to_stays_what_it_was(tx: Tx, make: Any, world: int) -> None:
    found = await answers(tx, make, world)
    if os.environ.get("GOLDEN") == "write":
        kept = GOLDEN.read_text("utf-8").splitlines() if GOLDEN.exists() else []
        others = [line for line in kept if not line.startswith(f"{world}.")]
        GOLDEN.write_text("\n".join([*others, *found]) + "\n", "utf-8")
    kept = GOLDEN.read_text("utf-8").splitlines()
    assert found == [line for line in kept if line.startswith(f"{world}.")]

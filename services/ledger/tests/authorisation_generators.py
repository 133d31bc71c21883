"""Commands of a till that authorises: reserved, captured by a sale, freed; also late and twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from contracts.ledger import PostTransaction, Redemption
from contracts.pos import Line
from contracts.values import Kind, till_name

if TYPE_CHECKING:
    from .generators import Story


def makers(story: "Story", weight: int) -> tuple[tuple[Callable[[], Any], int], ...]:
    """(maker, weight): each gives one command's body; none where the weight is 0."""
    if not weight:
        return ()
    return (
        (lambda: authorise(story), weight), (lambda: end(story), weight),
        (lambda: top_up(story), weight // 4),
    )  # fmt: skip


def top_up(story: "Story") -> PostTransaction:
    """Money taken for a wallet; a reversal finds it among all that is sent."""
    rial = story.rng.choice((300, 500, 50_000, 0))
    lost = story.rng.random() < 0.05
    return story.post(Kind.TOP_UP, amount_rial=rial, **({"acceptor": 0} if lost else {}))


def terms(story: "Story", points: int, credit: int, gift: int) -> Redemption:
    """Terms near the cost of what is spent; now and then too much is promised beside it."""
    rng = story.rng
    return Redemption(
        points=points, credit_rial=credit, gift_rial=gift, points_value_rial=points * 100,
        own_discount_rial=rng.choice((0, 0, 1_000)),
        own_discount_max_rial=rng.choice((0, 1_000, 10_000)), fee_bp=150, terms_version=1,
        network_max_rial=story.count % 2 * points * 8,
    )  # fmt: skip


def authorise(story: "Story") -> PostTransaction:
    """Value reserved for a sale at one of three merchants."""
    rng = story.rng
    minutes = rng.choice((15, 1_440, 9_000)) if rng.random() < 0.94 else rng.choice((-1, 10**5))
    asked = rng.choice(((1, 0, 0), (7, 0, 0), (50, 0, 0), (150, 0, 0), (20, 100, 0), (9, 0, 30)))
    if rng.random() < 0.05:
        asked = (0, 0, 0)
    return story.post(
        Kind.AUTHORISATION,
        lines=(Line(line=1, amount_rial=600_000),),
        amount_rial=600_000,
        redemption=terms(story, *asked) if rng.random() < 0.97 else None,
        due_at=story.at + timedelta(minutes=minutes),
    )


def end(story: "Story") -> PostTransaction:
    """A capture, a void or a reversal of some authorisation; now and then two, or of none."""
    rng = story.rng
    made = [
        e.data
        for e in story.history
        if isinstance(e.data, PostTransaction) and e.data.kind is Kind.AUTHORISATION
    ]
    if not made or rng.random() < 0.05:
        nothing = story.post(Kind.AUTHORISATION, name=till_name(10_000_017, 3, story.count))
        sales = [e.data for e in story.history if isinstance(e.data, PostTransaction)]
        return _one_end(story, rng.choice([nothing, *sales[-9:]]))
    holds = story.holds().values()
    placed = {hold.name for hold in holds if not hold.end or rng.random() < 0.3}
    likely = [one for one in made if one.name in placed] if rng.random() < 0.95 else []
    one = rng.choice((likely or made)[-6:])
    if rng.random() < 0.1 and one.due_at is not None:
        story.at = max(story.at, one.due_at - timedelta(seconds=rng.choice((0, 1))))
    if rng.random() < 0.3:
        story.planned.append(lambda: _one_end(story, one))
    return _one_end(story, one)


def _one_end(story: "Story", one: PostTransaction) -> PostTransaction:
    rng = story.rng
    elsewhere = rng.random() < 0.03
    fields: dict[str, Any] = {
        "original": one.name,
        "merchant": 99 if elsewhere else one.merchant,
        "acceptor": one.acceptor,
        "account": rng.choice((0, one.account)),
        "shown": 77 if rng.random() < 0.02 else 0,
    }
    if rng.random() < 0.4:
        return story.post(rng.choice((Kind.VOID, Kind.VOID, Kind.REVERSAL)), **fields)
    asked = one.redemption or Redemption(
        points=5, credit_rial=0, points_value_rial=500, own_discount_rial=0,
        own_discount_max_rial=0, fee_bp=150, terms_version=1,
    )  # fmt: skip
    if rng.random() < 0.95:
        fields["account"] = one.account  # as campaigns fills it in
    lines = story.lines() if rng.random() < 0.2 else (Line(line=2, amount_rial=400_000),)
    body = story.post(
        Kind.CAPTURE,
        lines=lines,
        amount_rial=sum(line.amount_rial for line in lines),
        awards=story.awards(lines) if rng.random() < 0.5 else (),
        review_due_at=story.at + timedelta(hours=72) if rng.random() < 0.1 else None,
        redemption=_part(story, asked) if rng.random() < 0.97 else None,
        **fields,
    )
    return replace(body, lines=(*body.lines, *body.lines)) if rng.random() < 0.02 else body


def _part(story: "Story", asked: Redemption) -> Redemption:
    """All of what was reserved, part of it, or one too many."""
    rng = story.rng
    points = rng.choice((asked.points, asked.points, asked.points // 2, 0))
    points += rng.random() < 0.05
    credit = rng.choice((asked.credit_rial, asked.credit_rial, asked.credit_rial // 3))
    return terms(story, points, credit, asked.gift_rial)

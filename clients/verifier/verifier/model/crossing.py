"""Value between accounts, shards and units; cards and the wallet."""

from collections.abc import Iterable
from typing import Any

from verifier.model import budgets, money, undo, wallet
from verifier.model.commands_value import (
    Activate,
    Exchange,
    Piece,
    Receive,
    Reissue,
    Return,
    Send,
    TopUp,
)
from verifier.model.computation import (
    CREDIT,
    GIFT,
    GRACE,
    GRACED,
    MERCHANT,
    NETWORK,
    POINTS,
    Draft,
    Effects,
    No,
    spread,
)
from verifier.model.messages import micros
from verifier.model.originals import Original
from verifier.state import LOTS_PER_SEQUENCE, WAITING, Lot, Progress

_PIECES_MAX = 1024
_LACKS = {
    POINTS: "insufficient-points",
    MERCHANT: "insufficient-merchant-points",
    CREDIT: "insufficient-credit",
    GIFT: "insufficient-gift",
}
_COUNTER_UNIT = {MERCHANT: POINTS, POINTS: MERCHANT}


def send(draft: Draft, body: Send) -> Effects:
    """Put what a spend would take now into transit."""
    if not body.account or not body.to_account:
        raise No("no-account")
    if (body.to_shard, body.to_account) == (draft.state.shard, body.account):
        raise No("same-account")
    takes = _plan(draft, body.unit, body.issuer, body.amount)
    _dispatch(draft, takes, (body.to_shard, body.to_account, body.to_member), body)
    return Effects()


def _plan(draft: Draft, unit: str, issuer: int, amount: int) -> list[tuple[Lot, int]]:
    if unit not in _LACKS:
        raise No("not-value")
    draft.repay()
    takes = draft.plan(unit, amount, _LACKS[unit], issuer if unit == MERCHANT else None)
    if len(takes) > LOTS_PER_SEQUENCE or len(takes) > _PIECES_MAX:
        raise No("too-many-lots")
    return takes


def _dispatch(
    draft: Draft, takes: list[tuple[Lot, int]], to: tuple[int, int, int], body: Any
) -> None:
    gift = isinstance(body, Send)
    times = 0 if gift or isinstance(body, Reissue) else getattr(body, "forwarded", 0) + 1
    pieces = [(lot, amount, draft.take(lot, amount, "sent")) for lot, amount in takes]
    between(draft, "transit", [(lot.unit, lot.issuer, amount) for lot, amount, _ in pieces], 1)
    shard, sequence = draft.state.shard, draft.sequence
    content = (
        *to, shard, sequence, draft.owner, body.member if gift else 0,
        tuple([_piece(lot, amount, cost) for lot, amount, cost in pieces]),
        body.purpose if gift else "reissue", body.name, times,
    )  # fmt: skip
    draft.crosses.append((f"r.{shard}.{sequence}", content))


def _piece(lot: Lot, amount: int, cost: int) -> tuple[Any, ...]:
    start = None if lot.start == WAITING else lot.start
    return (
        lot.number, lot.unit, amount, cost, lot.issuer, lot.funder, lot.merchant, lot.rule,
        lot.version, lot.born, start, lot.until, lot.sliding, lot.origin in GRACED,
    )  # fmt: skip


def received_pieces(pieces: Iterable[Piece]) -> tuple[tuple[Any, ...], ...]:
    """Pieces of a receive as _piece has them."""
    return tuple(
        [
            (
                p.lot, p.unit, p.amount, p.cost_rial, p.issuer, p.funder, p.merchant, p.rule,
                p.rule_version, micros(p.born_at),
                None if p.available_from is None else micros(p.available_from),
                None if p.expires_at is None else micros(p.expires_at), p.sliding_days, p.graced,
            )
            for p in pieces
        ]
    )  # fmt: skip


def between(draft: Draft, role: str, moved: Iterable[tuple[str, int, int]], sign: int) -> None:
    """Value to the network's account of an issuer (sign 1), or from it (sign -1)."""
    sums: dict[tuple[str, int], int] = {}
    for unit, issuer, amount in moved:
        sums[unit, issuer] = sums.get((unit, issuer), 0) + sign * amount
    for (unit, issuer), amount in sums.items():
        draft.move(draft.value(unit, issuer), (NETWORK, role, unit, issuer), amount)


def receive(draft: Draft, body: Receive) -> Effects:
    """Open children of exactly the lots that were sent."""
    if not body.account:
        raise No("no-account")
    for piece in body.parcels:
        budgets.may_load(draft, piece.unit)
    draft.repay()
    for piece in body.parcels:
        like = {
            "unit": piece.unit, "issuer": piece.issuer, "funder": piece.funder,
            "start": WAITING if piece.available_from is None else micros(piece.available_from),
            "until": None if piece.expires_at is None else micros(piece.expires_at),
            "born": micros(piece.born_at), "merchant": piece.merchant, "rule": piece.rule,
            "version": piece.rule_version, "parent": piece.lot or None,
            "sliding": piece.sliding_days,
            "origin": "received-in-grace" if piece.graced else "received",
        }  # fmt: skip
        draft.fill(like, piece.amount, piece.cost_rial)
    between(draft, "transit", [(p.unit, p.issuer, p.amount) for p in body.parcels], -1)
    draft.repay()
    return Effects()


def bring_back(draft: Draft, original: Original | None) -> Effects:
    """Restore the same lots that were sent, once."""
    sent = [row for row in original.spent if row[11] == "sent"] if original is not None else []
    if original is None or not sent or original.account not in (0, draft.owner):
        raise No("unknown-original")
    if any(row[1] not in draft.purse.lots for row in sent):
        raise No("unknown-original")
    known = undo.progress_of(draft, original)
    if known.full:
        raise No("already-returned")
    draft.repay()
    moved: list[tuple[str, int, int]] = []
    for row in sent:
        moved.append((draft.purse.lots[row[1]].unit, row[8], row[2]))
        undo.give_back(draft, original, row, GRACE + draft.now)
    between(draft, "transit", moved, -1)
    draft.repay()
    effects = Effects()
    effects.progress = (
        original.name,
        Progress(known.sequence, known.total, known.refunded, True, known.reversed, known.verdict),
    )
    return effects


def pass_on(draft: Draft, body: Any, original: Original | None) -> None:
    """Forward value of a closed account to its successor. Value that stays reopens it, frozen."""
    registry = draft.state.registry
    if registry.standing(False, draft.owner) != "closed":
        return
    to = registry.successors.get(draft.owner)
    if isinstance(body, Return) and original is not None and original.type != "send-value.v1":
        to = None
    ready = draft.live()[:_PIECES_MAX]
    if to is not None and ready:
        _dispatch(draft, [(lot, lot.left) for lot in ready], (*to, 0), body)
    if draft.debts or draft.live():
        draft.changes.append(("standing", False, draft.owner, "frozen"))


def exchange(draft: Draft, body: Exchange) -> Effects:
    """A merchant's own points for network points, or back."""
    if not body.account:
        raise No("no-account")
    _check_rate(draft, body)
    takes = _plan(draft, body.unit, body.issuer, body.amount)
    surrendered = [(lot.unit, lot.issuer, amount) for lot, amount in takes]
    cost = body.cost_rial
    if body.unit == POINTS:
        draft.acceptor = body.issuer
        cost = _clear(draft, body, takes)
    else:
        for lot, amount in takes:
            draft.take(lot, amount, "exchanged")
    between(draft, "exchange", surrendered, 1)
    unit = _COUNTER_UNIT[body.unit]
    like = {
        "unit": unit, "issuer": body.issuer, "funder": body.issuer, "start": draft.now,
        "until": None if body.expires_at is None else micros(body.expires_at),
        "born": draft.occurred, "merchant": 0, "rule": body.rate, "version": body.version,
        "origin": "exchange", "parent": None,
    }  # fmt: skip
    draft.open(like, body.receives, cost)
    between(draft, "exchange", [(unit, body.issuer, body.receives)], -1)
    draft.repay()
    return Effects()


def _check_rate(draft: Draft, body: Exchange) -> None:
    if body.unit not in _COUNTER_UNIT or not body.issuer:
        raise No("not-value")
    rate = draft.state.registry.terms.get(("rate", body.rate, body.version))
    if rate is None:
        raise No("unknown-rate")
    numerator, denominator, accepted, _ = rate
    if NETWORK not in accepted or body.issuer not in accepted:
        raise No("rate-not-accepted")
    if body.unit == POINTS:
        numerator, denominator = denominator, numerator
    if (numerator, denominator) != (body.numerator, body.denominator):
        raise No("rate-differs")
    if body.receives != body.amount * numerator // denominator:
        raise No("rate-gives-otherwise")


def _clear(draft: Draft, body: Exchange, takes: list[tuple[Lot, int]]) -> int:
    """Issuers owe the merchant what the points cost; the merchant owes the fee."""
    costs = [lot.cost * amount // lot.left for lot, amount in takes]
    abroad = [
        cost if lot.issuer != body.issuer else 0
        for (lot, _), cost in zip(takes, costs, strict=True)
    ]
    fee = sum(abroad) * body.fee_bp // 10_000
    claims: dict[int, int] = {}
    for (lot, amount), cost, part in zip(takes, costs, spread(fee, abroad), strict=True):
        draft.take_at(lot, amount, "exchanged", (cost, cost, part))
        claims[lot.issuer] = claims.get(lot.issuer, 0) + cost
    for issuer, rial in claims.items():
        draft.fund(body.issuer, issuer, rial)
    money.fee(draft, body.issuer, fee)
    return sum(costs)


def activate(draft: Draft, body: Activate) -> Effects:
    """An unused account becomes a card."""
    if not body.account:
        raise No("no-account")
    if not body.issuer:
        raise No("no-issuer")
    if body.account in draft.state.registry.cards:
        raise No("card-already-active")
    if draft.debts or draft.live():
        raise No("account-in-use")
    draft.changes.append(("card", body.account, body.issuer))
    if body.amount_rial:
        like = {
            "unit": GIFT, "issuer": body.issuer, "funder": body.issuer, "start": draft.now,
            "until": None if body.expires_at is None else micros(body.expires_at),
            "born": draft.occurred, "merchant": 0, "rule": "gift-card", "version": 0,
            "origin": "card", "parent": None,
        }  # fmt: skip
        draft.open(like, body.amount_rial, body.amount_rial)
        draft.issue(GIFT, body.issuer, body.amount_rial)
    return Effects()


def reissue(draft: Draft, body: Reissue) -> Effects:
    """All value of a card goes to another card, and the card closes."""
    if body.account not in draft.state.registry.cards:
        raise No("card-not-active")
    if (body.to_shard, body.to_account) == (draft.state.shard, body.account):
        raise No("same-account")
    full = draft.live()
    if any(lot.held for lot in full):
        raise No("value-held")
    if any(lot.start == WAITING for lot in full):
        raise No("value-awaits")
    if draft.debts:
        raise No("account-owes")
    if full:
        to = (body.to_shard, body.to_account, 0)
        _dispatch(draft, [(lot, lot.left) for lot in full[:_PIECES_MAX]], to, body)
    if len(full) > _PIECES_MAX:
        draft.changes.append(("standing", False, body.account, "frozen"))
        return Effects(code="more-to-reissue")
    draft.changes.append(("standing", False, body.account, "closed"))
    draft.changes.append(("successor", body.account, body.to_shard, body.to_account))
    return Effects()


def top_up(draft: Draft, body: TopUp) -> Effects:
    """Money paid in becomes credit without a date."""
    if not body.account:
        raise No("no-account")
    if not body.custodian:
        raise No("no-issuer")
    wallet.pay_in(draft, body.custodian, body.merchant, body.amount_rial)
    return Effects()

"""The answer to an inquiry: a query, so nothing is booked and no time passes.

What can be spent is found by deciding redemptions as a till would send them, and throwing them
away. The preview has no rule of its own (findings F10, F11).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from contracts import redeeming
from contracts.ledger import Inquire, Offer, PostTransaction
from contracts.pos import Balance, Preview
from contracts.redeeming import Tender
from contracts.values import AMOUNT_MAX, Channel, Kind, Reason, Unit, public_id
from ledger.book import lots
from ledger.book.commands import Command
from ledger.book.errors import Unread
from ledger.book.facts import LOTS_PER_COMMAND_MAX
from ledger.posting.decide import rules
from ledger.posting.decide.batch_state import BatchState
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.domain import lines, texts
from ledger.posting.domain.lines import Spendable

_ROUNDS = 16  # points, then credit, then more points: the costs of both count together


VISITS_MAX: Final = 16_384


@dataclass(slots=True)
class Effort:
    """Lots that previews of one account may still visit within a poll: a tenth of a second.

    An account with more lots, or with more inquiries, gets an amount that can be spent but may not
    be the most, or no answer. An inquiry must not cost others what no sale does.
    """

    left: int = VISITS_MAX


def preview(book: BatchState, command: Command, effort: Effort) -> Preview:
    """The balance, and what a redemption could take off this basket now. Raises Unread."""
    body: Inquire = command.body
    trial = _Trial(book, command, effort)
    draft = trial.draft()
    draft.settle_debts()  # as the next posting would begin
    balance = draft.balance()
    spendable = Spendable(0, 0, 0, body.without)
    if body.decline:
        spendable = Spendable(0, 0, 0, body.decline)
    elif body.offer is not None:
        spendable = trial.spendable(body.offer, balance)
    fa, en = lines.of_inquiry(balance, spendable, basket=body.amount_rial > 0)
    if body.decline:
        fa, en = body.decline[0].fa, body.decline[0].en
    return Preview(
        id=public_id(command.shard, body.name),
        kind=Kind.INQUIRY,
        balance=balance,
        redeemable_points=spendable.points,
        redeemable_rial=spendable.rial,
        redeemable_credit_rial=spendable.credit_rial,
        would_earn_points=body.would_earn_points,
        reasons=() if spendable.rial else spendable.reasons,
        lines=body.lines,
        fa=fa,
        en=en,
    )


def room_of(body: Inquire) -> int:
    """Points that the basket could take."""
    if body.offer is None or body.decline:
        return 0
    return redeeming.most_points(body.offer, redeeming.room_rial(body.offer, _amount(body)))


def _least_price(offer: Offer) -> float:
    """Least cost in Rial of a point for which somebody owes all that it is worth."""
    if offer.least_points:
        return offer.least_rial / offer.least_points
    return offer.price_rial / offer.price_points


def _amount(body: Inquire) -> int:
    """The amount of the basket in Rial; no limit where the inquiry names none."""
    return body.amount_rial or AMOUNT_MAX


class _Trial:
    """Redemptions decided on the state as it is, each thrown away."""

    def __init__(self, book: BatchState, command: Command, effort: Effort) -> None:
        state = book.shard(command.shard)
        self._command = command
        self._effort = effort
        self._body: Inquire = command.body
        self._registry = state.registry
        self._member = book.member(command.shard, self._body.account)
        self._sequence = state.last_sequence + 1
        at = None if command.ahead else command.accepted_at
        self._now: datetime = max(state.decided_at, at or state.decided_at)

    def draft(self) -> AccountDraft:
        """The account as a command would meet it now."""
        draft = AccountDraft(
            self._command, self._body.account, self._member,
            sequence=self._sequence, now=self._now, registry=self._registry,
        )  # fmt: skip
        if draft.holds:
            draft.settle_due()
        return draft

    def spendable(self, offer: Offer, balance: Balance) -> Spendable:
        """The most points, then the most credit beside them, that a redemption could take."""
        room = redeeming.room_rial(offer, _amount(self._body))
        least, at_once = redeeming.least_points(offer), self._at_once()
        points = credit = 0
        for _ in range(_ROUNDS):
            fits = redeeming.most_points(offer, room - credit)
            most = min(balance.available_points, fits, at_once)
            takes = partial(self._takes_points, offer, credit)
            best_points = self._most(takes, max(least, points + 1), most)
            points = best_points or points
            most = min(balance.credit_rial, room - redeeming.worth(offer, points))
            best_credit = self._most(partial(self._takes_credit, offer, points), credit + 1, most)
            credit = best_credit or credit
            if not best_credit or self._effort.left <= 0:
                break
        rial = redeeming.worth(offer, points) + credit
        return Spendable(points, credit, rial, () if rial else self._why(offer, balance))

    def _at_once(self) -> int:
        """Points in as many lots as one command may take from."""
        if len(self._member.lots) <= LOTS_PER_COMMAND_MAX:
            return AMOUNT_MAX
        points = self.draft().of(Unit.NETWORK_POINTS)
        usable = sorted([x for x in points if lots.available(x, self._now)], key=lots.turn)
        return sum([lot.remaining - lot.held for lot in usable[:LOTS_PER_COMMAND_MAX]])

    def _most(self, completes: Callable[[int], bool], least: int, most: int) -> int:
        """The largest amount in least..most that completes; 0 where none does.

        Once the effort is spent, some amount that completes.
        """
        if most < least:
            return 0
        if completes(most):
            return most
        if not completes(least):
            return 0
        while most - least > 1 and self._effort.left > 0:
            middle = (least + most) // 2
            if completes(middle):
                least = middle
            else:
                most = middle
        return least

    def _why(self, offer: Offer, balance: Balance) -> tuple[Reason, ...]:
        """The reason why nothing that the account has can be spent."""
        room = redeeming.room_rial(offer, _amount(self._body))
        reason: Reason | None = None
        if balance.available_points:
            most = max(redeeming.least_points(offer), redeeming.most_points(offer, room))
            reason = self._objection(offer, min(balance.available_points, most), 0)
        if reason is None and balance.credit_rial:
            reason = self._objection(offer, 0, max(1, min(balance.credit_rial, room)))
        return () if reason is None else (reason,)

    def _takes_points(self, offer: Offer, credit_rial: int, points: int) -> bool:
        return self._objection(offer, points, credit_rial) is None

    def _takes_credit(self, offer: Offer, points: int, credit_rial: int) -> bool:
        return self._objection(offer, points, credit_rial) is None

    def _objection(self, offer: Offer, points: int, credit_rial: int) -> Reason | None:
        """The reason for which this redemption would be declined; None where it would complete."""
        body = self._body
        self._effort.left -= 1 + len(self._member.lots)
        tender = Tender(_amount(body), points, credit_rial)
        for code in redeeming.objections(offer, tender):
            return texts.reason(
                code,
                least=offer.redeem_min_points,
                most=redeeming.room_rial(offer, tender.amount_rial),
            )
        redemption = PostTransaction(
            name=body.name, kind=Kind.REDEMPTION, channel=Channel.TILL, merchant=body.merchant,
            acceptor=body.acceptor, branch=0, terminal=0, account=body.account,
            member=body.member, amount_rial=tender.amount_rial,
            redemption=redeeming.redemption(offer, tender),
        )  # fmt: skip
        draft = self.draft()
        draft.acceptor, draft.merchant = body.acceptor, body.merchant
        try:
            effects = rules.apply_rule(draft, redemption, None)
        except Unread:
            if not self._pays_for_itself(offer, credit_rial):
                raise
            return None
        return effects.reasons[0] if effects.reasons else None

    def _pays_for_itself(self, offer: Offer, credit_rial: int) -> bool:
        """Whether every lot that may be taken costs enough for what it is worth.

        Then only the sums can forbid a redemption, and those were checked before. Lots at hand are
        checked one by one: the batch may have opened or freed them since the costs were read.
        """
        unread = self._member.rest
        rest = unread.get((Unit.NETWORK_POINTS, 0))
        if rest is None or not rest.rows or (credit_rial and (Unit.CREDIT, 0) in unread):
            return False
        draft, price = self.draft(), _least_price(offer)
        points = [x for x in draft.of(Unit.NETWORK_POINTS) if lots.available(x, self._now)]
        credit = [x for x in draft.of(Unit.CREDIT) if lots.available(x, self._now) and credit_rial]
        if rest.rows + len(points) + len(credit) > LOTS_PER_COMMAND_MAX:
            return False
        return (
            rest.least_cost >= price
            and all(lot.cost_left + 1 >= lot.remaining * price for lot in points)
            and all(lot.cost_left + 1 >= lot.remaining for lot in credit)
        )

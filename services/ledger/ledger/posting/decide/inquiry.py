"""What an inquiry hears: a query, so nothing is booked and no time passes.

What can be spent is found by deciding redemptions as a till would send them, and throwing them
away: the preview has no rule of its own (findings F10, F11).
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

_ROUNDS = 16  # some more of this after so much of that: costs of both are weighed together


VISITS_MAX: Final = 16_384


@dataclass(slots=True)
class Effort:
    """Lots that previews of one account may still look at within a poll: a tenth of a second.

    Whoever has more lots, or asks more often, hears an amount that can be spent and may not be the
    most, or nothing: an inquiry must not cost others what no sale does.
    """

    left: int = VISITS_MAX


def preview(book: BatchState, command: Command, effort: Effort) -> Preview:
    """Balance, and what a redemption could take off this basket now. Raises Unread."""
    body: Inquire = command.body
    trial = _Trial(book, command, effort)
    draft = trial.draft()
    draft.settle_debts()  # as whatever is posted next begins
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
        fa=fa,
        en=en,
    )


def room_of(body: Inquire) -> int:
    """Points that the basket could take."""
    if body.offer is None or body.decline:
        return 0
    return redeeming.most_points(body.offer, redeeming.room_rial(body.offer, _amount(body)))


def _least_price(offer: Offer) -> float:
    """Rial that a point has to cost for somebody to owe all that it is worth."""
    if offer.least_points:
        return offer.least_rial / offer.least_points
    return offer.price_rial / offer.price_points


def _amount(body: Inquire) -> int:
    """Rial of the basket; of none, one without end."""
    return body.amount_rial or AMOUNT_MAX


class _Trial:
    """Redemptions decided on the state as it is, each thrown away."""

    def __init__(self, book: BatchState, command: Command, effort: Effort) -> None:
        state = book.shard(command.shard)
        self._command = command
        self._effort = effort
        self._body: Inquire = command.body
        self._house = state.registry
        self._member = book.member(command.shard, self._body.account)
        self._sequence = state.last_sequence + 1
        at = None if command.ahead else command.accepted_at
        self._now: datetime = max(state.decided_at, at or state.decided_at)

    def draft(self) -> AccountDraft:
        """The account as a command would find it now."""
        draft = AccountDraft(
            self._command, self._body.account, self._member,
            sequence=self._sequence, now=self._now, registry=self._house,
        )  # fmt: skip
        if draft.holds:
            draft.settle_due()
        return draft

    def spendable(self, offer: Offer, balance: Balance) -> Spendable:
        """The most points, then the most credit beside them, that a redemption would take."""
        room = redeeming.room_rial(offer, _amount(self._body))
        least, at_once = redeeming.least_points(offer), self._at_once()
        points = credit = 0
        for _ in range(_ROUNDS):
            fits = redeeming.most_points(offer, room - credit)
            most = min(balance.available_points, fits, at_once)
            takes = partial(self._takes_points, offer, credit)
            more = self._most(takes, max(least, points + 1), most)
            points = more or points
            most = min(balance.credit_rial, room - redeeming.worth(offer, points))
            also = self._most(partial(self._takes_credit, offer, points), credit + 1, most)
            credit = also or credit
            if not also or self._effort.left <= 0:
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
        """An amount that completes where one more does not, or more is not there; 0: none does.

        Where the effort is spent, an amount that completes.
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
        """Why nothing of what the account has can be spent."""
        room = redeeming.room_rial(offer, _amount(self._body))
        no: Reason | None = None
        if balance.available_points:
            most = max(redeeming.least_points(offer), redeeming.most_points(offer, room))
            no = self._objection(offer, min(balance.available_points, most), 0)
        if no is None and balance.credit_rial:
            no = self._objection(offer, 0, max(1, min(balance.credit_rial, room)))
        return () if no is None else (no,)

    def _takes_points(self, offer: Offer, credit_rial: int, points: int) -> bool:
        return self._objection(offer, points, credit_rial) is None

    def _takes_credit(self, offer: Offer, points: int, credit_rial: int) -> bool:
        return self._objection(offer, points, credit_rial) is None

    def _objection(self, offer: Offer, points: int, credit_rial: int) -> Reason | None:
        """Why this redemption would be declined; None where it would complete."""
        body = self._body
        self._effort.left -= 1 + len(self._member.lots)
        asked = Tender(_amount(body), points, credit_rial)
        for code in redeeming.objections(offer, asked):
            return texts.reason(
                code,
                least=offer.redeem_min_points,
                most=redeeming.room_rial(offer, asked.amount_rial),
            )
        posted = PostTransaction(
            name=body.name, kind=Kind.REDEMPTION, channel=Channel.TILL, merchant=body.merchant,
            acceptor=body.acceptor, branch=0, terminal=0, account=body.account,
            member=body.member, amount_rial=asked.amount_rial,
            redemption=redeeming.redemption(offer, asked),
        )  # fmt: skip
        draft = self.draft()
        draft.acceptor, draft.merchant = body.acceptor, body.merchant
        try:
            said = rules.apply_rule(draft, posted, None)
        except Unread:
            if not self._pays_for_itself(offer, credit_rial):
                raise
            return None
        return said.reasons[0] if said.reasons else None

    def _pays_for_itself(self, offer: Offer, credit_rial: int) -> bool:
        """Whether every lot that may be taken costs enough for what it is worth: then nothing but
        sums can forbid a redemption, and they were asked first.

        Lots at hand are asked each: the batch may have opened or freed them since costs were read.
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

"""Lots outside a sale: issued, revoked as far as unspent, expired."""

from typing import Final

from contracts.ledger import ExpireLot, IssueValue, RevokeIssue
from contracts.values import Unit
from ledger.book import chart_transfers, lots
from ledger.book.facts import LotMovementKind, PriorPosting, lot_of_issue
from ledger.posting.decide import budgets, issuance
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, unchanged
from ledger.posting.decide.kinds import Kind, always
from ledger.posting.decide.registry_needs import RegistryNeeds


def issue(draft: AccountDraft, body: IssueValue) -> Effects:
    """One lot, available at once (e.g. the first purchase's credit, SH5), later, or on an event.

    Points on an event are pending without a date, until a later command releases or cancels this
    issue.
    """
    if not body.account:
        return decline("no-account")
    no = issuance.refusal_to_issue(draft, body.unit, body.issuer, body.funder)
    no = no or budgets.fund_issue(draft, body)
    if no is not None:
        return no
    draft.settle_debts()
    lot, _ = lot_of_issue(
        body, sequence=draft.sequence, occurred_at=draft.command.occurred_at, now=draft.now
    )
    draft.open(lot)
    draft.settle_debts()
    return Effects()


def take_back(draft: AccountDraft, original: PriorPosting | None) -> Effects:
    """Revoke an earlier issue, as far as unspent, unheld and in date, with its funding; no debt.

    This includes children that refunds opened of its lot past its date (findings F14). Raises
    Unread.
    """
    if original is None or not original.grants or original.kind is not None:
        return decline("unknown-original")
    if draft.owner != original.account:
        return decline("another-account")
    draft.settle_debts()
    grant = original.grants[0]
    numbers = [grant.lot, *draft.children_of(draft.lots[grant.lot])]
    draft.lapse(numbers)
    left = [lot for number in numbers if (lot := draft.lots[number]).remaining > lot.held]
    if not left:
        return unchanged("nothing-left")
    cost = sum([draft.unissue(lot, LotMovementKind.CLAWED_BACK) for lot in left])
    budgets.give_back(draft, grant, cost)
    return Effects()


def expire(draft: AccountDraft, body: ExpireLot) -> Effects:
    """Book the expiry of a lot past its date, however it arose, without what a hold reserves."""
    lot = draft.lots.get(body.lot)
    if lot is None:
        return decline("unknown-lot")
    draft.lapse([lot.lot])
    if any(row.lot == lot.lot for row in draft.rows):  # by this command, or by a hold that fell due
        return Effects()
    if not lot.remaining:
        return unchanged("nothing-left")
    return decline("not-due") if lots.in_date(lot, draft.now) else unchanged("lot-held")


def _needs(needs: RegistryNeeds, shard: int, body: IssueValue) -> None:
    if body.budget is not None:
        needs.balances.add((shard, chart_transfers.budget_key(body.funder, body.budget)))
    if body.unit is Unit.GIFT:
        needs.cards.add((shard, body.account))


KINDS: Final = (
    Kind(
        IssueValue,
        lambda draft, body, _: issue(draft, body),
        needs=_needs,
        parties=lambda body: (body.issuer, body.funder),
        leaves=lambda body: body.unit is Unit.GIFT,  # a load of a blocked card
        makers=lambda body: (body.issuer, body.funder),
    ),
    Kind(RevokeIssue, lambda draft, _, original: take_back(draft, original)),
    Kind(
        ExpireLot,
        lambda draft, body, _: expire(draft, body),
        lot=lambda body: body.lot,
        exempt=always,
    ),
)

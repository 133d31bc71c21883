"""Lots by hand and by activity: sliding dates renewed, dates extended, value adjusted."""

from collections.abc import Iterator
from typing import Final

from contracts.value import AdjustValue, ExtendLot
from contracts.values import Unit
from ledger.book import chart, lots
from ledger.book.facts import LOTS_PER_COMMAND_MAX, Lot, LotMovementKind, Origin, lot_number
from ledger.posting.decide import issuance
from ledger.posting.decide.debits import Debit
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, decline_too_many
from ledger.posting.decide.kinds import Kind
from ledger.posting.decide.registry_needs import RegistryNeeds

RULE = "adjustment"


def renew(draft: AccountDraft) -> None:
    """Renew the account's open sliding lots in date, counted from this activity."""
    for lot in draft.lots.values():
        if lot.sliding_days and lot.remaining and lot.lot not in draft.opened:
            _slide(draft, lot)


def _slide(draft: AccountDraft, lot: Lot) -> None:
    if lots.in_date(lot, draft.now):
        active_at = min(draft.command.occurred_at, draft.now)
        until = lots.renewed_until(lot, active_at)
        draft.redate(lot, available_from=lot.available_from, expires_at=until)


def extend(draft: AccountDraft, body: ExtendLot) -> Effects:
    """A later date for a lot in date. A lot past its date is not brought back, swept or not."""
    lot = draft.lots.get(body.lot)
    if lot is None:
        return decline("unknown-lot")
    if not body.reason.strip():
        return decline("no-reason")
    if not lots.in_date(lot, draft.now):
        return decline("lot-past-date")
    if lot.expires_at is None or (
        body.expires_at is not None and body.expires_at <= lot.expires_at
    ):
        return decline("not-later")
    draft.redate(lot, available_from=lot.available_from, expires_at=body.expires_at)
    return Effects()


def adjust(draft: AccountDraft, body: AdjustValue) -> Effects:
    """A correction by hand, with two persons and a reason; never a debt."""
    if not body.account:
        return decline("no-account")
    if body.proposed_by == body.approved_by:
        return decline("same-person")
    if not body.reason.strip():
        return decline("no-reason")
    if body.unit is Unit.RIAL:
        return decline("not-value")
    if not body.take and (
        no := issuance.refusal_to_issue(draft, body.unit, body.issuer, body.funder)
    ):
        return no
    draft.settle_debts()
    if body.take:
        return _take(draft, body)
    lot = Lot(
        lot_number(draft.sequence, 0), body.account, body.unit, body.amount, body.cost_rial,
        body.issuer, body.funder, RULE, 0, draft.now, body.expires_at, draft.command.occurred_at,
        0, Origin.ADJUSTMENT, 0, body.amount, body.cost_rial,
    )  # fmt: skip
    draft.open(lot)
    draft.settle_debts()
    return Effects()


def _take(draft: AccountDraft, body: AdjustValue) -> Effects:
    plan = draft.plan_all(body.unit, body.issuer, body.amount)
    if plan.short:
        available = body.amount - plan.short
        return decline("insufficient-value", available=available, short=plan.short)
    if no := decline_too_many(plan.takes, LOTS_PER_COMMAND_MAX):
        return no
    costs: dict[int, int] = {}
    for lot, amount in plan.takes:
        row = draft.take(lot, amount, LotMovementKind.ADJUSTED)
        costs[lot.funder] = costs.get(lot.funder, 0) + row.cost_rial
    draft.post(chart.issue(draft.owner, body.unit, body.issuer, -body.amount))
    for funder, cost in costs.items():
        draft.post(chart.fund(body.issuer, funder, -cost))
    return Effects()


def _needs(needs: RegistryNeeds, shard: int, body: AdjustValue) -> None:
    if body.unit is Unit.GIFT:
        needs.cards.add((shard, body.account))


def _debits(body: AdjustValue, _: object) -> Iterator[Debit]:
    if body.take:
        yield Debit(body.unit, body.issuer, body.amount)


KINDS: Final = (
    Kind(ExtendLot, lambda draft, body, _: extend(draft, body), lot=lambda body: body.lot),
    Kind(
        AdjustValue,
        lambda draft, body, _: adjust(draft, body),
        debits=_debits,
        needs=_needs,
        parties=lambda body: (body.issuer, body.funder),
        makers=lambda body: () if body.take else (body.issuer, body.funder),
    ),
)

"""Lots outside a basket: issued, taken back as far as unspent, expired."""

from msgspec.structs import replace

from contracts.ledger import ExpireLot, IssueValue
from ledger.decide import verdicts
from ledger.decide.draft import Draft
from ledger.decide.verdicts import Said
from ledger.domain import chart, lots
from ledger.domain.book import Original, What, lot_of_issue


def issue(draft: Draft, body: IssueValue) -> Said:
    """One lot, available at once, e.g. the first purchase's credit (SH5)."""
    if not body.account:
        return verdicts.no("no-account")
    draft.settle_debts()
    lot, _ = lot_of_issue(
        body, sequence=draft.sequence, occurred_at=draft.command.occurred_at, now=draft.now
    )
    draft.open(lot)
    draft.settle_debts()
    return Said()


def take_back(draft: Draft, original: Original | None) -> Said:
    """What is unspent of an earlier issue; never a debt. Its funding goes back in proportion."""
    if original is None or not original.grants or original.kind is not None:
        return verdicts.no("unknown-original")
    if draft.owner != original.account:
        return verdicts.no("another-account")
    lot = draft.lots[original.grants[0].lot]
    if not lot.remaining:
        return verdicts.nothing("nothing-left")
    row = draft.take(lot, lot.remaining, What.CLAWED_BACK)
    draft.post(chart.issue(draft.owner, lot.unit, lot.issuer, -row.amount))
    draft.post(chart.fund(lot.issuer, lot.funder, -row.cost_rial))
    return Said()


def expire(draft: Draft, body: ExpireLot) -> Said:
    """Book what a lot still held when its date passed; how it arose does not matter."""
    lot = draft.lots.get(body.lot)
    if lot is None:
        return verdicts.no("unknown-lot")
    if not lot.remaining:
        return verdicts.nothing("nothing-left")
    if lots.in_date(lot, draft.now):
        return verdicts.no("not-due")
    draft.take(lot, lot.remaining, What.EXPIRED)
    draft.set(replace(draft.lots[lot.lot], lapsed=lot.lapsed + lot.remaining))
    draft.post(chart.expire(draft.owner, lot.unit, lot.issuer, lot.remaining))
    return Said()

"""The verbs of declines: take declined transactions out, early ones too; prune old declines."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.fraud import NameSeen
from contracts.ledger import Outcome
from contracts.values import Status
from fraud.declines import domain, store
from fraud.declines.domain import Declined
from fraud.screening import usecases as screening
from fraud.sums import usecases as sums
from kit.base.db import Tx

_TRANSACTIONS = ("post-transaction.v1", "refuse-transaction.v1")
_NOTHING_HAPPENED = (Status.DECLINED, Status.REFUSED)


async def record_outcomes(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> None:
    """Take declined and refused transactions, each with its shard, out of fraud's counts, once.

    The road applies it in its next poll of the same key, so that windows keep one writer.
    Completed transactions cost nothing here. Source: findings S8; decision 0023.
    """
    declines = [
        Declined(
            shard=shard,
            name=outcome.name,
            merchant=outcome.merchant,
            terminal=outcome.terminal,
            declined_at=outcome.decided_at,
        )
        for shard, outcome in outcomes
        if outcome.command in _TRANSACTIONS and outcome.status in _NOTHING_HAPPENED
    ]
    if declines:
        unknown = await _take_out(tx, declines)
        if unknown:
            await store.insert_early(tx, unknown)


async def take_out_early(tx: Tx, seen: Sequence[NameSeen]) -> None:
    """Take out transactions that were declined before the road decided them.

    That happens where a reversal came before its sale, or where old records are read again.
    """
    early = await store.find_early(tx, [(one.shard, one.name) for one in seen])
    if early:
        await _take_out(
            tx,
            [
                Declined(
                    shard=one.shard,
                    name=one.name,
                    merchant=one.merchant,
                    terminal=one.terminal,
                    declined_at=early[one.shard, one.name],
                )
                for one in seen
                if (one.shard, one.name) in early
            ],
        )


async def _take_out(tx: Tx, declines: Sequence[Declined]) -> list[Declined]:
    """Write withdrawals and subtract from days, once a name; gives those without a decision."""
    by_key = {(no.shard, no.name): no for no in declines}
    counted = await screening.find_counted(tx, list(by_key))
    gone = [
        (by_key[of.shard, of.name], key, event)
        for of in counted
        for key, event in domain.withdrawals(of, by_key[of.shard, of.name].merchant)
    ]
    if gone:
        fresh = await store.insert_withdrawals(tx, gone)
        pairs = [(by_key[k], of) for of in counted if (k := (of.shard, of.name)) in fresh]
        await sums.take_back(tx, domain.names_seen(pairs))
    known = {(of.shard, of.name) for of in counted}
    return [no for key, no in by_key.items() if key not in known]


async def prune_withdrawals(tx: Tx, *, now: datetime, hours: int, limit: int) -> int:
    """Forget declines older than windows are kept; gives how many rows."""
    return await store.delete_withdrawals(tx, now - timedelta(hours=hours), limit)

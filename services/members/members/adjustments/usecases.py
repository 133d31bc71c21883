"""Correcting what an account has, by two people: the ledger adds, or takes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream import requests
from members import errors
from members.adjustments import domain, store
from members.adjustments.domain import Adjustment, ExpiryPassed, SecondPersonNeeded
from members.people import usecases as people

_NEWEST: Final = 2**31 - 1


async def adjust(tx: Tx, account: int, fresh: Adjustment) -> Adjustment:
    """Send the ledger the command that corrects an account; the adjustment as it is kept.

    The same again sends nothing; who and when are the first one's. fresh: its version is assigned
    here. Of two at once, one loses with a DataError and is tried again. Raises SecondPersonNeeded,
    Unknown, Differs, ExpiryPassed.
    """
    shard = await people.get_shard(tx, account)
    if not fresh.approved_by:
        raise SecondPersonNeeded("a person proposes it and another approves; send it as a person")
    kept = await store.find_adjustment(tx, fresh.adjustment)
    if kept is not None:
        if kept[0] != account or kept[1].correction != fresh.correction:
            raise errors.Differs("this adjustment was another one; make a new UUID")
        (answered,) = await _answered(tx, account, [kept[1]])
        return answered
    expires_at = fresh.correction.expires_at
    if expires_at is not None and expires_at <= fresh.adjusted_at:
        raise ExpiryPassed("expires_at has passed; write a later time, or leave it out")
    last = await store.list_adjustments(tx, account, before=_NEWEST, limit=1)
    fresh = replace(fresh, version=last[0].version + 1 if last else 1)
    await store.insert_adjustment(tx, account, fresh)
    await requests.send(tx, [(shard, domain.command(account, fresh))])
    return fresh


async def record_answers(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> None:
    """Keep the ledger's answers to adjustments; the same again changes nothing."""
    await requests.record_outcomes(tx, outcomes, commands=(domain.COMMAND,))


async def get_adjustment(tx: Tx, account: int, adjustment: str) -> Adjustment:
    """An adjustment of an account, with the ledger's answer. Raises Unknown."""
    kept = await store.find_adjustment(tx, adjustment)
    if kept is None or kept[0] != account:
        raise errors.Unknown(f"account {account} has no adjustment {adjustment}; PUT it first")
    (answered,) = await _answered(tx, account, [kept[1]])
    return answered


async def list_adjustments(tx: Tx, account: int, *, before: int, limit: int) -> list[Adjustment]:
    """Adjustments of an account, newest first. Raises Unknown."""
    await people.get_shard(tx, account)
    listed = await store.list_adjustments(tx, account, before=before, limit=limit)
    return await _answered(tx, account, listed)


async def _answered(tx: Tx, account: int, kept: Sequence[Adjustment]) -> list[Adjustment]:
    """The adjustments, each with the ledger's answer."""
    names = [domain.command_name(account, one.adjustment) for one in kept]
    results = await requests.find_results(tx, names)
    return [one.answered(results[name]) for one, name in zip(kept, names, strict=True)]

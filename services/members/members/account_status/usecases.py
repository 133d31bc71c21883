"""Changing the status of an account: the ledger stops it, or opens it again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream import requests
from members import errors
from members.account_status import domain, store
from members.account_status.domain import AccountStatus, StatusChange
from members.people import usecases as people

NEWEST: Final = 2**31 - 1


async def change_status(tx: Tx, account: int, change: StatusChange) -> StatusChange:
    """Send the ledger the command that stops an account, or opens it; the change as it is kept.

    The same change again sends nothing. change: its version is assigned here. Of two changes at
    once, one loses with a DataError and is tried again. Raises Unknown, Differs.
    """
    shard = await people.get_shard(tx, account)
    kept = await store.find_change(tx, change.change)
    if kept is not None:
        if kept[0] != account or not kept[1].is_repeat(change):
            raise errors.Differs("this change was another one; make a new UUID")
        (answered,) = await _answered(tx, account, [kept[1]])
        return answered
    last = await store.list_changes(tx, account, before=NEWEST, limit=1)
    change = replace(change, version=last[0].version + 1 if last else 1)
    await store.insert_change(tx, account, change)
    await requests.send(tx, [(shard, domain.command(account, change))])
    return change


async def record_answers(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> None:
    """Keep the ledger's answers to changes of status; the same again changes nothing."""
    await requests.record_outcomes(tx, outcomes, commands=(domain.COMMAND,))


async def get_change(tx: Tx, account: int, change: str) -> StatusChange:
    """A change of an account, with the ledger's answer. Raises Unknown."""
    kept = await store.find_change(tx, change)
    if kept is None or kept[0] != account:
        raise errors.Unknown(f"account {account} has no change {change}; PUT it first")
    (answered,) = await _answered(tx, account, [kept[1]])
    return answered


async def get_status(tx: Tx, account: int) -> AccountStatus:
    """The status of an account by the newest change that the ledger booked. Raises Unknown."""
    await people.get_shard(tx, account)
    return await store.find_status(tx, account)


async def list_changes(tx: Tx, account: int, *, before: int, limit: int) -> list[StatusChange]:
    """Changes of an account's status, newest first."""
    changes = await store.list_changes(tx, account, before=before, limit=limit)
    return await _answered(tx, account, changes)


async def _answered(tx: Tx, account: int, changes: Sequence[StatusChange]) -> list[StatusChange]:
    """The changes, each with the ledger's answer."""
    names = [domain.command_name(account, change.change) for change in changes]
    results = await requests.find_results(tx, names)
    return [one.answered(results[name]) for one, name in zip(changes, names, strict=True)]

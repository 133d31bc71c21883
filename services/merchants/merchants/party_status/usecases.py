"""Changing the status of a party: every shard of the ledger stops it, or opens it again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream import requests
from merchants import errors
from merchants.parties import usecases as parties
from merchants.party_status import domain, store
from merchants.party_status.domain import PartyStatusChange
from merchants.terminal_status.domain import OperatingStatus

NEWEST: Final = 2**31 - 1


async def change_status(
    tx: Tx, party: int, change: PartyStatusChange, *, shards: int
) -> PartyStatusChange:
    """Send every shard the command that stops a party, or opens it; the change as it is kept.

    The same change again sends nothing. change: its version is assigned here. Raises Unknown,
    Differs.
    """
    await parties.lock_party(tx, party)
    kept = await store.find_change(tx, change.change)
    if kept is not None:
        if kept[0] != party or not kept[1].is_repeat(change):
            raise errors.Differs("this change was another one; make a new UUID")
        (answered,) = await _answered(tx, party, [kept[1]])
        return answered
    last = await store.list_changes(tx, party, before=NEWEST, limit=1)
    change = replace(change, version=last[0].version + 1 if last else 1)
    await store.insert_change(tx, party, change)
    commands = [(shard, domain.command(party, change, shard)) for shard in range(shards)]
    await requests.send(tx, commands)
    return change


async def record_answers(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> None:
    """Keep the shards' answers to changes of status; the same again changes nothing."""
    await requests.record_outcomes(tx, outcomes, commands=(domain.COMMAND,))


async def get_change(tx: Tx, party: int, change: str) -> PartyStatusChange:
    """A change of a party, with the ledger's answer. Raises Unknown."""
    kept = await store.find_change(tx, change)
    if kept is None or kept[0] != party:
        raise errors.Unknown(f"party {party} has no change {change}; PUT it first")
    (answered,) = await _answered(tx, party, [kept[1]])
    return answered


async def get_status(tx: Tx, party: int) -> OperatingStatus:
    """The status of a party by the newest change that every shard booked."""
    return await store.find_status(tx, party)


async def list_changes(tx: Tx, party: int, *, before: int, limit: int) -> list[PartyStatusChange]:
    """Changes of a party's status, newest first. Raises Unknown."""
    await parties.get_party(tx, party)
    changes = await store.list_changes(tx, party, before=before, limit=limit)
    return await _answered(tx, party, changes)


async def _answered(
    tx: Tx, party: int, changes: Sequence[PartyStatusChange]
) -> list[PartyStatusChange]:
    """The changes, each with the answers of the shards."""
    names = [domain.command_name(party, change.change) for change in changes]
    results = await requests.find_results(tx, names)
    return [one.answered(results[name]) for one, name in zip(changes, names, strict=True)]

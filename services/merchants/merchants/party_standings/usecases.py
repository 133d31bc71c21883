"""The emergency brake of parties: every shard of the book is asked to stop one, or to open it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit import outbox
from kit.db import Tx
from merchants import errors as words
from merchants.parties import usecases as partners
from merchants.party_standings import domain, store
from merchants.party_standings.domain import PartyChange
from merchants.standings.domain import Standing

NEWEST: Final = 2**31 - 1


async def change_standing(tx: Tx, party: int, asked: PartyChange, *, shards: int) -> PartyChange:
    """Ask the book to stop a party, or to open it, on each of its shards; the change as kept.

    The same change again asks nothing. asked: its version is given here. Raises Unknown, Differs.
    """
    await partners.lock_party(tx, party)
    kept = await store.find_change(tx, asked.change)
    if kept is not None:
        if kept[0] != party or not kept[1].asks_as(asked):
            raise words.Differs("this change was another one; make a new UUID")
        return kept[1]
    last = await store.list_changes(tx, party, before=NEWEST, limit=1)
    asked = replace(asked, version=last[0].version + 1 if last else 1)
    await store.insert_change(tx, party, asked, shards=shards)
    said = [(shard, domain.command(party, asked, shard)) for shard in range(shards)]
    outbox.add(tx, [outbox.message(topics.LEDGER_COMMANDS, c, partition=n) for n, c in said])
    return asked


async def hear_outcomes(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> None:
    """Keep what shards said to changes of standing; a second hearing changes nothing."""
    heard = [domain.answer_of(shard, outcome) for shard, outcome in outcomes]
    answers = [answer for answer in heard if answer is not None]
    if answers:
        await store.insert_answers(tx, answers)


async def get_change(tx: Tx, party: int, change: str) -> PartyChange:
    """One change of a party, and what became of it. Raises Unknown."""
    kept = await store.find_change(tx, change)
    if kept is None or kept[0] != party:
        raise words.Unknown(f"party {party} has no change {change}; PUT it first")
    return kept[1]


async def get_standing(tx: Tx, party: int) -> Standing:
    """Whether every shard of the book has a party stopped, as far as it was heard."""
    return Standing.STOPPED if await store.find_booked(tx, party) else Standing.OPEN


async def list_changes(tx: Tx, party: int, *, before: int, limit: int) -> list[PartyChange]:
    """Changes of a party's standing, newest first. Raises Unknown."""
    await partners.get_party(tx, party)
    return await store.list_changes(tx, party, before=before, limit=limit)

"""The emergency brake of accounts: the book is asked to stop one, and to open it again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit import outbox
from kit.db import Tx
from members import crypto as words
from members.people import usecases as people
from members.standings import domain, store
from members.standings.domain import Change, Standing

NEWEST: Final = 2**31 - 1


async def change_standing(tx: Tx, account: int, asked: Change) -> Change:
    """Ask the book to stop an account, or to open it; the change as it is kept.

    The same change again asks nothing. asked: its version is given here. Of two that come at once
    one loses with a DataError and is tried again. Raises Unknown, Differs.
    """
    shard = await people.get_shard(tx, account)
    kept = await store.find_change(tx, asked.change)
    if kept is not None:
        if kept[0] != account or not kept[1].asks_as(asked):
            raise words.Differs("this change was another one; make a new UUID")
        return kept[1]
    last = await store.list_changes(tx, account, before=NEWEST, limit=1)
    asked = replace(asked, version=last[0].version + 1 if last else 1)
    await store.insert_change(tx, account, asked)
    command = domain.command(account, asked)
    outbox.add(tx, [outbox.message(topics.LEDGER_COMMANDS, command, partition=shard)])
    return asked


async def hear_outcomes(tx: Tx, outcomes: Sequence[Outcome]) -> None:
    """Keep what the book said to changes of standing; a second hearing changes nothing."""
    answers = [answer for one in outcomes if (answer := domain.answer_of(one)) is not None]
    if answers:
        await store.update_answered(tx, answers)


async def get_change(tx: Tx, account: int, change: str) -> Change:
    """One change of an account, and what became of it. Raises Unknown."""
    kept = await store.find_change(tx, change)
    if kept is None or kept[0] != account:
        raise words.Unknown(f"account {account} has no change {change}; PUT it first")
    return kept[1]


async def get_standing(tx: Tx, account: int) -> Standing:
    """Whether the book has an account stopped, as far as it was heard. Raises Unknown."""
    await people.get_shard(tx, account)
    booked = await store.find_booked(tx, account)
    return Standing.OPEN if booked is None else booked.standing


async def list_changes(tx: Tx, account: int, *, before: int, limit: int) -> list[Change]:
    """Changes of an account's standing, newest first."""
    return await store.list_changes(tx, account, before=before, limit=limit)

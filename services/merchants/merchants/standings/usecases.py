"""The emergency brake: a terminal or a merchant is stopped at once, and opened again."""

from dataclasses import replace
from typing import Final

from contracts import envelope, topics
from contracts.merchants import MerchantStanding
from kit import outbox
from kit.db import Tx
from merchants import errors as words
from merchants.parties import usecases as partners
from merchants.standings import store
from merchants.standings.domain import Change, Kind, Standing, Subject
from merchants.terminals import usecases as terminals

_NEWEST: Final = 2**31 - 1


async def change_standing(tx: Tx, subject: Subject, asked: Change) -> tuple[Change, bool]:
    """Stop a terminal or merchant, or open it; the change as it is kept, and whether it is new.

    The gateways hear of it on the topic of terminals. The same change again does nothing, even
    after later ones. asked: its version is given here. Raises Unknown, Differs.
    """
    asked = replace(asked, version=await _lock(tx, subject) + 1)
    kept = await store.find_change(tx, asked.change)
    if kept is not None:
        if kept[0] != subject or not kept[1].asks_as(asked):
            raise words.Differs("this change was another one; make a new UUID")
        return kept[1], False
    await store.insert_change(tx, subject, asked)
    if subject.kind is Kind.TERMINAL:
        stopped = asked.standing is Standing.STOPPED
        await terminals.stop_terminal(tx, subject.number, stopped=stopped, now=asked.changed_at)
    else:
        _say_merchant(tx, subject.number, asked)
    return asked, True


async def list_changes(tx: Tx, subject: Subject, *, before: int, limit: int) -> list[Change]:
    """What happened to the standing of a terminal or merchant, newest first. Raises Unknown."""
    if subject.kind is Kind.TERMINAL:
        await terminals.get_terminal(tx, subject.number)
    else:
        await partners.get_merchant(tx, subject.number)
    return await store.list_changes(tx, subject, before=before, limit=limit)


async def _lock(tx: Tx, subject: Subject) -> int:
    """Hold the subject until the transaction ends; the version of its last change, 0 for none."""
    if subject.kind is Kind.TERMINAL:
        await terminals.lock_terminal(tx, subject.number)
    else:
        await partners.lock_merchant(tx, subject.number)
    last = await store.list_changes(tx, subject, before=_NEWEST, limit=1)
    return last[0].version if last else 0


def _say_merchant(tx: Tx, merchant: int, change: Change) -> None:
    stopped = change.standing is Standing.STOPPED
    key = f"merchant/{merchant}@{change.version}"
    said = envelope.Envelope(
        id=envelope.follow(key, "merchant-standing-changed.v1"),
        type="merchant-standing-changed.v1",
        key=key,
        occurred_at=change.changed_at,
        accepted_at=change.changed_at,
        data=MerchantStanding(merchant=merchant, version=change.version, stopped=stopped),
    )
    outbox.add(tx, [outbox.message(topics.MERCHANTS_TERMINALS, said)])

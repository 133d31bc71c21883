"""Changing the status of a terminal or a merchant, which every gateway applies at once."""

from dataclasses import replace
from typing import Final

from contracts import envelope, topics
from contracts.merchants import MerchantStanding
from kit.base.db import Tx
from kit.stream import outbox
from merchants import errors
from merchants.parties import usecases as parties
from merchants.terminal_status import store
from merchants.terminal_status.domain import OperatingStatus, StatusChange, Subject, SubjectKind
from merchants.terminals import usecases as terminals

_NEWEST: Final = 2**31 - 1


async def change_status(
    tx: Tx, subject: Subject, change: StatusChange
) -> tuple[StatusChange, bool]:
    """Stop a terminal or merchant, or open it; the change as it is kept, and whether it is new.

    The gateways read it from the topic of terminals. The same change again does nothing, even
    after later ones. change: its version is assigned here. Raises Unknown, Differs.
    """
    change = replace(change, version=await _lock(tx, subject) + 1)
    kept = await store.find_change(tx, change.change)
    if kept is not None:
        if kept[0] != subject or not kept[1].is_repeat(change):
            raise errors.Differs("this change was another one; make a new UUID")
        return kept[1], False
    await store.insert_change(tx, subject, change)
    if subject.kind is SubjectKind.TERMINAL:
        stopped = change.standing is OperatingStatus.STOPPED
        await terminals.stop_terminal(tx, subject.number, stopped=stopped, now=change.changed_at)
    else:
        _publish_merchant(tx, subject.number, change)
    return change, True


async def list_changes(tx: Tx, subject: Subject, *, before: int, limit: int) -> list[StatusChange]:
    """Changes of the status of a terminal or merchant, newest first. Raises Unknown."""
    if subject.kind is SubjectKind.TERMINAL:
        await terminals.get_terminal(tx, subject.number)
    else:
        await parties.get_merchant(tx, subject.number)
    return await store.list_changes(tx, subject, before=before, limit=limit)


async def _lock(tx: Tx, subject: Subject) -> int:
    """Lock the subject until the transaction ends; the version of its last change, 0 for none."""
    if subject.kind is SubjectKind.TERMINAL:
        await terminals.lock_terminal(tx, subject.number)
    else:
        await parties.lock_merchant(tx, subject.number)
    last = await store.list_changes(tx, subject, before=_NEWEST, limit=1)
    return last[0].version if last else 0


def _publish_merchant(tx: Tx, merchant: int, change: StatusChange) -> None:
    stopped = change.standing is OperatingStatus.STOPPED
    key = f"merchant/{merchant}@{change.version}"
    event = envelope.Envelope(
        id=envelope.derive_id(key, "merchant-standing-changed.v1"),
        type="merchant-standing-changed.v1",
        key=key,
        occurred_at=change.changed_at,
        accepted_at=change.changed_at,
        data=MerchantStanding(merchant=merchant, version=change.version, stopped=stopped),
    )
    outbox.add(tx, [outbox.message(topics.MERCHANTS_TERMINALS, event)])

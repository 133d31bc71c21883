"""Kafka door: outcomes that members are told, and where to reach them."""

from collections.abc import Sequence
from functools import partial

from contracts import topics
from contracts.ledger import Outcome
from contracts.members import Contact, HoldingChanged
from contracts.merchants import Merchant
from kit.consumer import Event, Subscription
from kit.db import Tx
from notify.settings import Settings
from notify.usecases import messages


async def on_ledger_entries(
    tx: Tx, batch: Sequence[Event], *, part_price_rial: int, support: str = ""
) -> None:
    """Every outcome of the book; what is to be told becomes a row in the queue."""
    heard: list[tuple[int, Outcome]] = [(event.partition, event.data) for event in batch]
    await messages.queue_messages(tx, heard, part_price_rial=part_price_rial, support=support)


async def on_members_notices(
    tx: Tx, batch: Sequence[Event], *, part_price_rial: int, support: str = ""
) -> None:
    """What came to a member's account or left it; each becomes a row in the queue."""
    heard: list[HoldingChanged] = [event.data for event in batch if event.envelope is not None]
    await messages.queue_notices(tx, heard, part_price_rial=part_price_rial, support=support)


async def on_merchants_merchants(tx: Tx, batch: Sequence[Event]) -> None:
    """Titles of merchants, the newest of each."""
    heard = [e.data for e in batch if e.envelope is not None and isinstance(e.data, Merchant)]
    await messages.keep_merchants(tx, heard)


async def on_members_contacts(tx: Tx, batch: Sequence[Event]) -> None:
    """Contacts as members keeps them; a tombstone erases. The last word of the poll counts."""
    last: dict[int, Contact | None] = {}
    for event in batch:
        contact: Contact | None = None if event.envelope is None else event.data
        member = int(event.key) if contact is None else contact.member
        before = last.get(member)
        if contact is None or before is None or before.version < contact.version:
            last[member] = contact
    await messages.keep_contacts(
        tx,
        [contact for contact in last.values() if contact is not None],
        [member for member, contact in last.items() if contact is None],
    )


def outcomes(given: Settings) -> tuple[Subscription, ...]:
    """What the ledger makes of everything."""
    return (
        Subscription(
            topic=topics.LEDGER_ENTRIES,
            handle=partial(
                on_ledger_entries,
                part_price_rial=given.sms_part_price_rial,
                support=given.support_phone,
            ),
            decoders={"outcome-recorded.v1": Outcome},
        ),
    )


def state(given: Settings) -> tuple[Subscription, ...]:
    """What the other consumer reads: members, what happened to what they hold, and shops."""
    return (
        Subscription(
            topic=topics.MEMBERS_CONTACTS,
            handle=on_members_contacts,
            decoders={"contact-changed.v1": Contact},
        ),
        Subscription(topic=topics.MERCHANTS_MERCHANTS, handle=on_merchants_merchants),
        Subscription(
            topic=topics.MEMBERS_NOTICES,
            handle=partial(
                on_members_notices,
                part_price_rial=given.sms_part_price_rial,
                support=given.support_phone,
            ),
        ),
    )

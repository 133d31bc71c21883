"""Kafka door of contacts."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.members import Contact
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from notify.contacts import store, usecases


async def on_members_contacts(tx: Tx, batch: Sequence[Event]) -> None:
    """Keep contacts as members has them; a tombstone erases. The last event of a member counts."""
    last: dict[int, Contact | None] = {}
    for event in batch:
        contact: Contact | None = None if event.envelope is None else event.data
        member = int(event.key) if contact is None else contact.member
        before = last.get(member)
        if contact is None or before is None or before.version < contact.version:
            last[member] = contact
    await usecases.keep_contacts(
        tx,
        [contact for contact in last.values() if contact is not None],
        [member for member, contact in last.items() if contact is None],
    )


CONTACTS: Final = Subscription(
    topic=topics.MEMBERS_CONTACTS,
    handle=on_members_contacts,
    decoders={"contact-changed.v1": Contact},
    tables=(store.CONTACTS,),
)

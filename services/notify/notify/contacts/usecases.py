"""Keeping the contacts that members publishes; opening one to send to it or to mask it."""

import logging
from collections.abc import Sequence

from contracts import keys
from contracts.keys import Ring
from contracts.members import Contact
from kit.base.db import Tx
from kit.room import Resources
from notify.contacts import domain, store
from notify.contacts.domain import Unreadable

log = logging.getLogger(__name__)


def key_ring(opened: Resources) -> Ring:
    """The keys that open contacts; `opened.shared(key_ring)` reads them once. Raises ValueError."""
    ring = domain.ring_of(opened.settings.contact_keys)
    log.info("keys that open contacts: %s", keys.names(ring))
    return ring


async def keep_contacts(tx: Tx, changed: Sequence[Contact], erased: Sequence[int]) -> None:
    """Keep the newest contact of each member; forget those erased."""
    if changed:
        await store.upsert_contacts(tx, changed)
    if erased:
        await store.delete_contacts(tx, erased)


async def find_contacts(
    tx: Tx, *, members: Sequence[int], accounts: Sequence[int]
) -> dict[int, Contact]:
    """Contacts of these members and of everybody on these accounts, by member."""
    return await store.find_contacts(tx, members=members, accounts=accounts)


async def find_sealed(tx: Tx, members: Sequence[int]) -> dict[int, str]:
    """The sealed contacts of members that have one, by member."""
    return await store.find_sealed(tx, members)


def key_heads(ring: Ring) -> list[str]:
    """The first eight characters of a sealed contact that one of the keys opens."""
    return domain.key_heads(ring)


def key_id(head: str) -> str:
    """The id of the key that such a head names, in hex."""
    return domain.key_id(head)


def open_mobile(sealed: str, *, member: int, ring: Ring) -> str:
    """The mobile number of a sealed contact, E.164. Raises Unreadable."""
    return domain.unseal(sealed, member=member, ring=ring).mobile


def masked_mobile(sealed: str | None, *, member: int, ring: Ring) -> str:
    """The mobile number as a panel may show it; "" where there is none or it does not open."""
    if sealed is None:
        return ""
    try:
        return domain.mask(open_mobile(sealed, member=member, ring=ring))
    except Unreadable:
        return ""  # whoever sends to it logs the reason

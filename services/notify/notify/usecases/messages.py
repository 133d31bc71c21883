"""From an outcome to a row in the queue, and reading the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.keys import Ring
from contracts.ledger import Outcome
from contracts.members import Contact, HoldingChanged
from contracts.merchants import Merchant
from kit import local
from kit.db import Record, Tx
from notify import store
from notify.domain import contacts as sealing
from notify.domain import messages

SETTLE_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A message as operators see it. mobile: masked; "" where the contact is not known."""

    id: int
    member: int
    account: int
    template: str
    cause: str
    locale: str
    mobile: str
    text: str
    parts: int
    price_rial: int
    cost_rial: int
    state: str
    reason: str
    attempts: int
    provider_id: int | None
    decided_at: datetime
    expires_at: datetime


async def keep_contacts(tx: Tx, changed: Sequence[Contact], erased: Sequence[int]) -> None:
    """Keep the newest contact of each member; forget those erased."""
    if changed:
        await store.upsert_contacts(tx, changed)
    if erased:
        await store.delete_contacts(tx, erased)


async def keep_merchants(tx: Tx, merchants: Sequence[Merchant]) -> None:
    """Keep the newest titles of merchants, for the texts to name."""
    if merchants:
        await store.upsert_merchants(tx, merchants)


async def queue_messages(
    tx: Tx, heard: Sequence[tuple[int, Outcome]], *, part_price_rial: int, support: str = ""
) -> int:
    """Queue what (shard, outcome) call for; gives how many rows are new.

    support: the number that texts name for questions. A message whose contact is not known yet
    waits for it. Twice the same adds nothing.
    """
    called = [(shard, one) for shard, one in heard if messages.template_of(one) is not None]
    if not called:
        return 0
    contacts = await store.find_contacts(
        tx,
        members=sorted({one.member for _, one in called if one.member}),
        accounts=sorted({one.account for _, one in called if not one.member}),
    )
    wanted = [(shard, one) for shard, one in called if messages.is_wanted(one, contacts)]
    if not wanted:
        return 0
    drafts = [d for shard, one in wanted if (d := messages.draft_of(shard, one)) is not None]
    shops = sorted({draft.merchant for draft in drafts if draft.merchant})
    titles = await store.find_titles(tx, shops) if shops else {}
    named = [messages.naming(draft, titles) for draft in drafts]
    rows = messages.write(named, contacts, support=support)
    return await store.insert_messages(tx, rows, part_price_rial=part_price_rial)


async def queue_notices(
    tx: Tx, heard: Sequence[HoldingChanged], *, part_price_rial: int, support: str = ""
) -> int:
    """Queue what members are told of their identifiers; gives how many rows are new.

    Whatever they consented to (findings A10). Twice the same adds nothing.
    """
    if not heard:
        return 0
    contacts = await store.find_contacts(
        tx, members=sorted({one.member for one in heard}), accounts=[]
    )
    parties = sorted({one.party for one in heard if one.party})
    titles = await store.find_titles_of_parties(tx, parties) if parties else {}
    drafts = [messages.draft_of_notice(one, titles.get(one.party, ("", ""))) for one in heard]
    rows = messages.write(drafts, contacts, support=support)
    return await store.insert_messages(tx, rows, part_price_rial=part_price_rial)


async def address_waiting(tx: Tx, *, part_price_rial: int, support: str = "") -> int:
    """Queue the rows whose contact has come meanwhile; gives how many had one.

    A row that does not read any more has failed, and holds up no other.
    """

    def addressed(row: Record) -> tuple[int, messages.Written]:
        one = store.waiting_of(row)
        return one.message_id, messages.addressed(one.draft, one.contact, support=support)

    waiting = await store.lock_arrived(tx, limit=SETTLE_MAX)
    if waiting:
        rows = dict(local.legible(waiting, addressed, "messages"))
        await store.update_addressed(tx, rows, part_price_rial=part_price_rial)
        unread = [row["id"] for row in waiting if row["id"] not in rows]
        if unread:
            await store.update_unreadable(tx, unread)
    return len(waiting)


async def expire_messages(tx: Tx, *, now: datetime) -> int:
    """End what is past its time by the house's clock; gives how many."""
    return await store.update_expired(tx, now=now, limit=SETTLE_MAX)


async def list_messages(
    tx: Tx, *, member: int | None, after: int, limit: int, ring: Ring
) -> list[View]:
    """Messages in order of id, numbers masked."""
    rows = await store.list_messages(tx, member=member, after=after, limit=limit)
    return [_view(row, ring) for row in rows]


async def count_messages(tx: Tx) -> dict[str, int]:
    """How many messages are in each state."""
    return await store.count_messages(tx)


def _view(row: Record, ring: Ring) -> View:
    shown = dict(row)
    sealed = shown.pop("sealed")
    mobile = ""
    if sealed is not None:
        try:
            mobile = sealing.masked(sealing.unseal(sealed, member=row["member"], ring=ring).mobile)
        except sealing.Unreadable:
            mobile = ""  # the lane says why
    return View(**shown, mobile=mobile)

"""Queueing messages, addressing them, moving them through their states, reading them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from contracts.keys import Ring
from contracts.ledger import Outcome
from contracts.members import HoldingChanged
from kit.base.db import Record, Tx
from kit.stream import local_tables
from notify import settings
from notify.contacts import usecases as contacts
from notify.sms_provider import STATUS_UNKNOWN, DeliveryReport
from notify.sms_queue import domain, store
from notify.sms_queue.domain import State, StateChange, UndeliveredMessage
from notify.titles import usecases as titles

SETTLE_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message as operators see it. mobile: masked; "" where the contact is not known."""

    id: int
    member: int
    account: int
    template: str
    cause: str
    locale: str
    mobile: str
    text: str
    segments: Annotated[int, Field(serialization_alias="parts")]
    price_rial: int
    cost_rial: int
    state: str
    reason: str
    attempts: int
    provider_id: int | None
    decided_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that is about to be handed over. sealed None: the contact was erased meanwhile."""

    message_id: int
    member: int
    text: str
    sealed: str | None


# --------------------------------------------------------------------------------------- queueing


async def queue_outcomes(
    tx: Tx,
    outcomes: Sequence[tuple[int, Outcome]],
    *,
    segment_price_rial: int,
    support: str = "",
) -> int:
    """Queue the messages that (shard, outcome) call for; gives how many rows are new.

    support: the number that texts name for questions. A message whose contact is not known yet
    waits for it. The same outcome again adds nothing.
    """
    called = [(shard, one) for shard, one in outcomes if domain.template_of(one) is not None]
    if not called:
        return 0
    known = await contacts.find_contacts(
        tx,
        members=sorted({one.member for _, one in called if one.member}),
        accounts=sorted({one.account for _, one in called if not one.member}),
    )
    due = [(shard, one) for shard, one in called if domain.is_due(one, known)]
    if not due:
        return 0
    drafts = [d for shard, one in due if (d := domain.draft_of(shard, one)) is not None]
    shops = sorted({draft.merchant for draft in drafts if draft.merchant})
    of_shops = await titles.find_of_merchants(tx, shops)
    titled = [domain.with_titles(draft, of_shops) for draft in drafts]
    rows = domain.queued_messages(titled, known, support=support)
    return await store.insert_messages(tx, rows, segment_price_rial=segment_price_rial)


async def queue_notices(
    tx: Tx, notices: Sequence[HoldingChanged], *, segment_price_rial: int, support: str = ""
) -> int:
    """Queue the messages about members' identifiers; gives how many rows are new.

    They go to every member named, whatever the consents (findings A10). The same again adds
    nothing.
    """
    if not notices:
        return 0
    known = await contacts.find_contacts(
        tx, members=sorted({one.member for one in notices}), accounts=[]
    )
    parties = sorted({one.party for one in notices if one.party})
    of_parties = await titles.find_of_parties(tx, parties)
    drafts = [domain.draft_of_notice(one, of_parties.get(one.party, ("", ""))) for one in notices]
    rows = domain.queued_messages(drafts, known, support=support)
    return await store.insert_messages(tx, rows, segment_price_rial=segment_price_rial)


async def address_waiting(tx: Tx, *, segment_price_rial: int, support: str = "") -> int:
    """Queue the rows whose contact has come meanwhile; gives how many had one.

    A row that cannot be decoded fails, and holds up no other.
    """
    rows = await store.lock_addressable(tx, limit=SETTLE_MAX)
    recipients = sorted({row["recipient"] for row in rows})
    known = await contacts.find_contacts(tx, members=recipients, accounts=[])
    ready = [row for row in rows if row["recipient"] in known]  # else it was erased meanwhile

    def addressed(row: Record) -> tuple[int, domain.QueuedMessage]:
        contact = known[row["recipient"]]
        return row["id"], domain.addressed(store.draft_of(row), contact, support=support)

    if ready:
        messages = dict(local_tables.legible(ready, addressed, "messages"))
        await store.update_addressed(tx, messages, segment_price_rial=segment_price_rial)
        unreadable = [row["id"] for row in ready if row["id"] not in messages]
        if unreadable:
            await store.update_unreadable(tx, unreadable)
    return len(ready)


async def expire_messages(tx: Tx, *, now: datetime) -> int:
    """End messages that are past their time by the platform's clock; gives how many."""
    return await store.update_expired(tx, now=now, limit=SETTLE_MAX)


# ---------------------------------------------------------------------------------------- sending


async def has_unsent(tx: Tx) -> bool:
    """Whether a message is queued, or was handed over without a known end."""
    return await store.has_queued_or_sending(tx)


async def claim_queued(
    tx: Tx, *, now: datetime, wall: datetime, ring: Ring
) -> list[ClaimedMessage]:
    """Move up to BATCH_MAX queued messages to `sending`, oldest first.

    now: the platform's time, which decides what has expired. A message whose contact needs a key
    that is not in ring stays queued.
    """
    rows = await store.claim_queued(
        tx,
        now=now,
        wall=wall,
        limit=settings.BATCH_MAX,
        key_heads=contacts.key_heads(ring),
    )
    sealed = await contacts.find_sealed(tx, [row["member"] for row in rows])
    return [
        ClaimedMessage(row["id"], row["member"], row["text"], sealed.get(row["member"]))
        for row in rows
    ]


async def count_without_key(tx: Tx, ring: Ring) -> dict[str, int]:
    """The number of queued messages that wait for a key which is not in ring, by the key's id."""
    by_head = await store.count_without_key(tx, key_heads=contacts.key_heads(ring))
    return {contacts.key_id(head): queued for head, queued in by_head.items()}


async def list_sending(tx: Tx) -> list[tuple[int, datetime]]:
    """(id, wall time) of messages whose hand-over has no known end, up to BATCH_MAX of them."""
    return await store.list_sending(tx, limit=settings.BATCH_MAX)


async def requeue(tx: Tx, message_ids: Sequence[int]) -> None:
    """Put messages that certainly were not sent back into the queue."""
    await store.update_requeued(tx, message_ids)


async def end_message(
    tx: Tx, message_id: int, state: State, *, reason: str, wall: datetime
) -> None:
    """End a message, with the reason."""
    await _move(tx, state, [StateChange(message_id=message_id, reason=reason)], wall)


async def forget_messages(tx: Tx, message_ids: Sequence[int], *, wall: datetime) -> None:
    """End messages of which the provider may know nothing any more as `unknown`."""
    changes = [StateChange(message_id=i, reason="provider-forgot") for i in message_ids]
    await _move(tx, State.UNKNOWN, changes, wall)


async def record_sent(
    tx: Tx, reports: Sequence[tuple[int, DeliveryReport]], *, wall: datetime
) -> dict[State, int]:
    """Record the provider's answer to a hand-over, by our id; gives the number of each state."""
    by_state: defaultdict[State, list[StateChange]] = defaultdict(list)
    for message_id, report in reports:
        change = StateChange(
            message_id=message_id, provider_id=report.provider_id, cost_rial=report.cost_rial
        )
        by_state[domain.state_of_status(report.status) or State.ACCEPTED].append(change)
    for state, changes in by_state.items():
        await _move(tx, state, changes, wall)
    return {state: len(changes) for state, changes in by_state.items()}


async def _move(tx: Tx, state: State, changes: Sequence[StateChange], wall: datetime) -> None:
    await store.update_states(
        tx, state, changes, predecessors=domain.predecessors(state), wall=wall
    )


# --------------------------------------------------------------------------------------- delivery


async def record_delivery(tx: Tx, reports: Sequence[DeliveryReport]) -> set[int]:
    """Move messages forward by the provider's reports, in their order.

    Gives the provider's ids that are ours. A state never moves back, and a final one stays.
    """
    ours = await store.find_provider_ids(tx, [report.provider_id for report in reports])
    latest = domain.latest_states(
        [(report.provider_id, report.status) for report in reports if report.provider_id in ours]
    )
    by_state: defaultdict[State, list[int]] = defaultdict(list)
    for provider_id, state in latest.items():
        by_state[state].append(provider_id)
    for state, ids in by_state.items():
        await store.update_reported(tx, state, ids, predecessors=domain.predecessors(state))
    return ours


async def claim_undelivered(tx: Tx, *, wall: datetime) -> list[UndeliveredMessage]:
    """Up to POLL_IDS_MAX messages to poll the delivery of, longest unpolled first."""
    return await store.claim_undelivered(
        tx,
        accepted_before=wall - settings.POLL_AGE_MIN,
        polled_before=wall - settings.POLL_AGAIN_AFTER,
        wall=wall,
        limit=settings.POLL_IDS_MAX,
    )


async def record_poll(
    tx: Tx,
    polled: Sequence[UndeliveredMessage],
    reports: Sequence[DeliveryReport],
    *,
    wall: datetime,
) -> None:
    """Record the answers of a poll, one for each message in order.

    A message that the provider does not know ends as `unknown` once it is older than what the
    provider remembers.
    """
    await record_delivery(tx, reports)
    forgotten = [
        message.message_id
        for message, report in zip(polled, reports, strict=True)
        if report.status == STATUS_UNKNOWN and wall - message.accepted_at > settings.STATUS_HORIZON
    ]
    if forgotten:
        await forget_messages(tx, forgotten, wall=wall)


# ---------------------------------------------------------------------------------------- reading


async def list_messages(
    tx: Tx, *, member: int | None, after: int, limit: int, ring: Ring
) -> list[MessageView]:
    """Messages in order of id, mobile numbers masked."""
    rows = await store.list_messages(tx, member=member, after=after, limit=limit)
    sealed = await contacts.find_sealed(tx, sorted({row["member"] for row in rows}))
    return [_view(row, sealed.get(row["member"]), ring) for row in rows]


async def count_messages(tx: Tx) -> dict[str, int]:
    """How many messages are in each state."""
    return await store.count_messages(tx)


def _view(row: Record, sealed: str | None, ring: Ring) -> MessageView:
    mobile = contacts.masked_mobile(sealed, member=row["member"], ring=ring)
    return MessageView(**dict(row), mobile=mobile)

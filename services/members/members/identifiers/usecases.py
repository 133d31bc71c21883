"""Issuing, blocking and rebinding identifiers; a change is published in its transaction."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts import envelope, keys, topics
from contracts.members import HoldingChange, Identifier, IdentifierKind, as_of
from kit.base import errors, ids
from kit.base.db import Tx
from kit.stream import outbox
from members import crypto, settings
from members.additions import domain as rules
from members.additions import usecases as additions
from members.additions.domain import Addition, Enroller
from members.crypto import Keys
from members.errors import Differs, Unknown
from members.identifiers import domain, store
from members.identifiers.domain import Fresh, Rebinding
from members.people import usecases as people
from members.people.domain import AccountBinding

LISTED_MAX: Final = 100
PARTITIONS: Final = topics.partitions(topics.MEMBERS_IDENTIFIERS, shards=1, gateways=1)


@dataclass(frozen=True, slots=True)
class IssuedIdentifier:
    """A card or QR as its holder sees it; text None: an earlier answer gave it, none keeps it."""

    identifier: Identifier
    text: str | None


def messages(identifiers: Sequence[Identifier], now: datetime) -> list[outbox.Message]:
    """The messages that publish identifiers, one partition a digest; CPU only."""
    return [_message(identifier, now) for identifier in identifiers]


async def find_marks(tx: Tx, marks: Sequence[domain.Mark]) -> dict[str, Identifier]:
    """Identifiers that exist under any digest of a mark, by the mark's newest digest."""
    existing = await store.find_digests(tx, [digest for mark in marks for digest in mark.digests])
    return {mark.digest: existing[d] for mark in marks for d in mark.digests if d in existing}


async def find_identifier(tx: Tx, identifier_id: uuid.UUID) -> Identifier | None:
    """The identifier of an id, or None."""
    return await store.find_identifier(tx, identifier_id)


async def get_digest(tx: Tx, digest: str) -> Identifier:
    """The identifier of a digest. Raises Unknown."""
    existing = await store.find_digests(tx, [digest])
    if not existing:
        raise Unknown("no identifier has this digest")
    return existing[digest]


async def insert_fresh(tx: Tx, fresh: Sequence[Fresh], now: datetime) -> None:
    """Keep new identifiers; the caller publishes them. A digest that exists raises."""
    await store.insert_identifiers(tx, fresh, now)


async def list_held(tx: Tx, member: int, *, at: datetime) -> list[Identifier]:
    """Identifiers that mean the member at a time, oldest first."""
    past_and_present = await store.list_of_member(tx, member, limit=LISTED_MAX)
    return domain.held_by(past_and_present, member, at=at)


async def issue_card(
    tx: Tx,
    binding: AccountBinding,
    identifier_id: uuid.UUID,
    *,
    key_set: Keys,
    prefix: str,
    now: datetime,
) -> tuple[IssuedIdentifier, bool]:
    """A physical card under the caller's id, its number in this answer only; whether it was new.

    Raises Differs (the id is another's), Unavailable (no free number among those drawn).
    """
    kept = await store.find_identifier(tx, identifier_id)
    if kept is not None:
        if kept.kind is not IdentifierKind.CARD or kept.bindings[0].member != binding.member:
            raise Differs("this id belongs to another identifier; make a new UUID")
        return IssuedIdentifier(kept, None), False
    drawn = [
        domain.card_number(prefix, secrets.randbelow(10**domain.CARD_BODY_DIGITS))
        for _ in range(settings.CARD_CANDIDATES)
    ]
    marks = [domain.mark(key_set.identifiers, IdentifierKind.CARD, number) for number in drawn]
    taken = await find_marks(tx, marks)
    free = [m for m in marks if m.digest not in taken]
    if not free:
        raise errors.Unavailable("every card number drawn was taken; send the same again")
    card = domain.new_identifier(str(identifier_id), free[0], binding=binding, now=now)
    await _issue(tx, Fresh(card), now)
    return IssuedIdentifier(card, free[0].text), True


async def issue_qr(
    tx: Tx, binding: AccountBinding, wrapped_key: bytes, *, key_set: Keys, now: datetime
) -> IssuedIdentifier:
    """A virtual card; its text is kept under the member's own key, to be shown again."""
    text = domain.QR_PREFIX + secrets.token_urlsafe(24)
    mark = domain.mark(key_set.identifiers, IdentifierKind.QR, text)
    qr = domain.new_identifier(ids.uuid7(now), mark, binding=binding, now=now)
    own = crypto.own_key(key_set, wrapped_key, binding.member, crypto.OWN_QR)
    sealed = crypto.seal(own, text.encode(), binding.member)
    await _issue(tx, Fresh(qr, sealed), now)
    return IssuedIdentifier(qr, text)


async def show_qr(
    tx: Tx, identifier: Identifier, wrapped_key: bytes, *, key_set: Keys
) -> str | None:
    """Text of a virtual card; None when it came from another member's hands."""
    sealed = await store.find_sealed(tx, identifier.identifier_id)
    member = identifier.bindings[0].member
    if sealed is None or identifier.bindings[-1].member != member:
        return None
    own = crypto.own_key(key_set, wrapped_key, member, crypto.OWN_QR)
    return keys.unseal((own,), sealed, member).decode()


async def block_identifier(
    tx: Tx, identifier_id: uuid.UUID, *, by: Enroller, now: datetime
) -> Identifier:
    """The identifier, blocked; a second time changes nothing. Raises Unknown, OfAnotherParty."""
    current = await _lock(tx, identifier_id)
    await additions.refuse_other_party(tx, by, as_of(current.bindings, now).account)
    changed = domain.block(current, now=now)
    if changed is not current:
        await store.update_identifier(tx, changed)
        outbox.add(tx, [_message(changed, now)])
    return changed


async def rebind_identifier(
    tx: Tx, identifier_id: uuid.UUID, rebinding: Rebinding, *, by: Enroller, now: datetime
) -> tuple[Identifier, bool]:
    """Bind an identifier to another member from rebinding.from_at on; whether it was new.

    The members of the account that it joins get a notice, and those of the one that it leaves.
    Raises Unknown (identifier, member), NotOfAccount, TooSoon, Differs, TooManyBindings,
    OfAnotherParty, TooManyAdditions.
    """
    current = await _lock(tx, identifier_id)
    left = current.bindings[-1].account
    await additions.refuse_other_party(tx, by, left)
    kept = await store.find_binding(tx, rebinding.binding_id)
    if kept is not None:
        owner, b = kept
        was = Rebinding(rebinding.binding_id, b.member, b.account, b.from_at)
        if owner != str(identifier_id) or was != rebinding:
            raise Differs("this binding id wrote another binding; make a new UUID")
        return current, False
    binding = (await people.get_person(tx, rebinding.member)).binding
    await additions.refuse_other_party(tx, by, binding.account)
    if binding.account != rebinding.account:
        raise domain.NotOfAccount(
            f"member {rebinding.member} does not share account {rebinding.account}"
        )
    if len(current.bindings) >= settings.BINDINGS_MAX:
        raise domain.TooManyBindings("this identifier changed hands too often; issue a new one")
    changed = domain.rebind(current, binding, rebinding.from_at, now=now)
    await additions.add(tx, by, binding.account, [changed], now=now)
    if left != binding.account:
        holders = await people.list_households(tx, [left])
        labels = rules.spending_labels([changed])
        moved = Addition(left, holders[left], labels, HoldingChange.MOVED)
        additions.publish_notices(tx, by, [moved], now=now)
    await store.update_identifier(tx, changed)
    await store.insert_binding(
        tx, identifier_id, changed.bindings[-1], binding_id=rebinding.binding_id, now=now
    )
    outbox.add(tx, [_message(changed, now)])
    return changed, True


async def _issue(tx: Tx, fresh: Fresh, now: datetime) -> None:
    await store.insert_identifiers(tx, [fresh], now)
    outbox.add(tx, [_message(fresh.identifier, now)])


async def _lock(tx: Tx, identifier_id: uuid.UUID) -> Identifier:
    kept = await store.lock_identifier(tx, identifier_id)
    if kept is None:
        raise Unknown(f"there is no identifier {identifier_id}")
    return kept


def _message(identifier: Identifier, now: datetime) -> outbox.Message:
    key = f"{identifier.digest}@{identifier.version}"
    event = envelope.Envelope(
        id=envelope.derive_id(key, "identifier-changed.v1"),
        type="identifier-changed.v1",
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=identifier,
    )
    partition = int(identifier.digest[-8:], 16) % PARTITIONS
    return outbox.message(topics.MEMBERS_IDENTIFIERS, event, partition=partition)

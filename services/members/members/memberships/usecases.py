"""Enrolling people, one by one or by the file, and the whole view of a member."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from contracts.members import Identifier, IdentifierKind, SealedContact
from kit.base import ids
from kit.base.db import Tx
from kit.stream import outbox
from members import crypto as words
from members.additions import domain as rules
from members.additions import usecases as additions
from members.additions.domain import Addition, Enroller
from members.balances import usecases as balances
from members.balances.domain import Balance
from members.crypto import Seat, Vault
from members.identifiers import domain as marks
from members.identifiers import usecases as identifiers
from members.identifiers.domain import Fresh
from members.identifiers.usecases import Shown
from members.memberships import domain, store
from members.memberships.domain import Draft, Enrolled, Refusal, Request, Result, Sorted, Touch
from members.people import usecases as people
from members.people.domain import Kept, NewPerson, Person
from members.terms import Terms

ON_LOOP_MAX: Final = 50  # members sealed on the event loop; more go to a thread


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership as its holder sees it. card.text None: the number was shown before."""

    seat: Seat
    card: Shown
    qr: Shown


@dataclass(frozen=True, slots=True)
class AddedMobile:
    """A mobile for a member who has none, under the caller's id. text: in any spelling."""

    member: int
    identifier_id: uuid.UUID
    text: str


@dataclass(frozen=True, slots=True)
class Member:
    """Everything the room knows of a member. balance None: the ledger said nothing yet."""

    person: Person
    contact: SealedContact
    identifiers: list[Identifier]
    household: list[int]
    balance: Balance | None


@dataclass(frozen=True, slots=True)
class _Prepared:
    kept: list[Kept]
    fresh: list[Fresh]
    messages: list[outbox.Message]


async def enrol(
    tx: Tx,
    enrolment: uuid.UUID,
    asked: Request,
    *,
    by: Enroller,
    terms: Terms,
    now: datetime,
) -> tuple[Membership, bool]:
    """Enrol one person under the caller's id; whether the member is new.

    A known mobile gives the membership it has; a card or QR that it lacks is issued, and whoever is
    on the account is told. Raises Invalid with the refusal's code, OfAnotherParty,
    TooManyAdditions, and Differs where the id made another request.
    """
    vault = terms.vault
    kept = await store.find_enrolment(tx, enrolment)
    if kept is not None:
        member, before = kept
        if not domain.is_repeat(asked, before, keys=vault.requests):
            raise words.Differs("this enrolment id made another request; make a new UUID")
        await additions.refuse_foreign(tx, by, (await people.get_person(tx, member)).seat.account)
        return (await _membership(tx, member, terms=terms, now=now))[0], False
    draft = domain.read(asked, keys=vault.identifiers, wording=terms.wording)
    if isinstance(draft, Refusal):
        raise domain.refused(draft)
    (result,), added = await _enrol(tx, [draft], by=by, terms=terms, now=now, shows=True)
    if isinstance(result, Refusal):
        raise domain.refused(result)
    fingerprint = domain.fingerprint(asked, key=vault.requests[0])
    await store.insert_enrolment(tx, enrolment, result.seat.member, fingerprint)
    made, issued = await _membership(tx, result.seat.member, terms=terms, now=now)
    told = [rules.shown_too(one, issued, made.qr.identifier) for one in added]
    additions.tell(tx, by, told, now=now)
    return made, not result.known


async def enrol_batch(
    tx: Tx, drafts: Sequence[Draft], *, by: Enroller, terms: Terms, now: datetime
) -> list[Result]:
    """Enrol many, in sets; one result a draft. A race for an identifier is a DataError 23505."""
    results, added = await _enrol(tx, drafts, by=by, terms=terms, now=now, shows=False)
    additions.tell(tx, by, added, now=now)
    return results


async def _enrol(
    tx: Tx,
    drafts: Sequence[Draft],
    *,
    by: Enroller,
    terms: Terms,
    now: datetime,
    shows: bool,
) -> tuple[list[Result], list[Addition]]:
    """Results, and what was added to accounts that were there before.

    shows: a membership that is known is shown to whoever asks, which is an addition of its own.
    """
    found = await identifiers.find_marks(tx, [m for draft in drafts for m in draft.marks])
    plan = domain.sort_out(drafts, found, now=now)
    new = [n for n, opens in enumerate(plan.opens) if opens]
    seats = await people.take_seats(tx, [drafts[n].account for n in new], shards=terms.shards)
    results = _results(plan, dict(zip(new, seats, strict=True)))
    domain.refuse(results, plan, domain.of_other_parties(drafts, by))
    touches = domain.touches(drafts, plan, results, shows=shows)
    added = await _claim(tx, touches, results, plan, by=by, now=now)
    prepare = partial(_prepare, drafts, plan, results, terms.vault, by, now)
    made = await asyncio.to_thread(prepare) if len(drafts) > ON_LOOP_MAX else prepare()
    await people.insert_people(tx, made.kept, now)
    await identifiers.insert_fresh(tx, made.fresh, now)
    outbox.add(tx, made.messages)
    return results, added


async def _claim(
    tx: Tx,
    touches: Sequence[Touch],
    results: list[Result],
    plan: Sorted,
    *,
    by: Enroller,
    now: datetime,
) -> list[Addition]:
    """Count what touches old accounts and refuse what may not; who is to be told of the rest."""
    if not touches:
        return []
    answers = await additions.claim_all(tx, by, [touch.account for touch in touches], now=now)
    refused = {
        touch.index: domain.refusal_of(error)
        for touch, error in zip(touches, answers, strict=True)
        if error is not None
    }
    domain.refuse(results, plan, refused)
    left = [touch for touch in touches if touch.index not in refused]
    holders = await people.list_households(tx, [touch.account for touch in left])
    return [Addition(t.account, holders[t.account], t.identifiers) for t in left]


async def add_mobile(
    tx: Tx, asked: AddedMobile, *, by: Enroller, vault: Vault, now: datetime
) -> tuple[Identifier, bool]:
    """Give a member enrolled without a mobile one, under the caller's id; whether it was new.

    From then on the mobile finds the membership, at a till and at an enrolment, and notify hears
    of the person. Raises Unknown, Differs (the id is another identifier's), Invalid with a
    refusal's code, OfAnotherParty, TooManyAdditions. A race for the mobile is a DataError 23505.
    """
    person = await people.lock_person(tx, asked.member)
    await additions.refuse_foreign(tx, by, person.seat.account)
    shown = domain.read_mobile(asked.text, keys=vault.identifiers)
    if isinstance(shown, Refusal):
        raise domain.refused(shown)
    kept = await identifiers.find_identifier(tx, asked.identifier_id)
    if kept is not None:
        if kept.digest not in shown.digests or kept.bindings[0].member != asked.member:
            raise words.Differs("this id belongs to another identifier; make a new UUID")
        return kept, False
    if people.open_person(person, vault).mobile:
        raise domain.refused(domain.refusal(domain.HAS_MOBILE, "the member has a mobile already"))
    if await identifiers.find_marks(tx, [shown]):
        raise domain.refused(domain.refusal(domain.TAKEN, "mobile: belongs to another member"))
    made = marks.make(str(asked.identifier_id), shown, seat=person.seat, now=now)
    await additions.add(tx, by, person.seat.account, [made], now=now)
    await identifiers.insert_fresh(tx, [Fresh(made)], now)
    outbox.add(tx, identifiers.messages([made], now))
    await people.record_mobile(tx, person, shown.text, vault=vault, now=now)
    return made, True


async def add_card(
    tx: Tx, member: int, card: uuid.UUID, *, by: Enroller, terms: Terms, now: datetime
) -> tuple[Seat, Shown, bool]:
    """A further card of a member, under the caller's id: whose, as shown, whether it was new.

    Raises Unknown, Differs, Unavailable, OfAnotherParty, TooManyAdditions.
    """
    seat = (await people.get_person(tx, member)).seat
    await additions.refuse_foreign(tx, by, seat.account)
    shown, created = await identifiers.issue_card(
        tx, seat, card, vault=terms.vault, prefix=terms.card_prefix, now=now
    )
    if created:
        await additions.add(tx, by, seat.account, [shown.identifier], now=now)
    return seat, shown, created


async def find_member(tx: Tx, member: int, *, vault: Vault, now: datetime) -> Member:
    """Everything the room knows of a member. Raises Unknown."""
    person = await people.get_person(tx, member)
    return Member(
        person=person,
        contact=people.open_person(person, vault),
        identifiers=await identifiers.list_held(tx, member, at=now),
        household=await people.list_household(tx, person.seat.account),
        balance=await balances.find_balance(tx, person.seat.account),
    )


def _results(plan: Sorted, taken: dict[int, Seat | None]) -> list[Result]:
    results: list[Result] = []
    for index, (holder, why) in enumerate(zip(plan.holders, plan.refusals, strict=True)):
        if holder is None:
            results.append(why or domain.refusal(domain.TAKEN, "belongs to another member"))
            continue
        seat = holder.seat or taken[holder.index]
        if seat is None:
            results.append(domain.refusal(domain.NO_ACCOUNT, "account: there is none so numbered"))
        else:
            results.append(Enrolled(seat, known=index not in taken))
    return results


def _prepare(
    drafts: Sequence[Draft],
    plan: Sorted,
    results: Sequence[Result],
    vault: Vault,
    by: Enroller,
    now: datetime,
) -> _Prepared:
    """Seal and encode all that is to be written; CPU only."""
    new: list[NewPerson] = []
    fresh: list[Fresh] = []
    for index, (draft, result) in enumerate(zip(drafts, results, strict=True)):
        if isinstance(result, Refusal):
            continue
        if plan.opens[index]:
            new.append(
                NewPerson(
                    seat=result.seat,
                    opens=draft.account is None,
                    contact=draft.contact,
                    consents=draft.consents,
                    locale=draft.locale,
                    party=by.party or draft.party,
                )
            )
        for shown in plan.marks[index]:
            fresh.append(Fresh(marks.make(ids.uuid7(now), shown, seat=result.seat, now=now)))
    kept = people.seal_people(new, vault)
    reached = [k.contact for k in kept if k.new.contact.mobile]
    said = people.contact_messages(reached, now)
    said += identifiers.messages([f.identifier for f in fresh], now)
    return _Prepared(kept, fresh, said)


async def _membership(
    tx: Tx, member: int, *, terms: Terms, now: datetime
) -> tuple[Membership, list[Identifier]]:
    """A membership whole, and what had to be issued for it."""
    person = await people.get_person(tx, member)
    held = await identifiers.list_held(tx, member, at=now)
    card = next((i for i in held if i.kind is IdentifierKind.CARD), None)
    qr = next((i for i in held if i.kind is IdentifierKind.QR), None)
    vault, issued = terms.vault, list[Identifier]()
    if card is None:
        new_id = uuid.UUID(ids.uuid7(now))
        shown_card, _ = await identifiers.issue_card(
            tx, person.seat, new_id, vault=vault, prefix=terms.card_prefix, now=now
        )
        issued.append(shown_card.identifier)
    else:
        shown_card = Shown(card, None)
    if qr is None:
        shown_qr = await identifiers.issue_qr(
            tx, person.seat, person.wrapped_key, vault=vault, now=now
        )
        issued.append(shown_qr.identifier)
    else:
        text = await identifiers.show_qr(tx, qr, person.wrapped_key, vault=vault)
        shown_qr = Shown(qr, text)
    return Membership(person.seat, shown_card, shown_qr), issued

"""Enrolling people, one by one or by the file, and the whole view of a member."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from contracts.members import Identifier, IdentifierKind, SealedContact
from kit.base import ids
from kit.base.db import Tx
from kit.stream import outbox
from members import errors
from members.additions import domain as rules
from members.additions import usecases as additions
from members.additions.domain import Addition, Claim, Enroller
from members.balances import usecases as balances
from members.balances.domain import Balance
from members.crypto import Keys
from members.identifiers import domain as marks
from members.identifiers import usecases as identifiers
from members.identifiers.domain import Fresh
from members.identifiers.usecases import IssuedIdentifier
from members.memberships import domain, store
from members.memberships.domain import Draft, Enrolled, Refusal, Request, Result, Sorted, Touch
from members.people import usecases as people
from members.people.domain import AccountBinding, Kept, NewPerson, Person
from members.terms import Terms

Made = TypeVar("Made")
ON_LOOP_MAX: Final = 50  # members sealed on the event loop; more go to a thread


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership as its holder sees it. card.text None: an earlier answer gave the number."""

    binding: AccountBinding
    card: IssuedIdentifier
    qr: IssuedIdentifier


@dataclass(frozen=True, slots=True)
class NewMobile:
    """A mobile for a member who has none, under the caller's id. text: in any spelling."""

    member: int
    identifier_id: uuid.UUID
    text: str


@dataclass(frozen=True, slots=True)
class Member:
    """Everything the service knows of a member. balance None: no outcome yet."""

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
    request: Request,
    *,
    by: Enroller,
    terms: Terms,
    now: datetime,
) -> tuple[Membership, bool] | Refusal:
    """Enrol one person under the caller's id; whether the member is new.

    A known mobile gives the membership it has; a card or QR that it lacks is issued, and the
    members of the account get a notice. A refusal for what the service knows is returned, so that
    its count is committed. Raises Invalid with the refusal's code where the request does not read,
    OfAnotherParty, and Differs where the id made another request.
    """
    key_set = terms.key_set
    kept = await store.find_enrolment(tx, enrolment)
    if kept is not None:
        member, before = kept
        if not domain.is_repeat(request, before, keys=key_set.requests):
            raise errors.Differs("this enrolment id made another request; make a new UUID")
        await additions.refuse_other_party(
            tx, by, (await people.get_person(tx, member)).binding.account
        )
        return (await _membership(tx, member, terms=terms, now=now))[0], False
    draft = domain.read(request, keys=key_set.identifiers, wording=terms.wording)
    if isinstance(draft, Refusal):
        raise domain.refused(draft)
    (result,), added = await _enrol(tx, [draft], by=by, terms=terms, now=now, shows=True)
    if isinstance(result, Refusal):
        return result
    fingerprint = domain.fingerprint(request, key=key_set.requests[0])
    await store.insert_enrolment(tx, enrolment, result.binding.member, fingerprint)
    membership, issued = await _membership(tx, result.binding.member, terms=terms, now=now)
    notices = [rules.with_issued(one, issued, membership.qr.identifier) for one in added]
    additions.publish_notices(tx, by, notices, now=now)
    return membership, not result.known


def accepted(outcome: Made | Refusal) -> Made:
    """What was made; raises a refusal, which its transaction has counted and committed."""
    if isinstance(outcome, Refusal):
        raise domain.refused(outcome)
    return outcome


async def enrol_batch(
    tx: Tx, drafts: Sequence[Draft], *, by: Enroller, terms: Terms, now: datetime
) -> list[Result]:
    """Enrol many, in sets; one result a draft. A race for an identifier is a DataError 23505."""
    results, added = await _enrol(tx, drafts, by=by, terms=terms, now=now, shows=False)
    additions.publish_notices(tx, by, added, now=now)
    return results


async def check_batch(
    tx: Tx, drafts: Sequence[Draft], *, by: Enroller, now: datetime
) -> list[Result]:
    """Which drafts name a member; enrols nobody. One result a draft, as enrol_batch gives them.

    Raises OfAnotherParty for a partner's key: who is a member elsewhere is the network's to know.
    """
    if by.party is not None:
        raise rules.OfAnotherParty("who is a member is told to the network alone")
    existing = await identifiers.find_marks(tx, [m for draft in drafts for m in draft.marks])
    barred = domain.bars(drafts, by, {}, shows=False)
    plan = domain.sort_out(drafts, existing, barred, now=now)
    new = [n for n, opens in enumerate(plan.opens) if opens]
    results = _results(plan, dict.fromkeys(new), by)
    stranger = domain.refusal(domain.NO_MEMBER, "no member has this mobile or reference")
    domain.refuse(results, plan, dict.fromkeys(new, stranger))
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
    """Results, and the additions to existing accounts.

    shows: a known membership is answered with its identifiers, which is an addition of its own.
    """
    existing = await identifiers.find_marks(tx, [m for draft in drafts for m in draft.marks])
    accounts = {draft.account for draft in drafts if draft.account is not None}
    accounts |= {domain.binding_of(identifier, now).account for identifier in existing.values()}
    parties = await additions.find_parties(tx, sorted(accounts))
    barred = domain.bars(drafts, by, parties, shows=shows)
    plan = domain.sort_out(drafts, existing, barred, now=now)
    new = [n for n, opens in enumerate(plan.opens) if opens]
    bindings = await people.assign_bindings(
        tx, [drafts[n].account for n in new], shards=terms.shards
    )
    results = _results(plan, dict(zip(new, bindings, strict=True)), by)
    touched = domain.touches(drafts, plan, results, shows=shows)
    refused = await _claim(tx, domain.claims(drafts, plan, touched, by), by=by, now=now)
    domain.refuse(results, plan, refused)
    added = await _additions(tx, [touch for touch in touched if touch.index not in refused])
    prepare = partial(_prepare, drafts, plan, results, terms.key_set, by, now)
    prepared = await asyncio.to_thread(prepare) if len(drafts) > ON_LOOP_MAX else prepare()
    await people.insert_people(tx, prepared.kept, now)
    await identifiers.insert_fresh(tx, prepared.fresh, now)
    outbox.add(tx, prepared.messages)
    return results, added


async def _claim(
    tx: Tx, claims: Mapping[int, Claim], *, by: Enroller, now: datetime
) -> dict[int, Refusal]:
    """Count what a batch asks room for; what of it may not be, by index."""
    answers = await additions.claim_all(tx, by, list(claims.values()), now=now)
    return {
        index: domain.refusal_of(error)
        for index, error in zip(claims, answers, strict=True)
        if error is not None
    }


async def _additions(tx: Tx, touched: Sequence[Touch]) -> list[Addition]:
    """What was added, with everybody who is to be told of it."""
    if not touched:
        return []
    holders = await people.list_households(tx, [touch.account for touch in touched])
    return [Addition(t.account, holders[t.account], t.identifiers) for t in touched]


async def add_mobile(
    tx: Tx, mobile: NewMobile, *, by: Enroller, key_set: Keys, now: datetime
) -> tuple[Identifier, bool] | Refusal:
    """Give a member enrolled without a mobile one, under the caller's id; whether it was new.

    From then on the mobile finds the membership, at a till and at an enrolment, and notify gets
    the contact. Whose the mobile is, is counted like an addition; that it is taken is returned,
    so that its count is committed. Raises Unknown, Differs (the id is another identifier's),
    Invalid with a refusal's code, OfAnotherParty, TooManyAdditions. A race for the mobile is a
    DataError 23505.
    """
    person = await people.lock_person(tx, mobile.member)
    await additions.refuse_other_party(tx, by, person.binding.account)
    mark = domain.read_mobile(mobile.text, keys=key_set.identifiers)
    if isinstance(mark, Refusal):
        raise domain.refused(mark)
    kept = await identifiers.find_identifier(tx, mobile.identifier_id)
    if kept is not None:
        if kept.digest not in mark.digests or kept.bindings[0].member != mobile.member:
            raise errors.Differs("this id belongs to another identifier; make a new UUID")
        return kept, False
    if people.open_person(person, key_set).mobile:
        raise domain.refused(domain.refusal(domain.HAS_MOBILE, "the member has a mobile already"))
    await additions.claim(tx, by, person.binding.account, now=now)
    if await identifiers.find_marks(tx, [mark]):
        return domain.refusal(domain.TAKEN, "mobile: belongs to another member")
    identifier = marks.new_identifier(
        str(mobile.identifier_id), mark, binding=person.binding, now=now
    )
    await additions.publish_addition(tx, by, person.binding.account, [identifier], now=now)
    await identifiers.insert_fresh(tx, [Fresh(identifier)], now)
    outbox.add(tx, identifiers.messages([identifier], now))
    await people.record_mobile(tx, person, mark.text, key_set=key_set, now=now)
    return identifier, True


async def add_card(
    tx: Tx, member: int, card: uuid.UUID, *, by: Enroller, terms: Terms, now: datetime
) -> tuple[AccountBinding, IssuedIdentifier, bool]:
    """A further card of a member, under the caller's id: its holder, the card, whether it was new.

    Raises Unknown, Differs, Unavailable, OfAnotherParty, TooManyAdditions.
    """
    binding = (await people.get_person(tx, member)).binding
    await additions.refuse_other_party(tx, by, binding.account)
    issued, created = await identifiers.issue_card(
        tx, binding, card, key_set=terms.key_set, prefix=terms.card_prefix, now=now
    )
    if created:
        await additions.add(tx, by, binding.account, [issued.identifier], now=now)
    return binding, issued, created


async def find_member(tx: Tx, member: int, *, key_set: Keys, now: datetime) -> Member:
    """Everything the service knows of a member. Raises Unknown."""
    person = await people.get_person(tx, member)
    return Member(
        person=person,
        contact=people.open_person(person, key_set),
        identifiers=await identifiers.list_held(tx, member, at=now),
        household=await people.list_household(tx, person.binding.account),
        balance=await balances.find_balance(tx, person.binding.account),
    )


def _results(plan: Sorted, taken: dict[int, AccountBinding | None], by: Enroller) -> list[Result]:
    results: list[Result] = []
    for index, (holder, why) in enumerate(zip(plan.holders, plan.refusals, strict=True)):
        binding = None if holder is None else holder.binding or taken.get(holder.index)
        if why is not None:
            results.append(why)
        elif binding is None:
            results.append(domain.refusal(domain.NO_ACCOUNT, "account: there is none so numbered"))
        else:
            results.append(Enrolled(binding, known=_is_known(plan, index, by)))
    return results


def _is_known(plan: Sorted, index: int, by: Enroller) -> bool:
    """Whether a draft's person is told as known before.

    To a partner, who brings a new reference of its own is not: it would tell who is a member.
    """
    refers = any(mark.kind is IdentifierKind.EXTERNAL for mark in plan.marks[index])
    return not plan.opens[index] and (by.party is None or not refers)


def _prepare(
    drafts: Sequence[Draft],
    plan: Sorted,
    results: Sequence[Result],
    key_set: Keys,
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
                    binding=result.binding,
                    opens=draft.account is None,
                    contact=draft.contact,
                    consents=draft.consents,
                    locale=draft.locale,
                    party=by.party or draft.party,
                )
            )
        for mark in plan.marks[index]:
            fresh.append(
                Fresh(marks.new_identifier(ids.uuid7(now), mark, binding=result.binding, now=now))
            )
    kept = people.seal_people(new, key_set)
    reached = [k.contact for k in kept if k.new.contact.mobile]
    messages = people.contact_messages(reached, now)
    messages += identifiers.messages([f.identifier for f in fresh], now)
    return _Prepared(kept, fresh, messages)


async def _membership(
    tx: Tx, member: int, *, terms: Terms, now: datetime
) -> tuple[Membership, list[Identifier]]:
    """A membership, and the identifiers that had to be issued for it."""
    person = await people.get_person(tx, member)
    held = await identifiers.list_held(tx, member, at=now)
    card = next((i for i in held if i.kind is IdentifierKind.CARD), None)
    qr = next((i for i in held if i.kind is IdentifierKind.QR), None)
    key_set, issued = terms.key_set, list[Identifier]()
    if card is None:
        new_id = uuid.UUID(ids.uuid7(now))
        issued_card, _ = await identifiers.issue_card(
            tx, person.binding, new_id, key_set=key_set, prefix=terms.card_prefix, now=now
        )
        issued.append(issued_card.identifier)
    else:
        issued_card = IssuedIdentifier(card, None)
    if qr is None:
        issued_qr = await identifiers.issue_qr(
            tx, person.binding, person.wrapped_key, key_set=key_set, now=now
        )
        issued.append(issued_qr.identifier)
    else:
        text = await identifiers.show_qr(tx, qr, person.wrapped_key, key_set=key_set)
        issued_qr = IssuedIdentifier(qr, text)
    return Membership(person.binding, issued_card, issued_qr), issued

import asyncio
import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts import envelope, keys, topics
from contracts import members as contract
from contracts.members import Contact, Identifier, IdentifierKind, SealedContact
from kit.base import db, errors
from kit.base.db import Database, Tx
from kit.stream import outbox
from members import crypto
from members.additions.domain import Enroller
from members.errors import Unknown
from members.identifiers import domain as rules
from members.identifiers import usecases as identifiers
from members.identifiers.domain import Rebinding
from members.memberships import domain, usecases
from members.memberships.domain import Consented, Draft, Enrolled, Request
from members.people import usecases as people
from members.people.domain import ConsentAnswers
from members.terms import Terms

from .conftest import enrol_one, root

BY = Enroller("tester", None, account_day=5, key_day=1_000)


def request_of(n: int, **more: object) -> Request:
    consents = Consented(terms=True, receipts=True)
    return Request(mobile=f"0912{n:07d}", name=f"عضو {n}", consents=consents, **more)  # type: ignore[arg-type]


def published(messages: Sequence[outbox.Message]) -> tuple[list[Identifier], list[Contact]]:
    types = dict(topics.MEMBERS_IDENTIFIERS.events) | dict(topics.MEMBERS_CONTACTS.events)
    of_state = [m for m in messages if m.topic != topics.MEMBERS_NOTICES.name]
    states = [envelope.decode(m.value or b"", types).data for m in of_state]
    identifier_states = [s for s in states if isinstance(s, Identifier)]
    return identifier_states, [s for s in states if isinstance(s, Contact)]


async def test_enrolment_says_the_contact_and_every_identifier(
    tx: Tx, terms: Terms, now: datetime
) -> None:
    enrolled, created = await enrol_one(
        tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now
    )
    assert created
    identifier_states, contacts = published(tx.messages)
    assert {i.kind for i in identifier_states} == {
        IdentifierKind.MOBILE,
        IdentifierKind.CARD,
        IdentifierKind.QR,
    }
    for identifier in identifier_states:
        binding = contract.as_of(identifier.bindings, now - timedelta(days=900))
        assert (binding.member, binding.account, binding.shard) == (
            enrolled.binding.member,
            enrolled.binding.account,
            enrolled.binding.shard,
        )
    (contact,) = contacts
    assert (contact.member, contact.version, contact.receipts) == (enrolled.binding.member, 1, True)


async def test_a_member_without_a_mobile_is_no_contact_of_notify(
    tx: Tx, terms: Terms, now: datetime
) -> None:
    request = Request(name="E-1", consents=Consented(terms=True), external="E-1", party=4_000)
    enrolled, created = await enrol_one(tx, uuid.UUID(int=1), request, by=BY, terms=terms, now=now)
    again, anew = await enrol_one(tx, uuid.UUID(int=2), request, by=BY, terms=terms, now=now)
    assert (created, anew, again.binding) == (True, False, enrolled.binding)
    identifier_states, contacts = published(tx.messages)
    assert {i.kind for i in identifier_states} == {
        IdentifierKind.EXTERNAL,
        IdentifierKind.CARD,
        IdentifierKind.QR,
    }
    answer = ConsentAnswers(uuid.UUID(int=3), True, False, "2")
    later = now + timedelta(seconds=1)
    person = await people.record_consents(
        tx, enrolled.binding.member, answer, key_set=terms.key_set, now=later
    )
    assert person.consents.receipts
    assert contacts == published(tx.messages)[1] == []


async def test_a_mobile_added_later_finds_the_membership_and_tells_notify_once(
    tx: Tx, terms: Terms, now: datetime
) -> None:
    request = Request(
        name="سارا", consents=Consented(terms=True, receipts=True), external="E-1", party=4_000
    )
    enrolled, _ = await enrol_one(tx, uuid.UUID(int=1), request, by=BY, terms=terms, now=now)
    member, key = enrolled.binding.member, uuid.UUID(int=7)
    before = len(tx.messages)
    for text, created in (("۰۹۱۲۰۰۰۰۰۰۹", True), ("+989120000009", False)):
        mobile = usecases.NewMobile(member, key, text)
        added, anew = usecases.accepted(
            await usecases.add_mobile(
                tx, mobile, by=BY, key_set=terms.key_set, now=now + timedelta(days=1)
            )
        )
        assert (anew, added.identifier_id, added.last4) == (created, str(key), "0009")
    (identifier,), (contact,) = published(tx.messages[before:])
    assert identifier == added
    assert identifier.kind is IdentifierKind.MOBILE
    assert (contact.member, contact.version, contact.receipts) == (member, 2, True)
    plain = keys.unseal(terms.key_set.contacts, base64.b64decode(contact.sealed), member)
    assert json.loads(plain) == {"mobile": "+989120000009", "name": "سارا"}
    view = await usecases.find_member(
        tx, member, key_set=terms.key_set, now=now + timedelta(days=1)
    )
    assert view.contact.mobile == "+989120000009"
    again, anew = await enrol_one(tx, uuid.UUID(int=2), request_of(9), by=BY, terms=terms, now=now)
    assert (again.binding, anew) == (enrolled.binding, False)


async def test_a_mobile_is_added_to_nobody_who_has_one_and_taken_from_nobody(
    tx: Tx, terms: Terms, now: datetime
) -> None:
    other, _ = await enrol_one(tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now)
    request = Request(consents=Consented(terms=True), external="E-1", party=4_000)
    enrolled, _ = await enrol_one(tx, uuid.UUID(int=2), request, by=BY, terms=terms, now=now)
    mine = enrolled.binding.member
    for member, key, text, code in (
        (mine, 7, "09120000001", "identifier-taken"),
        (other.binding.member, 7, "09120000002", "mobile-already-known"),
        (mine, 7, "02188776655", "bad-mobile"),
        (mine, 7, "0912\x00", "bad-mobile"),
        (999, 7, "09120000002", "not-found"),
        (mine, uuid.UUID(enrolled.card.identifier.identifier_id).int, "09120000002",
         "already-exists-differently"),
    ):  # fmt: skip
        with pytest.raises(errors.Problem) as refused:
            mobile = usecases.NewMobile(member, uuid.UUID(int=key), text)
            usecases.accepted(
                await usecases.add_mobile(tx, mobile, by=BY, key_set=terms.key_set, now=now)
            )
        assert refused.value.code == code


async def test_a_contact_opens_with_the_shared_key_alone(
    tx: Tx, terms: Terms, now: datetime
) -> None:
    """What notify does with the root that it shares with members, and nothing else of members'."""
    await enrol_one(tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now)
    (contact,) = published(tx.messages)[1]
    ring = keys.ring([root(b"c")], contract.OF_CONTACTS, setting="notify's")
    content = keys.unseal(ring, base64.b64decode(contact.sealed), contact.member)
    assert crypto.contact_of(content) == SealedContact(mobile="+989120000001", name="عضو 1")


async def test_one_digest_always_goes_to_one_partition(tx: Tx, terms: Terms, now: datetime) -> None:
    enrolled, _ = await enrol_one(tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now)
    card = uuid.UUID(enrolled.card.identifier.identifier_id)
    await identifiers.block_identifier(tx, card, by=BY, now=now)
    places: dict[bytes, set[int | None]] = {}
    for message in tx.messages:
        if message.topic == "members.identifiers":
            places.setdefault(message.key.partition(b"@")[0], set()).add(message.partition)
    assert all(len(partitions) == 1 for partitions in places.values())


async def test_a_repeat_publishes_only_that_a_known_membership_was_shown(
    tx: Tx, terms: Terms, now: datetime
) -> None:
    first, _ = await enrol_one(tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now)
    count = len(tx.messages)
    for enrolment in (uuid.UUID(int=1), uuid.UUID(int=2)):
        again, created = await enrol_one(tx, enrolment, request_of(1), by=BY, terms=terms, now=now)
        assert not created
        assert again.binding == first.binding
        assert again.card.text is None
        assert again.qr.text == first.qr.text
    assert [m.topic for m in tx.messages[count:]] == [topics.MEMBERS_NOTICES.name]


async def test_the_newest_message_alone_rebuilds_an_identifier(
    tx: Tx, terms: Terms, now: datetime
) -> None:
    """A table dropped and filled from the topic, in any order, is the table that was."""
    first, _ = await enrol_one(tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now)
    second, _ = await enrol_one(tx, uuid.UUID(int=2), request_of(2), by=BY, terms=terms, now=now)
    card = uuid.UUID(first.card.identifier.identifier_id)
    change = Rebinding(
        uuid.UUID(int=9), second.binding.member, second.binding.account, now + timedelta(minutes=3)
    )
    await identifiers.rebind_identifier(tx, card, change, by=BY, now=now)
    await identifiers.block_identifier(tx, card, by=BY, now=now)
    newest: dict[str, Identifier] = {}
    for state in reversed(published(tx.messages)[0]):
        if state.digest not in newest or state.version > newest[state.digest].version:
            newest[state.digest] = state
    assert len(newest) == 6
    assert {d: await identifiers.get_digest(tx, d) for d in newest} == newest


async def test_rebinding_and_block_are_published_once(tx: Tx, terms: Terms, now: datetime) -> None:
    enrolled, _ = await enrol_one(tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now)
    other, _ = await enrol_one(tx, uuid.UUID(int=2), request_of(2), by=BY, terms=terms, now=now)
    card = uuid.UUID(enrolled.card.identifier.identifier_id)
    change = Rebinding(
        uuid.UUID(int=9), other.binding.member, other.binding.account, now + timedelta(minutes=3)
    )
    count = len(tx.messages)
    for _ in range(2):
        await identifiers.rebind_identifier(tx, card, change, by=BY, now=now)
        await identifiers.block_identifier(tx, card, by=BY, now=now)
    notices = [m for m in tx.messages[count:] if m.topic == topics.MEMBERS_NOTICES.name]
    assert (len(tx.messages) - count, len(notices)) == (4, 2)  # one to each account
    with pytest.raises(Unknown):
        await identifiers.block_identifier(tx, uuid.UUID(int=77), by=BY, now=now)
    with pytest.raises(Unknown):
        stranger = Rebinding(uuid.UUID(int=10), 10**9, other.binding.account, change.from_at)
        await identifiers.rebind_identifier(tx, card, stranger, by=BY, now=now)


async def test_an_identifier_changes_hands_a_bounded_number_of_times(
    tx: Tx, terms: Terms, now: datetime
) -> None:
    enrolled, _ = await enrol_one(tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now)
    card = uuid.UUID(enrolled.card.identifier.identifier_id)
    binding = enrolled.binding
    with pytest.raises(rules.TooManyBindings):
        for n in range(50):
            change = Rebinding(
                uuid.UUID(int=100 + n),
                binding.member,
                binding.account,
                now + timedelta(days=n, minutes=3),
            )
            at = now + timedelta(days=n)
            await identifiers.rebind_identifier(tx, card, change, by=BY, now=at)


async def test_new_consents_are_published_with_a_higher_version(
    tx: Tx, terms: Terms, now: datetime
) -> None:
    enrolled, _ = await enrol_one(tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now)
    answers = ConsentAnswers(uuid.UUID(int=5), False, True, "2")
    later = now + timedelta(days=1)
    for _ in range(2):
        person = await people.record_consents(
            tx, enrolled.binding.member, answers, key_set=terms.key_set, now=later
        )
        assert (person.version, person.consented_at) == (2, later)
    contacts = published(tx.messages)[1]
    assert [(c.version, c.receipts, c.marketing) for c in contacts] == [
        (1, True, False),
        (2, False, True),
    ]
    assert contacts[0].sealed != contacts[1].sealed
    with pytest.raises(Unknown):
        await people.record_consents(tx, 10**9, answers, key_set=terms.key_set, now=later)


async def test_the_shard_is_written_down_and_stays(tx: Tx, terms: Terms, now: datetime) -> None:
    """A platform that grows assigns new accounts to more shards; old ones keep theirs."""
    first, _ = await enrol_one(tx, uuid.UUID(int=1), request_of(1), by=BY, terms=terms, now=now)
    grown = replace(terms, shards=48)
    joined, _ = await enrol_one(
        tx,
        uuid.UUID(int=2),
        request_of(2, account=first.binding.account),
        by=BY,
        terms=grown,
        now=now,
    )
    assert joined.binding.shard == first.binding.shard == first.binding.account % 12
    fresh, _ = await enrol_one(tx, uuid.UUID(int=3), request_of(3), by=BY, terms=grown, now=now)
    assert fresh.binding.shard == fresh.binding.account % 48


async def test_two_who_enrol_one_mobile_at_once_make_one_member(
    pool: Database, terms: Terms, now: datetime, door: object
) -> None:
    """The loser of the race is refused by the database, whole, and finds the winner's after."""
    drafts = [domain.read(request_of(1), keys=terms.key_set.identifiers, wording="1")]
    ready = asyncio.Event()

    async def enrol(wait: bool) -> Enrolled:
        async with pool.transaction() as tx:
            readable = [d for d in drafts if isinstance(d, Draft)]
            (enrolled,) = await usecases.enrol_batch(tx, readable, by=BY, terms=terms, now=now)
            if wait:
                await asyncio.wait_for(ready.wait(), 5)
        assert isinstance(enrolled, Enrolled)
        return enrolled

    first = asyncio.ensure_future(enrol(wait=True))
    await asyncio.sleep(0.2)
    second = asyncio.ensure_future(enrol(wait=False))
    await asyncio.sleep(0.2)
    ready.set()
    won = await first
    with pytest.raises(db.DataError) as lost:
        await second
    assert lost.value.state == "23505"
    again = await enrol(wait=False)
    assert again == Enrolled(won.binding, known=True)
    async with pool.read() as tx:
        assert await tx.fetchval("select count(*) from members") == 1

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
from members import crypto as words
from members.additions.domain import Enroller
from members.identifiers import domain as rules
from members.identifiers import usecases as identifiers
from members.identifiers.domain import Rebinding
from members.memberships import domain, usecases
from members.memberships.domain import Consented, Draft, Enrolled, Request
from members.people import usecases as people
from members.people.domain import Asked
from members.terms import Terms

from .conftest import root

BY = Enroller("tester", None, account_day=5, key_day=1_000)


def asked(n: int, **more: object) -> Request:
    consents = Consented(terms=True, receipts=True)
    return Request(mobile=f"0912{n:07d}", name=f"عضو {n}", consents=consents, **more)  # type: ignore[arg-type]


def said(messages: Sequence[outbox.Message]) -> tuple[list[Identifier], list[Contact]]:
    types = dict(topics.MEMBERS_IDENTIFIERS.events) | dict(topics.MEMBERS_CONTACTS.events)
    of_state = [m for m in messages if m.topic != topics.MEMBERS_NOTICES.name]
    states = [envelope.decode(m.value or b"", types).data for m in of_state]
    found = [s for s in states if isinstance(s, Identifier)]
    return found, [s for s in states if isinstance(s, Contact)]


async def test_enrolment_says_the_contact_and_every_identifier(
    tx: Tx, house: Terms, now: datetime
) -> None:
    made, created = await usecases.enrol(
        tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now
    )
    assert created
    found, contacts = said(tx.messages)
    assert {i.kind for i in found} == {
        IdentifierKind.MOBILE,
        IdentifierKind.CARD,
        IdentifierKind.QR,
    }
    for identifier in found:
        binding = contract.as_of(identifier.bindings, now - timedelta(days=900))
        assert (binding.member, binding.account, binding.shard) == (
            made.seat.member,
            made.seat.account,
            made.seat.shard,
        )
    (contact,) = contacts
    assert (contact.member, contact.version, contact.receipts) == (made.seat.member, 1, True)


async def test_a_member_without_a_mobile_is_no_contact_of_notify(
    tx: Tx, house: Terms, now: datetime
) -> None:
    request = Request(name="E-1", consents=Consented(terms=True), external="E-1", party=4_000)
    made, created = await usecases.enrol(tx, uuid.UUID(int=1), request, by=BY, terms=house, now=now)
    again, anew = await usecases.enrol(tx, uuid.UUID(int=2), request, by=BY, terms=house, now=now)
    assert (created, anew, again.seat) == (True, False, made.seat)
    found, contacts = said(tx.messages)
    assert {i.kind for i in found} == {
        IdentifierKind.EXTERNAL,
        IdentifierKind.CARD,
        IdentifierKind.QR,
    }
    answer = Asked(uuid.UUID(int=3), True, False, "2")
    later = now + timedelta(seconds=1)
    person = await people.record_consents(
        tx, made.seat.member, answer, vault=house.vault, now=later
    )
    assert person.consents.receipts
    assert contacts == said(tx.messages)[1] == []


async def test_a_mobile_added_later_finds_the_membership_and_tells_notify_once(
    tx: Tx, house: Terms, now: datetime
) -> None:
    request = Request(
        name="سارا", consents=Consented(terms=True, receipts=True), external="E-1", party=4_000
    )
    made, _ = await usecases.enrol(tx, uuid.UUID(int=1), request, by=BY, terms=house, now=now)
    member, key = made.seat.member, uuid.UUID(int=7)
    before = len(tx.messages)
    for text, created in (("۰۹۱۲۰۰۰۰۰۰۹", True), ("+989120000009", False)):
        mobile = usecases.AddedMobile(member, key, text)
        added, anew = await usecases.add_mobile(
            tx, mobile, by=BY, vault=house.vault, now=now + timedelta(days=1)
        )
        assert (anew, added.identifier_id, added.last4) == (created, str(key), "0009")
    (identifier,), (contact,) = said(tx.messages[before:])
    assert identifier == added
    assert identifier.kind is IdentifierKind.MOBILE
    assert (contact.member, contact.version, contact.receipts) == (member, 2, True)
    plain = keys.unseal(house.vault.contacts, base64.b64decode(contact.sealed), member)
    assert json.loads(plain) == {"mobile": "+989120000009", "name": "سارا"}
    found = await usecases.find_member(tx, member, vault=house.vault, now=now + timedelta(days=1))
    assert found.contact.mobile == "+989120000009"
    again, anew = await usecases.enrol(tx, uuid.UUID(int=2), asked(9), by=BY, terms=house, now=now)
    assert (again.seat, anew) == (made.seat, False)


async def test_a_mobile_is_added_to_nobody_who_has_one_and_taken_from_nobody(
    tx: Tx, house: Terms, now: datetime
) -> None:
    other, _ = await usecases.enrol(tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now)
    request = Request(consents=Consented(terms=True), external="E-1", party=4_000)
    made, _ = await usecases.enrol(tx, uuid.UUID(int=2), request, by=BY, terms=house, now=now)
    mine = made.seat.member
    for member, key, text, code in (
        (mine, 7, "09120000001", "identifier-taken"),
        (other.seat.member, 7, "09120000002", "mobile-already-known"),
        (mine, 7, "02188776655", "bad-mobile"),
        (mine, 7, "0912\x00", "bad-mobile"),
        (999, 7, "09120000002", "not-found"),
        (mine, uuid.UUID(made.card.identifier.identifier_id).int, "09120000002",
         "already-exists-differently"),
    ):  # fmt: skip
        with pytest.raises(errors.Problem) as refused:
            mobile = usecases.AddedMobile(member, uuid.UUID(int=key), text)
            await usecases.add_mobile(tx, mobile, by=BY, vault=house.vault, now=now)
        assert refused.value.code == code


async def test_a_contact_opens_with_the_shared_key_alone(
    tx: Tx, house: Terms, now: datetime
) -> None:
    """What notify does with the root that it shares with members, and nothing else of members'."""
    await usecases.enrol(tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now)
    (contact,) = said(tx.messages)[1]
    ring = keys.ring([root(b"c")], contract.OF_CONTACTS, setting="notify's")
    content = keys.unseal(ring, base64.b64decode(contact.sealed), contact.member)
    assert words.contact_of(content) == SealedContact(mobile="+989120000001", name="عضو 1")


async def test_one_digest_always_goes_to_one_partition(tx: Tx, house: Terms, now: datetime) -> None:
    made, _ = await usecases.enrol(tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now)
    card = uuid.UUID(made.card.identifier.identifier_id)
    await identifiers.block_identifier(tx, card, by=BY, now=now)
    places: dict[bytes, set[int | None]] = {}
    for message in tx.messages:
        if message.topic == "members.identifiers":
            places.setdefault(message.key.partition(b"@")[0], set()).add(message.partition)
    assert all(len(partitions) == 1 for partitions in places.values())


async def test_a_repeat_says_nothing_but_that_a_known_membership_was_shown(
    tx: Tx, house: Terms, now: datetime
) -> None:
    first, _ = await usecases.enrol(tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now)
    count = len(tx.messages)
    for enrolment in (uuid.UUID(int=1), uuid.UUID(int=2)):
        again, created = await usecases.enrol(tx, enrolment, asked(1), by=BY, terms=house, now=now)
        assert not created
        assert again.seat == first.seat
        assert again.card.text is None
        assert again.qr.text == first.qr.text
    assert [m.topic for m in tx.messages[count:]] == [topics.MEMBERS_NOTICES.name]


async def test_the_newest_message_alone_rebuilds_an_identifier(
    tx: Tx, house: Terms, now: datetime
) -> None:
    """A table dropped and filled from the topic, in any order, is the table that was."""
    first, _ = await usecases.enrol(tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now)
    second, _ = await usecases.enrol(tx, uuid.UUID(int=2), asked(2), by=BY, terms=house, now=now)
    card = uuid.UUID(first.card.identifier.identifier_id)
    change = Rebinding(
        uuid.UUID(int=9), second.seat.member, second.seat.account, now + timedelta(minutes=3)
    )
    await identifiers.rebind_identifier(tx, card, change, by=BY, now=now)
    await identifiers.block_identifier(tx, card, by=BY, now=now)
    newest: dict[str, Identifier] = {}
    for state in reversed(said(tx.messages)[0]):
        if state.digest not in newest or state.version > newest[state.digest].version:
            newest[state.digest] = state
    assert len(newest) == 6
    assert {d: await identifiers.get_digest(tx, d) for d in newest} == newest


async def test_rebinding_and_block_are_said_once(tx: Tx, house: Terms, now: datetime) -> None:
    made, _ = await usecases.enrol(tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now)
    other, _ = await usecases.enrol(tx, uuid.UUID(int=2), asked(2), by=BY, terms=house, now=now)
    card = uuid.UUID(made.card.identifier.identifier_id)
    change = Rebinding(
        uuid.UUID(int=9), other.seat.member, other.seat.account, now + timedelta(minutes=3)
    )
    count = len(tx.messages)
    for _ in range(2):
        await identifiers.rebind_identifier(tx, card, change, by=BY, now=now)
        await identifiers.block_identifier(tx, card, by=BY, now=now)
    notices = [m for m in tx.messages[count:] if m.topic == topics.MEMBERS_NOTICES.name]
    assert (len(tx.messages) - count, len(notices)) == (4, 2)  # one to each account
    with pytest.raises(words.Unknown):
        await identifiers.block_identifier(tx, uuid.UUID(int=77), by=BY, now=now)
    with pytest.raises(words.Unknown):
        stranger = Rebinding(uuid.UUID(int=10), 10**9, other.seat.account, change.from_at)
        await identifiers.rebind_identifier(tx, card, stranger, by=BY, now=now)


async def test_an_identifier_changes_hands_a_bounded_number_of_times(
    tx: Tx, house: Terms, now: datetime
) -> None:
    made, _ = await usecases.enrol(tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now)
    card = uuid.UUID(made.card.identifier.identifier_id)
    seat = made.seat
    with pytest.raises(rules.TooManyBindings):
        for n in range(50):
            change = Rebinding(
                uuid.UUID(int=100 + n),
                seat.member,
                seat.account,
                now + timedelta(days=n, minutes=3),
            )
            at = now + timedelta(days=n)
            await identifiers.rebind_identifier(tx, card, change, by=BY, now=at)


async def test_new_consents_are_told_with_a_higher_version(
    tx: Tx, house: Terms, now: datetime
) -> None:
    made, _ = await usecases.enrol(tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now)
    answers = Asked(uuid.UUID(int=5), False, True, "2")
    later = now + timedelta(days=1)
    for _ in range(2):
        person = await people.record_consents(
            tx, made.seat.member, answers, vault=house.vault, now=later
        )
        assert (person.version, person.consented_at) == (2, later)
    contacts = said(tx.messages)[1]
    assert [(c.version, c.receipts, c.marketing) for c in contacts] == [
        (1, True, False),
        (2, False, True),
    ]
    assert contacts[0].sealed != contacts[1].sealed
    with pytest.raises(words.Unknown):
        await people.record_consents(tx, 10**9, answers, vault=house.vault, now=later)


async def test_the_shard_is_written_down_and_stays(tx: Tx, house: Terms, now: datetime) -> None:
    """A house that grows assigns new accounts to more shards; old ones keep theirs."""
    first, _ = await usecases.enrol(tx, uuid.UUID(int=1), asked(1), by=BY, terms=house, now=now)
    grown = replace(house, shards=48)
    joined, _ = await usecases.enrol(
        tx, uuid.UUID(int=2), asked(2, account=first.seat.account), by=BY, terms=grown, now=now
    )
    assert joined.seat.shard == first.seat.shard == first.seat.account % 12
    fresh, _ = await usecases.enrol(tx, uuid.UUID(int=3), asked(3), by=BY, terms=grown, now=now)
    assert fresh.seat.shard == fresh.seat.account % 48


async def test_two_who_enrol_one_mobile_at_once_make_one_member(
    pool: Database, house: Terms, now: datetime, door: object
) -> None:
    """The loser of the race is refused by the database, whole, and finds the winner's after."""
    drafts = [domain.read(asked(1), keys=house.vault.identifiers, wording="1")]
    ready = asyncio.Event()

    async def enrol(wait: bool) -> Enrolled:
        async with pool.transaction() as tx:
            given = [d for d in drafts if isinstance(d, Draft)]
            (made,) = await usecases.enrol_batch(tx, given, by=BY, terms=house, now=now)
            if wait:
                await asyncio.wait_for(ready.wait(), 5)
        assert isinstance(made, Enrolled)
        return made

    first = asyncio.ensure_future(enrol(wait=True))
    await asyncio.sleep(0.2)
    second = asyncio.ensure_future(enrol(wait=False))
    await asyncio.sleep(0.2)
    ready.set()
    create_once = await first
    with pytest.raises(db.DataError) as lost:
        await second
    assert lost.value.state == "23505"
    again = await enrol(wait=False)
    assert again == Enrolled(create_once.seat, known=True)
    async with pool.read() as tx:
        assert await tx.fetchval("select count(*) from members") == 1

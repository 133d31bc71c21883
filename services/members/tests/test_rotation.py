"""Newer keys: what was made under earlier ones is found, opened, and sealed anew."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts import envelope, topics
from contracts.members import Contact, IdentifierKind
from kit.base.db import Tx
from members import crypto as words
from members.additions.domain import Enroller
from members.identifiers import usecases as identifiers
from members.memberships import usecases
from members.memberships.domain import Consented, Request
from members.memberships.usecases import Membership
from members.people import jobs
from members.people import usecases as people
from members.terms import Terms

from .conftest import HOUSE, root

BY = Enroller("tester", None, HOUSE.account_day, HOUSE.key_day)
# the house's keys behind newer ones, and the same once the earlier could be taken away
ROTATED = words.vault([root(b"M"), root(b"m")], [root(b"C"), root(b"c")], [root(b"I"), root(b"i")])
AFTER = words.vault([root(b"M")], [root(b"C")], [root(b"I"), root(b"i")])


def house_of(vault: words.Vault) -> Terms:
    return replace(HOUSE, vault=vault)


def asked(n: int) -> Request:
    consents = Consented(terms=True, receipts=True)
    return Request(
        mobile=f"0912{n:07d}", name="سارا", consents=consents, external=f"E-{n}", party=4_000
    )


async def enrol(tx: Tx, n: int, vault: words.Vault, now: datetime) -> tuple[Membership, bool]:
    return await usecases.enrol(
        tx, uuid.UUID(int=n), asked(n), by=BY, terms=house_of(vault), now=now
    )


def contacts_of(tx: Tx) -> list[Contact]:
    types = dict(topics.MEMBERS_CONTACTS.events)
    return [
        envelope.decode(message.value or b"", types).data
        for message in tx.messages
        if message.topic == topics.MEMBERS_CONTACTS.name
    ]


async def test_after_newer_keys_everybody_is_who_he_was(tx: Tx, now: datetime) -> None:
    made, _ = await enrol(tx, 1, HOUSE.vault, now)
    again, created = await enrol(tx, 1, ROTATED, now)
    assert (created, again.seat, again.qr.text) == (False, made.seat, made.qr.text)
    other = uuid.UUID(int=9)
    known, created = await usecases.enrol(
        tx, other, asked(1), by=BY, terms=house_of(ROTATED), now=now
    )
    assert (created, known.seat) == (False, made.seat)
    found = await usecases.find_member(tx, made.seat.member, vault=ROTATED, now=now)
    assert found.contact.mobile == "+989120000001"
    assert len(found.identifiers) == 4  # none was issued a second time
    new, _ = await enrol(tx, 2, ROTATED, now)
    assert new.card.identifier.digest[2:12] == ROTATED.identifiers[0].key_id
    assert made.card.identifier.digest[2:12] == HOUSE.vault.identifiers[0].key_id


async def test_what_is_under_earlier_keys_is_sealed_anew_once_and_opens_without_them(
    tx: Tx, now: datetime
) -> None:
    made = [(await enrol(tx, n, HOUSE.vault, now))[0] for n in (1, 2)]
    later = now + timedelta(days=1)
    assert await people.reseal_people(tx, vault=ROTATED, now=later) == (2, 2)
    assert await people.reseal_people(tx, vault=ROTATED, now=later) == (0, 0)
    said = contacts_of(tx)
    assert sorted((one.member, one.version) for one in said) == sorted(
        (one.seat.member, version) for one in made for version in (1, 2)
    )
    for membership in made:
        found = await usecases.find_member(tx, membership.seat.member, vault=AFTER, now=later)
        assert found.contact.name == "سارا"
        (qr,) = [i for i in found.identifiers if i.kind is IdentifierKind.QR]
        wrapped = found.person.wrapped_key
        shown = await identifiers.show_qr(tx, qr, wrapped, vault=AFTER)
        assert shown == membership.qr.text


async def test_who_is_under_a_key_that_is_gone_troubles_nobody_else(tx: Tx, now: datetime) -> None:
    lost, _ = await enrol(tx, 1, HOUSE.vault, now)
    fine, _ = await enrol(tx, 2, ROTATED, now)
    found = await usecases.find_member(tx, fine.seat.member, vault=AFTER, now=now)
    assert found.contact.mobile == "+989120000002"
    with pytest.raises(words.KeyMissing, match=HOUSE.vault.data_keys[0].key_id):
        await usecases.find_member(tx, lost.seat.member, vault=AFTER, now=now)


async def test_one_damaged_row_does_not_keep_the_others_under_the_earlier_key(
    tx: Tx, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = [(await enrol(tx, n, HOUSE.vault, now))[0].seat.member for n in (1, 2)]
    await tx.execute(
        "update members set wrapped_key = set_byte(wrapped_key, 20,"
        " 255 - get_byte(wrapped_key, 20)) where member = $1",
        bad,
    )
    assert await people.reseal_people(tx, vault=ROTATED, now=now) == (2, 1)
    assert f"member {bad} does not open" in caplog.text
    found = await usecases.find_member(tx, good, vault=AFTER, now=now)
    assert found.contact.mobile == "+989120000002"


def test_nothing_is_looked_for_where_there_are_no_earlier_keys(pool: object, at: object) -> None:
    names = [[job.name for job in jobs.jobs(pool, at, vault)] for vault in (HOUSE.vault, ROTATED)]  # type: ignore[arg-type]
    assert names == [[], ["reseal"]]

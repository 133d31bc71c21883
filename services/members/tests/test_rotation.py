"""Newer keys: data under earlier ones is found, opened, and sealed anew."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts import envelope, topics
from contracts.members import Contact, IdentifierKind
from kit.base.db import Tx
from members import crypto
from members.additions.domain import Enroller
from members.identifiers import usecases as identifiers
from members.memberships import usecases
from members.memberships.domain import Consented, Request
from members.memberships.usecases import Membership
from members.people import jobs
from members.people import usecases as people
from members.terms import Terms

from .conftest import TERMS, enrol_one, root

BY = Enroller("tester", None, TERMS.account_day, TERMS.key_day)
# the service's keys behind newer ones, and the same once the earlier ones are taken away
ROTATED = crypto.key_set(
    [root(b"M"), root(b"m")], [root(b"C"), root(b"c")], [root(b"I"), root(b"i")]
)
AFTER = crypto.key_set([root(b"M")], [root(b"C")], [root(b"I"), root(b"i")])


def terms_of_keys(key_set: crypto.Keys) -> Terms:
    return replace(TERMS, key_set=key_set)


def request_of(n: int) -> Request:
    consents = Consented(terms=True, receipts=True)
    return Request(
        mobile=f"0912{n:07d}", name="سارا", consents=consents, external=f"E-{n}", party=4_000
    )


async def enrol(tx: Tx, n: int, key_set: crypto.Keys, now: datetime) -> tuple[Membership, bool]:
    return await enrol_one(
        tx, uuid.UUID(int=n), request_of(n), by=BY, terms=terms_of_keys(key_set), now=now
    )


def contacts_of(tx: Tx) -> list[Contact]:
    types = dict(topics.MEMBERS_CONTACTS.events)
    return [
        envelope.decode(message.value or b"", types).data
        for message in tx.messages
        if message.topic == topics.MEMBERS_CONTACTS.name
    ]


async def test_after_newer_keys_everybody_is_who_he_was(tx: Tx, now: datetime) -> None:
    enrolled, _ = await enrol(tx, 1, TERMS.key_set, now)
    again, created = await enrol(tx, 1, ROTATED, now)
    assert (created, again.binding, again.qr.text) == (False, enrolled.binding, enrolled.qr.text)
    other = uuid.UUID(int=9)
    known, created = await enrol_one(
        tx, other, request_of(1), by=BY, terms=terms_of_keys(ROTATED), now=now
    )
    assert (created, known.binding) == (False, enrolled.binding)
    view = await usecases.find_member(tx, enrolled.binding.member, key_set=ROTATED, now=now)
    assert view.contact.mobile == "+989120000001"
    assert len(view.identifiers) == 4  # none was issued a second time
    new, _ = await enrol(tx, 2, ROTATED, now)
    assert new.card.identifier.digest[2:12] == ROTATED.identifiers[0].key_id
    assert enrolled.card.identifier.digest[2:12] == TERMS.key_set.identifiers[0].key_id


async def test_data_under_earlier_keys_is_sealed_anew_once_and_opens_without_them(
    tx: Tx, now: datetime
) -> None:
    enrolled = [(await enrol(tx, n, TERMS.key_set, now))[0] for n in (1, 2)]
    later = now + timedelta(days=1)
    assert await people.reseal_people(tx, key_set=ROTATED, now=later) == (2, 2)
    assert await people.reseal_people(tx, key_set=ROTATED, now=later) == (0, 0)
    published = contacts_of(tx)
    assert sorted((one.member, one.version) for one in published) == sorted(
        (one.binding.member, version) for one in enrolled for version in (1, 2)
    )
    for membership in enrolled:
        view = await usecases.find_member(tx, membership.binding.member, key_set=AFTER, now=later)
        assert view.contact.name == "سارا"
        (qr,) = [i for i in view.identifiers if i.kind is IdentifierKind.QR]
        wrapped = view.person.wrapped_key
        text = await identifiers.show_qr(tx, qr, wrapped, key_set=AFTER)
        assert text == membership.qr.text


async def test_who_is_under_a_key_that_is_gone_troubles_nobody_else(tx: Tx, now: datetime) -> None:
    lost, _ = await enrol(tx, 1, TERMS.key_set, now)
    fine, _ = await enrol(tx, 2, ROTATED, now)
    view = await usecases.find_member(tx, fine.binding.member, key_set=AFTER, now=now)
    assert view.contact.mobile == "+989120000002"
    with pytest.raises(crypto.KeyMissing, match=TERMS.key_set.data_keys[0].key_id):
        await usecases.find_member(tx, lost.binding.member, key_set=AFTER, now=now)


async def test_one_damaged_row_does_not_keep_the_others_under_the_earlier_key(
    tx: Tx, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = [(await enrol(tx, n, TERMS.key_set, now))[0].binding.member for n in (1, 2)]
    await tx.execute(
        "update members set wrapped_key = set_byte(wrapped_key, 20,"
        " 255 - get_byte(wrapped_key, 20)) where member = $1",
        bad,
    )
    assert await people.reseal_people(tx, key_set=ROTATED, now=now) == (2, 1)
    assert f"member {bad} does not open" in caplog.text
    view = await usecases.find_member(tx, good, key_set=AFTER, now=now)
    assert view.contact.mobile == "+989120000002"


def test_nothing_is_looked_for_where_there_are_no_earlier_keys(pool: Any, at: Any) -> None:
    names = [
        [job.name for job in jobs.jobs(pool, at, key_set)] for key_set in (TERMS.key_set, ROTATED)
    ]
    assert names == [[], ["reseal"]]

import base64
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import keys
from contracts import members as contract
from contracts.ledger import Outcome
from contracts.members import IdentifierKind, SealedContact
from contracts.values import Kind, Status
from members import crypto
from members.balances import domain as balances
from members.balances.domain import Balance, RecordedOutcome
from members.identifiers import domain as identifiers
from members.memberships import domain as memberships
from members.memberships.domain import Bars, Consented, Draft, Refusal, Request
from members.people import domain as people
from members.people.domain import AccountBinding, ConsentAnswers, Consents, NewPerson
from members.text import clean_name

NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
BINDING = AccountBinding(7, 1_000_001, 5)
OTHER = AccountBinding(8, 1_000_002, 6)
OPEN = Bars({}, frozenset(), shows=False)  # the network's key, to whom no account is foreign


def root(number: int) -> str:
    return base64.b64encode(bytes([number] * 32)).decode()


KEY_SET = crypto.key_set([root(1)], [root(2)], [root(3)])
KEYS = KEY_SET.identifiers


# -------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [("  علي ", "علی"), ("", ""), ("می\u200cرود", "می\u200cرود"), ("\u202bنان ۱۲\u202c", "نان 12")],
)
def test_names_are_folded_and_trimmed(given_text: str, kept: str) -> None:
    assert clean_name(given_text) == kept


@pytest.mark.parametrize("text", ["a\x00", "\ud800", "a\tb", "x" * 101])
def test_text_that_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        clean_name(text)


# ----------------------------------------------------------------------------------------- sealing


def test_a_key_that_is_not_here_is_named_and_mistaken_for_nothing_else() -> None:
    kept, other = a_person(), crypto.key_set([root(4), root(5)], [root(2)], [root(3)])
    with pytest.raises(crypto.KeyMissing) as missing:
        people.open_person(person_of(kept), other)
    lost = KEY_SET.data_keys[0].key_id
    assert (missing.value.status, missing.value.code) == (503, "sealing-key-missing")
    assert f"key {lost} is missing" in missing.value.detail
    assert "PEYVAND_MEMBER_KEYS" in missing.value.detail
    with pytest.raises(keys.Unsealable):
        people.open_person(person_of(kept, member=8), KEY_SET)


def test_a_contact_and_a_qr_text_of_one_person_are_not_taken_for_each_other() -> None:
    """Findings S20: under one key of hers the two could be swapped."""
    kept = a_person()
    qr = crypto.own_key(KEY_SET, kept.wrapped_key, 7, crypto.OWN_QR)
    with pytest.raises(keys.Unsealable):
        keys.unseal((qr,), kept.sealed, 7)


def test_a_person_under_earlier_keys_is_sealed_anew_under_the_newest() -> None:
    kept, now = a_person(), crypto.key_set([root(4), root(1)], [root(5), root(2)], [root(3)])
    fresh = people.reseal(person_of(kept), now)
    after = replace(person_of(kept), wrapped_key=fresh.wrapped_key, version=fresh.version)
    alone = crypto.key_set([root(4)], [root(5)], [root(3)])  # the earlier keys are gone
    assert people.open_person(after, alone) == kept.new.contact
    assert fresh.contact is not None
    contact = keys.unseal(alone.contacts, base64.b64decode(fresh.contact.sealed), 7)
    assert crypto.contact_of(contact) == kept.new.contact
    assert (fresh.version, fresh.published_under) == (2, alone.contacts[0].head)


def a_person(random: bytes = bytes(range(68))) -> people.Kept:
    new = NewPerson(
        BINDING,
        True,
        SealedContact(mobile="+989123456789", name="مریم"),
        Consents(True, True, False, "1"),
        "fa",
    )
    return people.keep(new, KEY_SET, random)


def person_of(kept: people.Kept, *, member: int = 7) -> people.Person:
    """The row of a new member, maybe under another's number."""
    return people.Person(
        binding=AccountBinding(member, BINDING.account, BINDING.shard),
        version=1,
        wrapped_key=kept.wrapped_key,
        sealed=kept.sealed,
        locale="fa",
        enrolled_at=NOW,
        consents=kept.new.consents,
        consented_at=NOW,
    )


def test_a_person_is_kept_under_a_key_of_her_own_and_published_under_the_contact_key() -> None:
    assert people.RANDOM_BYTES == 68
    kept = a_person()
    published = base64.b64decode(kept.contact.sealed)
    assert crypto.contact_of(keys.unseal(KEY_SET.contacts, published, 7)) == kept.new.contact
    assert people.open_person(person_of(kept), KEY_SET) == kept.new.contact
    with pytest.raises(keys.MissingKey):
        keys.unseal(KEY_SET.contacts, kept.sealed, 7)


def test_two_people_with_the_same_data_look_nothing_alike() -> None:
    one, two = a_person(bytes(range(68))), a_person(bytes(range(1, 69)))
    assert one.sealed[18:] != two.sealed[18:]  # behind head and nonce
    assert one.wrapped_key != two.wrapped_key


def test_terms_once_accepted_stay_with_later_answers() -> None:
    answers = ConsentAnswers(uuid.UUID(int=1), False, True, "2")
    after = people.updated(Consents(True, True, False, "1"), answers)
    assert after == Consents(True, False, True, "2")


def test_new_accounts_spread_over_the_shards() -> None:
    assert {people.shard_of_new(a, shards=12) for a in range(1_000_001, 1_000_013)} == set(
        range(12)
    )


# ------------------------------------------------------------------------------------- identifiers


@given(st.integers(0, 10**9 - 1))
def test_card_numbers_have_sixteen_digits_and_a_good_check_digit(body: int) -> None:
    number = identifiers.card_number("936400", body)
    assert contract.canonical(IdentifierKind.CARD, number) == number


def an_identifier(
    text: str = "09123456789", binding: AccountBinding = BINDING
) -> contract.Identifier:
    mark = identifiers.mark(KEYS, IdentifierKind.MOBILE, text)
    return identifiers.new_identifier(str(uuid.UUID(int=1)), mark, binding=binding, now=NOW)


def test_all_spellings_of_a_mobile_are_one_identifier() -> None:
    one, two = an_identifier("۰۹۱۲ ۳۴۵ ۶۷۸۹"), an_identifier("+98 (0) 912-345-6789")
    assert one == two
    assert one.last4 == "6789"


def test_a_partners_reference_shows_no_digits() -> None:
    mark = identifiers.mark(KEYS, IdentifierKind.EXTERNAL, "1234", party=4_000)
    identifier = identifiers.new_identifier(str(uuid.UUID(int=1)), mark, binding=BINDING, now=NOW)
    assert identifier.last4 == ""


def test_the_first_binding_holds_for_all_earlier_times() -> None:
    identifier = an_identifier()
    assert contract.as_of(identifier.bindings, NOW - timedelta(days=900)).member == 7


def test_a_rebinding_leaves_the_past_and_every_retry_alone() -> None:
    from_at = NOW + timedelta(seconds=180)
    changed = identifiers.rebind(an_identifier(), OTHER, from_at, now=NOW)
    assert changed.version == 2
    just_before = from_at - timedelta(microseconds=1)
    assert contract.as_of(changed.bindings, just_before).member == 7
    assert contract.as_of(changed.bindings, from_at).member == 8
    assert identifiers.held_by([changed], 7, at=NOW) == [changed]
    assert identifiers.held_by([changed], 7, at=from_at) == []


def test_a_rebinding_too_soon_or_out_of_order_is_refused() -> None:
    with pytest.raises(identifiers.TooSoon):
        identifiers.rebind(an_identifier(), OTHER, NOW + timedelta(seconds=179), now=NOW)
    later = identifiers.rebind(an_identifier(), OTHER, NOW + timedelta(seconds=400), now=NOW)
    with pytest.raises(identifiers.TooSoon):
        identifiers.rebind(later, BINDING, NOW + timedelta(seconds=400), now=NOW)


def test_a_block_is_written_once() -> None:
    blocked = identifiers.block(an_identifier(), now=NOW)
    assert (blocked.blocked_at, blocked.version) == (NOW, 2)
    assert identifiers.block(blocked, now=NOW + timedelta(1)) is blocked


def test_a_masked_number_shows_four_digits() -> None:
    assert identifiers.masked("1234") == "************1234"


# ------------------------------------------------------------------------------------- memberships


PARTY = 4_000


def draft(mobile: str, *, party: int = PARTY, **more: str) -> Draft:
    """A request that reads; its reference, if it has one, is the party's."""
    owner = party if more.get("external") else None
    request = Request(mobile=mobile, consents=Consented(terms=True), party=owner, **more)  # type: ignore[arg-type]
    parsed = memberships.read(request, keys=KEYS, wording="1")
    assert isinstance(parsed, Draft)
    return parsed


def test_a_request_is_read_into_canonical_marks() -> None:
    parsed = draft("0912 345 6789", name="علي", external=" E-1 ", card="")
    assert parsed.contact == SealedContact(mobile="+989123456789", name="علی")
    assert [(m.kind, m.text) for m in parsed.marks] == [
        (IdentifierKind.MOBILE, "+989123456789"),
        (IdentifierKind.EXTERNAL, "E-1"),
    ]
    assert parsed.consents == Consents(True, False, False, "1")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b'{"mobile":"09123456789"}', "terms-not-accepted"),
        (b'{"mobile":"","consents":{"terms":true}}', "bad-mobile"),
        (b'{"mobile":"09123456789\\u0000","consents":{"terms":true}}', "unstorable-text"),
        (
            b'{"mobile":"09123456789","mobile":"09123456788","consents":{"terms":true}}',
            "duplicate-key",
        ),
        (b"[" * 5_000 + b"]" * 5_000, "malformed"),
        (b'{"mobile":"09123456789","more":1,"consents":{"terms":true}}', "bad-fields"),
        (
            b'{"mobile":"09123456789","account":9223372036854775808,"consents":{"terms":true}}',
            "bad-fields",
        ),
        (b'{"mobile":"09123456789","account":0,"consents":{"terms":true}}', "bad-fields"),
        (b'{"mobile":"09123456789","name":"\\u0007","consents":{"terms":true}}', "bad-text"),
        (b'{"mobile":"09123456789","account":1.5,"consents":{"terms":true}}', "bad-fields"),
        (b'{"external":"67890","consents":{"terms":true}}', "external-without-party"),
        (
            b'{"mobile":"09123456789","external":"67890","consents":{"terms":true}}',
            "external-without-party",
        ),
        (b'{"external":"67890","party":0,"consents":{"terms":true}}', "bad-fields"),
        (b'{"external":" ","party":5,"consents":{"terms":true}}', "bad-external"),
        (b'{"mobile":"09123456789","party":5,"consents":{"terms":true}}', "bad-external"),
        (b'{"mobile":"09123456789","account":true,"consents":{"terms":true}}', "bad-fields"),
    ],
)
def test_a_bad_line_has_its_code(line: bytes, code: str) -> None:
    (parsed,) = memberships.read_lines([line], keys=KEYS, wording="1")
    assert isinstance(parsed, Refusal)
    assert parsed.code == code
    assert memberships.refused(parsed).code == code


def test_a_batch_is_sorted_into_new_known_and_refused() -> None:
    known = an_identifier("09120000001")
    batch = [
        draft("09120000001", external="A"),
        draft("09120000002", external="B"),
        draft("09120000002", external="C"),
        draft("09120000003", external="B"),
        draft("09120000002"),
    ]
    done = memberships.sort_out(batch, {known.digest: known}, OPEN, now=NOW)
    assert [h and (h.binding, h.index) for h in done.holders] == [
        (BINDING, -1),
        (None, 1),
        (None, 1),
        None,
        (None, 1),
    ]
    assert done.opens == [False, True, False, False, False]
    assert [r and r.code for r in done.refusals] == [None, None, None, "identifier-taken", None]
    assert [[m.text for m in marks] for marks in done.marks] == [
        ["A"],
        ["+989120000002", "B"],
        ["C"],
        [],
        [],
    ]


def test_a_reference_of_the_same_member_is_no_clash() -> None:
    mobile = an_identifier("09120000001")
    external = identifiers.new_identifier(
        "2",
        identifiers.mark(KEYS, IdentifierKind.EXTERNAL, "A", party=PARTY),
        binding=BINDING,
        now=NOW,
    )
    existing = {mobile.digest: mobile, external.digest: external}
    done = memberships.sort_out([draft("09120000001", external="A")], existing, OPEN, now=NOW)
    assert done.refusals == [None]
    assert done.marks == [()]


def test_who_has_a_partners_reference_may_have_no_mobile() -> None:
    parsed, again = draft("", external="E-1", name="علی"), draft("", external=" E-1 ")
    assert parsed.contact == SealedContact(mobile="", name="علی")
    assert [(m.kind, m.text) for m in parsed.marks] == [(IdentifierKind.EXTERNAL, "E-1")]
    done = memberships.sort_out([parsed, again, draft("", external="E-2")], {}, OPEN, now=NOW)
    assert done.opens == [True, False, True]
    assert [h and h.index for h in done.holders] == [0, 0, 2]


def test_one_reference_of_two_partners_is_two_people() -> None:
    """Both number their customers from 1, as everybody does."""
    batch = [
        draft("09120000001", external="67890"),
        draft("09120000002", external="67890", party=4_001),
        draft("", external="67890", party=4_002),
        draft("", external=" ۶۷۸۹۰ ", party=4_001),
    ]
    done = memberships.sort_out(batch, {}, OPEN, now=NOW)
    assert done.refusals == [None] * 4
    assert done.opens == [True, True, True, False]
    assert [h and h.index for h in done.holders] == [0, 1, 2, 1]


def test_the_fingerprint_of_a_request_is_keyed() -> None:
    request = Request(mobile="09123456789")
    old, new = (crypto.key_set([root(n)], [root(2)], [root(3)]).requests[0] for n in (1, 4))
    kept = memberships.fingerprint(request, key=old)
    assert kept[6:] != memberships.fingerprint(request, key=new)[6:]
    assert memberships.is_repeat(request, kept, keys=(new, old))
    assert not memberships.is_repeat(Request(mobile="09123456788"), kept, keys=(new, old))
    with pytest.raises(crypto.KeyMissing, match=old.key_id):
        memberships.is_repeat(request, kept, keys=(new,))


def test_an_identifier_of_an_earlier_key_is_known_by_it() -> None:
    after = crypto.key_set([root(1)], [root(2)], [root(4), root(3)]).identifiers
    before = identifiers.mark(KEYS, IdentifierKind.MOBILE, "09123456789")
    mark = identifiers.mark(after, IdentifierKind.MOBILE, "0912 345 6789")
    assert mark.digest != before.digest
    assert before.digest in mark.digests


# ---------------------------------------------------------------------------------------- balances


def outcomes(sequence: int, points: int, **changes: object) -> RecordedOutcome:
    fields = {
        "sequence": sequence,
        "name": f"t.1.1.{sequence}",
        "command": "post-transaction.v1",
        "status": Status.COMPLETED,
        "decided_at": NOW,
        "kind": Kind.PURCHASE,
        "account": 1_000_001,
        "balance_points": points,
    }
    return RecordedOutcome(5, NOW + timedelta(seconds=sequence), Outcome(**(fields | changes)))  # type: ignore[arg-type]


def test_a_balance_follows_the_newest_outcome() -> None:
    batch = [
        outcomes(1, 10),
        outcomes(2, 25, status=Status.UNDER_REVIEW),
        outcomes(3, 0, status=Status.DECLINED),
        outcomes(4, 0, status=Status.REFUSED),
        outcomes(5, 20, kind=None, command="expire-lot.v1"),
        outcomes(6, 99, account=0),
    ]
    assert balances.updated_balances(batch, {}) == [
        Balance(1_000_001, 5, 5, 20, 0, 2, NOW + timedelta(seconds=2))
    ]


def test_an_older_outcome_changes_nothing() -> None:
    kept = Balance(1_000_001, 5, 9, 50, 0, 3, NOW)
    assert balances.updated_balances([outcomes(8, 1), outcomes(9, 1)], {1_000_001: kept}) == []


def test_an_imported_purchase_of_long_ago_does_not_move_the_last_date() -> None:
    kept = Balance(1_000_001, 5, 9, 50, 0, 3, NOW + timedelta(days=1))
    (after,) = balances.updated_balances([outcomes(10, 60)], {1_000_001: kept})
    assert (after.transactions_count, after.last_transaction_at) == (4, kept.last_transaction_at)

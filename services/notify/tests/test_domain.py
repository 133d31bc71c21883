"""Which outcomes are told, in which words, how they are counted, how states move."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import Channel, Kind, Status
from notify import settings
from notify.domain import contacts, messages, sms, texts
from notify.domain.messages import State
from notify.domain.texts import Locale, Template

from .conftest import RING

SHARD = 3
OTHER = contacts.ring_of(["A" * 43 + "="])


@pytest.mark.parametrize(
    ("text", "ucs2", "units", "parts"),
    [
        ("", False, 0, 1),
        ("a" * 160, False, 160, 1),
        ("a" * 161, False, 161, 2),
        ("a" * 306, False, 306, 2),
        ("a" * 307, False, 307, 3),
        ("[" * 80, False, 160, 1),
        ("[" * 81, False, 162, 2),
        ("a" * 152 + "[" + "a" * 10, False, 164, 2),
        ("ا" * 70, True, 70, 1),
        ("ا" * 71, True, 71, 2),
        ("ا" * 134, True, 134, 2),
        ("ا" * 135, True, 135, 3),
        ("a" * 69 + "\u200c", True, 70, 1),
        ("🙂" * 35, True, 70, 1),
        ("🙂" * 36, True, 72, 2),
        ("🙂" * 66, True, 132, 2),
        ("🙂" * 67, True, 134, 3),  # 33 pairs a part: none is split
        ("لغو11", True, 5, 1),
    ],
)
def test_parts_are_counted_as_the_standard_counts(
    text: str, ucs2: bool, units: int, parts: int
) -> None:
    assert sms.measure(text) == sms.Size(ucs2, units, parts)


@given(st.text(max_size=400))
def test_parts_hold_the_text_and_no_part_is_wasted(text: str) -> None:
    size = sms.measure(text)
    single, part = (70, 67) if size.ucs2 else (160, 153)
    if size.parts == 1:
        assert size.units <= single
    else:
        assert size.units > single
        assert size.units <= size.parts * part
        assert size.units > (size.parts - 1) * (part - 1)


def test_a_locale_without_texts_reads_persian() -> None:
    known = {name: texts.locale_of(name) for name in ("fa", "en", "EN-gb", "fa-IR", "ku", "")}
    assert [name for name, locale in known.items() if locale is Locale.EN] == ["en", "EN-gb"]


@pytest.mark.parametrize(
    ("kind", "command", "purpose", "template"),
    [
        (Kind.PURCHASE, "post-transaction.v1", "", Template.RECEIPT_PURCHASE),
        (Kind.REDEMPTION, "post-transaction.v1", "", Template.VALUE_SPENT),
        (Kind.REFUND, "post-transaction.v1", "", Template.RECEIPT_REFUND),
        (Kind.REVERSAL, "post-transaction.v1", "", Template.RECEIPT_REFUND),
        (None, "issue-value.v1", "first-purchase", Template.FIRST_PURCHASE),
        (None, "release-pending.v1", "", Template.POINTS_RELEASED),
        (None, "cancel-pending.v1", "", Template.POINTS_CANCELLED),
        (None, "issue-value.v1", "other", None),
        (None, "take-back-value.v1", "first-purchase-return", Template.CREDIT_RETURNED),
        (None, "take-back-value.v1", "other", None),
        (None, "spend-value.v1", "", Template.VALUE_SPENT),
        (None, "capture-hold.v1", "", Template.VALUE_SPENT),
        (None, "expire-lot.v1", "", None),
        (None, "tick-clock.v1", "", None),
    ],
)
def test_what_an_outcome_calls_for(
    world: Any, make: Any, kind: Kind, command: str, purpose: str, template: Template | None
) -> None:
    moves = (make.move("clawed-back", 5),)
    outcome = world.outcome(9, kind=kind, command=command, purpose=purpose, moves=moves)
    draft = messages.draft_of(SHARD, outcome)
    assert (draft.template if draft else None) is template
    if draft is not None:
        receipt = template.value.startswith("receipt")
        assert draft.consented is receipt
        life = settings.RECEIPT_LIFE if receipt else settings.NEWS_LIFE
        assert draft.expires_at - draft.decided_at == life
        assert draft.cause.startswith("3.t.7.1.")


@pytest.mark.parametrize(
    "silent",
    [
        {"quiet": True},
        {"channel": Channel.HISTORY},
        {"status": Status.DECLINED},
        {"status": Status.REFUSED},
        {"account": 0},
    ],
)
def test_quiet_and_refused_outcomes_are_never_told(world: Any, silent: dict[str, Any]) -> None:
    assert messages.draft_of(SHARD, world.outcome(9, **silent)) is None
    assert messages.draft_of(SHARD, world.first_purchase(9, **silent)) is None


def test_receipts_go_only_to_those_who_asked_and_news_to_all(world: Any) -> None:
    sale, credit = world.outcome(9), world.first_purchase(9)
    receipt, news = messages.draft_of(SHARD, sale), messages.draft_of(SHARD, credit)
    assert receipt is not None
    assert news is not None
    silent = {9: world.contact(9, receipts=False, locale="en")}
    assert [messages.is_wanted(one, silent) for one in (sale, credit)] == [False, True]
    assert messages.is_wanted(sale, {9: world.contact(9)})
    (row,) = messages.write([news], silent)
    assert (row.draft, row.state, row.locale) == (news, State.QUEUED, "en")
    assert row.text.startswith("Peyvand:")
    assert messages.addressed(receipt, silent[9]).state is State.SUPPRESSED
    assert all(messages.is_wanted(one, {}) for one in (sale, credit))
    waiting = messages.write([receipt, news], {})
    assert [row.state for row in waiting] == [State.WAITING, State.WAITING]
    assert [row.parts for row in waiting] == [0, 0]


def test_where_no_member_is_named_the_accounts_first_is_told(world: Any) -> None:
    household = {m: world.contact(m, account=77) for m in (8, 4)}
    stranger = {2: world.contact(2)}
    found = messages.recipient(0, 77, household | stranger)
    assert found is not None
    assert found.member == 4
    assert messages.recipient(0, 77, stranger) is None


def test_what_was_spent_is_told_to_those_too_who_asked_for_nothing(world: Any, make: Any) -> None:
    """S6: a thief's redemption by a mobile number was suppressed, for consent is off by default."""
    spent = world.outcome(9, Kind.REDEMPTION, moves=(make.move("redeemed", 1_900_000),))
    draft = messages.draft_of(SHARD, spent)
    assert draft is not None
    silent = {9: world.contact(9, receipts=False)}
    assert messages.is_wanted(spent, silent)
    (row,) = messages.write([draft], silent)
    assert row.state is State.QUEUED
    assert "۱٬۹۰۰٬۰۰۰ امتیاز" in row.text


def test_nothing_is_told_where_nothing_was_undone(world: Any) -> None:
    """A reversal of a name that never came, a take-back that found nothing left."""
    for changes in (
        {"kind": Kind.REVERSAL},
        {"kind": None, "command": "take-back-value.v1", "purpose": "first-purchase-return"},
        {"kind": None, "command": "cancel-pending.v1"},
    ):
        assert messages.draft_of(SHARD, world.outcome(9, **changes)) is None


@given(st.lists(st.sampled_from([1, 2, 4, 5, 6, 10, 11, 13, 14, 100, 77]), max_size=12))
def test_states_only_move_forward_and_a_final_one_stays(heard: list[int]) -> None:
    state, path = State.SENDING, [State.SENDING]
    for status in heard:
        told = messages.from_provider(status)
        if told is not None and state in messages.befores(told):
            state = told
            path.append(told)
    order = [State.SENDING, State.ACCEPTED, State.SENT]
    ranks = [order.index(s) if s in order else 3 for s in path]
    assert ranks == sorted(set(ranks))


def test_the_providers_numbers_mean_what_they_mean() -> None:
    assert messages.from_provider(77) is None
    assert {messages.from_provider(n) for n in (6, 10, 11, 13, 14, 100)} <= messages.FINAL
    assert messages.befores(State.QUEUED) == []


def test_contacts_open_only_for_their_member_and_key(make: Any) -> None:
    sealed = make.sealed(9, "+989121234567")
    assert contacts.unseal(sealed, member=9, ring=RING).mobile == "+989121234567"
    assert contacts.unseal(sealed, member=9, ring=(*OTHER, *RING)).mobile == "+989121234567"
    missing = f"key {RING[0].key_id} is missing"
    for member, other, text, why in (
        (8, RING, sealed, "does not open"), (9, OTHER, sealed, missing), (9, RING, "x", "member 9"),
    ):  # fmt: skip
        with pytest.raises(contacts.Unreadable, match=why):
            contacts.unseal(text, member=member, ring=other)
    with pytest.raises(ValueError, match="PEYVAND_CONTACT_KEYS"):
        contacts.ring_of(["c2hvcnQ="])


def test_a_sealed_text_shows_which_key_it_needs(make: Any) -> None:
    (beginning,) = contacts.beginnings(RING)
    assert make.sealed(9, "+989121234567").startswith(beginning)
    assert contacts.key_id(beginning) == RING[0].key_id
    assert contacts.key_id("\u06f0?") == repr("\u06f0?")  # not a form of ours: shown as it is


def test_numbers_are_masked() -> None:
    assert contacts.masked("+989121234567") == "0912***4567"
    assert contacts.masked("+4915112345678") == "+491***5678"

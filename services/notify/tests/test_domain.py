"""Which outcomes become messages, for whom, how segments are counted, how states move."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import Channel, Kind, Status
from notify import settings
from notify.contacts import domain as contacts
from notify.sms_queue import domain as messages
from notify.sms_queue.domain import State
from notify.templates.domain import segments, texts
from notify.templates.domain.texts import Locale, Template

from .conftest import RING

pytestmark = pytest.mark.NH16

SHARD = 3
OTHER = contacts.ring_of(["A" * 43 + "="])


@pytest.mark.parametrize(
    ("text", "ucs2", "units", "count"),
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
        ("🙂" * 67, True, 134, 3),  # 33 pairs a segment: none is split
        ("لغو11", True, 5, 1),
    ],
)
def test_segments_are_counted_as_the_standard_counts(
    text: str, ucs2: bool, units: int, count: int
) -> None:
    assert segments.measure(text) == segments.Size(ucs2, units, count)


@given(st.text(max_size=400))
def test_segments_hold_the_text_and_none_is_wasted(text: str) -> None:
    size = segments.measure(text)
    single, segment = (70, 67) if size.ucs2 else (160, 153)
    if size.segments == 1:
        assert size.units <= single
    else:
        assert size.units > single
        assert size.units <= size.segments * segment
        assert size.units > (size.segments - 1) * (segment - 1)


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
        (None, "revoke-issue.v1", "first-purchase-return", Template.CREDIT_RETURNED),
        (None, "revoke-issue.v1", "other", None),
        (None, "spend-value.v1", "", Template.VALUE_SPENT),
        (None, "capture-hold.v1", "", Template.VALUE_SPENT),
        (Kind.CAPTURE, "post-transaction.v1", "", Template.VALUE_SPENT),
        (Kind.AUTHORISATION, "post-transaction.v1", "", None),
        (Kind.VOID, "post-transaction.v1", "", None),
        (Kind.TOP_UP, "post-transaction.v1", "", Template.WALLET_TOPPED_UP),
        (None, "top-up-wallet.v1", "", Template.WALLET_TOPPED_UP),
        (None, "expire-lot.v1", "", None),
        (None, "advance-clock.v1", "", None),
    ],
)
def test_an_outcome_calls_for_its_template(
    samples: Any, make: Any, kind: Kind, command: str, purpose: str, template: Template | None
) -> None:
    moves = (make.move("clawed-back", 5),)
    outcome = samples.outcome(9, kind=kind, command=command, purpose=purpose, moves=moves)
    draft = messages.draft_of(SHARD, outcome)
    assert (draft.template if draft else None) is template
    if draft is not None:
        assert template is not None
        receipt = template.value.startswith("receipt")
        assert draft.needs_consent is receipt
        life = settings.RECEIPT_LIFE if receipt else settings.NEWS_LIFE
        assert draft.expires_at - draft.decided_at == life
        assert draft.cause.startswith("3.t.7.1.")


@pytest.mark.parametrize(
    "silent",
    [
        {"silent": True},
        {"channel": Channel.HISTORY},
        {"status": Status.DECLINED},
        {"status": Status.REFUSED},
        {"account": 0},
    ],
)
def test_no_message_tells_of_quiet_and_refused_outcomes(
    samples: Any, silent: dict[str, Any]
) -> None:
    assert messages.draft_of(SHARD, samples.outcome(9, **silent)) is None
    assert messages.draft_of(SHARD, samples.first_purchase(9, **silent)) is None


def test_receipts_need_consent_and_news_goes_to_all(samples: Any) -> None:
    sale, credit = samples.outcome(9), samples.first_purchase(9)
    receipt, news = messages.draft_of(SHARD, sale), messages.draft_of(SHARD, credit)
    assert receipt is not None
    assert news is not None
    silent = {9: samples.contact(9, receipts=False, locale="en")}
    assert [messages.is_due(one, silent) for one in (sale, credit)] == [False, True]
    assert messages.is_due(sale, {9: samples.contact(9)})
    (row,) = messages.queued_messages([news], silent)
    assert (row.draft, row.state, row.locale) == (news, State.QUEUED, "en")
    assert row.text.startswith("Peyvand:")
    assert messages.addressed(receipt, silent[9]).state is State.SUPPRESSED
    assert all(messages.is_due(one, {}) for one in (sale, credit))
    waiting = messages.queued_messages([receipt, news], {})
    assert [row.state for row in waiting] == [State.WAITING, State.WAITING]
    assert [row.segments for row in waiting] == [0, 0]


def test_where_no_member_is_named_the_accounts_first_gets_the_message(samples: Any) -> None:
    household = {m: samples.contact(m, account=77) for m in (8, 4)}
    stranger = {2: samples.contact(2)}
    contact = messages.recipient(0, 77, household | stranger)
    assert contact is not None
    assert contact.member == 4
    assert messages.recipient(0, 77, stranger) is None


def test_a_redemption_needs_no_consent(samples: Any, make: Any) -> None:
    """S6: a thief's redemption by a mobile number was suppressed, for consent is off by default."""
    spent = samples.outcome(9, Kind.REDEMPTION, moves=(make.move("redeemed", 1_900_000),))
    draft = messages.draft_of(SHARD, spent)
    assert draft is not None
    silent = {9: samples.contact(9, receipts=False)}
    assert messages.is_due(spent, silent)
    (row,) = messages.queued_messages([draft], silent)
    assert row.state is State.QUEUED
    assert "۱٬۹۰۰٬۰۰۰ امتیاز" in row.text


def test_no_message_tells_that_nothing_was_undone(samples: Any) -> None:
    """A reversal of a transaction that never arrived; a revocation with nothing left to revoke."""
    for changes in (
        {"kind": Kind.REVERSAL},
        {"kind": None, "command": "revoke-issue.v1", "purpose": "first-purchase-return"},
        {"kind": None, "command": "cancel-pending.v1"},
    ):
        assert messages.draft_of(SHARD, samples.outcome(9, **changes)) is None


@given(st.lists(st.sampled_from([1, 2, 4, 5, 6, 10, 11, 13, 14, 100, 77]), max_size=12))
def test_states_only_move_forward_and_a_final_one_stays(statuses: list[int]) -> None:
    state, path = State.SENDING, [State.SENDING]
    for status in statuses:
        next_state = messages.state_of_status(status)
        if next_state is not None and state in messages.predecessors(next_state):
            state = next_state
            path.append(next_state)
    order = [State.SENDING, State.ACCEPTED, State.SENT]
    ranks = [order.index(s) if s in order else 3 for s in path]
    assert ranks == sorted(set(ranks))


def test_the_providers_numbers_mean_what_they_mean() -> None:
    assert messages.state_of_status(77) is None
    assert {messages.state_of_status(n) for n in (6, 10, 11, 13, 14, 100)} <= messages.FINAL
    assert messages.predecessors(State.QUEUED) == []


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
    (head,) = contacts.key_heads(RING)
    assert make.sealed(9, "+989121234567").startswith(head)
    assert contacts.key_id(head) == RING[0].key_id
    assert contacts.key_id("\u06f0?") == repr("\u06f0?")  # not a head: printed as it is


def test_numbers_are_masked() -> None:
    assert contacts.mask("+989121234567") == "0912***4567"
    assert contacts.mask("+4915112345678") == "+491***5678"

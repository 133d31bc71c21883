from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts.ledger import Entry, LotIssued, LotMoved, Outcome
from contracts.merchants import Terminal, TerminalKey
from contracts.values import Kind, Status, Unit, tehran_day
from kit.base import fields
from merchants.daily_totals import domain as daily_totals
from merchants.daily_totals.domain import DailyTotals, RecordedOutcome
from merchants.parties import domain as parties
from merchants.parties.domain import Merchant, Party
from merchants.terminals import domain as terminals

NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)


def a_terminal(**changes: object) -> Terminal:
    fields = {
        "terminal": 10,
        "version": 1,
        "epoch": 0,
        "merchant": 5,
        "party": 2,
        "branch": 3,
        "active": False,
    }
    return Terminal(**(fields | changes))  # type: ignore[arg-type]


def a_key(key_id: str, revoked_at: datetime | None = None) -> TerminalKey:
    return TerminalKey(key_id=key_id, sha256="0" * 64, created_at=NOW, revoked_at=revoked_at)


# -------------------------------------------------------------------------------------------- text


TITLE = TypeAdapter[str](fields.Title)


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("  فروشگاه كوروش ", "فروشگاه کوروش"),
        ("پيوند", "پیوند"),
        ("شعبهٔ ۱۲", "شعبهٔ 12"),
        ("\u202bنان\u202c", "نان"),
    ],
)
def test_titles_are_folded_trimmed_and_their_digits_ascii(given_text: str, kept: str) -> None:
    assert TITLE.validate_python(given_text) == kept


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "a\ud800", "a\nb", "x" * 201, "\u202b"])
def test_text_that_cannot_be_a_title_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        TITLE.validate_python(text)


def test_a_title_is_cleaned_once_and_for_all() -> None:
    once = TITLE.validate_python("كتابِ ٤٥٦ ى")
    assert TITLE.validate_python(once) == once


def test_search_sees_no_half_space_and_no_case() -> None:
    assert parties.search_key("می\u200cوه  Shop") == parties.search_key("می وه shop")


def test_title_key_has_both_titles_on_lines_of_their_own() -> None:
    merchant = Merchant(5, 2, "bakery", "نان", "Bread")
    assert parties.title_key(merchant) == "نان\nbread"


def test_of_a_persons_numbers_the_last_four_digits_are_shown() -> None:
    party = Party(
        *(2, "نانوایی", "Bakery", None, "0012345679", "IR050170000000123456789012"),
        *("1193653471", "+989123456789"),
    )
    view = parties.view_of(party)
    assert (view.national_id, view.sheba) == ("******5679", "*" * 22 + "9012")
    assert (view.mobile, view.bank_fa) == ("*********6789", "بانک ملی ایران")
    assert (view.postal_code, view.bank_en) == ("1193653471", "Bank Melli Iran")


def test_a_party_without_numbers_shows_none() -> None:
    view = parties.view_of(Party(2, "نان", "Bread", "10380284790"))
    assert (view.legal_id, view.national_id, view.sheba) == ("10380284790", None, None)
    assert (view.bank_fa, view.mobile) == (None, None)


def test_a_party_is_a_company_or_a_person() -> None:
    with pytest.raises(parties.TwoIdentities):
        parties.check_identity(Party(2, "نان", "Bread", "10380284790", "0012345679"))


# --------------------------------------------------------------------------------------- terminals


def test_activation_raises_epoch_and_version_and_opens_nothing_that_was_stopped() -> None:
    stopped = terminals.changed(a_terminal(), stopped=True)
    first = terminals.activated(stopped)
    second = terminals.activated(first)
    assert (first.epoch, first.active, first.stopped) == (1, True, True)
    assert (second.epoch, second.version) == (2, stopped.version + 2)


def test_keys_without_an_end_have_a_bound() -> None:
    full = a_terminal(keys=(a_key("aaaaaaaa"), a_key("bbbbbbbb", revoked_at=NOW)))
    terminals.refuse_too_many(full, active_max=2)
    with pytest.raises(terminals.TooManyKeys):
        terminals.refuse_too_many(full, active_max=1)


def test_a_key_names_its_terminal_and_is_kept_as_a_hash() -> None:
    text = terminals.key_text(10, "aaaaaaaa", "secret_with_underscore")
    assert text.split("_", 3) == ["pvt", "10", "aaaaaaaa", "secret_with_underscore"]
    assert "secret" not in terminals.key_digest(text)
    assert len(terminals.key_digest(text)) == 64


# ----------------------------------------------------------------------------------- daily totals


def outcome(sequence: int, **changes: object) -> Outcome:
    fields = {
        "sequence": sequence,
        "name": f"t.10.1.{sequence}",
        "command": "post-transaction.v1",
        "status": Status.COMPLETED,
        "decided_at": NOW,
        "kind": Kind.PURCHASE,
        "merchant": 5,
        "amount_rial": 1000,
    }
    return Outcome(**(fields | changes))  # type: ignore[arg-type]


CASH = Entry(owner=5, role="cash", counterparty=0, unit=Unit.RIAL, amount=-1_000)


def lot(amount: int, unit: Unit = Unit.NETWORK_POINTS, parent: int = 0) -> LotIssued:
    return LotIssued(
        lot=1,
        unit=unit,
        amount=amount,
        cost_rial=0,
        issuer=2,
        funder=2,
        rule="base",
        available_from=NOW,
        parent=parent,
    )


def move(movement: str, amount: int, unit: Unit = Unit.NETWORK_POINTS) -> LotMoved:
    return LotMoved(lot=1, movement=movement, unit=unit, amount=amount, cost_rial=0, issuer=2)


@pytest.mark.NH18
def test_every_kind_falls_into_its_own_column() -> None:
    outcomes = [
        RecordedOutcome(
            0, NOW, NOW, outcome(1, lots=(lot(10), lot(7, Unit.CREDIT), lot(3, parent=9)))
        ),
        RecordedOutcome(
            0, NOW, NOW, outcome(2, kind=Kind.REDEMPTION, moves=(move("redeemed", 4),))
        ),
        RecordedOutcome(
            0, NOW, NOW, outcome(3, kind=Kind.REFUND, amount_rial=300, moves=(move("restored", 2),))
        ),
        RecordedOutcome(
            0, NOW, NOW, outcome(4, kind=Kind.REVERSAL, moves=(move("clawed-back", 5),))
        ),
        RecordedOutcome(0, NOW, NOW, outcome(5, status=Status.DECLINED)),
        RecordedOutcome(0, NOW, NOW, outcome(6, status=Status.REFUSED)),
        RecordedOutcome(0, NOW, NOW, outcome(7, merchant=0)),
        RecordedOutcome(0, NOW, NOW, outcome(8, kind=None, moves=(move("cancelled", 1),))),
        RecordedOutcome(0, NOW, NOW, outcome(9, status=Status.UNDER_REVIEW, lots=(lot(1),))),
        RecordedOutcome(0, NOW, NOW, outcome(10, moves=(move("redeemed", 9, Unit.CREDIT),))),
        RecordedOutcome(0, NOW, NOW, outcome(11, kind=Kind.TOP_UP)),
        RecordedOutcome(0, NOW, NOW, outcome(12, kind=Kind.REVERSAL, entries=(CASH,))),
        RecordedOutcome(0, NOW, NOW, outcome(13, kind=Kind.VOID, amount_rial=0)),
    ]
    assert daily_totals.totals_of(outcomes, {}) == [
        DailyTotals(
            merchant=5,
            day=date(2026, 3, 21),
            transactions_count=4,
            amount_rial=4000,
            refunds_count=2,
            refunded_rial=1300,
            earned_points=11,
            redeemed_points=4,
            returned_points=6,
            restored_points=2,
        )
    ]


def test_the_day_is_tehrans() -> None:
    late = datetime(2026, 3, 21, 20, 30, tzinfo=UTC)
    assert [
        t.day for t in daily_totals.totals_of([RecordedOutcome(0, late, late, outcome(1))], {})
    ] == [date(2026, 3, 22)]


@pytest.mark.NH18
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), max_size=40), st.integers(0, 40))
def test_however_a_stream_is_cut_and_repeated_each_outcome_counts_once(
    steps: list[tuple[int, int]], cut: int
) -> None:
    last = {0: 0, 1: 0, 2: 0}
    stream: list[RecordedOutcome] = []
    for shard, amount in steps:
        last[shard] += 1
        stream.append(RecordedOutcome(shard, NOW, NOW, outcome(last[shard], lots=(lot(amount),))))
    counted: dict[int, int] = {}
    earned = 0
    for batch in (stream[:cut], stream[: cut + 3], stream[max(0, cut - 3) :], stream):
        earned += sum(t.earned_points for t in daily_totals.totals_of(batch, counted))
        for shard, sequence in daily_totals.last_sequences(batch).items():
            counted[shard] = max(counted.get(shard, 0), sequence)
    assert earned == sum(amount for _, amount in steps)


@pytest.mark.NH18
def test_an_undo_dated_far_back_counts_on_the_day_it_came_in() -> None:
    """S15: a cashier's reversal dated 0001-01-01 counted on that day, in nobody's report."""
    edge = NOW - daily_totals.DATED_BACK_MAX
    days: list[tuple[Kind, datetime, date]] = [
        (Kind.REVERSAL, datetime(1, 1, 1, 12, tzinfo=UTC), tehran_day(NOW)),
        (Kind.REFUND, edge - timedelta(microseconds=1), tehran_day(NOW)),
        (Kind.REFUND, edge, tehran_day(edge)),
        (Kind.PURCHASE, datetime(2020, 1, 1, 12, tzinfo=UTC), date(2020, 1, 1)),  # history
    ]
    for kind, occurred_at, day in days:
        (counted,) = daily_totals.totals_of(
            [RecordedOutcome(0, occurred_at, NOW, outcome(1, kind=kind))], {}
        )
        assert counted.day == day

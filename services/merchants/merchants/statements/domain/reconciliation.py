"""Reconciliation: windows, entries, positions and statements against one another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from merchants.clearing.domain import positions
from merchants.clearing.domain.corrections import Correction, effects_of
from merchants.clearing.domain.counting import Pair, PairSums
from merchants.clearing.domain.positions import Position, WholeWindow
from merchants.disputes.domain.disputes import Dispute
from merchants.statements.domain import statement


class Check(StrEnum):
    """What a difference is between."""

    MARKER = "marker-missing"
    SEQUENCE = "window-not-adjacent"
    OUTCOMES = "outcomes-missing"
    ENTRIES = "pair-not-its-entries"
    POSITION = "position-not-its-pairs"
    STATEMENT = "statement-not-its-lines"
    BALANCE = "positions-not-zero"
    WINDOW = "window-not-its-pairs"
    CORRECTION = "correction-not-its-dispute"


_TEXTS: dict[Check, tuple[str, str]] = {
    Check.MARKER: (
        "این بخش دفتر پایان دوره را ثبت نکرده است",
        "the shard has not passed the window's marker",
    ),
    Check.SEQUENCE: (
        "آغاز دوره در این بخش دفتر پس از پایان دورهٔ پیش نیست",
        "the window does not begin after the one before on this shard",
    ),
    Check.OUTCOMES: (
        "همهٔ ردیف‌های این بخش دفتر شمرده نشده‌اند؛ پیام‌های کنارگذاشته را ببینید",
        "not every outcome of the shard was counted; look at the dead letters",
    ),
    Check.ENTRIES: (
        "جمع این دو طرف با ردیف‌هایش برابر نیست",
        "the sums of the pair are not those of its entries",
    ),
    Check.POSITION: (
        "وضعیت تسویهٔ این طرف با جمع‌ها برابر نیست",
        "the party's position is not what the pairs come to",
    ),
    Check.STATEMENT: (
        "ردیف‌های صورت‌حساب به ماندهٔ پایان نمی‌رسند",
        "the lines of the statement do not lead to its closing",
    ),
    Check.BALANCE: (
        "جمع وضعیت‌های تسویه صفر نیست",
        "positions, fees, corrections, payments and closings do not each sum to zero",
    ),
    Check.WINDOW: (
        "جمع دوره با جمع دو طرف‌ها برابر نیست",
        "the sums of the window are not those of its pairs",
    ),
    Check.CORRECTION: (
        "اصلاح حساب با نتیجهٔ اعتراض برابر نیست",
        "the correction is not what its dispute came to",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: what it is between, where, what it should be and what it is."""

    code: Check
    fa: str
    en: str
    shard: int | None = None
    debtor: int | None = None
    creditor: int | None = None
    party: int | None = None
    expected: str
    actual: str


def differences(whole: WholeWindow) -> list[Difference]:
    """Every difference of a closed window; empty when all is well (SH14)."""
    window = whole.window.window
    recomputed = positions.netted_of(
        whole.pairs, whole.unpaid_before, window=window, corrections=whole.corrections
    )
    return [
        *_of_markers(whole),
        *_of_entries(whole),
        *_of_positions(recomputed, whole.positions),
        *_of_statements(whole),
        *_of_balance(whole.positions),
        *_of_window(whole),
    ]


def of_disputes(
    made: Iterable[Correction], ended: Mapping[str, Dispute], lost: Iterable[Dispute]
) -> list[Difference]:
    """Corrections of a window against the ends of their disputes.

    ended: disputes by name. lost: of windows before, with an end that no correction says.
    """
    found = {one.correction: (one.pair, one.amount_rial) for one in made}
    expected: dict[str, tuple[Pair, int]] = {}
    for name in found:
        dispute = ended.get(name)
        if dispute is not None and dispute.correction_rial:
            expected[name] = (dispute.opening.correction, dispute.correction_rial)
    for dispute in lost:
        expected[dispute.opening.dispute] = (
            dispute.opening.correction,
            dispute.correction_rial or 0,
        )
    nothing = (None, 0)
    differences: list[Difference] = []
    for name in sorted(found.keys() | expected.keys()):
        right, kept = expected.get(name, nothing), found.get(name, nothing)
        if right != kept:
            pair = kept[0] or right[0]
            place = {} if pair is None else {"debtor": pair.debtor, "creditor": pair.creditor}
            words = [f"dispute {name}: {rial} Rial of {pair}" for pair, rial in (right, kept)]
            differences.append(_difference(Check.CORRECTION, *words, **place))
    return differences


def _difference(check: Check, expected: object, actual: object, **place: int) -> Difference:
    fa, en = _TEXTS[check]
    return Difference(code=check, fa=fa, en=en, expected=str(expected), actual=str(actual), **place)


def _of_markers(whole: WholeWindow) -> Iterator[Difference]:
    markers = {marker.shard: marker for marker in whole.markers}
    before = {marker.shard: marker.last for marker in whole.markers_before}
    for shard in range(whole.window.shards or 0):
        marker = markers.get(shard)
        if marker is None:
            yield _difference(Check.MARKER, "1", "0", shard=shard)
            continue
        first, outcomes = before.get(shard, 0) + 1, marker.last - marker.first + 1
        if marker.first != first:
            yield _difference(Check.SEQUENCE, first, marker.first, shard=shard)
        if marker.outcomes_count != outcomes:
            yield _difference(Check.OUTCOMES, outcomes, marker.outcomes_count, shard=shard)


def _of_entries(whole: WholeWindow) -> Iterator[Difference]:
    for shard, pair, of_entries, kept in whole.miscounted:
        yield _difference(
            Check.ENTRIES,
            _text(of_entries),
            _text(kept),
            shard=shard,
            debtor=pair.debtor,
            creditor=pair.creditor,
        )


def _of_positions(recomputed: Iterable[Position], kept: Iterable[Position]) -> Iterator[Difference]:
    expected = {one.party: one for one in recomputed}
    actual = {one.party: one for one in kept}
    for party in sorted(expected.keys() | actual.keys()):
        nothing = Position(party=party)
        right, found = expected.get(party, nothing), actual.get(party, nothing)
        if right != found:
            yield _difference(Check.POSITION, _text(right), _text(found), party=party)


def _of_statements(whole: WholeWindow) -> Iterator[Difference]:
    of_party: dict[int, dict[Pair, PairSums]] = {}
    for pair, sums in whole.pairs.items():
        for party in {pair.debtor, pair.creditor}:
            of_party.setdefault(party, {})[pair] = sums
    for position in whole.positions:
        lines = statement.lines_of(position.party, of_party.get(position.party, {}), {})
        effects = effects_of(whole.corrections, position.party, whole.window.window)
        reached = position.opening_rial + sum(one.effect_rial for one in (*lines, *effects))
        if reached != position.closing_rial:
            yield _difference(Check.STATEMENT, position.closing_rial, reached, party=position.party)


def _of_balance(kept: Sequence[Position]) -> Iterator[Difference]:
    for name, rials in positions.sums_beside_zero(kept).items():
        yield _difference(Check.BALANCE, f"{name} 0", f"{name} {rials}")


def _of_window(whole: WholeWindow) -> Iterator[Difference]:
    counted = sum(marker.outcomes_count for marker in whole.markers)
    expected = positions.window_sums(whole.pairs, whole.positions, counted)
    if expected != whole.sums:
        yield _difference(Check.WINDOW, _text(expected), _text(whole.sums))


def _text(figures: Any) -> str:
    """Figures of a pair, a position or a window as one line."""
    return ", ".join(f"{field.name} {getattr(figures, field.name)}" for field in fields(figures))

"""Shapes of statements as they are shown, and the digest of one on paper."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from pydantic import TypeAdapter

from contracts.values import public_id
from merchants import settings
from merchants.clearing.domain.corrections import CorrectionEffect
from merchants.clearing.domain.counting import PairEntry
from merchants.statements.domain.reconciliation import Difference
from merchants.statements.domain.statement import Side, Statement, StatementLine

# what a paper's digest is of; a field that is added later is not, so that old papers stay right
_SEALED: Final = (
    *("window", "opened_at", "cut_at", "closed_at", "party"),
    *("title_fa", "title_en", "opening_rial", "claims_rial", "claims_reversed_rial"),
    *("dues_rial", "dues_reversed_rial", "fee_rial", "corrections_rial", "position_rial"),
    *("paid_rial", "closing_rial"),
)
_SEALED_OF_LINE: Final = (
    *("side", "counterparty", "title_fa", "title_en", "entries_count"),
    *("claims_rial", "reversed_rial", "fee_rial", "paid_rial", "own_discount_rial"),
    *("released_rial", "effect_rial"),
)
_SEALED_OF_DISPUTE: Final = (
    *("dispute", "window", "counterparty", "title_fa", "title_en"),
    *("correction_rial", "paid_rial", "effect_rial"),
)


@dataclass(frozen=True, slots=True)
class LineView:
    """What stands between the party and another; Rial are text of digits.

    side: claim (the other owes the party), due (the party owes it), own (its own expense).
    effect_rial: what the line adds to what the party is owed; opening and effects make closing.
    transactions: the address of what is behind it.
    """

    side: Side
    counterparty: int
    title_fa: str
    title_en: str
    entries_count: int
    claims_rial: str
    reversed_rial: str
    fee_rial: str
    paid_rial: str
    own_discount_rial: str
    released_rial: str
    effect_rial: str
    transactions: str


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """What the end of a dispute came to for the party; Rial are text of digits, in its favour.

    window: the disputed one, which stays as it is. correction_rial: due to the party, where the
    dispute ended in the statement's window. paid_rial: paid to the party of it in that window.
    effect_rial = correction − paid.
    """

    dispute: str
    window: int
    counterparty: int
    title_fa: str
    title_en: str
    correction_rial: str
    paid_rial: str
    effect_rial: str


@dataclass(frozen=True, slots=True)
class StatementView:
    """A party's statement of a closed window; Rial are text of digits, above zero in its favour.

    opening_rial: carried from the window before. closing_rial = opening + position − paid: carried
    to the next. next: send it as after for further lines. corrections_rial: a part of position.
    disputes: ends of disputes that fell into the window, or were paid in it, the first 200; the CSV
    has all.
    """

    window: int
    opened_at: datetime
    cut_at: datetime | None
    closed_at: datetime | None
    party: int
    title_fa: str
    title_en: str
    opening_rial: str
    claims_rial: str
    claims_reversed_rial: str
    dues_rial: str
    dues_reversed_rial: str
    fee_rial: str
    position_rial: str
    paid_rial: str
    closing_rial: str
    lines: list[LineView]
    next: str | None
    corrections_rial: str
    disputes: list[CorrectionView]


_VIEWS: Final = TypeAdapter(StatementView)


@dataclass(frozen=True, slots=True)
class TransactionView:
    """One transaction behind a line. booking, proof: where the book shows and proves it."""

    transaction: str
    shard: int
    sequence: int
    command: str
    decided_at: datetime
    claim_rial: str
    fee_rial: str
    paid_rial: str
    own_discount_rial: str
    released_rial: str
    booking: str
    proof: str


@dataclass(frozen=True, slots=True)
class TransactionList:
    """Transactions by shard and sequence; next: send it as after."""

    items: list[TransactionView]
    next: str | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What does not agree in a closed window; empty when all is well."""

    window: int
    differences: list[Difference]


def seal_of(drawn_up: Statement) -> str:
    """SHA-256 of a whole statement's JSON: the fields that are sealed, keys in order, no blanks."""
    told = _VIEWS.dump_python(view_of(drawn_up, ""), mode="json")
    sealed = {name: told[name] for name in _SEALED}
    sealed["lines"] = [{name: one[name] for name in _SEALED_OF_LINE} for one in told["lines"]]
    sealed["disputes"] = [
        {name: one[name] for name in _SEALED_OF_DISPUTE} for one in told["disputes"]
    ]
    text = json.dumps(sealed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def view_of(drawn_up: Statement, path: str) -> StatementView:
    window, party, position = drawn_up.window, drawn_up.party, drawn_up.position
    last = drawn_up.last
    return StatementView(
        window=window.window,
        opened_at=window.opened_at,
        cut_at=window.cut_at,
        closed_at=window.closed_at,
        party=party.party,
        title_fa=party.title_fa,
        title_en=party.title_en,
        opening_rial=str(position.opening_rial),
        claims_rial=str(position.claims_rial),
        claims_reversed_rial=str(position.claims_reversed_rial),
        dues_rial=str(position.dues_rial),
        dues_reversed_rial=str(position.dues_reversed_rial),
        fee_rial=str(position.fee_rial),
        position_rial=str(position.position_rial),
        paid_rial=str(position.paid_rial),
        closing_rial=str(position.closing_rial),
        lines=[_line_view(line, path) for line in drawn_up.lines],
        next=None if last is None else f"{last.debtor}.{last.creditor}",
        corrections_rial=str(position.corrections_rial),
        disputes=[
            _correction_view(drawn_up, one) for one in drawn_up.disputes[: settings.PAGE_MAX]
        ],
    )


def _correction_view(drawn_up: Statement, effect: CorrectionEffect) -> CorrectionView:
    title = drawn_up.titles.get(effect.counterparty)
    return CorrectionView(
        dispute=effect.correction.correction,
        window=effect.correction.of_window,
        counterparty=effect.counterparty,
        title_fa="" if title is None else title.title_fa,
        title_en="" if title is None else title.title_en,
        correction_rial=str(effect.correction_rial),
        paid_rial=str(effect.paid_rial),
        effect_rial=str(effect.effect_rial),
    )


def _line_view(line: StatementLine, path: str) -> LineView:
    sums = line.sums
    return LineView(
        side=line.side,
        counterparty=line.counterparty,
        title_fa=line.title_fa,
        title_en=line.title_en,
        entries_count=sums.entries_count,
        claims_rial=str(sums.claims_rial),
        reversed_rial=str(sums.reversed_rial),
        fee_rial=str(sums.fee_rial),
        paid_rial=str(sums.paid_rial),
        own_discount_rial=str(sums.own_discount_rial),
        released_rial=str(sums.released_rial),
        effect_rial=str(line.effect_rial),
        transactions=(
            f"{path}/transactions?side={line.side.value}&counterparty={line.counterparty}"
        ),
    )


def transaction_view(entry: PairEntry) -> TransactionView:
    transaction, change = public_id(entry.shard, entry.name), entry.change
    return TransactionView(
        transaction=transaction,
        shard=entry.shard,
        sequence=entry.sequence,
        command=entry.command,
        decided_at=entry.decided_at,
        claim_rial=str(change.claim_rial),
        fee_rial=str(change.fee_rial),
        paid_rial=str(change.paid_rial),
        own_discount_rial=str(change.own_discount_rial),
        released_rial=str(change.released_rial),
        booking=f"/v1/bookings/{quote(transaction, safe='')}",
        proof=f"/v1/proofs/{entry.shard}/{entry.sequence}",
    )

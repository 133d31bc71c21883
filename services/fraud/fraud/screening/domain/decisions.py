"""Decisions: the built-in ones and those of the rules, each with its reasons."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec import Struct, structs

from contracts import envelope
from contracts.fraud import ScreeningDecision
from contracts.pos import PosTransaction
from contracts.values import (
    AMOUNT_MAX,
    SPENDS,
    UNDOS,
    Channel,
    Kind,
    Reason,
    micros,
    public_id,
    tehran_day,
)
from fraud.rules import domain as rules
from fraud.rules.domain import DAYS, Counted, Subject
from fraud.screening.domain import reasons, windows
from fraud.screening.domain.rulebook import LiveRule, Rulebook
from fraud.screening.domain.windows import Windows
from fraud.sums.domain import DayKey

_SHOWN: Final = SPENDS | {Kind.PURCHASE, Kind.TOP_UP}  # needs an identifier that may be used
SOLD: Final = frozenset((Kind.PURCHASE, Kind.CAPTURE))  # counts its basket, not value spent
_AGELESS: Final = frozenset((Kind.REVERSAL, Kind.VOID))
Key = tuple[int, str]  # shard; "a.<account>", "c.<identifier>" or "m.<merchant>.<identifier>"

_RANK: Final = {
    ScreeningDecision.ALLOW: 0,
    ScreeningDecision.REVIEW: 1,
    ScreeningDecision.DECLINE: 2,
}


class Limits(Struct, frozen=True, kw_only=True):
    """Time limits of screening. clock_ahead_max None: no guard, as in a sandbox.

    cancel_within: the longest time after the due time until the cancel of an unreviewed earning
    reaches the ledger; the earning stays pending there that much longer.
    """

    occurred_age_max: timedelta = timedelta(hours=72)
    review: timedelta = timedelta(hours=72)
    cancel_within: timedelta = timedelta(days=366)
    clock_ahead_max: timedelta | None = timedelta(seconds=10)


class Attempt(Struct, frozen=True):
    """A transaction as one record brought it; appended_at: the broker's stamp of the record."""

    shard: int
    transaction: PosTransaction
    occurred_at: datetime
    accepted_at: datetime
    appended_at: datetime


class ScreeningResult(Struct, frozen=True, kw_only=True):
    """The decision about a name, taken once. decision None: refused, it could not be decided.

    findings: (rule, version, value) of every rule in force, fired or not. score, model_version:
    of a model; while they are None the rules decide alone. counted: windows counted it.
    counted_rial: the Rial that live windows and days counted, to be taken back if the ledger
    declines; None: nothing.
    review_due_at: when the ledger makes an earning under review available by itself; case_due_at:
    until when a reviewer may decide. auto_release: the two are the same time; else the earning is
    cancelled at case_due_at.
    """

    shard: int
    name: str
    decision: ScreeningDecision | None
    reasons: tuple[Reason, ...] = ()
    findings: tuple[tuple[str, int, int], ...] = ()
    review_due_at: datetime | None = None
    case_id: str = ""
    score: float | None = None
    model_version: str | None = None
    counted: bool = False
    counted_rial: int | None = None
    case_due_at: datetime | None = None
    auto_release: bool = True


class CountedTransaction(Struct, frozen=True, kw_only=True):
    """A decided transaction as it was counted; counted_rial None: in no live window or day."""

    shard: int
    name: str
    kind: Kind | None
    account: int
    decision: ScreeningDecision | None
    identifier_id: str
    counted_rial: int | None
    accepted_at: datetime


class Keys(NamedTuple):
    """Keys of a transaction's windows; None where the record names no account or identifier."""

    account: Key | None
    card: Key | None
    card_at_merchant: Key | None


class Seen(NamedTuple):
    """The windows of Keys."""

    account: Windows | None
    card: Windows | None
    card_at_merchant: Windows | None

    def of(self, over: Subject) -> Windows | None:
        """The windows that a rule over a subject counts in."""
        match over:
            case Subject.ACCOUNT:
                return self.account
            case Subject.CARD:
                return self.card
            case Subject.CARD_AT_MERCHANT:
                return self.card_at_merchant
            case Subject.TERMINAL | Subject.MERCHANT:
                return None


def more_severe(one: ScreeningDecision, other: ScreeningDecision) -> ScreeningDecision:
    """The more severe of two decisions; within one evaluation it only rises."""
    return one if _RANK[one] >= _RANK[other] else other


def keys_of(shard: int, transaction: PosTransaction) -> Keys:
    """Keys of a transaction's windows; history counts in windows of its own ("h" before each).

    The windows of an identifier across merchants keep only redemptions. Purchases are counted by
    account, and a third row for each sale would be the most expensive of the road.
    """
    past = "h" if transaction.channel is Channel.HISTORY else ""
    about = transaction
    return keys_for(shard, about.kind, about.account, about.identifier_id, about.merchant, past)


def keys_for(
    shard: int, kind: Kind, account: int, card: str, merchant: int, past: str = ""
) -> Keys:
    """As keys_of, for a transaction of which only the decision is known. past: "h" of history."""
    return Keys(
        (shard, f"{past}a.{account}") if account else None,
        (shard, f"{past}c.{card}") if card and kind in SPENDS else None,
        (shard, f"{past}m.{merchant}.{card}") if card else None,
    )


def screen(attempt: Attempt, seen: Seen, book: Rulebook, limits: Limits) -> ScreeningResult:
    """Decide a name seen for the first time, and count it in its windows (in place).

    Rules decide what sells or spends. Undos are counted and allowed, so that a till can, but for
    refunds that are dated too far back. A blocked identifier and an occurred_at too
    long ago are declined uncounted. A transaction under review or declined by a rule counts at its
    merchant only, a declined one without its Rial. Live windows and rules go by accepted_at,
    history's by occurred_at.
    Source: architecture 2, fraud reference 3.3 and 5.1, findings S8 and S15.
    """
    transaction, shard = attempt.transaction, attempt.shard
    ahead = _clock_ahead(attempt, limits)
    if ahead is not None:
        return refusal(shard, transaction.name, ahead)
    no = unconditional_declines(attempt, limits)
    if no or transaction.kind is Kind.TOP_UP:  # money that comes in is counted nowhere
        decision = ScreeningDecision.DECLINE if no else ScreeningDecision.ALLOW
        return ScreeningResult(shard=shard, name=transaction.name, decision=decision, reasons=no)
    sale = transaction.kind not in UNDOS
    past = transaction.channel is Channel.HISTORY
    at = micros(attempt.occurred_at if past else attempt.accepted_at)
    which = series_of(transaction.kind)
    amount = counted_rial(transaction, book)
    for known in seen:
        if known is not None:
            windows.insert(known, which, at, amount, transaction.merchant)
    findings = _findings(attempt, seen, book, at) if sale else []
    fired = [(live.rule, value) for live, value in findings if value > live.threshold]
    decision, reasons, auto_release_max_rial = (
        _judged(transaction, fired) if fired else _NOTHING_FIRED
    )
    if decision is not ScreeningDecision.ALLOW:
        _uncount(seen, which, at, decision)
    for known in seen:
        if known is not None:
            windows.prune(known, which)
    result = ScreeningResult(
        shard=shard,
        name=transaction.name,
        decision=decision,
        reasons=reasons,
        findings=tuple([(live.name, live.version, value) for live, value in findings]),
        counted=True,
        counted_rial=None if past or decision is ScreeningDecision.DECLINE else amount,
    )
    if decision is ScreeningDecision.REVIEW:
        auto_release = transaction.amount_rial <= auto_release_max_rial
        return _under_review(result, attempt.accepted_at, limits, auto_release=auto_release)
    return result


def _uncount(seen: Seen, which: int, at: int, decision: ScreeningDecision) -> None:
    """Take an event that is not allowed out of the network's windows; a declined one has 0 Rial."""
    for known in seen[:2]:
        if known is not None:
            windows.withdraw(known, which, at)
    if decision is ScreeningDecision.DECLINE and seen.card_at_merchant is not None:
        windows.void(seen.card_at_merchant, which, at)


def _under_review(
    result: ScreeningResult, accepted_at: datetime, limits: Limits, *, auto_release: bool
) -> ScreeningResult:
    """The result with its case.

    An earning that must not become available by itself stays pending in the ledger longer, so that
    fraud's cancel always comes first, even after an outage.
    """
    due = accepted_at + limits.review
    return structs.replace(
        result,
        case_id=case_id(result.shard, result.name),
        case_due_at=due,
        review_due_at=due if auto_release else due + limits.cancel_within,
        auto_release=auto_release,
    )


def declined(results: Iterable[ScreeningResult]) -> Iterator[tuple[str, str]]:
    """(public id, code) of the results that decline or refuse."""
    for result in results:
        if result.decision is None or result.decision is ScreeningDecision.DECLINE:
            yield public_id(result.shard, result.name), result.reasons[0].code


def touched(result: ScreeningResult, keys: Keys) -> tuple[Key, ...]:
    """The keys whose windows a result changed: the network's only where it allowed."""
    if not result.counted:
        return ()
    return counted_in(result.decision, keys)


def counted_in(decision: ScreeningDecision | None, keys: Keys) -> tuple[Key, ...]:
    """Which of the keys keep an event of that decision."""
    changed = keys if decision is ScreeningDecision.ALLOW else keys[2:]
    return tuple([key for key in changed if key is not None])


def counted_rial(transaction: PosTransaction, book: Rulebook) -> int:
    """The Rial that sums count of a transaction: the value to be spent, else the amount."""
    if transaction.kind in SPENDS:
        return book.redeemed_rial(transaction)
    return transaction.amount_rial


# an authorisation counts what it will spend, and its capture what it sells
_SERIES: Final = {
    Kind.PURCHASE: windows.PURCHASES,
    Kind.CAPTURE: windows.PURCHASES,
    Kind.REDEMPTION: windows.REDEMPTIONS,
    Kind.AUTHORISATION: windows.REDEMPTIONS,
}


def series_of(kind: Kind) -> int:
    """Which of the windows' series a kind counts in."""
    return _SERIES.get(kind, windows.UNDOS)


_REQUESTED: Final = {
    rules.Action.ALLOW: ScreeningDecision.ALLOW,
    rules.Action.REVIEW: ScreeningDecision.REVIEW,
    rules.Action.DECLINE: ScreeningDecision.DECLINE,
}
Judged = tuple[ScreeningDecision, tuple[Reason, ...], int]
_NOTHING_FIRED: Final[Judged] = (ScreeningDecision.ALLOW, (), AMOUNT_MAX)


def _findings(attempt: Attempt, seen: Seen, book: Rulebook, at: int) -> list[tuple[LiveRule, int]]:
    """Each rule in force with its value; a rule whose operand is missing is left out."""
    kind = attempt.transaction.identifier_kind
    findings: list[tuple[LiveRule, int]] = []
    for live in book.in_force(at):
        if live.rule.identifiers and kind not in live.rule.identifiers:
            continue
        if live.over in DAYS:
            value = _of_day(attempt, live.rule, book)
        else:
            known = seen.of(live.over)
            value = None if known is None else live.value(known, at)
        if value is not None:
            findings.append((live, value))
    return findings


def _of_day(attempt: Attempt, rule: rules.Rule, book: Rulebook) -> int | None:
    """The sum of the terminal's or merchant's day; None while it is below all thresholds."""
    about = attempt.transaction
    if not book.sums or about.channel is Channel.HISTORY:
        return None
    number = about.merchant if rule.over is Subject.MERCHANT else about.terminal
    key: DayKey = (rule.over, number, tehran_day(attempt.accepted_at))
    daily = book.sums.get(key)
    if daily is None:
        return None
    return daily.sold_rial if rule.counts is Counted.PURCHASES else daily.redeemed_rial


def _judged(transaction: PosTransaction, fired: list[tuple[rules.Rule, int]]) -> Judged:
    """The most severe decision of the rules that fired, their reasons, and the largest basket whose
    earning becomes available unreviewed."""
    past = transaction.channel is Channel.HISTORY
    decision, auto_release_max_rial = ScreeningDecision.ALLOW, AMOUNT_MAX
    reasons: list[Reason] = []
    for rule, value in fired:
        action = rules.action(rule, transaction.kind)
        requested = _requested(action, transaction.kind)
        if requested is not ScreeningDecision.ALLOW and (rule.on_history or not past):
            decision = more_severe(decision, requested)
            auto_release_max_rial = min(auto_release_max_rial, rule.lapse_max_rial)
            reasons.append(rules.reason_of(rule, value, transaction.identifier_kind))
    return decision, tuple(reasons), auto_release_max_rial


def _requested(action: rules.Action, kind: Kind) -> ScreeningDecision:
    """What a rule's action comes to for a kind (decision 0050).

    A capture spends what was granted, so no rule declines it; what it earns waits for a review.
    """
    requested = _REQUESTED[action]
    if kind is Kind.CAPTURE and requested is ScreeningDecision.DECLINE:
        return ScreeningDecision.REVIEW
    return requested


def screen_inquiry(attempt: Attempt) -> ScreeningResult:
    """Decide an inquiry, which is neither remembered nor counted nor ever refused."""
    no = (reasons.IDENTIFIER_BLOCKED,) if attempt.transaction.identifier_blocked else ()
    decision = ScreeningDecision.DECLINE if no else ScreeningDecision.ALLOW
    return ScreeningResult(
        shard=attempt.shard, name=attempt.transaction.name, decision=decision, reasons=no
    )


def unconditional_declines(attempt: Attempt, limits: Limits) -> tuple[Reason, ...]:
    """Declines without a rule: of a sale with a blocked identifier; identifier moved; too old.

    A refund too must not be older than a sale may be, as it counts on that day of its shop. A
    reversal or a void may be of any age: it undoes what nobody waits for, whenever that was.
    """
    about = attempt.transaction
    declines: list[Reason] = []
    if about.identifier_blocked and about.kind in _SHOWN:
        declines.append(reasons.IDENTIFIER_BLOCKED)
    if about.identifier_moved:
        declines.append(reasons.IDENTIFIER_MOVED)
    age = attempt.accepted_at - attempt.occurred_at
    dated = about.channel is not Channel.HISTORY and about.kind not in _AGELESS
    if dated and age > limits.occurred_age_max:
        too_old = reasons.refund_too_old if about.kind is Kind.REFUND else reasons.too_old
        declines.append(too_old(age, limits.occurred_age_max))
    return tuple(declines)


def refusal(shard: int, name: str, reason: Reason) -> ScreeningResult:
    """The result for a transaction that could not be decided."""
    return ScreeningResult(shard=shard, name=name, decision=None, reasons=(reason,))


def replay_passthrough(shard: int, name: str) -> ScreeningResult:
    """The result for an archived record of an unknown name that is played again."""
    return ScreeningResult(shard=shard, name=name, decision=ScreeningDecision.ALLOW)


def case_id(shard: int, name: str) -> str:
    """Id of the case of a transaction under review; derived, so that a repeat has the same id."""
    return envelope.derive_id(public_id(shard, name), "case")


def _clock_ahead(attempt: Attempt, limits: Limits) -> Reason | None:
    """Why a time is refused that is too far ahead of the broker's: it would move every window."""
    if limits.clock_ahead_max is None or attempt.transaction.channel is Channel.HISTORY:
        return None
    ahead = attempt.accepted_at - attempt.appended_at
    if ahead <= limits.clock_ahead_max:
        return None
    return reasons.clock_ahead(ahead)

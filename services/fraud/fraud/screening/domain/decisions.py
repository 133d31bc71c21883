"""Decisions: the built-in ones and those of the rules, each with its reasons."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec import Struct, structs

from contracts import envelope
from contracts.fraud import ScreeningDecision
from contracts.pos import PosTransaction
from contracts.values import AMOUNT_MAX, Channel, Kind, Reason, micros, public_id, tehran_day
from fraud.rules import domain as rules
from fraud.rules.domain import DAYS, Counted, Subject
from fraud.screening.domain import reasons, windows
from fraud.screening.domain.rulebook import LiveRule, Rulebook
from fraud.screening.domain.windows import Windows
from fraud.sums.domain import DayKey

SALES: Final = frozenset((Kind.PURCHASE, Kind.REDEMPTION))  # what earns or spends
Key = tuple[int, str]  # shard; "a.<account>", "c.<identifier>" or "m.<merchant>.<identifier>"

_RANK: Final = {
    ScreeningDecision.ALLOW: 0,
    ScreeningDecision.REVIEW: 1,
    ScreeningDecision.DECLINE: 2,
}


class Limits(Struct, frozen=True, kw_only=True):
    """The platform's numbers. clock_ahead_max None: no guard, as in a sandbox.

    cancel_within: within how long after its due time the cancel of an unreviewed earning reaches
    the ledger; that much longer it stays pending there.
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
    """What was decided about a name, once. decision None: refused, it could not be decided.

    findings: (rule, version, value) of every rule in force, fired or not. score, model_version:
    of a model; while they are None the rules decide alone. counted: windows took it in.
    counted_rial: what live windows and days took in of what was let through, until the ledger's
    no is heard; None: nothing.
    review_due_at: when the ledger makes a held earning available by itself; case_due_at: until when
    a reviewer may decide. auto_release: the two are one; else the earning is cancelled at
    case_due_at.
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
    """What the decision about a name counted; counted_rial None: nothing that is live."""

    shard: int
    name: str
    kind: Kind | None
    account: int
    decision: ScreeningDecision | None
    identifier_id: str
    counted_rial: int | None
    accepted_at: datetime


class Keys(NamedTuple):
    """Where a transaction's windows are kept; None where the record does not say whose."""

    account: Key | None
    card: Key | None
    card_at_merchant: Key | None


class Seen(NamedTuple):
    """The windows of Keys."""

    account: Windows | None
    card: Windows | None
    card_at_merchant: Windows | None

    def of(self, over: Subject) -> Windows | None:
        """Those that a rule over them looks at."""
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

    Of an identifier across merchants only redemptions are kept: what is bought is the account's,
    and a third row for each sale would be the road's dearest.
    """
    past = "h" if transaction.channel is Channel.HISTORY else ""
    about = transaction
    return keys_for(shard, about.kind, about.account, about.identifier_id, about.merchant, past)


def keys_for(
    shard: int, kind: Kind, account: int, card: str, merchant: int, past: str = ""
) -> Keys:
    """The same of a transaction that only its decision is known of. past: "h" of history."""
    return Keys(
        (shard, f"{past}a.{account}") if account else None,
        (shard, f"{past}c.{card}") if card and kind is Kind.REDEMPTION else None,
        (shard, f"{past}m.{merchant}.{card}") if card else None,
    )


def screen(attempt: Attempt, seen: Seen, book: Rulebook, limits: Limits) -> ScreeningResult:
    """Decide a name seen for the first time, and count it in its windows (in place).

    Purchases and redemptions are decided; reversals, and refunds that are not dated too far back,
    are counted and let through, so that a till can undo; a blocked identifier and an occurred_at
    too long ago are declined uncounted. What a rule sends to review or declines counts where it
    was tried, a declined one without its Rial, and not across merchants. Live windows and rules go
    by accepted_at, history's by occurred_at.
    Source: architecture 2, fraud reference 3.3 and 5.1, findings S8 and S15.
    """
    transaction, shard = attempt.transaction, attempt.shard
    ahead = _clock_ahead(attempt, limits)
    if ahead is not None:
        return refusal(shard, transaction.name, ahead)
    no = unconditional_declines(attempt, limits)
    if no:
        return ScreeningResult(
            shard=shard, name=transaction.name, decision=ScreeningDecision.DECLINE, reasons=no
        )
    sale = transaction.kind in SALES
    past = transaction.channel is Channel.HISTORY
    at = micros(attempt.occurred_at if past else attempt.accepted_at)
    which = series_of(transaction.kind)
    amount = counted_rial(transaction, book)
    for known in seen:
        if known is not None:
            windows.insert(known, which, at, amount, transaction.merchant)
    found = _findings(attempt, seen, book, at) if sale else []
    fired = [(live.rule, value) for live, value in found if value > live.threshold]
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
        findings=tuple([(live.name, live.version, value) for live, value in found]),
        counted=True,
        counted_rial=None if past or decision is ScreeningDecision.DECLINE else amount,
    )
    if decision is ScreeningDecision.REVIEW:
        auto_release = transaction.amount_rial <= auto_release_max_rial
        return _under_review(result, attempt.accepted_at, limits, auto_release=auto_release)
    return result


def _uncount(seen: Seen, which: int, at: int, decision: ScreeningDecision) -> None:
    """The network's windows take in only what was allowed; what was declined is worth nothing."""
    for known in seen[:2]:
        if known is not None:
            windows.withdraw(known, which, at)
    if decision is ScreeningDecision.DECLINE and seen.card_at_merchant is not None:
        windows.void(seen.card_at_merchant, which, at)


def _under_review(
    result: ScreeningResult, accepted_at: datetime, limits: Limits, *, auto_release: bool
) -> ScreeningResult:
    """With its case. What must not lapse stays pending in the ledger so much longer that fraud's
    cancel always comes first, and a platform that stood still pays nothing unseen."""
    due = accepted_at + limits.review
    return structs.replace(
        result,
        case_id=case_id(result.shard, result.name),
        case_due_at=due,
        review_due_at=due if auto_release else due + limits.cancel_within,
        auto_release=auto_release,
    )


def declined(made: Iterable[ScreeningResult]) -> Iterator[tuple[str, str]]:
    """(public id, code) of what was declined or refused."""
    for one in made:
        if one.decision is None or one.decision is ScreeningDecision.DECLINE:
            yield public_id(one.shard, one.name), one.reasons[0].code


def touched(result: ScreeningResult, keys: Keys) -> tuple[Key, ...]:
    """The keys whose windows a result changed: the network's only by what was allowed."""
    if not result.counted:
        return ()
    return counted_in(result.decision, keys)


def counted_in(decision: ScreeningDecision | None, keys: Keys) -> tuple[Key, ...]:
    """Which of the keys keep an event of that decision."""
    changed = keys if decision is ScreeningDecision.ALLOW else keys[2:]
    return tuple([key for key in changed if key is not None])


def counted_rial(transaction: PosTransaction, book: Rulebook) -> int:
    """What sums count of a transaction: a redemption's spent value, else the amount."""
    if transaction.kind is Kind.REDEMPTION:
        return book.redeemed_rial(transaction)
    return transaction.amount_rial


_SERIES: Final = {Kind.PURCHASE: windows.PURCHASES, Kind.REDEMPTION: windows.REDEMPTIONS}


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
    """What each rule in force sees; a missing operand makes its condition false."""
    shown = attempt.transaction.identifier_kind
    found: list[tuple[LiveRule, int]] = []
    for live in book.in_force(at):
        if live.rule.identifiers and shown not in live.rule.identifiers:
            continue
        if live.over in DAYS:
            value = _of_day(attempt, live.rule, book)
        else:
            known = seen.of(live.over)
            value = None if known is None else live.value(known, at)
        if value is not None:
            found.append((live, value))
    return found


def _of_day(attempt: Attempt, rule: rules.Rule, book: Rulebook) -> int | None:
    """What is known of the terminal's or merchant's day; None while it is below all thresholds."""
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
    """The most severe of what fired, the reasons of all that did more than watch, and the largest
    basket that may lapse."""
    past = transaction.channel is Channel.HISTORY
    decision, auto_release_max_rial = ScreeningDecision.ALLOW, AMOUNT_MAX
    reasons: list[Reason] = []
    for rule, value in fired:
        action = rules.action(rule, transaction.kind)
        if action is not rules.Action.ALLOW and (rule.on_history or not past):
            decision = more_severe(decision, _REQUESTED[action])
            auto_release_max_rial = min(auto_release_max_rial, rule.lapse_max_rial)
            reasons.append(rules.reason_of(rule, value, transaction.identifier_kind))
    return decision, tuple(reasons), auto_release_max_rial


def screen_inquiry(attempt: Attempt) -> ScreeningResult:
    """Decide an inquiry, which is neither remembered nor counted nor ever refused."""
    no = (reasons.IDENTIFIER_BLOCKED,) if attempt.transaction.identifier_blocked else ()
    decision = ScreeningDecision.DECLINE if no else ScreeningDecision.ALLOW
    return ScreeningResult(
        shard=attempt.shard, name=attempt.transaction.name, decision=decision, reasons=no
    )


def unconditional_declines(attempt: Attempt, limits: Limits) -> tuple[Reason, ...]:
    """Declines that need no rule: identifier blocked, of what earns or spends; moved; too old.

    A refund too must be dated within the hours of sales, for it counts on that day of its shop. A
    reversal may be dated back: it undoes a name that had no answer, whenever that was.
    """
    about = attempt.transaction
    found: list[Reason] = []
    if about.identifier_blocked and about.kind in SALES:
        found.append(reasons.IDENTIFIER_BLOCKED)
    if about.identifier_moved:
        found.append(reasons.IDENTIFIER_MOVED)
    age = attempt.accepted_at - attempt.occurred_at
    dated = about.channel is not Channel.HISTORY and about.kind is not Kind.REVERSAL
    if dated and age > limits.occurred_age_max:
        too_old = reasons.refund_too_old if about.kind is Kind.REFUND else reasons.too_old
        found.append(too_old(age, limits.occurred_age_max))
    return tuple(found)


def refusal(shard: int, name: str, reason: Reason) -> ScreeningResult:
    """The decision about what could not be decided."""
    return ScreeningResult(shard=shard, name=name, decision=None, reasons=(reason,))


def replay_passthrough(shard: int, name: str) -> ScreeningResult:
    """What an archived record of an unknown name passes with when it is played again."""
    return ScreeningResult(shard=shard, name=name, decision=ScreeningDecision.ALLOW)


def case_id(shard: int, name: str) -> str:
    """Id of the case that a held transaction opens; derived, so that a repeat repeats it."""
    return envelope.derive_id(public_id(shard, name), "case")


def _clock_ahead(attempt: Attempt, limits: Limits) -> Reason | None:
    """The guard of the platform's time: a stamp ahead of the broker's would move every window."""
    if limits.clock_ahead_max is None or attempt.transaction.channel is Channel.HISTORY:
        return None
    ahead = attempt.accepted_at - attempt.appended_at
    if ahead <= limits.clock_ahead_max:
        return None
    return reasons.clock_ahead(ahead)

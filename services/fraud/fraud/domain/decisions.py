"""Decisions: the built-in ones and those of the rules, each with its reasons."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from contracts import envelope
from contracts.fraud import Verdict
from contracts.pos import PosTransaction
from contracts.values import Channel, Kind, Reason, micros, public_id
from fraud.domain import rules, windows

TOO_OLD: Final = "occurred-at-too-old"
BLOCKED: Final = "identifier-blocked"
CLOCK_AHEAD: Final = "accepted-at-ahead"
UNREADABLE: Final = "record-unreadable"
SALES: Final = frozenset((Kind.PURCHASE, Kind.REDEMPTION))  # what earns or spends
Key = tuple[int, str]  # shard; "a.<account>" or "c.<identifier>", of history "ha." and "hc."

_RANK: Final = {Verdict.ALLOW: 0, Verdict.HOLD: 1, Verdict.DECLINE: 2}


class Limits(Struct, frozen=True, kw_only=True):
    """The house's numbers. clock_ahead_max None: no guard, as in a sandbox house."""

    occurred_age_max: timedelta = timedelta(hours=72)
    review: timedelta = timedelta(hours=72)
    clock_ahead_max: timedelta | None = timedelta(seconds=10)


class Attempt(Struct, frozen=True):
    """A transaction as one record brought it; appended_at: the broker's stamp of the record."""

    shard: int
    transaction: PosTransaction
    occurred_at: datetime
    accepted_at: datetime
    appended_at: datetime


class Decision(Struct, frozen=True, kw_only=True):
    """What was decided about a name, once. verdict None: refused, it could not be decided.

    findings: (rule, version, value) of every rule in force, fired or not. score, model_version:
    of a model; while they are None the rules decide alone. counted: the windows took it in.
    """

    shard: int
    name: str
    verdict: Verdict | None
    reasons: tuple[Reason, ...] = ()
    findings: tuple[tuple[str, int, int], ...] = ()
    review_due_at: datetime | None = None
    case_id: str = ""
    score: float | None = None
    model_version: str | None = None
    counted: bool = False


def more_severe(one: Verdict, other: Verdict) -> Verdict:
    """The more severe of two verdicts; within one evaluation it only rises."""
    return one if _RANK[one] >= _RANK[other] else other


def keys_of(shard: int, transaction: PosTransaction) -> tuple[Key | None, Key | None]:
    """Keys of the account's and the card's windows; history counts in windows of its own."""
    past = "h" if transaction.channel is Channel.HISTORY else ""
    account, card = transaction.account, transaction.identifier_id
    return (
        (shard, f"{past}a.{account}") if account else None,
        (shard, f"{past}c.{card}") if card else None,
    )


def screen(
    attempt: Attempt,
    account: windows.Windows | None,
    card: windows.Windows | None,
    book: rules.Rulebook,
    limits: Limits,
) -> Decision:
    """Decide a name seen for the first time, and count it in its windows (in place).

    account, card: the windows of keys_of; None where the record names none. Purchases and
    redemptions are decided; refunds and reversals are counted and always let through, so that a
    till can undo; a blocked identifier and an occurred_at too long ago are declined uncounted.
    Live windows and rules go by accepted_at, history's by occurred_at.
    Source: architecture 2, fraud reference 3.3 and 5.1.
    """
    transaction, shard = attempt.transaction, attempt.shard
    ahead = _clock_ahead(attempt, limits)
    if ahead is not None:
        return refusal(shard, transaction.name, ahead)
    sale = transaction.kind in SALES
    no = standing_no(attempt, limits) if sale else ()
    if no:
        return Decision(shard=shard, name=transaction.name, verdict=Verdict.DECLINE, reasons=no)
    past = transaction.channel is Channel.HISTORY
    at = micros(attempt.occurred_at if past else attempt.accepted_at)
    which = _SERIES.get(transaction.kind, windows.UNDOS)
    for known in (account, card):
        if known is not None:
            windows.insert(known, which, at, transaction.amount_rial, transaction.merchant)
    found = _findings(account, card, book.in_force(at), at) if sale else []
    for known in (account, card):
        if known is not None:
            windows.prune(known, which)
    fired = [(live.rule, value) for live, value in found if value > live.threshold]
    verdict, reasons = _judged(transaction, fired) if fired else (Verdict.ALLOW, ())
    held = verdict is Verdict.HOLD
    return Decision(
        shard=shard,
        name=transaction.name,
        verdict=verdict,
        reasons=reasons,
        findings=tuple([(live.name, live.version, value) for live, value in found]),
        review_due_at=attempt.accepted_at + limits.review if held else None,
        case_id=case_id(shard, transaction.name) if held else "",
        counted=True,
    )


_SERIES: Final = {Kind.PURCHASE: windows.PURCHASES, Kind.REDEMPTION: windows.REDEMPTIONS}


def _findings(
    account: windows.Windows | None,
    card: windows.Windows | None,
    book: Sequence[rules.LiveRule],
    at: int,
) -> list[tuple[rules.LiveRule, int]]:
    """What each rule in force sees; a missing operand makes its condition false."""
    return [
        (live, live.value(known, at))
        for live in book
        if (known := account if live.of_account else card) is not None
    ]


def _judged(
    transaction: PosTransaction, fired: Sequence[tuple[rules.Rule, int]]
) -> tuple[Verdict, tuple[Reason, ...]]:
    """The most severe of what fired, and the reasons of all that did more than watch."""
    past = transaction.channel is Channel.HISTORY
    verdict = Verdict.ALLOW
    reasons: list[Reason] = []
    for rule, value in fired:
        action = rules.action(rule, transaction.kind)
        if action is not Verdict.ALLOW and (rule.on_history or not past):
            verdict = more_severe(verdict, action)
            reasons.append(rules.reason_of(rule, value))
    return verdict, tuple(reasons)


def screen_inquiry(attempt: Attempt) -> Decision:
    """Decide an inquiry, which is neither remembered nor counted nor ever refused."""
    no = (_BLOCKED,) if attempt.transaction.identifier_blocked else ()
    verdict = Verdict.DECLINE if no else Verdict.ALLOW
    return Decision(shard=attempt.shard, name=attempt.transaction.name, verdict=verdict, reasons=no)


def standing_no(attempt: Attempt, limits: Limits) -> tuple[Reason, ...]:
    """Declines that need no rule, of what earns or spends: identifier blocked, too long ago."""
    reasons: list[Reason] = []
    if attempt.transaction.identifier_blocked:
        reasons.append(_BLOCKED)
    age = attempt.accepted_at - attempt.occurred_at
    if attempt.transaction.channel is not Channel.HISTORY and age > limits.occurred_age_max:
        reasons.append(_too_old(age, limits.occurred_age_max))
    return tuple(reasons)


def refusal(shard: int, name: str, reason: Reason) -> Decision:
    """The decision about what could not be decided."""
    return Decision(shard=shard, name=name, verdict=None, reasons=(reason,))


def passage(shard: int, name: str) -> Decision:
    """What an archived record of an unknown name passes with when it is played again."""
    return Decision(shard=shard, name=name, verdict=Verdict.ALLOW)


def case_id(shard: int, name: str) -> str:
    """Id of the case that a held transaction opens; derived, so that a repeat repeats it."""
    return envelope.follow(public_id(shard, name), "case")


def unreadable(detail: str) -> Reason:
    """Why a record could not be read or kept; detail: for an operator, in English."""
    return Reason(
        code=UNREADABLE,
        fa="پیام تراکنش خوانا نبود؛ چیزی ثبت نشد و پیوند خبردار شد.",
        en=f"The transaction's record could not be read ({_plain(detail)}); nothing was posted.",
    )


def _plain(detail: str) -> str:
    return "".join(c for c in detail[:200] if c.isprintable())


def _clock_ahead(attempt: Attempt, limits: Limits) -> Reason | None:
    """The guard of the house's time: a stamp ahead of the broker's would move every window."""
    if limits.clock_ahead_max is None or attempt.transaction.channel is Channel.HISTORY:
        return None
    ahead = attempt.accepted_at - attempt.appended_at
    if ahead <= limits.clock_ahead_max:
        return None
    return Reason(
        code=CLOCK_AHEAD,
        fa="ساعت درگاه جلوتر از ساعت پیوند بود؛ چیزی ثبت نشد، با شمارهٔ تازه دوباره بفرستید.",
        en=f"The gateway's clock was {ahead // timedelta(seconds=1)} s ahead; nothing was posted,"
        " send it again under a new number.",
    )


_BLOCKED: Final = Reason(
    code=BLOCKED,
    fa="این کارت یا شناسه مسدود شده است؛ عضو با پشتیبانی پیوند تماس بگیرد.",
    en="This card or identifier is blocked; the member should call Peyvand's support.",
)


def _too_old(age: timedelta, age_max: timedelta) -> Reason:
    hours, limit = f"{age // timedelta(hours=1):,}", f"{age_max // timedelta(hours=1):,}"
    return Reason(
        code=TOO_OLD,
        fa=f"این تراکنش {rules.persian_digits(hours)} ساعت پیش انجام شده است؛"
        f" بیش از {rules.persian_digits(limit)} ساعت پذیرفته نمی‌شود.",
        en=f"This transaction happened {hours} hours ago; more than {limit} hours is not accepted.",
    )

"""The verbs of screening: screen a poll, refuse a record, prune old names and windows."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import structs

from contracts import topics
from contracts.envelope import Envelope, derive_id
from contracts.fraud import (
    NameSeen,
    RefusedTransaction,
    ScreenedTransaction,
    ScreeningDecision,
    TerminalsSeen,
)
from contracts.pos import PosTransaction
from contracts.values import SPENDS, Channel, Kind, NameKind, name, name_parts, storable
from fraud.cases import usecases as case_verbs
from fraud.rules import usecases as rules
from fraud.screening import store
from fraud.screening.domain import decisions, holders, reasons, windows
from fraud.screening.domain.decisions import Attempt, Key, ScreeningResult
from fraud.screening.domain.rulebook import Rulebook
from fraud.sums import usecases as sums
from fraud.terms import usecases as terms
from kit.base import errors, logs, telemetry
from kit.base.db import Tx
from kit.base.telemetry import Metric
from kit.stream import kafka, outbox
from kit.stream.consumer import Event

PARTITIONS: Final = topics.partitions(topics.FRAUD_TERMINALS, shards=1, gateways=1)
_TAKEN: Final = (ScreeningDecision.ALLOW, ScreeningDecision.REVIEW)  # what a terminal's day counts
_UNSTORABLE: Final = b"\\u0000"  # the only text PostgreSQL refuses that JSON can carry


class ScreeningState:
    """What the road keeps between polls: the limits, and the rules as last read."""

    __slots__ = ("book", "limits")

    def __init__(self, limits: decisions.Limits) -> None:
        self.limits = limits
        self.book = Rulebook((), revision=0)


class _Record(msgspec.Struct, frozen=True, gc=False):
    """One record of a poll. attempt None: it could not be read."""

    key: Key
    event: Event
    attempt: Attempt | None
    replayed: bool
    inquiry: bool


# --------------------------------------------------------------------------------------- the road


async def screen_transactions(tx: Tx, state: ScreeningState, batch: Sequence[Event]) -> None:
    """Decide the names of a poll, count each once, and publish the decision for every record.

    batch: transaction-submitted.v1 and unreadable records, in partition order. A name seen before,
    here or in an earlier poll, gets its first decision again, under its own fingerprint, times and
    headers. A record played again (header replay) goes on uncounted.
    Raises DataError or Invalid for a record that cannot be stored; kit isolates it and calls
    refuse_record.
    Source: style 3, architecture 2.
    """
    records = [_record(event) for event in batch]
    keys = list({r.key: None for r in records if not r.inquiry})
    revision, known = await store.find_decisions(tx, keys)
    if revision != state.book.revision:
        state.book = await _book(tx, revision)
    fresh: dict[Key, _Record] = {}
    for record in records:
        if not (record.replayed or record.inquiry or record.key in known):
            fresh.setdefault(record.key, record)
    if any(holders.is_unnamed(record.attempt) for record in fresh.values()):
        fresh = await _with_holders(tx, fresh)
    results = await _decide(tx, state, fresh)
    known |= results
    messages = [_screened(record, _result_of(record, known)) for record in records]
    messages += _names_seen(fresh.values(), results, state.book)
    outbox.add(tx, messages)
    _count_outcomes(fresh, results)


async def _book(tx: Tx, revision: int) -> Rulebook:
    return Rulebook(
        await rules.find_rules(tx),
        revision,
        await terms.find_terms(tx),
        await sums.find_large(tx),
    )


async def refuse_record(tx: Tx, event: Event, why: str) -> None:
    """Refuse one record whose decision cannot be stored or taken.

    why: code and detail. The refusal goes on under the record's name where that can be stored, else
    under the hash of its bytes, and is remembered like any decision.
    """
    record = _record(event)
    if record.attempt is not None and not _keepable(record):
        record = _unread(event)
    _, known = await store.find_decisions(tx, [record.key])
    result = known.get(record.key)
    if result is None:
        # its code alone: the rest may be the database's own words, and this reaches a till
        result = decisions.refusal(*record.key, reasons.unreadable(why.partition(":")[0]))
        logs.declined(*next(decisions.declined([result])))
        if not (record.inquiry or record.replayed):
            # only the name: any other field may be the one that the database refused
            times = _times(record)
            await store.write_poll(tx, [(result, None, *times)], {}, times[1])
    outbox.add(tx, [_screened(record, result)])
    telemetry.count(Metric.OUTCOMES, "unreadable", "refuse")


async def _decide(
    tx: Tx, state: ScreeningState, fresh: dict[Key, _Record]
) -> dict[Key, ScreeningResult]:
    """Decide new names, in order; windows are read once before and written once after."""
    if not fresh:
        return {}
    keys = {
        key: decisions.keys_of(key[0], record.attempt.transaction)
        for key, record in fresh.items()
        if record.attempt is not None
    }
    window_keys = {
        window_key for of_name in keys.values() for window_key in of_name if window_key is not None
    }
    known, changed = await _windows(tx, window_keys)
    results: dict[Key, ScreeningResult] = {}
    for key, record in fresh.items():
        attempt = record.attempt
        if attempt is None:
            results[key] = decisions.refusal(*key, reasons.unreadable(record.event.error))
            continue
        seen = decisions.Seen(
            *[None if window_key is None else known[window_key] for window_key in keys[key]]
        )
        results[key] = result = decisions.screen(attempt, seen, state.book, state.limits)
        changed |= {
            window_key: known[window_key] for window_key in decisions.touched(result, keys[key])
        }
    rows = [(results[key], _about(record), *_times(record)) for key, record in fresh.items()]
    await store.write_poll(tx, rows, changed, max(row[3] for row in rows))
    reviews = [
        _review(results[k], r.attempt) for k, r in fresh.items() if r.attempt and results[k].case_id
    ]
    await case_verbs.open_cases(tx, reviews)
    return results


async def _with_holders(tx: Tx, fresh: dict[Key, _Record]) -> dict[Key, _Record]:
    """The records, captures that show no identifier with the account of their authorisation."""
    attempts = {key: record.attempt for key, record in fresh.items() if record.attempt}
    earlier = await store.find_counted(tx, sorted(holders.missing(attempts)))
    accounts = {(one.shard, one.name): one.account for one in earlier}
    named = holders.named(attempts, accounts)
    return {key: structs.replace(r, attempt=named.get(key)) for key, r in fresh.items()}


async def _windows(
    tx: Tx, keys: set[Key]
) -> tuple[dict[Key, windows.Windows], dict[Key, windows.Windows]]:
    """The windows of keys, without events the network declined; and those that this changed."""
    known, gone = await store.find_windows(tx, list(keys)) if keys else ({}, [])
    for key, _, one in gone:
        windows.take_out(known[key], one)
    if gone:
        await store.update_applied(tx, gone)
    changed = {key: known[key] for key, *_ in gone}
    for one in keys - known.keys():
        known[one] = windows.empty()
    return known, changed


def _record(event: Event) -> _Record:
    envelope = event.envelope
    if envelope is None:
        return _unread(event)
    transaction: PosTransaction = envelope.data
    return _Record(
        (event.partition, transaction.name),
        event,
        Attempt(event.partition, transaction, envelope.occurred_at, envelope.accepted_at, event.at),
        "replay" in event.headers,
        transaction.kind is Kind.INQUIRY,
    )


def _unread(event: Event) -> _Record:
    text = name(NameKind.UNDECODABLE, hashlib.sha256(event.raw).hexdigest())
    return _Record((event.partition, text), event, None, "replay" in event.headers, inquiry=False)


def _keepable(record: _Record) -> bool:
    """Whether a record's name is one, and can be kept as text."""
    try:
        name_parts(record.key[1])
    except ValueError:
        return False
    return storable(record.key[1])


def _about(record: _Record) -> PosTransaction | None:
    return None if record.attempt is None else record.attempt.transaction


def _times(record: _Record) -> tuple[datetime, datetime]:
    if record.attempt is None:
        return record.event.at, record.event.at
    return record.attempt.occurred_at, record.attempt.accepted_at


def _result_of(record: _Record, known: dict[Key, ScreeningResult]) -> ScreeningResult:
    if record.inquiry and record.attempt is not None:
        return decisions.screen_inquiry(record.attempt)
    result = known.get(record.key)
    if result is not None:
        return result
    if record.attempt is None:  # played again, and never seen before
        return decisions.refusal(*record.key, reasons.unreadable(record.event.error))
    return decisions.replay_passthrough(*record.key)


def _review(result: ScreeningResult, attempt: Attempt) -> case_verbs.Review:
    about = attempt.transaction
    return case_verbs.Review(
        case_id=result.case_id,
        shard=result.shard,
        name=result.name,
        account=about.account,
        member=about.member,
        merchant=about.merchant,
        terminal=about.terminal,
        amount_rial=about.amount_rial,
        opened_at=attempt.accepted_at,
        due_at=result.case_due_at or attempt.accepted_at,
        auto_release=result.auto_release,
        reasons=result.reasons,
    )


def _screened(record: _Record, result: ScreeningResult) -> outbox.Message:
    """The message for campaigns, on the record's own partition, with its own reply address."""
    event, cause, about = record.event, record.event.envelope, _about(record)
    if result.decision is None:
        kind = "transaction-refused.v1"
        keep = about is not None and _UNSTORABLE not in event.raw
        body = RefusedTransaction(
            name=result.name,
            reason=result.reasons[0],
            transaction=about if keep else None,
            replayed=record.replayed,
        )
    elif about is None:
        raise errors.Alarm(f"{result.name} was decided, but its record cannot be read")
    else:
        kind = "transaction-screened.v1"
        body = ScreenedTransaction(
            transaction=about,
            decision=result.decision,
            reasons=result.reasons,
            review_due_at=result.review_due_at,
            case_id=result.case_id,
            replayed=record.replayed,
        )
    occurred_at, accepted_at = _times(record)
    cause_id = result.name if about is None or cause is None else cause.id
    onward = Envelope(
        id=derive_id(cause_id, kind),
        type=kind,
        key=result.name if about is None or cause is None else cause.key,
        occurred_at=occurred_at,
        accepted_at=accepted_at,
        fingerprint=None if cause is None else cause.fingerprint,
        cause_id=None if about is None else cause_id,
        data=body,
    )
    return outbox.message(
        topics.FRAUD_SCREENED, onward, partition=event.partition, headers=event.onward
    )


def _names_seen(
    fresh: Iterable[_Record], results: dict[Key, ScreeningResult], book: Rulebook
) -> list[outbox.Message]:
    """The names as their shards saw them, to the stream that is spread by terminal.

    Every terminal of an online shop may send the same name: there the name itself is the key.
    """
    groups: defaultdict[int, list[tuple[str, NameSeen]]] = defaultdict(list)
    for record in fresh:
        about = _about(record)
        if about is None or not about.terminal:
            continue
        envelope = record.event.envelope
        live = results[record.key].decision in _TAKEN and about.channel is not Channel.HISTORY
        amount = decisions.counted_rial(about, book) if live else 0
        name_seen = NameSeen(
            name=about.name,
            terminal=about.terminal,
            merchant=about.merchant,
            shard=record.key[0],
            account=about.account,
            fingerprint="" if envelope is None else envelope.fingerprint or "",
            seen_at=_times(record)[1],
            sold_rial=amount if about.kind in decisions.SOLD else 0,
            redeemed_rial=amount if about.kind in SPENDS else 0,
        )
        if about.channel is Channel.ONLINE:
            key, partition = about.name, kafka.partition_of(about.name.encode(), PARTITIONS)
        else:
            key, partition = str(about.terminal), _terminal_partition(about.terminal)
        groups[partition].append((key, name_seen))
    return [_names_seen_message(partition, group) for partition, group in groups.items()]


def _names_seen_message(partition: int, group: Sequence[tuple[str, NameSeen]]) -> outbox.Message:
    key, first = group[0]
    onward = Envelope(
        id=derive_id(first.name, f"terminals-seen.v1 {first.shard}"),
        type="terminals-seen.v1",
        key=key,
        occurred_at=first.seen_at,
        accepted_at=first.seen_at,
        data=TerminalsSeen(names=tuple(one for _, one in group)),
    )
    return outbox.message(topics.FRAUD_TERMINALS, onward, partition=partition)


@lru_cache(maxsize=50_000)
def _terminal_partition(terminal: int) -> int:
    return kafka.partition_of(b"%d" % terminal, PARTITIONS)


def _count_outcomes(fresh: dict[Key, _Record], results: dict[Key, ScreeningResult]) -> None:
    counts = Counter(
        (None if (about := _about(record)) is None else about.kind, results[key].decision)
        for key, record in fresh.items()
    )
    for no in decisions.declined(results.values()):
        logs.declined(*no)
    for (kind, decision), by in counts.items():
        labels = (kind or "unreadable", decision or "refuse")
        telemetry.count(Metric.OUTCOMES, *labels, by=by)


async def find_counted(tx: Tx, names: Sequence[Key]) -> list[decisions.CountedTransaction]:
    """What was counted of (shard, name), where it is decided."""
    return await store.find_counted(tx, names)


# ------------------------------------------------------------------------------------------- time


async def prune_names(tx: Tx, *, now: datetime, days: int, limit: int) -> int:
    """Forget decisions older than so many days; gives how many."""
    return await store.delete_decisions(tx, now - timedelta(days=days), limit)


async def prune_windows(tx: Tx, *, now: datetime, hours: int, limit: int) -> int:
    """Forget keys that nothing touched for so many hours; gives how many."""
    return await store.delete_idle_windows(tx, now - timedelta(hours=hours), limit)

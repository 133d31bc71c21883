"""Use cases of posting: post a batch, refuse one record, let time pass."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Raw, json
from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from contracts.ledger import (
    COMMANDS,
    AdvanceClock,
    ExpireLot,
    Inquire,
    Outcome,
    Reply,
)
from contracts.topics import LEDGER_COMMANDS, LEDGER_ENTRIES
from contracts.value import ReceiveBudget, ReceiveValue, ReleaseHold
from contracts.values import SHARDS_MAX, TEHRAN, NameKind, micros, name, public_id
from kit.base import logs, telemetry
from kit.base.db import Tx
from kit.base.telemetry import Metric
from kit.stream import outbox
from kit.stream.consumer import Event
from kit.stream.outbox import Message
from ledger.book.commands import UNDECODABLE, Command
from ledger.book.errors import Unread
from ledger.book.facts import BEGINNING
from ledger.log.domain import log_append, records
from ledger.posting.decide import answers, inquiry, transfer
from ledger.posting.decide import commands as deciding
from ledger.posting.decide.batch_state import BatchState, Posting
from ledger.posting.decide.commands import Disposition, Result
from ledger.posting.decide.draft import Sent
from ledger.posting.decide.inquiry import Effort
from ledger.posting.domain import texts
from ledger.posting.read import batch_read
from ledger.posting.store import reservations, sweeping
from ledger.posting.write import batch_write
from ledger.settings import CLOCK_OFF_S

log = logging.getLogger(__name__)

_OUTCOME: Final = "outcome-recorded.v1"
_REPLY: Final = "transaction-answered.v1"
_UNPROCESSABLE: Final = 422
_MICROS_LENGTH_MAX: Final = 17  # until the year 5138
_KINDS: Final = {kind: name for name, kind in COMMANDS.items()}
_MINUTE_MICROS: Final = 60_000_000
Cursor = tuple[datetime, int]  # (expires_at, lot), (due_at, hold)
_Owner = tuple[int, int]  # shard, account
OwnCommand = ExpireLot | ReleaseHold | AdvanceClock
SWEEP_START: Final[Cursor] = (BEGINNING, 0)
LOTS_VISITED_MAX: Final = 100_000  # by one batch: some tenth of a second
_json: Final = json.Encoder()


async def post_batch(
    tx: Tx,
    batch: Sequence[Event],
    *,
    shards: int = SHARDS_MAX,
    ahead_max: timedelta | None = None,
) -> None:
    """Post one poll of ledger.commands, partitions and kinds mixed, in order.

    A known name gets its first answer again. A new one is decided, booked, published and answered.
    Inquiries are answered from the state they arrive at and leave nothing. ahead_max: a command
    whose accepted_at is further beyond its record's append time is refused, and does not move the
    shard's time; None: no check, in a platform that has its own clock. shards: of the platform; a
    command that would have the ledger send to another is refused. Raises InvariantBroken.
    """
    await _post(tx, batch, [_checked_shard(_command(event, ahead_max), shards) for event in batch])


def _checked_shard(command: Command, shards: int) -> Command:
    """The command, or its refusal where it would send something to a shard that does not exist."""
    if command.facts.other_shard < shards:
        return command
    return records.refused(command, texts.reason("no-such-shard"))


async def refuse_record(
    tx: Tx, event: Event, why: str, *, ahead_max: timedelta | None = None
) -> None:
    """Store a refusal for a record whose posting the database rejects; its shard moves on."""
    log.error("a record was refused", extra={"why": why, "offset": event.offset})
    telemetry.count(Metric.ALARMS, "ledger-refused-record")
    command = _command(event, ahead_max)
    if type(command.body) is Inquire:  # a query leaves nothing, not even its refusal
        outbox.add(tx, _reply(event, command.name, _UNDECIDED, status=_UNPROCESSABLE))
        return
    if command.body is not None:
        logs.declined(public_id(command.shard, command.name), "could-not-be-decided")
        reason = texts.reason("could-not-be-decided")
        if isinstance(command.body, ReceiveValue):  # what is in transit has to come back
            shard, back = transfer.return_of(command.body, reason.code)
            now = event.at if command.ahead else command.accepted_at or event.at
            outbox.add(tx, [_send(event, command, shard, back, now)])
        command = records.refused(command, reason)
    await _post(tx, [event], [command])


async def _post(
    tx: Tx,
    batch: Sequence[Event],
    commands: Sequence[Command],
    efforts: dict[_Owner, Effort] | None = None,
) -> None:
    """Post a poll, or a part of it. efforts: the cost of each account's inquiries so far."""
    efforts = {} if efforts is None else efforts
    reading = await batch_read.read(tx, commands)
    if len(batch) > 1 and _is_heavy(reading.book, commands):
        half = len(batch) // 2
        await _post(tx, batch[:half], commands[:half], efforts)
        await _post(tx, batch[half:], commands[half:], efforts)
        return
    before = {owner: Effort(effort.left) for owner, effort in efforts.items()}
    try:
        results, messages = _decide(reading.book, batch, commands, efforts)
    except Unread:
        efforts.clear()
        efforts |= before
        reading = await batch_read.read(tx, commands, whole=True)
        results, messages = _decide(reading.book, batch, commands, efforts)

    def compose() -> Iterator[None]:
        for place, (event, command, result) in enumerate(results, start=1):
            if result.decision is not None:
                messages.extend(_outcomes(event, result.decision))
                if "replay" not in event.headers:  # its commands of then are in the archive
                    messages.extend(_sends(event, result.decision))
            messages.extend(_answer(event, command, result))
            if place % log_append.STEP == 0:
                yield
        _count(results)

    decisions = [result.decision for _, _, result in results if result.decision is not None]
    await batch_write.write(tx, reading, decisions, compose())
    outbox.add(tx, messages)


def _is_heavy(book: BatchState, commands: Sequence[Command]) -> bool:
    """Whether a batch has so many commands of so many lots that it is better decided in parts."""
    most = max([len(member.lots) for member in book.members.values()], default=0)
    if len(commands) * (len(commands) + most) <= LOTS_VISITED_MAX:
        return False
    of_owner = Counter(deciding.owner_of(book, command) for command in commands)
    visited = [
        count * (count + len(book.members[key].lots))
        for key, count in of_owner.items()
        if key in book.members
    ]
    return sum(visited) > LOTS_VISITED_MAX


def _decide(
    book: BatchState,
    batch: Sequence[Event],
    commands: Sequence[Command],
    efforts: dict[_Owner, Effort],
) -> tuple[list[tuple[Event, Command, Result]], list[Message]]:
    """The result of each command, and the answers to inquiries. Raises Unread."""
    results: list[tuple[Event, Command, Result]] = []
    messages: list[Message] = []
    for event, command in zip(batch, commands, strict=True):
        if type(command.body) is Inquire:
            if "replay" not in event.headers and not event.expired:
                messages += _preview(book, event, command, efforts)
            continue
        results.append((event, command, deciding.decide_one(book, command)))
    return results, messages


def _command(event: Event, ahead_max: timedelta | None) -> Command:
    command = records.command_of(event.partition, event.raw, event.envelope)
    if ahead_max is None or command.accepted_at is None:
        return command
    if command.accepted_at - ahead_max <= _appended_at(event):
        return command
    telemetry.count(Metric.ALARMS, "ledger-clock-ahead")
    log.error("a command is ahead of its record", extra={"offset": event.offset})
    return replace(command, ahead=True)


def _appended_at(event: Event) -> datetime:
    """When the broker took the record; for a copy from the archive, when it took the first one."""
    header = event.headers.get("appended-at", b"")
    if "replay" in event.headers and header.isdigit() and len(header) <= _MICROS_LENGTH_MAX:
        return BEGINNING + timedelta(microseconds=int(header))
    return event.at


def _preview(
    book: BatchState, event: Event, command: Command, efforts: dict[_Owner, Effort]
) -> list[Message]:
    """The answer to an inquiry; none where its account has cost enough in this poll."""
    effort = efforts.setdefault((command.shard, command.body.account), Effort())
    if effort.left <= 0:
        telemetry.count(Metric.LIMITED, "inquiries")
        return []
    return _reply(event, command.name, _json.encode(inquiry.preview(book, command, effort)))


def _answer(event: Event, command: Command, result: Result) -> list[Message]:
    match result.verdict:
        case Disposition.POSTED | Disposition.REPEATED:
            return _reply(event, command.name, result.answer)
        case Disposition.CONFLICTING:
            return _reply(event, command.name, _CONFLICT, status=_UNPROCESSABLE)
        case Disposition.UNKNOWN_REPLAY:
            return []


def _count(results: Sequence[tuple[Event, Command, Result]]) -> None:
    """Count and log what became of a batch's commands."""
    for decline in deciding.declined(results):
        logs.declined(*decline)
    counted = Counter((command.type, result.verdict) for _, command, result in results)
    for (kind, verdict), count in counted.items():
        if verdict is Disposition.UNKNOWN_REPLAY:
            telemetry.count(Metric.ALARMS, "replayed-name-unknown", by=count)
            continue
        telemetry.count(Metric.OUTCOMES, kind, verdict.value, by=count)
        if kind == UNDECODABLE and verdict is Disposition.POSTED:
            telemetry.count(Metric.ALARMS, "ledger-undecodable", by=count)


def _outcomes(event: Event, decision: Posting) -> list[Message]:
    return [_outcome(event, decision, outcome) for outcome in answers.outcomes(decision)]


def _outcome(event: Event, decision: Posting, outcome: Outcome) -> Message:
    command = decision.command
    cause = command.id or command.name
    accepted_at = command.accepted_at
    if accepted_at is None or command.ahead:
        accepted_at = decision.decided_at
    envelope = Envelope(
        id=envelopes.derive_id(cause, f"outcome {outcome.name}"),
        type=_OUTCOME,
        key=str(decision.owner) if decision.owner else command.key,
        occurred_at=command.occurred_at,
        accepted_at=accepted_at,
        cause_id=command.id or None,
        data=outcome,
    )
    return outbox.message(LEDGER_ENTRIES, envelope, partition=command.shard, headers=_traced(event))


def _sends(event: Event, decision: Posting) -> list[Message]:
    """The commands that follow from a posting, to any shard; each has a name of its own."""
    return [
        _send(event, decision.command, to, body, decision.decided_at) for to, body in decision.sends
    ]


def _send(event: Event, command: Command, shard: int, body: Sent, now: datetime) -> Message:
    envelope = Envelope(
        id=envelopes.derive_id(command.id or command.name, f"says {body.name}"),
        type=_KINDS[type(body)],
        key=str(body.party if isinstance(body, ReceiveBudget) else body.account),
        occurred_at=command.occurred_at,
        accepted_at=now,
        cause_id=command.id or None,
        data=body,
    )
    return outbox.message(LEDGER_COMMANDS, envelope, partition=shard, headers=_traced(event))


def _traced(event: Event) -> tuple[tuple[str, bytes], ...]:
    trace = event.headers.get("traceparent")
    return (("traceparent", trace),) if trace is not None else ()


def _reply(event: Event, named: str, body: bytes, *, status: int = 200) -> list[Message]:
    if "reply-topic" not in event.headers:
        return []
    reply = Reply(name=named, http_status=status, body=Raw(body))
    envelope = Envelope(
        id=envelopes.derive_id(named, f"reply {event.partition} {event.offset}"),
        type=_REPLY,
        key=named,
        occurred_at=event.at,
        accepted_at=event.at,
        data=reply,
    )
    message = outbox.reply_message(event, envelopes.encode(envelope))
    return [message] if message is not None else []


def _problem(code: str, title: str) -> bytes:
    reason = texts.reason(code)
    return _json.encode(
        {
            "type": f"urn:peyvand:problem:{code}",
            "title": title,
            "status": _UNPROCESSABLE,
            "code": code,
            "detail": reason.en,
            "fa": reason.fa,
        }
    )


_CONFLICT: Final = _problem(
    "name-used-with-another-payload", "The name was used with another payload"
)
_UNDECIDED: Final = _problem("could-not-be-decided", "The inquiry could not be answered")

# --------------------------------------------------------------------------------------- time


async def sweep_due_lots(
    tx: Tx, after: Mapping[int, Cursor], *, now: datetime, limit: int
) -> dict[int, Cursor]:
    """Command the expiry of the next due lots of each shard. Gives where each goes on.

    A command's name has the lot and the Tehran hour, so a second sweep of the hour repeats names. A
    lot that was held, or in date again, at the first command is named anew in the next hour. limit:
    lots of one shard.
    """
    places = [(shard, at, lot) for shard, (at, lot) in after.items()]
    hour = now.astimezone(TEHRAN).strftime("%Y-%m-%dT%H")
    reached = dict(after)
    messages: list[Message] = []
    for shard, expires_at, lot, owner in await sweeping.list_due_lots(
        tx, places, now=now, limit=limit
    ):
        body = ExpireLot(name=name(NameKind.EXPIRY, lot, hour), account=owner, lot=lot)
        messages.append(_own_message(shard, "expire-lot.v1", body, key=str(owner), now=now))
        reached[shard] = (expires_at, lot)
    outbox.add(tx, messages)
    return reached


async def sweep_due_holds(
    tx: Tx, after: Mapping[int, Cursor], *, now: datetime, limit: int
) -> dict[int, Cursor]:
    """Command the release of the next due holds of each shard. Gives where each goes on.

    Balances treat them as released already. This books it where nothing else happens to the
    account. limit: holds of one shard.
    """
    places = [(shard, at, hold) for shard, (at, hold) in after.items()]
    reached = dict(after)
    messages: list[Message] = []
    for shard, due_at, hold, owner in await reservations.list_due(tx, places, now=now, limit=limit):
        body = ReleaseHold(name=name(NameKind.HOLD, hold), account=owner, hold=hold)
        messages.append(_own_message(shard, "release-hold.v1", body, key=str(owner), now=now))
        reached[shard] = (due_at, hold)
    outbox.add(tx, messages)
    return reached


def minute_of(now: datetime) -> int:
    """The number of a minute since the epoch, which names a tick."""
    return micros(now) // _MINUTE_MICROS


def tick_shards(tx: Tx, *, shards: int, now: datetime) -> None:
    """Let time pass on shards where nothing else happens."""
    for shard in range(shards):
        body = AdvanceClock(name=name(NameKind.TICK, minute_of(now)))
        outbox.add(
            tx, [_own_message(shard, "advance-clock.v1", body, key=f"shard-{shard}", now=now)]
        )


async def clock_is_right(tx: Tx, now: datetime) -> bool:
    """Whether the clock agrees with the database server's; an alarm where it does not."""
    off_s = abs((await sweeping.get_clock(tx) - now).total_seconds())
    if off_s > CLOCK_OFF_S:
        telemetry.count(Metric.ALARMS, "ledger-clock-off")
        log.error("the clock is off", extra={"off_s": off_s})
    return off_s <= CLOCK_OFF_S


async def extend_ranges(tx: Tx) -> None:
    """Keep a free range of the book ahead of every shard."""
    await sweeping.extend_ranges(tx)


def _own_message(shard: int, kind: str, body: OwnCommand, *, key: str, now: datetime) -> Message:
    envelope = Envelope(
        id=envelopes.derive_id(body.name, f"{kind} {shard}"),
        type=kind,
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=body,
    )
    return outbox.message(LEDGER_COMMANDS, envelope, partition=shard)

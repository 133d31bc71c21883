"""The ledger's verbs: post a batch, refuse one record, and answer people's questions."""

import logging
from collections.abc import Sequence
from typing import Final

from msgspec import Raw, json
from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from contracts.ledger import Inquire, Outcome, RefuseTransaction, Reply
from contracts.topics import LEDGER_ENTRIES
from contracts.values import Kind
from kit import outbox, telemetry
from kit.consumer import Event
from kit.db import Tx
from kit.outbox import Message
from kit.telemetry import Metric
from ledger import read, write
from ledger.decide import commands as deciding
from ledger.decide import inquiry
from ledger.decide.book import Book, Decision
from ledger.decide.commands import Result, Verdict
from ledger.domain import records, texts
from ledger.domain.book import UNDECODABLE, Command

log = logging.getLogger(__name__)

_OUTCOME: Final = "outcome-recorded.v1"
_REPLY: Final = "transaction-answered.v1"
_UNPROCESSABLE: Final = 422
_json: Final = json.Encoder()


async def post_batch(tx: Tx, batch: Sequence[Event]) -> None:
    """Post one poll of ledger.commands, partitions and kinds mixed, in order.

    A known name is answered as the first time; a fresh one is decided, booked, said and answered.
    Inquiries are answered from the state they arrive at and leave nothing. Raises InvariantBroken.
    """
    await _post(tx, batch, [_command(event) for event in batch])


async def refuse_record(tx: Tx, event: Event, why: str) -> None:
    """Store a refusal for a record whose posting the database refuses; its shard moves on."""
    log.error("a record was refused", extra={"why": why, "offset": event.offset})
    telemetry.count(Metric.ALARMS, "ledger-refused-record")
    command = _command(event)
    if command.body is not None:
        body = RefuseTransaction(
            name=command.name,
            reason=texts.reason("could-not-be-decided"),
            kind=getattr(command.body, "kind", Kind.PURCHASE),
            merchant=getattr(command.body, "merchant", 0),
            terminal=getattr(command.body, "terminal", 0),
            account=getattr(command.body, "account", 0),
            replayed=getattr(command.body, "replayed", False),
        )
        command = replace(command, body=body)
    await _post(tx, [event], [command])


async def _post(tx: Tx, batch: Sequence[Event], heard: Sequence[Command]) -> None:
    reading = await read.read(tx, heard)
    said: list[Message] = []
    decisions: list[Decision] = []
    for event, command in zip(batch, heard, strict=True):
        if isinstance(command.body, Inquire):
            if "replay" not in event.headers:
                said += _reply(event, command.name, _preview(reading.book, command))
            continue
        result = deciding.decide_one(reading.book, command)
        if result.decision is not None:
            decisions.append(result.decision)
            said += _outcomes(event, result.decision)
        said += _answer(event, command, result)
    await write.write(tx, reading, decisions)
    outbox.add(tx, said)


def _command(event: Event) -> Command:
    return records.command_of(event.partition, event.raw, event.envelope)


def _preview(book: Book, command: Command) -> bytes:
    state = book.shard(command.shard)
    now = max(state.decided_at, command.accepted_at or state.decided_at)
    member = book.member(command.shard, command.body.account)
    return _json.encode(inquiry.preview(command.shard, command.body, member, now=now))


def _answer(event: Event, command: Command, result: Result) -> list[Message]:
    match result.verdict:
        case Verdict.POSTED | Verdict.REPEATED:
            if command.type == UNDECODABLE and result.verdict is Verdict.POSTED:
                telemetry.count(Metric.ALARMS, "ledger-undecodable")
            telemetry.count(Metric.OUTCOMES, command.type, result.verdict.value)
            return _reply(event, command.name, result.answer)
        case Verdict.CONFLICTING:
            telemetry.count(Metric.OUTCOMES, command.type, result.verdict.value)
            return _reply(event, command.name, _CONFLICT, status=_UNPROCESSABLE)
        case Verdict.UNKNOWN_REPLAY:
            telemetry.count(Metric.ALARMS, "replayed-name-unknown")
            return []


def _outcomes(event: Event, decision: Decision) -> list[Message]:
    return [_outcome(event, decision, outcome) for outcome in decision.outcomes]


def _outcome(event: Event, decision: Decision, outcome: Outcome) -> Message:
    command = decision.command
    cause = command.id or command.name
    said = Envelope(
        id=envelopes.follow(cause, f"outcome {outcome.name}"),
        type=_OUTCOME,
        key=str(decision.owner) if decision.owner else command.key,
        occurred_at=command.occurred_at,
        accepted_at=command.accepted_at or decision.decided_at,
        cause_id=command.id or None,
        data=outcome,
    )
    return outbox.message(LEDGER_ENTRIES, said, partition=command.shard, headers=_traced(event))


def _traced(event: Event) -> tuple[tuple[str, bytes], ...]:
    trace = event.headers.get("traceparent")
    return (("traceparent", trace),) if trace is not None else ()


def _reply(event: Event, name: str, body: bytes, *, status: int = 200) -> list[Message]:
    if "reply-topic" not in event.headers:
        return []
    reply = Reply(name=name, http_status=status, body=Raw(body))
    said = Envelope(
        id=envelopes.follow(name, f"reply {event.partition} {event.offset}"),
        type=_REPLY,
        key=name,
        occurred_at=event.at,
        accepted_at=event.at,
        data=reply,
    )
    message = outbox.reply_message(event, envelopes.encode(said))
    return [message] if message is not None else []


def _problem(code: str) -> bytes:
    reason = texts.reason(code)
    return _json.encode(
        {
            "type": f"urn:peyvand:problem:{code}",
            "title": "The name was used with another payload",
            "status": _UNPROCESSABLE,
            "code": code,
            "detail": reason.en,
            "fa": reason.fa,
        }
    )


_CONFLICT: Final = _problem("name-used-with-another-payload")

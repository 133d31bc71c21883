"""Events for merchants' programs, their signatures, and when a delivery is tried again.

Source: Standard Webhooks 1.0.0; the schedule is 15 tries within three days.
"""

import base64
import hmac
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from contracts import envelope, values
from contracts.ledger import Outcome
from contracts.merchants import DisputeChanged
from contracts.values import Status
from kit.base import errors
from notify import settings
from notify.webhook_endpoints.domain import TEST, EventType

# between one try and the next; with the jitter 71.8 h in all
_RETRY_S: Final = (
    *(5, 60, 300, 900, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800),
    *(36_000, 43_200, 43_200, 43_200),
)
RETRY_AFTER: Final = tuple(timedelta(seconds=wait_s) for wait_s in _RETRY_S)
ATTEMPTS_MAX: Final = len(RETRY_AFTER) + 1
JITTER: Final = 0.02  # so that what failed together is not tried together
LEASE: Final = timedelta(minutes=1)  # of a try under way; a crash ends it
RETRY_HEADER_MAX: Final = timedelta(hours=24)
GONE: Final = 410
_TEST: Final = "test."  # a cause that is no transaction begins so
_DISPUTE: Final = "dispute."
_OF_DISPUTES: Final = (
    *("dispute", "version", "state", "window", "opener", "respondent", "amount_rial", "reason"),
    *("due_at", "accepted_rial", "correction_rial", "correction_window"),
)
_SLOW_DOWN: Final = frozenset({429, 502, 503, 504})
_REVIEW_OUTCOMES: Final = {
    "release-pending.v1": EventType.POINTS_RELEASED,
    "cancel-pending.v1": EventType.POINTS_CANCELLED,
}
_TRANSACTION_OUTCOMES: Final = {
    Status.COMPLETED: EventType.TRANSACTION_COMPLETED,
    Status.UNDER_REVIEW: EventType.TRANSACTION_UNDER_REVIEW,
    Status.DECLINED: EventType.TRANSACTION_DECLINED,
    Status.REFUSED: EventType.TRANSACTION_DECLINED,
}


REPLAY_NAMED: Final = timedelta(hours=24)  # how long a repeat of a named replay has its answer
_KEY: Final = re.compile(r'"([A-Za-z0-9_.:-]{1,64})"|([A-Za-z0-9_.:-]{1,64})')


class BadIdempotencyKey(errors.Invalid):
    """An Idempotency-Key that names nothing."""

    code = "bad-idempotency-key"
    fa = "سرآیند Idempotency-Key درست نیست؛ یک UUID در گیومهٔ انگلیسی بفرستید."


class DeliveryState(StrEnum):
    """pending: to be tried; delivered: 2xx came; failed: every try failed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """An event. message: its webhook-id, the same on every try. body: the bytes that are signed."""

    message: str
    merchant: int
    type: str
    cause: str
    body: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A try that is under way. attempts: with this one; first_at: of the first."""

    delivery: int
    message: str
    body: str
    attempts: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. status 0: nothing, for the reason in error. retry_after: as it asked."""

    status: int
    error: str = ""
    retry_after: timedelta | None = None

    @property
    def delivered(self) -> bool:
        """Whether the endpoint took it."""
        return 200 <= self.status < 300


def type_of(outcome: Outcome) -> EventType | None:
    """The type of an outcome that its merchant's programs are told; None: they are not.

    Silent outcomes (imported history, replays) tell nobody.
    """
    if outcome.silent or not outcome.merchant:
        return None
    if outcome.command in _REVIEW_OUTCOMES:
        completed = outcome.status is Status.COMPLETED
        return _REVIEW_OUTCOMES[outcome.command] if completed else None
    return None if outcome.kind is None else _TRANSACTION_OUTCOMES[outcome.status]


def event_of(shard: int, outcome: Outcome, kind: EventType) -> WebhookEvent:
    """The event of an outcome. Its answer is left out where the body would be too long."""
    cause = values.public_id(shard, outcome.name)
    data: dict[str, Any] = {
        "merchant": outcome.merchant,
        "branch": outcome.branch,
        "terminal": outcome.terminal,
        "transaction": cause,
        "original": values.public_id(shard, outcome.original) if outcome.original else "",
        "kind": outcome.kind,
        "channel": outcome.channel,
        "status": outcome.status,
        "code": outcome.code,
        "amount_rial": outcome.amount_rial,
        "shard": shard,
        "sequence": outcome.sequence,
        "answer": outcome.answer,
    }
    body = _body(kind, outcome.decided_at, data)
    if len(body) > settings.WEBHOOK_BODY_BYTES_MAX:
        body = _body(kind, outcome.decided_at, data | {"answer": None})
    return WebhookEvent(
        message=envelope.derive_id(cause, kind),
        merchant=outcome.merchant,
        type=kind,
        cause=cause,
        body=body.decode(),
        decided_at=outcome.decided_at,
    )


def dispute_events(changed: DisputeChanged) -> list[WebhookEvent]:
    """The events of a dispute's new state: one for each merchant of either party."""
    kind = EventType.DISPUTE_CHANGED
    fields = msgspec.to_builtins(changed, builtin_types=(datetime,))
    told = {name: fields.get(name) for name in _OF_DISPUTES}
    events: list[WebhookEvent] = []
    for merchant in sorted({*changed.opener_merchants, *changed.respondent_merchants}):
        cause = f"{_DISPUTE}{changed.dispute}.{changed.version}.{merchant}"
        events.append(
            WebhookEvent(
                message=envelope.derive_id(cause, kind),
                merchant=merchant,
                type=kind,
                cause=cause,
                body=_body(kind, changed.at, {"merchant": merchant} | told).decode(),
                decided_at=changed.at,
            )
        )
    return events


def transaction_of(cause: str) -> str:
    """The transaction that an event is about; empty for a dispute's, and for one that was asked."""
    return "" if cause.startswith((_TEST, _DISPUTE)) else cause


def trial_event(merchant: int, endpoint: str, test: str, at: datetime) -> WebhookEvent:
    """An event that somebody asked for, to see whether it comes."""
    cause = f"{_TEST}{test}"
    data = {"merchant": merchant, "endpoint": endpoint, "test": test}
    return WebhookEvent(
        message=envelope.derive_id(cause, TEST),
        merchant=merchant,
        type=TEST,
        cause=cause,
        body=_body(TEST, at, data).decode(),
        decided_at=at,
    )


def _body(kind: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({"type": str(kind), "timestamp": at.astimezone(UTC), "data": data})


def signed_headers(
    message: str, body: bytes, secrets: Sequence[bytes], at: datetime
) -> dict[str, str]:
    """The three headers of Standard Webhooks: one signature for each secret, the newest first."""
    timestamp = int(at.timestamp())
    content = f"{message}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(secret, content, "sha256")).decode()
        for secret in secrets
    ]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def next_try(due: DueDelivery, answer: Answer, now: datetime) -> datetime | None:
    """When a delivery that failed is tried again; None: it was the last try.

    The jitter is the message's own. An endpoint that asks for more time has it, up to a day.
    """
    if due.attempts >= ATTEMPTS_MAX:
        return None
    spread = uuid.UUID(due.message).int % 1_000 / 1_000
    wait = RETRY_AFTER[due.attempts - 1] * (1 + JITTER * spread)
    if answer.retry_after is not None and answer.status in _SLOW_DOWN:
        wait = max(wait, min(answer.retry_after, RETRY_HEADER_MAX))
    return now + wait


def parse_retry_after(text: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header (RFC 9110, 10.2.3), in seconds or as a date; None where it says none."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(), at - now) if at.tzinfo is not None else None


def read_key(text: str) -> str:
    """The name in an Idempotency-Key: a string of RFC 9651, or the same without its quotes.

    Source: draft-ietf-httpapi-idempotency-key-header-07. Raises BadIdempotencyKey.
    """
    match = _KEY.fullmatch(text.strip())
    if match is None:
        raise BadIdempotencyKey('write it as "…", 1 to 64 of A-Z a-z 0-9 _ . : -, such as a UUID')
    return match[1] or match[2]

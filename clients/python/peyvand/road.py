"""Sending one named transaction until it is answered: resend the name, follow a 202."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from peyvand import errors, transport
from peyvand.models import (
    Accepted,
    Answer,
    Answered,
    Current,
    Kind,
    Pending,
    Preview,
    TransactionStatus,
)

TRANSACTIONS: Final = "/v1/transactions"
HISTORY: Final = "/v1/history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """How a 202 is followed: ask the status address for poll_for_s, then send the name again.

    rounds_max times in all; then the caller gets Waiting. rounds_max 0: at once.
    """

    wait_first_s: float = 0.05
    wait_max_s: float = 1.0
    poll_for_s: float = 5.0
    rounds_max: int = 3


NOT: Final = Follow(rounds_max=0)

T = TypeVar("T")


class _StatusBody(Struct, frozen=True):
    id: str
    first_answer: Raw
    current: Current


class _Probe(Struct, frozen=True):
    kind: Kind
    status: str = ""


_encoder: Final = msgspec.json.Encoder()
_answer: Final = msgspec.json.Decoder(Answer)
_preview: Final = msgspec.json.Decoder(Preview)
_probe: Final = msgspec.json.Decoder(_Probe)
_accepted: Final = msgspec.json.Decoder(Accepted)
_status: Final = msgspec.json.Decoder(_StatusBody)


def encode(request: Struct) -> bytes:
    """The bytes of a request; keep them, so that a repeat is the very same."""
    return _encoder.encode(request)


async def send(
    wire: transport.Transport, path: str, body: bytes, *, inquiry: bool = False
) -> Answered | Pending:
    """Send until there is an answer or a 202; a repeat carries the very same bytes.

    Raises the typed problem of a refusal, by which nothing was posted under the name, and
    OutcomeUnknown after the last attempt or where an earlier one may have arrived before the
    refusal.
    """
    reply = await wire.request("POST", path, body)
    if reply.status == 202:
        return Pending(accepted=_decoded(_accepted, reply), attempts=reply.attempts)
    if reply.status in transport.RETRY_STATUSES or reply.status >= 500:
        last = f"HTTP {reply.status} {reply.body[:200].decode(errors='replace')}"
        raise errors.OutcomeUnknown(f"POST {path}", attempts=reply.attempts, last=last)
    try:
        transport.raise_problem(f"POST {path}", reply)
    except errors.Problem as problem:
        if reply.doubtful:
            raise doubt(problem, attempts=reply.attempts) from problem
        raise
    if reply.status != 200:
        raise errors.BadReply(f"POST {path}", status=reply.status, body=reply.body)
    answer = _answer_or_preview(reply) if inquiry else _decoded(_answer, reply)
    return Answered(answer=answer, body=reply.body, attempts=reply.attempts)


def doubt(problem: errors.Problem, *, attempts: int) -> errors.PeyvandError:
    """What a refusal says of a request that may have arrived before: nothing, so its outcome is
    unknown. Only a name that another payload holds can never have been this one's."""
    if isinstance(problem, errors.NameReused):
        return problem
    return errors.OutcomeUnknown(
        f"POST {TRANSACTIONS}", attempts=attempts, last=str(problem), problem=problem
    )


async def complete(
    wire: transport.Transport,
    path: str,
    body: bytes,
    *,
    inquiry: bool = False,
    follow: Follow | None = None,
) -> Answered | Pending:
    """Send, and follow a 202 as `follow` says. An inquiry has no status: it is sent again.

    A status tells what its name was answered, whoever sent it; so once it is known the same is sent
    again, and that answer is ours: the first one, or NameReused. Any other refusal after a 202 does
    not undo it: the status stands, and without one it is OutcomeUnknown.
    """
    how = follow or Follow()
    outcome, known = await send(wire, path, body, inquiry=inquiry), None
    for _ in range(how.rounds_max):
        if isinstance(outcome, Answered):
            break
        try:
            if inquiry:
                await asyncio.sleep(_first_wait_s(outcome.accepted, how))
            else:
                known = await _poll(wire, outcome, how) or known
            outcome = await send(wire, path, body, inquiry=inquiry)
        except errors.Problem as problem:
            if known is None or isinstance(problem, errors.NameReused):
                raise doubt(problem, attempts=outcome.attempts) from problem
            return known
    if isinstance(outcome, Answered) and known is not None:
        return replace(outcome, attempts=known.attempts + outcome.attempts, followed=True)
    return outcome


async def status(wire: transport.Transport, transaction_id: str) -> TransactionStatus | None:
    """A transaction as first answered and as it stands; None while it is not yet known."""
    path = transport.path_of("transactions", transaction_id)
    reply = await wire.request("GET", path)
    if reply.status == 202:
        return None
    transport.raise_problem(f"GET {path}", reply)
    body = _decoded(_status, reply)
    first = bytes(body.first_answer)
    try:
        answer = _answer.decode(first)
    except msgspec.MsgspecError as error:
        raise errors.BadReply(f"GET {path}", status=reply.status, body=reply.body) from error
    return TransactionStatus(
        id=body.id, first_answer=answer, first_answer_body=first, current=body.current
    )


async def _poll(wire: transport.Transport, waiting: Pending, how: Follow) -> Answered | None:
    deadline = time.monotonic() + how.poll_for_s
    wait_s = _first_wait_s(waiting.accepted, how)
    attempts = waiting.attempts
    while (left_s := deadline - time.monotonic()) > 0:
        await asyncio.sleep(min(wait_s, left_s))
        attempts += 1
        try:
            state = await status(wire, waiting.accepted.id)
        except (errors.OutcomeUnknown, errors.Unavailable):
            return None  # the name itself is asked again instead
        if state is not None:
            return Answered(
                answer=state.first_answer,
                body=state.first_answer_body,
                attempts=attempts,
                followed=True,
            )
        wait_s = min(wait_s * 2, how.wait_max_s)
    return None


def _first_wait_s(accepted: Accepted, how: Follow) -> float:
    return min(max(how.wait_first_s, accepted.retry_after_ms / 1000), how.wait_max_s)


def _answer_or_preview(reply: transport.Reply) -> Answer | Preview:
    # a declined inquiry is an answer, any other a preview; only an answer has a status
    probe = _decoded(_probe, reply)
    return _decoded(_answer, reply) if probe.status else _decoded(_preview, reply)


def _decoded(decoder: msgspec.json.Decoder[T], reply: transport.Reply) -> T:
    try:
        return decoder.decode(reply.body)
    except msgspec.MsgspecError as error:
        raise errors.BadReply("reply", status=reply.status, body=reply.body) from error

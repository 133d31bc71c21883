"""One way to the network over HTTP: connections, time-outs, retries of the very same bytes."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from peyvand import errors

Scalar = str | int | datetime
Queried = Scalar | Sequence[Scalar] | None
RETRY_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
_NEVER_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. request_s: one attempt, from sending to the last byte of the answer."""

    connect_s: float = 2.0
    request_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often the same request is sent again when no answer came, and how long between.

    The wait before attempt n is wait_first_s * 2^(n-1), at most wait_max_s, of which a random
    half is taken off; a Retry-After that is longer counts, up to wait_max_s.
    """

    attempts_max: int = 6
    wait_first_s: float = 0.1
    wait_max_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a client behaves. connections_max: open at once to the network."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: Retry = field(default_factory=Retry)
    connections_max: int = 256
    rng: random.Random = field(default_factory=random.Random)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer as it came. attempts: how many times the request was sent.

    doubtful: an earlier attempt may have arrived, so a refusal of this one says nothing of it.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    attempts: int
    doubtful: bool = False


class Transport:
    """Holds the connections of one caller; opens with its first request, ends with close."""

    def __init__(self, base_url: str, key: str, options: Options | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._options = options or Options()
        self._timeout = aiohttp.ClientTimeout(
            total=self._options.timeouts.request_s,
            sock_connect=self._options.timeouts.connect_s,
        )
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",  # the exact bytes matter, and the CPU
        }
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def wait_before(self, attempt: int, asked_s: float = 0.0) -> None:
        """Sleep as long as the policy says before that attempt (2 is the first repeat)."""
        policy = self._options.retry
        wait_s = min(policy.wait_max_s, policy.wait_first_s * 2 ** min(attempt - 2, 30))
        wait_s *= 0.5 + 0.5 * self._options.rng.random()
        await asyncio.sleep(max(wait_s, min(asked_s, policy.wait_max_s)))

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        content_type: str | None = None,
        idempotency_key: str | None = None,
        request_s: float | None = None,
    ) -> Reply:
        """Send until something was answered; the same bytes every time.

        idempotency_key: the request's name, where the address takes one, the same every time too.
        Returns the first reply that is not one of RETRY_STATUSES; after attempts_max the last
        such reply, if one came. Raises OutcomeUnknown when the last attempt had no answer at all.
        """
        attempts_max = self._options.retry.attempts_max
        extra = {"Content-Type": content_type} if content_type else {}
        if idempotency_key:
            extra["Idempotency-Key"] = f'"{idempotency_key}"'  # a string of RFC 9651
        reply: Reply | None = None
        last, doubtful = "", False
        for attempt in range(1, attempts_max + 1):
            if attempt > 1:
                await self.wait_before(attempt, _retry_after_s(reply))
            try:
                reply = await self._attempt(
                    method, path, body, extra=extra, request_s=request_s, attempt=attempt
                )
            except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
                raise
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                reply, last = None, f"{type(error).__name__}: {error}"
                doubtful |= not isinstance(error, _NEVER_SENT)
                continue
            if reply.status not in RETRY_STATUSES:
                return replace(reply, doubtful=doubtful)
            doubtful |= not _not_taken(reply)
        if reply is None:
            raise errors.OutcomeUnknown(f"{method} {path}", attempts=attempts_max, last=last)
        return replace(reply, doubtful=doubtful)

    async def _attempt(
        self,
        method: str,
        path: str,
        body: bytes | None,
        *,
        extra: Mapping[str, str] | None,
        request_s: float | None,
        attempt: int,
    ) -> Reply:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._options.connections_max),
                headers=self._headers,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        timeout = aiohttp.ClientTimeout(total=request_s) if request_s else self._timeout
        async with self._session.request(
            method,
            self._base_url + path,
            data=body,
            headers=extra,
            timeout=timeout,
            allow_redirects=False,  # a key is never carried elsewhere
        ) as response:
            content = await response.read()
            return Reply(
                status=response.status, body=content, headers=response.headers, attempts=attempt
            )


def path_of(*parts: str | int, **query: Queried) -> str:
    """A path of escaped parts under /v1, with the query's parameters that are not None.

    Times are written in RFC 3339; a parameter with several values is repeated.
    """
    path = "/v1/" + "/".join(quote(str(part), safe="") for part in parts)
    present = [(name, one) for name, value in query.items() for one in _values(value)]
    return f"{path}?{urlencode(present)}" if present else path


def _values(value: Queried) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str | int | datetime):
        return [value.isoformat() if isinstance(value, datetime) else str(value)]
    return [text for one in value for text in _values(one)]


def raise_problem(request: str, reply: Reply) -> None:
    """Raise the typed problem of a reply of 400 and above, BadReply when it is not one."""
    if reply.status < 400:
        return
    body = _object(reply)
    if body is None:
        raise errors.BadReply(request, status=reply.status, body=reply.body)
    raise errors.problem_of(reply.status, body)


def raise_proposal(request: str, reply: Reply) -> None:
    """Raise ApprovalNeeded where a request waits for a second person."""
    waits = reply.status == 202 and reply.headers.get("Location", "").startswith("/v1/proposals/")
    proposal = _object(reply) if waits else None
    if proposal is not None and "proposal" in proposal:
        raise errors.ApprovalNeeded(request, proposal=proposal)


def _not_taken(reply: Reply) -> bool:
    """Whether a reply that is to be tried again says of itself that nothing was posted."""
    return (_object(reply) or {}).get("code") in errors.NOT_TAKEN


def _object(reply: Reply) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(reply.body, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None


def _retry_after_s(reply: Reply | None) -> float:
    text = reply.headers.get("Retry-After", "") if reply is not None else ""
    return float(text) if text.isascii() and text.isdigit() else 0.0

"""Addresses of the services behind the gateway: who may call them, and the passing on."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.clients import Service, Services
from gateway.domain import problems
from gateway.domain.keys import OperatorCaller, Role
from gateway.domain.problems import Code
from gateway.usecases.access import Access
from kit import auth, clock, errors, telemetry, web
from kit.telemetry import Metric

BODY_BYTES_MAX: Final = 8 * 2**20
_READS: Final = frozenset({"GET", "HEAD"})
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})

_OPERATOR: Final = frozenset({Role.OPERATOR})
_EITHER: Final = frozenset({Role.OPERATOR, Role.REVIEWER})
_REVIEWER: Final = frozenset({Role.REVIEWER})


@dataclass(frozen=True, slots=True)
class Passage:
    """One prefix of addresses: whose it is, who may read and who may write."""

    prefix: str
    service: Service
    reads: frozenset[Role] = _OPERATOR
    writes: frozenset[Role] = _OPERATOR


PASSAGES: Final = (
    Passage("/v1/parties", Service.MERCHANTS),
    Passage("/v1/merchants", Service.MERCHANTS),
    Passage("/v1/terminals", Service.MERCHANTS),
    Passage("/v1/terms", Service.MERCHANTS),
    Passage("/v1/enrolments", Service.MEMBERS),
    Passage("/v1/members", Service.MEMBERS),
    Passage("/v1/identifiers", Service.MEMBERS),
    Passage("/v1/rules", Service.CAMPAIGNS),
    Passage("/v1/first-purchase", Service.CAMPAIGNS),
    Passage("/v1/cases", Service.FRAUD, reads=_EITHER, writes=_REVIEWER),
    Passage("/v1/fraud-rules", Service.FRAUD, reads=_EITHER),
    Passage("/v1/fraud-alerts", Service.FRAUD, reads=_EITHER),
    Passage("/v1/accounts", Service.LEDGER),
    Passage("/v1/bookings", Service.LEDGER),
    Passage("/v1/positions", Service.LEDGER),
    Passage("/v1/vintages", Service.LEDGER),
    Passage("/v1/revenue", Service.LEDGER),
    Passage("/v1/checkpoints", Service.LEDGER),
    Passage("/v1/proofs", Service.LEDGER),
    Passage("/v1/consistency", Service.LEDGER),
    Passage("/v1/messages", Service.NOTIFY),
)
_BY_PREFIX: Final = {passage.prefix: passage for passage in PASSAGES}

# of one connection only (RFC 9110, 7.6.1), or of the gateway's own making
_NOT_ONWARD: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailer", "transfer-encoding", "upgrade", "host", "authorization", "cookie"),
        *("accept-encoding", "forwarded", "x-forwarded-for", "x-forwarded-host"),
        auth.HEADER,
    }
)
_NOT_BACK: Final = _NOT_ONWARD | {"content-length", "content-encoding", "server", "date"}


def find_passage(path: str) -> Passage | None:
    """The passage of a path, by its first two segments; None when it is none of the services'."""
    parts = path.split("/", 3)
    return _BY_PREFIX.get(f"/{parts[1]}/{parts[2]}") if len(parts) > 2 else None


@dataclass(frozen=True, slots=True)
class Passing:
    """Passes requests on; no door stands before it, which would hold a whole body."""

    access: Access
    services: Services
    secret: str  # what signs the actor that the gateway vouches for

    async def serve(self, passage: Passage, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and its answer back."""
        request = Request(scope, receive)
        began = clock.wall()
        with telemetry.start_span(
            f"{request.method} {passage.prefix}", request.headers.get("traceparent")
        ) as span:
            try:
                response = await self._pass(passage, request, span)
            except errors.Problem as error:
                response = web.problem(error, request.url.path)
        took = (clock.wall() - began).total_seconds()
        status = str(response.status_code)
        telemetry.observe(Metric.HTTP_SECONDS, took, passage.prefix, status)
        await response(scope, receive, send)

    async def _pass(self, passage: Passage, request: Request, span: telemetry.Span) -> Response:
        method = request.method
        if method not in _METHODS:
            raise problems.refusal(Code.NO_SUCH_ADDRESS, f"{method} is not served here")
        roles = passage.reads if method in _READS else passage.writes
        caller = await self.access.operator(request.headers.get("authorization"), *roles)
        if {".", ".."} & set(request.url.path.split("/")):
            raise problems.refusal(Code.NO_SUCH_ADDRESS)
        headers = self._onward(request, caller, span)
        body = None if method in _READS else _body(request, headers)
        target = _target(request.scope)
        try:
            heard = await self.services.forward(
                passage.service, method, target, headers, body.chunks() if body else None
            )
        except errors.Unavailable as error:
            if body is not None and body.over:
                raise _too_large() from error
            raise problems.refusal(Code.SERVICE_UNAVAILABLE, passage.service.value) from error
        back = {k: v for k, v in heard.headers.items() if k.lower() not in _NOT_BACK}
        return Response(heard.body, heard.status, back)

    def _onward(
        self, request: Request, caller: OperatorCaller, span: telemetry.Span
    ) -> dict[str, str]:
        """Headers for the service: the caller's own, and who the gateway says it is."""
        headers = {k: v for k, v in request.headers.items() if k not in _NOT_ONWARD}
        actor = auth.Actor(caller.name, caller.roles)
        signed = auth.sign(actor, self.secret, request.method, request.url.path, clock.wall())
        return headers | {auth.HEADER: signed, "traceparent": span.traceparent}


def _target(scope: Scope) -> str:
    """Path and query as they came, not decoded and encoded again."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope["query_string"]
    return raw.partition(b"?")[0].decode("ascii") + (f"?{query.decode('ascii')}" if query else "")


@dataclass(slots=True)
class _Body:
    """A body passed on as it comes, within the limit."""

    request: Request
    over: bool = False

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body's pieces; breaks the request off where it grows too large."""
        total = 0
        async for chunk in self.request.stream():
            total += len(chunk)
            if total > BODY_BYTES_MAX:
                self.over = True
                raise _too_large()
            if chunk:
                yield chunk


def _body(request: Request, headers: dict[str, str]) -> _Body | None:
    """The body to pass on; None for none. Raises TOO_LARGE where its length says so."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > BODY_BYTES_MAX:
        raise _too_large()
    return None if length == "0" else _Body(request)


def _too_large() -> errors.Problem:
    return problems.refusal(Code.TOO_LARGE, f"{BODY_BYTES_MAX} bytes at most")

"""Addresses of the services behind the gateway: who may call them, and the passing on."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.clients import Purpose, Service, Services
from gateway.domain import problems
from gateway.domain.keys import OperatorCaller, Role
from gateway.domain.problems import Code
from gateway.usecases.access import Access, address_of
from gateway.usecases.shares import Shares
from kit import auth, clock, errors, telemetry, web

BODY_BYTES_MAX: Final = 8 * 2**20
_READS: Final = frozenset({"GET", "HEAD"})
_UPLOADS: Final = frozenset({"/v1/members/import"})  # with a body of up to BODY_BYTES_MAX
_WHOLE_BOOK: Final = frozenset({"/v1/positions", "/v1/vintages", "/v1/revenue"})
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

# of one connection only (RFC 9110, 7.6.1), or of the gateway's own making. Framing is never
# copied: the client that sends a body onward says itself how long it is (findings S2).
_NOT_ONWARD: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailer", "transfer-encoding", "content-length", "expect", "upgrade", "host"),
        *("http2-settings", "authorization", "cookie", "accept-encoding", "content-encoding"),
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "traceparent", "tracestate"),
        auth.HEADER,
    }
)
_NOT_BACK: Final = _NOT_ONWARD | {"server", "date"}


def find_passage(path: str) -> Passage | None:
    """The passage of a path, by its first two segments; None when it is none of the services'."""
    parts = path.split("/", 3)
    return _BY_PREFIX.get(f"/{parts[1]}/{parts[2]}") if len(parts) > 2 else None


@dataclass(frozen=True, slots=True)
class Passing:
    """Passes requests on: whose key first, then the whole body, then a service's connection."""

    access: Access
    services: Services
    shares: Shares
    secret: str  # what signs the actor that the gateway vouches for

    async def serve(self, passage: Passage, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and its answer back."""
        request = Request(scope, receive)
        scope["route_path"] = passage.prefix
        caller_trace = request.headers.get("traceparent")
        with telemetry.start_root(f"{request.method} {passage.prefix}", caller_trace) as span:
            response = await self._pass(passage, request, span)
        await response(scope, receive, send)

    async def _pass(self, passage: Passage, request: Request, span: telemetry.Span) -> Response:
        method, path = request.method, request.url.path
        if method not in _METHODS:
            raise problems.refusal(Code.NO_SUCH_ADDRESS, f"{method} is not served here")
        roles = passage.reads if method in _READS else passage.writes
        authorization = request.headers.get("authorization")
        caller = await self.access.operator(authorization, address_of(request.scope), *roles)
        if {".", ".."} & set(path.split("/")):
            raise problems.refusal(Code.NO_SUCH_ADDRESS)
        purpose = _purpose(passage, method, path)
        with self.shares.administering(caller.name, purpose):
            body = await self._body(request, caller.name, purpose)
            headers = self._onward(request, caller, span)
            place = (passage.service, purpose)
            try:
                heard = await self.services.forward(
                    place, method, _target(request.scope), headers, body
                )
            except errors.Unavailable as error:
                raise problems.refusal(Code.SERVICE_UNAVAILABLE, passage.service.value) from error
        back = {k: v for k, v in heard.headers.items() if k.lower() not in _NOT_BACK}
        return Response(heard.body, heard.status, back)

    async def _body(self, request: Request, caller: str, purpose: Purpose) -> bytes | None:
        """The body, whole, so that a slow sender holds no connection to a service."""
        if request.method in _READS:
            return None
        limit = BODY_BYTES_MAX if purpose is Purpose.UPLOAD else web.BODY_BYTES_MAX
        body = await web.read_whole(request.scope, request.receive, limit)
        self.shares.weigh(caller, len(body))
        return body

    def _onward(
        self, request: Request, caller: OperatorCaller, span: telemetry.Span
    ) -> dict[str, str]:
        """Headers for the service: the caller's own, and who the gateway says it is."""
        named = request.headers.getlist("connection")
        of_this_connection = {name.strip().lower() for n in named for name in n.split(",")}
        dropped = _NOT_ONWARD | of_this_connection
        headers = {k: v for k, v in request.headers.items() if k not in dropped}
        actor = auth.Actor(caller.name, caller.roles)
        signed = auth.sign(actor, self.secret, request.method, request.url.path, clock.wall())
        return headers | {auth.HEADER: signed, "traceparent": span.traceparent}


def _purpose(passage: Passage, method: str, path: str) -> Purpose:
    """Which of a service's connections a request takes."""
    if method in _READS:
        whole = passage.prefix in _WHOLE_BOOK or path.endswith("/tally")
        return Purpose.READING if whole else Purpose.ADMINISTRATION
    return Purpose.UPLOAD if path in _UPLOADS else Purpose.ADMINISTRATION


def _target(scope: Scope) -> str:
    """Path and query as they came, not decoded and encoded again."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope["query_string"]
    return raw.partition(b"?")[0].decode("ascii") + (f"?{query.decode('ascii')}" if query else "")

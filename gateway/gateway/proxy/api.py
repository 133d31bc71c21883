"""The reverse proxy: requests of administration, forwarded to the service behind their address."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import problems
from gateway.access.usecases import (
    Access,
    OperatorCaller,
    Quotas,
    access_of,
    address_of,
    quotas_of,
)
from gateway.clients import (
    ForwardedRequest,
    ServiceResponse,
    Services,
    services_of,
)
from gateway.problems import Code
from gateway.proxy import usecases
from gateway.proxy.domain import (
    METHODS,
    READS,
    ProxyRoute,
    is_approval,
    is_open,
    needs_two_people,
    purpose_of,
    upload_bytes_max,
)
from kit.base import auth, telemetry, web
from kit.room import Resources

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


@dataclass(frozen=True, slots=True)
class ReverseProxy:
    """Forwards requests: first the caller's key, then the whole body, then a connection."""

    access: Access
    services: Services
    quotas: Quotas

    async def serve(self, route: ProxyRoute, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request and send its answer back."""
        request = Request(scope, receive)
        scope["route_path"] = route.prefix
        caller_trace = request.headers.get("traceparent")
        with telemetry.start_root(f"{request.method} {route.prefix}", caller_trace) as span:
            response = await self._forward(route, request, span)
        await response(scope, receive, send)

    async def _forward(self, route: ProxyRoute, request: Request, span: telemetry.Span) -> Response:
        method, path = request.method, request.url.path
        if method not in METHODS:
            raise problems.refusal(Code.NO_SUCH_ADDRESS, f"{method} is not served here")
        address = address_of(request.scope)
        caller = await self._caller(route, request, address)
        if {".", ".."} & set(path.split("/")):
            raise problems.refusal(Code.NO_SUCH_ADDRESS)
        purpose = purpose_of(route, method, path)
        whose = address if auth.STRANGER in caller.roles else caller.name
        with self.quotas.operation(whose, purpose, caller.tenant):
            body = await self._body(route, request, whose)
            pool = (route.service_of(path), purpose)
            forwarded = ForwardedRequest(pool, method, _target(request.scope), body)
            headers = _onward(request, span)
            actor = usecases.actor_of(caller, pool[0], address)
            roles = route.rights_of(path).writes
            answer = await self._answer(actor, forwarded, roles, headers)
        back = {k: v for k, v in answer.headers.items() if k.lower() not in _NOT_BACK}
        return Response(answer.body, answer.status, back)

    async def _answer(
        self,
        actor: auth.Actor,
        request: ForwardedRequest,
        roles: frozenset[str],
        headers: dict[str, str],
    ) -> ServiceResponse:
        """The service's answer; or of a person's write that needs two, how it waits (0044)."""
        path = request.call().path
        if actor.session and needs_two_people(request.method, path, request.body or b""):
            waiting = await usecases.propose(self.services, actor, request, roles, headers)
            if waiting is not None:
                return waiting
        answer = await usecases.forward(self.services, actor, request, headers)
        if answer.status == 200 and is_approval(request.method, path):
            return await usecases.carry_out(self.services, actor, answer, headers)
        return answer

    async def _caller(self, route: ProxyRoute, request: Request, address: str) -> OperatorCaller:
        """Who may make this request; where no key is needed, a stranger within his limits."""
        method, path = request.method, request.url.path
        if is_open(method, path):
            self.quotas.take_stranger(address)
            return OperatorCaller(auth.STRANGER, frozenset({auth.STRANGER}))
        caller = await self.access.operator(request.headers.get("authorization"), address)
        if route.admits(method, path, caller.roles):
            return caller
        if route.admits(method, path, caller.withheld):
            raise problems.refusal(Code.SECOND_FACTOR_NEEDED)
        self.quotas.take_stranger(address)
        raise problems.refusal(Code.ROLE_MISSING)

    async def _body(self, route: ProxyRoute, request: Request, caller: str) -> bytes | None:
        """The body, whole, so that a slow sender holds no connection to a service."""
        if request.method in READS:
            return None
        limit = upload_bytes_max(route, request.url.path) or web.BODY_BYTES_MAX
        body = await web.read_whole(request.scope, request.receive, limit)
        self.quotas.take_operation_bytes(caller, len(body))
        return body


def reverse_proxy_of(opened: Resources) -> ReverseProxy:
    """The reverse proxy of this process; `opened.shared(reverse_proxy_of)` makes it once."""
    return ReverseProxy(
        access=opened.shared(access_of),
        services=opened.shared(services_of),
        quotas=opened.shared(quotas_of),
    )


def _onward(request: Request, span: telemetry.Span) -> dict[str, str]:
    """The caller's own headers, for the service."""
    named = request.headers.getlist("connection")
    of_this_connection = {name.strip().lower() for n in named for name in n.split(",")}
    dropped = _NOT_ONWARD | of_this_connection
    headers = {k: v for k, v in request.headers.items() if k not in dropped}
    return headers | {"traceparent": span.traceparent}


def _target(scope: Scope) -> str:
    """Path and query as they came, not decoded and encoded again."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope["query_string"]
    return raw.partition(b"?")[0].decode("ascii") + (f"?{query.decode('ascii')}" if query else "")

"""Addresses of the services behind the gateway: who may call them, and the passing on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.clients import Passed, Purpose, Service, Services
from gateway.domain import problems
from gateway.domain.keys import ENROL_FOR, OperatorCaller
from gateway.domain.problems import Code
from gateway.usecases.access import Access, address_of
from gateway.usecases.shares import Shares
from kit import auth, errors, telemetry, web
from kit.auth import MERCHANT, Role

BODY_BYTES_MAX: Final = 8 * 2**20
_READS: Final = frozenset({"GET", "HEAD"})
_UPLOADS: Final = frozenset({"/v1/members/import"})  # with a body of up to BODY_BYTES_MAX
_WHOLE_BOOK: Final = frozenset({"/v1/positions", "/v1/vintages", "/v1/revenue"})
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})

TRAIL: Final = "/v1/audit"  # and the room
_ROOMS: Final = [[service.value] for service in Service]
_ALL: Final = frozenset(auth.STAFF)
_BOOK: Final = frozenset({Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER})
_SUMS: Final = frozenset({Role.AUDITOR, Role.MONEY})
_FRAUD: Final = frozenset({Role.REVIEWER, Role.AUDITOR, Role.RULES})
_PEOPLE: Final = frozenset({Role.ENROL, Role.SUPPORT})
_NOBODY: Final[frozenset[Role]] = frozenset()


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may read, who may write. own: a merchant's own reader may read what is that merchant's.

    parties: a partner's key comes in too; the service asks whose the member is (findings A10).
    service: whose it is, where another than the prefix's.
    """

    reads: frozenset[Role] = _ALL
    writes: frozenset[Role] = _NOBODY
    own: bool = False
    parties: bool = False
    service: Service | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """One prefix of addresses: whose it is and who comes in; nouns: of the fourth segment."""

    prefix: str
    service: Service
    rights: Rights
    nouns: Mapping[str, Rights] = field(default_factory=dict[str, Rights])

    def rights_of(self, path: str) -> Rights:
        """Who may do what at a path of this prefix."""
        parts = path.split("/", 5)
        return self.nouns.get(parts[4], self.rights) if len(parts) > 4 else self.rights

    def service_of(self, path: str) -> Service:
        """Whose a path of this prefix is; of the trail, the room's that the path names."""
        if self.prefix == TRAIL:
            return Service(path.split("/", 4)[3])
        return self.rights_of(path).service or self.service

    def admits(self, method: str, path: str, roles: Collection[str]) -> bool:
        """Whether roles come in here; the service asks again, route by route."""
        rights = self.rights_of(path)
        reading = method in _READS
        if not (rights.reads if reading else rights.writes).isdisjoint(roles):
            return True
        if rights.parties and any(role.startswith(ENROL_FOR) for role in roles):
            return True
        parts = path.split("/", 4)
        return reading and rights.own and len(parts) > 3 and f"{MERCHANT}{parts[3]}" in roles


def _writes(*roles: Role, own: bool = False) -> Rights:
    return Rights(writes=frozenset(roles), own=own)


_MEMBERS: Final = Rights(_PEOPLE, frozenset({Role.ENROL}), parties=True)
PASSAGES: Final = (
    Passage(
        "/v1/parties",
        Service.MERCHANTS,
        _writes(Role.PARTNERS),
        {"standings": _writes(Role.MONEY)},
    ),
    Passage(
        "/v1/merchants",
        Service.MERCHANTS,
        _writes(Role.PARTNERS, own=True),
        {
            "terminals": _writes(Role.TERMINALS, own=True),
            "standings": _writes(Role.TERMINALS, own=True),
            "programmes": _writes(Role.MONEY, own=True),
        },
    ),
    Passage("/v1/terminals", Service.MERCHANTS, _writes(Role.TERMINALS)),
    Passage("/v1/terms", Service.MERCHANTS, _writes(Role.MONEY)),
    Passage("/v1/enrolments", Service.MEMBERS, _MEMBERS),
    Passage("/v1/members", Service.MEMBERS, _MEMBERS),
    Passage("/v1/identifiers", Service.MEMBERS, _MEMBERS),
    Passage("/v1/rules", Service.CAMPAIGNS, _writes(Role.RULES)),
    Passage("/v1/first-purchase", Service.CAMPAIGNS, _writes(Role.MONEY)),
    Passage("/v1/cases", Service.FRAUD, Rights(_FRAUD, frozenset({Role.REVIEWER}))),
    Passage("/v1/fraud-rules", Service.FRAUD, _writes(Role.RULES)),
    Passage("/v1/fraud-alerts", Service.FRAUD, Rights(_FRAUD)),
    Passage(
        "/v1/accounts",
        Service.LEDGER,
        Rights(_BOOK),
        {"standings": Rights(_BOOK, frozenset({Role.MONEY}), service=Service.MEMBERS)},
    ),
    Passage("/v1/bookings", Service.LEDGER, Rights(_BOOK)),
    Passage("/v1/positions", Service.LEDGER, Rights(_SUMS)),
    Passage("/v1/vintages", Service.LEDGER, Rights(_SUMS)),
    Passage("/v1/revenue", Service.LEDGER, Rights(_SUMS)),
    Passage("/v1/checkpoints", Service.LEDGER, Rights(_BOOK)),
    Passage("/v1/proofs", Service.LEDGER, Rights(_BOOK)),
    Passage("/v1/consistency", Service.LEDGER, Rights(_BOOK)),
    Passage(TRAIL, Service.MERCHANTS, Rights(frozenset({Role.AUDITOR}))),
    Passage("/v1/messages", Service.NOTIFY, Rights(frozenset({Role.SUPPORT}))),
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
    parts = path.split("/", 4)
    found = _BY_PREFIX.get(f"/{parts[1]}/{parts[2]}") if len(parts) > 2 else None
    if found is not None and found.prefix == TRAIL and parts[3:4] not in _ROOMS:
        return None
    return found


@dataclass(frozen=True, slots=True)
class Passing:
    """Passes requests on: whose key first, then the whole body, then a service's connection."""

    access: Access
    services: Services
    shares: Shares

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
        authorization = request.headers.get("authorization")
        address = address_of(request.scope)
        caller = await self.access.operator(authorization, address)
        if not passage.admits(method, path, caller.roles):
            self.shares.stranger(address)
            raise problems.refusal(Code.ROLE_MISSING)
        if {".", ".."} & set(path.split("/")):
            raise problems.refusal(Code.NO_SUCH_ADDRESS)
        purpose = _purpose(passage, method, path)
        with self.shares.administering(caller.name, purpose):
            body = await self._body(request, caller.name, purpose)
            service = passage.service_of(path)
            passed = Passed((service, purpose), method, _target(request.scope), body)
            headers = _onward(request, span)
            actor = _vouched(caller, service)
            try:
                heard = await self.services.forward(passed, actor, headers)
            except errors.Unavailable as error:
                raise problems.refusal(Code.SERVICE_UNAVAILABLE, service.value) from error
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


def _vouched(caller: OperatorCaller, service: Service) -> auth.Actor:
    """Whom a service hears of. A partner's key is one that enrols, for its party alone."""
    if caller.party is None or service is not Service.MEMBERS:
        return auth.Actor(caller.name, caller.roles)
    return auth.Actor(caller.name, caller.roles | {Role.ENROL}, caller.party)


def _onward(request: Request, span: telemetry.Span) -> dict[str, str]:
    """The caller's own headers, for the service."""
    named = request.headers.getlist("connection")
    of_this_connection = {name.strip().lower() for n in named for name in n.split(",")}
    dropped = _NOT_ONWARD | of_this_connection
    headers = {k: v for k, v in request.headers.items() if k not in dropped}
    return headers | {"traceparent": span.traceparent}


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

"""The service behind an address, the actor of a request, and writes that need two people."""

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import unquote

import msgspec

from gateway import problems
from gateway.access.usecases import OperatorCaller
from gateway.clients import ForwardedRequest, Purpose, Service, ServiceResponse, Services
from gateway.problems import Code
from gateway.proxy import domain
from gateway.proxy.domain import is_open as is_open
from gateway.proxy.domain import may_need_two_people as may_need_two_people
from kit.base import auth, errors
from kit.base.auth import Role

_GATEWAY: Final = auth.Actor("gateway", frozenset({auth.SERVICE}))
_IDENTITY: Final = (Service.IDENTITY, Purpose.ADMINISTRATION)
_KEPT_MAX: Final = 65_536  # bytes of an answer that are kept with a proposal


class _Write(msgspec.Struct, frozen=True, kw_only=True):
    """A person's write, as identity keeps it. body: in base64 on the wire."""

    method: str
    target: str
    content_type: str
    body: bytes
    roles: list[str]


class _Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A write that was approved."""

    method: str
    target: str
    content_type: str
    body: bytes
    proposed_by: str
    approved_by: str


class _Decided(msgspec.Struct, frozen=True):
    """Of a proposal's view: which, and where it stands."""

    proposal: str
    state: str


class _Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the service answered. is_secret: it is shown now and kept nowhere."""

    status: int
    body: bytes
    is_secret: bool


def service_of(path: str) -> Service | None:
    """The service behind a public address; None where no service has it."""
    route = domain.find_route(path)
    return None if route is None else route.service_of(path)


async def forward(
    services: Services,
    actor: auth.Actor,
    request: ForwardedRequest,
    headers: Mapping[str, str],
) -> ServiceResponse:
    """The service's answer to a request. Raises SERVICE_UNAVAILABLE."""
    service, _ = request.pool
    try:
        return await services.forward(request, actor, headers)
    except errors.Unavailable as error:
        raise problems.refusal(Code.SERVICE_UNAVAILABLE, service.value) from error


async def propose(
    services: Services,
    actor: auth.Actor,
    request: ForwardedRequest,
    roles: Collection[str],
    headers: Mapping[str, str],
) -> ServiceResponse | None:
    """Keep a write until a second person with one of roles decides: identity's answer.

    None where this one person is enough. Raises SERVICE_UNAVAILABLE.
    """
    write = _Write(
        method=request.method,
        target=request.target,
        content_type=headers.get("content-type", ""),
        body=request.body or b"",
        roles=sorted(roles),
    )
    answer = await _ask_identity(services, actor, "POST", "/internal/proposals", write)
    return None if answer.status == 204 else answer


async def carry_out(
    services: Services, approver: auth.Actor, approval: ServiceResponse, headers: Mapping[str, str]
) -> ServiceResponse:
    """Carry out what identity says was approved, and keep the service's answer with it.

    What was carried out before is answered as it is. A service that does not answer leaves it
    approved, and the same approval goes on: all that four eyes see are PUTs, which may come twice.
    approver: whose rights count. Raises SERVICE_UNAVAILABLE, ROLE_MISSING.
    """
    decided = msgspec.json.decode(approval.body, type=_Decided)
    if decided.state != "approved":
        return approval
    inside = f"/internal/proposals/{decided.proposal}"
    kept = await _ask_identity(services, _GATEWAY, "GET", inside)
    if kept.status != 200:
        raise problems.refusal(Code.SERVICE_UNAVAILABLE, Service.IDENTITY.value)
    write = msgspec.json.decode(kept.body, type=_Approved)
    written = unquote(write.target.partition("?")[0])
    route = domain.find_route(written)
    if route is None or not route.admits(write.method, written, approver.roles):
        raise problems.refusal(Code.ROLE_MISSING)
    pool = (route.service_of(written), domain.purpose_of(route, write.method, written))
    both = auth.Actor(
        write.proposed_by, approver.roles, address=approver.address, approved_by=write.approved_by
    )
    request = ForwardedRequest(pool, write.method, write.target, write.body)
    of_body = {"content-type": write.content_type} if write.content_type else {}
    traced = {"traceparent": headers["traceparent"]}
    answer = await forward(services, both, request, of_body | traced)
    if answer.status >= 500 or answer.status == 429:
        raise problems.refusal(Code.SERVICE_UNAVAILABLE, pool[0].value)
    of_cache = [v for k, v in answer.headers.items() if k.lower() == "cache-control"]
    is_secret = any("no-store" in value for value in of_cache)
    body = answer.body if len(answer.body) <= _KEPT_MAX else b""
    result = _Result(status=answer.status, body=body, is_secret=is_secret)
    recorded = await _ask_identity(services, _GATEWAY, "PUT", f"{inside}/result", result)
    if recorded.status != 200:
        raise problems.refusal(Code.SERVICE_UNAVAILABLE, Service.IDENTITY.value)
    return recorded


async def _ask_identity(
    services: Services,
    actor: auth.Actor,
    method: str,
    target: str,
    content: msgspec.Struct | None = None,
) -> ServiceResponse:
    body = None if content is None else msgspec.json.encode(content)
    request = ForwardedRequest(_IDENTITY, method, target, body)
    return await forward(services, actor, request, {"content-type": "application/json"})


def actor_of(caller: OperatorCaller, service: Service, address: str = "") -> auth.Actor:
    """The actor of a request as a service sees it. A partner's key enrols for its party alone."""
    of_party = caller.party is not None and service is Service.MEMBERS
    roles, party = (caller.roles | {Role.ENROL}, caller.party) if of_party else (caller.roles, None)
    return auth.Actor(caller.name, roles, party, session=caller.session, address=address)

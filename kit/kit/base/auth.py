"""Who acts, as the gateway vouches for it: a header signed for one request to one room."""

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit.base import clock, errors, telemetry

log = logging.getLogger(__name__)

HEADER: Final = "x-peyvand-actor"
WINDOW_S: Final = 60
SERVICE: Final = "service"  # the gateway itself, on its own behalf
PERSON: Final = "person"  # signed in, whatever else he may
STRANGER: Final = "stranger"  # nobody yet: signs in, or accepts an invitation
MERCHANT: Final = "merchant:"  # and the merchant's number: reads that merchant's own
PARTY: Final = "party:"  # and the party's number: conducts that party's disputes
_ACTOR: Final = "peyvand.actor"  # of the scope: whom the signature vouches for
_ALLOWED: Final = "peyvand.allowed"  # of the scope: the actor whose role was checked
_BODY: Final = "peyvand.body"  # of the scope: SHA-256 of the body, hex
_HEADER: Final = HEADER.encode()
_OPEN: Final = ("/health/", "/metrics")
_READS: Final = frozenset({"GET", "HEAD"})


class Role(StrEnum):
    """What a person or program of the network may do; each reads what its work needs."""

    AUDITOR = "auditor"  # reads the book, its proofs, cases and the trail; writes nothing
    PARTNERS = "partners"  # parties, merchants, branches, and those who apply to be merchants
    TERMINALS = "terminals"  # terminals, their keys, and stopping terminals and merchants
    MONEY = "money"  # programmes, terms, gifts, approving applicants, stopping accounts and parties
    ENROL = "enrol"  # members, their identifiers and their consents
    SUPPORT = "support"  # reads members, their accounts and messages
    RULES = "rules"  # rules of bonus and of fraud
    HISTORY = "history"  # brings purchases of the past in
    REVIEWER = "reviewer"  # decides what fraud has under review
    USERS = "users"  # invites people, says what they may, stops them


STAFF: Final = tuple(Role)


@dataclass(frozen=True, slots=True)
class Actor:
    """subject: who. roles: of Role, or one of the words above. party: legal entity.

    session: by which a person is signed in. address: where the request came from.
    approved_by: the second person of what two made (decision 0044).
    """

    subject: str
    roles: frozenset[str]
    party: int | None = None
    session: str = ""
    address: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one room, as it is signed. path: decoded; query: as it is sent."""

    room: str
    method: str
    path: str
    query: str = ""


class _Claim(msgspec.Struct, frozen=True):
    subject: str
    roles: list[str]
    party: int | None
    at: float  # epoch seconds, wall
    body: str  # SHA-256 of the body, hex
    session: str = ""
    address: str = ""
    approved_by: str = ""


def room_secret(master: str, room: str) -> str:
    """The secret of one room out of the gateway's own, which no room has (HKDF, RFC 5869).

    With it a room checks the calls to itself, but cannot sign a call to another room.
    """
    extracted = hmac.digest(b"peyvand actor", master.encode(), "sha256")
    return hmac.digest(extracted, room.encode() + b"\x01", "sha256").hex()


def secrets_of(text: str) -> tuple[str, ...]:
    """Secrets of a setting: the first one signs; others are accepted while it is changed."""
    return tuple(part for part in text.split(",") if part)


def sign(actor: Actor, secret: str, call: Call, now: datetime, *, body: bytes = b"") -> str:
    """Header value that vouches for actor on one call with one body; now: wall time."""
    digest = hashlib.sha256(body).hexdigest()
    who, at = (actor.subject, sorted(actor.roles), actor.party), now.timestamp()
    claim = _Claim(*who, at, digest, actor.session, actor.address, actor.approved_by)
    payload = base64.urlsafe_b64encode(msgspec.json.encode(claim)).decode()
    return f"{payload}.{_mac(secret, call, payload)}"


def verify(value: str, secrets: tuple[str, ...], call: Call, now: datetime) -> tuple[Actor, str]:
    """Read a header value: who acts, and the SHA-256 (hex) that the body has to have.

    Raises Unauthorized when forged, of another request or room, or stale.
    """
    payload, _, mac = value.partition(".")
    good = [hmac.compare_digest(mac.encode(), _mac(s, call, payload).encode()) for s in secrets]
    if not any(good):
        raise errors.Unauthorized("the actor header is missing or forged; call through the gateway")
    claim = msgspec.json.decode(base64.urlsafe_b64decode(payload), type=_Claim)
    if abs(now.timestamp() - claim.at) > WINDOW_S:
        raise errors.Unauthorized("the actor header is stale; call through the gateway again")
    who = (claim.subject, frozenset(claim.roles), claim.party)
    return Actor(*who, claim.session, claim.address, claim.approved_by), claim.body


@dataclass(frozen=True, slots=True)
class Signing:
    """How a room checks its callers. secret: the setting's text. open_paths: open to anybody."""

    room: str
    secret: str
    open_paths: tuple[str, ...] = ()


class Signed:
    """Refuses a stranger before anything of his request is read (findings S24); pure ASGI.

    refuse: how an error is answered.
    """

    def __init__(
        self, app: ASGIApp, signing: Signing, refuse: Callable[[errors.Problem, str], Response]
    ) -> None:
        self._app = app
        self._room = signing.room
        self._secrets = secrets_of(signing.secret)
        self._refuse = refuse
        self._open = (*_OPEN, *signing.open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith(self._open):
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        call = Call(self._room, scope["method"], path, query)
        value = next((v for k, v in scope["headers"] if k == _HEADER), b"").decode("latin-1")
        try:
            actor, digest = verify(value, self._secrets, call, clock.wall())
        except errors.Unauthorized as error:
            telemetry.count(telemetry.Metric.REFUSED, self._room, "stranger")
            await self._refuse(error, path)(scope, receive, send)
            return
        vouched = {**scope, _ACTOR: actor, _BODY: digest}
        await self._app(vouched, _checked(receive, digest), send)


def _checked(receive: Receive, digest: str) -> Receive:
    """A body's messages; the last raises Unauthorized where the whole is not what was signed."""
    seen = hashlib.sha256()

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            seen.update(message.get("body", b""))
            ended = not message.get("more_body", False)
            if ended and not hmac.compare_digest(seen.hexdigest(), digest):
                raise errors.Unauthorized("the body is not the one that was signed")
        return message

    return receiving


class Allowed:
    """A dependency: only a holder of one of roles comes in, before the body is looked at.

    own: also whoever holds `merchant:<number>` or `party:<number>` of the one in the path.
    """

    def __init__(self, roles: tuple[str, ...], *, own: bool = False) -> None:
        self.roles = roles
        self.own = own

    def __call__(self, request: Request) -> Actor:
        """The actor. Raises Unauthorized or Forbidden."""
        actor: Actor | None = request.scope.get(_ACTOR)
        if actor is None:
            raise errors.Unauthorized("the actor header is missing; call through the gateway")
        scope, whose = (
            (PARTY, "party") if "party" in request.path_params else (MERCHANT, "merchant")
        )
        mine = f"{scope}{request.path_params.get(whose)}"
        if actor.roles.isdisjoint(self.roles) and not (self.own and mine in actor.roles):
            _note_refusal(request, actor)
            needed = ", ".join((*self.roles, *((mine,) if self.own else ())))
            raise errors.Forbidden(f"needs one of: {needed}; ask an operator for the role")
        request.scope[_ALLOWED] = actor
        return actor


def require(request: Request, *roles: str) -> Actor:
    """The actor of a request outside a router's routes; without roles any actor passes."""
    actor: Actor | None = request.scope.get(_ACTOR)
    if not roles and actor is not None:
        return actor
    return Allowed(roles)(request)


def allow(*roles: str, own: bool = False) -> Any:
    """For `dependencies=[…]` of a route: who may call it; the handler asks `actor_of`."""
    return Depends(Allowed(roles, own=own))


def actor_of(request: Request) -> Actor:
    """Who calls, checked by the route's `allow`. Raises RuntimeError where the route has none."""
    actor: Actor | None = request.scope.get(_ALLOWED)
    if actor is None:
        raise RuntimeError(f"{request.url.path}: the route says not who may call it")
    return actor


def body_digest(request: Request) -> str:
    """SHA-256 (hex) of the body that was signed, and that the body read is compared with."""
    digest: str = request.scope[_BODY]
    return digest


def _note_refusal(request: Request, actor: Actor) -> None:
    """A refused write is logged with who tried it; a refused read is only counted."""
    method = request.method
    kind = "read" if method in _READS else "write"
    telemetry.count(telemetry.Metric.REFUSED, getattr(request.app.state, "room", ""), kind)
    if method not in _READS:
        route = getattr(request.scope.get("route"), "path", request.url.path)
        details = {"subject": actor.subject, "roles": sorted(actor.roles), "route": route}
        log.warning("refused for want of a role: %s", method, extra=details)


def _mac(secret: str, call: Call, payload: str) -> str:
    text = f"{call.room}\n{call.method.upper()}\n{call.path}\n{call.query}\n{payload}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()

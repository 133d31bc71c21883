"""Who acts, as the gateway vouches for it: a signed header, sixty seconds long."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from starlette.requests import Request

from kit import clock, errors

HEADER: Final = "x-peyvand-actor"
WINDOW_S: Final = 60


@dataclass(frozen=True, slots=True)
class Actor:
    """subject: who. roles: operator, reviewer, service, merchant:<number>. party: legal entity."""

    subject: str
    roles: frozenset[str]
    party: int | None = None


class _Claim(msgspec.Struct, frozen=True):
    subject: str
    roles: list[str]
    party: int | None
    at: float  # epoch seconds, wall


def sign(actor: Actor, secret: str, method: str, path: str, now: datetime) -> str:
    """Header value that vouches for actor on one method and path; now: wall time."""
    claim = _Claim(actor.subject, sorted(actor.roles), actor.party, now.timestamp())
    payload = base64.urlsafe_b64encode(msgspec.json.encode(claim)).decode()
    return f"{payload}.{_mac(secret, method, path, payload)}"


def verify(value: str, secret: str, method: str, path: str, now: datetime) -> Actor:
    """Read a header value. Raises Unauthorized when forged, of another request, or stale."""
    payload, _, mac = value.partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(secret, method, path, payload).encode()):
        raise errors.Unauthorized("the actor header is missing or forged; call through the gateway")
    claim = msgspec.json.decode(base64.urlsafe_b64decode(payload), type=_Claim)
    if abs(now.timestamp() - claim.at) > WINDOW_S:
        raise errors.Unauthorized("the actor header is stale; call through the gateway again")
    return Actor(claim.subject, frozenset(claim.roles), claim.party)


def require(request: Request, *roles: str) -> Actor:
    """The verified actor of a request, who holds one of roles (none named: any actor).

    The key is app.state.actor_secret, put there by kit.web. Raises Unauthorized or Forbidden.
    """
    secret: str = request.app.state.actor_secret
    value = request.headers.get(HEADER, "")
    actor = verify(value, secret, request.method, request.url.path, clock.wall())
    if roles and actor.roles.isdisjoint(roles):
        raise errors.Forbidden(f"needs one of: {', '.join(roles)}; ask an operator for the role")
    return actor


def _mac(secret: str, method: str, path: str, payload: str) -> str:
    text = f"{method.upper()}\n{path}\n{payload}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()

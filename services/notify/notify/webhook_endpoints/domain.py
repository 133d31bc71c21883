"""Endpoints: which addresses are taken, what they may ask for, and their secrets."""

import base64
import ipaddress
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from contracts import keys
from contracts.keys import Ring
from kit.base import errors

URL_LENGTH_MAX: Final = 500
SECRET_BYTES: Final = 32
_PORTS: Final = frozenset({None, 443, 8443})
_PURPOSE: Final = "webhook secrets"


class EventType(StrEnum):
    """What an endpoint may ask for; dotted, as Standard Webhooks writes types."""

    TRANSACTION_COMPLETED = "transaction.completed"
    TRANSACTION_UNDER_REVIEW = "transaction.under_review"
    TRANSACTION_DECLINED = "transaction.declined"
    POINTS_RELEASED = "points.released"
    POINTS_CANCELLED = "points.cancelled"
    DISPUTE_CHANGED = "dispute.changed"


TEST: Final = "endpoint.test"  # sent when asked for, whatever the endpoint takes


class DisabledReason(StrEnum):
    """Why the platform itself stopped sending to an endpoint."""

    GONE = "gone"  # it answered 410
    UNANSWERED = "unanswered"  # no try of three days succeeded


class BadUrl(errors.Invalid):
    """An address to which nothing is sent."""

    code = "bad-webhook-url"
    fa = "این نشانی پذیرفته نیست؛ نشانی https با نام دامنهٔ عمومی بنویسید."


class TooManyEndpoints(errors.Conflict):
    """A merchant has as many endpoints as it may have."""

    code = "too-many-endpoints"
    fa = "شمار نشانی‌های این فروشگاه به سقف رسیده است؛ یکی را تغییر دهید."


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint. delivered_at: of its last success, None before the first."""

    endpoint: str
    merchant: int
    url: str
    events: tuple[EventType, ...]
    enabled: bool
    created_at: datetime
    changed_at: datetime
    disabled_reason: str = ""
    delivered_at: datetime | None = None

    def has_terms_of(self, other: "Endpoint") -> bool:
        """Whether both say the same of what goes where."""
        return (self.url, self.events, self.enabled) == (other.url, other.events, other.enabled)


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret as it is kept. ends_at None: it signs until another takes its place."""

    secret: str
    endpoint: str
    sealed: str
    created_at: datetime
    ends_at: datetime | None = None


def checked_url(url: str, *, local: bool) -> str:
    """The address, if anything may be sent there: https, a public name, no user, a usual port.

    local: of a local cluster, where http and addresses of the machine are good too. Where the name
    leads is checked when it is resolved, at each try. Raises BadUrl.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise BadUrl("this is no address; write https://shop.example/webhooks") from None
    if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise BadUrl(f"write at most {URL_LENGTH_MAX} ASCII characters, a name in punycode")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadUrl("write no user, password or fragment in the address")
    if not host or (local and parts.scheme not in ("http", "https")):
        raise BadUrl("write an http or https address with a host")
    if local:
        return url
    if parts.scheme != "https" or port not in _PORTS:
        raise BadUrl("write an https address, on port 443 or 8443")
    if is_literal(host) or "." not in host.strip("."):
        raise BadUrl("write a public name, no number and no name of your own network")
    return url


def is_literal(host: str) -> bool:
    """Whether a host is a number in place of a name, in any spelling that a resolver takes."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2].lower()
        return last.isdigit() or last.startswith("0x")  # 2130706433, 127.1, 0x7f.1
    return True


def is_public(address: str) -> bool:
    """Whether an address is of the public network, and hides no other within it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if inner is not None or ip in ipaddress.ip_network("64:ff9b::/96"):
            return False
    return ip.is_global and not ip.is_multicast


def ring_of(roots: tuple[str, ...]) -> Ring:
    """The keys that seal endpoints' secrets. Raises ValueError that names the setting."""
    return keys.ring(roots, _PURPOSE, setting="PEYVAND_CONTACT_KEYS")


def seal(secret: bytes, *, endpoint: str, nonce: bytes, ring: Ring) -> str:
    """A secret as the database keeps it, bound to its endpoint."""
    bound = uuid.UUID(endpoint).int
    return base64.b64encode(keys.seal(ring[0], nonce, secret, bound)).decode()


def unseal(sealed: str, *, endpoint: str, ring: Ring) -> bytes:
    """The secret again. Raises contracts.keys.MissingKey, Unsealable."""
    return keys.unseal(ring, base64.b64decode(sealed), uuid.UUID(endpoint).int)


def secret_text(secret: bytes) -> str:
    """A secret as its owner keeps it (Standard Webhooks 1.0.0)."""
    return "whsec_" + base64.b64encode(secret).decode()

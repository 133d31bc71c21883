"""Addresses of the services behind the gateway: the service of each, and the roles it admits."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.access.usecases import ENROL_FOR
from gateway.clients import Purpose, Service
from kit.base import auth, bodies
from kit.base.auth import MERCHANT, PARTY, PERSON, STRANGER, Role

READS: Final = frozenset({"GET", "HEAD"})
# bodies beyond 64 KiB, by the whole path or by its first two segments; as their services have it
_UPLOAD_BYTES_MAX: Final = {"/v1/members/import": 8 * 2**20, "/v1/evidence": 5 * 2**20}
_WHOLE_BOOK: Final = frozenset({"/v1/positions", "/v1/vintages", "/v1/revenue"})
_WHOLE_NOUNS: Final = ("/tally", "/reconciliation")  # at the end of a path
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})

AUDIT_TRAIL: Final = "/v1/audit"  # and the service's name
_SERVICES: Final = [[service.value] for service in Service]
_ALL: Final = frozenset(auth.STAFF)
_BOOK: Final = frozenset({Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER})
_SUMS: Final = frozenset({Role.AUDITOR, Role.MONEY})
_FRAUD: Final = frozenset({Role.REVIEWER, Role.AUDITOR, Role.RULES})
_PEOPLE: Final = frozenset({Role.ENROL, Role.SUPPORT})
_NOBODY: Final[frozenset[str]] = frozenset()
_OWN: Final = frozenset({PERSON})  # of whoever signed in, what is his own
_USERS: Final = frozenset({Role.USERS, Role.AUDITOR})
# where nobody has a key yet
_OPEN: Final = frozenset(
    {
        ("POST", "/v1/sessions"),
        ("POST", "/v1/invitations/accept"),
        ("POST", "/v1/activations"),
    }
)


@dataclass(frozen=True, slots=True)
class Rights:
    """Roles that may read and write. own: a merchant's reader may read what is that merchant's.

    own_party: whoever holds `party:<number>` of the party in the address reads and writes.
    parties: a partner's key is admitted too; the service checks the member's party (findings A10).
    service: the service behind it, where it is not the prefix's.
    """

    reads: frozenset[str] = _ALL
    writes: frozenset[str] = _NOBODY
    own: bool = False
    own_party: bool = False
    parties: bool = False
    service: Service | None = None


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """One prefix of addresses: its service and rights; nouns: rights by the fourth segment."""

    prefix: str
    service: Service
    rights: Rights
    nouns: Mapping[str, Rights] = field(default_factory=dict[str, Rights])

    def rights_of(self, path: str) -> Rights:
        """The rights at a path of this prefix."""
        parts = path.split("/", 5)
        return self.nouns.get(parts[4], self.rights) if len(parts) > 4 else self.rights

    def service_of(self, path: str) -> Service:
        """The service of a path of this prefix; of the audit trail, the one that the path names."""
        if self.prefix == AUDIT_TRAIL:
            return Service(path.split("/", 4)[3])
        return self.rights_of(path).service or self.service

    def admits(self, method: str, path: str, roles: Collection[str]) -> bool:
        """Whether these roles are admitted; the service checks again, route by route."""
        if is_open(method, path):
            return STRANGER in roles
        rights = self.rights_of(path)
        reading = method in READS
        if not (rights.reads if reading else rights.writes).isdisjoint(roles):
            return True
        if rights.parties and any(role.startswith(ENROL_FOR) for role in roles):
            return True
        parts = path.split("/", 4)
        if len(parts) < 4:
            return False
        if rights.own_party and f"{PARTY}{parts[3]}" in roles:
            return True
        return reading and rights.own and f"{MERCHANT}{parts[3]}" in roles


def _writes(*roles: Role, own: bool = False) -> Rights:
    return Rights(writes=frozenset(roles), own=own)


_JOINING: Final = frozenset({Role.AUDITOR, Role.PARTNERS, Role.MONEY})
_DECIDING: Final = Rights(_JOINING, frozenset({Role.MONEY}))
_DISPUTES: Final = Rights(_JOINING, frozenset({Role.PARTNERS}), own_party=True)
_WEBHOOKS: Final = Rights(
    frozenset({Role.PARTNERS, Role.SUPPORT, Role.AUDITOR}),
    frozenset({Role.PARTNERS}),
    own=True,
    service=Service.NOTIFY,
)
_MEMBERS: Final = Rights(_PEOPLE, frozenset({Role.ENROL}), parties=True)
_OF_ACCOUNTS: Final = Rights(_BOOK, frozenset({Role.MONEY}), service=Service.MEMBERS)
PROXY_ROUTES: Final = (
    ProxyRoute(
        "/v1/parties",
        Service.MERCHANTS,
        _writes(Role.PARTNERS),
        {
            "standings": _writes(Role.MONEY),
            "sheba-changes": Rights(_SUMS, frozenset({Role.MONEY})),
            "disputes": _DISPUTES,
        },
    ),
    ProxyRoute(
        "/v1/merchants",
        Service.MERCHANTS,
        _writes(Role.PARTNERS, own=True),
        {
            "terminals": _writes(Role.TERMINALS, own=True),
            "standings": _writes(Role.TERMINALS, own=True),
            "programmes": _writes(Role.MONEY, own=True),
            "statements": Rights(_SUMS, own=True),
            "webhook-endpoints": _WEBHOOKS,
        },
    ),
    ProxyRoute("/v1/terminals", Service.MERCHANTS, _writes(Role.TERMINALS)),
    ProxyRoute("/v1/activations", Service.MERCHANTS, Rights(_NOBODY)),
    ProxyRoute("/v1/terms", Service.MERCHANTS, _writes(Role.MONEY)),
    ProxyRoute("/v1/windows", Service.MERCHANTS, Rights(_SUMS, frozenset({Role.MONEY}))),
    ProxyRoute("/v1/settlements", Service.MERCHANTS, Rights(_SUMS)),
    ProxyRoute("/v1/ageing", Service.MERCHANTS, Rights(_SUMS)),
    ProxyRoute("/v1/disputes", Service.MERCHANTS, _DECIDING),
    ProxyRoute("/v1/evidence", Service.MERCHANTS, _DISPUTES),
    ProxyRoute(
        "/v1/applications",
        Service.MERCHANTS,
        Rights(_JOINING, frozenset({Role.PARTNERS})),
        {"approval": _DECIDING, "rejection": _DECIDING},
    ),
    ProxyRoute("/v1/onboarding", Service.MERCHANTS, _writes(Role.MONEY)),
    ProxyRoute("/v1/enrolments", Service.MEMBERS, _MEMBERS),
    ProxyRoute("/v1/members", Service.MEMBERS, _MEMBERS),
    ProxyRoute("/v1/identifiers", Service.MEMBERS, _MEMBERS),
    ProxyRoute("/v1/rules", Service.CAMPAIGNS, _writes(Role.RULES)),
    ProxyRoute("/v1/first-purchase", Service.CAMPAIGNS, _writes(Role.MONEY)),
    ProxyRoute("/v1/cases", Service.FRAUD, Rights(_FRAUD, frozenset({Role.REVIEWER}))),
    ProxyRoute("/v1/fraud-rules", Service.FRAUD, _writes(Role.RULES)),
    ProxyRoute("/v1/fraud-alerts", Service.FRAUD, Rights(_FRAUD)),
    ProxyRoute(
        "/v1/accounts",
        Service.LEDGER,
        Rights(_BOOK),
        {"standings": _OF_ACCOUNTS, "adjustments": _OF_ACCOUNTS},
    ),
    ProxyRoute("/v1/bookings", Service.LEDGER, Rights(_BOOK)),
    ProxyRoute("/v1/positions", Service.LEDGER, Rights(_SUMS)),
    ProxyRoute("/v1/vintages", Service.LEDGER, Rights(_SUMS)),
    ProxyRoute("/v1/revenue", Service.LEDGER, Rights(_SUMS)),
    ProxyRoute("/v1/checkpoints", Service.LEDGER, Rights(_BOOK)),
    ProxyRoute("/v1/proofs", Service.LEDGER, Rights(_BOOK)),
    ProxyRoute("/v1/consistency", Service.LEDGER, Rights(_BOOK)),
    ProxyRoute(AUDIT_TRAIL, Service.MERCHANTS, Rights(frozenset({Role.AUDITOR}))),
    ProxyRoute("/v1/messages", Service.NOTIFY, Rights(frozenset({Role.SUPPORT}))),
    ProxyRoute("/v1/users", Service.IDENTITY, Rights(_USERS, frozenset({Role.USERS}))),
    ProxyRoute("/v1/invitations", Service.IDENTITY, Rights(_NOBODY)),
    ProxyRoute("/v1/sessions", Service.IDENTITY, Rights(_OWN, _OWN | {Role.USERS})),
    ProxyRoute("/v1/second-factors", Service.IDENTITY, Rights(_OWN, _OWN)),
    ProxyRoute("/v1/api-keys", Service.IDENTITY, Rights(_USERS, frozenset({Role.USERS}))),
    ProxyRoute("/v1/password", Service.IDENTITY, Rights(_OWN, _OWN)),
    ProxyRoute("/v1/proposals", Service.IDENTITY, Rights(_OWN | {Role.AUDITOR}, _OWN)),
)
# Writes that a person proposes and another approves (decision 0044): what changes what is earned
# and owed, what gives rights; and of what is stopped at once, the opening again.
FOUR_EYES: Final = (
    "/v1/windows/{}/settlement/answers/{}",  # says that money moved
    "/v1/accounts/{}/adjustments/{}",
    "/v1/disputes/{}/decision",
    # by a person for a party, which costs it what is accepted or given up
    "/v1/parties/{}/disputes/{}/answer",
    "/v1/parties/{}/disputes/{}/withdrawal",
    "/v1/terms/{}",
    "/v1/merchants/{}/programmes/{}",
    "/v1/onboarding/{}/versions/{}",
    "/v1/first-purchase/versions/{}",
    "/v1/rules/{}/versions/{}",
    "/v1/fraud-rules/{}/versions/{}",
    "/v1/users/{}/invitations/{}",
    "/v1/users/{}/grants/{}",
    "/v1/api-keys/{}",
    "/v1/api-keys/{}/successors/{}",
)
FOUR_EYES_TO_OPEN: Final = (
    "/v1/accounts/{}/standings/{}",
    "/v1/parties/{}/standings/{}",
    "/v1/merchants/{}/standings/{}",
    "/v1/terminals/{}/standings/{}",
    "/v1/users/{}/standings/{}",
)
_APPROVAL: Final = re.compile("/v1/proposals/[^/]+/approval")
_BY_PREFIX: Final = {route.prefix: route for route in PROXY_ROUTES}


def _any_of(patterns: Collection[str]) -> re.Pattern[str]:
    return re.compile("|".join(pattern.replace("{}", "[^/]+") for pattern in patterns))


_ALWAYS_TWO: Final = _any_of(FOUR_EYES)
_TWO_TO_OPEN: Final = _any_of(FOUR_EYES_TO_OPEN)


def needs_two_people(method: str, path: str, body: bytes) -> bool:
    """Whether a person's write waits for a second one. Raises Malformed where that is not clear."""
    if not may_need_two_people(method, path):
        return False
    return _ALWAYS_TWO.fullmatch(path) is not None or not _stops(body)


def may_need_two_people(method: str, path: str) -> bool:
    """Whether a write at a path waits for a second person, perhaps by what its body says."""
    patterns = (_ALWAYS_TWO, _TWO_TO_OPEN)
    return method == "PUT" and any(one.fullmatch(path) is not None for one in patterns)


def _stops(body: bytes) -> bool:
    """Whether a change of status stops something, which nobody waits with."""
    change: Mapping[str, Any] | None = bodies.read(body)
    return isinstance(change, dict) and change.get("standing") == "stopped"


def is_approval(method: str, path: str) -> bool:
    """Whether a request approves a proposal, which is then carried out."""
    return method == "PUT" and _APPROVAL.fullmatch(path) is not None


def find_route(path: str) -> ProxyRoute | None:
    """The route of a path, by its first two segments; None where no service has it."""
    parts = path.split("/", 4)
    route = _BY_PREFIX.get(f"/{parts[1]}/{parts[2]}") if len(parts) > 2 else None
    if route is not None and route.prefix == AUDIT_TRAIL and parts[3:4] not in _SERVICES:
        return None
    return route


def is_open(method: str, path: str) -> bool:
    """Whether a request needs no key: it is how one gets the first."""
    return (method, path) in _OPEN


def purpose_of(route: ProxyRoute, method: str, path: str) -> Purpose:
    """Which of a service's connections a request takes."""
    if is_open(method, path):
        return Purpose.SIGN_IN
    if method in READS:
        whole_book = route.prefix in _WHOLE_BOOK or path.endswith(_WHOLE_NOUNS)
        return Purpose.READING if whole_book else Purpose.ADMINISTRATION
    return Purpose.ADMINISTRATION if upload_bytes_max(route, path) is None else Purpose.UPLOAD


def upload_bytes_max(route: ProxyRoute, path: str) -> int | None:
    """The longest body of an address that takes files; None: as long as any other."""
    return _UPLOAD_BYTES_MAX.get(path, _UPLOAD_BYTES_MAX.get(route.prefix))

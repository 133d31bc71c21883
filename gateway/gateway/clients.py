"""The services behind the gateway, over HTTP: misses of the tables, outcomes, administration.

Every service has connections of its own for each purpose, few of them: an upload that takes a
minute and a till's look-up of 50 ms never wait for one another (findings S14).
"""

import io
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, unquote

import aiohttp
import msgspec
from yarl import URL

from contracts.identity import ApiKey, Session
from contracts.members import Identifier
from contracts.merchants import Terminal
from gateway.settings import Settings
from kit.base import auth, clock, errors, telemetry
from kit.base.settings import SettingsError
from kit.base.telemetry import Metric
from kit.room import Resources

log = logging.getLogger(__name__)

CONNECT_S: Final = 1.0  # for a connection, or a free one of the purpose's
KEPT_OPEN_S: Final = 10.0  # less than a service keeps an idle one (kit.settings, idle_s)
PIECES_FROM: Final = 65_536  # bytes: larger bodies are written in pieces
_GATEWAY: Final = auth.Actor("gateway", frozenset({"service"}))

_identifier: Final = msgspec.json.Decoder(Identifier).decode
_terminal: Final = msgspec.json.Decoder(Terminal).decode
_session: Final = msgspec.json.Decoder(Session).decode
_api_key: Final = msgspec.json.Decoder(ApiKey).decode


class _Outcome(msgspec.Struct, frozen=True):
    """Of a transaction's status only its id."""

    id: str


_outcome: Final = msgspec.json.Decoder(_Outcome).decode


class Service(StrEnum):
    """The services that the gateway calls; nobody else calls any."""

    LEDGER = "ledger"
    MERCHANTS = "merchants"
    MEMBERS = "members"
    CAMPAIGNS = "campaigns"
    FRAUD = "fraud"
    NOTIFY = "notify"
    IDENTITY = "identity"


class Purpose(StrEnum):
    """The purpose of a connection; none is used for another's."""

    LOOK_UP = "look-up"  # a known caller's
    STRANGER = "stranger"  # a key that is not known yet
    STATUS = "status"
    ADMINISTRATION = "administration"
    SIGN_IN = "sign-in"  # of a stranger, whose password costs a service some work
    READING = "reading"  # over a whole book: few at a time, behind the tills' work
    UPLOAD = "upload"
    DOCUMENT = "document"


PoolKey = tuple[Service, Purpose]


@dataclass(frozen=True, slots=True)
class PoolSize:
    """Connections to one service for one purpose, and how long a call may take."""

    connections: int
    within_s: float


def pools_of(settings: Settings) -> dict[Purpose, PoolSize]:
    """Sizes and deadlines, as the settings have them."""
    look_up_s = settings.lookup_timeout_ms / 1000
    return {
        Purpose.LOOK_UP: PoolSize(settings.lookup_connections, look_up_s),
        Purpose.STRANGER: PoolSize(settings.stranger_connections, look_up_s),
        Purpose.STATUS: PoolSize(settings.status_connections, 2.0),
        Purpose.ADMINISTRATION: PoolSize(settings.administration_connections, 15.0),
        Purpose.SIGN_IN: PoolSize(settings.sign_in_connections, 15.0),
        Purpose.READING: PoolSize(settings.reading_connections, 60.0),
        Purpose.UPLOAD: PoolSize(settings.upload_connections, 60.0),
        Purpose.DOCUMENT: PoolSize(1, 2.0),
    }


@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """A service's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ForwardedRequest:
    """A request for a service. target: path and query as they came, not decoded."""

    pool: PoolKey
    method: str
    target: str
    body: bytes | None

    def call(self) -> auth.Call:
        """What is signed: the path as the service will decode it, and the query."""
        path, _, query = self.target.partition("?")
        return auth.Call(self.pool[0].value, self.method, unquote(path), query)


class Services:
    """Sessions to all services; every request is signed with its actor."""

    def __init__(self, settings: Settings) -> None:
        master = auth.secrets_of(settings.actor_secret)[0]
        self._secrets = {s: auth.room_secret(master, s.value) for s in Service}
        self._pools = pools_of(settings)
        self._tls = _tls(settings)
        self._sessions: dict[PoolKey, aiohttp.ClientSession] = {}
        self._urls = {
            service: str(getattr(settings, f"{service.value}_url")).rstrip("/")
            for service in Service
        }

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()

    async def find_identifier(self, digest: str) -> Identifier | None:
        """Ask members for an identifier the tables do not hold. Raises Unavailable after 50 ms."""
        return await self._find(
            (Service.MEMBERS, Purpose.LOOK_UP),
            f"/internal/identifiers/{digest}",
            _identifier,
            lambda answer: answer.digest == digest,
        )

    async def find_terminal(
        self, terminal: int, purpose: Purpose = Purpose.LOOK_UP
    ) -> Terminal | None:
        """Ask merchants for a terminal the tables do not hold. Raises Unavailable after 50 ms."""
        return await self._find(
            (Service.MERCHANTS, purpose),
            f"/internal/terminals/{terminal}",
            _terminal,
            lambda answer: answer.terminal == terminal,
        )

    async def find_session(self, session: str) -> Session | None:
        """Ask identity for a session the table does not hold. Raises Unavailable after 50 ms."""
        return await self._find(
            (Service.IDENTITY, Purpose.STRANGER),
            f"/internal/sessions/{session}",
            _session,
            lambda answer: answer.session == session,
        )

    async def find_api_key(self, key: str) -> ApiKey | None:
        """Ask identity for a program's key the table does not hold. Raises Unavailable."""
        return await self._find(
            (Service.IDENTITY, Purpose.STRANGER),
            f"/internal/api-keys/{key}",
            _api_key,
            lambda answer: answer.key == key,
        )

    async def report_uses(self, noun: str, names: Sequence[str]) -> None:
        """Tell identity which sessions, or keys of programs, were used. Raises Unavailable.

        noun: "sessions" or "api-keys", as the address has it.
        """
        body = msgspec.json.encode({noun.removeprefix("api-"): names})
        pool = (Service.IDENTITY, Purpose.ADMINISTRATION)
        request = ForwardedRequest(pool, "POST", f"/internal/{noun}/uses", body)
        answer = await self.forward(request, _GATEWAY, {"content-type": "application/json"})
        if answer.status != 200:
            raise errors.Unavailable(f"identity answered {answer.status}")

    async def find_outcome(self, shard: int, name: str) -> bytes | None:
        """The ledger's body for a status query; None while it knows no such name.

        Raises Unavailable when the ledger does not answer.
        """
        pool = (Service.LEDGER, Purpose.STATUS)
        body = await self._ask(pool, f"/internal/outcomes/{shard}/{name}")
        if body is not None:
            public_id = f"{shard}.{name}"
            await self._checked(pool, body, _outcome, lambda answer: answer.id == public_id)
        return body

    async def find_document(self, service: Service) -> dict[str, Any] | None:
        """A service's OpenAPI document; None while the service is down."""
        try:
            body = await self._ask((service, Purpose.DOCUMENT), "/openapi.json")
            return None if body is None else msgspec.json.decode(body, type=dict[str, Any])
        except (errors.Unavailable, msgspec.MsgspecError):
            return None

    async def forward(
        self, request: ForwardedRequest, actor: auth.Actor, headers: Mapping[str, str]
    ) -> ServiceResponse:
        """Forward a whole request, signed with its actor. Raises Unavailable.

        The client alone frames it: headers holds nothing of the connection it came on.
        """
        pool, secret = request.pool, self._secrets[request.pool[0]]
        signed = auth.sign(actor, secret, request.call(), clock.wall(), body=request.body or b"")
        try:
            async with self._session(pool).request(
                request.method,
                URL(self._urls[pool[0]] + request.target, encoded=True),
                headers={**headers, auth.HEADER: signed},
                data=_sendable(request.body),
                timeout=self._timeout(pool),
                allow_redirects=False,
            ) as answer:
                return ServiceResponse(answer.status, dict(answer.headers), await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.Unavailable(f"{pool[0].value} did not answer: {error!r}") from error

    async def _find(
        self,
        pool: PoolKey,
        path: str,
        decode: Callable[[bytes], Any],
        matches: Callable[[Any], bool],
    ) -> Any:
        body = await self._ask(pool, path)
        return None if body is None else await self._checked(pool, body, decode, matches)

    async def _ask(self, pool: PoolKey, path: str) -> bytes | None:
        """GET as the gateway itself; None for 404. path: decoded, as the service will see it."""
        service = pool[0].value
        call = auth.Call(service, "GET", path)
        signed = auth.sign(_GATEWAY, self._secrets[pool[0]], call, clock.wall())
        url = URL(self._urls[pool[0]] + quote(path), encoded=True)
        try:
            async with self._session(pool).get(
                url, headers={auth.HEADER: signed}, timeout=self._timeout(pool)
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.Unavailable(f"{service} did not answer: {error!r}") from error
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise errors.Unavailable(f"{service} answered {answer.status}")
        return body

    async def _checked(
        self,
        pool: PoolKey,
        body: bytes,
        decode: Callable[[bytes], Any],
        matches: Callable[[Any], bool],
    ) -> Any:
        """The answer in a body, if it matches the question: else the connections are out of step.

        A wrong answer would book one member's sale to another (findings S2). It is dropped, and
        no open connection of the purpose is used again.
        """
        try:
            answer = decode(body)
        except msgspec.MsgspecError as error:
            raise errors.Unavailable(f"an answer that does not read: {error}") from error
        if matches(answer):
            return answer
        telemetry.count(Metric.ALARMS, "answer-to-another-question")
        log.error("%s answered another question (%s)", pool[0].value, pool[1].value)
        session = self._sessions.pop(pool, None)
        if session is not None:
            await session.close()
        raise errors.Unavailable(f"{pool[0].value} answered another question")

    def _session(self, pool: PoolKey) -> aiohttp.ClientSession:
        session = self._sessions.get(pool)
        if session is None:
            connector = aiohttp.TCPConnector(
                limit=self._pools[pool[1]].connections,
                keepalive_timeout=KEPT_OPEN_S,
                ssl=self._tls,
            )
            session = self._sessions[pool] = aiohttp.ClientSession(
                connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        return session

    def _timeout(self, pool: PoolKey) -> aiohttp.ClientTimeout:
        within_s = self._pools[pool[1]].within_s
        return aiohttp.ClientTimeout(total=within_s, connect=CONNECT_S, sock_connect=CONNECT_S)


def services_of(opened: Resources) -> Services:
    """The services of this process; `opened.shared(services_of)` makes them once."""
    return Services(opened.settings)


def _tls(settings: Settings) -> ssl.SSLContext | bool:
    """How services behind https prove who they are. Raises SettingsError without their CA."""
    if settings.services_ca:
        try:
            return ssl.create_default_context(cafile=settings.services_ca)
        except OSError as error:
            raise SettingsError(f"PEYVAND_SERVICES_CA: {error}") from error
    urls = [str(getattr(settings, f"{service.value}_url")) for service in Service]
    if any(url.startswith("https:") for url in urls):
        raise SettingsError("PEYVAND_SERVICES_CA: name the CA of services behind https addresses")
    return True


def _sendable(body: bytes | None) -> bytes | io.BytesIO | None:
    """A body in a form that does not block the event loop; its length is known in both forms."""
    return io.BytesIO(body) if body and len(body) > PIECES_FROM else body or None

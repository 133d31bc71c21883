"""The services behind the gateway, over HTTP: misses of the local tables, outcomes, the rest."""

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import msgspec

from contracts.members import Identifier
from contracts.merchants import Terminal
from gateway.settings import Settings
from kit import auth, clock, errors

CONNECT_S: Final = 1.0
FORWARD_S: Final = 60.0  # an import of thousands of members takes seconds
OUTCOME_S: Final = 2.0
DOCUMENT_S: Final = 2.0
CONNECTIONS_MAX: Final = 100
_GATEWAY: Final = auth.Actor("gateway", frozenset({"service"}))

_identifier: Final = msgspec.json.Decoder(Identifier).decode
_terminal: Final = msgspec.json.Decoder(Terminal).decode


class Service(StrEnum):
    """The services that the gateway calls; nobody else calls any."""

    LEDGER = "ledger"
    MERCHANTS = "merchants"
    MEMBERS = "members"
    CAMPAIGNS = "campaigns"
    FRAUD = "fraud"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Services:
    """One HTTP session to all services, signed as what the gateway vouches for."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._secret = settings.actor_secret
        self._lookup_s = settings.lookup_timeout_ms / 1000
        self._urls = {
            service: str(getattr(settings, f"{service.value}_url")).rstrip("/")
            for service in Service
        }

    @staticmethod
    def session() -> aiohttp.ClientSession:
        """A session for Services; the caller closes it."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def find_identifier(self, digest: str) -> Identifier | None:
        """Ask members for an identifier the tables do not hold. Raises Unavailable after 50 ms."""
        heard = await self._ask(
            Service.MEMBERS, f"/internal/identifiers/{digest}", within_s=self._lookup_s
        )
        return None if heard is None else _decoded(_identifier, heard)

    async def find_terminal(self, terminal: int) -> Terminal | None:
        """Ask merchants for a terminal the tables do not hold. Raises Unavailable after 50 ms."""
        heard = await self._ask(
            Service.MERCHANTS, f"/internal/terminals/{terminal}", within_s=self._lookup_s
        )
        return None if heard is None else _decoded(_terminal, heard)

    async def find_outcome(self, shard: int, name: str) -> bytes | None:
        """The ledger's body for a status query; None while it knows no such name.

        Raises Unavailable when the ledger does not answer.
        """
        path = f"/internal/outcomes/{shard}/{name}"
        return await self._ask(Service.LEDGER, path, within_s=OUTCOME_S)

    async def find_document(self, service: Service) -> dict[str, Any] | None:
        """A service's OpenAPI document; None while the service is down."""
        try:
            heard = await self._ask(service, "/openapi.json", within_s=DOCUMENT_S)
            return None if heard is None else msgspec.json.decode(heard, type=dict[str, Any])
        except (errors.Unavailable, msgspec.MsgspecError):
            return None

    async def _ask(self, service: Service, path: str, *, within_s: float) -> bytes | None:
        """GET as the gateway itself; None for 404. path: decoded, as the service will see it."""
        signed = auth.sign(_GATEWAY, self._secret, "GET", path, clock.wall())
        url = self._urls[service] + quote(path)
        limit = aiohttp.ClientTimeout(total=within_s, sock_connect=CONNECT_S)
        try:
            async with self._session.get(
                url, headers={auth.HEADER: signed}, timeout=limit
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.Unavailable(f"{service.value} did not answer: {error!r}") from error
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise errors.Unavailable(f"{service.value} answered {answer.status}")
        return body

    async def forward(
        self,
        service: Service,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: AsyncIterable[bytes] | None,
    ) -> Heard:
        """Pass a request on as it is. target: raw path and query. Raises Unavailable."""
        limit = aiohttp.ClientTimeout(total=FORWARD_S, sock_connect=CONNECT_S)
        try:
            async with self._session.request(
                method,
                self._urls[service] + target,
                headers=headers,
                data=body,
                timeout=limit,
                allow_redirects=False,
            ) as answer:
                return Heard(answer.status, dict(answer.headers), await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.Unavailable(f"{service.value} did not answer: {error!r}") from error


def _decoded(decode: Any, body: bytes) -> Any:
    try:
        return decode(body)
    except msgspec.MsgspecError as error:
        raise errors.Unavailable(f"an answer that does not read: {error}") from error

"""The HTTP client of webhooks: it connects to addresses of the public network alone.

A name is resolved at each try and the connection goes to the very address that was checked, so that
a name that points elsewhere a moment later leads nowhere else.
"""

import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from kit.base import clock
from kit.room import Resources
from notify import settings
from notify.webhook_endpoints import domain as endpoints
from notify.webhooks import domain
from notify.webhooks.domain import Answer

_AGENT: Final = "Peyvand-Webhooks/1"
_READ_MAX: Final = 1_024


class PrivateAddress(OSError):
    """A name leads to an address that is not of the public network."""


class PublicResolver(AbstractResolver):
    """Resolves as the system does, and gives public addresses alone."""

    def __init__(self, system: AbstractResolver) -> None:
        self._system = system

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """Addresses of a name. Raises PrivateAddress where one of them is not public."""
        results = await self._system.resolve(host, port, family)  # pyright: ignore[reportArgumentType]
        if not results or not all(endpoints.is_public(result["host"]) for result in results):
            raise PrivateAddress("the name does not lead to the public network")
        return results

    async def close(self) -> None:
        """Let the system's resolver go."""
        await self._system.close()


class WebhookClient:
    """Holds the connections to endpoints. local: those of this machine are taken too."""

    def __init__(
        self, *, local: bool, timeout_s: float, resolver: AbstractResolver | None = None
    ) -> None:
        self._local = local
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        system = self._resolver or ThreadedResolver()
        connector = aiohttp.TCPConnector(
            resolver=system if self._local else PublicResolver(system),
            use_dns_cache=False,  # a name is checked whenever it is used
            force_close=True,  # a kept connection would outlive what was checked
            limit=settings.WEBHOOK_ENDPOINTS_AT_ONCE * settings.WEBHOOK_TRIES_AT_ONCE,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One try. Never raises for the endpoint; a redirect is not followed (it is a failure)."""
        if self._session is None:
            return Answer(0, "not-open")
        if not self._local and endpoints.is_literal(urlsplit(url).hostname or ""):
            return Answer(0, "private-address")  # a literal is not resolved, so it is checked here
        sent = {"content-type": "application/json", "user-agent": _AGENT, **headers}
        try:
            async with self._session.post(
                url, data=body, headers=sent, allow_redirects=False
            ) as response:
                await response.content.read(_READ_MAX)
                wait = domain.parse_retry_after(response.headers.get("retry-after"), clock.wall())
                return Answer(response.status, retry_after=wait)
        except PrivateAddress:
            return Answer(0, "private-address")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Answer(0, _reason_of(error))


def webhook_client(opened: Resources) -> WebhookClient:
    """The client of this process; `opened.shared(webhook_client)` makes it once."""
    config: settings.Settings = opened.settings
    return WebhookClient(local=config.webhook_local, timeout_s=settings.WEBHOOK_TIMEOUT_S)


def _reason_of(error: Exception) -> str:
    """A word for what went wrong, which the merchant reads: no address, no text of a library."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PrivateAddress):
            return "private-address"
        if isinstance(cause, TimeoutError):
            return "timed-out"
        if isinstance(cause, (aiohttp.ClientSSLError, ssl.SSLError)):
            return "bad-certificate"
        cause = cause.__cause__ or cause.__context__
    return "no-connection"

"""The OpenAPI document in memory: a job asks the services for their parts, no caller ever does."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gateway.clients import Service, Services, services_of
from gateway.openapi.domain import document
from gateway.openapi.domain.document import Document
from kit.room import Resources

COMPLETE_REFRESH_TURNS: Final = 30  # of the job, between two questions once all parts are there


@dataclass(slots=True)
class DocumentCache:
    """The document as it was last put together, and its ETag."""

    services: Services
    _parts: dict[str, Document] = field(default_factory=dict[str, Document])
    _turn: int = 0
    _encoded: bytes = b""
    _etag: str = ""

    async def refresh(self) -> None:
        """Ask every service for its part; a part of one that is away stays as it was last.

        Once all parts are there this happens seldom: an upgraded part appears within minutes.
        """
        self._turn += 1
        if len(self._parts) == len(Service) and self._turn % COMPLETE_REFRESH_TURNS:
            return
        before = dict(self._parts)
        for service in Service:
            part = await self.services.find_document(service)
            if part is not None:
                self._parts[service.value] = part
        if not self._encoded or before != self._parts:
            self._keep(await asyncio.to_thread(_encode, dict(self._parts)))

    def current(self) -> tuple[bytes, str]:
        """The document as JSON, and its ETag; the gateway's own part until the first refresh."""
        if not self._encoded:
            self._keep(_encode(self._parts))
        return self._encoded, self._etag

    def _keep(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._etag = f'"{hashlib.sha256(encoded).hexdigest()[:32]}"'


def document_cache_of(opened: Resources) -> DocumentCache:
    """The cache of this process; `opened.shared(document_cache_of)` makes it once."""
    return DocumentCache(opened.shared(services_of))


def _encode(parts: Mapping[str, Document]) -> bytes:
    return msgspec.json.encode(document.whole(parts))

"""docs/openapi.json: the document of the public edge, as a gateway serves it over all services.

`python -m tests.contract.openapi_file` writes it; `make contracts` does that.
"""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.clients import Service
from gateway.openapi.usecases import DocumentCache
from support import services

PROJECT: Final = Path(__file__).parents[2]
FILE: Final = PROJECT / "docs" / "openapi.json"
NOT_OPENED: Final[Any] = object()  # a database or producer that no route of a document uses


class Services:
    """The services' documents without their processes: each from its own application."""

    async def find_document(self, service: Service) -> dict[str, Any]:
        """The document that the service serves at /openapi.json."""
        program = services.service(service.value)
        opened = services.opened(program, NOT_OPENED, NOT_OPENED)
        document = services.application(program, opened).openapi()
        return msgspec.json.decode(msgspec.json.encode(document))


async def served() -> dict[str, Any]:
    """The document that a gateway has once every service has answered."""
    services: Any = Services()
    cache = DocumentCache(services)
    await cache.refresh()
    encoded, _ = cache.current()
    return json.loads(encoded)


def rendered(document: dict[str, Any]) -> str:
    """The text of the file: sorted, one value a line, so that a change shows as a change."""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write the file."""
    FILE.write_text(rendered(asyncio.run(served())), "utf-8")


if __name__ == "__main__":
    main()

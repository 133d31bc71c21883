"""The addresses of the services behind the gateway, and the connections to them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from gateway.clients import Services, services_of
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """The reverse proxy; its routes are plain ASGI, in `gateway.routing`."""
    return Part(name="proxy", opened=(_closing(opened.shared(services_of)),))


@asynccontextmanager
async def _closing(services: Services) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await services.close()

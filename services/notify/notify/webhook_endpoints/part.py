"""Endpoints of merchants' programs."""

from kit.room import Part, Resources
from notify.webhook_endpoints import api


def part(_: Resources) -> Part:
    """Endpoints."""
    return Part(name="webhook-endpoints", routes=(api.router,))

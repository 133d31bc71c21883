"""API keys."""

from identity.api_keys import api
from kit.room import Part, Resources


def part(_: Resources) -> Part:
    """Keys of partners' programs."""
    return Part(name="api-keys", routes=(api.router, api.internal))

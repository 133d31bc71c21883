"""Proposals."""

from typing import Final

from identity.proposals import api
from kit.room import Part, Resources

BYTES_MAX: Final = 131_072  # a body of 64 KiB, in base64


def part(_: Resources) -> Part:
    """Writes that need two people."""
    limits = {"/internal/proposals": BYTES_MAX}
    return Part(name="proposals", routes=(api.router, api.internal), body_bytes_max=limits)

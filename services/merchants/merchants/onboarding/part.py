"""Joining: applications, their assessment, approval and activation."""

from kit.room import Part, Resources
from merchants.onboarding import api


def part(_: Resources) -> Part:
    """Joining: applications, their assessment, approval and activation."""
    return Part(name="onboarding", routes=(api.applications.router, api.documents.router))

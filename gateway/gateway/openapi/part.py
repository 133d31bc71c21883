"""The one OpenAPI document of the public edge."""

from gateway.openapi import jobs
from gateway.openapi.usecases import document_cache_of
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """The document is served from memory; its routes are plain ASGI, in `gateway.routing`."""
    return Part(name="openapi", jobs=jobs.jobs(opened.shared(document_cache_of)))

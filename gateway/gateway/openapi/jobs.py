"""Clock door of the document: the services are asked for their parts."""

from typing import Final

from gateway.openapi.usecases import DocumentCache
from kit.room import Job

DOCUMENT_EVERY_S: Final = 10.0


def jobs(documents: DocumentCache) -> tuple[Job, ...]:
    """In every process: each serves a document of its own."""
    return (Job(name="document", every_s=DOCUMENT_EVERY_S, run=documents.refresh, elected=False),)

"""Evidence: files that a party shows for its side of a dispute."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from merchants.disputes.domain.refusals import FileTypeUnknown

FILE_BYTES_MAX: Final = 5 * 2**20
FILES_MAX: Final = 10  # of each side
_TYPES: Final = (  # by the first bytes, whatever the sender calls it
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
SUFFIXES: Final = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file of a dispute without its content. file: the sender's UUID. sha256: hex."""

    dispute: str
    file: str
    party: int
    title: str
    media_type: str
    sha256: str
    size_bytes: int
    sent_at: datetime
    sent_by: str


def media_type_of(content: bytes) -> str:
    """What a file is by its first bytes. Raises FileTypeUnknown."""
    for signature, media_type in _TYPES:
        if content.startswith(signature):
            return media_type
    raise FileTypeUnknown("send a PDF, a PNG or a JPEG; the type is read from the content")


def digest(content: bytes) -> str:
    """SHA-256 of a file, hex."""
    return hashlib.sha256(content).hexdigest()

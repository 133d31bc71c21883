"""What the members process is told."""

from typing import Final

from kit import settings

HEARTBEAT_EVERY_S: Final = 5.0
IMPORT_LINES_MAX: Final = 10_000
IMPORT_BYTES_MAX: Final = 8 * 2**20
CHUNK_LINES: Final = 1_000  # of an import, in one transaction
CARD_CANDIDATES: Final = 8  # bodies drawn at once, of which the first free one is taken
PAGE_MAX: Final = 200
BINDINGS_MAX: Final = 50  # of one identifier: they travel in one message


class Settings(settings.Room, frozen=True, kw_only=True):
    """identifier_key: HMAC of identifiers, shared with the gateway. contact_key: AES-256, base64,
    shared with notify. member_key: AES-256, base64, wraps the data keys; nobody else has it.
    card_prefix: six digits, 9364 is Iran's national range (ISO/IEC 7812).
    """

    identifier_key: str
    contact_key: str
    member_key: str
    card_prefix: str = "936400"
    consent_wording: str = "1"

"""The settings of the members process, and the numbers of its rules."""

from typing import Final

from kit.base import settings

RESEAL_EVERY_S: Final = 5.0
IMPORT_LINES_MAX: Final = 10_000
IMPORT_BYTES_MAX: Final = 8 * 2**20
CHUNK_LINES: Final = 1_000  # of an import, in one transaction
CARD_CANDIDATES: Final = 8  # bodies drawn at once, of which the first free one is taken
PAGE_MAX: Final = 200
BINDINGS_MAX: Final = 50  # of one identifier: they travel in one message


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """Keys: 32 bytes in base64 each, parted by commas; the newest is first and seals, all open.

    identifier_keys: digests of identifiers, shared with the gateway. contact_keys: contacts, shared
    with notify. member_keys: wrap the data keys and mark requests; nobody else has them.
    card_prefix: six digits, 9364 is Iran's national range (ISO/IEC 7812). additions_*: most
    identifiers that come to accounts that were there before, a day of Tehran (findings A10).
    """

    identifier_keys: tuple[str, ...]
    contact_keys: tuple[str, ...]
    member_keys: tuple[str, ...]
    card_prefix: str = "936400"
    consent_wording: str = "1"
    additions_account_day: int = 5  # to one account
    additions_key_day: int = 1_000  # under one key

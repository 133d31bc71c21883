"""What the service was told about enrolment, checked once when it starts."""

import logging
import re
from dataclasses import dataclass

from contracts import keys
from kit.base.settings import SettingsError
from kit.room import Resources
from members import crypto
from members.crypto import Vault
from members.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """wording: version of the consent's text. *_day: additions to an account, or under a key."""

    vault: Vault
    shards: int
    card_prefix: str
    wording: str
    account_day: int
    key_day: int


def terms_of(given: Settings) -> Terms:
    """Raises SettingsError for a key or a prefix that does not read."""
    if not re.fullmatch(r"[0-9]{6}", given.card_prefix):
        raise SettingsError("PEYVAND_CARD_PREFIX: six digits")
    try:
        vault = crypto.vault(given.member_keys, given.contact_keys, given.identifier_keys)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return Terms(
        vault=vault,
        shards=given.shards,
        card_prefix=given.card_prefix,
        wording=given.consent_wording,
        account_day=given.additions_account_day,
        key_day=given.additions_key_day,
    )


def enrolment_terms(opened: Resources) -> Terms:
    """The terms of this process; `opened.one(enrolment_terms)` makes them once."""
    terms = terms_of(opened.settings)
    for purpose in ("data_keys", "contacts", "identifiers"):
        log.info("%s: the first seals: %s", purpose, keys.names(getattr(terms.vault, purpose)))
    return terms

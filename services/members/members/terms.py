"""The settings of enrolment, checked once when the service starts."""

import logging
import re
from dataclasses import dataclass

from contracts import keys
from kit.base.settings import SettingsError
from kit.room import Resources
from members import crypto
from members.crypto import Keys
from members.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """Settings of enrolment. wording: version of the consent's text.

    *_day: most additions a day, to an account or under a key.
    """

    key_set: Keys
    shards: int
    card_prefix: str
    wording: str
    account_day: int
    key_day: int


def terms_of(config: Settings) -> Terms:
    """Raises SettingsError for a key or a prefix that does not read."""
    if not re.fullmatch(r"[0-9]{6}", config.card_prefix):
        raise SettingsError("PEYVAND_CARD_PREFIX: six digits")
    try:
        key_set = crypto.key_set(config.member_keys, config.contact_keys, config.identifier_keys)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return Terms(
        key_set=key_set,
        shards=config.shards,
        card_prefix=config.card_prefix,
        wording=config.consent_wording,
        account_day=config.additions_account_day,
        key_day=config.additions_key_day,
    )


def enrolment_terms(opened: Resources) -> Terms:
    """The terms of this process; `opened.shared(enrolment_terms)` makes them once."""
    terms = terms_of(opened.settings)
    for purpose in ("data_keys", "contacts", "identifiers"):
        log.info("%s: the first seals: %s", purpose, keys.names(getattr(terms.key_set, purpose)))
    return terms

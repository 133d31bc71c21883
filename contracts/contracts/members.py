"""The members room's words: identifiers by keyed digest, contacts under encryption."""

import hashlib
import hmac
import re
from datetime import datetime
from enum import StrEnum
from typing import Final

import phonenumbers
from msgspec import Struct

from contracts.values import AccountOrZero, Instant, NumberOrZero, Shard, ascii_digits, fold_letters

REBINDING_DELAY_S: Final = 60  # with the clocks' permitted future skew: architecture 2
FUTURE_SKEW_S: Final = 120


class IdentifierKind(StrEnum):
    """What a member shows at a till."""

    CARD = "card"
    MOBILE = "mobile"
    QR = "qr"
    EXTERNAL = "external"  # a partner's own reference, for imported history only, never at a till


class Binding(Struct, frozen=True, kw_only=True):
    """From from_at on, the identifier means this account and member."""

    from_at: Instant
    member: AccountOrZero
    account: AccountOrZero
    shard: Shard


class Identifier(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`identifier-changed.v1` on members.identifiers, keyed digest@version; the newest counts.

    digest: HMAC-SHA256 of kind and canonical text under the house's identifier key, hex, so that
    no number is on any topic. bindings: in time order, the first holds for all earlier times too.
    """

    identifier_id: str
    version: NumberOrZero
    digest: str
    kind: IdentifierKind
    last4: str
    bindings: tuple[Binding, ...]
    blocked_at: Instant | None = None  # decided on the road, by accepted_at


class Contact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`contact-changed.v1` on members.contacts, keyed by member, compacted, erased by tombstone.

    sealed: base64 of nonce and AES-256-GCM of `SealedContact` as JSON, bound to the member's
    number. receipts: an SMS for every purchase and redemption; marketing: consent, for later.
    """

    member: AccountOrZero
    version: NumberOrZero
    account: AccountOrZero
    sealed: str
    locale: str = "fa"
    receipts: bool = False
    marketing: bool = False


class SealedContact(Struct, frozen=True, kw_only=True):
    """What `Contact.sealed` holds."""

    mobile: str  # E.164
    name: str


def as_of(bindings: tuple[Binding, ...], at: datetime) -> Binding:
    """The binding in force at a time; the first holds for all earlier times (architecture 2).

    Raises ValueError when there is none at all. The gateway and members use this very function.
    """
    if not bindings:
        raise ValueError("an identifier without a binding")
    found = bindings[0]
    for binding in bindings[1:]:
        if binding.from_at <= at:
            found = binding
    return found


_PLAIN_MOBILE: Final = re.compile(r"09\d{9}")
_SEPARATORS: Final = re.compile(r"[\s\-\u200c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def canonical(kind: IdentifierKind, text: str) -> str:
    """One spelling of an identifier: 16 digits, E.164, or the QR text.

    Raises ValueError saying what is wrong.
    """
    match kind:
        case IdentifierKind.CARD:
            digits = _SEPARATORS.sub("", ascii_digits(text))
            if len(digits) != 16 or not digits.isascii() or not digits.isdigit():
                raise ValueError("a card number has 16 digits")
            if not luhn_valid(digits):
                raise ValueError("the card number's check digit is wrong")
            return digits
        case IdentifierKind.MOBILE:
            return _canonical_mobile(ascii_digits(text).strip())
        case IdentifierKind.QR:
            if not re.fullmatch(r"PV1[A-Za-z0-9_\-]{16,64}", text.strip()):
                raise ValueError("not the text of a member's QR code")
            return text.strip()
        case IdentifierKind.EXTERNAL:
            reference = fold_letters(ascii_digits(text)).strip()
            if not 1 <= len(reference) <= 64:
                raise ValueError("a partner's reference has 1 to 64 characters")
            return reference


def digest(key: bytes, kind: IdentifierKind, canonical_text: str) -> str:
    """Keyed digest under which every table and topic knows an identifier."""
    return hmac.new(key, f"{kind.value}:{canonical_text}".encode(), hashlib.sha256).hexdigest()


def luhn_valid(digits: str) -> bool:
    """ISO/IEC 7812 check digit."""
    return luhn_check_digit(digits[:-1]) == digits[-1]


def luhn_check_digit(body: str) -> str:
    """The digit that makes body a valid ISO/IEC 7812 number."""
    doubled = [int(c) * (2 - i % 2) for i, c in enumerate(reversed(body))]
    return str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def _canonical_mobile(text: str) -> str:
    if _PLAIN_MOBILE.fullmatch(text):
        return "+98" + text[1:]
    try:
        number = phonenumbers.parse(text, "IR")
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a telephone number") from error
    kind = phonenumbers.number_type(number)
    if number.country_code != 98 or kind != phonenumbers.PhoneNumberType.MOBILE:
        raise ValueError("not an Iranian mobile number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

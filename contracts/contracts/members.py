"""Messages of members: identifiers by keyed digest, contacts under encryption."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from contracts.keys import Key, Ring, stamp
from contracts.text import fold_code, fold_number
from contracts.values import AccountOrZero, Instant, NumberOrZero, Shard

REBINDING_DELAY_S: Final = 60  # with the clocks' permitted future skew: architecture 2
FUTURE_SKEW_S: Final = 120
OF_IDENTIFIERS: Final = "identifiers"  # purposes of keys that two rooms have: contracts.keys
OF_CONTACTS: Final = "contacts"


class IdentifierKind(StrEnum):
    """What a member shows at a till."""

    CARD = "card"
    MOBILE = "mobile"
    QR = "qr"
    EXTERNAL = "external"  # a party's own reference, for imported history only, never at a till


class Binding(Struct, frozen=True, kw_only=True):
    """From from_at on, the identifier means this account and member."""

    from_at: Instant
    member: AccountOrZero
    account: AccountOrZero
    shard: Shard


class Identifier(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`identifier-changed.v1` on members.identifiers, keyed digest@version; the newest counts.

    digest: `contracts.keys.stamp` of kind and canonical text, of a reference its party too, under
    the platform's identifier key of its time, in hex (76 digits: version, key id, HMAC-SHA-256), so
    that no number is on any topic. bindings: in time order, the first holds for all earlier times
    too.
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

    sealed: base64 of what `contracts.keys.seal` gives of `SealedContact` as JSON: version, key id,
    nonce, AES-256-GCM bound to these and the member's number. receipts: an SMS for every purchase
    and redemption; marketing: consent, for later.
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


class HoldingChange(StrEnum):
    """How the identifiers of an existing account changed."""

    ADDED = "added"
    SHOWN = "shown"  # what a phone shows, given out once more
    MOVED = "moved"  # to another account


class ShownIdentifier(Struct, frozen=True, kw_only=True):
    """An identifier as a message may show it."""

    kind: IdentifierKind
    last4: str


class HoldingChanged(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`holding-changed.v1` on members.notices, keyed by member: one for each member notified.

    notice: id of the change, the same for all who are notified of it. at: when it happened. party:
    whose key made the change, 0 for the network's own. Sent whatever the member consented to
    (findings A10).
    """

    notice: str
    member: AccountOrZero
    account: AccountOrZero
    change: HoldingChange
    identifiers: tuple[ShownIdentifier, ...]
    at: Instant
    party: NumberOrZero = 0


def as_of(bindings: tuple[Binding, ...], at: datetime) -> Binding:
    """The binding in force at a time; the first holds for all earlier times (architecture 2).

    Raises ValueError when there is none at all. The gateway and members use this very function.
    """
    if not bindings:
        raise ValueError("an identifier without a binding")
    in_force = bindings[0]
    for binding in bindings[1:]:
        if binding.from_at <= at:
            in_force = binding
    return in_force


_CARD: Final = re.compile(r"[0-9]{16}")
_MOBILE: Final = re.compile(r"(?:(?:\+|00)?98)?0?(9[0-9]{9})")
_TELEPHONE: Final = re.compile(r"\+?[0-9]{3,15}")
_QR: Final = re.compile(r"PV1[A-Za-z0-9_\-]{16,64}")


def canonical(kind: IdentifierKind, text: str) -> str:
    """One spelling of an identifier: 16 digits, E.164, the QR text, or a partner's reference.

    Every door recognises identifiers here, and takes its own results unchanged. Raises ValueError
    saying what is wrong. Source: findings F3, F6 to F8.
    """
    match kind:
        case IdentifierKind.CARD:
            return _canonical_card(fold_number(text))
        case IdentifierKind.MOBILE:
            return _canonical_mobile(fold_number(text))
        case IdentifierKind.QR:
            code = fold_code(text)
            if _QR.fullmatch(code) is None:
                raise ValueError("not the text of a member's QR code")
            return code
        case IdentifierKind.EXTERNAL:
            reference = fold_code(text)
            if not 1 <= len(reference) <= 64:
                raise ValueError("a partner's reference has 1 to 64 characters")
            return reference


def digest(key: Key, kind: IdentifierKind, canonical_text: str, *, party: int = 0) -> str:
    """Keyed digest by which every table and topic knows an identifier; its key's id comes first.

    party: for EXTERNAL only, whose reference it is: every partner numbers its customers from 1, so
    a reference means a person only within its party. Hashes `kind:text`, of a reference
    `external:party:text`. Raises ValueError for a reference of no party.
    """
    text = f"{kind.value}:{canonical_text}"
    if kind is IdentifierKind.EXTERNAL:
        if party < 1:
            raise ValueError("a reference counts within its party: name the party")
        text = f"{kind.value}:{party}:{canonical_text}"
    return stamp(key, text.encode()).hex()


def digests(
    keys: Ring, kind: IdentifierKind, canonical_text: str, *, party: int = 0
) -> tuple[str, ...]:
    """Every digest under which an identifier may be known: of the newest key first."""
    return tuple(digest(key, kind, canonical_text, party=party) for key in keys)


def luhn_valid(digits: str) -> bool:
    """ISO/IEC 7812 check digit."""
    return luhn_check_digit(digits[:-1]) == digits[-1]


def luhn_check_digit(body: str) -> str:
    """The digit that makes body a valid ISO/IEC 7812 number."""
    doubled = [int(c) * (2 - i % 2) for i, c in enumerate(reversed(body))]
    return str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def _canonical_card(digits: str) -> str:
    if _CARD.fullmatch(digits) is None:
        raise ValueError("a card number has 16 digits")
    if not luhn_valid(digits):
        raise ValueError("the card number's check digit is wrong")
    return digits


def _canonical_mobile(digits: str) -> str:
    """E.164 of 0900 to 0999, whichever of them is given out: numbers move, people keep them.

    A letter, an extension or a second number makes it no number: guessing whose it is would
    spend a stranger's points.
    """
    match = _MOBILE.fullmatch(digits.replace("\uff0b", "+"))
    if match is not None:
        return "+98" + match[1]
    if _TELEPHONE.fullmatch(digits) is None:
        raise ValueError("not a telephone number; send one number, digits only")
    raise ValueError("not an Iranian mobile number")

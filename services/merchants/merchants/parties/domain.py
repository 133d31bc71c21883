"""Rules and values of parties, merchants and branches."""

from dataclasses import dataclass
from typing import Final

from contracts.text import fold_code, fold_number
from kit.base import errors


class Taken(errors.Invalid):
    """A legal id or reference that belongs to another."""

    code = "already-taken"
    fa = "این شناسه از آنِ دیگری است؛ شناسهٔ خود را بفرستید."


@dataclass(frozen=True, slots=True)
class Party:
    """A legal entity. legal_id: 11 digits of Iran's register of companies, or None."""

    party: int
    title_fa: str
    title_en: str
    legal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant as customers know it. reference: its name in a partner's files, unique."""

    merchant: int
    party: int
    sector: str
    title_fa: str
    title_en: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A shop of a merchant; numbered by the merchant."""

    merchant: int
    branch: int
    title_fa: str
    title_en: str


@dataclass(frozen=True, slots=True)
class MerchantSearch:
    """A page of the merchants' list and its filters; None: no filter."""

    after: int
    limit: int
    reference: str | None = None
    sector: str | None = None
    title: str | None = None
    party: int | None = None


def search_key(text: str) -> str:
    """A title in the form in which titles are compared: folded, lower case, half-space as space."""
    return fold_code(text.replace("\u200c", " ")).lower()


_LEGAL_ID_WEIGHTS: Final = (29, 27, 23, 19, 17, 29, 27, 23, 19, 17)


def clean_legal_id(text: str) -> str:
    """Iran's 11-digit id of a legal entity, its check digit verified, digits ASCII.

    Raises ValueError. Source: notify-iran reference 7 (legal ID).
    """
    digits = fold_number(text)
    if len(digits) != 11 or not digits.isascii() or not digits.isdigit():
        raise ValueError("a legal id has 11 digits")
    offset = int(digits[9]) + 2
    total = sum((int(c) + offset) * w for c, w in zip(digits, _LEGAL_ID_WEIGHTS, strict=False))
    if total % 11 % 10 != int(digits[10]):
        raise ValueError("the legal id's check digit is wrong")
    return digits


def title_key(merchant: Merchant) -> str:
    """Both titles as one key, a line each: a search asks for the beginning of a line."""
    return f"{search_key(merchant.title_fa)}\n{search_key(merchant.title_en)}"

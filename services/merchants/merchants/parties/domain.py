"""Rules and values of parties, merchants and branches."""

from dataclasses import dataclass

from contracts.iran import bank_of
from contracts.text import fold_code
from kit.base import errors


class Taken(errors.Invalid):
    """A legal id, national id or reference that belongs to another."""

    code = "already-taken"
    fa = "این شناسه از آنِ دیگری است؛ شناسهٔ خود را بفرستید."


class TwoIdentities(errors.Invalid):
    """A party is a legal entity or a person, never both."""

    code = "two-identities"
    fa = "شناسهٔ ملی از آنِ شرکت است و کد ملی از آنِ شخص؛ یکی از این دو را بفرستید."


@dataclass(frozen=True, slots=True)
class Party:
    """A legal entity, or a person who trades: known by legal_id, or by national_id, or by neither.

    legal_id: 11 digits of Iran's register of companies. national_id: 10 digits. sheba: the account
    that it is paid to. postal_code: 10 digits. mobile: E.164. All as contracts.iran gives them.
    """

    party: int
    title_fa: str
    title_en: str
    legal_id: str | None = None
    national_id: str | None = None
    sheba: str | None = None
    postal_code: str | None = None
    mobile: str | None = None


@dataclass(frozen=True, slots=True)
class PartyView:
    """A party as callers and the trail see it: of a person's numbers the last four digits.

    bank_fa, bank_en: of the Sheba; None where its code is not known.
    """

    party: int
    title_fa: str
    title_en: str
    legal_id: str | None
    national_id: str | None
    sheba: str | None
    bank_fa: str | None
    bank_en: str | None
    postal_code: str | None
    mobile: str | None


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


def check_identity(party: Party) -> None:
    """Raises TwoIdentities where a party is both a legal entity and a person."""
    if party.legal_id is not None and party.national_id is not None:
        raise TwoIdentities("a legal id is a company's, a national id a person's; send one of them")


def view_of(party: Party) -> PartyView:
    """A party without what is a person's own: national id, Sheba and mobile by four digits."""
    bank_fa, bank_en = (party.sheba and bank_of(party.sheba)) or (None, None)
    return PartyView(
        party=party.party,
        title_fa=party.title_fa,
        title_en=party.title_en,
        legal_id=party.legal_id,
        national_id=masked(party.national_id),
        sheba=masked(party.sheba),
        bank_fa=bank_fa,
        bank_en=bank_en,
        postal_code=party.postal_code,
        mobile=masked(party.mobile),
    )


def masked(number: str | None) -> str | None:
    """A number as it may be shown: stars, and its last four characters."""
    return None if number is None else "*" * (len(number) - 4) + number[-4:]


def search_key(text: str) -> str:
    """A title in the form in which titles are compared: folded, lower case, half-space as space."""
    return fold_code(text.replace("\u200c", " ")).lower()


def title_key(merchant: Merchant) -> str:
    """Both titles as one key, a line each: a search asks for the beginning of a line."""
    return f"{search_key(merchant.title_fa)}\n{search_key(merchant.title_en)}"

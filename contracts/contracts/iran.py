"""Numbers that Iran's registers, banks and post give out: every door reads them here.

Each function takes what people write (digits of any script, blanks, dashes, brackets), gives one
spelling and takes its own result unchanged. A refusal is an IdentifierError, in Persian and
English. Source: notify-iran reference 7.
"""

import re
from typing import Final

from contracts.members import IdentifierKind, canonical
from contracts.text import fold_number

_NATIONAL_ID: Final = re.compile(r"[0-9]{8,10}")
_LEGAL_ID: Final = re.compile(r"[0-9]{11}")
_POSTAL_CODE: Final = re.compile(r"[1-9][0-9]{9}")
_SHEBA: Final = re.compile(r"(?:IR)?([0-9]{2})([0-9]{22})")
_LEGAL_ID_WEIGHTS: Final = (29, 27, 23, 19, 17, 29, 27, 23, 19, 17)

# Banks by the three digits that follow a Sheba's check digits. A bank that is not here is taken:
# codes are given out anew.
BANKS: Final = {
    "010": ("بانک مرکزی", "Central Bank"),
    "011": ("بانک صنعت و معدن", "Bank of Industry and Mine"),
    "012": ("بانک ملت", "Bank Mellat"),
    "013": ("بانک رفاه کارگران", "Refah Bank"),
    "014": ("بانک مسکن", "Bank Maskan"),
    "015": ("بانک سپه", "Bank Sepah"),
    "016": ("بانک کشاورزی", "Keshavarzi Bank"),
    "017": ("بانک ملی ایران", "Bank Melli Iran"),
    "018": ("بانک تجارت", "Tejarat Bank"),
    "019": ("بانک صادرات ایران", "Bank Saderat Iran"),
    "020": ("بانک توسعه صادرات", "Export Development Bank"),
    "021": ("پست بانک ایران", "Post Bank of Iran"),
    "022": ("بانک توسعه تعاون", "Tosee Taavon Bank"),
    "053": ("بانک کارآفرین", "Karafarin Bank"),
    "054": ("بانک پارسیان", "Parsian Bank"),
    "055": ("بانک اقتصاد نوین", "EN Bank"),
    "056": ("بانک سامان", "Saman Bank"),
    "057": ("بانک پاسارگاد", "Bank Pasargad"),
    "058": ("بانک سرمایه", "Sarmayeh Bank"),
    "059": ("بانک سینا", "Sina Bank"),
    "060": ("بانک قرض‌الحسنه مهر ایران", "Qarz al-Hasaneh Mehr Iran Bank"),
    "061": ("بانک شهر", "City Bank"),
    "062": ("بانک آینده", "Ayandeh Bank"),
    "064": ("بانک گردشگری", "Tourism Bank"),
    "066": ("بانک دی", "Day Bank"),
    "069": ("بانک ایران زمین", "Iran Zamin Bank"),
    "070": ("بانک قرض‌الحسنه رسالت", "Resalat Qarz al-Hasaneh Bank"),
    "078": ("بانک خاورمیانه", "Middle East Bank"),
}


class IdentifierError(ValueError):
    """A number that is none. code: of the kind of fault; its text has both languages."""

    def __init__(self, code: str, fa: str, en: str) -> None:
        super().__init__(f"{fa} · {en}")
        self.code = code
        self.fa = fa
        self.en = en


def clean_national_id(text: str) -> str:
    """A person's کد ملی: ten digits, the last one checked; zeros lost in front are put back.

    Ten equal digits have a right check digit and are nobody's. The check digits 0 and 1 stand for
    the remainders 0 and 1, the others for 11 less the remainder: remainders 1 and 10 share the 1.
    Raises IdentifierError `length`, `check-digit`, `repeated-digit`.
    """
    digits = fold_number(text)
    if _NATIONAL_ID.fullmatch(digits) is None:
        raise IdentifierError(
            "length", "کد ملی ده رقم دارد.", "A national id has ten digits and nothing else."
        )
    digits = digits.zfill(10)
    if len(set(digits)) == 1:
        raise IdentifierError(
            "repeated-digit",
            "کد ملی با ده رقم یکسان از آنِ کسی نیست.",
            "A national id of ten equal digits is nobody's.",
        )
    if national_id_check_digit(digits[:9]) != digits[9]:
        raise IdentifierError(
            "check-digit",
            "رقم کنترل کد ملی درست نیست؛ رقم‌ها را بازبینی کنید.",
            "The national id's check digit is wrong; compare the digits.",
        )
    return digits


def national_id_check_digit(body: str) -> str:
    """The tenth digit of the national id that begins with these nine."""
    total = sum(int(digit) * weight for digit, weight in zip(body, range(10, 1, -1), strict=True))
    remainder = total % 11
    return str(remainder if remainder < 2 else 11 - remainder)


def clean_legal_id(text: str) -> str:
    """A legal entity's شناسهٔ ملی: eleven digits, the last one checked.

    Raises IdentifierError `length`, `check-digit`.
    """
    digits = fold_number(text)
    if _LEGAL_ID.fullmatch(digits) is None:
        raise IdentifierError(
            "length", "شناسهٔ ملی یازده رقم دارد.", "A legal id has eleven digits and nothing else."
        )
    if legal_id_check_digit(digits[:10]) != digits[10]:
        raise IdentifierError(
            "check-digit",
            "رقم کنترل شناسهٔ ملی درست نیست؛ رقم‌ها را بازبینی کنید.",
            "The legal id's check digit is wrong; compare the digits.",
        )
    return digits


def legal_id_check_digit(body: str) -> str:
    """The eleventh digit of the legal id that begins with these ten."""
    offset = int(body[9]) + 2
    pairs = zip(body, _LEGAL_ID_WEIGHTS, strict=True)
    return str(sum((int(digit) + offset) * weight for digit, weight in pairs) % 11 % 10)


def clean_sheba(text: str) -> str:
    """A bank account's شبا: IR and 24 digits, of which the first two check the rest (ISO 13616).

    Written without IR it is taken too. Raises IdentifierError `length`, `check-digit`.
    """
    match = _SHEBA.fullmatch(fold_number(text).upper())
    if match is None:
        raise IdentifierError(
            "length",
            "شبا از IR و بیست و چهار رقم ساخته می‌شود.",
            "A Sheba is IR and twenty-four digits.",
        )
    check, account = match.groups()
    if sheba_check_digits(account) != check:
        raise IdentifierError(
            "check-digit",
            "رقم‌های کنترل شبا درست نیست؛ رقم‌ها را بازبینی کنید.",
            "The Sheba's check digits are wrong; compare the digits.",
        )
    return f"IR{check}{account}"


def sheba_check_digits(account: str) -> str:
    """The two digits after IR of the Sheba with these 22: 98 less the rest of division by 97."""
    return f"{98 - int(account + '182700') % 97:02d}"  # I is 18, R is 27 (ISO 13616)


def bank_of(sheba: str) -> tuple[str, str] | None:
    """The bank of a Sheba as clean_sheba gives it, in Persian and English; None: not known."""
    return BANKS.get(sheba[4:7])


def clean_mobile(text: str) -> str:
    """An Iranian mobile number in E.164. Raises IdentifierError `mobile`."""
    try:
        return canonical(IdentifierKind.MOBILE, text)
    except ValueError as error:
        raise IdentifierError(
            "mobile",
            "شمارهٔ موبایل ایران با ۰۹ آغاز می‌شود و یازده رقم دارد.",
            "An Iranian mobile number begins with 09 and has eleven digits.",
        ) from error


def clean_postal_code(text: str) -> str:
    """A کد پستی: ten digits, not all equal, of which the first is no zero; it has no check digit.

    Raises IdentifierError `length`, `repeated-digit`.
    """
    digits = fold_number(text)
    if _POSTAL_CODE.fullmatch(digits) is None:
        raise IdentifierError(
            "length",
            "کد پستی ده رقم دارد و با صفر آغاز نمی‌شود.",
            "A postal code has ten digits and does not begin with zero.",
        )
    if len(set(digits)) == 1:
        raise IdentifierError(
            "repeated-digit",
            "کد پستی با ده رقم یکسان وجود ندارد.",
            "No place has a postal code of ten equal digits.",
        )
    return digits

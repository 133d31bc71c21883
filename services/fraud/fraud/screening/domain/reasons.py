"""Reasons that screening gives without a rule, each with a stable code, Persian first."""

from datetime import timedelta
from typing import Final

from contracts.values import Reason
from fraud.rules.domain import persian_digits

TOO_OLD: Final = "occurred-at-too-old"
BLOCKED: Final = "identifier-blocked"
CLOCK_AHEAD: Final = "accepted-at-ahead"
UNREADABLE: Final = "record-unreadable"


IDENTIFIER_BLOCKED: Final = Reason(
    code=BLOCKED,
    fa="این کارت یا شناسه مسدود شده است؛ عضو با پشتیبانی پیوند تماس بگیرد.",
    en="This card or identifier is blocked; the member should call Peyvand's support.",
)
IDENTIFIER_MOVED: Final = Reason(
    code="identifier-moved",
    fa="این شناسه از آن زمان به حساب دیگری رسیده است؛ ساعت را درست کنید و با نام تازه بفرستید.",
    en="This identifier has another account since then; set the clock and send under a new name.",
)


def unreadable(detail: str) -> Reason:
    """Why a record could not be read or kept; detail: for an operator, in English."""
    return Reason(
        code=UNREADABLE,
        fa="پیام تراکنش خوانا نبود؛ چیزی ثبت نشد و پیوند خبردار شد.",
        en=f"The transaction's record could not be read ({_plain(detail)}); nothing was posted.",
    )


def _plain(detail: str) -> str:
    return "".join(c for c in detail[:200] if c.isprintable())


def clock_ahead(ahead: timedelta) -> Reason:
    """A gateway's clock was so far ahead of the broker's."""
    return Reason(
        code=CLOCK_AHEAD,
        fa="ساعت درگاه جلوتر از ساعت پیوند بود؛ چیزی ثبت نشد، با شمارهٔ تازه دوباره بفرستید.",
        en=f"The gateway's clock was {ahead // timedelta(seconds=1)} s ahead; nothing was posted,"
        " send it again under a new number.",
    )


def too_old(age: timedelta, age_max: timedelta) -> Reason:
    """A transaction of so long ago."""
    hours, limit = f"{age // timedelta(hours=1):,}", f"{age_max // timedelta(hours=1):,}"
    return Reason(
        code=TOO_OLD,
        fa=f"این تراکنش {persian_digits(hours)} ساعت پیش انجام شده است؛"
        f" بیش از {persian_digits(limit)} ساعت پذیرفته نمی‌شود.",
        en=f"This transaction happened {hours} hours ago; more than {limit} hours is not accepted.",
    )


def refund_too_old(age: timedelta, age_max: timedelta) -> Reason:
    """A refund dated so long ago."""
    hours, limit = f"{age // timedelta(hours=1):,}", f"{age_max // timedelta(hours=1):,}"
    return Reason(
        code=TOO_OLD,
        fa=f"تاریخ این برگشت {persian_digits(hours)} ساعت پیش است و بیش از"
        f" {persian_digits(limit)} ساعت پذیرفته نمی‌شود؛ آن را با زمان خودِ برگشت و"
        " شمارهٔ تازه بفرستید.",
        en=f"This refund is dated {hours} hours ago; more than {limit} hours is not accepted:"
        " send it under a new number with the time at which it is given.",
    )

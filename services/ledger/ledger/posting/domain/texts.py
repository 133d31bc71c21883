"""Every code the ledger answers with and every line a cashier or member reads: Persian first."""

from typing import Final

from contracts.values import Reason
from ledger.posting.domain import registry_texts

_PERSIAN: Final = str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬")

REASONS: Final[dict[str, tuple[str, str]]] = {
    **registry_texts.REASONS,
    "redeem-below-minimum": (
        "کمترین امتیاز قابل خرج در این فروشگاه {least} است.",
        "This merchant takes {least} points or more at once.",
    ),
    "redeem-above-share": (
        "با امتیاز و اعتبار تا {most} ریال از این خرید را می‌توان پرداخت.",
        "Points and credit may pay {most} Rial of this basket.",
    ),
    "points-worth-nothing": (
        "این تعداد امتیاز به یک ریال هم نمی‌رسد.",
        "So few points are worth less than one Rial.",
    ),
    "insufficient-points": (
        "امتیاز کافی نیست: {available} امتیاز قابل خرج است، {short} امتیاز کم است.",
        "Not enough points: {available} can be spent, {short} short.",
    ),
    "insufficient-credit": (
        "اعتبار کافی نیست: {available} ریال قابل خرج است، {short} ریال کم است.",
        "Not enough credit: {available} Rial can be spent, {short} short.",
    ),
    "own-discount-too-large": (
        "تخفیف پذیرنده {own} ریال می‌شود و از سقف اعلام‌شدهٔ {max} ریال بیشتر است.",
        "The acceptor's own discount would be {own} Rial, over its declared maximum of {max}.",
    ),
    "more-than-the-basket": (
        "تخفیف از مبلغ خرید بیشتر است.",
        "The discount is more than the amount of the sale.",
    ),
    "nothing-to-redeem": (
        "امتیاز یا اعتباری برای خرج کردن خواسته نشد.",
        "Neither points nor credit were asked for.",
    ),
    "nothing-to-top-up": (
        "مبلغی برای شارژ خواسته نشد.",
        "No amount was paid in.",
    ),
    "too-many-lots": (
        "این مبلغ از دسته‌های کوچک بسیاری است؛ در هر بار تا {most} خرج‌شدنی است.",
        "That is made of very many small lots: up to {most} at once, then the next.",
    ),
    "unknown-original": (
        "تراکنش اصلی پیدا نشد.",
        "The original transaction is not known here.",
    ),
    "original-not-completed": (
        "تراکنش اصلی انجام نشده است.",
        "The original transaction was not completed.",
    ),
    "not-refundable": (
        "برگشت یا لغو، خود برگشت‌پذیر نیست؛ فروش تازه ثبت کنید.",
        "A refund or reversal cannot be undone; make a new sale.",
    ),
    "already-reversed": (
        "تراکنش اصلی پیش‌تر لغو شده است.",
        "The original transaction has been reversed already.",
    ),
    "already-refunded": (
        "همهٔ تراکنش اصلی پیش‌تر برگشت داده شده است.",
        "All of the original transaction has been refunded already.",
    ),
    "refund-too-large": (
        "مبلغ برگشت از ماندهٔ قابل برگشت ({left} ریال) بیشتر است.",
        "The refund is more than what is left to refund ({left} Rial).",
    ),
    "unknown-line": (
        "ردیف {line} در خرید اصلی نیست.",
        "The original sale has no line {line}.",
    ),
    "another-account": (
        "تراکنش اصلی از حساب دیگری است. کارت یا موبایلِ همان خرید را بدهید، یا تنها شناسهٔ خرید را.",
        "The original transaction belongs to another account. Show what it was bought with, or name"
        " it alone.",
    ),
    "another-merchant": (
        "تراکنش اصلی در فروشگاه دیگری انجام شده است.",
        "The original transaction was made at another merchant.",
    ),
    "reversed-before-arrival": (
        "این تراکنش پیش از رسیدن لغو شده بود.",
        "This transaction was reversed before it arrived.",
    ),
    "original-not-seen": (
        "تراکنش اصلی نرسیده است و اگر برسد پذیرفته نمی‌شود.",
        "The original has not arrived and will be refused if it does.",
    ),
    "nothing-to-reverse": (
        "چیزی برای لغو نبود.",
        "There was nothing to reverse.",
    ),
    "past-due": (
        "مهلت بررسی گذشته است.",
        "The review was due before this verdict.",
    ),
    "already-decided": (
        "دربارهٔ این مورد پیش‌تر تصمیم گرفته شده است.",
        "This case has been decided already.",
    ),
    "nothing-pending": (
        "امتیازی در انتظار بررسی نیست.",
        "Nothing is pending under that name.",
    ),
    "nothing-left": (
        "چیزی باقی نمانده بود.",
        "There was nothing left.",
    ),
    "unknown-lot": (
        "چنین دسته امتیازی نیست.",
        "There is no such lot on this account.",
    ),
    "not-due": (
        "این دسته امتیاز هنوز تاریخ دارد.",
        "The lot is not past its date.",
    ),
    "no-account": (
        "حساب باشگاه مشخص نیست.",
        "The command names no account.",
    ),
    "no-terms": (
        "شرایط خرج امتیاز همراه درخواست نیست.",
        "The redemption came without its terms.",
    ),
    "not-a-command": (
        "این نوع تراکنش ثبت نمی‌شود.",
        "A transaction of this kind is not posted.",
    ),
    "too-many-awards": (
        "شمار امتیازهای این خرید بیش از اندازه است.",
        "One sale cannot have that many awards.",
    ),
    "insufficient-gift": (
        "موجودی کارت هدیه کافی نیست: {available} ریال قابل خرج است، {short} ریال کم است.",
        "Not enough gift value: {available} Rial can be spent, {short} short.",
    ),
    "insufficient-merchant-points": (
        "امتیاز این پذیرنده کافی نیست: {available} امتیاز قابل خرج است، {short} امتیاز کم است.",
        "Not enough of the acceptor's own points: {available} can be spent, {short} short.",
    ),
    "insufficient-value": (
        "موجودی صادرشدهٔ این صادرکننده کافی نیست: {available} در دسترس است، {short} کم است.",
        "Not enough of that issuer's value: {available} is available, {short} short.",
    ),
    "no-acceptor": (
        "پذیرنده مشخص نیست.",
        "The command names no acceptor.",
    ),
    "due-too-early": (
        "مهلت نگه‌داشت گذشته است.",
        "The hold would be due before it begins.",
    ),
    "not-a-hold": (
        "آن تراکنش نگه‌داشت نیست.",
        "The original is no hold.",
    ),
    "hold-captured": (
        "این نگه‌داشت پیش‌تر برداشت شده است.",
        "The hold has been captured already.",
    ),
    "hold-voided": (
        "این نگه‌داشت پیش‌تر آزاد شده است.",
        "The hold has been voided already.",
    ),
    "hold-due": (
        "مهلت نگه‌داشت گذشته و آزاد شده است.",
        "The hold fell due; what it held is free again.",
    ),
    "hold-not-due": (
        "مهلت نگه‌داشت هنوز نرسیده است.",
        "The hold is not due yet.",
    ),
    "capture-too-large": (
        "از نگه‌داشت {held} واحد است و {over} بیشتر خواسته شده است.",
        "The hold has {held} of that unit; {over} too many were asked for.",
    ),
    "lot-held": (
        "همهٔ این دسته در نگه‌داشت است.",
        "All that is left of the lot is held.",
    ),
    "lot-past-date": (
        "تاریخ این دسته امتیاز گذشته است.",
        "The lot is past its date.",
    ),
    "not-later": (
        "تاریخ تازه از تاریخ کنونی دیرتر نیست.",
        "The new date is not later than the present one.",
    ),
    "same-person": (
        "پیشنهاددهنده و تأییدکننده باید دو نفر باشند.",
        "One person proposed and another must approve.",
    ),
    "no-reason": (
        "دلیل نوشته نشده است.",
        "The command gives no reason.",
    ),
    "not-value": (
        "این واحد در حساب باشگاه نگه‌داری نمی‌شود.",
        "No member's account holds that unit.",
    ),
    "undecodable": (
        "پیام خوانا نبود.",
        "The record could not be read.",
    ),
    "could-not-be-decided": (
        "این تراکنش ثبت‌شدنی نبود.",
        "The ledger could not post this command.",
    ),
    "name-used-with-another-payload": (
        "این نام تراکنش پیش‌تر با محتوای دیگری به کار رفته است؛ نام تازه بسازید.",
        "This transaction name was used with another payload; use a new name.",
    ),
}


def reason(code: str, **numbers: int) -> Reason:
    """The stored reason of a code. Raises KeyError on a code that is not in the table."""
    fa, en = both(REASONS[code], **numbers)
    return Reason(code=code, fa=fa, en=en)


def both(templates: tuple[str, str], **numbers: int) -> tuple[str, str]:
    """A line in Persian (Persian digits) and in English, with commas between thousands."""
    in_english = {name: f"{number:,}" for name, number in numbers.items()}
    in_persian = {name: persian(text) for name, text in in_english.items()}
    return templates[0].format_map(in_persian), templates[1].format_map(in_english)


def persian(text: str) -> str:
    """A text's digits, and the commas between thousands, in Persian."""
    return text.translate(_PERSIAN)

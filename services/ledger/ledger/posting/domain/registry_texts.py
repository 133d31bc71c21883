"""Codes of the commands about accounts, parties, budgets and windows: Persian first."""

from typing import Final

REASONS: Final[dict[str, tuple[str, str]]] = {
    "same-account": (
        "مبدأ و مقصد یک حساب است.",
        "The account is its own destination.",
    ),
    "due-too-late": (
        "نگه‌داشت بیش از {days} روز ممکن نیست.",
        "A hold lasts {days} days at most.",
    ),
    "more-to-reissue": (
        "بخشی از مانده منتقل شد؛ برای باقی آن، جایگزینی کارت را دوباره انجام دهید.",
        "Part of the card has moved: ask for the reissue again, to move the rest.",
    ),
    "clock-ahead": (
        "ساعت فرستنده جلو است؛ با نام تازه دوباره بفرستید.",
        "The sender's clock is ahead: set it right, and send this again under a new name.",
    ),
    "no-issuer": (
        "صادرکننده یا تأمین‌کنندهٔ این اعتبار مشخص نیست.",
        "Nobody is named who would issue or fund this value.",
    ),
    "line-twice": (
        "شمارهٔ ردیف {line} در سبد تکراری است؛ هر ردیف شمارهٔ خود را دارد.",
        "Line {line} is in the basket twice: each line has a number of its own.",
    ),
    "same-shard": (
        "مبدأ و مقصد یک شارد است.",
        "The shard is its own destination.",
    ),
    "no-such-shard": (
        "شاردی که نام برده شده در این سامانه نیست.",
        "The platform has no such shard; look up where the account is and send it again.",
    ),
    "already-returned": (
        "این امتیازها پیش‌تر برگشته است.",
        "What was sent has come back already.",
    ),
    "account-frozen": (
        "این حساب مسدود است و چیزی از آن برداشته نمی‌شود.",
        "The account is frozen: nothing leaves it.",
    ),
    "account-closed": (
        "این حساب بسته شده است.",
        "The account is closed.",
    ),
    "account-not-empty": (
        "این حساب هنوز مانده دارد و بسته نمی‌شود.",
        "The account still holds value and cannot be closed.",
    ),
    "account-owes": (
        "این حساب بدهی دارد.",
        "The account owes points.",
    ),
    "account-in-use": (
        "این حساب از پیش مانده یا بدهی دارد و کارت هدیه نمی‌شود.",
        "The account holds or owes something already and cannot become a gift card.",
    ),
    "party-frozen": (
        "صادرکنندهٔ این امتیاز مسدود است.",
        "The party that would issue or fund this is frozen.",
    ),
    "party-closed": (
        "این طرف قرارداد بسته شده است.",
        "The party is closed.",
    ),
    "party-not-empty": (
        "امتیازهای این طرف قرارداد هنوز نزد اعضا است.",
        "Points of the party are still outstanding.",
    ),
    "party-owes": (
        "این طرف قرارداد هنوز بدهی یا طلب دارد.",
        "The party still has payables or receivables.",
    ),
    "standing-unchanged": (
        "وضعیت از پیش همین بود.",
        "The standing was that already.",
    ),
    "unknown-rate": (
        "این نرخ تبدیل نصب نشده است.",
        "That version of the rate is not installed here.",
    ),
    "rate-not-accepted": (
        "این نرخ را هر دو طرف نپذیرفته‌اند.",
        "The network and the merchant have not both accepted the rate.",
    ),
    "rate-differs": (
        "اعداد نرخ با نسخهٔ نصب‌شده یکی نیست.",
        "The numbers are not those of the installed version of the rate.",
    ),
    "rate-gives-otherwise": (
        "این نرخ مقدار دیگری می‌دهد.",
        "The rate gives another amount.",
    ),
    "version-differs": (
        "این نسخه با اعداد دیگری نصب شده است و تغییر نمی‌کند.",
        "That version is installed with other numbers and never changes.",
    ),
    "already-installed": (
        "این نسخه از پیش نصب بود.",
        "That version was installed already.",
    ),
    "card-not-active": (
        "این حساب کارت هدیهٔ فعال نیست.",
        "The account is not an active gift card.",
    ),
    "card-already-active": (
        "این کارت هدیه از پیش فعال است.",
        "The gift card is active already.",
    ),
    "value-held": (
        "بخشی از ماندهٔ این کارت در رزرو است.",
        "Part of what the card holds is reserved.",
    ),
    "value-awaits": (
        "بخشی از ماندهٔ این کارت در انتظار یک رویداد است.",
        "Part of what the card holds is pending until an event.",
    ),
    "budget-exhausted": (
        "بودجهٔ این امتیاز تمام شده است: {left} ریال مانده است.",
        "The budget for this is used up: {left} Rial left.",
    ),
    "not-the-next-window": (
        "دورهٔ بعدی تسویه {next} است.",
        "The next settlement window is {next}.",
    ),
    "window-not-closed": (
        "این دورهٔ تسویه هنوز بسته نشده است.",
        "The settlement window is not closed here.",
    ),
    "window-passed": (
        "دورهٔ {last} این دو طرف پیش‌تر تسویه شده است.",
        "Window {last} of this pair has been settled already.",
    ),
    "earlier-window-open": (
        "دورهٔ {window} این دو طرف هنوز تسویه نشده است.",
        "Window {window} of this pair is not settled yet.",
    ),
    "more-than-owed": (
        "این مبلغ از بدهی دوره ({left} ریال) بیشتر است.",
        "That is more than is owed for the window ({left} Rial).",
    ),
}

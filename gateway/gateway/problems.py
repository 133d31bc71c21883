"""Every refusal of the gateway's own in one table: code, HTTP status, Persian, English."""

from enum import Enum
from typing import Any, Final

from kit.base import errors


class Code(Enum):
    """Stable code, HTTP status, what is wrong and what to do in Persian, the same in English.

    A code is never reused for something else; the table is also printed in the gateway's README.
    """

    MALFORMED_JSON = (
        "malformed-json",
        400,
        "بدنهٔ درخواست JSON درست نیست؛ قالب را درست کنید و همان نام را دوباره بفرستید.",
        "The body is not JSON in UTF-8; correct it and send the same name again.",
    )
    UNSTORABLE_TEXT = (
        "unstorable-text",
        400,
        "متن نویسه‌ای دارد که نگه‌داشتنی نیست؛ نویسه‌های کامل یونیکد بفرستید.",
        "Text holds U+0000, a lone surrogate or over 30 combining marks in a row; remove them.",
    )
    DUPLICATE_KEY = (
        "duplicate-key",
        400,
        "یک کلید دو بار در یک شیء آمده است؛ هر کلید را یک بار بفرستید.",
        "A key stands twice in one object; send it once.",
    )
    TOO_LARGE = (
        "too-large",
        413,
        "بدنهٔ درخواست بیش از اندازه بزرگ است؛ آن را کوچک‌تر یا چندتکه بفرستید.",
        "The body is too large; send less, or split it.",
    )
    UNKNOWN_FIELD = (
        "unknown-field",
        422,
        "فیلدی ناشناخته در درخواست هست؛ نام فیلدها را با مستندات بسنجید.",
        "The request has a field nobody knows; compare the names with the documentation.",
    )
    MISSING_FIELD = (
        "missing-field",
        422,
        "فیلدی که این درخواست لازم دارد نیامده است؛ آن را بیفزایید.",
        "A field that this request needs is missing; add it.",
    )
    FIELD_NOT_ALLOWED = (
        "field-not-allowed",
        422,
        "این فیلد برای این نوع تراکنش معنا ندارد؛ آن را بردارید.",
        "This field has no meaning for this kind of transaction; leave it out.",
    )
    NOT_AN_INTEGER = (
        "not-an-integer",
        422,
        "اینجا عدد صحیح لازم است؛ اعشار، علامت یا متن پذیرفته نمی‌شود.",
        "An integer is needed here; send no fraction, exponent or text.",
    )
    OUT_OF_RANGE = (
        "out-of-range",
        422,
        "مقدار از بازهٔ مجاز بیرون است؛ آن را درست کنید.",
        "The value is outside its range; correct it.",
    )
    UNKNOWN_KIND = (
        "unknown-kind",
        422,
        "نوع تراکنش ناشناخته است؛ یکی از نوع‌های سند بفرستید: purchase، redemption و مانند آن.",
        "The kind is unknown; send one of the document's: purchase, redemption and so on.",
    )
    BAD_TIME = (
        "bad-time",
        422,
        "زمان درست نیست؛ آن را میلادی، به قالب RFC ۳۳۳۹ و با منطقهٔ زمانی بفرستید.",
        "Not a time; send RFC 3339 with its zone, such as 2026-03-21T10:00:00+03:30.",
    )
    BAD_SHAPE = (
        "bad-shape",
        422,
        "شکل درخواست درست نیست؛ آن را با مستندات بسنجید.",
        "The request has the wrong shape; compare it with the documentation.",
    )
    LINES_DO_NOT_ADD_UP = (
        "lines-do-not-add-up",
        422,
        "جمع مبلغ سطرها با مبلغ تراکنش برابر نیست؛ سبد را دوباره حساب کنید.",
        "The lines do not sum to amount_rial; add the basket up again.",
    )
    LINE_REPEATED = (
        "line-repeated",
        422,
        "شمارهٔ یک سطر دو بار آمده است؛ به هر سطر شماره‌ای جدا بدهید.",
        "A line number occurs twice; give every line its own.",
    )
    AMOUNT_IS_ZERO = (
        "amount-is-zero",
        422,
        "مبلغ تراکنش صفر است؛ تراکنش بی‌مبلغ فرستادنی نیست.",
        "The amount is zero; there is nothing to send.",
    )
    NOTHING_TO_REDEEM = (
        "nothing-to-redeem",
        422,
        "نه امتیازی برای خرج کردن آمده و نه اعتباری؛ دست‌کم یکی را بفرستید.",
        "Neither points nor credit to redeem; ask for at least one of them.",
    )
    BAD_IDENTIFIER = (
        "bad-identifier",
        422,
        "شناسهٔ عضو درست نیست؛ کارت را دوباره بکشید یا شماره را دوباره وارد کنید.",
        "The member's identifier is not valid; read the card or enter the number again.",
    )
    UNKNOWN_IDENTIFIER = (
        "unknown-identifier",
        422,
        "این کارت یا شماره عضو باشگاه نیست؛ عضو کنید یا شناسهٔ دیگری بخواهید.",
        "No member has this card or number; enrol the customer or ask for another identifier.",
    )
    OCCURRED_AT_AHEAD = (
        "occurred-at-ahead",
        422,
        "ساعت پایانه جلو است؛ ساعت را درست کنید و همان نام را دوباره بفرستید.",
        "occurred_at is over 120 s ahead; set the till's clock and send the same name again.",
    )
    UNKNOWN_EPOCH = (
        "unknown-epoch",
        422,
        "این دوره برای پایانه صادر نشده است؛ دوره‌ای را که هنگام فعال‌سازی گرفتید بفرستید.",
        "No such epoch was issued to the terminal; send the one its activation gave.",
    )
    UNKNOWN_MERCHANT = (
        "unknown-merchant",
        422,
        "این فروشگاه شناخته نیست یا طرحی ندارد؛ نخست فروشگاه و طرحش را ثبت کنید.",
        "No such merchant, or it has no programme; register both first.",
    )
    BAD_NAME = (
        "bad-name",
        422,
        "شمارهٔ تراکنش تهی یا بیش از اندازه دراز است؛ کوتاه‌تر بفرستید.",
        "The transaction's own number is empty or too long; send a shorter one.",
    )
    BAD_ORDER = (
        "bad-order",
        422,
        "شمارهٔ سفارش یا نام عمل درست نیست؛ سفارش تا ۴۸ نویسه از A-Z a-z ۰-۹ -_.:/# و عمل تا ۳۲"
        " نویسه از a-z ۰-۹ - است.",
        "The order or operation is not valid; send an order of at most 48 of A-Z a-z 0-9 -_.:/#"
        " and an operation of at most 32 of a-z 0-9 -.",
    )
    BAD_TRANSACTION_ID = (
        "bad-transaction-id",
        422,
        "شناسهٔ تراکنش درست نیست؛ همان را که در پاسخ گرفتید بفرستید.",
        "Not a transaction id; send the id exactly as an answer gave it.",
    )
    ORIGINAL_IS_ITSELF = (
        "original-is-itself",
        422,
        "تراکنش نمی‌تواند خودش را برگرداند؛ شمارهٔ تازه‌ای به آن بدهید.",
        "A transaction cannot undo itself; give it a sequence number of its own.",
    )
    ORIGINAL_NOT_REFUNDABLE = (
        "original-not-refundable",
        422,
        "این شناسه از آنِ خرید یا خرج امتیاز نیست؛ شناسهٔ همان فروش را بفرستید.",
        "This id names no sale; send the id of the purchase or redemption.",
    )
    KEY_MISSING = (
        "key-missing",
        401,
        "کلید پایانه نیامده است؛ سرآیند Authorization: Bearer را بفرستید.",
        "No key; send it as Authorization: Bearer.",
    )
    KEY_UNKNOWN = (
        "key-unknown",
        401,
        "کلید شناخته نیست؛ کلید پایانه (…_pvt) را بررسی کنید یا پایانه را دوباره فعال کنید.",
        "The key is not known; check it (a till's begins with pvt_), or activate the terminal"
        " again.",
    )
    OPERATOR_KEY_UNKNOWN = (
        "operator-key-unknown",
        401,
        "کلید گرداننده شناخته نیست؛ همهٔ آن را به شکل pvo_<name>_<secret> بفرستید یا کلید تازه"
        " بگیرید.",
        "The operator's key is not known; send the whole of it, pvo_<name>_<secret>, or ask for a"
        " new one.",
    )
    SESSION_UNKNOWN = (
        "session-unknown",
        401,
        "این نشست شناخته نیست؛ دوباره وارد شوید.",
        "The session is not known; sign in again.",
    )
    SESSION_ENDED = (
        "session-ended",
        401,
        "این نشست پایان یافته است؛ دوباره وارد شوید.",
        "The session has ended; sign in again.",
    )
    API_KEY_UNKNOWN = (
        "api-key-unknown",
        401,
        "کلید نرم‌افزار شناخته نیست؛ همهٔ آن را بفرستید یا کلید تازه بگیرید.",
        "The program's key is not known; send the whole of it, or ask for a new one.",
    )
    API_KEY_ENDED = (
        "api-key-ended",
        401,
        "کلید این نرم‌افزار پایان یافته است؛ کلید تازه بگیرید.",
        "The program's key has ended; ask for a new one.",
    )
    KEY_REVOKED = (
        "key-revoked",
        401,
        "این کلید باطل شده است؛ کلید تازه بگیرید و همان نام‌ها را با آن بفرستید.",
        "The key was revoked; get a new one and send the same names with it.",
    )
    TERMINAL_INACTIVE = (
        "terminal-inactive",
        403,
        "این پایانه فعال نیست؛ با پشتیبانی شبکه تماس بگیرید.",
        "The terminal is not active; ask the network's support.",
    )
    MERCHANT_STOPPED = (
        "merchant-stopped",
        403,
        "شبکه این فروشگاه را موقتاً متوقف کرده است؛ با پشتیبانی شبکه تماس بگیرید.",
        "The network has stopped this merchant; ask the network's support.",
    )
    KEY_OF_OLDER_EPOCH = (
        "key-of-older-epoch",
        403,
        "این کلید از فعال‌سازی پیشین پایانه است؛ با کلید فعال‌سازی تازه بفرستید.",
        "The key is of an earlier activation; send with the key that the newest one gave.",
    )
    TERMINAL_MISMATCH = (
        "terminal-mismatch",
        403,
        "کلید از آنِ پایانهٔ دیگری است؛ شمارهٔ پایانه یا کلید را درست کنید.",
        "The key belongs to another terminal; correct the terminal or the key.",
    )
    MERCHANT_MISMATCH = (
        "merchant-mismatch",
        403,
        "کلید از آنِ فروشگاه دیگری است؛ شمارهٔ فروشگاه یا کلید را درست کنید.",
        "The key belongs to another merchant; correct the merchant or the key.",
    )
    ORIGINAL_OF_ANOTHER_MERCHANT = (
        "original-of-another-merchant",
        403,
        "تراکنش اصلی از این فروشگاه نیست؛ شماره‌اش را بررسی کنید، برگشت را همان فروشگاه"
        " انجام می‌دهد.",
        "The original is none of this merchant's; check its number, or let that merchant take it"
        " back.",
    )
    REVERSAL_OF_ANOTHER_TERMINAL = (
        "reversal-of-another-terminal",
        403,
        "این تراکنش را پایانهٔ دیگری فرستاده است و فقط همان لغوش می‌کند؛ برای پس گرفتن کالا"
        " برگشت (refund) بفرستید.",
        "Another terminal gave this name and only that one reverses it; to take a sale back, send"
        " a refund.",
    )
    NOT_ONLINE = (
        "terminal-not-online",
        403,
        "این پایانه سفارش‌های فروشگاه را نام نمی‌برد؛ با کلید پایانهٔ آنلاین فروشگاه بفرستید.",
        "This terminal names no orders; send with a key of the merchant's online terminal.",
    )
    NOT_YOUR_TRANSACTION = (
        "not-your-transaction",
        403,
        "این تراکنش از فروشگاه شما نیست؛ شناسه را بررسی کنید.",
        "The transaction is not your merchant's; check its id.",
    )
    ROLE_MISSING = (
        "role-missing",
        403,
        "این کار حقی می‌خواهد که شما ندارید؛ از گردانندهٔ شبکه بخواهید.",
        "This needs a right that your key does not carry; ask an operator for it.",
    )
    SECOND_FACTOR_NEEDED = (
        "second-factor-needed",
        403,
        "این کار عامل دوم می‌خواهد؛ آن را بسازید و با رمزش دوباره وارد شوید.",
        "This needs a session that a second factor opened; enrol one and sign in with its code.",
    )
    NO_SUCH_ADDRESS = (
        "no-such-address",
        404,
        "چنین نشانی‌ای نیست؛ نشانی را با مستندات بسنجید.",
        "There is no such address; compare it with the documentation.",
    )
    RATE_LIMITED = (
        "rate-limited",
        429,
        "درخواست‌های این کلید بیش از اندازه است؛ کمی درنگ کنید و همان نام را دوباره بفرستید.",
        "Too many requests under this key; wait a second and send the same name again.",
    )
    TOO_MANY_IDENTIFIERS = (
        "too-many-identifiers",
        429,
        "این پایانه شناسه‌های بسیاری پرسیده و به آن‌ها نفروخته است؛ چند دقیقه درنگ کنید و همان نام"
        " را دوباره بفرستید.",
        "This terminal has asked about many identifiers without a sale to them; wait some minutes"
        " and send the same name again.",
    )
    GATEWAY_BUSY = (
        "gateway-busy",
        503,
        "سامانه شلوغ است و این درخواست پذیرفته نشد؛ همان نام را دوباره بفرستید.",
        "Too many requests wait already and this one was not taken; send the same name again.",
    )
    NOT_READY = (
        "not-ready",
        503,
        "درگاه هنوز آماده نیست و این درخواست پذیرفته نشد؛ همان نام را دوباره بفرستید.",
        "The gateway is not ready yet and did not take this; send the same name again.",
    )
    OTHER_VERSION_IN_FORCE = (
        "other-version-in-force",
        503,
        "درگاه هنوز نسخهٔ دیگری از طرح یا شرایط را دارد؛ همان درخواست را دوباره بفرستید.",
        "Another version of programme or terms is in force here yet; send the same again.",
    )
    SESSIONS_UNAVAILABLE = (
        "sessions-unavailable",
        503,
        "اکنون معلوم نیست کدام نشست‌ها باز است؛ همان درخواست را کمی بعد دوباره بفرستید.",
        "Which sessions are open is not known just now; send the same again in a while.",
    )
    LOOKUP_UNAVAILABLE = (
        "lookup-unavailable",
        503,
        "این شناسه هنوز در دسترس نیست؛ همان درخواست را دوباره بفرستید.",
        "This number is not known here yet and its owner did not answer; send the same again.",
    )
    OUTCOME_UNKNOWN = (
        "outcome-unknown",
        503,
        "نتیجه نامعلوم است؛ همین درخواست را با همین نام دوباره بفرستید.",
        "Whether it happened is unknown; send the same request under the same name again.",
    )
    INQUIRY_UNANSWERED = (
        "inquiry-unanswered",
        503,
        "پاسخ استعلام به موقع نرسید؛ دوباره بپرسید.",
        "The inquiry was not answered in time and leaves nothing behind; ask again.",
    )
    SERVICE_UNAVAILABLE = (
        "service-unavailable",
        503,
        "بخش پاسخ‌گو در دسترس نیست؛ همین درخواست را دوباره بفرستید.",
        "The service behind this address did not answer; send the same request again.",
    )

    @property
    def code(self) -> str:
        """Stable, kebab-case, for programs."""
        return self.value[0]

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.value[1]

    @property
    def fa(self) -> str:
        """What is wrong and what to do, in Persian."""
        return self.value[2]

    @property
    def en(self) -> str:
        """The same in English."""
        return self.value[3]


_KINDS: Final[dict[int, type[errors.Problem]]] = {
    kind.status: kind
    for kind in (
        *(errors.Malformed, errors.Unauthorized, errors.Forbidden, errors.NotFound),
        *(errors.TooLarge, errors.Invalid, errors.TooMany, errors.Unavailable),
    )
}


def refusal(code: Code, note: str = "", **extra: Any) -> errors.Problem:
    """The error to raise for a code; note: what exactly, in English; extra: further fields.

    With all of these nothing was posted, except OUTCOME_UNKNOWN, where that is not known.
    """
    detail = f"{code.en} ({note})" if note else code.en
    return _KINDS[code.status](detail, code=code.code, fa=code.fa, **extra)

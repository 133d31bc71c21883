"""Errors of a room: permanent ones with a stable code, transient ones, and broken promises."""

from typing import Any


class Problem(Exception):
    """What a caller is told: detail says what is wrong and what to do; fa the same in Persian."""

    status: int = 500
    code: str = "internal"
    title: str = "Internal error"
    fa: str = "خطای داخلی؛ همین درخواست را با همین نام دوباره بفرستید."
    closes: bool = False  # the connection ends with this answer
    retry_after_s: int = 1  # of 429 and 503

    def __init__(self, detail: str = "", *, code: str = "", fa: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or self.code
        self.fa = fa or self.fa
        self.extra = extra

    @property
    def public_detail(self) -> str:
        """The detail that callers get: the database's own text is for our log (findings S17)."""
        return self.title if self.detail.startswith("database: ") else self.detail


class Permanent(Problem):
    """Trying the same again cannot help."""


class NotFound(Permanent):
    """The thing named does not exist."""

    status, code, title = 404, "not-found", "Not found"
    fa = "چیزی با این نشانی پیدا نشد."


class NotAllowed(Permanent):
    """The address exists, but not for this method."""

    status, code, title = 405, "not-allowed", "Method not allowed"
    fa = "این نشانی چنین کاری نمی‌پذیرد."


class Conflict(Permanent):
    """The thing exists in another state than the request needs."""

    status, code, title = 409, "conflict", "Conflict"
    fa = "درخواست با وضعیت کنونی سازگار نیست."


class Invalid(Permanent):
    """The request does not validate."""

    status, code, title = 422, "invalid", "Invalid request"
    fa = "درخواست نادرست است."


class Malformed(Permanent):
    """The body cannot be read at all."""

    status, code, title = 400, "malformed", "Malformed request"
    fa = "بدنهٔ درخواست خوانا نیست."


class Unauthorized(Permanent):
    """Nobody vouches for the caller."""

    status, code, title = 401, "unauthorized", "Unauthorized"
    fa = "هویت درخواست‌کننده شناخته نشد."


class Forbidden(Permanent):
    """The caller is known and may not."""

    status, code, title = 403, "forbidden", "Forbidden"
    fa = "اجازهٔ این کار را ندارید."


class TooLarge(Permanent):
    """The body is larger than the door takes."""

    status, code, title = 413, "too-large", "Body too large"
    fa = "بدنهٔ درخواست بیش از اندازه بزرگ است."


class TooMany(Problem):
    """A limit of rate; the same request may be sent later."""

    status, code, title = 429, "too-many", "Too many requests"
    fa = "درخواست‌ها بیش از اندازه است؛ کمی بعد دوباره بفرستید."


class Unavailable(Problem):
    """Transient: a connection, a time-out, a fact not yet arrived; the same may be tried again."""

    status, code, title = 503, "unavailable", "Unavailable, try again"
    fa = "موقتاً در دسترس نیست؛ همین درخواست را دوباره بفرستید."


class TimedOut(Unavailable):
    """A statement or its transaction took too long: a smaller batch may pass."""

    code = "timed-out"


class Overlong(TimedOut):
    """The transaction was idle too long: computing inside it took all the time."""

    code = "overlong"


class SendUnknown(Unavailable):
    """A send missed its deadline: the message may still arrive. Send the same name again."""

    code = "outcome-unknown"
    fa = "نتیجه نامعلوم است؛ همین درخواست را با همین نام دوباره بفرستید."


class Fenced(Exception):
    """Another writer owns these partitions now; nothing was written."""


class Alarm(Exception):
    """A promise is broken that no retry mends (stream gap, poison past its limit): stop."""

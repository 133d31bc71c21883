"""Why a step of a dispute is refused."""

from kit.base import errors


class UnknownDispute(errors.NotFound):
    """No such dispute, or none of this party: a stranger learns nothing of it."""

    code = "unknown-dispute"
    fa = "این طرف چنین اعتراضی ندارد؛ شمارهٔ اعتراض را بسنجید."


class UnknownFile(errors.NotFound):
    """No such file of a dispute."""

    code = "unknown-file"
    fa = "این اعتراض چنین مدرکی ندارد."


class NothingToDispute(errors.Invalid):
    """The statement has no such line, or nothing on it that was taken from the party."""

    code = "nothing-to-dispute"
    fa = "در صورت‌حساب این دوره چنین ردیفی نیست، یا چیزی از آن به زیان شما نیست."


class OverLine(errors.Conflict):
    """More than is left of the line, with what is disputed or was given back already."""

    code = "over-the-line"
    fa = "این مبلغ با اعتراض‌های دیگر همین ردیف از مبلغ ردیف بیشتر می‌شود."


class ForeignTransaction(errors.Invalid):
    """A transaction that is not behind the disputed line."""

    code = "transaction-not-of-line"
    fa = "تراکنشی که نام برده‌اید پشت این ردیف نیست؛ فهرست تراکنش‌های ردیف را ببینید."


class TooLate(errors.Conflict):
    """The deadline of the step has passed."""

    code = "dispute-too-late"
    fa = "مهلت این کار گذشته است."


class NotThere(errors.Conflict):
    """The step is not one of the dispute's state."""

    code = "dispute-not-there"
    fa = "این کار در وضعیت کنونی اعتراض شدنی نیست."


class NotYours(errors.Forbidden):
    """The step is the other party's."""

    code = "dispute-step-of-other"
    fa = "این کار با طرف دیگر اعتراض است."


class SecondPersonNeeded(errors.Forbidden):
    """A decision has an approver; a program's key has none."""

    code = "second-person-needed"
    fa = "رأی را یک نفر پیشنهاد می‌کند و دیگری تأیید؛ با نشست خود بفرستید تا پیشنهاد شود."


class OverDispute(errors.Invalid):
    """An amount beyond the disputed one."""

    code = "over-the-dispute"
    fa = "این مبلغ از مبلغ مورد اعتراض بیشتر است."


class BelowAccepted(errors.Invalid):
    """A decision that takes back what the other party had accepted."""

    code = "below-accepted"
    fa = "طرف دیگر مبلغ بیشتری را پذیرفته است؛ رأی کمتر از آن نمی‌شود."


class FileTypeUnknown(errors.Invalid):
    """Neither PDF, PNG nor JPEG by its first bytes."""

    code = "file-type-unknown"
    fa = "مدرک باید PDF یا PNG یا JPEG باشد؛ نوع آن از محتوا شناخته می‌شود."


class TooManyFiles(errors.Conflict):
    """A side has sent all the files it may."""

    code = "too-many-files"
    fa = "هر طرف تا ۱۰ مدرک می‌فرستد."

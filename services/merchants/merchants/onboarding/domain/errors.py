"""Why an application, a document or a transition is refused."""

from collections.abc import Sequence
from typing import Any

from kit.base import errors


class AnswersInvalid(errors.Invalid):
    """Answers that the questionnaire does not take; `problems` has each, in two languages."""

    code = "answers-invalid"
    fa = "پاسخ‌ها پذیرفته نشد؛ ایراد هر پرسش در problems آمده است."


class DocumentInvalid(errors.Invalid):
    """A questionnaire, rules or prices that cannot be used; `problems` has each fault."""

    code = "document-invalid"
    fa = "این نسخه پذیرفته نشد؛ نشانی هر ایراد در problems آمده است."


class QuestionnaireNotInForce(errors.Conflict):
    """An application answers another version than the one in force; `expected` is that one."""

    code = "questionnaire-not-in-force"
    fa = "این نسخهٔ پرسش‌نامه اکنون در کار نیست؛ نسخه‌ای را که در expected آمده است پاسخ دهید."


class OtherState(errors.Conflict):
    """A transition from a state that does not allow it; `state` is the present one."""

    code = "application-in-other-state"
    fa = "درخواست در وضعیتی نیست که این کار را بپذیرد؛ وضعیت کنونی در state آمده است."


class SecondPersonNeeded(errors.Forbidden):
    """Who assessed an application does not approve it."""

    code = "second-person-needed"
    fa = "کسی که ارزیابی کرده است نمی‌تواند تأیید کند؛ از همکار دیگری بخواهید."


class WarningsNotAccepted(errors.Conflict):
    """A warning that the approver did not name; `warnings` lists them."""

    code = "warnings-not-accepted"
    fa = "طرح هشداری دارد که پذیرفته نشده است؛ هشدارها در warnings آمده است."


class OutsideLimits(errors.Invalid):
    """A change of the scheme beyond its limits; `problems` has item, minimum and maximum."""

    code = "outside-limits"
    fa = "تغییر خواسته‌شده از حدود پیشنهاد بیرون است؛ حدود هر مورد در problems آمده است."


class AssessmentDiffers(errors.Conflict):
    """The same answers under the same rules give another result than the one kept."""

    code = "assessment-differs"
    fa = "ارزیابی دوباره نتیجهٔ دیگری داد؛ درخواست را پس بگیرید و درخواست تازه‌ای ثبت کنید."


class NothingInForce(errors.Conflict):
    """No version of a document, or of the network's terms, is in force yet."""

    code = "nothing-in-force"
    fa = "هنوز نسخه‌ای در کار نیست؛ نخست پرسش‌نامه، قواعد، تعرفه و شرایط شبکه را منتشر کنید."


class TermsNotUsable(errors.Conflict):
    """The network's settlement price does not allow a rate to be written in whole numbers."""

    code = "terms-not-usable"
    fa = "با نرخ تسویهٔ کنونی نرخ امتیاز را نمی‌توان با عدد درست نوشت؛ شرایط شبکه را بازبینی کنید."


def with_problems(kind: type[errors.Invalid], problems: Sequence[dict[str, Any]]) -> errors.Invalid:
    """An error that lists what is wrong; the text has the English of each."""
    texts = "; ".join(str(problem["en"]) for problem in problems)
    return kind(f"correct these: {texts}", problems=list(problems))

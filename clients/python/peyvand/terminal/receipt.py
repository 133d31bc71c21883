"""What a till prints: Persian first, English second; and what a program hears instead."""

from typing import Any, Final, assert_never

from peyvand import errors
from peyvand.models import (
    Answer,
    Answered,
    Balance,
    Pending,
    Preview,
    Status,
    TransactionStatus,
)
from peyvand.terminal.journal import DROPPED, REVERSED, Written
from peyvand.terminal.outcome import CommandResult, Exit
from peyvand.terminal.till import Resent

ABOUT: Final = "صندوق شبیه‌سازی‌شدهٔ پیوند · Peyvand's simulated till"
UNKNOWN: Final = (
    "پاسخی نرسید؛ نتیجه نامعلوم است."
    " فرمان resend همان درخواست را دوباره می‌فرستد و هیچ چیز دو بار ثبت نمی‌شود.\n"
    "No answer: the outcome is unknown."
    " `resend` sends the same request again; nothing counts twice."
)
MAY_STAND: Final = (
    "شاید بار نخست رسیده باشد: باز می‌ماند. resend باز هم می‌پرسد، reverse لغوش می‌کند،"
    " drop کنارش می‌گذارد.\n"
    "An earlier sending may have arrived, so it stays open:"
    " `resend` asks again, `reverse` undoes it, `drop` gives it up."
)
BAD_REPLY: Final = "پاسخ از آنِ پیوند نبود؛ نشانی را بررسی کنید. · Not an answer of Peyvand."
NOT_SET_UP: Final = (
    "صندوق راه‌اندازی نشده است؛ نخست setup. · The till is not set up: run `setup` first."
)
BAD_KEY: Final = "این کلید صندوق نیست. · Not a terminal's key (pvt_…)."
BAD_URL: Final = "نشانی با http:// یا https:// آغاز می‌شود. · The address begins with http(s)://."
ENROL: Final = (
    "عضوگیری کار گردانندهٔ شبکه است، نه صندوق: با کلید گرداننده Operator.enrol.\n"
    "Enrolment is the operator's, not a till's: `Operator.enrol` under an operator's key (pvo_…)."
)
NO_AMOUNT: Final = "مبلغ یا سطرها را بنویسید. · Give --amount, or lines that have amounts."
NOT_YET_KNOWN: Final = "این تراکنش هنوز شناخته نیست. · Not yet known."
NOTHING_LEFT: Final = "درخواست بازی نیست. · No request is open."
EMPTY: Final = "دفتر تهی است. · The journal is empty."
NOT_IN_JOURNAL: Final = (
    "این شماره در دفتر این صندوق نیست. · This till's journal has no such request."
)
NOT_REVERSIBLE: Final = (
    "تنها خرید و خرج امتیاز لغوشدنی است. · Only a purchase or redemption can be reversed."
)
NOT_OPEN: Final = "باز نیست؛ چیزی برای کنار گذاشتن نیست. · It is not open: nothing to drop."
DROP_ASKS: Final = (
    "اگر بار نخست رسیده باشد، ثبت شده است و می‌ماند؛ این صندوق دیگر نمی‌پرسد."
    " برای کنار گذاشتن، شماره‌اش را بنویسید:\n"
    "If an earlier sending arrived, it is booked and stays booked; this till asks no more."
    " Type its name to drop it:"
)
NOT_DROPPED: Final = "کنار گذاشته نشد. · Not dropped."
DROP_DONE: Final = "کنار گذاشته شد. · Dropped."
NAME_USED: Final = (
    "این شماره پیش‌تر به کار رفته است؛ دفتر صندوق شاید گم شده باشد. از گرداننده فعال‌سازی تازه"
    " بگیرید و setup را با کلید و دورهٔ تازه اجرا کنید، یا با همان دوره و"
    " --next شمارهٔ پس از آخرین رسید.\n"
    "The name was used before: was this till's journal lost? Have the operator activate the"
    " terminal again and run `setup` with the new key and epoch; or, in the same epoch,"
    " `setup … --next` with the number after the last receipt's."
)

_PERSIAN: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def number(value: int) -> str:
    """Persian digits in groups of three: ۱٬۲۳۴٬۵۶۷."""
    return f"{value:,}".replace(",", "٬").translate(_PERSIAN)


def of_answer(answer: Answer | Preview) -> str:
    """The receipt of an answer: its own line says what the account has and owes."""
    lines = [answer.fa, answer.en]
    if isinstance(answer, Preview):
        for fa, en, value in (
            ("امتیاز این خرید", "points this sale would earn", answer.would_earn_points),
            ("قابل خرج (ریال)", "can be spent, Rial", answer.redeemable_rial),
        ):
            if value:
                lines.append(f"{fa}: {number(value)} · {en}: {value:,}")
    else:
        lines += _amounts(answer)
    for reason in answer.reasons:
        if reason.fa != answer.fa:
            lines += [reason.fa, reason.en]
    if isinstance(answer, Answer) and answer.status in (Status.DECLINED, Status.REFUSED):
        lines += _left(answer.balance)  # the line of what completed says it
    lines.append(f"شناسه · id: {answer.id}")
    return "\n".join(line for line in lines if line)


def of_waiting(waiting: Pending) -> str:
    """What is printed while it is durable and not answered yet."""
    return (
        "درخواست ثبت شد و پاسخ در راه است.\n"
        f"Accepted; the answer will come. شناسه · id: {waiting.accepted.id}"
    )


def of_status(status: TransactionStatus) -> str:
    """First answer and present state."""
    return f"{of_answer(status.first_answer)}\nاکنون · now: {status.current.status}"


def of_written(written: Written) -> str:
    """One line of the till's journal."""
    kind = written.kind.value + (f" of {written.reverses}" if written.reverses else "")
    return f"{name_of(written)}  {kind}  {_state(written)}"


def fields_of(written: Written) -> dict[str, Any]:
    """The same for programs. state: answered, refused, dropped, reversed or open.

    reverses: of a reversal of this till, the name it undoes.
    """
    state = "answered" if written.answer is not None else "open"
    if written.refusal is not None:
        state = written.refusal if written.refusal in (DROPPED, REVERSED) else "refused"
    fields = {"name": name_of(written), "kind": written.kind.value, "state": state}
    fields |= {"reverses": written.reverses} if written.reverses else {}
    return fields | ({"code": written.refusal} if state == "refused" else {})


def name_of(written: Written) -> str:
    """Terminal, epoch and sequence, parted by dots."""
    return ".".join(map(str, written.name))


def of_resent(one: Resent) -> str:
    """What became of one request that was open."""
    lines = [f"{name_of(one.written)}  {one.written.kind.value}"]
    if one.problem is not None:
        lines.append(of_problem(one.problem))
        if not one.settled:
            lines.append(MAY_STAND)
    elif isinstance(one.outcome, Answered):
        lines.append(of_answer(one.outcome.answer))
    elif one.outcome is not None:
        lines.append(of_waiting(one.outcome))
    return "\n".join(lines)


def of_problem(problem: errors.Problem) -> str:
    """Why nothing was done, and what to do where that is not the cashier's."""
    more = ""
    if isinstance(problem, errors.NameReused):
        more = NAME_USED
    elif problem.code == "unknown-identifier":
        more = ENROL
    lines = (problem.fa, f"{problem.detail} ({problem.code})", more)
    return "\n".join(line for line in lines if line)


def problem_fields(problem: errors.Problem) -> dict[str, Any]:
    """The same for programs."""
    fields = {"code": problem.code, "status": problem.status}
    return fields | {"fa": problem.fa, "detail": problem.detail}


def refused(problem: errors.Problem) -> CommandResult:
    """A refusal before the road: nothing was posted and nothing will be."""
    return CommandResult(Exit.REFUSED, of_problem(problem), {"problem": problem_fields(problem)})


def unknown(error: errors.OutcomeUnknown) -> CommandResult:
    """No answer, or a refusal of what may have been posted before."""
    if error.problem is None:
        return CommandResult(Exit.UNKNOWN, UNKNOWN, {"last": error.last})
    text = f"{of_problem(error.problem)}\n{MAY_STAND}"
    return CommandResult(Exit.UNKNOWN, text, {"problem": problem_fields(error.problem)})


def set_up(following: int) -> str:
    """The till is ready, and with which number it goes on."""
    return (
        f"صندوق آماده است؛ شمارهٔ بعد {number(following)}."
        f" · The till is ready; its next number is {following}."
    )


def open_alike(written: Written) -> str:
    """Why the same sale is not sent under a second name."""
    return (
        f"درست همین درخواست باز است ({name_of(written)}): نخست resend؛"
        " اگر فروش دیگری است، ‎--again‎ را بیفزایید. چیزی فرستاده نشد.\n"
        f"The very same request is open ({name_of(written)}): `resend` it first, or add --again"
        " for another sale just like it. Nothing was sent."
    )


def _state(written: Written) -> str:
    if written.answer is not None and written.refusal != REVERSED:
        return "پاسخ گرفت · answered"
    match written.refusal:
        case None:
            return "باز · open"
        case "dropped":
            return "کنار گذاشته شد · dropped"
        case "reversed":
            return "لغو شد · reversed"
        case code:
            return f"رد شد؛ چیزی ثبت نشد · refused, nothing posted ({code})"


def _amounts(answer: Answer) -> list[str]:
    """Status, money of the basket, and every unit that moved."""
    amounts = [
        ("تخفیف (ریال)", "discount, Rial", answer.discount_rial),
        ("قابل پرداخت (ریال)", "to pay, Rial", answer.payable_rial),
        ("ارزش بدهی (ریال)", "worth of what is owed, Rial", answer.debt_rial),
    ]
    for moved in answer.moved:
        movement, unit = _MOVEMENTS.get(moved.what), _UNITS.get(moved.unit)
        if movement is not None and unit is not None:
            amounts.append((f"{unit[0]} {movement[0]}", f"{unit[1]} {movement[1]}", moved.amount))
    lines = [f"{_status_fa(answer.status)} · {answer.status.value}"]
    lines += [f"{fa}: {number(value)} · {en}: {value:,}" for fa, en, value in amounts if value]
    return lines


def _left(balance: Balance | None) -> list[str]:
    if balance is None:
        return []
    left = (("NP", balance.points), ("CR", balance.credit_rial), ("GV", balance.gift_rial))
    return [
        f"مانده: {number(value)} {_UNITS[unit][0]} · balance: {value:,} {_UNITS[unit][1]}"
        for unit, value in left
        if value
    ]


_UNITS: Final = {
    "NP": ("امتیاز", "points"),
    "MP": ("امتیاز فروشگاه", "the shop's own points"),
    "CR": ("ریال اعتبار", "Rial of credit"),
    "GV": ("ریال هدیه", "Rial of gift value"),
}
_MOVEMENTS: Final = {
    "earned": ("گرفته‌شده", "earned"),
    "pending": ("در انتظار", "of them pending"),
    "spent": ("خرج‌شده", "spent"),
    "restored": ("افزوده‌شده به حساب", "given back"),
    "taken-back": ("کم‌شده", "taken back"),
    "owed": ("بدهی", "owed"),
    "repaid": ("بابت بدهی", "for what was owed"),
}


def _status_fa(status: Status) -> str:
    match status:
        case Status.COMPLETED:
            return "انجام شد"
        case Status.HELD:
            return "انجام شد؛ امتیاز در انتظار بررسی"
        case Status.DECLINED:
            return "پذیرفته نشد"
        case Status.REFUSED:
            return "رد شد"
        case _:
            assert_never(status)

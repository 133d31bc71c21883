"""What a till prints: Persian first, English second."""

from typing import Final, assert_never

from peyvand import errors
from peyvand.terminal.journal import Written
from peyvand.words import Answer, Balance, Preview, Status, TransactionStatus, Waiting

ABOUT: Final = "صندوق شبیه‌سازی‌شدهٔ پیوند · Peyvand's simulated till"
UNKNOWN: Final = (
    "پاسخی نرسید؛ نتیجه نامعلوم است."
    " فرمان resend همان درخواست را دوباره می‌فرستد و هیچ چیز دو بار ثبت نمی‌شود.\n"
    "No answer: the outcome is unknown."
    " `resend` sends the same request again; nothing counts twice."
)
SET_UP: Final = "صندوق آماده است. · The till is ready."
NOT_SET_UP: Final = (
    "صندوق راه‌اندازی نشده است؛ نخست setup. · The till is not set up: run `setup` first."
)
BAD_KEY: Final = "این کلید صندوق نیست. · Not a terminal's key (pvt_…)."
NOT_YET_KNOWN: Final = "این تراکنش هنوز شناخته نیست. · Not yet known."
NOTHING_LEFT: Final = "همهٔ درخواست‌ها پاسخ گرفته‌اند. · Every request has its answer."

_PERSIAN: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def number(value: int) -> str:
    """Persian digits in groups of three: ۱٬۲۳۴٬۵۶۷."""
    return f"{value:,}".replace(",", "٬").translate(_PERSIAN)


def of_answer(answer: Answer | Preview) -> str:
    """The receipt of an answer."""
    lines = [answer.fa, answer.en]
    if isinstance(answer, Preview):
        lines += _balance(answer.balance)
        lines.append(
            f"قابل خرج در این خرید: {number(answer.redeemable_rial)} ریال"
            f" · redeemable here: {answer.redeemable_rial:,} Rial"
        )
    else:
        lines += _amounts(answer)
        for reason in answer.reasons:
            lines += [reason.fa, reason.en]
        if answer.balance is not None:
            lines += _balance(answer.balance)
    lines.append(f"شناسه · id: {answer.id}")
    return "\n".join(line for line in lines if line)


def of_waiting(waiting: Waiting) -> str:
    """What is printed when the house has it and has not answered."""
    return (
        "درخواست ثبت شد و پاسخ در راه است.\n"
        f"Accepted; the answer will come. شناسه · id: {waiting.accepted.id}"
    )


def of_status(found: TransactionStatus) -> str:
    """First answer and present state."""
    return f"{of_answer(found.first_answer)}\nاکنون · now: {found.current.status}"


def of_written(written: Written) -> str:
    """One line of the till's journal."""
    name = written.name
    answered = "پاسخ گرفت · answered" if written.answer is not None else "بی‌پاسخ · unanswered"
    return f"{name.terminal}.{name.epoch}.{name.sequence}  {written.kind.value}  {answered}"


def of_problem(problem: errors.Problem) -> str:
    """Why nothing was done."""
    return "\n".join(line for line in (problem.fa, f"{problem.detail} ({problem.code})") if line)


def _amounts(answer: Answer) -> list[str]:
    shown = (
        (_status_fa(answer.status), answer.status.value, None),
        ("امتیاز این خرید", "points earned", answer.points_earned),
        ("در انتظار بررسی", "points pending", answer.points_pending),
        ("امتیاز خرج‌شده", "points spent", answer.points_redeemed),
        ("اعتبار خرج‌شده (ریال)", "credit spent, Rial", answer.credit_redeemed_rial),
        ("تخفیف (ریال)", "discount, Rial", answer.discount_rial),
        ("قابل پرداخت (ریال)", "to pay, Rial", answer.payable_rial),
        ("امتیاز پس‌گرفته", "points taken back", answer.points_clawed_back),
        ("امتیاز برگشته", "points restored", answer.points_restored),
        ("بدهی امتیازی", "points owed", answer.debt_points),
        ("ارزش بدهی (ریال)", "worth of what is owed, Rial", answer.debt_rial),
    )
    return [
        f"{fa} · {en}" if value is None else f"{fa}: {number(value)} · {en}: {value:,}"
        for fa, en, value in shown
        if value != 0
    ]


def _balance(balance: Balance) -> list[str]:
    points = balance.available_points
    return [
        f"موجودی: {number(points)} امتیاز · balance: {points:,} points",
        f"اعتبار: {number(balance.credit_rial)} ریال · credit: {balance.credit_rial:,} Rial",
    ]


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

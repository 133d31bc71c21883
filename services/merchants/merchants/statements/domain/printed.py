"""A statement as a sheet to print, of the same object as its JSON and its CSV."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from persiantools.jdatetime import JalaliDate

from contracts.text import digits_fa, number_fa
from contracts.values import TEHRAN
from kit.base import errors
from merchants import settings
from merchants.clearing.domain.corrections import CorrectionEffect
from merchants.parties import domain as parties
from merchants.parties.domain import Party
from merchants.printing.sheet import Fact, Figure, Row, Sheet, Text, amount_fa
from merchants.statements.domain import amount_words, statement
from merchants.statements.domain.statement import Side, Statement, StatementLine

LINES_MAX: Final = 1_000  # of a paper; what is longer is read as CSV
_HOUSE: Final = Text("پیوند · شبکهٔ مبادلهٔ امتیاز", "Peyvand · points-exchange network")
_TITLE: Final = Text("صورت‌حساب دورهٔ تسویه", "Statement of a settlement window")
_NONE: Final = "—"
_KINDS: Final = {
    Side.CLAIM: Text("طلب از", "claim on"),
    Side.DUE: Text("بدهی به", "due to"),
    Side.OWN: Text("هزینهٔ خود", "own expense"),
}
_FIRSTS: Final = (
    Text("ردیف", "line"),
    Text("شرح و طرف", "side, party"),
    Text("نام طرف", "party's name"),
    Text("شمار", "count"),
)
_COLUMNS: Final = (
    (Text("طلب یا بدهی", "claims or dues"), Text("برگشتی", "reversed")),
    (Text("کارمزد", "fee"), Text("پرداخت", "paid")),
    (Text("تخفیف خود", "own discount"), Text("بهای آزادشده", "cost released")),
    (Text("اثر بر مانده", "effect on balance"), Text("", "")),
)
_NO_AMOUNTS: Final = (("", ""),) * (len(_COLUMNS) - 1)
_NOTES: Final = (
    Text(
        "همهٔ مبلغ‌ها به ریال است و مبلغ درون پرانتز زیر صفر. مانده از پیش با جمع اثرها مانده در"
        " پایان دوره می‌شود. «شمار» شمار تراکنش‌های پشت هر ردیف است. تخفیف خود و بهای آزادشده برای"
        " آگاهی است و کسی بدهکار آن نیست.",
        "All amounts are Rial; an amount in brackets is below zero. Opening and all effects make"
        " the closing. The count is of the transactions behind a line. Own discount and cost"
        " released are for information: nobody owes them.",
    ),
)


class TooLong(errors.Invalid):
    """A statement of more lines than go on paper."""

    code = "statement-too-long"
    fa = "این صورت‌حساب برای چاپ بیش از اندازه ردیف دارد؛ فایل CSV آن را بگیرید."


def check_length(drawn_up: Statement) -> None:
    """Raises TooLong where the statement is a page that others follow."""
    too_many = len(drawn_up.lines) > LINES_MAX or len(drawn_up.disputes) > settings.PAGE_MAX
    if drawn_up.last is not None or too_many:
        raise TooLong(f"at most {LINES_MAX} lines are printed; read this statement as CSV")


def document_number(drawn_up: Statement) -> str:
    """PV7-S3: window 7, statement of party 3. A closed window's statement never changes."""
    return f"PV{drawn_up.window.window}-S{drawn_up.party.party}"


def sheet_of(drawn_up: Statement, seal: str) -> Sheet:
    """A whole statement of a closed window as a sheet. seal: the SHA-256 of its data, hexadecimal.

    Raises Alarm where its lines do not lead to its closing.
    """
    statement.check_closing(drawn_up)
    window = drawn_up.window
    return Sheet(
        house=_HOUSE,
        title=_TITLE,
        number=document_number(drawn_up),
        made_at=(window.closed_at or window.opened_at).astimezone(TEHRAN),
        facts=_facts(drawn_up),
        figures=_figures(drawn_up),
        words=_words(drawn_up.position.closing_rial),
        firsts=_FIRSTS,
        columns=_COLUMNS,
        rows=list(_rows(drawn_up)),
        notes=(*_NOTES, *_ways(drawn_up)),
        seal=seal,
    )


def _facts(drawn_up: Statement) -> list[Fact]:
    window, party = drawn_up.window, drawn_up.party
    number = document_number(drawn_up)
    return [
        Fact(Text("طرف حساب", "party"), Text(party.title_fa, party.title_en)),
        Fact(Text("شمارهٔ طرف", "party number"), Text(digits_fa(party.party), str(party.party))),
        _identity(drawn_up),
        Fact(Text("شمارهٔ سند", "document number"), Text(number, "")),
        Fact(
            Text("دورهٔ تسویه", "settlement window"),
            Text(digits_fa(window.window), str(window.window)),
        ),
        Fact(Text("آغاز دوره", "opened at"), _moment(window.opened_at)),
        Fact(Text("پایان دوره", "cut at"), _moment(window.cut_at)),
        Fact(Text("بسته‌شدن دوره", "closed at"), _moment(window.closed_at)),
    ]


def _identity(drawn_up: Statement) -> Fact:
    """The register's number of a company; of a person's the last four digits, as views show it."""
    party = parties.view_of(drawn_up.party)
    if party.legal_id is not None:
        return Fact(Text("شناسهٔ ملی", "legal id"), Text(digits_fa(party.legal_id), party.legal_id))
    if party.national_id is not None:
        shown = party.national_id
        return Fact(Text("کد ملی", "national id"), Text(digits_fa(shown), shown))
    return Fact(Text("شناسهٔ ملی", "legal id"), Text(_NONE, ""))


def _moment(at: datetime | None) -> Text:
    """A time in Tehran: Solar Hijri in Persian, Gregorian in English with its offset."""
    if at is None:
        return Text(_NONE, "")
    local = at.astimezone(TEHRAN)
    clock = local.strftime("%H:%M:%S")
    day = JalaliDate(local.date()).isoformat().replace("-", "/")
    return Text(f"{digits_fa(day)} ساعت {digits_fa(clock)}", local.isoformat(sep=" "))


def _figures(drawn_up: Statement) -> list[Figure]:
    position = drawn_up.position
    return [
        Figure(Text("مانده از پیش", "opening"), amount_fa(position.opening_rial)),
        Figure(Text("طلب‌ها", "claims"), amount_fa(position.claims_rial)),
        Figure(Text("برگشت طلب‌ها", "claims reversed"), amount_fa(position.claims_reversed_rial)),
        Figure(Text("بدهی‌ها", "dues"), amount_fa(position.dues_rial)),
        Figure(Text("برگشت بدهی‌ها", "dues reversed"), amount_fa(position.dues_reversed_rial)),
        Figure(Text("کارمزد", "fee"), amount_fa(position.fee_rial)),
        Figure(Text("اصلاح اختلاف‌ها", "corrections"), amount_fa(position.corrections_rial)),
        Figure(Text("وضعیت تسویه", "position"), amount_fa(position.position_rial)),
        Figure(Text("پرداخت", "paid"), amount_fa(position.paid_rial)),
        Figure(
            Text("مانده در پایان دوره", "closing"), amount_fa(position.closing_rial), strong=True
        ),
    ]


def _words(closing_rial: int) -> list[Text]:
    """What the party is to receive or to pay, in figures and words, in Rial and in Toman."""
    if closing_rial == 0:
        return [Text(f"بدون مانده: {amount_words.rial_fa(0)}", "Nothing is owed: 0 Rial")]
    label = (
        Text("قابل دریافت", "Receivable") if closing_rial > 0 else Text("قابل پرداخت", "Payable")
    )
    rials = abs(closing_rial)
    return [
        Text(
            f"{label.fa}: {number_fa(rials)} ریال؛ به حروف: {amount_words.rial_fa(rials)}",
            f"{label.en}: {rials:,} Rial",
        ),
        Text(f"برابر با {amount_words.toman_fa(rials)}", ""),
    ]


def _rows(drawn_up: Statement) -> Iterator[Row]:
    position = drawn_up.position
    yield Row(
        "",
        Text("مانده از پیش", "opening"),
        Text("", ""),
        "",
        (*_NO_AMOUNTS, (amount_fa(position.opening_rial), "")),
    )
    for index, line in enumerate(drawn_up.lines, 1):
        yield _row(index, line)
    for index, effect in enumerate(drawn_up.disputes, len(drawn_up.lines) + 1):
        yield _correction_row(index, effect, drawn_up.titles.get(effect.counterparty))
    yield Row(
        "",
        Text("مانده در پایان", "closing"),
        Text("", ""),
        "",
        (*_NO_AMOUNTS, (amount_fa(position.closing_rial), "")),
        strong=True,
    )


def _row(index: int, line: StatementLine) -> Row:
    sums, kind = line.sums, _KINDS[line.side]
    return Row(
        number_fa(index),
        Text(f"{kind.fa} {digits_fa(line.counterparty)}", f"{kind.en} {line.counterparty}"),
        Text(line.title_fa, line.title_en),
        number_fa(sums.entries_count),
        (
            (amount_fa(sums.claims_rial), amount_fa(sums.reversed_rial)),
            (amount_fa(sums.fee_rial), amount_fa(sums.paid_rial)),
            (amount_fa(sums.own_discount_rial), amount_fa(sums.released_rial)),
            (amount_fa(line.effect_rial), ""),
        ),
    )


def _correction_row(index: int, effect: CorrectionEffect, other: Party | None) -> Row:
    """What the end of a dispute came to; the disputed window stays as it was."""
    window, number = effect.correction.of_window, effect.counterparty
    return Row(
        number_fa(index),
        Text(
            f"اختلاف دورهٔ {digits_fa(window)} با {digits_fa(number)}",
            f"dispute of window {window}, {number}",
        ),
        Text("", "") if other is None else Text(other.title_fa, other.title_en),
        "",
        (
            (amount_fa(effect.correction_rial), ""),
            ("", amount_fa(effect.paid_rial)),
            ("", ""),
            (amount_fa(effect.effect_rial), ""),
        ),
    )


def _ways(drawn_up: Statement) -> Iterator[Text]:
    """How one goes on from the paper: to the transactions of a line, and to the data."""
    window = drawn_up.window.window
    yield Text(
        "تراکنش‌های پشت هر ردیف، هر یک با سند دفتر و اثبات آن، از نشانی زیر خوانده می‌شود:",
        f"The transactions behind a line, each with its booking and proof:"
        f" /v1/merchants/<merchant>/statements/{window}/transactions"
        f"?side=<claim|due|own>&counterparty=<party>",
    )
    yield Text(
        "عدد پای هر صفحه چکیدهٔ دادهٔ همین صورت‌حساب است، تا کاغذ و داده با هم سنجیده شوند.",
        "The SHA-256 at the foot of each page is that of this statement's JSON (statement_sha256 of"
        " the SDK), so that paper and data can be compared.",
    )

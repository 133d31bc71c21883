"""The commands of a till and what each takes."""

import argparse
import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from peyvand.terminal import outcome, receipt, typed

NAMED: Final = "شماره در دفتر صندوق · its name in the till's journal, such as 3003.1.2 or 2"
HELD: Final = "شناسه یا شمارهٔ نگه‌داشت · id or name of what is reserved"


class Misused(Exception):
    """The command line is not one of ours; the text says why."""


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """The command and its options. Raises Misused; SystemExit(0) after --help."""
    output = io.StringIO()
    try:
        with contextlib.redirect_stderr(output):
            return _parser().parse_args(
                arguments, argparse.Namespace(till=Path("till.sqlite"), json=False)
            )
    except SystemExit as ended:
        if ended.code == 0:
            raise
        raise Misused(output.getvalue().strip()) from None


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--till",
        type=Path,
        default=argparse.SUPPRESS,
        help="پروندهٔ صندوق · the till's file (till.sqlite)",
    )
    common.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="برای برنامه‌ها · one JSON object instead of text",
    )
    parser = argparse.ArgumentParser(
        prog="python -m peyvand.terminal",
        description=receipt.ABOUT,
        epilog=outcome.EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, parents=[common])

    _settings(add("setup", "راه‌اندازی · address, key and epoch of the till"))
    _inquire(add("inquire", "موجودی · balance and preview"))
    _purchase(add("purchase", "خرید · sell"))
    _redeem(add("redeem", "خرج امتیاز · spend points"))
    _hold(add("hold", "نگه‌داشت امتیاز · reserve points for a sale that comes later"))
    _capture(add("capture", "فروش با امتیاز نگه‌داشته · the sale of what is reserved"))
    void = add("void", "آزادسازی امتیاز نگه‌داشته · free what is reserved")
    void.add_argument("id", help=HELD)
    _again(void)
    _top_up(add("top-up", "شارژ کیف پول · money for a member's wallet"))
    _refund(add("refund", "برگشت کالا · take goods back"))
    reverse = add("reverse", "لغو تراکنش، حتی بی‌پاسخ · undo a sale, even one without an answer")
    reverse.add_argument("id", help=f"شناسه یا {NAMED}")
    add("status", "وضعیت · how it stands").add_argument("id", help="شناسهٔ تراکنش · its id")
    add("resend", "ارسال دوباره · send again what is open")
    add("journal", "دفتر صندوق · the last requests and what became of each")
    drop = add("drop", "کنار گذاشتن یک درخواست باز · give up an open request")
    drop.add_argument("id", help=NAMED)
    drop.add_argument("--yes", action="store_true", help="بی پرسش · do not ask")
    add("enrol", "عضوگیری کار صندوق نیست · not a till's: the operator enrols members")
    return parser


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--epoch", type=typed.positive, required=True)
    parser.add_argument(
        "--next",
        type=typed.positive,
        default=1,
        metavar="SEQUENCE",
        help="نخستین شمارهٔ آزاد، اگر دفتر گم شده · first free number, after a lost journal",
    )


def _inquire(parser: argparse.ArgumentParser) -> None:
    _member(parser)
    parser.add_argument("--amount", type=typed.amount, default=0, metavar="RIAL")


def _purchase(parser: argparse.ArgumentParser) -> None:
    _member(parser)
    _again(parser)
    parser.add_argument("--amount", type=typed.positive, metavar="RIAL")
    parser.add_argument(
        "--line", type=typed.line, action="append", default=[], metavar="N:RIAL[:CATEGORY]"
    )


def _redeem(parser: argparse.ArgumentParser) -> None:
    _member(parser)
    _again(parser)
    parser.add_argument("--amount", type=typed.positive, required=True, metavar="RIAL")
    parser.add_argument("--points", type=typed.amount, default=0)
    parser.add_argument("--credit", type=typed.amount, default=0, metavar="RIAL")


def _hold(parser: argparse.ArgumentParser) -> None:
    _redeem(parser)
    parser.add_argument(
        "--minutes",
        type=typed.positive,
        help="مدت نگه‌داشت، اگر نه ۱۵ · for how long, if not 15",
    )


def _top_up(parser: argparse.ArgumentParser) -> None:
    _member(parser)
    _again(parser)
    parser.add_argument("--amount", type=typed.positive, required=True, metavar="RIAL")


def _capture(parser: argparse.ArgumentParser) -> None:
    _again(parser)
    parser.add_argument("id", help=HELD)
    parser.add_argument("--amount", type=typed.positive, required=True, metavar="RIAL")
    parser.add_argument(
        "--points", type=typed.amount, default=0, help="اگر نه همه · if not all of them"
    )
    parser.add_argument("--credit", type=typed.amount, default=0, metavar="RIAL")


def _refund(parser: argparse.ArgumentParser) -> None:
    _again(parser)
    parser.add_argument("id", help="شناسهٔ فروش · the sale's id")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument(
        "--line", type=typed.refund_line, action="append", default=[], metavar="N:RIAL"
    )
    extent.add_argument("--amount", type=typed.positive, metavar="RIAL")


def _again(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--again",
        action="store_true",
        help="فروش دیگری درست مانند آن که باز است · another one just like one that is open",
    )


def _member(parser: argparse.ArgumentParser) -> None:
    identifier = parser.add_mutually_exclusive_group(required=True)
    identifier.add_argument("--card")
    identifier.add_argument("--mobile")
    identifier.add_argument("--qr")

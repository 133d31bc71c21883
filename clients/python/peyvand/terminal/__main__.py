"""A till on the command line: `python -m peyvand.terminal purchase --card … --amount …`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from peyvand import client, errors
from peyvand.terminal import receipt
from peyvand.terminal.journal import Journal
from peyvand.terminal.till import Terminal
from peyvand.words import (
    Answered,
    Identifier,
    Line,
    Original,
    Redeem,
    RefundLine,
    Status,
    Waiting,
    card,
    mobile,
    qr,
)

DONE, DECLINED, UNKNOWN, REFUSED, UNUSABLE = 0, 1, 2, 3, 64


def main(arguments: Sequence[str]) -> int:
    """Run one command. 0 done, 1 declined, 2 outcome unknown (resend), 3 refused, 64 not set up."""
    options = _parser().parse_args(arguments)
    journal = Journal(options.till)
    try:
        if options.command == "setup":
            return _setup(journal, options)
        return asyncio.run(_run(journal, options))
    except errors.Problem as problem:
        print(receipt.of_problem(problem))
        return REFUSED
    except errors.OutcomeUnknown:
        print(receipt.UNKNOWN)
        return UNKNOWN
    finally:
        journal.close()


def _setup(journal: Journal, options: argparse.Namespace) -> int:
    parts = options.key.split("_")
    if len(parts) < 4 or parts[0] != "pvt" or not parts[1].isdigit():
        print(receipt.BAD_KEY)
        return UNUSABLE
    journal.remember("url", options.url)
    journal.remember("key", options.key)
    journal.remember("terminal", parts[1])
    journal.remember("epoch", str(options.epoch))
    print(receipt.SET_UP)
    return DONE


async def _run(journal: Journal, options: argparse.Namespace) -> int:
    url, key = journal.setting("url"), journal.setting("key")
    terminal, epoch = journal.setting("terminal"), journal.setting("epoch")
    if url is None or key is None or terminal is None or epoch is None:
        print(receipt.NOT_SET_UP)
        return UNUSABLE
    async with client.Client(url, key) as house:
        till = Terminal(house, journal, terminal=int(terminal), epoch=int(epoch))
        match options.command:
            case "status":
                return await _show_status(till, options.id)
            case "journal":
                return _show_journal(till)
            case "resend":
                return await _resend(till)
            case _:
                return _show(await _transact(till, options))


async def _transact(till: Terminal, options: argparse.Namespace) -> Answered | Waiting:
    match options.command:
        case "purchase":
            lines = tuple(options.line)
            amount = options.amount or sum(line.amount_rial for line in lines)
            return await till.purchase(_identifier(options), amount_rial=amount, lines=lines)
        case "redeem":
            redeem = Redeem(points=options.points, credit_rial=options.credit)
            return await till.redeem(_identifier(options), redeem, amount_rial=options.amount)
        case "inquire":
            return await till.inquire(_identifier(options), amount_rial=options.amount)
        case "refund":
            original, lines = Original(id=options.id), tuple(options.line)
            return await till.refund(original, lines=lines, amount_rial=options.amount)
        case _:
            return await till.reverse(Original(id=options.id))


def _show(heard: Answered | Waiting) -> int:
    if isinstance(heard, Waiting):
        print(receipt.of_waiting(heard))
        return UNKNOWN
    print(receipt.of_answer(heard.answer))
    status = getattr(heard.answer, "status", Status.COMPLETED)
    return DONE if status in (Status.COMPLETED, Status.HELD) else DECLINED


async def _show_status(till: Terminal, transaction_id: str) -> int:
    found = await till.status(transaction_id)
    print(receipt.of_status(found) if found else receipt.NOT_YET_KNOWN)
    return DONE if found else UNKNOWN


def _show_journal(till: Terminal) -> int:
    for written in till.journal.last(till.terminal, till.epoch):
        print(receipt.of_written(written))
    return DONE


async def _resend(till: Terminal) -> int:
    resent = await till.resend_unanswered()
    for one in resent:
        print(receipt.of_written(one.written))
        if one.problem is not None:
            print(receipt.of_problem(one.problem))
        elif one.heard is not None:
            _show(one.heard)
    if not resent:
        print(receipt.NOTHING_LEFT)
    return DONE if all(isinstance(one.heard, Answered) for one in resent) else UNKNOWN


def _identifier(options: argparse.Namespace) -> Identifier:
    if options.card:
        return card(options.card)
    return mobile(options.mobile) if options.mobile else qr(options.qr)


def _line(text: str) -> Line:
    number, amount, *category = text.split(":")
    return Line(line=int(number), amount_rial=int(amount), category=category[0] if category else "")


def _refund_line(text: str) -> RefundLine:
    number, amount = text.split(":")
    return RefundLine(line=int(number), amount_rial=int(amount))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m peyvand.terminal", description=receipt.ABOUT)
    parser.add_argument(
        "--till", type=Path, default=Path("till.sqlite"), help="پروندهٔ صندوق · the till's file"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    setup = commands.add_parser("setup", help="راه‌اندازی · address, key and epoch of the till")
    setup.add_argument("--url", required=True)
    setup.add_argument("--key", required=True)
    setup.add_argument("--epoch", type=int, required=True)
    _member(commands.add_parser("inquire", help="موجودی · balance and preview"), amount=False)
    purchase = _member(commands.add_parser("purchase", help="خرید · sell"), amount=False)
    purchase.add_argument(
        "--line", type=_line, action="append", default=[], metavar="N:RIAL[:CATEGORY]"
    )
    redeem = _member(commands.add_parser("redeem", help="خرج امتیاز · spend points"), amount=True)
    redeem.add_argument("--points", type=int, default=0)
    redeem.add_argument("--credit", type=int, default=0, metavar="RIAL")
    refund = commands.add_parser("refund", help="برگشت کالا · take goods back")
    refund.add_argument("id")
    what = refund.add_mutually_exclusive_group()
    what.add_argument("--line", type=_refund_line, action="append", default=[], metavar="N:RIAL")
    what.add_argument("--amount", type=int, metavar="RIAL")
    commands.add_parser("reverse", help="لغو تراکنش · undo").add_argument("id")
    commands.add_parser("status", help="وضعیت · how it stands").add_argument("id")
    commands.add_parser("resend", help="ارسال دوباره · send what has no answer again")
    commands.add_parser("journal", help="دفتر صندوق · the last requests")
    return parser


def _member(parser: argparse.ArgumentParser, *, amount: bool) -> argparse.ArgumentParser:
    shown = parser.add_mutually_exclusive_group(required=True)
    shown.add_argument("--card")
    shown.add_argument("--mobile")
    shown.add_argument("--qr")
    parser.add_argument("--amount", type=int, default=0, required=amount, metavar="RIAL")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

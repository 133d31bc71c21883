"""A till on the command line: `python -m peyvand.terminal purchase --card … --amount …`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from peyvand import client, errors
from peyvand.models import (
    Answer,
    Answered,
    Identifier,
    Kind,
    Original,
    Pending,
    Redeem,
    Status,
    Transaction,
    card,
    mobile,
    qr,
)
from peyvand.terminal import command_line, receipt, typed
from peyvand.terminal.journal import Journal, Written
from peyvand.terminal.outcome import CommandResult, Exit
from peyvand.terminal.till import REVERSIBLE, Resent, Terminal

_KINDS: Final = {
    "purchase": Kind.PURCHASE,
    "redeem": Kind.REDEMPTION,
    "hold": Kind.AUTHORISATION,
    "capture": Kind.CAPTURE,
    "void": Kind.VOID,
    "top-up": Kind.TOP_UP,
    "refund": Kind.REFUND,
}


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status, one of Exit."""
    try:
        options = command_line.read(arguments)
    except command_line.Misused as misused:
        return _print(CommandResult(Exit.UNUSABLE, str(misused)), as_json="--json" in arguments)
    if options.command == "enrol":
        return _print(CommandResult(Exit.UNUSABLE, receipt.ENROL), as_json=options.json)
    journal = Journal(options.till)
    try:
        result = _setup(journal, options) if options.command == "setup" else _ran(journal, options)
    finally:
        journal.close()
    return _print(result, as_json=options.json)


def _print(result: CommandResult, *, as_json: bool) -> int:
    if as_json:
        print(msgspec.json.encode(result.as_fields()).decode())
    else:
        print(result.text, file=sys.stderr if result.exit == Exit.UNUSABLE else sys.stdout)
    return result.exit


def _setup(journal: Journal, options: argparse.Namespace) -> CommandResult:
    parts = options.key.split("_")
    if len(parts) < 4 or parts[0] != "pvt" or not parts[1].isdigit():
        return CommandResult(Exit.UNUSABLE, receipt.BAD_KEY)
    if not options.url.startswith(("http://", "https://")):
        return CommandResult(Exit.UNUSABLE, receipt.BAD_URL)
    journal.remember("url", options.url)
    journal.remember("key", options.key)
    journal.remember("terminal", parts[1])
    journal.remember("epoch", str(options.epoch))
    following = journal.begin_at(int(parts[1]), options.epoch, options.next)
    return CommandResult(Exit.DONE, receipt.set_up(following), {"next": following})


def _ran(journal: Journal, options: argparse.Namespace) -> CommandResult:
    try:
        return asyncio.run(_run(journal, options))
    except errors.Problem as problem:
        return receipt.refused(problem)
    except errors.OutcomeUnknown as unknown:
        return receipt.unknown(unknown)
    except errors.BadReply as reply:
        return CommandResult(Exit.UNKNOWN, f"{receipt.UNKNOWN}\n{receipt.BAD_REPLY} ({reply})")


async def _run(journal: Journal, options: argparse.Namespace) -> CommandResult:
    url, key = journal.setting("url"), journal.setting("key")
    terminal, epoch = journal.setting("terminal"), journal.setting("epoch")
    if url is None or key is None or terminal is None or epoch is None:
        return CommandResult(Exit.UNUSABLE, receipt.NOT_SET_UP)
    async with client.Client(url, key) as api:
        till = Terminal(api, journal, terminal=int(terminal), epoch=int(epoch))
        match options.command:
            case "status":
                return await _status(till, options.id)
            case "journal":
                return _journal(till)
            case "resend":
                return await _resend(till)
            case "drop":
                return _drop(till, options)
            case "reverse":
                return await _reverse(till, options.id)
            case _:
                return await _transact(till, options)


async def _transact(till: Terminal, options: argparse.Namespace) -> CommandResult:
    if options.command == "inquire":
        who = _identifier(options)
        return _result_of(await till.inquire(who, amount_rial=options.amount))
    alike = None if options.again else _open_alike(till, options)
    if alike is not None:
        return CommandResult(
            Exit.UNKNOWN, receipt.open_alike(alike), {"name": receipt.name_of(alike)}
        )
    match options.command:
        case "purchase":
            lines = tuple(options.line)
            amount = options.amount or sum(line.amount_rial for line in lines)
            if not amount:
                return CommandResult(Exit.UNUSABLE, receipt.NO_AMOUNT)
            who = _identifier(options)
            return _result_of(await till.purchase(who, amount_rial=amount, lines=lines))
        case "redeem":
            who, redeem = _identifier(options), _redeem(options)
            return _result_of(await till.redeem(who, redeem, amount_rial=options.amount))
        case "hold":
            who, redeem, hold_s = _identifier(options), _redeem(options), _seconds(options)
            return _result_of(
                await till.authorise(who, redeem, amount_rial=options.amount, hold_s=hold_s)
            )
        case "capture":
            original, redeem = _original(till, options.id), _redeem_or_all(options)
            return _result_of(
                await till.capture(original, amount_rial=options.amount, redeem=redeem)
            )
        case "top-up":
            who = _identifier(options)
            return _result_of(await till.top_up(who, amount_rial=options.amount))
        case "void":
            return _result_of(await till.void(_original(till, options.id)))
        case _:
            original, lines = Original(id=options.id), tuple(options.line)
            return _result_of(await till.refund(original, lines=lines, amount_rial=options.amount))


def _redeem(options: argparse.Namespace) -> Redeem:
    return Redeem(points=options.points, credit_rial=options.credit)


def _redeem_or_all(options: argparse.Namespace) -> Redeem | None:
    return _redeem(options) if options.points or options.credit else None


def _seconds(options: argparse.Namespace) -> int | None:
    return None if options.minutes is None else options.minutes * 60


def _original(till: Terminal, text: str) -> Original:
    """What is captured or freed, by its id or by its name in this till's journal."""
    name = typed.name(text, till.terminal, till.epoch)
    written = None if name is None or ".t." in text else till.journal.find(name)
    if written is None or written.answer is None:
        return Original(id=text)
    return Original(id=msgspec.json.decode(written.answer, type=Answer).id)


def _open_alike(till: Terminal, options: argparse.Namespace) -> Written | None:
    """An open request that asks for the very same: keyed again, it would count twice."""
    for written in till.unanswered():
        sent = msgspec.json.decode(written.body, type=Transaction)
        if written.kind is _KINDS[options.command] and _asks_for(till, sent, options):
            return written
    return None


def _asks_for(till: Terminal, sent: Transaction, options: argparse.Namespace) -> bool:
    if options.command in ("capture", "void"):
        return sent.original == _original(till, options.id)  # each of them counts once
    if options.command == "refund":
        same = sent.original == Original(id=options.id)
        return same and (sent.amount_rial, sent.refund_lines) == (
            options.amount or 0,
            tuple(options.line),
        )
    if sent.identifier != _identifier(options):
        return False
    if options.command == "top-up":
        return sent.amount_rial == options.amount
    if options.command == "purchase":
        amount = options.amount or sum(line.amount_rial for line in options.line)
        return (sent.amount_rial, sent.lines) == (amount, tuple(options.line))
    redeem = _redeem(options)
    return (sent.amount_rial, sent.redeem) == (options.amount, redeem)


async def _reverse(till: Terminal, text: str) -> CommandResult:
    """Undo by the journal's name or by an id; the journal knows whose card it was."""
    name = typed.name(text, till.terminal, till.epoch)
    written = None if name is None else till.journal.find(name)
    if written is not None:
        if written.kind not in REVERSIBLE:
            return CommandResult(Exit.UNUSABLE, receipt.NOT_REVERSIBLE)
        return _result_of(await till.reverse_written(written))
    if name is not None and ".t." not in text:
        return CommandResult(Exit.UNUSABLE, receipt.NOT_IN_JOURNAL)
    return _result_of(await till.reverse(Original(id=text)))


def _drop(till: Terminal, options: argparse.Namespace) -> CommandResult:
    name = typed.name(options.id, till.terminal, till.epoch)
    written = None if name is None else till.journal.find(name)
    if written is None:
        return CommandResult(Exit.UNUSABLE, receipt.NOT_IN_JOURNAL)
    if written.answer is not None or written.refusal is not None:
        return CommandResult(Exit.UNUSABLE, receipt.of_written(written) + "\n" + receipt.NOT_OPEN)
    if not options.yes:
        print(receipt.of_written(written), receipt.DROP_ASKS, sep="\n", file=sys.stderr)
        if typed.name(sys.stdin.readline(), till.terminal, till.epoch) != written.name:
            return CommandResult(Exit.UNUSABLE, receipt.NOT_DROPPED)
    till.drop(written)
    return CommandResult(Exit.DONE, receipt.DROP_DONE, {"name": receipt.name_of(written)})


def _result_of(outcome: Answered | Pending) -> CommandResult:
    if isinstance(outcome, Pending):
        return CommandResult(Exit.UNKNOWN, receipt.of_waiting(outcome), {"id": outcome.accepted.id})
    status = getattr(outcome.answer, "status", Status.COMPLETED)
    exits = Exit.DONE if status in (Status.COMPLETED, Status.HELD) else Exit.DECLINED
    return CommandResult(
        exits, receipt.of_answer(outcome.answer), {"answer": msgspec.Raw(outcome.body)}
    )


async def _status(till: Terminal, transaction_id: str) -> CommandResult:
    status = await till.status(transaction_id)
    if status is None:
        return CommandResult(Exit.UNKNOWN, receipt.NOT_YET_KNOWN)
    fields = {"answer": msgspec.Raw(status.first_answer_body), "current": status.current}
    return CommandResult(Exit.DONE, receipt.of_status(status), fields)


def _journal(till: Terminal) -> CommandResult:
    entries = till.journal.last(till.terminal, till.epoch)
    text = "\n".join(map(receipt.of_written, entries)) or receipt.EMPTY
    return CommandResult(
        Exit.DONE, text, {"requests": [receipt.fields_of(written) for written in entries]}
    )


async def _resend(till: Terminal) -> CommandResult:
    """0 when nothing is open any more, 3 when something was refused for good, 2 when open."""
    resent = await till.resend_unanswered()
    fields: dict[str, Any] = {"requests": [_resent_fields(one) for one in resent]}
    if not resent:
        return CommandResult(Exit.DONE, receipt.NOTHING_LEFT, fields)
    text = "\n".join(receipt.of_resent(one) for one in resent)
    if not all(one.settled for one in resent):
        return CommandResult(Exit.UNKNOWN, text, fields)
    return CommandResult(
        Exit.REFUSED if any(one.problem for one in resent) else Exit.DONE, text, fields
    )


def _resent_fields(one: Resent) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": receipt.name_of(one.written), "settled": one.settled}
    if one.problem is not None:
        fields["problem"] = receipt.problem_fields(one.problem)
    if isinstance(one.outcome, Answered):
        fields["answer"] = msgspec.Raw(one.outcome.body)
    return fields


def _identifier(options: argparse.Namespace) -> Identifier:
    if options.card:
        return card(options.card)
    return mobile(options.mobile) if options.mobile else qr(options.qr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The command line: audit a book, or export one."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from verifier import folder, signed
from verifier.audit import Report, Source, audit
from verifier.books import Unreadable
from verifier.checkpoints import CheckpointRefused

SHOWN_MAX = 40
SENT_SHOWN_MAX = 10
console = Console(stderr=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """0: no findings. 1: findings. 2: the book, a key or a checkpoint cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        return _export(options) if options.command == "export" else _audit(options)
    except (Unreadable, CheckpointRefused, OSError) as error:
        console.print(f"cannot be read: {error}", markup=False, soft_wrap=True)
        return 2


def _audit(options: argparse.Namespace) -> int:
    keys = signed.keys_of(options.key)
    source = Source(dsn=options.dsn or "", folder=str(options.book or ""))
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("leaves", total=None)
        report = audit(
            source,
            keys=keys,
            checkpoints=options.checkpoints,
            cores=options.cores or os.cpu_count() or 1,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if options.report:
        report.write(options.report)
    _show(report)
    return 0 if report.findings.count == 0 else 1


def _show(report: Report) -> None:
    figures = report.as_json()
    console.print(
        f"{figures['leaves']:,} leaves and {figures['entries']:,} entries of"
        f" {figures['shards']} shards in {figures['seconds']:.1f} s:"
        f" {figures['entries_per_s']:,} entries/s",
        highlight=False,
    )
    for finding in report.findings.listed[:SHOWN_MAX]:
        console.print(f"- {finding.text}", markup=False, highlight=False, soft_wrap=True)
    more = report.findings.count - SHOWN_MAX
    if more > 0:
        console.print(f"… and {more:,} more", highlight=False)
    _show_sent_twice(report)
    words = (
        "nothing is wrong" if not report.findings.count else f"{report.findings.count:,} findings"
    )
    console.print(words, highlight=False)


def _show_sent_twice(report: Report) -> None:
    """Not findings: their senders used one name for members of several shards."""
    sent = report.sent_twice
    if sent.count:
        console.print(
            f"names answered in more than one shard, sent so by their tills: {sent.count:,}",
            highlight=False,
        )
    for sent_name in sent.listed[:SENT_SHOWN_MAX]:
        shards = ", ".join(map(str, sent_name.shards))
        console.print(
            f"  terminal {sent_name.terminal}, merchant {sent_name.merchant}: {sent_name.name}"
            f" in shards {shards}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def _export(options: argparse.Namespace) -> int:
    async def run() -> None:
        book = await Source(dsn=options.dsn).open()
        try:
            await folder.export(book, options.book)
        finally:
            await book.close()

    asyncio.run(run())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="verifier", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checked = commands.add_parser("audit", help="check a book; exit 1 on findings")
    where = checked.add_mutually_exclusive_group(required=True)
    where.add_argument("--dsn", help="address of the ledger's database; only read")
    where.add_argument("--book", type=Path, help="folder of an exported book")
    checked.add_argument(
        "--key", action="append", default=[], help="name+id+base64, or a file of such lines"
    )
    checked.add_argument("--checkpoints", type=Path, help="folder of published checkpoints")
    checked.add_argument("--report", type=Path, help="where to write the report (JSON)")
    checked.add_argument("--cores", type=int, help="processes; as many as cores by default")
    exported = commands.add_parser("export", help="write a book to a folder")
    exported.add_argument("--dsn", required=True)
    exported.add_argument("--book", type=Path, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Many members at once: numbered lines in, chunks over HTTP, bad lines back by number."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from peyvand import errors, transport
from peyvand.administration import BadLine, ImportedLine, ImportReport
from peyvand.operators import Operator

CHUNK_LINES: Final = 5_000  # the network takes 10,000 a call at most
CHUNK_S: Final = 120.0
PARALLEL: Final = 2

Numbered = tuple[int, bytes]  # a line's number in its file, from 1, and its JSON
Progress = Callable[[int], None]  # how many lines are done in all


class _BadLine(Struct, frozen=True):
    line: int
    code: str = ""
    detail: str = ""
    fa: str = ""


class _Counts(Struct, frozen=True):
    """The answer to a chunk; line numbers are the chunk's, from 1."""

    enrolled: int
    known: int
    bad: list[_BadLine] = []


async def import_members(
    operator: Operator,
    lines: Iterable[Numbered],
    *,
    progress: Progress | None = None,
    chunk_lines: int = CHUNK_LINES,
    check: bool = False,
) -> ImportReport:
    """Enrol everybody in the lines; a second time changes nothing.

    check: enrol nobody; who is no member is listed as bad, `unknown-member`.

    lines: (number, one JSON object as of `line_of`). Chunks go PARALLEL at a time and are
    repeated whole when unanswered. Raises Problem when the network refuses a whole chunk.
    """
    report = ImportReport()
    chunks = _chunks(lines, chunk_lines)
    while group := list(itertools.islice(chunks, PARALLEL)):
        sent = await _send_all(operator, group, check=check)
        for chunk, counts in zip(group, sent, strict=True):
            _add(report, chunk, counts)
        if progress is not None:
            progress(report.lines)
    report.bad.sort(key=lambda bad: bad.line)
    return report


def line_of(fields: ImportedLine) -> bytes:
    """The JSON of one member."""
    return msgspec.json.encode(fields)


async def _send_all(
    operator: Operator, chunks: Sequence[Sequence[Numbered]], *, check: bool
) -> list[_Counts]:
    try:
        async with asyncio.TaskGroup() as tasks:
            sent = [tasks.create_task(_send(operator, chunk, check=check)) for chunk in chunks]
    except ExceptionGroup as group:
        raise group.exceptions[0] from group  # callers expect a problem, not a group of them
    return [task.result() for task in sent]


async def _send(operator: Operator, chunk: Sequence[Numbered], *, check: bool) -> _Counts:
    path = transport.path_of("members", "import", check="true" if check else None)
    reply = await operator.transport.request(
        "POST",
        path,
        b"\n".join(line for _, line in chunk) + b"\n",
        content_type="application/x-ndjson",
        request_s=CHUNK_S,
    )
    transport.raise_problem(f"POST {path}", reply)
    try:
        return msgspec.json.decode(reply.body, type=_Counts)
    except msgspec.MsgspecError as error:
        raise errors.BadReply(f"POST {path}", status=reply.status, body=reply.body) from error


def _chunks(lines: Iterable[Numbered], size: int) -> Iterator[list[Numbered]]:
    source = iter(lines)
    return iter(lambda: list(itertools.islice(source, size)), [])


def _add(report: ImportReport, chunk: Sequence[Numbered], counts: _Counts) -> None:
    report.lines += len(chunk)
    report.enrolled += counts.enrolled
    report.known += counts.known
    report.bad.extend(
        BadLine(line=chunk[bad.line - 1][0], code=bad.code, detail=bad.detail, fa=bad.fa)
        for bad in counts.bad
    )

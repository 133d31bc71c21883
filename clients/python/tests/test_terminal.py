"""The simulated till: written before sent, resent under the same name, shown Persian first."""

import asyncio
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import peyvand
from peyvand import requests
from peyvand.terminal import Durability, Journal, Terminal, __main__, outcome

AT = datetime(2026, 3, 21, 9, 30, tzinfo=UTC)
WHO = peyvand.card("6037990000000006")


def _answer(sequence: int, **more: object) -> bytes:
    fields = {
        "id": f"3.t.7.2.{sequence}",
        "kind": "purchase",
        "status": "completed",
        "occurred_at": "2026-03-21T09:30:00Z",
        "accepted_at": "2026-03-21T09:30:00Z",
        "points_earned": 1234567,
        "moved": [{"what": "earned", "unit": "NP", "amount": 1234567}],
        "fa": "پانزده امتیاز گرفتید",
        "en": "You earned points",
    }
    return json.dumps(fields | more).encode()


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    made = Journal(tmp_path / "till.sqlite", durability=Durability.PROCESS_CRASH)
    yield made
    made.close()


@pytest.fixture
def till(client: peyvand.Client, journal: Journal) -> Terminal:
    return Terminal(client, journal, terminal=7, epoch=2, now=lambda: AT)


async def test_numbers_rise_by_one_and_answers_are_kept(
    scripted: Any, till: Terminal, reply: Any
) -> None:
    scripted.script = [reply(200, _answer(1)), reply(200, _answer(2))]
    await till.purchase(WHO, amount_rial=100)
    await till.purchase(WHO, amount_rial=200)
    sent = [json.loads(seen.body) for seen in scripted.seen]
    assert [(s["terminal"], s["epoch"], s["sequence"]) for s in sent] == [(7, 2, 1), (7, 2, 2)]
    assert till.unanswered() == []
    found = till.journal.find(peyvand.TillReference(7, 2, 2))
    assert found is not None
    assert found.answer == _answer(2)


async def test_a_request_is_on_disk_before_it_is_sent(
    scripted: Any, till: Terminal, journal: Journal, tmp_path: Path
) -> None:
    on_disk: list[int] = []

    async def answer(request: Any, body: bytes) -> Any:
        from aiohttp import web

        other = Journal(tmp_path / "till.sqlite")
        on_disk.append(len(other.unanswered(7, 2)))
        other.close()
        return web.Response(status=200, body=_answer(1))

    scripted.script = [answer]
    await till.purchase(WHO, amount_rial=100)
    assert on_disk == [1]


async def test_after_an_unknown_outcome_the_same_bytes_are_sent_again(
    scripted: Any, till: Terminal, reply: Any
) -> None:
    scripted.script = [reply(503, b'{"code":"outcome-unknown"}')]
    with pytest.raises(peyvand.OutcomeUnknown):
        await till.purchase(WHO, amount_rial=100)
    (left,) = till.unanswered()
    scripted.script = [reply(200, _answer(1))]
    (resent,) = await till.resend_unanswered()
    assert isinstance(resent.outcome, peyvand.Answered)
    assert {seen.body for seen in scripted.seen} == {left.body}
    assert till.unanswered() == []
    scripted.script = [reply(200, _answer(2))]
    await till.purchase(WHO, amount_rial=100)
    assert json.loads(scripted.seen[-1].body)["sequence"] == 2


async def test_a_refusal_ends_a_request_and_its_caller_alone_may_send_it_again(
    scripted: Any, till: Terminal, reply: Any
) -> None:
    scripted.script = [reply(404, b'{"code":"card-unknown"}')]
    with pytest.raises(peyvand.NotFound):
        await till.purchase(WHO, amount_rial=100)
    assert till.unanswered() == []
    found = till.journal.find(peyvand.TillReference(7, 2, 1))
    assert found is not None
    assert found.refusal == "card-unknown"
    with pytest.raises(peyvand.NotFound):
        await till.send(found)
    scripted.script = [reply(200, _answer(1))]
    await till.send(found)
    found = till.journal.find(peyvand.TillReference(7, 2, 1))
    assert found is not None
    assert (found.answer, found.refusal) == (_answer(1), None)


async def test_one_written_request_may_be_sent_many_times(
    scripted: Any, till: Terminal, reply: Any
) -> None:
    scripted.script = [reply(200, _answer(1))]
    written = till.prepare(
        peyvand.Kind.PURCHASE,
        lambda name: requests.purchase(name, WHO, amount_rial=5, occurred_at=AT),
    )
    for _ in range(3):
        await till.send(written)
    assert {seen.body for seen in scripted.seen} == {written.body}


async def test_every_kind_is_written_down(scripted: Any, till: Terminal, reply: Any) -> None:
    scripted.script = [reply(200, _answer(1))]
    original = peyvand.Original(id="3.t.7.2.1")
    await till.redeem(WHO, peyvand.Redeem(points=5), amount_rial=100)
    await till.authorise(WHO, peyvand.Redeem(points=5), amount_rial=100, hold_s=900)
    await till.capture(original, amount_rial=90)
    await till.void(original)
    await till.top_up(WHO, amount_rial=100)
    await till.refund(original, lines=(peyvand.RefundLine(line=1, amount_rial=3),))
    await till.refund(original, amount_rial=3)
    await till.reverse(original)
    await till.inquire(WHO)
    kinds = [written.kind.value for written in till.journal.last(7, 2)]
    assert kinds == [
        "inquiry", "reversal", "refund", "refund", "top-up", "void", "capture", "authorisation",
        "redemption",
    ]  # fmt: skip


def test_epochs_count_apart_and_a_failed_draft_takes_no_number(journal: Journal) -> None:
    kind = peyvand.Kind.PURCHASE
    with pytest.raises(ZeroDivisionError):
        journal.write(7, 2, kind, lambda name: bytes(1 // 0))
    assert journal.write(7, 2, kind, lambda _: b"a").name.sequence == 1
    assert journal.write(7, 3, kind, lambda _: b"b").name.sequence == 1
    assert journal.write(7, 2, kind, lambda _: b"c").name.sequence == 2


def test_only_old_ended_requests_are_forgotten(journal: Journal) -> None:
    names = [journal.write(7, 2, peyvand.Kind.PURCHASE, lambda _: b"x").name for _ in range(10)]
    journal.refused(names[1], "card-unknown")
    for name in names[2:]:
        journal.answered(name, b"first")
    journal.answered(names[9], b"second")
    journal.forget_ended(7, 2, keep=3)
    left = journal.last(7, 2)
    assert [written.name.sequence for written in left] == [10, 9, 8, 1]
    assert left[0].answer == b"first"


CRASHING = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import peyvand
from peyvand import requests
from peyvand.terminal import Journal, Terminal

client = peyvand.Client("http://127.0.0.1:9", "pvt_7_a_b")
till = Terminal(client, Journal(Path(sys.argv[1])), terminal=7, epoch=2)
at = datetime(2026, 3, 21, 9, 30, tzinfo=UTC)
till.prepare(
    peyvand.Kind.PURCHASE,
    lambda name: requests.purchase(name, peyvand.card("6037"), amount_rial=5, occurred_at=at),
)
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_killed_between_writing_and_sending_the_same_name_is_sent_later(
    scripted: Any, client: peyvand.Client, reply: Any, tmp_path: Path
) -> None:
    path = tmp_path / "crashed.sqlite"
    killed = await asyncio.to_thread(_python, "-c", CRASHING, str(path))
    assert killed.returncode == -signal.SIGKILL
    journal = Journal(path)
    till = Terminal(client, journal, terminal=7, epoch=2)
    scripted.script = [reply(200, _answer(1))]
    (resent,) = await till.resend_unanswered()
    assert isinstance(resent.outcome, peyvand.Answered)
    assert json.loads(scripted.seen[0].body)["sequence"] == 1
    scripted.script = [reply(200, _answer(2))]
    await till.purchase(WHO, amount_rial=5)
    assert json.loads(scripted.seen[1].body)["sequence"] == 2
    journal.close()


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=dict(os.environ) | {"PYTHONUTF8": "1"},
    )


async def _command(path: Path, *arguments: str) -> tuple[int, str]:
    said_out = io.StringIO()
    with contextlib.redirect_stdout(said_out), contextlib.redirect_stderr(io.StringIO()):
        status = await asyncio.to_thread(__main__.main, ["--till", str(path), *arguments])
    return status, said_out.getvalue()


async def test_the_command_line_prints_persian_first(
    scripted: Any, reply: Any, tmp_path: Path
) -> None:
    path = tmp_path / "till.sqlite"
    early = await _command(path, "inquire", "--card", "6037990000000006")
    assert early[0] == outcome.Exit.UNUSABLE
    bad = await _command(path, "setup", "--url", scripted.url, "--key", "pvo_x", "--epoch", "2")
    assert bad[0] == outcome.Exit.UNUSABLE
    key = "pvt_7_abc_secret"
    await _command(path, "setup", "--url", scripted.url, "--key", key, "--epoch", "2")
    scripted.script = [reply(200, _answer(1))]
    sold = await _command(path, "purchase", "--card", "6037990000000006", "--amount", "150000")
    assert sold[0] == outcome.Exit.DONE, sold
    lines = sold[1].splitlines()
    assert lines[0] == "پانزده امتیاز گرفتید"
    assert lines[1] == "You earned points"
    assert "امتیاز گرفته‌شده: ۱٬۲۳۴٬۵۶۷ · points earned: 1,234,567" in lines
    scripted.script = [reply(200, _answer(2, status="declined"))]
    declined = await _command(path, "redeem", "--qr", "PV1x", "--amount", "100", "--points", "5")
    assert declined[0] == outcome.Exit.DECLINED
    scripted.script = [
        reply(422, b'{"code":"refund-too-large","fa":"\xd9\x86\xd9\x87","detail":"no"}')
    ]
    refused = await _command(path, "refund", "3.t.7.2.1", "--line", "1:100")
    assert refused[0] == outcome.Exit.REFUSED
    assert refused[1].splitlines() == ["نه", "no (refund-too-large)"]
    journal = await _command(path, "journal")
    assert [line.split("  ")[1] for line in journal[1].splitlines()] == [
        "refund",
        "redemption",
        "purchase",
    ]
    assert "refused, nothing posted (refund-too-large)" in journal[1].splitlines()[0]
    sent = len(scripted.seen)
    resent = await _command(path, "resend")
    assert (resent[0], len(scripted.seen)) == (outcome.Exit.DONE, sent)

"""One sale is one sale: what a refusal, a silence or a lost journal leaves behind at a till."""

import asyncio
import contextlib
import io
import json
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import peyvand
from peyvand.terminal import Durability, Journal, Terminal, __main__, command_line, outcome, typed

from .fake_gateway import Gateway

AT = datetime(2026, 3, 21, 9, 30, tzinfo=UTC)
MOBILE = "09121113333"
Run = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


@pytest.fixture
def gateway(scripted: Any) -> Gateway:
    made = Gateway()
    scripted.script = [made.answer]
    return made


@pytest.fixture
def run(scripted: Any, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`await run("purchase", …)`: the command line, its exit status and its JSON."""

    async def command(*arguments: str, stdin: str = "") -> tuple[int, dict[str, Any]]:
        if arguments[0] == "setup":
            arguments = (*arguments, "--url", scripted.url, "--key", "pvt_3003_abc_secret")
        if "--till" not in arguments:
            arguments = (*arguments, "--till", str(tmp_path / "till.sqlite"))
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        said_out = io.StringIO()
        with contextlib.redirect_stdout(said_out):
            status = await asyncio.to_thread(__main__.main, ["--json", *arguments])
        return status, json.loads(said_out.getvalue())

    return command


def _till(client: peyvand.Client, folder: Path, *, epoch: int = 1) -> Terminal:
    journal = Journal(folder / "till.sqlite", durability=Durability.PROCESS_CRASH)
    return Terminal(client, journal, terminal=3003, epoch=epoch, now=lambda: AT)


async def test_a_sale_keyed_again_after_a_refusal_is_one_sale(run: Run, gateway: Gateway) -> None:
    """The story of newcomer's bug 1, word for word."""
    await run("setup", "--epoch", "1")
    sale = ("purchase", "--mobile", MOBILE, "--amount", "1500000")
    status, told = await run(*sale)
    assert (status, told["problem"]["code"]) == (outcome.Exit.REFUSED, "unknown-identifier")
    gateway.members.add(MOBILE)
    status, told = await run(*sale)
    assert (status, told["answer"]["points_earned"]) == (outcome.Exit.DONE, 150)
    status, told = await run("resend")
    assert (status, told["requests"]) == (outcome.Exit.DONE, [])
    assert (list(gateway.posted), gateway.points) == (["3003.1.2"], 150)


async def test_refused_requests_are_not_sent_again_and_resend_ends(
    run: Run, gateway: Gateway, scripted: Any
) -> None:
    """Newcomer's bug 2."""
    gateway.members.add(MOBILE)
    await run("setup", "--epoch", "1")
    status, _ = await run(
        "purchase", "--mobile", MOBILE, "--amount", "100", "--line", "1:60", "--line", "2:50"
    )
    assert status == outcome.Exit.REFUSED
    seen = len(scripted.seen)
    for _ in range(2):
        assert (await run("resend"))[0] == outcome.Exit.DONE
    assert len(scripted.seen) == seen
    _, told = await run("journal")
    assert told["requests"] == [
        {
            "name": "3003.1.1",
            "kind": "purchase",
            "state": "refused",
            "code": "lines-do-not-add-up",
        }
    ]


async def test_a_sale_without_an_answer_is_reversed_by_its_name(run: Run, gateway: Gateway) -> None:
    """Newcomer's bug 3: no id is known, for no answer came; and the balance shown is true."""
    gateway.members.add(MOBILE)
    gateway.points = 480
    await run("setup", "--epoch", "1")
    gateway.mute = True
    status, _ = await run("purchase", "--mobile", MOBILE, "--amount", "1500000")
    assert (status, gateway.points) == (outcome.Exit.UNKNOWN, 630)
    gateway.mute = False
    status, told = await run("reverse", "3003.1.1")
    assert (status, told["answer"]["original"]) == (outcome.Exit.DONE, "4.t.3003.1.1")
    assert (told["answer"]["balance"]["points"], gateway.points) == (480, 480)
    assert (await run("resend"))[1]["requests"] == []
    _, told = await run("journal")
    assert [one["state"] for one in told["requests"]] == ["answered", "reversed"]


async def test_a_sale_that_never_arrived_is_reversed_and_can_never_come(
    client: peyvand.Client, gateway: Gateway, tmp_path: Path
) -> None:
    till = _till(client, tmp_path)
    gateway.members.add(MOBILE)
    gateway.down = True
    with pytest.raises(peyvand.OutcomeUnknown):
        await till.purchase(peyvand.mobile(MOBILE), amount_rial=1_500_000)
    gateway.down = False
    (left,) = till.unanswered()
    await till.reverse_written(left)
    assert till.unanswered() == []
    assert gateway.points == 0
    assert gateway.posted["3003.1.1"][1]["status"] == "declined"


async def test_what_may_have_arrived_is_not_settled_by_a_later_refusal(
    client: peyvand.Client, gateway: Gateway, tmp_path: Path, run: Run
) -> None:
    """Posted without an answer, then the card is unknown: refusing it says nothing of the first."""
    till = _till(client, tmp_path)
    gateway.members.add(MOBILE)
    gateway.mute = True
    with pytest.raises(peyvand.OutcomeUnknown):
        await till.purchase(peyvand.mobile(MOBILE), amount_rial=1_500_000)
    gateway.mute, gateway.members = False, set()
    (resent,) = await till.resend_unanswered()
    assert resent.problem is not None
    assert not resent.settled
    with pytest.raises(peyvand.OutcomeUnknown) as unknown:
        await till.send(resent.written)
    assert unknown.value.problem is not None
    assert len(till.unanswered()) == 1
    await run("setup", "--epoch", "1")
    status, told = await run("resend")
    assert (status, told["requests"][0]["settled"]) == (outcome.Exit.UNKNOWN, False)
    assert (await run("drop", "3003.1.1"))[0] == outcome.Exit.UNUSABLE
    assert (await run("drop", "3003.1.1", stdin="3003.1.7\n"))[0] == outcome.Exit.UNUSABLE
    assert (await run("drop", "3003.1.1", stdin="۱\n"))[0] == outcome.Exit.DONE
    assert (await run("resend"))[0] == outcome.Exit.DONE
    assert (await run("drop", "1", "--yes"))[0] == outcome.Exit.UNUSABLE


async def test_a_refusal_within_the_retries_of_a_silence_is_no_refusal(
    scripted: Any, client: peyvand.Client, gateway: Gateway, tmp_path: Path, cut: Any
) -> None:
    scripted.script = [cut(), gateway.answer]
    till = _till(client, tmp_path)
    with pytest.raises(peyvand.OutcomeUnknown, match="unknown-identifier"):
        await till.purchase(peyvand.mobile(MOBILE), amount_rial=1_500_000)
    assert len(till.unanswered()) == 1


async def test_a_gateway_that_took_nothing_leaves_no_doubt(
    scripted: Any, client: peyvand.Client, gateway: Gateway, tmp_path: Path, reply: Any
) -> None:
    busy = reply(503, b'{"code":"gateway-busy"}')
    scripted.script = [busy, reply(429, b'{"code":"rate-limited"}'), gateway.answer]
    till = _till(client, tmp_path)
    with pytest.raises(peyvand.Invalid):
        await till.purchase(peyvand.mobile(MOBILE), amount_rial=1_500_000)
    assert till.unanswered() == []


async def test_a_refusal_after_202_does_not_undo_what_stands(
    scripted: Any, client: peyvand.Client, tmp_path: Path, reply: Any
) -> None:
    scripted.script = [reply(202, b'{"id":"4.t.3003.1.1"}'), reply(401, b'{"code":"key-revoked"}')]
    till = _till(client, tmp_path)
    with pytest.raises(peyvand.OutcomeUnknown, match="key-revoked"):
        await till.purchase(peyvand.mobile(MOBILE), amount_rial=1_500_000)
    assert len(till.unanswered()) == 1


async def test_a_lost_journal_goes_on_after_the_last_receipt(
    run: Run, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.members.add(MOBILE)
    await run("setup", "--epoch", "1")
    for amount in ("100000", "200000"):
        await run("purchase", "--mobile", MOBILE, "--amount", amount)
    lost = ("--till", str(tmp_path / "new.sqlite"))
    await run("setup", "--epoch", "1", *lost)
    status, told = await run("purchase", *lost, "--mobile", MOBILE, "--amount", "300000")
    assert (status, told["problem"]["code"]) == (
        outcome.Exit.REFUSED,
        "name-used-with-another-payload",
    )
    assert "--next" in told["text"]
    assert (await run("resend", *lost))[1]["requests"] == []
    assert (await run("setup", "--epoch", "1", "--next", "3", *lost))[1]["next"] == 3
    status, told = await run("purchase", *lost, "--mobile", MOBILE, "--amount", "300000")
    assert (status, told["answer"]["id"]) == (outcome.Exit.DONE, "4.t.3003.1.3")
    assert (await run("setup", "--epoch", "1", "--next", "2", *lost))[1]["next"] == 4


async def test_an_epoch_later_the_open_requests_of_the_last_one_are_still_sent(
    client: peyvand.Client, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.members.add(MOBILE)
    gateway.down = True
    with pytest.raises(peyvand.OutcomeUnknown):
        await _till(client, tmp_path).purchase(peyvand.mobile(MOBILE), amount_rial=1_500_000)
    gateway.down = False
    (resent,) = await _till(client, tmp_path, epoch=2).resend_unanswered()
    assert (resent.written.name, resent.settled) == (peyvand.TillReference(3003, 1, 1), True)
    assert gateway.points == 150


async def test_the_same_sale_is_not_sent_under_a_second_name_while_it_is_open(
    client: peyvand.Client, run: Run, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.members.add(MOBILE)
    gateway.down = True
    till = _till(client, tmp_path)
    with pytest.raises(peyvand.OutcomeUnknown):
        await till.purchase(peyvand.mobile(MOBILE), amount_rial=1_500_000)
    gateway.down = False
    await run("setup", "--epoch", "1")
    sale = ("purchase", "--mobile", MOBILE, "--amount", "۱٬۵۰۰٬۰۰۰")
    status, told = await run(*sale)
    assert (status, told["name"], gateway.points) == (outcome.Exit.UNKNOWN, "3003.1.1", 0)
    assert (await run("resend"))[0] == outcome.Exit.DONE
    assert (await run(*sale))[0] == outcome.Exit.DONE
    assert gateway.points == 300


async def test_a_journal_of_before_is_read_and_what_was_dropped_stays_so(
    client: peyvand.Client, tmp_path: Path
) -> None:
    path = tmp_path / "till.sqlite"
    old = sqlite3.connect(path)
    old.executescript("""
        create table requests (terminal integer not null, epoch integer not null,
            sequence integer not null, kind text not null, body blob not null, answer blob,
            primary key (terminal, epoch, sequence)) strict;
        insert into requests values (3003, 1, 1, 'purchase', x'7b7d', null),
            (3003, 1, 2, 'purchase', x'7b7d', x''), (3003, 1, 3, 'purchase', x'7b7d', x'7b7d');
    """)
    old.close()
    till = _till(client, tmp_path)
    states = [(one.name.sequence, one.refusal) for one in till.journal.last(3003, 1)]
    assert states == [(3, None), (2, "dropped"), (1, None)]
    assert [one.name.sequence for one in till.unanswered()] == [1]


@pytest.mark.parametrize("text", ["1500000", "1,500,000", "۱۵۰۰۰۰۰", "۱٬۵۰۰٬۰۰۰", " ١٥٠٠٠٠٠ "])
def test_amounts_are_read_in_every_spelling(text: str) -> None:
    assert typed.amount(text) == 1_500_000


@pytest.mark.parametrize(
    ("text", "why"),
    [("1.5", "fraction"), ("-5", "negative"), ("1,50", "whole"), ("", "whole"), ("ده", "whole"),
     ("²", "whole"), ("1" * 17, "whole")],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(Exception, match=why):
        typed.amount(text)


@pytest.mark.parametrize(
    "wrong",
    [
        ("purchase", "--mobile", MOBILE, "--amount", "1.5"),
        ("purchase", "--amount", "100"),
        ("purchase", "--mobile", MOBILE, "--line", "1"),
        ("refund", "4.t.3003.1.1", "--amount", "0"),
        ("fly",),
        ("enrol",),
        (),
    ],
)
def test_a_wrong_command_has_an_exit_status_of_its_own(wrong: tuple[str, ...]) -> None:
    """Newcomer's bug 5: 2 means that an outcome is unknown, and nothing else."""
    assert __main__.main([*wrong]) == outcome.Exit.UNUSABLE
    if wrong not in [("enrol",)]:
        with pytest.raises(command_line.Misused):
            command_line.read(wrong)

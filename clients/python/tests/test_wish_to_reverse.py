"""A sale that is to be reversed is not sent again, wherever the till dies on the way."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any

import msgspec
import pytest

import peyvand
from peyvand import requests, road
from peyvand.models import Kind, TillReference, original_named
from peyvand.terminal import Durability, Journal, Terminal, receipt
from peyvand.terminal.journal import Written

from .fake_gateway import Gateway

AT = datetime(2026, 3, 21, 9, 30, tzinfo=UTC)
SHOWN = peyvand.mobile("09121113333")
SALE = TillReference(3003, 1, 1)


class PowerCut(BaseException):
    """The till is gone."""


class Dies(Enum):
    """Between which steps of a reversal."""

    BEFORE_IT_IS_WRITTEN = auto()
    BEFORE_IT_IS_SENT = auto()
    BEFORE_ITS_ANSWER_IS_WRITTEN = auto()
    AFTER_ITS_ANSWER_IS_WRITTEN = auto()


class Dying(Journal):
    """A journal whose till loses its power."""

    at: Dies

    def write(
        self, terminal: int, epoch: int, kind: Kind, encode: Callable[[TillReference], bytes]
    ) -> Written:
        """Before, or after."""
        if self.at is Dies.BEFORE_IT_IS_WRITTEN:
            raise PowerCut
        written = super().write(terminal, epoch, kind, encode)
        if self.at is Dies.BEFORE_IT_IS_SENT:
            raise PowerCut
        return written

    def answered(self, name: TillReference, answer: bytes, *, reverses: str | None = None) -> None:
        """Before, or after."""
        if self.at is Dies.BEFORE_ITS_ANSWER_IS_WRITTEN:
            raise PowerCut
        super().answered(name, answer, reverses=reverses)
        raise PowerCut


@pytest.fixture
def gateway(scripted: Any) -> Gateway:
    made = Gateway(members={"09121113333"})
    scripted.script = [made.answer]
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "till.sqlite"


def _till(client: peyvand.Client, path: Path, kind: type[Journal] = Journal) -> Terminal:
    journal = kind(path, durability=Durability.PROCESS_CRASH)
    return Terminal(client, journal, terminal=3003, epoch=1, now=lambda: AT)


async def _left_open(till: Terminal, gateway: Gateway, *, posted: bool) -> Written:
    """A sale without an answer, posted or not."""
    gateway.mute, gateway.down = posted, not posted
    with pytest.raises(peyvand.OutcomeUnknown):
        await till.purchase(SHOWN, amount_rial=1_500_000)
    gateway.mute = gateway.down = False
    (left,) = till.unanswered()
    return left


def _states(till: Terminal) -> list[str]:
    """Newest first."""
    return [receipt.fields_of(one)["state"] for one in till.journal.last(3003, 1)]


def _sendings(scripted: Any, kind: Kind) -> int:
    return sum(msgspec.json.decode(seen.body)["kind"] == kind for seen in scripted.seen)


@pytest.mark.parametrize("posted", [True, False])
@pytest.mark.parametrize("at", [at for at in Dies if at is not Dies.BEFORE_IT_IS_WRITTEN])
async def test_a_till_that_dies_on_the_way_has_the_sale_reversed_and_never_sent_again(
    scripted: Any, client: peyvand.Client, gateway: Gateway, path: Path, at: Dies, posted: bool
) -> None:
    left = await _left_open(_till(client, path), gateway, posted=posted)
    dying = _till(client, path, Dying)
    assert isinstance(dying.journal, Dying)
    dying.journal.at = at
    with pytest.raises(PowerCut):
        await dying.reverse_written(left)
    sendings = _sendings(scripted, Kind.PURCHASE)
    again = _till(client, path)
    resent = await again.resend_unanswered()
    assert [one.written.kind for one in resent if one.settled] == [Kind.REVERSAL] * len(resent)
    assert len(resent) == (at is not Dies.AFTER_ITS_ANSWER_IS_WRITTEN)
    assert _sendings(scripted, Kind.PURCHASE) == sendings
    assert (gateway.points, _states(again), again.unanswered()) == (0, ["answered", "reversed"], [])
    assert await again.resend_unanswered() == []


async def test_a_wish_that_was_not_written_was_not_uttered(
    client: peyvand.Client, gateway: Gateway, path: Path
) -> None:
    left = await _left_open(_till(client, path), gateway, posted=True)
    dying = _till(client, path, Dying)
    assert isinstance(dying.journal, Dying)
    dying.journal.at = Dies.BEFORE_IT_IS_WRITTEN
    with pytest.raises(PowerCut):
        await dying.reverse_written(left)
    again = _till(client, path)
    (resent,) = await again.resend_unanswered()
    assert (resent.written.name, resent.settled, gateway.points) == (SALE, True, 150)


async def test_a_sale_given_up_is_not_posted_on_its_way_to_being_reversed(
    scripted: Any, client: peyvand.Client, gateway: Gateway, path: Path
) -> None:
    till = _till(client, path)
    left = await _left_open(till, gateway, posted=False)
    gateway.down = True
    for _ in range(2):  # asked twice, it is one reversal
        with pytest.raises(peyvand.OutcomeUnknown):
            await till.reverse_written(left)
    gateway.down = False
    with pytest.raises(ValueError, match=r"3003\.1\.1 is being reversed"):
        await till.send(left)
    sendings = _sendings(scripted, Kind.PURCHASE)
    (resent,) = await till.resend_unanswered()
    assert (resent.written.kind, resent.written.reverses) == (Kind.REVERSAL, "3003.1.1")
    assert _sendings(scripted, Kind.PURCHASE) == sendings
    with pytest.raises(ValueError, match=r"3003\.1\.1 is reversed"):
        await till.send(left)
    assert _states(till) == ["answered", "reversed"]
    assert "reversal of 3003.1.1" in receipt.of_written(till.journal.last(3003, 1)[0])


async def test_a_reversal_by_the_plain_call_is_the_same_wish(
    scripted: Any, client: peyvand.Client, gateway: Gateway, path: Path
) -> None:
    till = _till(client, path)
    await _left_open(till, gateway, posted=True)
    gateway.down = True
    with pytest.raises(peyvand.OutcomeUnknown):
        await till.reverse(original_named(SALE, AT), identifier=SHOWN)
    gateway.down = False
    assert [one.written.kind for one in await till.resend_unanswered()] == [Kind.REVERSAL]
    assert (gateway.points, _states(till)) == (0, ["answered", "reversed"])


async def test_a_reversal_that_was_refused_leaves_the_sale_to_be_asked_for(
    client: peyvand.Client, gateway: Gateway, path: Path
) -> None:
    """Nothing was undone: what became of the sale is still to be heard, in the same resending."""
    till = _till(client, path)
    left = await _left_open(till, gateway, posted=True)
    reversal = till.prepare(
        Kind.REVERSAL,
        lambda name: requests.reversal(
            name, original_named(SALE, AT), occurred_at=AT, identifier=peyvand.mobile("09120000000")
        ),
    )
    assert (reversal.reverses, till.unanswered()) == ("3003.1.1", [left, reversal])
    refused, sold = await till.resend_unanswered()
    assert refused.problem is not None
    assert (refused.written.name, refused.settled) == (reversal.name, True)
    assert (sold.written.name, sold.settled, gateway.points) == (SALE, True, 150)
    await till.reverse_written(sold.written)
    assert (gateway.points, _states(till)) == (0, ["answered", "refused", "reversed"])


async def test_an_answer_that_comes_after_the_reversal_does_not_unmake_it(
    client: peyvand.Client, gateway: Gateway, path: Path
) -> None:
    """Two programs at one journal: one waits for the sale, the other reverses it."""
    till = _till(client, path)
    left = await _left_open(till, gateway, posted=True)
    await till.reverse_written(left)
    till.journal.answered(SALE, msgspec.json.encode(gateway.posted["3003.1.1"][1]))
    till.journal.refused(SALE, "unknown-identifier")
    assert _states(till) == ["answered", "reversed"]
    assert "reversed" in receipt.of_written(till.journal.last(3003, 1)[-1])


async def test_who_gives_up_the_reversal_gives_up_the_sale_with_it(
    client: peyvand.Client, gateway: Gateway, path: Path
) -> None:
    """Sent again, the sale would hear its first answer, though the reversal may stand."""
    till = _till(client, path)
    left = await _left_open(till, gateway, posted=True)
    gateway.mute = True
    with pytest.raises(peyvand.OutcomeUnknown):
        await till.reverse_written(left)
    gateway.mute = False
    till.drop(till.unanswered()[-1])
    assert (_states(till), await till.resend_unanswered()) == (["dropped", "dropped"], [])


async def test_what_another_program_reversed_is_reversed_here_too(
    scripted: Any, client: peyvand.Client, gateway: Gateway, path: Path, reply: Any
) -> None:
    till = _till(client, path)
    left = await _left_open(till, gateway, posted=True)
    answer = gateway.posted["3003.1.1"][1] | {
        "id": "4.t.3003.1.2", "kind": "reversal", "status": "declined", "code": "already-reversed",
    }  # fmt: skip
    scripted.script = [reply(200, msgspec.json.encode(answer))]
    await till.reverse_written(left)
    assert _states(till) == ["answered", "reversed"]


OLD = """
    create table counters (terminal integer not null, epoch integer not null,
        next integer not null, primary key (terminal, epoch)) strict;
    insert into counters values (3003, 1, 5);
    create table requests (terminal integer not null, epoch integer not null,
        sequence integer not null, kind text not null, body blob not null, answer blob,
        refusal text, primary key (terminal, epoch, sequence)) strict;
"""


async def test_a_journal_of_before_holds_back_what_its_reversals_name(
    scripted: Any, client: peyvand.Client, gateway: Gateway, path: Path
) -> None:
    """Sale 1 is open and so is its reversal 2; sale 3 is open and its reversal 4 was answered."""
    undone = b'{"id":"4.t.3003.1.4","kind":"reversal","status":"completed","occurred_at":"2026-03-21T09:30:00Z","accepted_at":"2026-03-21T09:30:00Z"}'  # noqa: E501
    old = sqlite3.connect(path)
    old.executescript(OLD)
    for sale, answer in ((1, None), (3, undone)):
        name, back = TillReference(3003, 1, sale), TillReference(3003, 1, sale + 1)
        sold = requests.purchase(name, SHOWN, amount_rial=1_500_000, occurred_at=AT)
        named = original_named(name, AT)
        reversal = requests.reversal(back, named, occurred_at=AT, identifier=SHOWN)
        rows: list[tuple[Any, ...]] = [(*name, "purchase", road.encode(sold), None)]
        rows.append((*back, "reversal", road.encode(reversal), answer))
        old.executemany("insert into requests values (?, ?, ?, ?, ?, ?, null)", rows)
    old.commit()
    old.close()
    assert _states(_till(client, path)) == ["answered", "reversed", "open", "open"]
    till = _till(client, path)  # opened again, it is as it was
    assert _states(till) == ["answered", "reversed", "open", "open"]
    assert [one.written.name.sequence for one in await till.resend_unanswered()] == [2]
    assert (_sendings(scripted, Kind.PURCHASE), gateway.points) == (0, 0)
    assert _states(till) == ["answered", "reversed", "answered", "reversed"]

"""A driver under faults, in memory: what a network loses, repeats and shuffles, what dies.

Commands of the road and of beyond, and what the ledger itself says to its other shards, come in
over a bad network: sent again when lost, heard twice, overtaken. The ledger takes them in polls
and dies now and then in the middle of one, which the next process takes up cut otherwise. The
second model hears the log of what came, once.
"""

import copy
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from contracts.ledger import PostTransaction
from contracts.value import ReceiveBudget, ReceiveValue, ReturnValue
from contracts.values import Kind
from ledger.book.facts import AccountState
from ledger.log.domain import records
from ledger.posting.decide import commands
from ledger.posting.decide.batch_state import BatchState
from ledger.posting.decide.commands import Result

from .in_memory import InMemory
from .network_generators import NetworkStory

LOST, TWICE, LATE, DIES = 0.04, 0.05, 0.08, 0.08
CHAPTER = 400  # commands until other accounts take the stage: those before end up closed
OWN = (ReceiveValue, ReturnValue, ReceiveBudget)  # what the ledger itself says


class Record(NamedTuple):
    """A record of the log, as it came."""

    shard: int
    envelope: Envelope[Any]
    raw: bytes


class BadNetwork(InMemory):
    """One seed's: run() goes on by so many commands."""

    def __init__(self, seed: int, shards: Iterable[int]) -> None:
        super().__init__(shards)
        self.rng = random.Random(f"network {seed}")
        self.generator = NetworkStory(seed, self.models, road=0.6)
        for road in self.generator.roads.values():
            road.authorises = 14
        self.sent: list[tuple[int, int, Envelope[Any]]] = []  # when due, to which shard
        self.log: list[Record] = []
        self.at = self.taken = self.count = 0
        self.results: list[Result] = []
        self.seen: Counter[str] = Counter()

    # ---------------------------------------------------------------------------------- network

    def run(self, count: int) -> None:
        """So many commands more are sent; the ledger takes what has come."""
        for _ in range(count):
            self.count += 1
            if self.count % CHAPTER == 0:
                self.generator.turn()
            self.send(*self.generator.one())
            self.arrive()
            if len(self.log) - self.taken >= self.rng.choice((1, 3, 8, 20, 64)):
                self.take()

    def settle(self) -> None:
        """No command is new; what is on its way comes in, and what follows from it."""
        while self.sent or self.taken < len(self.log):
            self.arrive()
            self.take()

    def send(self, shard: int, envelope: Envelope[Any]) -> None:
        """Give a record to the network."""
        delay, data = 0, envelope.data
        chance = self.rng.random()
        if chance < LOST:  # whoever sent it waits, and sends it again under its name
            delay = self.rng.randrange(5, 60)
            self.seen["lost"] += 1
            self.seen["lost on its way to another shard"] += isinstance(data, OWN)
        elif chance < LOST + LATE:
            delay = self.rng.randrange(1, 20)
            self.seen["late"] += 1
        self.sent.append((self.at + delay, shard, envelope))
        if self.rng.random() < TWICE:
            self.sent.append((self.at + delay + self.rng.randrange(40), shard, envelope))
            self.seen["twice"] += 1
        if isinstance(data, PostTransaction) and data.kind is Kind.REVERSAL:
            names = {other.data.name for _, _, other in self.sent}
            self.seen["an undo and its original on their way"] += data.original in names

    def arrive(self) -> None:
        """What is due comes onto the log; of equals in any order."""
        self.at += 1
        due = [one for one in self.sent if one[0] <= self.at]
        self.sent = [one for one in self.sent if one[0] > self.at]
        self.rng.shuffle(due)
        for _, shard, envelope in due:
            late = replace(envelope, accepted_at=max(envelope.accepted_at, self.generator.at))
            known = late if self.rng.random() < 0.5 else envelope
            self.log.append(Record(shard, known, envelopes.encode(known)))

    # ----------------------------------------------------------------------------------- ledger

    def take(self) -> None:
        """The ledger takes a poll; it may die in the middle of it, more than once."""
        poll = self.log[self.taken :]
        died: list[Result] = []
        while poll and self.rng.random() < DIES:
            died = decide(fork(self.book), poll[: self.rng.randrange(1, len(poll) + 1)])
            self.seen["died in a poll"] += 1
        done = 0
        while done < len(poll):
            size = self.rng.choice((1, 2, 7, len(poll)))
            done += self.commit(poll[done : done + size])
        if died:
            again = self.results[self.taken : self.taken + len(died)]
            assert again == died, "decided otherwise when it was decided again"
            self.seen["decided again"] += any(one.decision for one in died)
        self.taken = len(self.log)

    def commit(self, piece: Sequence[Record]) -> int:
        """Decide some records for good, and compare; gives how many."""
        for record, result in zip(piece, decide(self.book, piece), strict=True):
            self.results.append(result)
            self.compare(record.shard, record.raw, result)
            self.follow(record.shard, record.envelope, result)
        return len(piece)

    def follow(self, shard: int, envelope: Envelope[Any], result: Result) -> None:
        """What follows from a command is on its way."""
        if result.decision is None:
            self.seen["the ledger's own heard twice"] += isinstance(envelope.data, OWN)
            return
        for to, body in result.decision.sends:
            self.send(*self.generator.arriving(to, body))
        if isinstance(envelope.data, ReturnValue) and self.rng.random() < 0.5:
            forged = replace(envelope.data, name=f"{envelope.data.name}.again")
            self.send(*self.generator.arriving(shard, forged))

    def replay(self, book: BatchState, sizes: Sequence[int]) -> list[Result]:
        """The whole log again, cut by sizes; gives the results."""
        results: list[Result] = []
        done = 0
        while done < len(self.log):
            size = self.rng.choice(sizes)
            results += decide(book, self.log[done : done + size])
            done += size
        return results


def decide(book: BatchState, piece: Sequence[Record]) -> list[Result]:
    """One batch."""
    return commands.decide(book, [records.command_from(one.shard, one.raw) for one in piece])


def fork(book: BatchState) -> BatchState:
    """A book that goes its own way from here: what the process that dies had in memory."""
    made = BatchState(
        shards=copy.deepcopy(book.shards),
        known=dict(book.known),
        originals=dict(book.originals),
        guarded=set(book.guarded),
        fresh=dict(book.fresh),
    )
    for key, member in book.members.items():
        made.members[key] = AccountState()
        for slot in AccountState.__slots__:
            setattr(made.members[key], slot, dict(getattr(member, slot)))
    return made

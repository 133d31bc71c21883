"""A long story under faults, in memory: what a network loses, repeats and shuffles, what dies.

Commands of the road and of beyond, and what the ledger itself says to its other shards, come in
over a bad network: sent again when lost, heard twice, overtaken. The ledger takes them in polls
and dies now and then in the middle of one, which the next process takes up cut otherwise. The plain
model hears the log of what came, once.
"""

import copy
import random
from collections import Counter

from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.ledger import PostTransaction
from contracts.value import ReceiveBudget, ReceiveValue, ReturnValue
from contracts.values import Kind
from ledger.book.facts import AccountState
from ledger.log.domain import records
from ledger.posting.decide import commands
from ledger.posting.decide.batch_state import BatchState

from . import holding, shard_stories
from .test_shard_stories import facts, models

LOST, TWICE, LATE, DIES = 0.04, 0.05, 0.08, 0.08
CHAPTER = 400  # commands until other accounts take the stage: those before end up closed
OWN = (ReceiveValue, ReturnValue, ReceiveBudget)  # what the ledger itself says


class Simulation:
    """One seed's: tell() goes on by so many commands."""

    def __init__(self, seed, shards):
        self.rng = random.Random(f"network {seed}")
        self.plain = models(shards)
        self.caravan = shard_stories.ShardStories(seed, self.plain, road=0.6)
        self.book = BatchState()
        self.way = []  # (due, shard, envelope) of what is on its way
        self.log = []  # (shard, envelope, bytes), as it came
        self.at = self.taken = self.told = 0
        self.results = []
        self.seen = Counter()

    # ---------------------------------------------------------------------------------- network

    def tell(self, count):
        """So many commands more are told; the ledger takes what has come."""
        for _ in range(count):
            self.told += 1
            if self.told % CHAPTER == 0:
                self.caravan.turn()
            self.send(*self.caravan.one())
            self.arrive()
            if len(self.log) - self.taken >= self.rng.choice((1, 3, 8, 20, 64)):
                self.take()

    def settle(self):
        """Nothing new is told; what is on its way comes in, and what follows from it."""
        while self.way or self.taken < len(self.log):
            self.arrive()
            self.take()

    def send(self, shard, envelope):
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
        self.way.append((self.at + delay, shard, envelope))
        if self.rng.random() < TWICE:
            self.way.append((self.at + delay + self.rng.randrange(40), shard, envelope))
            self.seen["twice"] += 1
        if isinstance(data, PostTransaction) and data.kind is Kind.REVERSAL:
            names = {other.data.name for _, _, other in self.way}
            self.seen["an undo and its original on their way"] += data.original in names

    def arrive(self):
        """What is due comes onto the log; of equals in any order."""
        self.at += 1
        due = [one for one in self.way if one[0] <= self.at]
        self.way = [one for one in self.way if one[0] > self.at]
        self.rng.shuffle(due)
        for _, shard, envelope in due:
            late = replace(envelope, accepted_at=max(envelope.accepted_at, self.caravan.at))
            known = late if self.rng.random() < 0.5 else envelope
            self.log.append((shard, known, envelopes.encode(known)))

    # ----------------------------------------------------------------------------------- ledger

    def take(self):
        """The ledger takes a poll; it may die in the middle of it, more than once."""
        poll = self.log[self.taken :]
        died = []
        while poll and self.rng.random() < DIES:
            died = self.decide(fork(self.book), poll[: self.rng.randrange(1, len(poll) + 1)])
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

    def commit(self, piece):
        for (shard, envelope, _), result in zip(piece, self.decide(self.book, piece), strict=True):
            self.results.append(result)
            self.compare(shard, envelope, result)
        return len(piece)

    def decide(self, book, piece):
        heard = [records.command_from(shard, raw) for shard, _, raw in piece]
        return commands.decide(book, heard)

    def compare(self, shard, envelope, result):
        """The model hears it too; what follows from it is on its way."""
        plain, decision = self.plain[shard], result.decision
        expected = plain.hear(envelope)
        place = (len(self.results), shard, envelope)
        assert result.verdict.value == expected[0], place
        if decision is None:
            self.seen["the ledger's own heard twice"] += isinstance(envelope.data, OWN)
            return
        assert (decision.status, decision.code) == expected[1:], place
        assert [(to, *facts(body)) for to, body in decision.sends] == plain.quarter.says, place
        plain.quarter.says = []
        for to, body in decision.sends:
            self.send(*self.caravan.heard(to, body))
        if isinstance(envelope.data, ReturnValue) and self.rng.random() < 0.5:
            forged = replace(envelope.data, name=f"{envelope.data.name}.again")
            self.send(*self.caravan.heard(shard, forged))

    # ---------------------------------------------------------------------------------- agreeing

    def agree(self):
        """Balances, lots and holds of every shard are the model's."""
        for shard, plain in self.plain.items():
            ours = self.book.shard(shard).registry.balances.items()
            check({tuple(key): amount for key, amount in ours if amount},
                  {key: amount for key, amount in plain.accounts.items() if amount})  # fmt: skip
            members = [m for (its, _), m in self.book.members.items() if its == shard]
            lots = {number: lot for member in members for number, lot in member.lots.items()}
            check({number: facts_of(lot) for number, lot in lots.items()}, {
                number: (
                    lot["left"], lot["cost"], lot["lapsed"],
                    holding.held(plain, number, booked=True), lot["from"], lot["until"],
                )
                for number, lot in plain.lots.items()
            })  # fmt: skip
            standing = {n: hold for n, hold in plain.holds.items() if not hold["end"]}
            check({n: hold.parts for m in members for n, hold in m.holds.items()},
                  {n: tuple(hold["parts"]) for n, hold in standing.items()})  # fmt: skip

    def in_transit(self):
        """What is on its way between shards, by unit and issuer."""
        sums = Counter()
        for shard in self.plain:
            for key, amount in self.book.shard(shard).registry.balances.items():
                if key.role == "transit":
                    sums[key.unit, key.counterparty] += amount
        return {key: amount for key, amount in sums.items() if amount}

    def replay(self, book, sizes):
        """The whole log again, cut by sizes; gives the results."""
        found, done = [], 0
        while done < len(self.log):
            size = self.rng.choice(sizes)
            found += self.decide(book, self.log[done : done + size])
            done += size
        return found


def facts_of(lot):
    """What the model knows of a lot too."""
    return (
        lot.remaining, lot.cost_left, lot.lapsed, lot.held, lot.available_from, lot.expires_at,
    )  # fmt: skip


def check(ours, plain):
    """Both have the same under the same keys."""
    keys = {key for key in ours.keys() | plain.keys() if ours.get(key) != plain.get(key)}
    assert not keys, {key: (ours.get(key), plain.get(key)) for key in keys}


def fork(book):
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

"""A sweep only books: whether its word comes early, late or twice, all ends the same."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from contracts import envelope as envelopes
from contracts.ledger import AdvanceClock, ExpireLot
from contracts.value import ReleaseHold
from contracts.values import NameKind, name
from ledger.book import lots
from ledger.log.domain import records
from ledger.posting.decide import commands
from ledger.posting.decide.batch_state import BatchState

from . import generators
from .one_shard import NETWORK
from .oracle import SecondModel
from .value_examples import ValueExamples, first_lot, said

SHARD = 3
SEEN = Counter()


class SweptLedger:
    """One story as a ledger hears it."""

    def __init__(self):
        self.book = BatchState()
        self.said = []

    def hear(self, envelope):
        command = records.command_from(SHARD, envelopes.encode(envelope))
        return commands.decide_one(self.book, command).decision

    def due(self, now):
        """What the sweeper would say: of lots past their date, and of holds."""
        found = []
        for (_, owner), member in self.book.members.items():
            found += [
                (ExpireLot, {"account": owner, "lot": number})
                for number, lot in member.lots.items()
                if lot.remaining > lot.held and not lots.in_date(lot, now)
            ]
            found += [
                (ReleaseHold, {"account": owner, "hold": number})
                for number, hold in member.holds.items()
                if hold.due_at <= now
            ]
        return found

    def swept(self, at):
        """Sweep until nothing is due."""
        for body, fields in self.due(at):
            self.said.append(None)
            self.hear(generators.wrap(body(name=f"x.1.end{len(self.said)}", **fields), at))
        return self

    def books(self):
        """Balances, and lots as they stand."""
        balances = self.book.shard(SHARD).registry.balances
        found = {
            number: (lot.remaining, lot.cost_left, lot.lapsed, lot.held, lot.expires_at)
            for member in self.book.members.values() for number, lot in member.lots.items()
        }  # fmt: skip
        return {key: amount for key, amount in balances.items() if amount}, found


@pytest.mark.parametrize("seed", range(40))
def test_the_sweepers_words_change_nothing_wherever_they_come(seed):
    """One ledger hears them as soon as they are due, another a tick instead, and all at the end."""
    rng, model = random.Random(f"sweep {seed}"), SecondModel(SHARD)
    story = generators.of_model(seed, model)
    early, late = SweptLedger(), SweptLedger()
    for step in range(350):
        envelope = story.one()
        model.hear(envelope)
        one, other = early.hear(envelope), late.hear(envelope)
        if one is None or other is None:
            assert one is other
        elif not isinstance(envelope.data, ExpireLot | ReleaseHold):
            assert (one.status, one.code, one.answer) == (other.status, other.code, other.answer)
            SEEN[envelope.type, one.code] += 1
        now = early.book.shard(SHARD).decided_at
        due = [one for one in early.due(now) if rng.random() < 0.7]
        for place, (body, fields) in enumerate(due):
            word = generators.wrap(body(name=f"x.1.{step}-{place}", **fields), now)
            early.hear(word)
            model.hear(word)
            late.hear(
                generators.wrap(AdvanceClock(name=name(NameKind.TICK, step * 1000 + place)), now)
            )
    end = early.book.shard(SHARD).decided_at + timedelta(days=400)
    assert early.swept(end).books() == late.swept(end).books()


def test_the_stories_had_what_the_order_could_have_changed():
    for kind in ("revoke-issue.v1", "cancel-pending.v1", "capture-hold.v1", "void-hold.v1"):
        assert SEEN[kind, ""], kind
    assert SEEN["post-transaction.v1", ""]
    assert SEEN["revoke-issue.v1", "nothing-left"]


def balances(one_shard):
    """What accounts hold, by owner, role and other."""
    found = one_shard.book.shard(one_shard.shard).registry.balances
    return {(k.owner, k.role.value, k.counterparty): amount for k, amount in found.items()}


@pytest.mark.parametrize("swept_first", [True, False])
def test_who_bears_a_gift_that_expired_is_a_question_of_dates_alone(swept_first):
    """N5b: 100 points that the network funds, 40 spent, the date passed; the issuer has it all."""
    one_shard = ValueExamples()
    gift = one_shard.issue(100, funder=NETWORK, expires_at=one_shard.at + timedelta(days=1))
    one_shard.spend(40)
    one_shard.later(days=2)
    words = [lambda: one_shard.expire(first_lot(gift)), lambda: one_shard.take_back(gift)]
    for word in words if swept_first else words[::-1]:
        word()
    told = balances(one_shard)
    assert told[NETWORK, "payable", 5] == -10_000
    assert told[5, "expired", 0] == 60
    assert told[5, "issued", 0] == -100


def test_what_a_hold_lets_go_past_its_date_needs_no_second_word():
    """N17: the sweeper's word was said before a hold was heard, and answers for what is free."""
    one_shard = ValueExamples()
    lot = first_lot(one_shard.issue(100, expires_at=one_shard.at + timedelta(hours=1)))
    hold = one_shard.hold(points=60, hours=3)
    one_shard.later(hours=2)
    assert one_shard.expire(lot).legs[1].amount == 40
    one_shard.later(hours=2)
    assert said(one_shard.fall_due(hold)) == ("completed", "")
    assert (one_shard.lot(lot).remaining, one_shard.lot(lot).lapsed) == (0, 100)
    assert balances(one_shard)[5, "expired", 0] == 100

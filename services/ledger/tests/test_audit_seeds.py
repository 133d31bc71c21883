"""Stories by seed, decided by the ledger and derived anew by the auditor, leaf by leaf."""

import os

import pytest

from verifier import history_lookup, network, review
from verifier import leaves as their_leaves
from verifier.findings import Findings
from verifier.model import decide, originals
from verifier.model.decode import decode_command
from verifier.shard import Shard
from verifier.state import State

from . import sealing
from .test_shard_stories import ShardStory

SEEDS = int(os.environ.get("SEEDS", "50")) // 5
STEPS = 300


def audited(shard, raws, judge=review.review):
    """One shard's leaves derived anew, and what they add up to."""
    state, result, answered = State(shard), Shard(shard, Findings(shard)), {}

    def find(name):
        known = answered.get(name)
        if known is None:
            return None
        leaf, command = known
        hold = history_lookup.hold_of(leaf, command)
        spent = find(hold) if hold and hold != name else None
        return originals.original_of(name, leaf, command, spent)

    for raw in raws:
        leaf = their_leaves.from_bytes(raw)
        heard = decode_command(leaf.head[5])
        noted = review.Two(result.findings, result.findings)
        result.sent_commands.update(judge(state, leaf, heard, find, noted))
        arrival = decide.arrival_of(shard, heard)
        if arrival is not None:
            name, content = arrival
            result.arrived[name] = (leaf.head[1], content, leaf.head[3] == "completed")
        for name, _ in leaf.rows["names"]:
            answered.setdefault(name, (leaf, heard))
    for account in state.accounts:
        if account.key[1] == "transit":
            result.transit[account.key[2], account.key[3]] = account.balance
    return result, state


def picture(state):
    """A state in values that can be compared."""
    lots = {
        number: (lot.left, lot.cost, lot.held, lot.lapsed, lot.start, lot.until, lot.sliding)
        for number, lot in state.lots.items()
    }
    accounts = [(one.key, one.balance, one.count, one.lots) for one in state.accounts]
    return lots, accounts, state.progress, state.holds, state.registry, state.slides


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_auditor_comes_to_what_the_ledger_decided(seed):
    story = ShardStory(seed)
    for _ in range(STEPS):
        story.hear(*story.generator.one())
        while story.on_the_way and story.generator.rng.random() < 0.4:
            story.deliver(story.generator.rng.randrange(len(story.on_the_way)))
    results = []
    for shard, decisions in story.decisions.items():
        raws = sealing.leaves_of(decisions)
        result, state = audited(shard, raws)
        followed, same = audited(shard, raws, review.follow)
        assert picture(same) == picture(state)
        assert (followed.sent_commands, followed.findings.count) == (result.sent_commands, 0)
        results.append(result)
    findings = Findings()
    assert network.check_crossings(results, findings) == len(story.on_the_way)
    for result in results:
        findings.take(result.findings)
    assert [finding.text for finding in findings.listed] == []

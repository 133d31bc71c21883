"""Passes 8 and 9, over all shards: names answered twice, sums of the whole book, transit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from verifier.books import Book
from verifier.findings import Findings, Spot, display
from verifier.leaves import Leaf, LeafRefused, from_bytes
from verifier.log import BadChunk, unpack
from verifier.names import twins
from verifier.sent_twice import Answered, SentTwice, sent_twice
from verifier.shard import Shard

# Families whose names are given once in the whole network: tills, orders, history, accounts' own
# commands, verdicts. The others count within their shard (lots, sequences, minutes, windows), go to
# every shard (a party's terms), or are hashes of bytes that nobody could read.
ONCE = frozenset({"t", "o", "h", "a", "v"})
_LOOKED_AT_MAX = 100_000  # names that occur twice in a shard, which no till can cause
_AT_ONCE = 128  # names whose leaves are read together
_Twin = tuple[int, list[tuple[int, int]]]


async def check_names(book: Book, folder: Path, findings: Findings) -> SentTwice:
    """Pass 8: no name is answered twice in a shard, and none of those families on two shards.

    Gives the names that their senders sent to several shards, which are no findings. All of them
    are checked, however many: a till can cause them, and a forgery could hide among them.
    """
    sent_twice_names, within, all_twins = SentTwice(), 0, twins(folder)
    while batch := list(islice(all_twins, _AT_ONCE)):
        kept: list[_Twin] = []
        for twin in batch:
            twice = _within_a_shard(twin)
            within += twice
            if twice and within == _LOOKED_AT_MAX + 1:
                findings.add(Spot("names"), "more names are answered twice than can be looked at")
            if not twice or within <= _LOOKED_AT_MAX:
                kept.append(twin)
        leaves = await _leaves_of(book, kept)
        for _, places in kept:
            for name, answers in _by_name(places, leaves).items():
                _judge(name, answers, findings, sent_twice_names)
    return sent_twice_names


def _within_a_shard(twin: _Twin) -> bool:
    shards = [shard for shard, _ in twin[1]]
    return len(set(shards)) < len(shards)


async def _leaves_of(book: Book, twins_of: list[_Twin]) -> dict[tuple[int, int], Leaf]:
    needed: dict[int, set[int]] = {}
    for _, places in twins_of:
        for shard, sequence in places:
            needed.setdefault(shard, set()).add(sequence)
    leaves: dict[tuple[int, int], Leaf] = {}
    for shard, sequences in needed.items():
        for first, packed in (await book.chunks_at(shard, sorted(sequences))).items():
            for sequence, raw in _raws(first, packed):
                if sequence in sequences:
                    try:
                        leaves[shard, sequence] = from_bytes(raw)
                    except LeafRefused:  # pass 1 has noted it
                        continue
    return leaves


def _raws(first: int, packed: bytes) -> Iterator[tuple[int, bytes]]:
    try:
        yield from enumerate(unpack(packed), first)
    except BadChunk:  # pass 1 has noted it
        return


def _by_name(
    places: list[tuple[int, int]], leaves: dict[tuple[int, int], Leaf]
) -> dict[str, list[Answered]]:
    by_name: dict[str, list[Answered]] = {}
    for shard, sequence in sorted(set(places)):
        leaf = leaves.get((shard, sequence))
        if leaf is None:
            continue
        for row in leaf.rows.get("names", ()):
            by_name.setdefault(row[0], []).append(Answered(shard, sequence, leaf))
    return by_name


def _judge(name: str, places: list[Answered], findings: Findings, sent_names: SentTwice) -> None:
    shards = [place.shard for place in places]
    if len(places) < 2:
        return
    if len(set(shards)) == len(shards) and name.partition(".")[0] not in ONCE:
        return
    sent = sent_twice(name, places)
    if sent is not None:
        sent_names.add(sent)
        return
    recorded = "; ".join(f"shard {place.shard}, sequence {place.sequence}" for place in places)
    findings.add(
        Spot("names", "outcomes", places[0].sequence, row=f"name {name}"),
        f"the name {name} is answered {len(places)} times: {recorded}",
        column="name",
    )


def check_sums(shards: Sequence[Shard], findings: Findings) -> None:
    """Pass 9: each unit sums to zero over the whole book."""
    totals: dict[str, int] = {}
    for shard in shards:
        for unit, total in shard.sums.items():
            totals[unit] = totals.get(unit, 0) + total
    for unit, total in sorted(totals.items()):
        if total:
            findings.add(
                Spot("sums", table="accounts"),
                f"over all shards the balances in {unit} sum to {total}, should be 0",
                column="balance",
            )


def check_crossings(shards: Sequence[Shard], findings: Findings) -> int:
    """Pass 9: what arrived is what was sent. Gives the number of commands still on their way.

    The balances in transit over all shards must equal what those commands carry.
    """
    sent_commands = {
        name: content for shard in shards for name, content in shard.sent_commands.items()
    }
    sent = dict(sent_commands)
    for shard in shards:
        for name, (sequence, content, moved) in sorted(shard.arrived.items()):
            needed = sent_commands.pop(name, None)
            spot = Spot("transit", "leaves", sequence, f"name {name}")
            where = f"shard {shard.shard}, sequence {sequence}: {name}"
            if needed is None:
                if moved:
                    findings.add(spot, f"{where} brings what no shard sent")
            elif needed != content:
                findings.add(spot, f"{where} brings {display(content)}, sent was {display(needed)}")
    totals = Counter[tuple[str, int]]()
    for shard in shards:
        totals.update(shard.transit)
    for name in sent_commands:
        totals.subtract(_carried(sent.get(f"r{name[1:]}")))
    for (unit, issuer), total in sorted(totals.items()):
        if total:
            findings.add(
                Spot("transit", "accounts"),
                f"transit of {unit} of {issuer} is {total} more than what is on its way",
                column="balance",
            )
    return len(sent_commands)


def _carried(content: Any) -> Counter[tuple[str, int]]:
    """The amounts that a receipt brings, by unit and issuer; of a budget by its party."""
    amounts = Counter[tuple[str, int]]()
    if content is not None and len(content) == _BUDGET_FIELDS:
        amounts["IRR", content[1]] = content[3]
    elif content is not None:
        for _, unit, amount, _, issuer, *_ in content[7]:
            amounts[unit, issuer] += amount
    return amounts


_BUDGET_FIELDS = 4

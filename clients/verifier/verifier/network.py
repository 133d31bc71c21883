"""Passes 8 and 9, over all shards: names answered twice, sums of the whole book, transit."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from verifier.books import Book
from verifier.findings import Findings, Spot, shown
from verifier.leaves import LeafRefused, from_bytes
from verifier.log import BadChunk, unpack
from verifier.names import twins
from verifier.shard import Shard

# Families whose names are given once in the whole network: tills, orders, history, accounts' own
# commands, verdicts. The others count within their shard (lots, sequences, minutes, windows), go to
# every shard (a party's terms), or are hashes of bytes that nobody could read.
ONCE = frozenset({"t", "o", "h", "a", "v"})
_LOOKED_AT_MAX = 100_000


async def check_names(book: Book, folder: Path, findings: Findings) -> None:
    """Pass 8: no name is answered twice in a shard, none of those families on two."""
    for looked_at, (_, places) in enumerate(twins(folder)):
        if looked_at > _LOOKED_AT_MAX:
            findings.add(Spot("names"), "more names are answered twice than can be looked at")
            break
        by_name: dict[str, list[tuple[int, int]]] = {}
        for shard, sequence in places:
            for name in await _names_at(book, shard, sequence):
                by_name.setdefault(name, []).append((shard, sequence))
        for name, found in by_name.items():
            _judge(name, found, findings)


async def _names_at(book: Book, shard: int, sequence: int) -> list[str]:
    for first, packed in (await book.chunks_at(shard, [sequence])).items():
        try:
            leaf = from_bytes(unpack(packed)[sequence - first])
        except (BadChunk, LeafRefused, IndexError):
            continue
        return [row[0] for row in leaf.rows.get("names", ())]
    return []


def _judge(name: str, places: list[tuple[int, int]], findings: Findings) -> None:
    places = sorted(set(places))
    shards = [shard for shard, _ in places]
    if len(places) < 2:
        return
    if len(set(shards)) == len(shards) and name.partition(".")[0] not in ONCE:
        return
    told = "; ".join(f"shard {shard}, sequence {sequence}" for shard, sequence in places)
    findings.add(
        Spot("names", "outcomes", places[0][1], row=f"name {name}"),
        f"the name {name} is answered {len(places)} times: {told}",
        column="name",
    )


def check_sums(shards: Sequence[Shard], findings: Findings) -> None:
    """Pass 9: over the whole book each unit sums to zero."""
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
    """Pass 9: what arrived is what was sent; gives how much is still on its way, in commands.

    What is in transit over all shards is then what those carry.
    """
    said = {name: content for shard in shards for name, content in shard.said.items()}
    sent = dict(said)
    for shard in shards:
        for name, (sequence, content, moved) in sorted(shard.arrived.items()):
            wanted = said.pop(name, None)
            spot = Spot("transit", "leaves", sequence, f"name {name}")
            where = f"shard {shard.shard}, sequence {sequence}: {name}"
            if wanted is None:
                if moved:
                    findings.add(spot, f"{where} brings what no shard sent")
            elif wanted != content:
                findings.add(spot, f"{where} brings {shown(content)}, sent was {shown(wanted)}")
    totals = Counter[tuple[str, int]]()
    for shard in shards:
        totals.update(shard.transit)
    for name in said:
        totals.subtract(_carried(sent.get(f"r{name[1:]}")))
    for (unit, issuer), total in sorted(totals.items()):
        if total:
            findings.add(
                Spot("transit", "accounts"),
                f"transit of {unit} of {issuer} is {total} more than what is on its way",
                column="balance",
            )
    return len(said)


def _carried(content: Any) -> Counter[tuple[str, int]]:
    """How much a receive brings, by unit and issuer; of a budget by its party."""
    found = Counter[tuple[str, int]]()
    if content is not None and len(content) == _BUDGET_FIELDS:
        found["IRR", content[1]] = content[3]
    elif content is not None:
        for _, unit, amount, _, issuer, *_ in content[7]:
            found[unit, issuer] += amount
    return found


_BUDGET_FIELDS = 4

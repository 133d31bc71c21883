"""Who pays how much, and which bookings say that a pair has paid.

No novation: parties owe one another, not the network. A pair is settled once both have done their
payments, so what is paid has to be the net over whole pairs (decision 0043).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contracts.values import NETWORK_PARTY
from kit.base import errors
from merchants.clearing.domain.counting import Pair


class Due(NamedTuple):
    """What a pair came to owe in a window on a shard, in Rial; below zero: it went back.

    shard None: a correction of a dispute, of which the ledger knows nothing (decision 0046).
    """

    window: int
    pair: Pair
    shard: int | None
    due_rial: int


@dataclass(frozen=True, slots=True)
class Booking:
    """A settle-position.v1: debtor has paid creditor for a window, as far as a shard goes."""

    shard: int
    window: int
    debtor: int
    creditor: int
    amount_rial: int


def payments_of(
    unpaid: Mapping[Pair, int], *, minimum_rial: int, excluded: Collection[int] = ()
) -> dict[int, int]:
    """What each party is paid (above zero) or pays (below), by party; zeros of those set off whole.

    unpaid: Rial that is open between each pair. A party whose net would be below minimum_rial is
    left out with all its pairs, which changes the nets of others, until none is left out. The
    network has no minimum. The payments sum to zero. Raises Alarm where they do not.
    """
    parties = {party for pair in unpaid for party in pair} - set(excluded)
    while True:
        nets = _nets(unpaid, parties)
        small = {
            party
            for party, net in nets.items()
            if 0 < abs(net) < minimum_rial and party != NETWORK_PARTY
        }
        if not small:
            break
        parties -= small
    if sum(nets.values()):
        raise errors.Alarm(f"payments sum to {sum(nets.values())} Rial")
    return dict(sorted(nets.items()))


def _nets(unpaid: Mapping[Pair, int], parties: Collection[int]) -> dict[int, int]:
    nets: defaultdict[int, int] = defaultdict(int)
    for pair, rial in unpaid.items():
        if rial and pair.debtor in parties and pair.creditor in parties:
            nets[pair.debtor] -= rial
            nets[pair.creditor] += rial
    return nets


def unpaid_of(dues: Sequence[Due]) -> dict[Pair, int]:
    """What is open between each pair, over all windows and shards."""
    unpaid: dict[Pair, int] = {}
    for due in dues:
        unpaid[due.pair] = unpaid.get(due.pair, 0) + due.due_rial
    return unpaid


def bookings_of(dues: Sequence[Due]) -> list[Booking]:
    """What the ledger has to be told so that nothing of dues is open between two parties.

    dues: of these parties, both ways, of all windows since they were settled last. The ledger takes
    windows in order and refuses a later one while an earlier is open, so each window is brought to
    zero by itself: what came to be owed in it, then what a refund took back in the next. Ordered by
    shard and window, as it has to be sent. Corrections are set off against what is booked whole.
    """
    owed: dict[tuple[int, int], dict[Pair, int]] = {}
    for due in dues:
        if due.shard is None:
            continue
        pairs = owed.setdefault((due.shard, due.window), {})
        pairs[due.pair] = pairs.get(due.pair, 0) + due.due_rial
    return [
        Booking(shard, window, pair.debtor, pair.creditor, rial)
        for (shard, window), pairs in sorted(owed.items())
        for pair, rial in _amounts(pairs)
    ]


def _amounts(owed: Mapping[Pair, int]) -> list[tuple[Pair, int]]:
    """What each of two parties pays the other; less than zero owed one way is paid the other."""
    one = min(owed)
    pair = Pair(min(one), max(one))
    back = Pair(pair.creditor, pair.debtor)
    there_rial, back_rial = owed.get(pair, 0), owed.get(back, 0)
    amounts = (
        (pair, max(there_rial, 0) + max(-back_rial, 0)),
        (back, max(back_rial, 0) + max(-there_rial, 0)),
    )
    return [(paying, rial) for paying, rial in amounts if rial]

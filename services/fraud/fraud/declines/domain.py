"""Which events of windows, and which sums of days, a decline takes back."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from contracts.fraud import NameSeen
from contracts.values import SPENDS, micros
from fraud.screening.domain import decisions
from fraud.screening.domain.decisions import CountedTransaction, Key
from fraud.screening.domain.windows import Gone


class Declined(Struct, frozen=True, kw_only=True):
    """A name that the network declined: where, and when that was decided."""

    shard: int
    name: str
    merchant: int
    terminal: int
    declined_at: datetime


Withdrawal = tuple[Key, Gone]  # a key of windows, and its event


def withdrawals(counted: CountedTransaction, merchant: int) -> list[Withdrawal]:
    """The events to take out of windows.

    An allowed event leaves the network's windows. In the merchant's window it stays as an attempt
    and loses only its Rial.
    """
    if counted.kind is None or counted.counted_rial is None:
        return []
    keys = decisions.keys_for(
        counted.shard, counted.kind, counted.account, counted.identifier_id, merchant
    )
    which, at = decisions.series_of(counted.kind), micros(counted.accepted_at)
    return [
        (key, Gone(which, at, counted.counted_rial, merchant, key == keys.card_at_merchant))
        for key in decisions.counted_in(counted.decision, keys)
    ]


def names_seen(pairs: Iterable[tuple[Declined, CountedTransaction]]) -> list[NameSeen]:
    """The names as they were added to days, to be subtracted again."""
    return [
        NameSeen(
            name=declined.name,
            terminal=declined.terminal,
            merchant=declined.merchant,
            shard=declined.shard,
            account=counted.account,
            fingerprint="",
            seen_at=counted.accepted_at,
            sold_rial=counted.counted_rial or 0 if counted.kind in decisions.SOLD else 0,
            redeemed_rial=counted.counted_rial or 0 if counted.kind in SPENDS else 0,
        )
        for declined, counted in pairs
        if declined.terminal
    ]

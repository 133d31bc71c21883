"""Which events did not happen after all, and what of the days with them."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from contracts.fraud import NameSeen
from contracts.values import Kind, micros
from fraud.screening.domain import decisions
from fraud.screening.domain.decisions import CountedTransaction, Key
from fraud.screening.domain.windows import Gone


class Declined(Struct, frozen=True, kw_only=True):
    """A name that the network declined: where, and when that was decided."""

    shard: int
    name: str
    merchant: int
    terminal: int
    heard_at: datetime


Withdrawal = tuple[Key, Gone]  # a key of windows, and its event


def withdrawals(of: CountedTransaction, merchant: int) -> list[Withdrawal]:
    """The events to take out: of the network's windows where it was allowed, and of the shop's its
    Rial, so that attempts still count where they were made."""
    if of.kind is None or of.counted_rial is None:
        return []
    keys = decisions.keys_for(of.shard, of.kind, of.account, of.identifier_id, merchant)
    which, at = decisions.series_of(of.kind), micros(of.accepted_at)
    return [
        (key, Gone(which, at, of.counted_rial, merchant, key == keys.card_at_merchant))
        for key in decisions.counted_in(of.decision, keys)
    ]


def names_seen(pairs: Iterable[tuple[Declined, CountedTransaction]]) -> list[NameSeen]:
    """What days were told of these names, to be subtracted."""
    return [
        NameSeen(
            name=no.name,
            terminal=no.terminal,
            merchant=no.merchant,
            shard=no.shard,
            account=of.account,
            fingerprint="",
            seen_at=of.accepted_at,
            sold_rial=of.counted_rial or 0 if of.kind is Kind.PURCHASE else 0,
            redeemed_rial=of.counted_rial or 0 if of.kind is Kind.REDEMPTION else 0,
        )
        for no, of in pairs
        if no.terminal
    ]

"""The part of its shards' registries that a batch must read: most batches, none."""

from dataclasses import dataclass, field

from ledger.book.facts import AccountKey
from ledger.posting.domain.shard_registry import Pair, Subject, TermsKey


@dataclass(slots=True)
class RegistryNeeds:
    """By shard. pairs: with the earliest window needed. closing: shards whose window closes.

    parties: those to be closed.
    """

    standings: set[tuple[int, Subject]] = field(default_factory=set[tuple[int, Subject]])
    balances: set[tuple[int, AccountKey]] = field(default_factory=set[tuple[int, AccountKey]])
    cards: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    terms: set[tuple[int, TermsKey]] = field(default_factory=set[tuple[int, TermsKey]])
    pairs: dict[tuple[int, Pair], int] = field(default_factory=dict[tuple[int, Pair], int])
    closing: set[int] = field(default_factory=set[int])
    parties: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

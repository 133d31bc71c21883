"""Shards in memory, each beside its second model: what drives a story without a database."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from ledger.log.domain import records
from ledger.posting.decide import commands
from ledger.posting.decide.batch_state import BatchState, Posting

from . import agreement
from .oracle import SecondModel
from .sealing import Rows


class InMemory:
    """on_the_way: what the ledger says next, by shard, and no shard has heard yet."""

    def __init__(self, shards: Iterable[int]) -> None:
        self.book = BatchState()
        self.models = {shard: SecondModel(shard) for shard in shards}
        self.decisions: dict[int, list[Posting]] = defaultdict(list)
        self.on_the_way: list[tuple[int, Any]] = []
        self._rows: dict[int, Rows] = defaultdict(Rows)

    def hear(self, shard: int, envelope: Envelope[Any]) -> Posting | None:
        """Ledger and model hear a command and agree; gives the decision where one was made."""
        return self.hear_record(shard, envelopes.encode(envelope))

    def hear_record(self, shard: int, raw: bytes) -> Posting | None:
        """The same for bytes of any kind."""
        result = commands.decide_one(self.book, records.command_from(shard, raw))
        self.compare(shard, raw, result)
        if result.decision is not None:
            self.on_the_way += result.decision.sends
        return result.decision

    def compare(self, shard: int, raw: bytes, result: commands.Result) -> None:
        """Have the model hear what the ledger has decided, and see that both agree."""
        decision = result.decision
        answered = (result.answer, decision.marked and decision.marked[1]) if decision else None
        expected = self.models[shard].hear_record(raw, answered)
        agreement.check_result(expected, result, self._rows[shard], raw)
        if decision is not None:
            self.decisions[shard].append(decision)

    def agree(self) -> None:
        """All that the shards have in memory is what their models have."""
        for model in self.models.values():
            agreement.check_memory(self.book, model)

    def in_transit(self) -> dict[tuple[str, int], int]:
        """What is between shards, by unit and issuer, where it is not zero."""
        sums: dict[tuple[str, int], int] = defaultdict(int)
        for shard in self.models:
            for key, amount in self.book.shard(shard).registry.balances.items():
                if key.role == "transit":
                    sums[key.unit, key.counterparty] += amount
        return {key: amount for key, amount in sums.items() if amount}

"""The state one batch is decided on, and what each decision does to it."""

from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.pos import Balance
from contracts.values import Status, Unit
from ledger.book.commands import Command
from ledger.book.facts import (
    BEGINNING,
    AccountState,
    Hold,
    Leg,
    Lot,
    LotMovement,
    PriorPosting,
    Progress,
)
from ledger.log.domain.leaves import DateRow, HoldRow
from ledger.log.domain.prior_postings import hold_of, marked_original, original_of
from ledger.posting.decide.draft import Sent
from ledger.posting.decide.effects import Effects
from ledger.posting.domain.shard_registry import Change, ShardRegistry


class Known(Struct, frozen=True):
    """The outcome of a name that is in the book: its sequence number and first answer.

    fingerprint: of the first request; None matches any.
    """

    sequence: int
    fingerprint: bytes | None
    answer: bytes


class Posting(Struct, frozen=True):
    """One command's effects under one sequence number.

    opened, changed: lots in their state after it. debts: the account's, after it. marked: the name
    of an original that never arrived, and the answer that it will get. merchant, acceptor: where it
    happened, 0 for nowhere. effects, balance: the content of its outcome. holds: its rows of holds.
    standing_holds: the account's holds after it, None where they did not change. dates: lots that
    got other dates, by number. sends: commands that follow from it, by shard. change: of the
    shard's registry.
    """

    command: Command
    sequence: int
    decided_at: datetime
    status: Status
    code: str
    answer: bytes
    legs: tuple[Leg, ...]
    rows: tuple[LotMovement, ...]
    opened: tuple[Lot, ...]
    changed: tuple[Lot, ...]
    debts: dict[tuple[Unit, int], int] | None
    owner: int
    progress: tuple[str, Progress] | None
    marked: tuple[str, bytes] | None
    merchant: int
    acceptor: int
    effects: Effects
    balance: Balance
    holds: tuple[HoldRow, ...] = ()
    dates: tuple[DateRow, ...] = ()
    standing_holds: dict[int, Hold] | None = None
    sends: tuple[tuple[int, Sent], ...] = ()
    change: Change | None = None


@dataclass(slots=True)
class ShardState:
    """A shard as the batch sees it.

    last_sequence: the last number used. decided_at: decision time, which never falls.
    account_count: accounts numbered. peaks: of the log.
    """

    shard: int
    last_sequence: int = 0
    decided_at: datetime = BEGINNING
    account_count: int = 0
    peaks: bytes = b""
    registry: ShardRegistry = field(default_factory=ShardRegistry)


@dataclass(slots=True)
class BatchState:
    """All that a batch may decide on, by shard. Only apply changes it while deciding."""

    shards: dict[int, ShardState] = field(default_factory=dict[int, ShardState])
    known: dict[tuple[int, str], Known] = field(default_factory=dict[tuple[int, str], Known])
    originals: dict[tuple[int, str], PriorPosting] = field(
        default_factory=dict[tuple[int, str], PriorPosting]
    )
    members: dict[tuple[int, int], AccountState] = field(
        default_factory=dict[tuple[int, int], AccountState]
    )
    guarded: set[int] = field(default_factory=set[int])  # shards where a status was ever set
    fresh: dict[tuple[int, str], Posting] = field(default_factory=dict[tuple[int, str], Posting])

    def shard(self, number: int) -> ShardState:
        """A shard's state; a new one for a shard that was never written to."""
        state = self.shards.get(number)
        if state is None:
            state = self.shards[number] = ShardState(number)
        return state

    def member(self, shard: int, owner: int) -> AccountState:
        """An account's value; empty where it never had any."""
        member = self.members.get((shard, owner))
        if member is None:
            member = self.members[shard, owner] = AccountState()
        return member

    def original(self, shard: int, name: str) -> PriorPosting | None:
        """The posting of an earlier name, with its progress; None where the name never came."""
        prior = self.originals.get((shard, name))
        if prior is None and (decision := self.fresh.get((shard, name))) is not None:
            hold_name = hold_of(decision.command, decision.status)
            hold = self.original(shard, hold_name) if hold_name else None
            prior = self.originals[shard, name] = _original(decision, name, hold)
        return prior

    def apply(self, decision: Posting) -> None:
        """Make a decision the state that the next command sees."""
        command, shard = decision.command, decision.command.shard
        state = self.shards[shard]
        state.last_sequence, state.decided_at = decision.sequence, decision.decided_at
        if decision.debts is not None:
            member = self.members[shard, decision.owner]
            member.debts = decision.debts
            for lot in decision.opened:
                member.lots[lot.lot] = lot
            for lot in decision.changed:
                member.lots[lot.lot] = lot
        if decision.standing_holds is not None:
            self.members[shard, decision.owner].holds = decision.standing_holds
        if decision.progress is not None:
            name, progress = decision.progress
            original = self.originals[shard, name]
            self.originals[shard, name] = replace(original, progress=progress)
        registry = state.registry
        if registry.watched or decision.change is not None:
            registry.apply(decision.change, decision.legs)
        key = (shard, command.name)
        self.known[key] = Known(decision.sequence, command.fingerprint, decision.answer)
        self.fresh[key] = decision
        if decision.marked is not None:
            name, answer = decision.marked
            self.known[shard, name] = Known(decision.sequence, None, answer)
            self.fresh[shard, name] = decision


def _original(decision: Posting, name: str, hold: PriorPosting | None) -> PriorPosting:
    if name != decision.command.name:
        return marked_original(name, decision.sequence, decision.command.type)
    return original_of(
        decision.command,
        decision.status,
        sequence=decision.sequence,
        now=decision.decided_at,
        rows=decision.rows,
        hold=hold,
        refused_awards=decision.effects.refused_awards,
    )

"""What a shard of the ledger should come to: the auditor's model, hearing what the ledger hears.

The auditor works out each leaf from the state that the ledger's own leaves add up to. Here the
same rules write the leaf themselves and go on from it: what the ledger did is never looked at, but
for the bytes that a till was answered with, which are compared and forgotten.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from verifier import history_lookup, posting, review
from verifier.findings import Findings
from verifier.leaves import Leaf
from verifier.model import answers, decide, originals
from verifier.model.computation import Draft, Effects
from verifier.model.decode import Command, decode_command
from verifier.state import WAITING, Hold, Key, State

from . import occurrences

Answered = tuple[bytes, bytes | None]  # what was answered, and what a marked name will be


@dataclass(frozen=True)
class Expectation:
    """What should become of one command. sends: name and content of what the ledger says next.

    differences: how the answer that was shown differs from the right one.
    """

    disposition: str
    status: str = ""
    code: str = ""
    leaf: Leaf | None = None  # but for the answer's bytes
    sends: tuple[tuple[str, Any], ...] = ()
    differences: tuple[Any, ...] = ()


@dataclass
class HoldRecord:
    """A hold as the table of holds has it; due in microseconds, end "" while it stands."""

    number: int
    owner: int
    name: str
    due: int
    parts: tuple[tuple[int, int], ...]
    end: str = ""
    ended_by: int | None = None


@dataclass(frozen=True)
class _Name:
    """A name that was answered. fingerprint None matches any."""

    fingerprint: bytes | None
    status: str
    code: str


@dataclass
class SecondModel:
    """One shard. seen: how often which rare case occurred (see occurrences)."""

    shard: int
    state: State = field(init=False)
    leaves: list[Leaf] = field(default_factory=list[Leaf])
    holds: dict[int, HoldRecord] = field(default_factory=dict[int, HoldRecord])
    seen: Counter[str] = field(default_factory=Counter[str])
    _names: dict[str, _Name] = field(default_factory=dict[str, _Name])
    _archive: dict[str, tuple[Leaf, Command | None]] = field(
        default_factory=dict[str, tuple[Leaf, Command | None]]
    )  # by every name that a leaf answers

    def __post_init__(self) -> None:
        self.state = State(self.shard)

    # --------------------------------------------------------------------------------- commands

    def hear(self, envelope: Envelope[Any], answered: Answered | None = None) -> Expectation:
        """What should become of a command. answered: by the ledger, to be compared."""
        return self.hear_record(envelopes.encode(envelope), answered)

    def hear_record(self, raw: bytes, answered: Answered | None = None) -> Expectation:
        """The same for bytes of any kind."""
        command = decode_command(raw)
        name = decide.heard_name(command, raw)
        known = self._names.get(name)
        if known is not None:
            fingerprint = command.fingerprint if command is not None else None
            if known.fingerprint is None or fingerprint in (None, known.fingerprint):
                self.seen["repeat"] += 1
                return Expectation("repeated", known.status, known.code)
            self.seen["conflict"] += 1
            return Expectation("conflicting")
        if command is not None and getattr(command.body, "replayed", False):
            self.seen["unknown replay"] += 1
            return Expectation("unknown-replay")
        return self._post(command, name, raw, answered)

    def _post(
        self, command: Command | None, name: str, raw: bytes, answered: Answered | None
    ) -> Expectation:
        state, sequence = self.state, self.state.sequence + 1
        draft, effects = decide.work_out(state, command, self._find, sequence=sequence)
        leaf = self._leaf(draft, effects, review.name_rows(command, name, effects), raw)
        target = decide.target_of(command)
        original = self._find(target) if target else None
        if command is not None:
            self.seen.update(occurrences.of(draft, effects, command, original))
        differences = _differences(answered, draft, effects, command, name)
        draft.undo()
        findings = Findings(self.shard)
        posting.post(state, leaf, findings)
        assert not findings.count, findings.listed
        review.apply_beside_rows(state, draft, effects, command)
        state.sequence, state.now = sequence, draft.now
        self._keep(leaf, command, effects)
        return Expectation(
            "posted", effects.status, effects.code, leaf, tuple(draft.crosses), differences
        )

    def _find(self, name: str) -> originals.Original | None:
        known = self._archive.get(name)
        if known is None:
            return None
        hold = history_lookup.hold_of(*known)
        return originals.original_of(
            name, *known, self._find(hold) if hold and hold != name else None
        )

    def _keep(self, leaf: Leaf, command: Command | None, effects: Effects) -> None:
        self.leaves.append(leaf)
        for name, fingerprint in leaf.rows["names"]:
            self._archive[name] = (leaf, command)
            self._names[name] = _Name(fingerprint, effects.status, effects.code)
        if effects.marks:
            self._names[effects.marks] = _Name(None, "declined", "reversed-before-arrival")
        resolved: dict[int, set[str]] = {}
        for _, number, _, _, how in leaf.rows.get("holds", ()):
            resolved.setdefault(number, set()).add(how)
        for number, how in resolved.items():
            if "held" in how:
                self.holds[number] = _placed(self.state.holds[number])
                continue
            end = "captured" if "captured" in how else "due" if "due" in how else "voided"
            self.holds[number].end, self.holds[number].ended_by = end, leaf.head[1]

    # ----------------------------------------------------------------------------------- leaves

    def _leaf(self, draft: Draft, effects: Effects, names: list[Any], raw: bytes) -> Leaf:
        """The leaf that the command must have."""
        opened, entries = self._entries(draft.legs)
        fresh: dict[Key, int] = {(row[1], row[3], row[4], row[2]): row[0] for row in opened}
        rows: dict[str, list[Any]] = {
            "names": names,
            "accounts": opened,
            "entries": entries,
            "consumptions": draft.rows,
            "lots": [
                review.lot_row(lot, amount, cost, self._number(review.account_of(lot), fresh))
                for lot, amount, cost in draft.opened
            ],
            "holds": draft.hold_rows,
            "dates": [
                (number, None if start == WAITING else start, until)
                for number, (start, until) in sorted(draft.dates.items())
            ],
            "refused_awards": effects.refused_awards,
        }
        head = (self.shard, draft.sequence, draft.now, effects.status, effects.code, raw, b"", None)
        return Leaf(head, {section: found for section, found in rows.items() if found})

    def _number(self, key: Key, fresh: dict[Key, int]) -> int:
        return fresh[key] if key in fresh else self.state.by_key[key].number

    def _entries(self, legs: list[tuple[Key, int]]) -> tuple[list[Any], list[Any]]:
        """Rows of accounts that legs use first, and of their entries."""
        state = self.state
        reached: dict[Key, list[int]] = {}  # number, entries so far, balance
        opened: list[Any] = []
        entries: list[Any] = []
        for line, (key, amount) in enumerate(legs):
            if key not in reached:
                account = state.by_key.get(key)
                if account is None:
                    number = len(state.accounts) + len(opened) + 1
                    owner, role, unit, other = key
                    opened.append((number, owner, other, role, unit))
                    reached[key] = [number, 0, 0]
                else:
                    reached[key] = [account.number, account.count, account.balance]
            so_far = reached[key]
            so_far[1] += 1
            so_far[2] += amount
            entries.append((line, so_far[0], so_far[1], amount, so_far[2]))
        return opened, entries

    # ------------------------------------------------------------------------------------ state

    def lot_owners(self) -> dict[int, int]:
        """Owners of all lots ever opened, by lot."""
        return {number: lot.owner for number, lot in self.state.lots.items()}

    def balances(self) -> dict[Key, int]:
        """Accounts that are not zero."""
        return {one.key: one.balance for one in self.state.accounts if one.balance}

    def standings(self) -> dict[tuple[bool, int], str]:
        """Parties (True) and accounts (False) that are not open."""
        found = self.state.registry.standings.items()
        return {number: standing for number, (standing, _) in found if standing != "open"}

    def standing_holds(self) -> dict[int, tuple[tuple[int, int], ...]]:
        """Parts of holds that nothing has ended."""
        return {number: tuple(hold.parts.items()) for number, hold in self.state.holds.items()}

    def sent_lots(self, name: str) -> list[int]:
        """Lots that a command sent to another account."""
        leaf, _ = self._archive[name]
        return [row[1] for row in leaf.rows.get("consumptions", ()) if row[11] == "sent"]

    def account_balance(self, owner: int) -> dict[str, int | None]:
        """What the account may be told now; see answers.BALANCE for the fields."""
        state = self.state
        draft = Draft(state, sequence=state.sequence + 1, now=state.now, occurred=0)
        draft.about(owner, None)
        draft.free_due()
        found = answers.holding(draft)
        draft.undo()
        return dict(zip(answers.BALANCE, found, strict=True))


def _differences(
    answered: Answered | None, draft: Draft, effects: Effects, command: Command | None, name: str
) -> tuple[Any, ...]:
    if answered is None:
        return ()
    answer, marked = answered
    found = list(answers.differences(answer, command, draft, effects, name))
    if command is not None and (marked is not None or effects.marks):
        found += answers.marked_differences(marked, draft, command, effects)
    return tuple(found)


def _placed(hold: Hold) -> HoldRecord:
    return HoldRecord(hold.number, hold.owner, hold.name, hold.due, tuple(hold.parts.items()))

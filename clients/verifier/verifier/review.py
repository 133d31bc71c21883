"""Passes 1 to 7 over one leaf: its head, expected content, and its rows' effects on the state."""

from collections.abc import Callable
from typing import Any, NamedTuple

from verifier import posting
from verifier.findings import Findings, Spot
from verifier.leaves import Leaf
from verifier.model import answers, decide, registry
from verifier.model.commands_value import HoldValue, SpendAway
from verifier.model.computation import MERCHANT, Draft, Effects
from verifier.model.decode import Command
from verifier.model.messages import Issue, Tick, Transaction, micros
from verifier.model.originals import Original
from verifier.state import WAITING, Key, Lot, State

Find = Callable[[str], Original | None]
Row = tuple[Any, ...]
_Entry = tuple[int, int, int, int, int]

# the ledger's own refusals: a record that could not be booked, a shard that does not exist
ISOLATED = "could-not-be-decided"
NO_SHARD = "no-such-shard"


class Two(NamedTuple):
    """The findings of outcomes, and those of the rows of leaves."""

    outcomes: Findings
    rows: Findings


def follow(
    state: State, leaf: Leaf, command: Command | None, find: Find, findings: Two
) -> list[tuple[str, Any]]:
    """As review, where another process reviews the outcome: a usual command's rows have it all."""
    if command is None or not _is_in_its_rows(command):
        return review(state, leaf, command, find, findings)
    posting.post(state, leaf, findings.rows)
    state.sequence, state.now = leaf.head[1], leaf.head[2]
    return []


def _is_in_its_rows(command: Command) -> bool:
    """Whether a command does nothing to the state but what its leaf has rows for."""
    match command.body:
        case SpendAway() | Tick():
            return True
        case Issue() as body:
            return not body.sliding_days
        case Transaction(kind="purchase" | "redemption") as body:
            return not any([prize.sliding_days for prize in body.awards])
        case _:
            return False


def review(
    state: State, leaf: Leaf, command: Command | None, find: Find, findings: Findings | Two
) -> list[tuple[str, Any]]:
    """Check a leaf against its command and the state, then move the state by it.

    Gives the commands that must follow from it, to this shard or another: name and content.
    """
    outcomes, of_rows = findings if isinstance(findings, Two) else (findings, findings)
    shard, sequence, at, status, code, raw_command, answer, marked = leaf.head
    name = decide.heard_name(command, raw_command)
    ahead = code == decide.AHEAD and command is not None and (command.accepted or 0) > at
    draft, effects = decide.work_out(state, command, find, sequence=sequence, ahead=ahead)
    if status == "refused" and command is not None and is_the_ledgers_own(code, command):
        draft.forget()
        effects = Effects("refused", code)
    differences: list[tuple[str, Any, Any]] = []
    expected = (state.shard, state.sequence + 1, draft.now, effects.status, effects.code)
    if (shard, sequence, at, status, code) != expected:
        pairs = zip(_HEAD, leaf.head, expected, strict=False)
        differences += [
            (column, recorded, expected_value)
            for column, recorded, expected_value in pairs
            if recorded != expected_value
        ]
    names = name_rows(command, name, effects)
    if leaf.rows.get("names", []) != names:
        differences.append(("names", leaf.rows.get("names", []), names))
    refused = leaf.rows.get("refused_awards", [])
    if refused != effects.refused_awards:
        differences.append(("refused_awards", refused, effects.refused_awards))
    differences += answers.differences(answer, command, draft, effects, name)
    if command is not None and (marked is not None or effects.marks):
        differences += answers.marked_differences(marked, draft, command, effects)
    draft.undo()
    for column, recorded, expected_value in differences:
        outcomes.wrong(
            Spot("outcomes", "leaves", sequence, row=name), column, recorded, expected_value
        )
    posting.post(state, leaf, of_rows)
    _check_rows(state, leaf, draft, outcomes)
    if status == effects.status:
        apply_beside_rows(state, draft, effects, command)
    state.sequence, state.now = sequence, at
    return draft.crosses if status == effects.status else []


def is_the_ledgers_own(code: str, command: Command) -> bool:
    """Whether a refusal comes from no rule, of a command that may get such a refusal."""
    names = command.body.__struct_fields__
    return code == ISOLATED or (code == NO_SHARD and bool({"to_shard", "from_shard"} & set(names)))


_HEAD = ("shard", "sequence", "decided_at", "status", "code")


def name_rows(command: Command | None, name: str, effects: Effects) -> list[Row]:
    """Names that a command answers, with their fingerprints: its own, and one it marks."""
    own = (name, command.fingerprint if command is not None else None)
    if not effects.marks:
        return [own]
    return sorted([own, (effects.marks, None)], key=lambda row: row[0].encode())


def apply_beside_rows(
    state: State, draft: Draft, effects: Effects, command: Command | None
) -> None:
    """Effects of the command on the state that have no row in its leaf."""
    if effects.progress is not None:
        name, progress = effects.progress
        state.progress[name] = progress
    for number, forgiven in effects.forgiven:
        lot = state.lots.get(number)
        if lot is not None:
            lot.lapsed -= forgiven
    for opened, _, _ in draft.opened:
        if opened.sliding and opened.number in state.lots:
            state.lots[opened.number].sliding = opened.sliding
            state.slides = True
    if draft.changes:
        registry.apply(state, draft.changes, draft.sequence)
    if (
        command is not None
        and isinstance(command.body, HoldValue | Transaction)
        and command.body.due_at is not None
        and draft.sequence in state.holds
    ):
        placed = state.holds[draft.sequence]
        placed.due, placed.name = micros(command.body.due_at), command.name


def _check_rows(state: State, leaf: Leaf, draft: Draft, findings: Findings) -> None:
    rows = leaf.rows
    accounts = state.accounts
    count = len(accounts)
    entries: list[_Entry] = rows.get("entries", [])
    legs = [
        (accounts[number - 1].key if 0 < number <= count else number, amount)
        for _, number, _, amount, _ in entries
    ]
    if legs != draft.legs:
        _differ(findings, leaf, "entries", legs, draft.legs, ("account", "amount"))
    consumptions = rows.get("consumptions", [])
    if consumptions != draft.rows:
        _differ(findings, leaf, "consumptions", consumptions, draft.rows, CONSUMPTION)
    if draft.opened or "lots" in rows:
        lots = rows.get("lots", [])
        expected = [_born(state, lot, amount, cost) for lot, amount, cost in draft.opened]
        if lots != expected:
            _differ(findings, leaf, "lots", lots, expected, LOT)
    if draft.hold_rows or "holds" in rows:
        holds = rows.get("holds", [])
        if holds != draft.hold_rows:
            _differ(findings, leaf, "holds", holds, draft.hold_rows, HOLD)
    if draft.dates or "dates" in rows:
        dates = [
            (number, None if start == WAITING else start, until)
            for number, (start, until) in sorted(draft.dates.items())
        ]
        if rows.get("dates", []) != dates:
            _differ(findings, leaf, "dates", rows.get("dates", []), dates, DATE)


CONSUMPTION = (
    "ordinal", "lot", "amount", "cost_rial", "claim_rial", "fee_rial", "original_sequence",
    "original_ordinal", "issuer", "acceptor", "merchant", "what",
)  # fmt: skip
LOT = (
    "lot", "account_id", "amount", "cost_rial", "available_from", "expires_at", "born_at", "parent",
    "issuer", "funder", "merchant", "rule_version", "unit", "rule", "origin",
)  # fmt: skip
HOLD = ("ordinal", "hold", "lot", "amount", "what")
DATE = ("lot", "available_from", "expires_at")


def _born(state: State, lot: Lot, amount: int, cost: int) -> Row:
    key = account_of(lot)
    account = state.by_key.get(key)
    return lot_row(lot, amount, cost, key if account is None else account.number)


def account_of(lot: Lot) -> Key:
    """The account that a lot lies on."""
    return (lot.owner, "value", lot.unit, lot.issuer if lot.unit == MERCHANT else 0)


def lot_row(lot: Lot, amount: int, cost: int, number: int | Key) -> Row:
    """A lot as the leaf that opens it has it; number: of its account."""
    start = None if lot.start == WAITING else lot.start
    return (
        lot.number, number, amount, cost, start, lot.until, lot.born, lot.parent, lot.issuer,
        lot.funder, lot.merchant, lot.version, lot.unit, lot.rule, lot.origin,
    )  # fmt: skip


def _differ(
    findings: Findings,
    leaf: Leaf,
    section: str,
    recorded: Any,
    expected: Any,
    columns: tuple[str, ...],
) -> None:
    """Note each column of each row of a section that differs from the expected one."""
    sequence = leaf.head[1]
    if len(recorded) != len(expected):
        findings.add(
            Spot("outcomes", "leaves", sequence, row=section),
            f"the leaf of sequence {sequence} has {len(recorded)} rows of {section},"
            f" its command explains {len(expected)}",
        )
    for place, (row, expected_row) in enumerate(zip(recorded, expected, strict=False)):
        for column, value, expected_value in zip(columns, row, expected_row, strict=True):
            if value != expected_value:
                findings.wrong(
                    Spot("outcomes", "leaves", sequence, row=f"{section} row {place}"),
                    column,
                    value,
                    expected_value,
                )

"""Whether the ledger came to what the second model came to: by command, in memory, in tables."""

from collections.abc import Mapping
from typing import Any

from contracts import envelope as envelopes
from contracts.values import micros
from kit.base.db import Database
from ledger.book import lots as lot_rules
from ledger.log.domain import chunks, leaves
from ledger.posting.decide.batch_state import BatchState
from ledger.posting.decide.commands import Result
from verifier import leaves as expected_leaves
from verifier.model import decide
from verifier.model.decode import decode_command
from verifier.state import WAITING

from . import postgres
from .generators import START, wrap
from .oracle import Expectation, SecondModel
from .sealing import Rows

# what a member is told of an account, in the ledger's word for it
TOLD = ("held_points", "available_points", "pending_points", "credit_rial", "gift_rial")


def check_result(expected: Expectation, result: Result, rows: Rows, raw: bytes) -> None:
    """One command: what became of it, its answer, its leaf, and what the ledger says next."""
    check_equal(result.verdict.value, expected.disposition, raw)
    decision = result.decision
    if decision is None:
        return
    outcome = (decision.status.value, decision.code)
    check_equal(outcome, (expected.status, expected.code), raw)
    check_leaf(leaves.encode(rows.leaf(decision)), expected.leaf)
    sends = [sent(shard, body) for shard, body in decision.sends]
    check_equal(sends, list(expected.sends), raw)
    check_equal(expected.differences, (), raw)


def check_leaf(raw: bytes, expected: expected_leaves.Leaf | None) -> None:
    """Every row of a leaf, and its head but for the answers, which are read apart."""
    leaf = expected_leaves.from_bytes(raw)
    assert expected is not None, leaf.head
    check_equal(leaf.head[:6], expected.head[:6], raw)
    check_same(leaf.rows, expected.rows, leaf.head)


def sent(shard: int, body: Any) -> tuple[str, Any] | None:
    """A command of the ledger's own as the second model has it: name and content."""
    return decide.arrival_of(shard, decode_command(envelopes.encode(wrap(body, START))))


def check_equal(found: Any, expected: Any, where: Any) -> None:
    """Both are the same; where: the command, to find the place in a story of hundreds."""
    assert found == expected, (found, expected, where)


def check_same(found: Mapping[Any, Any], expected: Mapping[Any, Any], where: Any = "") -> None:
    """Both have the same under the same keys; tells only what differs."""
    keys = {key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)}
    assert not keys, ({key: (found.get(key), expected.get(key)) for key in keys}, where)


# ---------------------------------------------------------------------------------------- in memory


def check_memory(book: BatchState, model: SecondModel) -> None:
    """All that a batch is decided on: balances, lots, holds, and the shard's registry."""
    shard = model.shard
    registry, state = book.shard(shard).registry, model.state
    check_same({tuple(k): v for k, v in registry.balances.items() if v}, model.balances())
    members = {owner: one for (its, owner), one in book.members.items() if its == shard}
    check_same(
        {number: _in_memory(lot) for one in members.values() for number, lot in one.lots.items()},
        lots_of(model),
    )
    check_same(
        {number: hold.parts for one in members.values() for number, hold in one.holds.items()},
        model.standing_holds(),
    )
    check_same({tuple(who): status for who, status in registry.standings.items()},
               model.standings())  # fmt: skip
    check_same(registry.cards, {card: issuer for card, (issuer, _) in state.registry.cards.items()})
    check_same({account: tuple(card) for account, card in registry.successors.items()},
               state.registry.successors)  # fmt: skip
    assert registry.window == len(state.registry.windows)
    check_same(
        {tuple(pair): tuple(paid) for pair, paid in registry.settled.items()},
        {pair: (rial, window) for pair, (rial, window, _) in state.registry.settled.items()},
    )


def _in_memory(lot: Any) -> tuple[Any, ...]:
    dates = (lot.available_from, lot.expires_at)
    return (lot.remaining, lot.cost_left, lot.held, lot.lapsed, *map(_micros, dates))


def _micros(at: Any) -> int | None:
    return None if at is None else micros(at)


def lots_of(model: SecondModel) -> dict[int, tuple[Any, ...]]:
    """What is left of each lot, its cost, what is held and was lapsed, and its dates."""
    return {
        number: (
            lot.left, lot.cost, lot.held, lot.lapsed,
            None if lot.start == WAITING else lot.start, lot.until,
        )
        for number, lot in model.state.lots.items()
    }  # fmt: skip


def check_told_balances(book: BatchState, model: SecondModel) -> None:
    """What members are told now of their accounts: due holds are free, whether booked or not."""
    now = book.shard(model.shard).decided_at
    for (shard, owner), member in book.members.items():
        if shard == model.shard:
            effective = lot_rules.effective(member.lots, member.holds, now)
            told = lot_rules.balance(effective, now=now)
            expected = model.account_balance(owner)
            assert [getattr(told, name) for name in TOLD] == [expected[name] for name in TOLD], (
                owner
            )


# ---------------------------------------------------------------------------------------- in tables


async def check_tables(database: Database, model: SecondModel) -> None:
    """What the rules put into a shard's tables: balances, lots, holds, registry and all leaves."""
    shard = model.shard
    check_same(await postgres.balances_of(database, shard), model.balances())
    tables = await postgres.tables(database, shard)
    check_same(
        {row[0]: (*row[5:9], *map(_micros, row[15:17])) for row in tables["lots"]},
        lots_of(model),
    )
    check_same(
        {
            row[0]: (*row[1:3], _micros(row[3]), tuple(zip(*row[4:6], strict=True)), *row[6:8])
            for row in tables["holds"]
        },
        {
            number: (hold.owner, hold.name, hold.due, hold.parts, hold.end, hold.ended_by)
            for number, hold in model.holds.items()
        },
    )
    _check_registry(tables, model)
    await check_leaves(database, model)


def _check_registry(tables: dict[str, list[tuple[Any, ...]]], model: SecondModel) -> None:
    """Standings, terms, cards, windows and what was paid for them; what became of originals."""
    registry = model.state.registry
    check_same({row[:2]: row[2:] for row in tables["standings"]}, registry.standings)
    check_same(
        {row[:3]: (*row[3:5], tuple(row[5]), row[6]) for row in tables["terms"]}, registry.terms
    )
    check_same({row[0]: row[1:] for row in tables["cards"]}, registry.cards)
    assert [row[1] for row in tables["windows"]] == registry.windows
    check_same({row[:3]: row[3] for row in tables["positions"]}, registry.reached)
    check_same({row[:2]: row[2:] for row in tables["settlements"]}, registry.settled)
    check_same(
        {row[0]: (*row[1:4], tuple(row[4]), *row[5:]) for row in tables["originals"]},
        {
            name: (
                one.sequence, one.total, sum(one.refunded), one.refunded, one.full, one.reversed,
                one.verdict,
            )
            for name, one in model.state.progress.items()
        },
    )  # fmt: skip


async def check_leaves(database: Database, model: SecondModel) -> None:
    """The shard's log."""
    async with database.read() as tx:
        rows = await tx.fetch(
            "select packed from leaves where shard = $1 order by first", model.shard
        )
    raws = [raw for row in rows for raw in chunks.unpack(row["packed"])]
    for raw, expected in zip(raws, model.leaves, strict=True):
        check_leaf(raw, expected)

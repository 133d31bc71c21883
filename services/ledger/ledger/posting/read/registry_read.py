"""Reads the part of its shards' registries that a batch needs: none for most batches."""

from collections.abc import Iterable

from contracts.value import AccountStatus, TermsKind
from kit.base.db import Record, Tx
from ledger.book.facts import AccountKey
from ledger.posting.decide.batch_state import BatchState
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain.shard_registry import Pair, Settled, Subject, Terms, TermsKey
from ledger.posting.store import registry, state
from ledger.tables.lots import UNITS


async def read(tx: Tx, book: BatchState, needs: RegistryNeeds) -> dict[tuple[int, int], int]:
    """Read what is needed into the registries of the batch, one statement for each kind.

    Gives closed accounts by (shard, sequence) of the command that closed them. A few were closed by
    a reissue, whose leaf names the new card.
    """
    closed: dict[tuple[int, int], int] = {}
    if needs.standings:
        closed = await _read_standings(tx, book, needs)
    if needs.cards:
        for shard, account, issuer in await registry.list_cards(tx, sorted(needs.cards)):
            book.shards[shard].registry.cards[account] = issuer
    if needs.terms:
        await _read_terms(tx, book, needs)
    if needs.pairs or needs.closing:
        await _read_settlement(tx, book, needs)
    if needs.parties:
        _watch(book, await registry.list_of_parties(tx, sorted(needs.parties)))
    if needs.balances:
        await _read_balances(tx, book, needs)
    for shard in needs.closing | {shard for shard, _ in needs.balances}:
        book.shards[shard].registry.watched = True
    return closed


async def _read_standings(
    tx: Tx, book: BatchState, needs: RegistryNeeds
) -> dict[tuple[int, int], int]:
    rows = [(shard, *subject) for shard, subject in sorted(needs.standings)]
    closed: dict[tuple[int, int], int] = {}
    for shard, is_party, number, standing, sequence in await registry.list_standings(tx, rows):
        book.shards[shard].registry.standings[Subject(is_party, number)] = AccountStatus(standing)
        if not is_party and standing == AccountStatus.CLOSED:
            closed[shard, sequence] = number
    return closed


async def _read_terms(tx: Tx, book: BatchState, needs: RegistryNeeds) -> None:
    rows = [(shard, *key) for shard, key in sorted(needs.terms)]
    for record in await registry.list_terms(tx, rows):
        shard, kind, ident, version, numerator, denominator, accepted_by = record
        key = TermsKey(TermsKind(kind), ident, version)
        book.shards[shard].registry.terms[key] = Terms(numerator, denominator, tuple(accepted_by))


async def _read_settlement(tx: Tx, book: BatchState, needs: RegistryNeeds) -> None:
    records: list[Record] = []
    if needs.pairs:
        pairs = [(shard, *pair) for shard, pair in sorted(needs.pairs)]
        records += await registry.list_settlements(tx, pairs)
        windows = [(shard, *pair, window) for (shard, pair), window in sorted(needs.pairs.items())]
        for shard, debtor, creditor, window, rial in await registry.list_positions(tx, windows):
            book.shards[shard].registry.reached[window, Pair(debtor, creditor)] = rial
    if needs.closing:
        shards = sorted(needs.closing)
        records += await registry.list_all_settlements(tx, shards)
        _watch(book, await registry.list_payables(tx, shards))
    for shard, debtor, creditor, rial, window in records:
        book.shards[shard].registry.settled[Pair(debtor, creditor)] = Settled(rial, window)


async def _read_balances(tx: Tx, book: BatchState, needs: RegistryNeeds) -> None:
    keys = sorted(needs.balances)
    for record in await state.list_accounts(tx, keys):
        place: int = record["place"]
        shard, key = keys[place - 1]
        book.shards[shard].registry.balances[key] = record["balance"]


def _watch(book: BatchState, records: Iterable[Record]) -> None:
    for shard, owner, role, unit, party, balance in records:
        key = AccountKey(owner, state.ROLES[role], UNITS[unit], party)
        book.shards[shard].registry.balances[key] = balance

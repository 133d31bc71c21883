"""Reads what a batch looks at of its shards' houses: nothing for most batches."""

from collections.abc import Iterable

from contracts.value import Standing, TermsKind
from kit.db import Record, Tx
from ledger.decide.book import Book
from ledger.decide.needs import Needs
from ledger.domain.book import AccountKey
from ledger.domain.house import Pair, Settled, Subject, Terms, TermsKey
from ledger.store import houses, posting


async def read(tx: Tx, book: Book, needs: Needs) -> dict[tuple[int, int], int]:
    """Put what is needed into the houses of the book; one statement for each kind of it.

    Gives accounts that are closed, by (shard, sequence) of what closed them: it may say by what
    card, for few.
    """
    closed: dict[tuple[int, int], int] = {}
    if needs.standings:
        closed = await _read_standings(tx, book, needs)
    if needs.cards:
        for shard, account, issuer in await houses.list_cards(tx, sorted(needs.cards)):
            book.shards[shard].house.cards[account] = issuer
    if needs.terms:
        await _read_terms(tx, book, needs)
    if needs.pairs or needs.closing:
        await _read_settlement(tx, book, needs)
    if needs.parties:
        _watch(book, await houses.list_of_parties(tx, sorted(needs.parties)))
    if needs.balances:
        await _read_balances(tx, book, needs)
    for shard in needs.closing | {shard for shard, _ in needs.balances}:
        book.shards[shard].house.watched = True
    return closed


async def _read_standings(tx: Tx, book: Book, needs: Needs) -> dict[tuple[int, int], int]:
    rows = [(shard, *subject) for shard, subject in sorted(needs.standings)]
    closed: dict[tuple[int, int], int] = {}
    for shard, is_party, number, standing, sequence in await houses.list_standings(tx, rows):
        book.shards[shard].house.standings[Subject(is_party, number)] = Standing(standing)
        if not is_party and standing == Standing.CLOSED:
            closed[shard, sequence] = number
    return closed


async def _read_terms(tx: Tx, book: Book, needs: Needs) -> None:
    rows = [(shard, *key) for shard, key in sorted(needs.terms)]
    for record in await houses.list_terms(tx, rows):
        shard, kind, ident, version, numerator, denominator, accepted_by = record
        key = TermsKey(TermsKind(kind), ident, version)
        book.shards[shard].house.terms[key] = Terms(numerator, denominator, tuple(accepted_by))


async def _read_settlement(tx: Tx, book: Book, needs: Needs) -> None:
    records: list[Record] = []
    if needs.pairs:
        pairs = [(shard, *pair) for shard, pair in sorted(needs.pairs)]
        records += await houses.list_settlements(tx, pairs)
        wanted = [(shard, *pair, window) for (shard, pair), window in sorted(needs.pairs.items())]
        for shard, debtor, creditor, window, rial in await houses.list_positions(tx, wanted):
            book.shards[shard].house.reached[window, Pair(debtor, creditor)] = rial
    if needs.closing:
        shards = sorted(needs.closing)
        records += await houses.list_all_settlements(tx, shards)
        _watch(book, await houses.list_payables(tx, shards))
    for shard, debtor, creditor, rial, window in records:
        book.shards[shard].house.settled[Pair(debtor, creditor)] = Settled(rial, window)


async def _read_balances(tx: Tx, book: Book, needs: Needs) -> None:
    keys = sorted(needs.balances)
    for record in await posting.list_accounts(tx, keys):
        place: int = record["place"]
        shard, key = keys[place - 1]
        book.shards[shard].house.balances[key] = record["balance"]


def _watch(book: Book, records: Iterable[Record]) -> None:
    for shard, owner, role, unit, party, balance in records:
        key = AccountKey(owner, posting.ROLES[role], posting.UNITS[unit], party)
        book.shards[shard].house.balances[key] = balance

"""Reading statements, the transactions behind their lines, and what does not reconcile."""

from typing import Final

from kit.base.db import Tx
from merchants.clearing import usecases as clearing
from merchants.clearing.domain.corrections import effects_of
from merchants.clearing.domain.counting import Pair, PairEntry
from merchants.disputes.usecases import disputes
from merchants.parties import usecases as parties
from merchants.statements.domain import printed, reconciliation, statement
from merchants.statements.domain.reconciliation import Difference
from merchants.statements.domain.statement import Statement

MISCOUNTED_MAX: Final = 200  # pairs that a report names


async def get_statement(
    tx: Tx, window: int, party: int, *, after: Pair | None = None, limit: int | None = None
) -> Statement:
    """A party's statement of a closed window with a page of its lines; limit None: all of them.

    Raises Unknown (party, window), NotClosed; Alarm where whole lines do not lead to the closing.
    """
    registered = await parties.get_party(tx, party)
    closed, position = await clearing.get_position(tx, window, party)
    pairs = await clearing.list_pairs_of(tx, window, party, after=after, limit=limit)
    corrections = await clearing.list_corrections_of(tx, window, party)
    effects = effects_of(corrections, party, window)
    others = {one for pair in pairs for one in pair} | {one.counterparty for one in effects}
    titles = await parties.list_parties(tx, others)
    lines = statement.lines_of(party, pairs, titles)
    last = list(pairs)[-1] if limit is not None and len(pairs) == limit else None
    drawn_up = Statement(closed, registered, position, lines, effects, titles, last)
    if after is None and last is None:
        statement.check_closing(drawn_up)
    return drawn_up


async def get_printable(tx: Tx, window: int, party: int) -> Statement:
    """A whole statement of no more lines than go on paper.

    Raises as get_statement does, and TooLong.
    """
    drawn_up = await get_statement(tx, window, party, limit=printed.LINES_MAX + 1)
    printed.check_length(drawn_up)
    return drawn_up


async def list_transactions(
    tx: Tx, window: int, pair: Pair, *, after: tuple[int, int], limit: int
) -> list[PairEntry]:
    """The transactions behind a line, by shard and sequence. Raises Unknown, NotClosed."""
    return await clearing.list_entries(tx, window, pair, after=after, limit=limit)


async def party_of(tx: Tx, merchant: int) -> int:
    """The party that owes and is owed for a merchant. Raises Unknown."""
    return (await parties.get_merchant(tx, merchant)).party


async def reconcile(tx: Tx, window: int) -> list[Difference]:
    """What does not agree in a closed window; empty when all is well. Raises Unknown, NotClosed."""
    whole = await clearing.get_whole(tx, window, limit=MISCOUNTED_MAX)
    made = [one for one in whole.corrections if one.window == window]
    ended = await disputes.list_by_name(tx, [one.correction for one in made])
    lost = await disputes.list_uncorrected(tx, window, limit=MISCOUNTED_MAX)
    return [
        *reconciliation.differences(whole),
        *reconciliation.of_disputes(made, ended, lost),
    ]

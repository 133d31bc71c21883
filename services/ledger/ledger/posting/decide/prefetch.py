"""What of a shard's house the commands of a batch look at: most batches, nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.ledger import IssueValue, PostTransaction
from contracts.value import (
    ActivateCard,
    AdjustValue,
    CaptureHold,
    CloseWindow,
    ExchangeValue,
    InstallTerms,
    ReceiveValue,
    ReissueCard,
    SendBudget,
    SetStanding,
    SettlePosition,
    Standing,
    TermsKind,
)
from contracts.values import NETWORK_PARTY, Unit
from ledger.book import chart_transfers
from ledger.book.facts import AccountKey, Command, Role
from ledger.posting.decide.batch_state import Book
from ledger.posting.domain.shard_registry import Pair, Subject, TermsKey


@dataclass(slots=True)
class Needs:
    """By shard. pairs: with the earliest window asked for. closing: shards whose window closes.

    parties: to be closed.
    """

    standings: set[tuple[int, Subject]] = field(default_factory=set[tuple[int, Subject]])
    balances: set[tuple[int, AccountKey]] = field(default_factory=set[tuple[int, AccountKey]])
    cards: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    terms: set[tuple[int, TermsKey]] = field(default_factory=set[tuple[int, TermsKey]])
    pairs: dict[tuple[int, Pair], int] = field(default_factory=dict[tuple[int, Pair], int])
    closing: set[int] = field(default_factory=set[int])
    parties: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])


def of_batch(fresh: Iterable[Command], owners: Sequence[tuple[int, int]], book: Book) -> Needs:
    """What to read for fresh commands. owners: (shard, account) that they are about.

    book: with the earlier commands that they name, and the shards where a standing was ever set.
    """
    needs, guarded = Needs(), book.guarded
    for command in fresh:
        shard = command.shard
        body: object = command.body
        of_body = _NEEDS.get(type(body))
        if of_body is not None:
            of_body(needs, shard, body)
        if shard in guarded:
            parties = {*_parties(body), _place_of_hold(book, shard, body)} - {0}
            needs.standings |= {(shard, Subject(True, party)) for party in parties}
    if guarded:
        needs.standings |= {
            (shard, Subject(False, owner)) for shard, owner in owners if shard in guarded
        }
    return needs


def _parties(body: Any) -> Iterable[int]:
    """Every party whose standing may matter to a command."""
    yield getattr(body, "acceptor", 0)
    yield getattr(body, "issuer", 0)
    yield getattr(body, "funder", 0)
    yield getattr(body, "custodian", 0)
    yield getattr(body, "party", 0)
    yield getattr(body, "debtor", 0)
    yield getattr(body, "creditor", 0)
    for award in getattr(body, "awards", ()):
        yield award.issuer
        yield award.funder


def _place_of_hold(book: Book, shard: int, body: object) -> int:
    """Where a capture happens: its hold says. A hold of this very batch says so itself."""
    if not isinstance(body, CaptureHold):
        return 0
    hold = book.originals.get((shard, body.original))
    return hold.acceptor if hold is not None else 0


def _of_awards(needs: Needs, shard: int, body: PostTransaction) -> None:
    for award in body.awards:
        if award.budget is not None:
            needs.balances.add((shard, chart_transfers.budget_key(award.funder, award.budget)))
        if award.unit is Unit.GIFT:
            needs.cards.add((shard, body.account))


def _of_issue(needs: Needs, shard: int, body: IssueValue) -> None:
    if body.budget is not None:
        needs.balances.add((shard, chart_transfers.budget_key(body.funder, body.budget)))
    if body.unit is Unit.GIFT:
        needs.cards.add((shard, body.account))


def _of_card(needs: Needs, shard: int, body: ReceiveValue | ActivateCard | ReissueCard) -> None:
    needs.cards.add((shard, body.account))


def _of_adjustment(needs: Needs, shard: int, body: AdjustValue) -> None:
    if body.unit is Unit.GIFT:
        needs.cards.add((shard, body.account))


def _of_exchange(needs: Needs, shard: int, body: ExchangeValue) -> None:
    needs.terms.add((shard, TermsKey(TermsKind.RATE, body.rate, body.version)))


def _of_terms(needs: Needs, shard: int, body: InstallTerms) -> None:
    needs.terms.add((shard, TermsKey(body.kind, body.id, body.version)))


def _of_budget(needs: Needs, shard: int, body: SendBudget) -> None:
    needs.balances.add((shard, chart_transfers.budget_key(body.party, body.campaign)))


def _of_window(needs: Needs, shard: int, _: CloseWindow) -> None:
    needs.closing.add(shard)


def _of_settlement(needs: Needs, shard: int, body: SettlePosition) -> None:
    for pair in (Pair(body.debtor, body.creditor), Pair(body.creditor, body.debtor)):
        earliest = needs.pairs.get((shard, pair), body.window)
        needs.pairs[shard, pair] = min(earliest, body.window)
        needs.balances.add((shard, chart_transfers.fee_key(pair.debtor)))


def _of_standing(needs: Needs, shard: int, body: SetStanding) -> None:
    if body.account or body.standing is not Standing.CLOSED:
        return
    needs.parties.add((shard, body.party))
    for unit in Unit:
        for role in (Role.TRANSIT, Role.EXCHANGE):
            needs.balances.add((shard, AccountKey(NETWORK_PARTY, role, unit, body.party)))


_NEEDS: Final[dict[type, Callable[[Needs, int, Any], None]]] = {
    PostTransaction: _of_awards,
    IssueValue: _of_issue,
    ReceiveValue: _of_card,
    ActivateCard: _of_card,
    ReissueCard: _of_card,
    AdjustValue: _of_adjustment,
    ExchangeValue: _of_exchange,
    InstallTerms: _of_terms,
    SendBudget: _of_budget,
    CloseWindow: _of_window,
    SettlePosition: _of_settlement,
    SetStanding: _of_standing,
}

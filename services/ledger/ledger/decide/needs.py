"""What of a shard's house the commands of a batch look at: most batches, nothing."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.ledger import Award, IssueValue, PostTransaction
from contracts.value import (
    ActivateCard,
    AdjustValue,
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
from ledger.domain import crossing
from ledger.domain.book import AccountKey, Command, Role
from ledger.domain.house import Pair, Subject, TermsKey


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


def of_batch(
    fresh: Iterable[Command], owners: Sequence[tuple[int, int]], guarded: Collection[int]
) -> Needs:
    """What to read for fresh commands. owners: (shard, account) that they are about.

    guarded: shards where a standing was ever set.
    """
    needs = Needs()
    for command in fresh:
        body, shard = command.body, command.shard
        if type(body) is PostTransaction:
            if body.awards:
                _of_awards(needs, shard, body.account, body.awards)
        else:
            _of_value(needs, shard, body)
        if shard in guarded:
            parties = {Subject(True, party) for party in _parties(body) if party}
            needs.standings |= {(shard, subject) for subject in parties}
    if guarded:
        needs.standings |= {
            (shard, Subject(False, owner)) for shard, owner in owners if shard in guarded
        }
    return needs


def _of_awards(needs: Needs, shard: int, account: int, awards: Iterable[Award]) -> None:
    for award in awards:
        if award.budget is not None:
            needs.balances.add((shard, crossing.budget_key(award.funder, award.budget)))
        if award.unit is Unit.GIFT:
            needs.cards.add((shard, account))


def _of_value(needs: Needs, shard: int, body: Any) -> None:
    match body:
        case IssueValue():
            if body.budget is not None:
                needs.balances.add((shard, crossing.budget_key(body.funder, body.budget)))
            if body.unit is Unit.GIFT:
                needs.cards.add((shard, body.account))
        case ReceiveValue() | ActivateCard() | ReissueCard():
            needs.cards.add((shard, body.account))
        case AdjustValue():
            if body.unit is Unit.GIFT:
                needs.cards.add((shard, body.account))
        case ExchangeValue():
            needs.terms.add((shard, TermsKey(TermsKind.RATE, body.rate, body.version)))
        case _:
            _of_house(needs, shard, body)


def _of_house(needs: Needs, shard: int, body: Any) -> None:
    match body:
        case InstallTerms():
            needs.terms.add((shard, TermsKey(body.kind, body.id, body.version)))
        case SendBudget():
            needs.balances.add((shard, crossing.budget_key(body.party, body.campaign)))
        case CloseWindow():
            needs.closing.add(shard)
        case SettlePosition():
            for pair in (Pair(body.debtor, body.creditor), Pair(body.creditor, body.debtor)):
                earliest = needs.pairs.get((shard, pair), body.window)
                needs.pairs[shard, pair] = min(earliest, body.window)
                needs.balances.add((shard, crossing.fee_key(pair.debtor)))
        case SetStanding():
            if not body.account and body.standing is Standing.CLOSED:
                needs.parties.add((shard, body.party))
                for unit in Unit:
                    for role in (Role.TRANSIT, Role.EXCHANGE):
                        key = AccountKey(NETWORK_PARTY, role, unit, body.party)
                        needs.balances.add((shard, key))
        case _:
            pass


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

"""Transactions of the road, those that a stage refused, and what the ledger never books."""

from collections.abc import Iterator
from typing import Final

from contracts.ledger import AdvanceClock, Inquire, PostTransaction, RefuseTransaction
from contracts.values import Kind as TransactionKind
from contracts.values import Unit
from ledger.book import chart_transfers
from ledger.book.facts import PriorPosting
from ledger.posting.decide import authorisations, refunds, sale, wallet
from ledger.posting.decide.debits import Debit
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, decline_for, refuse
from ledger.posting.decide.kinds import Kind, always
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain import texts

_UNDOES: Final = frozenset({TransactionKind.REFUND, TransactionKind.REVERSAL, TransactionKind.VOID})


def _post(draft: AccountDraft, body: PostTransaction, original: PriorPosting | None) -> Effects:
    if body.decline:
        return decline_for(*body.decline)
    match body.kind:
        case TransactionKind.REFUND:
            return refunds.refund(draft, body, original)
        case TransactionKind.REVERSAL:
            return _reverse(draft, body, original)
        case TransactionKind.TOP_UP:
            return wallet.top_up(draft, body)
        case TransactionKind.AUTHORISATION:
            return authorisations.authorise(draft, body)
        case TransactionKind.CAPTURE:
            return authorisations.capture(draft, body, original)
        case TransactionKind.VOID:
            return authorisations.void(draft, body, original)
        case TransactionKind.PURCHASE | TransactionKind.REDEMPTION:
            return sale.decide(draft, body) if draft.owner else decline("no-account")
        case TransactionKind.INQUIRY:
            return refuse(texts.reason("not-a-command"))


def _reverse(draft: AccountDraft, body: PostTransaction, original: PriorPosting | None) -> Effects:
    """What a reversal undoes decides how."""
    if original is not None:
        match original.kind:
            case TransactionKind.AUTHORISATION:
                return authorisations.void(draft, body, original)
            case TransactionKind.TOP_UP:
                return wallet.reverse(draft, body, original)
            case _:
                pass
    return refunds.reverse(draft, body, original)


def _makers(body: PostTransaction) -> tuple[int, ...]:
    return (body.acceptor,) if body.kind is TransactionKind.TOP_UP else ()


def _debits(body: PostTransaction, original: PriorPosting | None) -> Iterator[Debit]:
    if body.decline:
        return
    terms = body.redemption
    if terms is not None and body.kind is not TransactionKind.CAPTURE:  # its lots are the hold's
        yield Debit(Unit.NETWORK_POINTS, None, terms.points)
        yield Debit(Unit.CREDIT, None, terms.credit_rial)
        yield Debit(Unit.GIFT, None, terms.gift_rial)
    if body.original and original is not None:  # points that its own lots no longer have
        for grant in original.grants:
            yield Debit(grant.unit, grant.issuer, grant.amount)


def _needs(needs: RegistryNeeds, shard: int, body: PostTransaction) -> None:
    for award in body.awards:
        if award.budget is not None:
            key = chart_transfers.budget_key(award.funder, award.budget)
            needs.balances.add((shard, key))
        if award.unit is Unit.GIFT:
            needs.cards.add((shard, body.account))


def _parties(body: PostTransaction) -> Iterator[int]:
    yield body.acceptor
    for award in body.awards:
        yield award.issuer
        yield award.funder


def _refuse_unreadable(_: AccountDraft, __: object, ___: PriorPosting | None) -> Effects:
    return refuse(texts.reason("undecodable"))


UNREADABLE: Final = Kind(object, _refuse_unreadable)  # a body of no kind known here

KINDS: Final = (
    Kind(
        PostTransaction,
        _post,
        debits=_debits,
        needs=_needs,
        parties=_parties,
        exempt=lambda body: bool(body.decline),
        returns=lambda _, body: body.kind in _UNDOES,
        leaves=lambda body: body.redemption is not None,
        makers=_makers,
        begins=lambda body: 0 if body.kind in _UNDOES else body.acceptor,
    ),
    Kind(RefuseTransaction, lambda _, body, __: refuse(body.reason), exempt=always),
    Kind(AdvanceClock, lambda _, __, ___: Effects()),
    # a query: it is answered from the state and never decided
    Kind(Inquire, _refuse_unreadable, parties=lambda body: (body.acceptor,)),
)

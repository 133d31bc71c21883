"""A merchant's own points for network points, or back, at a rate that both sides accepted."""

from typing import Final

from contracts.value import ExchangeValue, TermsKind
from contracts.values import BASIS_POINTS, NETWORK_PARTY, Unit, largest_remainder
from ledger.book import chart, chart_transfers, lots
from ledger.book.facts import Lot, LotMovementKind, Origin, lot_number
from ledger.posting.decide import transfer
from ledger.posting.decide.debits import of_unit
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline
from ledger.posting.decide.kinds import Kind, always
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.decide.transfer import Takes
from ledger.posting.domain.shard_registry import TermsKey

_COUNTER_UNIT = {
    Unit.MERCHANT_POINTS: Unit.NETWORK_POINTS,
    Unit.NETWORK_POINTS: Unit.MERCHANT_POINTS,
}


def decide(draft: AccountDraft, body: ExchangeValue) -> Effects:
    """One transfer per unit through the exchange accounts; cost is carried (architecture 5).

    Where network points are surrendered, their issuers owe the merchant their cost, and the
    merchant owes the network its fee.
    """
    if not body.account:
        return decline("no-account")
    no = _refusal(draft, body)
    if no is not None:
        return no
    takes = transfer.plan(draft, body.unit, body.issuer, body.amount)
    if isinstance(takes, Effects):
        return takes
    surrendered = [(lot.unit, lot.issuer, amount) for lot, amount in takes]
    cost = body.cost_rial
    if body.unit is Unit.NETWORK_POINTS:
        draft.acceptor = body.issuer
        cost = _clear(draft, body, takes)
    else:
        for lot, amount in takes:
            draft.take(lot, amount, LotMovementKind.EXCHANGED)
    for leg in chart_transfers.exchange(draft.owner, surrendered, sign=1):
        draft.post(leg)
    draft.add(_lot(draft, body, cost))
    received = [(_COUNTER_UNIT[body.unit], body.issuer, body.receives)]
    for leg in chart_transfers.exchange(draft.owner, received, sign=-1):
        draft.post(leg)
    draft.settle_debts()
    return Effects()


def _refusal(draft: AccountDraft, body: ExchangeValue) -> Effects | None:
    if body.unit not in _COUNTER_UNIT or not body.issuer:
        return decline("not-value")
    rate = draft.registry.terms.get(TermsKey(TermsKind.RATE, body.rate, body.version))
    if rate is None:
        return decline("unknown-rate")
    if not {NETWORK_PARTY, body.issuer} <= set(rate.accepted_by):
        return decline("rate-not-accepted")
    numbers = (rate.numerator, rate.denominator)  # network points for merchant points
    if body.unit is Unit.NETWORK_POINTS:
        numbers = (rate.denominator, rate.numerator)
    if numbers != (body.numerator, body.denominator):
        return decline("rate-differs")
    if body.receives != body.amount * body.numerator // body.denominator:
        return decline("rate-gives-otherwise")
    return None


def _clear(draft: AccountDraft, body: ExchangeValue, takes: Takes) -> int:
    """Book the merchant's claims on the issuers of the points it takes. Gives their Rial cost."""
    costs = [lots.cost_of(lot, amount) for lot, amount in takes]
    crossed = [
        cost if lot.issuer != body.issuer else 0
        for (lot, _), cost in zip(takes, costs, strict=True)
    ]
    fee = sum(crossed) * body.fee_bp // BASIS_POINTS
    fees = largest_remainder(fee, crossed)
    claims: dict[int, int] = {}
    for (lot, amount), cost, part in zip(takes, costs, fees, strict=True):
        draft.take_at(lot, amount, LotMovementKind.EXCHANGED, cost, claim=cost, fee=part)
        claims[lot.issuer] = claims.get(lot.issuer, 0) + cost
    for issuer, rial in claims.items():
        draft.post(chart.fund(body.issuer, issuer, rial))
    draft.post(chart_transfers.fee(body.issuer, fee))
    return sum(costs)


def _lot(draft: AccountDraft, body: ExchangeValue, cost: int) -> Lot:
    return Lot(
        lot_number(draft.sequence, 0), draft.owner, _COUNTER_UNIT[body.unit], body.receives, cost,
        body.issuer, body.issuer, body.rate, body.version, draft.now, body.expires_at,
        draft.command.occurred_at, 0, Origin.EXCHANGE, 0, body.receives, cost,
    )  # fmt: skip


def _needs(needs: RegistryNeeds, shard: int, body: ExchangeValue) -> None:
    needs.terms.add((shard, TermsKey(TermsKind.RATE, body.rate, body.version)))


KINDS: Final = (
    Kind(
        ExchangeValue,
        lambda draft, body, _: decide(draft, body),
        debits=lambda body, _: of_unit(body.unit, body.issuer, body.amount),
        needs=_needs,
        parties=lambda body: (body.issuer,),
        leaves=always,
        makers=lambda body: (body.issuer,),
    ),
)

"""Value from one account to another through transit: sent, received, or brought back."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from contracts.value import (
    FORWARDS_MAX,
    AccountStatus,
    ReceiveValue,
    ReissueCard,
    ReturnValue,
    SendValue,
    TransferredLot,
)
from contracts.values import NameKind, Unit, name
from ledger.book import chart_transfers, lots
from ledger.book.errors import Unread
from ledger.book.facts import (
    GRACE,
    Lot,
    LotMovement,
    LotMovementKind,
    Origin,
    PriorPosting,
    lot_number,
)
from ledger.posting.decide import issuance, spend
from ledger.posting.decide.debits import of_unit
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, decline_too_many
from ledger.posting.decide.kinds import Kind, always
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain.shard_registry import Change, Subject, Successor

PARCELS_MAX = 1024  # of one message
_SEND = "send-value.v1"
_LACKS = {
    Unit.NETWORK_POINTS: "insufficient-points",
    Unit.MERCHANT_POINTS: "insufficient-merchant-points",
    Unit.CREDIT: "insufficient-credit",
    Unit.GIFT: "insufficient-gift",
}
Takes = Sequence[tuple[Lot, int]]


def send(draft: AccountDraft, body: SendValue) -> Effects:
    """Put what a spend would take now into transit, and command its receipt."""
    if not body.account or not body.to_account:
        return decline("no-account")
    if (body.to_shard, body.to_account) == (draft.command.shard, body.account):
        return decline("same-account")
    takes = plan(draft, body.unit, body.issuer, body.amount)
    if isinstance(takes, Effects):
        return takes
    dispatch(draft, takes, Successor(body.to_shard, body.to_account), body.purpose)
    return Effects()


def plan(draft: AccountDraft, unit: Unit, issuer: int, amount: int) -> Takes | Effects:
    """Lots that pay an amount; a decline where they cannot, or are too many. Debts come first.

    issuer: of merchant points.
    """
    if unit not in _LACKS:
        return decline("not-value")
    draft.settle_debts()
    of_issuer = issuer if unit is Unit.MERCHANT_POINTS else None
    takes = spend.plan(draft, (spend.Demand(unit, of_issuer, amount, _LACKS[unit]),))
    if isinstance(takes, Effects):
        return takes
    return decline_too_many(takes, PARCELS_MAX) or takes


def dispatch(draft: AccountDraft, takes: Takes, to: Successor, purpose: str = "reissue") -> None:
    """Put lots into transit, and command their receipt where they go."""
    body = draft.command.body
    sent = body if isinstance(body, SendValue) else None  # else it goes on, or a card is reissued
    parcels = tuple([_parcel(lot, draft.take(lot, n, LotMovementKind.SENT)) for lot, n in takes])
    for transfer in chart_transfers.transit(draft.owner, _moved(parcels), sign=1):
        draft.post(transfer)
    shard = draft.command.shard
    receipt = ReceiveValue(
        name=name(NameKind.RECEIPT, shard, draft.sequence),
        account=to.account,
        member=sent.to_member if sent is not None else 0,
        from_shard=shard,
        from_sequence=draft.sequence,
        from_account=draft.owner,
        from_member=sent.member if sent is not None else 0,
        parcels=parcels,
        purpose=purpose,
        sent_by=body.name,
        forwarded=forwards(draft),
    )
    draft.sends.append((to.shard, receipt))


def forwards(draft: AccountDraft) -> int:
    """How often value was forwarded to a card's successor, this time included; 0 for a send."""
    body = draft.command.body
    if type(body) in (SendValue, ReissueCard):
        return 0
    return body.forwarded + 1 if type(body) is ReceiveValue else 1


def pass_on(draft: AccountDraft, original: PriorPosting | None) -> None:
    """Forward what came back to a closed account to the card that took its place.

    Without such a card, or where that card refused it, the account opens again, frozen: value must
    have a place.
    """
    if draft.registry.of_account(draft.owner) is not AccountStatus.CLOSED:
        return
    if draft.rest:
        raise Unread
    to, ready = draft.registry.successors.get(draft.owner), draft.live()[:PARCELS_MAX]
    if type(draft.command.body) is ReturnValue and original is not None:
        to = to if original.type == _SEND else None
    if to is not None and ready:
        dispatch(draft, [(lot, lot.remaining) for lot in ready], to)
    if draft.debts or draft.live():
        draft.change = Change(standings=((Subject(False, draft.owner), AccountStatus.FROZEN),))


def receive(draft: AccountDraft, body: ReceiveValue) -> Effects:
    """Open children of exactly the lots that were sent. Refused, the value goes back."""
    if not body.account:
        return decline("no-account")
    for parcel in body.parcels:
        no = issuance.refusal_to_load(draft, parcel.unit)
        if no is not None:
            return no
    draft.settle_debts()
    for ordinal, parcel in enumerate(body.parcels):
        draft.fill(_child(draft, parcel, ordinal))
    for transfer in chart_transfers.transit(draft.owner, _moved(body.parcels), sign=-1):
        draft.post(transfer)
    draft.settle_debts()
    return Effects()


def return_of(body: ReceiveValue, code: str) -> tuple[int, ReturnValue]:
    """The command that returns refused value, and the shard it is for."""
    returned = ReturnValue(
        name=name(NameKind.RETURN, body.from_shard, body.from_sequence),
        account=body.from_account,
        original=body.sent_by,
        code=code,
    )
    return body.from_shard, returned


def bring_back(draft: AccountDraft, original: PriorPosting | None) -> Effects:
    """Restore the lots that were sent; one past its date gets a child with the grace date. Once.

    An account that closed meanwhile opens again, frozen: value must have a place.
    """
    sent = (
        [row for row in original.rows if row.kind is LotMovementKind.SENT]
        if original is not None
        else []
    )
    if original is None or not sent or original.account not in (0, draft.owner):
        return decline("unknown-original")
    if any(row.lot not in draft.lots for row in sent):
        return decline("unknown-original")
    if original.progress.full:
        return decline("already-returned")
    draft.settle_debts()
    for row in sent:
        part = replace(row, kind=LotMovementKind.ARRIVED)
        draft.give_back(row, original.sequence, part=part, grace=draft.now + GRACE)
    for transfer in chart_transfers.transit(draft.owner, _moved_rows(sent), sign=-1):
        draft.post(transfer)
    draft.settle_debts()
    return Effects(progress=(original.name, replace(original.progress, full=True)))


def _parcel(lot: Lot, row: LotMovement) -> TransferredLot:
    return TransferredLot(
        lot=lot.lot,
        unit=lot.unit,
        amount=row.amount,
        cost_rial=row.cost_rial,
        issuer=lot.issuer,
        funder=lot.funder,
        merchant=lot.merchant,
        rule=lot.rule,
        rule_version=lot.rule_version,
        born_at=lot.born_at,
        available_from=lot.available_from,
        expires_at=lot.expires_at,
        sliding_days=lot.sliding_days,
        graced=lots.graced(lot),
    )


def _child(draft: AccountDraft, parcel: TransferredLot, ordinal: int) -> Lot:
    origin = Origin.GRACED if parcel.graced else Origin.RECEIVED
    return Lot(
        lot_number(draft.sequence, ordinal), draft.owner, parcel.unit, parcel.amount,
        parcel.cost_rial, parcel.issuer, parcel.funder, parcel.rule, parcel.rule_version,
        parcel.available_from, parcel.expires_at, parcel.born_at, parcel.merchant,
        origin, parcel.lot, parcel.amount, parcel.cost_rial, 0, 0, parcel.sliding_days,
    )  # fmt: skip


def _moved(parcels: Iterable[TransferredLot]) -> list[chart_transfers.Moved]:
    return [(parcel.unit, parcel.issuer, parcel.amount) for parcel in parcels]


def _moved_rows(rows: Iterable[LotMovement]) -> list[chart_transfers.Moved]:
    return [(row.unit, row.issuer, row.amount) for row in rows]


def _comes_back(draft: AccountDraft, body: ReceiveValue) -> bool:
    """Whether a closed account takes it: only what goes on to the card that took its place."""
    return draft.owner in draft.registry.successors and body.forwarded < FORWARDS_MAX


def _needs(needs: RegistryNeeds, shard: int, body: ReceiveValue) -> None:
    needs.cards.add((shard, body.account))


KINDS: Final = (
    Kind(
        SendValue,
        lambda draft, body, _: send(draft, body),
        debits=lambda body, _: of_unit(body.unit, body.issuer, body.amount),
        parties=lambda body: (body.issuer,),
        leaves=always,
    ),
    Kind(
        ReceiveValue,
        lambda draft, body, _: receive(draft, body),
        needs=_needs,
        returns=_comes_back,
    ),
    Kind(ReturnValue, lambda draft, _, original: bring_back(draft, original), exempt=always),
)

"""Gift cards and the wallet: activated, loaded, reissued; money paid in."""

from typing import Final

from contracts.value import AccountStatus, ActivateCard, ReissueCard, TopUpWallet
from contracts.values import Unit
from ledger.book import chart_transfers
from ledger.book.errors import Unread
from ledger.book.facts import Lot, Origin, lot_number
from ledger.posting.decide import effects, transfer
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects
from ledger.posting.decide.kinds import Kind, always
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain.shard_registry import Change, Subject, Successor


def activate(draft: AccountDraft, body: ActivateCard) -> Effects:
    """An account nobody used becomes a card of its issuer, with what was paid for it."""
    if not body.account:
        return effects.decline("no-account")
    if not body.issuer:
        return effects.decline("no-issuer")
    if body.account in draft.registry.cards:
        return effects.decline("card-already-active")
    if draft.debts or not draft.is_empty():
        return effects.decline("account-in-use")
    draft.change = Change(card=(body.account, body.issuer))
    if body.amount_rial:
        draft.open(
            Lot(
                lot_number(draft.sequence, 0), body.account, Unit.GIFT, body.amount_rial,
                body.amount_rial, body.issuer, body.issuer, "gift-card", 0, draft.now,
                body.expires_at, draft.command.occurred_at, 0, Origin.CARD, 0,
                body.amount_rial, body.amount_rial,
            )
        )  # fmt: skip
    return Effects(amount_rial=body.amount_rial)


def reissue(draft: AccountDraft, body: ReissueCard) -> Effects:
    """All that a card holds, blocked or not, goes to another active card; the old one closes.

    What is past its date stays behind: the sweep books it, on a closed account too. Of very many
    lots a part goes at a time: the card stays blocked, until another reissue sends the last.
    """
    if body.account not in draft.registry.cards:
        return effects.decline("card-not-active")
    if (body.to_shard, body.to_account) == (draft.command.shard, body.account):
        return effects.decline("same-account")
    if draft.rest:
        raise Unread
    full, to = draft.live(), Successor(body.to_shard, body.to_account)
    if any(lot.held for lot in full):
        return effects.decline("value-held")
    if any(lot.available_from is None for lot in full):
        return effects.decline("value-awaits")
    if draft.debts:
        return effects.decline("account-owes")
    if full:
        now = full[: transfer.PARCELS_MAX]
        transfer.dispatch(draft, [(lot, lot.remaining) for lot in now], to)
    if len(full) > transfer.PARCELS_MAX:  # what one message holds; the rest by the next reissue
        blocked = (Subject(False, body.account), AccountStatus.FROZEN)
        draft.change = Change(standings=(blocked,))
        return effects.unchanged("more-to-reissue")
    closed = (Subject(False, body.account), AccountStatus.CLOSED)
    draft.change = Change(standings=(closed,), successor=(body.account, to))
    return Effects()


def top_up(draft: AccountDraft, body: TopUpWallet) -> Effects:
    """Money that a custodian was paid becomes credit that never expires (SH6)."""
    if not body.account:
        return effects.decline("no-account")
    if not body.custodian:
        return effects.decline("no-issuer")
    draft.settle_debts()
    rial = body.amount_rial
    draft.open(
        Lot(
            lot_number(draft.sequence, 0), body.account, Unit.CREDIT, rial, rial, body.custodian,
            body.custodian, "top-up", 0, draft.now, None, draft.command.occurred_at,
            body.merchant, Origin.TOP_UP, 0, rial, rial,
        )
    )  # fmt: skip
    draft.post(chart_transfers.pay_in(body.custodian, rial))
    draft.settle_debts()
    return Effects(amount_rial=rial)


def _needs(needs: RegistryNeeds, shard: int, body: ActivateCard | ReissueCard) -> None:
    needs.cards.add((shard, body.account))


KINDS: Final = (
    Kind(
        ActivateCard,
        lambda draft, body, _: activate(draft, body),
        needs=_needs,
        parties=lambda body: (body.issuer,),
        leaves=always,
        makers=lambda body: (body.issuer,),
    ),
    Kind(ReissueCard, lambda draft, body, _: reissue(draft, body), needs=_needs),
    Kind(
        TopUpWallet,
        lambda draft, body, _: top_up(draft, body),
        parties=lambda body: (body.custodian,),
        makers=lambda body: (body.custodian,),
    ),
)

"""Gift cards and the wallet: activated, loaded, reissued; money paid in."""

from typing import Final

from contracts.value import AccountStatus, ActivateCard, ReissueCard, TopUpWallet
from contracts.values import Unit
from ledger.book import chart_transfers
from ledger.book.errors import Unread
from ledger.book.facts import Lot, Origin, lot_number
from ledger.posting.decide import transfer
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, unchanged
from ledger.posting.decide.kinds import Kind, always
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain.shard_registry import Change, Subject, Successor


def activate(draft: AccountDraft, body: ActivateCard) -> Effects:
    """Make an unused account a card of its issuer, loaded with what was paid for it."""
    if not body.account:
        return decline("no-account")
    if not body.issuer:
        return decline("no-issuer")
    if body.account in draft.registry.cards:
        return decline("card-already-active")
    if draft.debts or not draft.is_empty():
        return decline("account-in-use")
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
    """Move all that a card holds, blocked or not, to another active card; the old one closes.

    Lots past their date stay behind: the sweep books their expiry, on a closed account too. With
    very many lots each reissue moves a part. The card stays blocked until a later reissue moves the
    last part.
    """
    if body.account not in draft.registry.cards:
        return decline("card-not-active")
    if (body.to_shard, body.to_account) == (draft.command.shard, body.account):
        return decline("same-account")
    if draft.rest:
        raise Unread
    full, to = draft.live(), Successor(body.to_shard, body.to_account)
    if any(lot.held for lot in full):
        return decline("value-held")
    if any(lot.available_from is None for lot in full):
        return decline("value-awaits")
    if draft.debts:
        return decline("account-owes")
    if full:
        now = full[: transfer.PARCELS_MAX]
        transfer.dispatch(draft, [(lot, lot.remaining) for lot in now], to)
    if (
        len(full) > transfer.PARCELS_MAX
    ):  # more than one message holds: the next reissue moves the rest
        blocked = (Subject(False, body.account), AccountStatus.FROZEN)
        draft.change = Change(standings=(blocked,))
        return unchanged("more-to-reissue")
    closed = (Subject(False, body.account), AccountStatus.CLOSED)
    draft.change = Change(standings=(closed,), successor=(body.account, to))
    return Effects()


def top_up(draft: AccountDraft, body: TopUpWallet) -> Effects:
    """Money that a custodian was paid becomes credit that never expires (SH6)."""
    if not body.account:
        return decline("no-account")
    if not body.custodian:
        return decline("no-issuer")
    pay_in(draft, body.amount_rial, custodian=body.custodian, merchant=body.merchant)
    return Effects(amount_rial=body.amount_rial)


def pay_in(draft: AccountDraft, rial: int, *, custodian: int, merchant: int) -> None:
    """Money that a custodian has taken becomes credit of the account; debts are repaid first."""
    draft.settle_debts()
    draft.open(
        Lot(
            lot_number(draft.sequence, 0), draft.owner, Unit.CREDIT, rial, rial, custodian,
            custodian, "top-up", 0, draft.now, None, draft.command.occurred_at,
            merchant, Origin.TOP_UP, 0, rial, rial,
        )
    )  # fmt: skip
    draft.post(chart_transfers.pay_in(custodian, rial))
    draft.settle_debts()


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

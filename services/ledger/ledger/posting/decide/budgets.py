"""Slices of budgets on a shard: granted, moved, drawn by issues, given back."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from contracts.ledger import Award, IssueValue, PostTransaction
from contracts.value import GrantBudget, ReceiveBudget, SendBudget
from contracts.values import NameKind, Reason, name
from ledger.book import chart_transfers
from ledger.book.facts import Grant
from ledger.posting.decide import account_status, issuance
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, unchanged
from ledger.posting.decide.kinds import Kind, always
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain import texts


def grant(draft: AccountDraft, body: GrantBudget) -> Effects:
    """Raise what a party lets be issued for a campaign from this shard."""
    draft.post(chart_transfers.grant(body.party, body.campaign, body.amount_rial))
    return Effects(amount_rial=body.amount_rial)


def send(draft: AccountDraft, body: SendBudget) -> Effects:
    """Send part of a slice, or all of it that is idle, to another shard through transit."""
    if body.to_shard == draft.command.shard:
        return decline("same-shard")
    idle = left(draft, body.party, body.campaign)
    rial = body.amount_rial or idle
    if not rial:
        return unchanged("nothing-left")
    if rial > idle:
        return decline("budget-exhausted", left=idle)
    draft.post(chart_transfers.budget_transit(body.party, body.campaign, rial))
    receipt = ReceiveBudget(
        name=name(NameKind.RECEIPT, draft.command.shard, draft.sequence),
        party=body.party,
        campaign=body.campaign,
        amount_rial=rial,
        from_shard=draft.command.shard,
        from_sequence=draft.sequence,
    )
    draft.sends.append((body.to_shard, receipt))
    return Effects(amount_rial=rial)


def receive(draft: AccountDraft, body: ReceiveBudget) -> Effects:
    """Add what another shard's slice sent. It is never refused, so transit returns to zero."""
    draft.post(chart_transfers.budget_transit(body.party, body.campaign, -body.amount_rial))
    return Effects(amount_rial=body.amount_rial)


def left(draft: AccountDraft, party: int, campaign: int) -> int:
    """Rial of the slice that are not drawn yet, after this command's own draws."""
    key = chart_transfers.budget_key(party, campaign)
    drawn = sum(leg.amount for leg in draft.legs if leg.account == key)
    return draft.registry.balances.get(key, 0) + drawn


def fund_issue(draft: AccountDraft, body: IssueValue) -> Effects | None:
    """Draw the cost of an issue from the slice it names; a decline where too little is left."""
    if body.budget is None:
        return None
    idle = left(draft, body.funder, body.budget)
    if body.cost_rial > idle:
        return decline("budget-exhausted", left=idle)
    draft.post(chart_transfers.draw(body.funder, body.budget, body.cost_rial))
    return None


def refused_awards(draft: AccountDraft, awards: Sequence[Award]) -> dict[int, Reason]:
    """Awards that take no effect, by place, with the reason; the others' costs are drawn."""
    refused: dict[int, Reason] = {}
    for place, award in enumerate(awards):
        if draft.registry.standings:
            code = account_status.code_of_parties(draft.registry, (award.issuer, award.funder))
            if code:
                refused[place] = texts.reason(code)
                continue
        no = issuance.refusal_to_issue(draft, award.unit, award.issuer, award.funder)
        if no is not None:
            refused[place] = no.reasons[0]
            continue
        if award.budget is None:
            continue
        idle = left(draft, award.funder, award.budget)
        if award.cost_rial > idle:
            refused[place] = texts.reason("budget-exhausted", left=idle)
        else:
            draft.post(chart_transfers.draw(award.funder, award.budget, award.cost_rial))
    return refused


def without(body: PostTransaction, refused: dict[int, Reason]) -> PostTransaction:
    """The sale with only those awards that take effect."""
    kept = [award for place, award in enumerate(body.awards) if place not in refused]
    return replace(body, awards=tuple(kept))


def give_back(draft: AccountDraft, award: Grant, rial: int) -> None:
    """Give the cost of an undone award back to its slice."""
    if award.budget is not None:
        draft.post(chart_transfers.draw(award.funder, award.budget, -rial))


def _needs(needs: RegistryNeeds, shard: int, body: SendBudget) -> None:
    needs.balances.add((shard, chart_transfers.budget_key(body.party, body.campaign)))


KINDS: Final = (
    Kind(
        GrantBudget,
        lambda draft, body, _: grant(draft, body),
        parties=lambda body: (body.party,),
        begins=lambda body: body.party,
    ),
    Kind(
        SendBudget,
        lambda draft, body, _: send(draft, body),
        needs=_needs,
        parties=lambda body: (body.party,),
        begins=lambda body: body.party,
    ),
    Kind(
        ReceiveBudget,
        lambda draft, body, _: receive(draft, body),
        parties=lambda body: (body.party,),
        exempt=always,
    ),
)

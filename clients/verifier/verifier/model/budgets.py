"""Slices of budgets, and what else stands in the way of an award: standings, cards."""

from collections.abc import Iterable, Sequence

from verifier.model.commands_value import GrantBudget, ReceiveBudget, SendBudget
from verifier.model.computation import GIFT, NETWORK, RIAL, Draft, Effects, No
from verifier.model.messages import Issue, Prize
from verifier.model.originals import Grant
from verifier.state import Key


def slice_of(party: int, campaign: int) -> Key:
    """The account of what a party may still have issued for from this shard."""
    return (party, "budget", RIAL, campaign)


def left(draft: Draft, party: int, campaign: int) -> int:
    """Rial of a slice, less what this command has drawn."""
    key = slice_of(party, campaign)
    account = draft.state.by_key.get(key)
    drawn = sum([amount for leg, amount in draft.legs if leg == key])
    return drawn + (account.balance if account is not None else 0)


def draw(draft: Draft, party: int, campaign: int, rial: int) -> None:
    """Cost comes out of a slice; below zero it comes back."""
    draft.move(slice_of(party, campaign), (party, "budget-spent", RIAL, campaign), rial)


def give_back(draft: Draft, grant: Grant, cost: int) -> None:
    """What is undone of a grant gives its cost back."""
    if grant.budget is not None:
        draw(draft, grant.funder, grant.budget, -cost)


def draw_for_issue(draft: Draft, body: Issue) -> None:
    """An issue that names a slice needs its cost there."""
    if body.budget is not None:
        if body.cost_rial > left(draft, body.funder, body.budget):
            raise No("budget-exhausted")
        draw(draft, body.funder, body.budget, body.cost_rial)


def may_issue(draft: Draft, unit: str, issuer: int, funder: int) -> None:
    """Members hold no Rial of parties, and somebody stands behind what they hold."""
    if unit == RIAL:
        raise No("not-value")
    if not issuer or not funder:
        raise No("no-issuer")
    may_load(draft, unit)


def may_load(draft: Draft, unit: str) -> None:
    """Gift value lies on cards that were activated."""
    if unit == GIFT and draft.owner not in draft.state.registry.cards:
        raise No("card-not-active")


def refused(draft: Draft, awards: Sequence[Prize]) -> dict[int, str]:
    """Awards that earn nothing, by place, with the code; the others' costs are drawn."""
    codes: dict[int, str] = {}
    for place, prize in enumerate(awards):
        code = _refusal(draft, prize)
        if code:
            codes[place] = code
        elif prize.budget is not None:
            draw(draft, prize.funder, prize.budget, prize.cost_rial)
    return codes


def _refusal(draft: Draft, prize: Prize) -> str:
    registry = draft.state.registry
    if registry.standings:
        code = of_parties(draft, (prize.issuer, prize.funder))
        if code:
            return code
    if prize.unit == RIAL:
        return "not-value"
    if not prize.issuer or not prize.funder:
        return "no-issuer"
    if prize.unit == GIFT and draft.owner not in registry.cards:
        return "card-not-active"
    if prize.budget is None or prize.cost_rial <= left(draft, prize.funder, prize.budget):
        return ""
    return "budget-exhausted"


def of_parties(draft: Draft, parties: Iterable[int]) -> str:
    """Why these may issue or fund nothing; "" where they may."""
    registry = draft.state.registry
    statuses = {registry.standing(True, party) for party in parties if party}
    if "closed" in statuses:
        return "party-closed"
    return "party-frozen" if "frozen" in statuses else ""


def grant(draft: Draft, body: GrantBudget) -> Effects:
    """So much more for a slice."""
    draft.move(
        (body.party, "budget-granted", RIAL, body.campaign),
        slice_of(body.party, body.campaign),
        body.amount_rial,
    )
    return Effects()


def send(draft: Draft, body: SendBudget) -> Effects:
    """Part of a slice, or all of it, for another shard."""
    if body.to_shard == draft.state.shard:
        raise No("same-shard")
    idle = left(draft, body.party, body.campaign)
    rial = body.amount_rial or idle
    if not rial:
        return Effects(code="nothing-left")
    if rial > idle:
        raise No("budget-exhausted")
    draft.move(slice_of(body.party, body.campaign), (NETWORK, "transit", RIAL, body.party), rial)
    draft.crosses.append(
        (
            f"r.{draft.state.shard}.{draft.sequence}",
            (body.to_shard, body.party, body.campaign, rial),
        )
    )
    return Effects()


def receive(draft: Draft, body: ReceiveBudget) -> Effects:
    """What another shard's slice gave."""
    draft.move(
        slice_of(body.party, body.campaign), (NETWORK, "transit", RIAL, body.party),
        -body.amount_rial,
    )  # fmt: skip
    return Effects()

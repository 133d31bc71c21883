"""Slices of budgets, and the statuses and cards that may forbid an award."""

from collections.abc import Iterable, Sequence

from verifier.model.commands_value import GrantBudget, ReceiveBudget, SendBudget
from verifier.model.computation import GIFT, NETWORK, RIAL, Draft, Effects, No
from verifier.model.messages import Issue, Prize
from verifier.model.originals import Grant
from verifier.state import Key


def slice_of(party: int, campaign: int) -> Key:
    """The account of what may still be issued from this shard at a party's cost."""
    return (party, "budget", RIAL, campaign)


def left(draft: Draft, party: int, campaign: int) -> int:
    """Rial of a slice, less what this command has drawn."""
    key = slice_of(party, campaign)
    account = draft.state.by_key.get(key)
    drawn = sum([amount for leg, amount in draft.legs if leg == key])
    return drawn + (account.balance if account is not None else 0)


def draw(draft: Draft, party: int, campaign: int, rial: int) -> None:
    """Cost comes out of a slice; a negative one goes back."""
    draft.move(slice_of(party, campaign), (party, "budget-spent", RIAL, campaign), rial)


def give_back(draft: Draft, grant: Grant, cost: int) -> None:
    """Give the cost of an undone grant back."""
    if grant.budget is not None:
        draw(draft, grant.funder, grant.budget, -cost)


def draw_for_issue(draft: Draft, body: Issue) -> None:
    """Draw the cost of an issue from the slice it names."""
    if body.budget is not None:
        if body.cost_rial > left(draft, body.funder, body.budget):
            raise No("budget-exhausted")
        draw(draft, body.funder, body.budget, body.cost_rial)


def may_issue(draft: Draft, unit: str, issuer: int, funder: int) -> None:
    """Decline an issue of Rial, or one without issuer or funder."""
    if unit == RIAL:
        raise No("not-value")
    if not issuer or not funder:
        raise No("no-issuer")
    may_load(draft, unit)


def may_load(draft: Draft, unit: str) -> None:
    """Decline gift value on an account that is no activated card."""
    if unit == GIFT and draft.owner not in draft.state.registry.cards:
        raise No("card-not-active")


def refused(draft: Draft, awards: Sequence[Prize]) -> dict[int, str]:
    """Awards that take no effect, by place, with the code; the others' costs are drawn."""
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
    """The code why these parties may issue or fund nothing; "" where they may."""
    registry = draft.state.registry
    statuses = {registry.standing(True, party) for party in parties if party}
    if "closed" in statuses:
        return "party-closed"
    return "party-frozen" if "frozen" in statuses else ""


def grant(draft: Draft, body: GrantBudget) -> Effects:
    """Raise a slice."""
    draft.move(
        (body.party, "budget-granted", RIAL, body.campaign),
        slice_of(body.party, body.campaign),
        body.amount_rial,
    )
    return Effects()


def send(draft: Draft, body: SendBudget) -> Effects:
    """Send part of a slice, or all of it, to another shard."""
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
    """Add what another shard's slice sent."""
    draft.move(
        slice_of(body.party, body.campaign), (NETWORK, "transit", RIAL, body.party),
        -body.amount_rial,
    )  # fmt: skip
    return Effects()

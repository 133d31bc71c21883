"""Slices of budgets, and what else stands in the way of an award: standings, cards."""

from collections.abc import Iterable, Sequence

from verifier.model.commands_value import GrantBudget, ReceiveBudget, SendBudget
from verifier.model.computation import GIFT, NETWORK, RIAL, No, Said, Work
from verifier.model.messages import Issue, Prize
from verifier.model.originals import Grant
from verifier.state import Key


def slice_of(party: int, campaign: int) -> Key:
    """The account of what a party may still have issued for from this shard."""
    return (party, "budget", RIAL, campaign)


def left(work: Work, party: int, campaign: int) -> int:
    """Rial of a slice, less what this command has drawn."""
    key = slice_of(party, campaign)
    account = work.state.by_key.get(key)
    drawn = sum([amount for leg, amount in work.legs if leg == key])
    return drawn + (account.balance if account is not None else 0)


def draw(work: Work, party: int, campaign: int, rial: int) -> None:
    """Cost comes out of a slice; below zero it comes back."""
    work.move(slice_of(party, campaign), (party, "budget-spent", RIAL, campaign), rial)


def give_back(work: Work, grant: Grant, cost: int) -> None:
    """What is undone of a grant gives its cost back."""
    if grant.budget is not None:
        draw(work, grant.funder, grant.budget, -cost)


def draw_for_issue(work: Work, body: Issue) -> None:
    """An issue that names a slice needs its cost there."""
    if body.budget is not None:
        if body.cost_rial > left(work, body.funder, body.budget):
            raise No("budget-exhausted")
        draw(work, body.funder, body.budget, body.cost_rial)


def may_issue(work: Work, unit: str, issuer: int, funder: int) -> None:
    """Members hold no Rial of parties, and somebody stands behind what they hold."""
    if unit == RIAL:
        raise No("not-value")
    if not issuer or not funder:
        raise No("no-issuer")
    may_load(work, unit)


def may_load(work: Work, unit: str) -> None:
    """Gift value lies on cards that were activated."""
    if unit == GIFT and work.owner not in work.state.house.cards:
        raise No("card-not-active")


def refused(work: Work, awards: Sequence[Prize]) -> dict[int, str]:
    """Awards that earn nothing, by place, with the code; the others' costs are drawn."""
    found: dict[int, str] = {}
    for place, prize in enumerate(awards):
        code = _refusal(work, prize)
        if code:
            found[place] = code
        elif prize.budget is not None:
            draw(work, prize.funder, prize.budget, prize.cost_rial)
    return found


def _refusal(work: Work, prize: Prize) -> str:
    house = work.state.house
    if house.standings:
        code = of_parties(work, (prize.issuer, prize.funder))
        if code:
            return code
    if prize.unit == RIAL:
        return "not-value"
    if not prize.issuer or not prize.funder:
        return "no-issuer"
    if prize.unit == GIFT and work.owner not in house.cards:
        return "card-not-active"
    if prize.budget is None or prize.cost_rial <= left(work, prize.funder, prize.budget):
        return ""
    return "budget-exhausted"


def of_parties(work: Work, parties: Iterable[int]) -> str:
    """Why these may issue or fund nothing; "" where they may."""
    house = work.state.house
    found = {house.standing(True, party) for party in parties if party}
    if "closed" in found:
        return "party-closed"
    return "party-frozen" if "frozen" in found else ""


def grant(work: Work, body: GrantBudget) -> Said:
    """So much more for a slice."""
    work.move(
        (body.party, "budget-granted", RIAL, body.campaign),
        slice_of(body.party, body.campaign),
        body.amount_rial,
    )
    return Said()


def send(work: Work, body: SendBudget) -> Said:
    """Part of a slice, or all of it, for another shard."""
    if body.to_shard == work.state.shard:
        raise No("same-shard")
    idle = left(work, body.party, body.campaign)
    rial = body.amount_rial or idle
    if not rial:
        return Said(code="nothing-left")
    if rial > idle:
        raise No("budget-exhausted")
    work.move(slice_of(body.party, body.campaign), (NETWORK, "transit", RIAL, body.party), rial)
    work.crosses.append(
        (
            f"r.{work.state.shard}.{work.sequence}",
            (body.to_shard, body.party, body.campaign, rial),
        )
    )
    return Said()


def receive(work: Work, body: ReceiveBudget) -> Said:
    """What another shard's slice gave."""
    work.move(
        slice_of(body.party, body.campaign), (NETWORK, "transit", RIAL, body.party),
        -body.amount_rial,
    )  # fmt: skip
    return Said()

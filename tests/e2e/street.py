"""The street where stories happen: two merchants, their tills, what is handed in there."""

from dataclasses import dataclass

from peyvand import Answer, Original, Redeem, RefundLine, models, requests

from .participants import Member, Participants, Till, now


@dataclass(frozen=True, slots=True)
class Street:
    """Two merchants that do not belong together, a till of each."""

    participants: Participants
    grocer: Till
    baker: Till

    @classmethod
    async def open(cls, participants: Participants) -> "Street":
        """The grocer, and the baker who lets points pay half of a basket."""
        grocer = await participants.shop("grocer")
        baker = await participants.shop("baker", redeem_max_share_bp=5_000)
        return cls(participants, await participants.till(grocer), await participants.till(baker))


def redemption(till: Till, member: Member, amount_rial: int, **redeem: int) -> models.Transaction:
    asked = Redeem(**redeem)
    return requests.redemption(
        till.name(), member.card, asked, amount_rial=amount_rial, occurred_at=now()
    )


def refund(
    till: Till, sold: Answer, *lines: tuple[int, int], amount_rial: int | None = None
) -> models.Transaction:
    back = [RefundLine(line=line, amount_rial=amount) for line, amount in lines]
    return requests.refund(
        till.name(),
        Original(id=sold.id),
        occurred_at=now(),
        lines=back,
        amount_rial=amount_rial,
    )


async def owed(participants: Participants, debtor: int, creditor: int) -> tuple[int, int]:
    """Rial that one party owes another, and the network's fee within it."""
    after: str | None = None
    while True:
        page = await participants.operator.page(f"/v1/positions?limit=200&after={after or '0.0'}")
        for row in page.items:
            if (row["debtor"], row["creditor"]) == (debtor, creditor):
                return int(row["owed_rial"]), int(row["fee_rial"])
        if page.next is None:
            return 0, 0
        after = str(page.next)

"""A till sells a basket, spends points on the next one, and takes one line back."""

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path

import peyvand
from peyvand import Client, Line, Original, Redeem, RefundLine, Terminal
from peyvand.terminal import Journal

Outcome = peyvand.Answered | peyvand.Pending


async def printed(request: Awaitable[Outcome]) -> peyvand.Answered | None:
    """Print what the cashier sees, Persian first. The answer, where there is one."""
    try:
        outcome = await request
    except peyvand.Problem as refused:  # nothing was posted and nothing will be: key it again
        print(refused.fa, "·", refused.detail)
    except peyvand.OutcomeUnknown:  # it may be posted: the journal sends it again, not you
        print("پاسخی نرسید", "·", "no answer yet")
    else:
        if isinstance(outcome, peyvand.Answered):
            print(outcome.answer.fa, "·", outcome.answer.en)
            return outcome
        print("در راه است", "·", "on its way", outcome.accepted.id)
    return None


async def sell(url: str, key: str, terminal: int, epoch: int, card: str) -> None:
    """Three requests of one till; kill it anywhere and run it again, nothing counts twice."""
    journal = Journal(Path("till.sqlite"))
    async with Client(url, key) as client:
        till = Terminal(client, journal, terminal=terminal, epoch=epoch)
        await till.resend_unanswered()
        member = peyvand.card(card)
        basket = (
            Line(line=1, amount_rial=1_200_000, category="dairy"),
            Line(line=2, amount_rial=800_000, category="bakery"),
        )
        sold = await printed(till.purchase(member, amount_rial=2_000_000, lines=basket))
        await printed(till.redeem(member, Redeem(points=100), amount_rial=900_000))
        if sold is not None:
            lines = (RefundLine(line=2, amount_rial=800_000),)
            await printed(till.refund(Original(id=sold.answer.id), lines=lines))
    journal.close()


if __name__ == "__main__":
    url, key, terminal, epoch, card = sys.argv[1:]
    asyncio.run(sell(url, key, int(terminal), int(epoch), card))

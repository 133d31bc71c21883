"""A till sells a basket, spends points on the next one, and takes one line back."""

import asyncio
import sys
from pathlib import Path

from peyvand import Answered, Client, Line, Original, Redeem, RefundLine, Terminal, Waiting, card
from peyvand.terminal import Journal


def show(heard: Answered | Waiting) -> None:
    """Print what the cashier sees: Persian first."""
    if isinstance(heard, Answered):
        print(heard.answer.fa, "·", heard.answer.en)
    else:
        print("در راه است", "·", "on its way", heard.accepted.id)


async def sell(url: str, key: str, terminal: int, epoch: int) -> None:
    """Three requests of one till; kill it anywhere and run it again, nothing counts twice."""
    journal = Journal(Path("till.sqlite"))
    async with Client(url, key) as house:
        till = Terminal(house, journal, terminal=terminal, epoch=epoch)
        await till.resend_unanswered()
        member = card("6037990000000006")
        basket = (
            Line(line=1, amount_rial=1_200_000, category="dairy"),
            Line(line=2, amount_rial=800_000, category="bakery"),
        )
        sold = await till.purchase(member, amount_rial=2_000_000, lines=basket)
        show(sold)
        show(await till.redeem(member, Redeem(points=100), amount_rial=900_000))
        if isinstance(sold, Answered):
            lines = (RefundLine(line=2, amount_rial=800_000),)
            show(await till.refund(Original(id=sold.answer.id), lines=lines))
    journal.close()


if __name__ == "__main__":
    asyncio.run(sell(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))

"""An online shop sells an order and takes it back; its orders are its journal."""

import asyncio
import sys
from datetime import UTC, datetime

from peyvand import Client, OrderName, mobile, original_named


async def order(url: str, key: str, merchant: int, number: str, phone: str) -> None:
    """Send an order and its refund. The shop keeps the time of each: it is part of a repeat."""
    async with Client(url, key) as house:
        at, member = datetime.now(UTC), mobile(phone)
        bought = OrderName(merchant, number, "purchase")
        sold = await house.purchase(bought, member, amount_rial=900_000, occurred_at=at)
        print(sold)
        back, original = OrderName(merchant, number, "refund-1"), original_named(bought, at)
        print(await house.refund(back, original, occurred_at=datetime.now(UTC), identifier=member))


if __name__ == "__main__":
    url, key, merchant, number, phone = sys.argv[1:]
    asyncio.run(order(url, key, int(merchant), number, phone))

"""An online shop sells an order and takes it back; its orders are its journal."""

import asyncio
import sys
from datetime import UTC, datetime

from peyvand import Client, OrderReference, mobile, original_named


async def order(url: str, key: str, merchant: int, number: str, phone: str) -> None:
    """Send an order and its refund. The shop keeps the time of each: it is part of a repeat."""
    async with Client(url, key) as client:
        at, member = datetime.now(UTC), mobile(phone)
        bought = OrderReference(merchant, number, "purchase")
        sold = await client.purchase(bought, member, amount_rial=900_000, occurred_at=at)
        print(sold)
        back, original = OrderReference(merchant, number, "refund-1"), original_named(bought, at)
        print(await client.refund(back, original, occurred_at=datetime.now(UTC), identifier=member))


if __name__ == "__main__":
    url, key, merchant, number, phone = sys.argv[1:]
    asyncio.run(order(url, key, int(merchant), number, phone))

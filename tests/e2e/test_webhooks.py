"""A merchant's program hears of its shop's sales from the running platform, signed."""

import asyncio
import uuid
from typing import Any

import pytest

from peyvand import NotFound, verify_webhook
from support.webhook_receiver import listening

from .participants import Participants, Shop, until

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300), pytest.mark.SH14]


async def _endpoint(
    participants: Participants, shop: Shop, endpoint: str, url: str
) -> dict[str, Any]:
    """The endpoint as it was made; empty until notify has heard of a shop that is new."""
    try:
        return await participants.operator.put_endpoint(
            shop.merchant, endpoint, url=url, events=("transaction.completed",)
        )
    except NotFound:
        return {}


async def test_a_sale_is_told_to_the_shop_s_program(participants: Participants) -> None:
    shop = await participants.open_shop("webhooks")
    till = await participants.till(shop)
    member = await participants.member()
    endpoint = str(uuid.uuid4())
    async with listening() as program:
        made = await until(lambda: _endpoint(participants, shop, endpoint, program.url), bool)
        answer = await till.buy(member, 500_000)
        async with asyncio.timeout(60):
            while not program.received:  # noqa: ASYNC110  the program tells nobody
                await asyncio.sleep(0.05)
    (headers, body) = program.received[0]
    webhook = verify_webhook([made["secret"]], headers, body)
    assert webhook.type == "transaction.completed"
    assert webhook.data["transaction"] == answer.id
    assert webhook.data["answer"]["points_earned"] == answer.points_earned == 500
    page = await participants.operator.deliveries(shop.merchant, endpoint)
    assert [item["type"] for item in page.items] == ["transaction.completed"]

"""The OpenAPI document held against the running platform: what it says is what comes.

After the faults, since it leaves parties and merchants of any name behind. What would change the
terms of everybody else's tests is sent under a key that may not, and is refused as documented.
"""

import asyncio
import json
import sys

import httpx
import pytest

from house import paths, plan

from .town import Town

pytestmark = pytest.mark.house


async def test_what_the_document_says_is_what_comes(house: plan.House, town: Town) -> None:
    url = house.url(plan.GATEWAY)
    shop = await town.shop("document")
    till = await town.till(shop)
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as client:
        document = (await client.get("/openapi.json")).json()
    operators = town.home.credentials
    keys = {who: operators.operator_key(who) for who in ("operator", "reviewer")}
    keys["till"] = till.key
    drawing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.e2e.drawn"),
        cwd=paths.PROJECT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    asked = json.dumps({"url": url, "document": document, "keys": keys})
    told, _ = await drawing.communicate(asked.encode())
    assert drawing.returncode == 0
    found = json.loads(told)
    assert not found["wrong"], "\n\n".join(found["wrong"])
    assert {200, 403, 404, 422} <= set(found["seen"])

"""The OpenAPI document held against the running platform: what it says is what comes.

After the faults, since it leaves parties and merchants of any name behind. What would change the
terms of everybody else's tests is sent under a key that may not, and is refused as documented.
"""

import asyncio
import json
import sys
from functools import partial
from typing import Any, Final

import httpx
import pytest

from cluster import paths, plan

from .participants import Participants, until

FILE: Final = paths.PROJECT / "docs" / "openapi.json"

DONE = {  # what the document shows, sent as it stands; the rest is refused as documented
    "PUT /v1/parties/{party}",
    "PUT /v1/parties/{party}/standings/{change}",
    "PUT /v1/merchants/{merchant}",
    "PUT /v1/merchants/{merchant}/branches/{branch}",
    "PUT /v1/merchants/{merchant}/terminals/{terminal}",
    "PUT /v1/merchants/{merchant}/programmes/{version}",
    "PUT /v1/merchants/{merchant}/standings/{change}",
    "PUT /v1/applications/{application}",
    "PUT /v1/terminals/{terminal}/activations/{activation}",
    "PUT /v1/terminals/{terminal}/activation-codes/{code_id}",
    "PUT /v1/parties/{party}/sheba-changes/{change}",
    "PUT /v1/merchants/{merchant}/webhook-endpoints/{endpoint}",
    "PUT /v1/terminals/{terminal}/standings/{change}",
    "PUT /v1/accounts/{account}/standings/{change}",
    "PUT /v1/enrolments/{enrolment}",
    "PUT /v1/members/{member}/consents/{request_id}",
    "PUT /v1/users/{user}",
    "PUT /v1/api-keys/{key}",
}

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]


async def _document(client: httpx.AsyncClient) -> dict[str, Any]:
    return (await client.get("/openapi.json")).json()


def _is_whole(document: dict[str, Any]) -> bool:
    return document["paths"].keys() == json.loads(FILE.read_text("utf-8"))["paths"].keys()


async def test_what_the_document_says_is_what_comes(
    cluster: plan.Cluster, participants: Participants
) -> None:
    url = cluster.url(plan.GATEWAY)
    shop = await participants.shop("document")
    till = await participants.till(shop)
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as client:
        # a gateway asks each service for its part in turn: on a fresh platform some come later
        document = await until(partial(_document, client), _is_whole)
    operators = participants.cluster.credentials
    keys = {who: operators.operator_key(who) for who in ("operator", "reviewer")}
    keys["till"] = till.key
    member = await participants.member()
    numbers = {"account": member.account, "member": member.member, "branch": 1, "version": 1}
    numbers |= {noun: next(participants.numbers) for noun in ("party", "merchant", "terminal")}
    drawing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.e2e.drawn"),
        cwd=paths.PROJECT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    asked = json.dumps({"url": url, "document": document, "keys": keys, "numbers": numbers})
    told, _ = await drawing.communicate(asked.encode())
    assert drawing.returncode == 0
    found = json.loads(told)
    assert not found["wrong"], "\n\n".join(found["wrong"])
    assert {200, 201, 202, 403, 404, 422} <= set(found["seen"])
    done = {row for row, status in found["shown"].items() if status < 300}
    # on a platform that runs before this one have used, somebody has the login
    assert done | {"PUT /v1/users/{user}"} == DONE, "\n".join(
        f"{k} {v}" for k, v in found["shown"].items()
    )

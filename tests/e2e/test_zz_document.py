"""The OpenAPI document held against the running platform: what it says is what comes.

After the faults, since it leaves parties and merchants of any name behind. What would change the
terms of everybody else's tests is sent under a key that may not, and is refused as documented.
"""

import asyncio
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from schemathesis import checks

from house import plan

from .town import Town

pytestmark = pytest.mark.house
EXAMPLES = 4
OF_ALL = ("/v1/terms", "/v1/first-purchase", "/v1/fraud-rules", "/v1/rules", "/v1/cases")
HELD = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


@schemathesis.serializer("application/x-ndjson")
def as_lines(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A body of lines goes as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def key_of(path: str, method: str, town: Town, till: str) -> str:
    """Who may call this without spoiling what other tests stand on."""
    keys = town.home.credentials
    if path == "/v1/transactions":
        return till
    if method != "GET" and path.startswith(OF_ALL):
        return keys.operator_key("reviewer")
    return keys.operator_key("operator")


def call(operation: Any, url: str, key: str, seen: set[int]) -> None:
    """Send a few of the requests that the operation's own schema allows. Raises what is wrong."""

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    def send(case: schemathesis.Case) -> None:
        headers = {"authorization": f"Bearer {key}"}
        answer = case.call(base_url=url, headers=headers, timeout=30)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=list(HELD))

    send()


def hold(url: str, document: dict[str, Any], town: Town, till: str) -> tuple[set[int], list[str]]:
    """Call every operation; the statuses that came, and what differs from the document."""
    seen: set[int] = set()
    wrong: list[str] = []
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        key = key_of(operation.path, operation.method.upper(), town, till)
        try:
            call(operation, url, key, seen)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - each is told
            wrong.append(f"{operation.method.upper()} {operation.path}: {error}")
    return seen, wrong


async def test_what_the_document_says_is_what_comes(house: plan.House, town: Town) -> None:
    url = house.url(plan.GATEWAY)
    shop = await town.shop("document")
    till = await town.till(shop)
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as client:
        document = (await client.get("/openapi.json")).json()
    seen, wrong = await asyncio.to_thread(hold, url, document, town, till.key)
    assert not wrong, "\n\n".join(wrong)
    assert {200, 403, 404, 422} <= seen

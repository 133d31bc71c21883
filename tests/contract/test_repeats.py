"""Every write says what a repeat of it is answered: docs/guides/repeating.md, held to the document.

A POST names nothing in its address, so it may not stand there as `id`, `version` or `state` by
its address alone; one that adds something each time needs an Idempotency-Key.
"""

import json
import re
from typing import Any, Final

import pytest

from .edge import Edge
from .openapi_file import FILE, PROJECT
from .tenants import PERIOD, Tenant

PAGE: Final = PROJECT / "docs" / "guides" / "repeating.md"
ROW: Final = re.compile(r"\| `((?:POST|PUT|DELETE|PATCH) /v1/\S+)` \| `(\w+)` \| (.+) \|")
KIND: Final = re.compile(r"\| `(\w+)` \| .+ \|")
KEY: Final = "Idempotency-Key"


def rows() -> dict[str, str]:
    """How each write is repeated, as the page says."""
    found = [ROW.fullmatch(line) for line in PAGE.read_text("utf-8").splitlines()]
    return {row[1]: row[2] for row in found if row is not None}


def writes() -> dict[str, dict[str, Any]]:
    """The operations of the document that write."""
    paths = json.loads(FILE.read_text("utf-8"))["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
        if method != "get"
    }


def test_every_write_says_what_a_repeat_is_answered() -> None:
    undecided = rows().keys() ^ writes().keys()
    assert not undecided, f"say in {PAGE.name} what a repeat is answered: {sorted(undecided)}"


def test_every_kind_of_repeat_is_explained_and_used() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    kinds = {match[1] for line in lines if (match := KIND.fullmatch(line)) is not None}
    assert kinds == set(rows().values())


@pytest.mark.parametrize(("write", "how"), sorted(rows().items()))
def test_what_the_page_says_fits_the_address(write: str, how: str) -> None:
    method, path = write.split(" ")
    takes_key = any(one["name"] == KEY for one in writes()[write].get("parameters", ()))
    assert takes_key is (how == "key")
    if how in ("id", "version"):
        assert method == "PUT"
        assert path.endswith("{version}") is (how == "version")
        assert path.endswith("}")
    if how in ("name", "content", "token", "key", "nothing"):
        assert method == "POST"


async def test_a_named_replay_passes_the_gateway_and_is_answered_once(
    edge: Edge, tenants: tuple[Tenant, Tenant]
) -> None:
    own = tenants[0].values
    path = f"/v1/merchants/{own['merchant']}/webhook-endpoints/{own['endpoint']}/replays"
    named = {"idempotency-key": '"of-the-contract"'}
    for _ in range(2):
        answer = await edge.call("partners", "POST", path, PERIOD, **named)
        assert (answer.status, answer.json()) == (200, {"events": 0}), answer
    other = PERIOD | {"until": "2026-03-23T00:00:00Z"}
    answer = await edge.call("partners", "POST", path, other, **named)
    assert (answer.status, answer.code) == (422, "idempotency-key-reused")


async def test_posts_that_say_so_change_nothing_when_they_come_twice(
    edge: Edge, tenants: tuple[Tenant, Tenant]
) -> None:
    own = tenants[0].values
    line = {"mobile": "09127770001", "name": "یک", "consents": {"terms": True}}
    import_answers = [
        await edge.call("enrol", "POST", "/v1/members/import", line) for _ in range(2)
    ]
    assert [one.json()["known"] for one in import_answers] == [0, 1]
    path = f"/v1/identifiers/{own['identifier_id']}/block"
    first, second = [await edge.call("enrol", "POST", path) for _ in range(2)]
    assert (first.status, first.body) == (second.status, second.body)
    assert first.status == 200

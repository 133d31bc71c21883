"""`python -m tests.e2e.drawn`: requests drawn from an OpenAPI document, the answers held to it.

A process of its own: hypothesis seeds `random` and holds every other use of it in the process
against the strategies, and Kafka's client draws from it too.

Reads {"url", "document", "keys": {"till", "operator", "reviewer"}, "numbers"} as JSON from standard
input, writes {"seen": [status, ...], "shown": {operation: status}, "wrong": [text, ...]}. numbers:
what to put where an address has a parameter of that name; where it has a UUID, a fresh one is put.
"""

import json
import sys
import traceback
import uuid
from collections.abc import Callable
from typing import Any

import hypothesis
import schemathesis
from schemathesis import checks
from schemathesis.core.result import Ok

EXAMPLES = 4
OF_ALL = (
    *("/v1/terms", "/v1/first-purchase", "/v1/fraud-rules", "/v1/rules", "/v1/cases"),
    "/v1/onboarding",
)
HELD = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


@schemathesis.serializer("application/x-ndjson", "application/pdf", "image/png", "image/jpeg")
def as_it_is(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A body of lines, or a file, goes as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def key_of(path: str, method: str, keys: dict[str, str]) -> str:
    """Who may call this without spoiling what other tests stand on."""
    if path == "/v1/transactions":
        return keys["till"]
    if method != "GET" and path.startswith(OF_ALL):
        return keys["reviewer"]
    return keys["operator"]


def call(operation: Any, url: str, key: str, seen: set[int]) -> None:
    """Send a few of the requests that the operation's own schema allows. Raises what is wrong."""

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        # its metaclass gives members of the enumeration and is typed as giving itself
        suppress_health_check=list(hypothesis.HealthCheck),  # pyright: ignore[reportArgumentType]
    )
    def send(case: schemathesis.Case) -> None:
        headers = {"authorization": f"Bearer {key}"}
        answer = case.call(base_url=url, headers=headers, timeout=30)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=list(HELD))

    send()


def example_of(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """The body that the document shows for an administrative write; None where it shows none."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    for one in (schema, *schema.get("anyOf", ())):
        name = one.get("$ref", "").rpartition("/")[2]
        shown = document["components"]["schemas"].get(name, {}).get("examples")
        if shown:
            return shown[0]
    return None


def address_of(operation: dict[str, Any], numbers: dict[str, Any]) -> dict[str, Any] | None:
    """Path parameters of one request; None where somebody else would have to name one."""
    found: dict[str, Any] = {}
    for one in operation.get("parameters", ()):
        if one["in"] != "path":
            continue
        if one["schema"].get("format") == "uuid":
            found[one["name"]] = str(uuid.uuid4())
        elif one["name"] in numbers:
            found[one["name"]] = numbers[one["name"]]
        else:
            return None
    return found


class Holding:
    """Calls every operation, and keeps the statuses that came and what differs."""

    def __init__(
        self, url: str, document: dict[str, Any], keys: dict[str, str], numbers: dict[str, Any]
    ) -> None:
        self.url = url
        self.document = document
        self.keys = keys
        self.numbers = numbers
        self.seen: set[int] = set()
        self.shown: dict[str, int] = {}
        self.wrong: list[str] = []

    def hold(self) -> None:
        """Send what the document shows, in its order, then what its schemas allow."""
        operations: list[Any] = []
        for found in schemathesis.openapi.from_dict(self.document).get_all_operations():
            assert isinstance(found, Ok), found
            operations.append(found.ok())
        for send in (self.send_shown, self.draw):
            for operation in operations:
                self.told(operation, send)

    def told(self, operation: Any, send: Callable[[Any, str], None]) -> None:
        """Send under the key that may, and keep what goes wrong."""
        method, path = operation.method.upper(), operation.path
        try:
            send(operation, key_of(path, method, self.keys))
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - each is told
            told = "".join(traceback.format_exception(error, limit=-1))
            self.wrong.append(f"{method} {path}: {told}")

    def draw(self, operation: Any, key: str) -> None:
        """A few of the requests that the operation's own schema allows."""
        call(operation, self.url, key, self.seen)

    def send_shown(self, operation: Any, key: str) -> None:
        """The document's own example, at an address where it can be done."""
        served = self.document["paths"][operation.path][operation.method.lower()]
        body, address = example_of(self.document, served), address_of(served, self.numbers)
        if body is None or address is None:
            return
        case = operation.Case(path_parameters=address, body=body, media_type="application/json")
        headers = {"authorization": f"Bearer {key}"}
        answer = case.call(base_url=self.url, headers=headers, timeout=30)
        self.seen.add(answer.status_code)
        self.shown[f"{operation.method.upper()} {operation.path}"] = answer.status_code
        case.validate_response(answer, checks=list(HELD))


if __name__ == "__main__":
    holding = Holding(**json.load(sys.stdin))
    holding.hold()
    told = {"seen": sorted(holding.seen), "shown": holding.shown, "wrong": holding.wrong}
    json.dump(told, sys.stdout)

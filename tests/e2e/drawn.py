"""`python -m tests.e2e.drawn`: requests drawn from an OpenAPI document, the answers held to it.

A process of its own: hypothesis seeds `random` and holds every other use of it in the process
against the strategies, and Kafka's client draws from it too.

Reads {"url", "document", "keys": {"till", "operator", "reviewer"}} as JSON from standard input,
writes {"seen": [status, ...], "wrong": [text, ...]}.
"""

import json
import sys
import traceback
from typing import Any

import hypothesis
import schemathesis
from schemathesis import checks

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
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    def send(case: schemathesis.Case) -> None:
        headers = {"authorization": f"Bearer {key}"}
        answer = case.call(base_url=url, headers=headers, timeout=30)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=list(HELD))

    send()


def hold(url: str, document: dict[str, Any], keys: dict[str, str]) -> tuple[set[int], list[str]]:
    """Call every operation; the statuses that came, and what differs from the document."""
    seen: set[int] = set()
    wrong: list[str] = []
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        key = key_of(operation.path, operation.method.upper(), keys)
        try:
            call(operation, url, key, seen)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - each is told
            told = "".join(traceback.format_exception(error, limit=-1))
            wrong.append(f"{operation.method.upper()} {operation.path}: {told}")
    return seen, wrong


if __name__ == "__main__":
    statuses, faults = hold(**json.load(sys.stdin))
    json.dump({"seen": sorted(statuses), "wrong": faults}, sys.stdout)

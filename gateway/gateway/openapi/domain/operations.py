"""Operations of the services as the public sees them: with the gateway's keys and refusals."""

from typing import Any, Final

from gateway.proxy.usecases import is_open, may_need_two_people

Document = dict[str, Any]

_METHODS: Final = frozenset({"get", "put", "post", "patch", "delete"})
_BODY_METHODS: Final = frozenset({"put", "post", "patch"})
_PROBLEM: Final[Document] = {"$ref": "#/components/schemas/Problem"}
_MEANINGS: Final = {
    400: "The request cannot be read, or its framing is wrong",
    401: "No key, an unknown key, or one that was revoked",
    403: "The key does not carry the right that this needs",
    404: "Nothing has this name or number",
    409: "What stands under this name or number is another thing, or in another state",
    413: "The body is larger than this address takes",
    415: "The body is not of a kind that this address takes",
    422: "A field or parameter is wrong; `fields` names each",
    429: "Too many requests under this key or from this address; try again after Retry-After",
    500: "A fault of ours; the same may be sent again",
    503: "The service behind this address did not answer; send the same again",
}
_KEYS: Final[list[Document]] = [{"operator": []}, {"session": []}]
_WAITS: Final[Document] = {
    "description": "A person's request, which waits for a second one: Location names the proposal"
}
_ALWAYS: Final = (400, 401, 403, 422, 429, 500, 503)


def refusal(status: int) -> Document:
    """The response object of one refusal: problem+json, and what the status means here."""
    content = {"application/problem+json": {"schema": _PROBLEM}}
    return {"description": _MEANINGS[status], "content": content}


def as_public(operations: Document, service: str, path: str) -> Document:
    """A path's operations with the keys that they take, ids of their own and every answer there is.

    operations: as FastAPI wrote them, references renamed already. Changes them in place.
    Source: findings S22 and N19.
    """
    for method, operation in operations.items():
        if method not in _METHODS:
            continue
        operation["security"] = [] if is_open(method.upper(), path) else _KEYS
        operation["tags"] = [service]
        if "operationId" in operation:
            operation["operationId"] = f"{service}_{operation['operationId']}"
        operation["responses"] = _responses(method, operation)
        if may_need_two_people(method.upper(), path):
            operation["responses"].setdefault("202", _WAITS)
    return operations


def _responses(method: str, operation: Document) -> Document:
    """The operation's own answers, then every refusal; FastAPI's own 422 is never sent."""
    own = {code: answer for code, answer in operation["responses"].items() if int(code) < 400}
    if method == "put" and "200" in own and not own.keys() & {"201", "202"}:
        own = {"201": {**own["200"], "description": "Made, under the caller's own name"}} | own
        own["200"] = {**own["200"], "description": "There already, and the same"}
    return own | {str(status): refusal(status) for status in _refusals(method, operation)}


def _refusals(method: str, operation: Document) -> list[int]:
    statuses: set[int] = set(_ALWAYS)
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        statuses |= {404, 409}  # not there, or not yet in the state that the question is about
    if method != "get":
        statuses |= {404, 409}
    if method in _BODY_METHODS:
        statuses |= {413, 415}
    return sorted(statuses)

"""Header fields of answers in the document: what limits tell (RateLimit, RateLimit-Policy)."""

from typing import Any, Final

Document = dict[str, Any]

_LIMITED: Final = 429
HEADERS: Final[Document] = {
    "RateLimit-Policy": {
        "description": (
            "The limits that this request met (draft-ietf-httpapi-ratelimit-headers-11, a list of"
            " RFC 9651): q, how many may come at once; w, seconds in which so many come anew;"
            " qu, what is counted where it is not requests"
        ),
        "schema": {"type": "string"},
        "example": '"terminal";q=100;w=2, "merchant";q=1000;w=2',
    },
    "RateLimit": {
        "description": (
            "Of these the one that is nearest: r, how many more may come now; t, seconds until the"
            " whole quota is there again, and at 429 until this request would pass"
        ),
        "schema": {"type": "string"},
        "example": '"terminal";r=42;t=2',
    },
    "Retry-After": {
        "description": "Seconds after which the same request is to be sent again; at 429 it is t",
        "schema": {"type": "integer"},
        "example": 1,
    },
}


def tell_limits(paths: dict[str, dict[str, Document]]) -> Document:
    """A document's paths in which every operation's success and 429 name these header fields."""
    return {path: {m: _documented(one) for m, one in of.items()} for path, of in paths.items()}


def _documented(operation: Document) -> Document:
    responses: dict[str, Document] = operation["responses"]
    told = {code: _with(code, response) for code, response in responses.items()}
    return {**operation, "responses": told}


def _with(code: str, response: Document) -> Document:
    names = ["RateLimit-Policy", "RateLimit"]
    if int(code) == _LIMITED:
        names.append("Retry-After")
    elif int(code) >= 300:
        return response
    own: Document = response.get("headers", {})
    named = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {**response, "headers": named | own}

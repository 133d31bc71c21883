"""One OpenAPI document of the whole public edge: the gateway's own part and the services'."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from gateway.clients import Service
from gateway.openapi.domain import examples, header_fields, operations
from gateway.problems import Code
from gateway.proxy.usecases import service_of
from gateway.road.usecases import BODIES, INTEGER_FIELDS

Document = dict[str, Any]

TITLE: Final = "پیوند · Peyvand"
VERSION: Final = "1"
_REF: Final = re.compile(r"^#/components/(\w+)/(.+)$")


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _response(description: str, schema: Document, media: str = "application/json") -> Document:
    return {"description": description, "content": {media: {"schema": schema}}}


def _problems(*statuses: int) -> Document:
    codes: dict[int, list[str]] = {}
    for code in Code:
        codes.setdefault(code.status, []).append(code.code)
    return {
        str(status): _response(
            ", ".join(codes[status]), _ref("Problem"), "application/problem+json"
        )
        for status in statuses
    }


_NEVER_SENT: Final = frozenset({"HTTPValidationError", "ValidationError"})  # FastAPI's, of its 422
_ACCEPTED: Final = "Stands, not answered yet: ask status_url or send again"


def _post_operation(
    operation: str, summary: str, body: str, key: str, samples: Mapping[str, examples.Example]
) -> Document:
    """An operation that sends one transaction onto the road."""
    answer = {"anyOf": [_ref("Answer"), _ref("Preview")]}
    content = {"schema": _ref(body), "examples": dict(samples)}
    return {
        "tags": ["road"],
        "operationId": operation,
        "summary": summary,
        "description": (
            "The same name and payload gets the first answer for ever, another payload 422"
            " name-used-with-another-payload. A till names by (terminal, epoch, sequence), an"
            " online shop by (merchant, order, operation), history by (merchant, transaction)."
        ),
        "security": [{key: []}],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "200": _response("The answer", answer),
            "202": _response(_ACCEPTED, _ref("Accepted")),
            **_problems(400, 401, 403, 413, 422, 429, 503),
            **{str(status): operations.refusal(status) for status in (415, 500)},
        },
    }


def road_paths() -> Document:
    """Paths of the road, whose plain ASGI routes FastAPI does not describe."""
    public_id = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "example": "3.t.10000017.1.42",
    }
    get_transaction: Document = {
        "tags": ["road"],
        "operationId": "get_transaction",
        "summary": "سرگذشت تراکنش · What became of a transaction",
        "security": [{"terminal": []}, {"operator": []}],
        "parameters": [public_id],
        "responses": {
            "200": _response("First answer and present state", _ref("Standing")),
            "202": _response("Not yet known", _ref("Accepted")),
            **_problems(400, 401, 403, 422, 429, 503),
            "500": operations.refusal(500),
        },
    }
    post_transaction = _post_operation(
        "post_transaction",
        "فرستادن تراکنش · Send a transaction",
        "Transaction",
        "terminal",
        examples.TRANSACTION,
    )
    post_history = _post_operation(
        "post_history",
        "خرید گذشته · A purchase of the past",
        "HistoricPurchase",
        "operator",
        examples.HISTORY,
    )
    return {
        "/v1/transactions": {"post": post_transaction},
        "/v1/transactions/{id}": {"get": get_transaction},
        "/v1/history": {"post": post_history},
    }


_PROBLEM: Final[Document] = {
    "type": "object",
    "description": "RFC 9457; nothing was posted unless the code is outcome-unknown",
    "required": ["type", "title", "status", "code", "detail", "fa"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable; see the table of codes"},
        "detail": {"type": "string", "description": "what is wrong and what to do"},
        "fa": {"type": "string", "description": "همان به فارسی"},
        "instance": {"type": "string"},
    },
}
_STANDING: Final[Document] = {
    "type": "object",
    "required": ["id", "first_answer", "current"],
    "properties": {
        "id": {"type": "string"},
        "first_answer": _ref("Answer"),
        "current": {"type": "object", "required": ["status"]},
    },
}
_NAME_FIELDS: Final = (("terminal", "epoch", "sequence"), ("merchant", "order", "operation"))
_SECURITY: Final[Document] = {
    "terminal": {
        "type": "http",
        "scheme": "bearer",
        "description": "کلید پایانه · A terminal's key, pvt_…, as its activation gave it",
    },
    "operator": {
        "type": "http",
        "scheme": "bearer",
        "description": "کلید گرداننده · An operator's key, pvo_<name>_<secret>",
    },
    "session": {
        "type": "http",
        "scheme": "bearer",
        "description": "نشست کسی که وارد شده است · The session of a person who signed in, pvs_…",
    },
}


_LENIENT: Final = ("Transaction", "HistoricPurchase", "Line", "RefundLine", "Redeem", "Original")
_DIGITS: Final[Document] = {
    "type": "string",
    "pattern": "^[0-9۰-۹٠-٩]{1,16}$",
    "description": "the same number in digits of any of three scripts",
}


def _take_digits(schema: Document) -> None:
    """Describe that every number of a body may be sent as a text of digits too."""
    for name, field_ in schema["properties"].items():
        if name in INTEGER_FIELDS and field_.get("type") == "integer":
            schema["properties"][name] = {"anyOf": [field_, _DIGITS]}


def own_document() -> Document:
    """The gateway's part alone."""
    _, schemas = msgspec.json.schema_components(BODIES, ref_template="#/components/schemas/{name}")
    for name in _LENIENT:
        _take_digits(schemas[name])
    schemas["Transaction"]["oneOf"] = [{"required": list(name)} for name in _NAME_FIELDS]
    components = {"Problem": _PROBLEM, "Standing": _STANDING} | schemas
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "description": "شبکهٔ تبادل امتیاز؛ نشانی‌ها، شکل درخواست‌ها و کد خطاها.",
        },
        "servers": [{"url": "/"}],
        "paths": road_paths(),
        "components": {
            "schemas": components,
            "securitySchemes": dict(_SECURITY),
            "headers": header_fields.HEADERS,
        },
    }
    # through JSON, as it is served: a default that is a tuple becomes a list
    return msgspec.json.decode(msgspec.json.encode(document))


def merge(own: Document, services: Mapping[str, Document]) -> Document:
    """Add the services' public addresses; names of components get their service's in front."""
    paths: Document = dict(own["paths"])
    components = {kind: dict(bodies) for kind, bodies in own["components"].items()}
    for service, document in services.items():
        for path, served in document.get("paths", {}).items():
            owner = service_of(path)
            if owner is None or owner.value != service:
                continue
            paths[path] = operations.as_public(_renamed(served, service), service, path)
        for kind, bodies in document.get("components", {}).items():
            if kind == "securitySchemes":
                continue
            merged = components.setdefault(kind, {})
            merged |= {
                f"{service}_{name}": _renamed(body, service)
                for name, body in bodies.items()
                if name not in _NEVER_SENT
            }
    return {**own, "paths": paths, "components": components}


def _renamed(value: Any, service: str) -> Any:
    """A copy in which every reference to a component leads to the service's own."""
    if isinstance(value, list):
        return [_renamed(one, service) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    copy = {k: _renamed(v, service) for k, v in cast("Document", value).items()}
    reference = _REF.match(copy["$ref"]) if isinstance(copy.get("$ref"), str) else None
    if reference is not None:
        copy["$ref"] = f"#/components/{reference[1]}/{service}_{reference[2]}"
    return copy


def whole(parts: Mapping[str, Document]) -> Document:
    """The document of the gateway and of those services whose part is there, in a fixed order."""
    order = [service.value for service in Service]
    merged = merge(own_document(), {name: parts[name] for name in order if name in parts})
    return {**merged, "paths": header_fields.tell_limits(merged["paths"])}

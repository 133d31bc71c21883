"""One OpenAPI document of the whole public edge, and the page that shows it."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final, cast

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from contracts import pos
from gateway.api import examples, operations
from gateway.api.administration import PASSAGES, find_passage
from gateway.clients import Service, Services
from gateway.domain import requests
from gateway.domain.problems import Code
from gateway.usecases.sending import Accepted

Document = dict[str, Any]

SELDOM: Final = 30  # turns of the job
TITLE: Final = "پیوند · Peyvand"
VERSION: Final = "1"
_REF: Final = re.compile(r"^#/components/(\w+)/(.+)$")
_POS: Final = (
    requests.Transaction,
    requests.HistoricPurchase,
    pos.Answer,
    pos.Preview,
    Accepted,
)


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _said(description: str, schema: Document, media: str = "application/json") -> Document:
    return {"description": description, "content": {media: {"schema": schema}}}


def _problems(*statuses: int) -> Document:
    codes: dict[int, list[str]] = {}
    for code in Code:
        codes.setdefault(code.status, []).append(code.code)
    return {
        str(status): _said(", ".join(codes[status]), _ref("Problem"), "application/problem+json")
        for status in statuses
    }


_NEVER_SENT: Final = frozenset({"HTTPValidationError", "ValidationError"})  # FastAPI's, of its 422
_STANDS: Final = "Stands, not answered yet: ask status_url or send again"


def _posts(
    operation: str, summary: str, body: str, key: str, shown: Mapping[str, examples.Example]
) -> Document:
    """An operation that sends one transaction onto the road."""
    answer = {"anyOf": [_ref("Answer"), _ref("Preview")]}
    content = {"schema": _ref(body), "examples": dict(shown)}
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
            "200": _said("The answer", answer),
            "202": _said(_STANDS, _ref("Accepted")),
            **_problems(400, 401, 403, 413, 422, 429, 503),
            **{str(status): operations.refusal(status) for status in (415, 500)},
        },
    }


def road_paths() -> Document:
    """Paths of the road, which are plain routes that FastAPI knows nothing of."""
    named = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "example": "3.t.10000017.1.42",
    }
    find: Document = {
        "tags": ["road"],
        "operationId": "get_transaction",
        "summary": "سرگذشت تراکنش · What became of a transaction",
        "security": [{"terminal": []}, {"operator": []}],
        "parameters": [named],
        "responses": {
            "200": _said("First answer and present state", _ref("Standing")),
            "202": _said("Not yet known", _ref("Accepted")),
            **_problems(400, 401, 403, 422, 429, 503),
            "500": operations.refusal(500),
        },
    }
    send = _posts(
        "post_transaction",
        "فرستادن تراکنش · Send a transaction",
        "Transaction",
        "terminal",
        examples.TRANSACTION,
    )
    bring = _posts(
        "post_history",
        "خرید گذشته · A purchase of the past",
        "HistoricPurchase",
        "operator",
        examples.HISTORY,
    )
    return {
        "/v1/transactions": {"post": send},
        "/v1/transactions/{id}": {"get": find},
        "/v1/history": {"post": bring},
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
_NAMES: Final = (("terminal", "epoch", "sequence"), ("merchant", "order", "operation"))
_KEYS: Final[Document] = {
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
}


_LENIENT: Final = ("Transaction", "HistoricPurchase", "Line", "RefundLine", "Redeem", "Original")
_DIGITS: Final[Document] = {
    "type": "string",
    "pattern": "^[0-9۰-۹٠-٩]{1,16}$",
    "description": "the same number in digits of any of three scripts",
}


def _take_digits(schema: Document) -> None:
    """Say of every number of a body that its digits are taken as a text too."""
    for name, field_ in schema["properties"].items():
        if name in requests.INTEGERS and field_.get("type") == "integer":
            schema["properties"][name] = {"anyOf": [field_, _DIGITS]}


def own_document() -> Document:
    """The gateway's part alone."""
    _, schemas = msgspec.json.schema_components(_POS, ref_template="#/components/schemas/{name}")
    for read in _LENIENT:
        _take_digits(schemas[read])
    schemas["Transaction"]["oneOf"] = [{"required": list(name)} for name in _NAMES]
    components = {"Problem": _PROBLEM, "Standing": _STANDING} | schemas
    built = {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "description": "شبکهٔ تبادل امتیاز؛ نشانی‌ها، شکل درخواست‌ها و کد خطاها.",
        },
        "servers": [{"url": "/"}],
        "paths": road_paths(),
        "components": {"schemas": components, "securitySchemes": dict(_KEYS)},
    }
    # through JSON, as everybody sees it: a default that is a tuple becomes a list
    return msgspec.json.decode(msgspec.json.encode(built))


def merge(own: Document, services: Mapping[str, Document]) -> Document:
    """Add the services' addresses that are passed through; names get their service's in front."""
    paths: Document = dict(own["paths"])
    components = {kind: dict(those) for kind, those in own["components"].items()}
    for service, theirs in services.items():
        for path, served in theirs.get("paths", {}).items():
            passage = find_passage(path)
            if passage is None or passage.service_of(path).value != service:
                continue
            paths[path] = operations.as_public(_renamed(served, service), service)
        for kind, those in theirs.get("components", {}).items():
            if kind == "securitySchemes":
                continue
            there = components.setdefault(kind, {})
            there |= {
                f"{service}_{name}": _renamed(body, service)
                for name, body in those.items()
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
    found = _REF.match(copy["$ref"]) if isinstance(copy.get("$ref"), str) else None
    if found is not None:
        copy["$ref"] = f"#/components/{found[1]}/{service}_{found[2]}"
    return copy


@dataclass(slots=True)
class Book:
    """The document in memory: a job asks the services for their parts, no caller ever does."""

    services: Services
    _parts: dict[str, Document] = field(default_factory=dict[str, Document])
    _turn: int = 0
    _whole: bytes = b""
    _etag: str = ""
    _page: str = field(
        default_factory=lambda: (resources.files("gateway.api") / "docs.html").read_text("utf-8")
    )

    async def refresh(self) -> None:
        """Ask every service for its part; a part of one that is away stays as it was last.

        Once all are there they are asked seldom: what an upgrade changes is seen within minutes.
        """
        asked = {p.service for p in PASSAGES}
        self._turn += 1
        if len(self._parts) == len(asked) and self._turn % SELDOM:
            return
        before = dict(self._parts)
        for service in sorted(asked, key=lambda s: list(Service).index(s)):
            found = await self.services.find_document(service)
            if found is not None:
                self._parts[service.value] = found
        if not self._whole or before != self._parts:
            self._keep(await asyncio.to_thread(_merged, dict(self._parts)))

    def document(self, request: Request) -> Response:
        """The document as it was last put together, or 304 where the caller has it."""
        if not self._whole:
            self._keep(_merged(self._parts))
        headers = {"etag": self._etag, "cache-control": "no-cache"}
        if self._etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self._whole, headers=headers, media_type="application/json")

    def page(self, request: Request) -> Response:
        """A page of our own that shows the document; it asks no other host for anything."""
        del request
        policy = "default-src 'self' 'unsafe-inline'; img-src 'self' data:"
        return HTMLResponse(self._page, headers={"content-security-policy": policy})

    def _keep(self, whole: bytes) -> None:
        self._whole = whole
        self._etag = f'"{hashlib.sha256(whole).hexdigest()[:32]}"'


def _merged(parts: Mapping[str, Document]) -> bytes:
    order = [service.value for service in Service]
    known = {name: parts[name] for name in order if name in parts}
    return msgspec.json.encode(merge(own_document(), known))

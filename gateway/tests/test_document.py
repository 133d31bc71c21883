"""The one OpenAPI document: valid, whole, and displayed without any other host."""

import json
import re
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from contracts.values import Kind
from gateway.clients import Service
from gateway.openapi import api as openapi
from gateway.openapi.domain import document, examples
from gateway.openapi.usecases import DocumentCache
from gateway.proxy.domain import PROXY_ROUTES
from gateway.road.domain import requests

from .conftest import Edge


class Body(BaseModel):
    """A body."""

    party: int
    titles: list[str] = []


def document_of_service(*paths: str) -> dict[str, Any]:
    """A service's own document, as FastAPI makes it."""
    app = FastAPI(title="theirs", version="1")

    def put(number: int, body: Body) -> Body:
        return body

    for path in paths:
        app.add_api_route(path, put, methods=["PUT"], name="put_it")
    return app.openapi()


def test_the_gateways_own_part_is_valid_and_names_every_code() -> None:
    own = document.own_document()
    OpenAPIV31SpecValidator(own).validate()
    assert set(own["paths"]) == {"/v1/transactions", "/v1/transactions/{id}", "/v1/history"}
    fields = own["components"]["schemas"]["Transaction"]["properties"]
    assert set(fields) >= {"terminal", "epoch", "sequence", "kind", "occurred_at", "original"}
    assert set(fields) >= {"merchant", "order", "operation"}
    assert "rate-limited" in msgspec.json.encode(own).decode()


@pytest.mark.parametrize("name", sorted(examples.TRANSACTION))
def test_every_example_of_a_transaction_reads(name: str) -> None:
    sent = examples.TRANSACTION[name]["value"]
    body = requests.read_transaction(msgspec.json.encode(sent))
    assert body.kind.value == sent["kind"]


def test_every_kind_has_an_example_and_history_reads_too() -> None:
    kinds = {one["value"]["kind"] for one in examples.TRANSACTION.values()}
    assert kinds == {kind.value for kind in Kind}
    sent = examples.HISTORY["purchase"]["value"]
    assert requests.read_historic(msgspec.json.encode(sent)).amount_rial == sent["amount_rial"]


def test_a_number_of_a_body_may_be_digits_of_any_script() -> None:
    fields = document.own_document()["components"]["schemas"]["Transaction"]["properties"]
    number, digits = fields["amount_rial"]["anyOf"]
    assert number["type"] == "integer"
    assert re.fullmatch(digits["pattern"], "۲۵۰۰۰۰")
    assert not re.fullmatch(digits["pattern"], "1.5")


def test_a_passed_operation_names_every_answer_and_none_that_is_never_sent() -> None:
    merged = document.merge(
        document.own_document(), {"members": document_of_service("/v1/members/{number}")}
    )
    put = merged["paths"]["/v1/members/{number}"]["put"]
    statuses = {"200", "201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "500"}
    assert set(put["responses"]) == statuses | {"503"}
    refused = put["responses"]["422"]["content"]
    assert refused == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    assert not {n for n in merged["components"]["schemas"] if "ValidationError" in n}


def test_merged_documents_are_valid_and_names_do_not_meet() -> None:
    merged = document.merge(
        document.own_document(),
        {
            "merchants": document_of_service(
                "/v1/merchants/{number}", "/internal/terminals/{number}", "/metrics/{number}"
            ),
            "members": document_of_service("/v1/members/{number}", "/v1/merchants/{number}/stolen"),
        },
    )
    OpenAPIV31SpecValidator(merged).validate()
    assert "/v1/merchants/{number}" in merged["paths"]
    assert "/v1/members/{number}" in merged["paths"]
    assert not {p for p in merged["paths"] if "internal" in p or "stolen" in p}
    put = merged["paths"]["/v1/members/{number}"]["put"]
    assert put["security"] == [{"operator": []}, {"session": []}]
    assert put["tags"] == ["members"]
    assert {"merchants_Body", "members_Body"} <= set(merged["components"]["schemas"])


def test_signing_in_needs_no_key_in_the_document() -> None:
    app = FastAPI(title="theirs", version="1")

    def call() -> int:
        return 7

    for path in ("/v1/sessions", "/v1/users"):
        for method in ("POST", "GET"):
            app.add_api_route(path, call, methods=[method], name=f"{method.lower()}_it")
    merged = document.merge(document.own_document(), {"identity": app.openapi()})
    needed = {
        (method, path): operation["security"]
        for path in ("/v1/sessions", "/v1/users")
        for method, operation in merged["paths"][path].items()
    }
    keys = [{"operator": []}, {"session": []}]
    assert needed.pop(("post", "/v1/sessions")) == []
    assert list(needed.values()) == [keys] * 3


class Away:
    """Services that answer for their document, or do not."""

    def __init__(self) -> None:
        self.calls = 0
        self.away: set[Service] = set()

    async def find_document(self, service: Service) -> dict[str, Any] | None:
        self.calls += 1
        if service in self.away:
            return None
        noun = "parties" if service is Service.MERCHANTS else service.value
        return document_of_service(f"/v1/{noun}/{{number}}")


def answer_of(documents: DocumentCache, tag: str = "") -> Response:
    headers = [(b"if-none-match", tag.encode())] if tag else []
    return openapi.document(
        documents, Request({"type": "http", "method": "GET", "headers": headers})
    )


async def test_the_document_is_made_by_a_job_and_served_from_memory() -> None:
    """Nobody who asks for it makes the gateway ask a service (findings S14)."""
    services = Away()
    services.away = {Service.MEMBERS}
    documents = DocumentCache(services)  # type: ignore[arg-type]
    bare = answer_of(documents)
    assert "/v1/transactions" in json.loads(bytes(bare.body))["paths"]
    assert services.calls == 0
    await documents.refresh()
    part = answer_of(documents)
    assert "/v1/parties/{number}" in json.loads(bytes(part.body))["paths"]
    assert "/v1/members/{number}" not in json.loads(bytes(part.body))["paths"]
    services.away = {Service.MERCHANTS}
    await documents.refresh()
    whole = answer_of(documents)
    served = json.loads(bytes(whole.body))
    OpenAPIV31SpecValidator(served).validate()
    assert {"/v1/parties/{number}", "/v1/members/{number}"} <= served["paths"].keys()
    assert answer_of(documents, whole.headers["etag"]).status_code == 304
    assert answer_of(documents, part.headers["etag"]).status_code == 200
    before = services.calls
    await documents.refresh()
    assert services.calls == before  # once whole, seldom


async def test_the_document_is_served(edge: Edge) -> None:
    answer = await edge.client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["etag"]
    OpenAPIV31SpecValidator(answer.json()).validate()
    assert "/v1/transactions" in answer.json()["paths"]


async def test_the_page_asks_no_other_host(edge: Edge) -> None:
    page = await edge.client.get("/docs")
    assert page.status_code == 200
    assert 'lang="fa" dir="rtl"' in page.text
    assert not re.findall(r"https?://|//[a-z]+\.", page.text)
    assert "'self'" in page.headers["content-security-policy"]


def test_every_service_has_a_route() -> None:
    assert {p.service for p in PROXY_ROUTES} == set(Service)


def test_every_success_and_every_refusal_by_a_limit_tells_where_the_limits_stand() -> None:
    whole = document.whole({})
    declared = whole["components"]["headers"]
    told = {
        code: set(answer["headers"])
        for methods in whole["paths"].values()
        for operation in methods.values()
        for code, answer in operation["responses"].items()
        if "headers" in answer
    }
    assert set(declared) == {"RateLimit-Policy", "RateLimit", "Retry-After"}
    assert told == {
        "200": {"RateLimit-Policy", "RateLimit"},
        "202": {"RateLimit-Policy", "RateLimit"},
        "429": set(declared),
    }

"""The one OpenAPI document: valid, whole, and shown without any other host."""

import re
from typing import Any

import msgspec
from fastapi import FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from gateway.api import document
from gateway.clients import Service

from .conftest import House


class Body(BaseModel):
    """A body."""

    party: int
    titles: list[str] = []


def theirs(*paths: str) -> dict[str, Any]:
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


def test_merged_documents_are_valid_and_names_do_not_meet() -> None:
    merged = document.merge(
        document.own_document(),
        {
            "merchants": theirs(
                "/v1/merchants/{number}", "/internal/terminals/{number}", "/metrics/{number}"
            ),
            "members": theirs("/v1/members/{number}", "/v1/merchants/{number}/stolen"),
        },
    )
    OpenAPIV31SpecValidator(merged).validate()
    assert "/v1/merchants/{number}" in merged["paths"]
    assert "/v1/members/{number}" in merged["paths"]
    assert not {p for p in merged["paths"] if "internal" in p or "stolen" in p}
    put = merged["paths"]["/v1/members/{number}"]["put"]
    assert put["security"] == [{"operator": []}]
    assert put["tags"] == ["members"]
    assert {"merchants_Body", "members_Body"} <= set(merged["components"]["schemas"])


async def test_the_document_is_served_whole_or_without_who_is_down(house: House) -> None:
    answer = await house.client.get("/openapi.json")
    assert answer.status_code == 200
    OpenAPIV31SpecValidator(answer.json()).validate()
    assert "/v1/transactions" in answer.json()["paths"]
    port = re.findall(r":(\d+)$", house.settings.members_url)[0]
    house.behind.documents[port] = theirs("/v1/members/{number}")
    # all services share one port here: the first answer was kept
    again = await house.client.get("/openapi.json")
    assert again.content == answer.content


async def test_the_page_asks_no_other_host(house: House) -> None:
    page = await house.client.get("/docs")
    assert page.status_code == 200
    assert 'lang="fa" dir="rtl"' in page.text
    assert not re.findall(r"https?://|//[a-z]+\.", page.text)
    assert "'self'" in page.headers["content-security-policy"]


def test_every_service_has_a_passage() -> None:
    assert {p.service for p in document.PASSAGES} == set(Service)

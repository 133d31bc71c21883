"""docs/openapi.json is what a gateway serves, and it only grows."""

import json
from copy import deepcopy
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from . import history, openapi_file
from .openapi_growth import breaking_changes

NAME = "docs/openapi.json"
ADVICE = (
    f"{NAME} may only grow. Keep what clients use, and give the changed form a new field, or a"
    " new address (/v2/…) beside the old one."
)


def committed(revision: str) -> dict[str, Any] | None:
    text = history.git("show", f"{revision}:{NAME}")
    return None if text is None else json.loads(text)


# ------------------------------------------------------------------------------------- the file


async def test_the_file_is_what_a_gateway_serves() -> None:
    served = openapi_file.rendered(await openapi_file.served())
    text = openapi_file.FILE.read_text("utf-8")
    assert text == served, f"{NAME} is not what the gateway serves: run `make contracts`"


def test_the_file_is_valid_and_names_no_host() -> None:
    document = json.loads(openapi_file.FILE.read_text("utf-8"))
    OpenAPIV31SpecValidator(document).validate()
    assert document["servers"] == [{"url": "/"}]
    text = json.dumps(document).replace("https://shop.example/", "")  # of an endpoint's example
    assert "://" not in text


def test_the_file_takes_nothing_from_the_last_commit() -> None:
    before = committed("HEAD")
    if before is None:
        pytest.skip("no last commit with the file: no clone, or the file is new")
    assert_grown(before)


def test_the_file_takes_nothing_from_the_history() -> None:
    """Against the merge base, and against the file before its last change."""
    if not history.whole():
        pytest.skip("no history: no clone, or one of few commits")
    revisions = {*history.bases(), *history.changes(NAME)[1:2]}
    documents = [document for revision in revisions if (document := committed(revision))]
    if not documents:
        pytest.skip("the file is new: no earlier commit has it")
    for before in documents:
        assert_grown(before)


def assert_grown(before: dict[str, Any]) -> None:
    changes = breaking_changes(before, json.loads(openapi_file.FILE.read_text("utf-8")))
    assert not changes, "\n".join([ADVICE, *changes])


# --------------------------------------------------------------------------------- the comparer


def small() -> dict[str, Any]:
    """A document with one of everything that is compared."""
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Sale"}}}}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}}
    page = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}
    return {
        "paths": {
            "/v1/sales": {
                "get": {"parameters": [page], "responses": {"200": answer}},
                "post": {
                    "security": [{"terminal": []}],
                    "requestBody": {"required": False, **body},
                    "responses": {"200": answer, "202": {"description": "accepted"}},
                },
            },
            "/v1/sales/{id}": {"get": {"responses": {"200": answer}}},
        },
        "components": {
            "schemas": {
                "Sale": {
                    "type": "object",
                    "required": ["amount"],
                    "properties": {
                        "amount": {"type": "integer", "minimum": 0, "maximum": 1000},
                        "kind": {"enum": ["purchase", "refund"]},
                        "who": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                        "at": {"type": "string", "format": "date-time"},
                        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Sale"}},
                    },
                },
                "Answer": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {
                        "id": {"type": "string"},
                        "points": {"type": "integer"},
                        "status": {"enum": ["completed"]},
                        "sale": {"$ref": "#/components/schemas/Sale"},
                    },
                },
            }
        },
    }


def changed(**edits: Any) -> dict[str, Any]:
    """The small document with a value put at each dotted place; ... takes it away."""
    document = deepcopy(small())
    for place, value in edits.items():
        *parents, last = place.split("|")
        at: Any = document
        for key in parents:
            at = at[int(key) if isinstance(at, list) else key]
        if value is ...:
            del at[last]
        else:
            at[last] = value
    return document


SALE, ANSWER = "components|schemas|Sale", "components|schemas|Answer"
POST, GET = "paths|/v1/sales|post", "paths|/v1/sales|get"
BROKEN = [
    ({"paths|/v1/sales/{id}": ...}, "/v1/sales/{id}: the path is gone"),
    ({POST: ...}, "POST /v1/sales: the method is gone"),
    ({f"{POST}|responses|202": ...}, "POST /v1/sales: the answer 202 is gone"),
    ({f"{POST}|security": [{"operator": []}]}, "POST /v1/sales: another key is needed"),
    ({f"{POST}|requestBody|required": True}, "POST /v1/sales: a body is required now"),
    ({f"{POST}|requestBody": ...}, "POST /v1/sales: the body is gone"),
    ({f"{POST}|requestBody|content": {"text/csv": {}}}, "body: the media type application/json"),
    ({f"{GET}|parameters": []}, "GET /v1/sales: the parameter limit is gone"),
    ({f"{GET}|parameters|0|required": True}, "the parameter limit is required now"),
    ({f"{GET}|parameters|0|schema|maximum": 50}, "parameter limit: maximum is 50 now, and was 100"),
    ({f"{ANSWER}|properties|points": ...}, "200: the field points is gone"),
    ({f"{ANSWER}|required": []}, "200: the field id may be absent now"),
    ({f"{ANSWER}|properties|points|type": "string"}, ".points: integer became string"),
    (
        {f"{ANSWER}|properties|points": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        ".points: null may come now",
    ),
    ({f"{SALE}|required": ["amount", "kind"]}, "body: the field kind is required now"),
    ({f"{SALE}|properties|who": ...}, "body: the field who is gone"),
    ({f"{SALE}|properties|who": {"type": "string"}}, ".who: integer is taken no more"),
    ({f"{SALE}|properties|amount|type": "string"}, ".amount: integer became string"),
    ({f"{SALE}|properties|amount|minimum": 1}, ".amount: minimum is 1 now, and was 0"),
    ({f"{SALE}|properties|amount|multipleOf": 5, f"{SALE}|properties|amount|maximum": 9}, "is 9"),
    ({f"{SALE}|properties|kind|enum": ["purchase"]}, ".kind: refund is taken no more"),
    ({f"{SALE}|properties|at|format": "date"}, ".at: the format date-time became date"),
    ({f"{SALE}|properties|at|pattern": "^2"}, ".at: the pattern is ^2 now, and was none"),
]
GROWN: list[dict[str, Any]] = [
    {},
    {"paths|/v1/new": {"get": {"responses": {}}}},
    {"paths|/v1/sales/{id}|put": {"responses": {}}},
    {f"{POST}|responses|409": {"description": "another state"}},
    {f"{POST}|security": [{"terminal": []}, {"session": []}]},
    {f"{POST}|security": []},
    {f"{GET}|parameters|0|schema|maximum": 500},
    {f"{GET}|parameters": [{"name": "after", "in": "query", "schema": {}}, small()["paths"]
     ["/v1/sales"]["get"]["parameters"][0]]},
    {f"{ANSWER}|properties|debt": {"type": "integer"}},
    {f"{ANSWER}|required": ["id", "points"]},
    {f"{ANSWER}|properties|status|enum": ["completed", "held"]},
    {f"{SALE}|properties|note": {"type": "string"}},
    {f"{SALE}|required": []},
    {f"{SALE}|properties|kind|enum": ["purchase", "refund", "reversal"]},
    {f"{SALE}|properties|amount|maximum": 2000},
    {f"{SALE}|properties|amount|description": "Rial"},
]  # fmt: skip


@pytest.mark.parametrize(("edits", "sentence"), BROKEN, ids=[row[1] for row in BROKEN])
def test_what_breaks_a_client_is_told(edits: dict[str, Any], sentence: str) -> None:
    changes = breaking_changes(small(), changed(**edits))
    assert any(sentence in change for change in changes), changes


@pytest.mark.parametrize("edits", GROWN, ids=[next(iter(edits), "nothing") for edits in GROWN])
def test_what_grows_breaks_nobody(edits: dict[str, Any]) -> None:
    if f"{SALE}|required" in edits or f"{SALE}|properties|kind|enum" in edits:
        edits = edits | {f"{ANSWER}|properties|sale": {"type": "object"}}
        before = changed(**{f"{ANSWER}|properties|sale": {"type": "object"}})
    else:
        before = small()
    assert breaking_changes(before, changed(**edits)) == []


def test_a_component_of_both_sides_is_compared_on_each() -> None:
    """A field of Sale is optional now: no burden on a request, a loss in an answer."""
    changes = breaking_changes(small(), changed(**{f"{SALE}|required": []}))
    assert changes
    assert all("200" in change and "may be absent" in change for change in changes)


def test_a_removed_field_of_the_committed_document_is_seen() -> None:
    """The comparer on the real file: each field of an answer that a till reads."""
    before = json.loads(openapi_file.FILE.read_text("utf-8"))
    for field in before["components"]["schemas"]["Answer"]["properties"]:
        after = deepcopy(before)
        del after["components"]["schemas"]["Answer"]["properties"][field]
        assert any(f"the field {field} is gone" in one for one in breaking_changes(before, after))


def test_the_failure_says_what_to_do() -> None:
    before = json.loads(openapi_file.FILE.read_text("utf-8"))
    before["paths"]["/v1/abolished"] = {"get": {"responses": {}}}
    with pytest.raises(AssertionError, match="may only grow") as failed:
        assert_grown(before)
    assert "/v1/abolished: the path is gone" in str(failed.value)

"""`Operator` has a method for each administration call of the one OpenAPI document."""

import json
import re
from typing import Any

import pytest

import peyvand
from gateway.openapi.domain import document
from support import services

from .operator_calls import CALLS, Call
from .test_operator import ANY

NONE: Any = object()  # nothing is called
OTHERWISE = {  # by other parts of the SDK: a till's, and the import of whole files
    "POST /v1/transactions",
    "GET /v1/transactions/{id}",
    "POST /v1/history",
    "POST /v1/members/import",
}


def _document() -> dict[str, Any]:
    """The document that the whole platform shows."""
    apps = {
        name: services.application(service, services.opened(service, NONE, NONE))
        for name in services.SERVICES
        for service in [services.service(name)]
    }
    theirs = {name: app.openapi() for name, app in apps.items()}
    return document.merge(document.own_document(), theirs)


DOCUMENT = _document()


def _operations() -> dict[str, re.Pattern[str]]:
    """Each operation, and the form of the requests that are it; the literal ones first."""
    found = {
        f"{method.upper()} {path}": re.compile(
            f"{method.upper()} {re.sub('{[^}]+}', '[^/]+', path)}"
        )
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }
    return dict(sorted(found.items(), key=lambda one: one[0].count("{")))


OPERATIONS = _operations()


def _operation(request: str) -> str:
    return next((told for told, form in OPERATIONS.items() if form.fullmatch(request)), request)


def test_every_administration_call_has_a_method() -> None:
    called = {_operation(told) for told, _ in CALLS}
    assert set(OPERATIONS) - called - OTHERWISE == set()
    assert called <= set(OPERATIONS)


@pytest.mark.parametrize(("told", "call"), CALLS)
async def test_every_query_of_a_method_is_a_parameter_of_its_operation(
    scripted: Any, operator: peyvand.Operator, reply: Any, told: str, call: Call
) -> None:
    scripted.script = [reply(200, json.dumps(ANY).encode())]
    await call(operator)
    (seen,) = scripted.seen
    method, _, path = _operation(told).partition(" ")
    parameters = DOCUMENT["paths"][path][method.lower()].get("parameters", ())
    assert set(seen.query) <= {one["name"] for one in parameters}

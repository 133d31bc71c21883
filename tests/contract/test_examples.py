"""Every body that a service takes is shown in its document, and what is shown is taken."""

import json

import pytest
from pydantic import TypeAdapter

from support import services

from .test_authority import APPS

BODIES = [
    (room, row, route)
    for room, app in APPS.items()
    for row, route in services.routes_of(app).items()
    if row.split()[1].startswith("/v1/") and route.body_field is not None
]


@pytest.mark.parametrize(("room", "row", "route"), BODIES)
def test_every_body_has_an_example_that_reads(room, row, route):
    method, path = row.split()
    document = APPS[room].openapi()
    content = document["paths"][path][method.lower()]["requestBody"]["content"]
    schema = content["application/json"]["schema"]
    named = [one["$ref"] for one in (schema, *schema.get("anyOf", ())) if "$ref" in one]
    shown = document["components"]["schemas"][named[0].rpartition("/")[2]]["examples"]
    taken = TypeAdapter(route.body_field.field_info.annotation)
    for example in shown:
        read = taken.validate_json(json.dumps(example))
        assert read.model_dump(exclude_unset=True).keys() == example.keys()

"""Every route × role × tenant in one table: a new route without a row fails (findings N1b, S12)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from gateway.proxy.domain import PROXY_ROUTES, find_route
from kit.base import auth, errors
from kit.base.auth import Role
from support import services
from support.callers import Vouched

SECRET = "the actor secret of these tests"
LETTERS = {
    "a": Role.AUDITOR,
    "p": Role.PARTNERS,
    "t": Role.TERMINALS,
    "m": Role.MONEY,
    "e": Role.ENROL,
    "s": Role.SUPPORT,
    "r": Role.RULES,
    "h": Role.HISTORY,
    "v": Role.REVIEWER,
    "u": Role.USERS,
    "o": "merchant:5",  # of the merchant in the address
    "w": "party:5",  # of the party in the address
    "y": "party:6",  # of another
    "x": "merchant:6",  # of another
    "g": auth.SERVICE,  # the gateway itself
    "n": auth.PERSON,  # whoever signed in
    "z": auth.STRANGER,  # nobody yet
}
ALL = "apmesrthvu"
OWN = ALL + "o"

TABLE = {
    "merchants": {
        "GET /v1/audit/merchants": "a",
        "PUT /v1/parties/{party}": "p",
        "GET /v1/parties/{party}": ALL,
        "PUT /v1/parties/{party}/standings/{change}": "m",
        "GET /v1/parties/{party}/standings/{change}": ALL,
        "GET /v1/parties/{party}/standings": ALL,
        "PUT /v1/merchants/{merchant}": "p",
        "GET /v1/merchants/{merchant}": OWN,
        "GET /v1/merchants": ALL,
        "PUT /v1/merchants/{merchant}/branches/{branch}": "p",
        "GET /v1/merchants/{merchant}/branches/{branch}": OWN,
        "GET /v1/merchants/{merchant}/branches": OWN,
        "PUT /v1/merchants/{merchant}/terminals/{terminal}": "t",
        "GET /v1/merchants/{merchant}/terminals/{terminal}": OWN,
        "GET /v1/merchants/{merchant}/terminals": OWN,
        "PUT /v1/merchants/{merchant}/standings/{change}": "t",
        "GET /v1/merchants/{merchant}/standings": OWN,
        "PUT /v1/merchants/{merchant}/programmes/{version}": "m",
        "GET /v1/merchants/{merchant}/programmes/{version}": OWN,
        "GET /v1/merchants/{merchant}/programmes": OWN,
        "GET /v1/merchants/{merchant}/tally": OWN,
        "PUT /v1/windows/{window}/settlement": "m",
        "GET /v1/windows/{window}/settlement": "ma",
        "PUT /v1/windows/{window}/settlement/approval": "m",
        "PUT /v1/windows/{window}/settlement/withdrawal": "m",
        "PUT /v1/windows/{window}/settlement/exclusions/{party}": "m",
        "PUT /v1/windows/{window}/settlement/reinstruction": "m",
        "GET /v1/windows/{window}/settlement/files/{batch}/pain001": "ma",
        "GET /v1/windows/{window}/settlement/files/{batch}/csv": "ma",
        "PUT /v1/windows/{window}/settlement/answers/{answer}": "m",
        "GET /v1/settlements": "ma",
        "GET /v1/ageing": "ma",
        "PUT /v1/parties/{party}/sheba-changes/{change}": "m",
        "PUT /v1/parties/{party}/sheba-changes/{change}/approval": "m",
        "GET /v1/parties/{party}/sheba-changes/{change}": "ma",
        "PUT /v1/parties/{party}/disputes/{dispute}": "pw",
        "GET /v1/parties/{party}/disputes/{dispute}": "apmw",
        "GET /v1/parties/{party}/disputes": "apmw",
        "PUT /v1/parties/{party}/disputes/{dispute}/answer": "pw",
        "PUT /v1/parties/{party}/disputes/{dispute}/escalation": "pw",
        "PUT /v1/parties/{party}/disputes/{dispute}/withdrawal": "pw",
        "PUT /v1/evidence/{party}/{dispute}/{file}": "pw",
        "GET /v1/evidence/{party}/{dispute}/{file}": "apmw",
        "PUT /v1/disputes/{dispute}/decision": "m",
        "GET /v1/disputes/{dispute}": "apm",
        "GET /v1/disputes": "apm",
        "PUT /v1/terminals/{terminal}/activation-codes/{code_id}": "t",
        "GET /v1/terminals/{terminal}/activation-codes/{code_id}": ALL,
        "DELETE /v1/terminals/{terminal}/activation-codes/{code_id}": "t",
        "POST /v1/activations": "z",
        "PUT /v1/terminals/{terminal}/activations/{activation}": "t",
        "PUT /v1/terminals/{terminal}/keys/{key_id}": "t",
        "DELETE /v1/terminals/{terminal}/keys/{key_id}": "t",
        "PUT /v1/terminals/{terminal}/standings/{change}": "t",
        "GET /v1/terminals/{terminal}/standings": ALL,
        "PUT /v1/terms/{version}": "m",
        "GET /v1/terms/{version}": ALL,
        "GET /v1/terms": ALL,
        "PUT /v1/windows/{window}": "m",
        "GET /v1/windows/{window}": "am",
        "GET /v1/windows": "am",
        "GET /v1/windows/{window}/pairs": "am",
        "GET /v1/windows/{window}/positions": "am",
        "GET /v1/windows/{window}/statements/{party}": "am",
        "GET /v1/windows/{window}/statements/{party}/csv": "am",
        "GET /v1/windows/{window}/statements/{party}/pdf": "am",
        "GET /v1/windows/{window}/statements/{party}/transactions": "am",
        "GET /v1/windows/{window}/reconciliation": "am",
        "GET /v1/merchants/{merchant}/statements/{window}": "amo",
        "GET /v1/merchants/{merchant}/statements/{window}/csv": "amo",
        "GET /v1/merchants/{merchant}/statements/{window}/pdf": "amo",
        "GET /v1/merchants/{merchant}/statements/{window}/transactions": "amo",
        "PUT /v1/applications/{application}": "p",
        "GET /v1/applications/{application}": "apm",
        "GET /v1/applications": "apm",
        "PUT /v1/applications/{application}/assessment": "p",
        "GET /v1/applications/{application}/assessment": "apm",
        "PUT /v1/applications/{application}/approval": "m",
        "PUT /v1/applications/{application}/rejection": "m",
        "PUT /v1/applications/{application}/withdrawal": "p",
        "GET /v1/applications/{application}/preview": "apm",
        "PUT /v1/applications/{application}/activation": "p",
        "PUT /v1/onboarding/{kind}/versions/{version}": "m",
        "GET /v1/onboarding/{kind}/versions/{version}": ALL,
        "GET /v1/onboarding/{kind}/versions": ALL,
        "GET /internal/terminals/{terminal}": "g",
    },
    "members": {
        "GET /v1/audit/members": "a",
        "PUT /v1/enrolments/{enrolment}": "e",
        "POST /v1/members/import": "e",
        "GET /v1/members/{member}": "es",
        "PUT /v1/members/{member}/mobiles/{identifier}": "e",
        "PUT /v1/members/{member}/cards/{card}": "e",
        "PUT /v1/members/{member}/consents/{request_id}": "e",
        "POST /v1/identifiers/{identifier_id}/block": "e",
        "PUT /v1/identifiers/{identifier_id}/bindings/{binding}": "e",
        "PUT /v1/accounts/{account}/standings/{change}": "m",
        "GET /v1/accounts/{account}/standings/{change}": "amsv",
        "GET /v1/accounts/{account}/standings": "amsv",
        "PUT /v1/accounts/{account}/adjustments/{adjustment}": "m",
        "GET /v1/accounts/{account}/adjustments/{adjustment}": "amsv",
        "GET /v1/accounts/{account}/adjustments": "amsv",
        "GET /internal/identifiers/{digest}": "g",
    },
    "campaigns": {
        "GET /v1/audit/campaigns": "a",
        "PUT /v1/rules/{rule}/versions/{version}": "r",
        "GET /v1/rules/{rule}/versions/{version}": ALL,
        "GET /v1/rules": ALL,
        "POST /v1/rules/evaluate": "r",
        "PUT /v1/first-purchase/versions/{version}": "m",
        "GET /v1/first-purchase/versions/{version}": ALL,
    },
    "fraud": {
        "GET /v1/audit/fraud": "a",
        "GET /v1/cases": "avr",
        "GET /v1/cases/{case_id}": "avr",
        "PUT /v1/cases/{case_id}/verdict": "v",
        "PUT /v1/fraud-rules/{rule}/versions/{version}": "r",
        "GET /v1/fraud-rules/{rule}/versions/{version}": ALL,
        "GET /v1/fraud-rules": ALL,
        "GET /v1/fraud-alerts": "avr",
    },
    "ledger": {
        "GET /v1/accounts/{account}/balance": "amsv",
        "GET /v1/accounts/{account}/lots": "amsv",
        "GET /v1/accounts/{account}/lots/{lot}": "amsv",
        "GET /v1/accounts/{account}/statement": "amsv",
        "GET /v1/accounts/{account}/entries/{number}/proof": "amsv",
        "GET /v1/bookings/{id}": "amsv",
        "GET /v1/positions": "am",
        "GET /v1/vintages": "am",
        "GET /v1/revenue": "am",
        "GET /v1/checkpoints": "amsv",
        "GET /v1/checkpoints/{shard}": "amsv",
        "GET /v1/proofs/{shard}/{sequence}": "amsv",
        "GET /v1/consistency/{shard}": "amsv",
        "GET /internal/outcomes/{shard}/{name}": "g",
    },
    "notify": {
        "GET /v1/audit/notify": "a",
        "PUT /v1/merchants/{merchant}/webhook-endpoints/{endpoint}": "p",
        "PUT /v1/merchants/{merchant}/webhook-endpoints/{endpoint}/secrets/{secret}": "p",
        "GET /v1/merchants/{merchant}/webhook-endpoints": "psao",
        "GET /v1/merchants/{merchant}/webhook-endpoints/{endpoint}": "psao",
        "GET /v1/merchants/{merchant}/webhook-endpoints/{endpoint}/deliveries": "psao",
        "PUT /v1/merchants/{merchant}/webhook-endpoints/{endpoint}/tests/{test}": "p",
        "POST /v1/merchants/{merchant}/webhook-endpoints/{endpoint}/replays": "p",
        "GET /v1/messages": "s",
    },
    "identity": {
        "GET /v1/audit/identity": "a",
        "PUT /v1/users/{user}": "u",
        "GET /v1/users/{user}": "ua",
        "GET /v1/users": "ua",
        "PUT /v1/users/{user}/invitations/{invitation}": "u",
        "PUT /v1/users/{user}/standings/{change}": "u",
        "PUT /v1/users/{user}/grants/{change}": "u",
        "GET /v1/users/{user}/changes": "ua",
        "GET /v1/users/{user}/sessions": "ua",
        "POST /v1/invitations/accept": "z",
        "POST /v1/sessions": "z",
        "GET /v1/sessions": "n",
        "DELETE /v1/sessions": "nu",  # of whoever has a session
        "DELETE /v1/sessions/{session}": "nu",
        "PUT /v1/second-factors/{factor}": "n",
        "GET /v1/second-factors": "n",
        "PUT /v1/second-factors/{factor}/confirmation": "n",
        "PUT /v1/password": "n",
        "PUT /v1/api-keys/{key}": "u",
        "PUT /v1/api-keys/{key}/successors/{successor}": "u",
        "GET /v1/api-keys/{key}": "ua",
        "GET /v1/api-keys": "ua",
        "DELETE /v1/api-keys/{key}": "u",
        "GET /v1/proposals": "an",
        "GET /v1/proposals/{proposal}": "an",
        "PUT /v1/proposals/{proposal}/approval": "n",
        "PUT /v1/proposals/{proposal}/rejection": "n",
        "PUT /v1/proposals/{proposal}/withdrawal": "n",
        "POST /internal/proposals": "n",
        "GET /internal/proposals/{proposal}": "g",
        "PUT /internal/proposals/{proposal}/result": "g",
        "GET /internal/api-keys/{key}": "g",
        "POST /internal/api-keys/uses": "g",
        "GET /internal/sessions/{session}": "g",
        "POST /internal/sessions/uses": "g",
    },
}
OPEN = {"POST /internal/receipts/{secret}", "GET /internal/receipts/{secret}"}


class Away:
    """A database that is not there: whoever comes as far as it was let in."""

    @asynccontextmanager
    async def transaction(self, *_: Any) -> AsyncIterator[None]:
        raise errors.Unavailable("no database here")
        yield

    read = transaction


class Clock:
    ready = True

    def now(self) -> Any:
        raise errors.Unavailable("no clock here")


def apps() -> dict[str, FastAPI]:
    """The applications of all services, as their mains list them."""
    database: Any = Away()
    clock: Any = Clock()
    return {
        name: services.application(
            service, services.opened(service, database, clock, actor_secret=SECRET)
        )
        for name in services.SERVICES
        for service in [services.service(name)]
    }


APPS = apps()


SAMPLES = {
    "session": "0" * 32,
    "merchant": "5",
    "party": "5",
    "case_id": "c",
    "rule": "a-rule",
    "key_id": "aaaaaaaa",
    "kind": "rules",
}
UUIDS = (
    "change",
    "activation",
    "application",
    "enrolment",
    "request_id",
    "identifier_id",
    "identifier",
    "binding",
    "user",
    "invitation",
    "factor",
    "key",
    "successor",
    "proposal",
    "adjustment",
    "dispute",
    "file",
)


def address(route: APIRoute) -> str:
    """An address that the route serves."""
    names = route.param_convertors
    sample = {name: SAMPLES.get(name, "7") for name in names}
    sample |= {name: f"{0:08}-0000-7000-8000-{7:012}" for name in UUIDS if name in names}
    return route.path.format(**sample)


@pytest.mark.parametrize("room", APPS)
def test_every_route_has_its_row(room: str) -> None:
    assert set(services.routes_of(APPS[room])) - OPEN == set(TABLE[room])


@pytest.mark.parametrize("room", APPS)
async def test_every_route_lets_in_whom_the_table_says(room: str) -> None:
    app = APPS[room]
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    wrong: list[str] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://room") as client:
        for row, letters in TABLE[room].items():
            method, path = row.split()[0], address(services.routes_of(app)[row])
            for body in (b"", b"{", b'{"nonsense":1}'):
                answer = await client.request(method, path, content=body)
                if answer.status_code != 401:
                    wrong.append(f"{row}: a stranger heard {answer.status_code}")
            for letter, role in LETTERS.items():
                signed = Vouched(room, SECRET, {role})
                answer = await client.request(method, path, auth=signed)
                expected = letter in letters
                if (answer.status_code not in (401, 403)) is not expected:
                    wrong.append(f"{row}: {role} heard {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def rows() -> list[tuple[str, str, str]]:
    return [
        (room, row, letters)
        for room, those in TABLE.items()
        for row, letters in those.items()
        if "/v1/" in row
    ]


@pytest.mark.parametrize(("room", "row", "letters"), rows())
def test_the_gateway_lets_through_whom_the_service_lets_in(
    room: str, row: str, letters: str
) -> None:
    method, path = row.split()[0], address(services.routes_of(APPS[room])[row])
    route = find_route(path)
    assert route is not None
    assert route.service_of(path).value == room
    for letter, role in LETTERS.items():
        assert route.admits(method, path, {role}) is (letter in letters), role


def test_a_partners_key_comes_to_what_enrols_and_nowhere_else() -> None:
    """Default no: a new route opens to it by its own row alone; whose member, members asks."""
    for room, row, letters in rows():
        method, path = row.split()[0], address(services.routes_of(APPS[room])[row])
        route = find_route(path)
        assert route is not None
        expected = room == "members" and "e" in letters
        assert route.admits(method, path, {"enrol:5"}) is expected, row


def test_every_passage_leads_somewhere() -> None:
    prefixes = {"/".join(row.split()[1].split("/")[:3]) for _, row, _ in rows()}
    assert {route.prefix for route in PROXY_ROUTES} == prefixes


def test_readers_write_nothing() -> None:
    writes = {row: letters for _, row, letters in rows() if not row.startswith("GET ")}
    for letter in "asoxg":
        assert not [row for row, letters in writes.items() if letter in letters]

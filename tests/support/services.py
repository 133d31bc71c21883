"""A service as its tests open it: its parts on a database of their own, with no broker behind."""

import base64
import importlib
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from kit import room
from kit.base import clock
from kit.base.db import Database, Tx
from kit.stream.consumer import Event

SERVICES = ("merchants", "members", "campaigns", "fraud", "ledger", "notify", "identity")
ADDRESSES = {"kafka_bootstrap": "127.0.0.1:1", "http_port": 1, "actor_secret": "of these tests"}


def root(letter: bytes) -> str:
    """A root of keys as a setting has it."""
    return base64.b64encode(letter * 32).decode()


TOLD: dict[str, dict[str, Any]] = {
    "members": {
        "identifier_keys": (root(b"i"),),
        "contact_keys": (root(b"c"),),
        "member_keys": (root(b"m"),),
    },
    "identity": {"identity_keys": (root(b"d"),)},
    "notify": {
        "sms_url": "http://127.0.0.1:1",
        "sms_api_key": "k",
        "sms_sender": "1",
        "contact_keys": (root(b"c"),),
        "callback_secret": "s",
    },
}


def opened(
    service: room.Service, database: Database, at: clock.Clock, **told: Any
) -> room.Resources:
    """What kit would open for a service that is told so, with no broker behind it."""
    given: dict[str, Any] = {
        **ADDRESSES,
        "room": service.name,
        **TOLD.get(service.name, {}),
        **told,
    }
    nobody: Any = None
    return room.Resources(
        settings=service.settings(**given), producer=nobody, clock=at, opened=database
    )


def application(service: room.Service, resources: room.Resources) -> FastAPI:
    """The service's HTTP doors, of all its parts."""
    return room.application(service.name, [part(resources) for part in service.parts], resources)


def service(name: str) -> room.Service:
    """A service by its name."""
    found: room.Service = importlib.import_module(f"{name}.main").SERVICE
    return found


async def hand_out(
    service: room.Service, resources: room.Resources, tx: Tx, batch: Sequence[Event]
) -> None:
    """Give a batch of one topic to every part of the service that hears it, in their order."""
    for part in service.parts:
        for one in part(resources).hears:
            mine = [event for event in batch if one.takes(event)]
            if mine:
                await one.handle(tx, mine)


def routes_of(app: FastAPI) -> dict[str, APIRoute]:
    """The routes of a room's application below /v1 and /internal: "PUT /v1/…" to the route."""
    parts = [getattr(one, "original_router", app.router) for one in app.router.routes]
    found = [route for part in {id(p): p for p in parts}.values() for route in part.routes]
    return {
        f"{method} {route.path}": route
        for route in found
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        if route.path.startswith(("/v1/", "/internal/"))
    }

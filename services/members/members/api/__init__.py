"""HTTP door: the routes of every noun in one application."""

from typing import Final

from fastapi import FastAPI

from kit import audit, auth, web
from kit.clock import Clock
from kit.db import Database
from members import settings
from members.api import identifiers, memberships, people, standings
from members.usecases.memberships import House

VERSION: Final = "0.1.0"
ROUTERS: Final = (
    memberships.router,
    identifiers.router,
    identifiers.internal,
    people.router,
    standings.router,
)


def app(database: Database, clock: Clock, house: House, *, actor_secret: str) -> FastAPI:
    """The application of the members room."""
    made = web.app(
        "Peyvand members",
        VERSION,
        routes=(*ROUTERS, audit.router("members", database)),
        signed=auth.Signing("members", actor_secret),
        body_bytes_max={memberships.IMPORT_PATH: settings.IMPORT_BYTES_MAX},
    )
    made.state.database = database
    made.state.clock = clock
    made.state.house = house
    return made

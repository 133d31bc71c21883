"""HTTP door: the routes of every noun in one application."""

from typing import Final

from fastapi import FastAPI

from kit import audit, auth, web
from kit.clock import Clock
from kit.db import Database
from merchants.api import partners, party_standings, programmes, standings, tallies, terminals

VERSION: Final = "0.1.0"
ROUTERS: Final = (
    partners.router,
    terminals.router,
    terminals.internal,
    standings.router,
    party_standings.router,
    programmes.router,
    tallies.router,
)


def app(database: Database, clock: Clock, *, actor_secret: str, shards: int) -> FastAPI:
    """The application of the merchants room. shards: of the book."""
    signed = auth.Signing("merchants", actor_secret)
    routes = (*ROUTERS, audit.router("merchants", database))
    made = web.app("Peyvand merchants", VERSION, routes=routes, signed=signed)
    made.state.database = database
    made.state.clock = clock
    made.state.shards = shards
    return made

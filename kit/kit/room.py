"""What a service is made of: parts, one for each noun, and what kit opens for them.

Source: docs/decisions/0033-parts.md.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from fastapi import APIRouter, FastAPI, Request
from starlette.routing import BaseRoute

from kit.base import auth, clock, db, settings, web
from kit.stream import heartbeat, kafka
from kit.stream.consumer import Consumer
from kit.stream.event import Subscription
from kit.stream.publish import Crash, Relay, no_crash

T = TypeVar("T")
ROAD: Final = "road"
STATE: Final = "state"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A task that a room runs at intervals. elected: only in the process that relays."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]
    elected: bool = True


@dataclass(frozen=True, kw_only=True)
class Part:
    """One noun of a service: its routes, what it hears, what time does to it.

    group: the consumer group that hears for it, by its name in the service. STATE is shared and
    batching; every other polls as quickly as the road. Parts of one group hear a topic in the order
    of the service's list, in one transaction; an event that one fails on still reaches the others.
    body_bytes_max: path prefix to limit, where 64 KiB is not right. open_paths: prefixes of its
    routes that the gateway need not vouch for.
    opened: entered before the part works, in order, and left after it. tasks: its endless loops.
    """

    name: str
    routes: Sequence[APIRouter | BaseRoute] = ()
    body_bytes_max: Mapping[str, int] = field(default_factory=dict[str, int])
    open_paths: tuple[str, ...] = ()
    hears: Sequence[Subscription] = ()
    group: str = STATE
    jobs: Sequence[Job] = ()
    tasks: Sequence[Callable[[], Awaitable[None]]] = ()
    opened: Sequence[AbstractAsyncContextManager[Any]] = ()


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What kit opens for a service; database raises when the service has none."""

    settings: Any
    producer: kafka.Producer
    clock: clock.Clock
    relay: Relay | None = None
    opened: db.Database | None = None
    cluster: str = ""  # Kafka's own id of it
    _shared: dict[Callable[..., Any], Any] = field(default_factory=dict[Callable[..., Any], Any])

    @property
    def database(self) -> db.Database:
        """The service's database."""
        if self.opened is None:
            raise settings.SettingsError("this room has no PEYVAND_DATABASE_DSN")
        return self.opened

    def shared(self, make: Callable[["Resources"], T]) -> T:
        """An object that the parts of a service share: `make` is called once for each Resources."""
        if make not in self._shared:
            self._shared[make] = make(self)
        instance: T = self._shared[make]
        return instance


def resources(request: Request) -> Resources:
    """What the application of a request was opened with."""
    opened: Resources = request.app.state.resources
    return opened


def application(service: str, parts: Sequence[Part], opened: Resources) -> FastAPI:
    """The routes of all parts as one application; each route names the roles that may call it."""
    limits: dict[str, int] = {}
    for part in parts:
        limits |= part.body_bytes_max
    app = web.app(
        f"Peyvand {service}",
        routes=[route for part in parts for route in part.routes],
        signed=auth.Signing(
            service,
            opened.settings.actor_secret,
            open_paths=tuple(path for part in parts for path in part.open_paths),
        ),
        body_bytes_max=limits,
    )
    app.state.resources = opened
    return app


def consumers(
    service: str, parts: Sequence[Part], opened: Resources, crash: Crash = no_crash
) -> list[Consumer]:
    """One consumer for each group; each subscription carries the name of its part."""
    groups: dict[str, list[Subscription]] = {}
    for part in parts:
        hears = [replace(subscription, part=part.name) for subscription in part.hears]
        groups.setdefault(group_of(service, part), []).extend(hears)
    return [
        Consumer(
            group,
            subscriptions,
            opened.database,
            opened.producer,
            opened.settings,
            batching=group == f"{service}-{STATE}",
            crash=crash,
        )
        for group, subscriptions in groups.items()
        if subscriptions
    ]


def group_of(service: str, part: Part) -> str:
    """The consumer group that hears for a part, as Kafka and the offsets name it."""
    return f"{service}-{part.group}"


def heartbeats(service: str, opened: Resources) -> list[Job]:
    """The heartbeat of the service's state topics, if it has any."""
    if not heartbeat.beating(service):
        return []
    run = partial(heartbeat.send, service, opened.database, opened.clock)
    return [Job(name="heartbeat", every_s=heartbeat.EVERY_S, run=run)]


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service as a program: its settings, its migrations, and its parts in order.

    application: makes one ASGI application of the parts. crash: where tests end the process.
    """

    name: str
    settings: type[settings.ServiceSettings]
    parts: Sequence[Callable[[Resources], Part]]
    migrations: Path | None = None
    application: Callable[[str, Sequence[Part], Resources], Any] = application
    crash: Crash = no_crash

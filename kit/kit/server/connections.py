"""The connections of a server: bounded in total and by address; idle ones are closed first."""

import asyncio
import ipaddress
import resource
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol

import msgspec

from kit.base import telemetry
from kit.base.telemetry import Metric

LOOK_EVERY_S: Final = 0.25
DESCRIPTORS: Final = 65_536  # as many files and sockets as a process asks the system for
KEPT_BACK: Final = 512  # descriptors that are not the callers': Kafka, databases, files, services
LINGER_S: Final = 2.0  # for what is still under way when a connection ends


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one connection may cost before anybody knows whose it is; times in s, sizes in bytes.

    head: request line and headers. body_gap_s: between two pieces of a body, which on the whole
    comes with body_bytes_per_s or more. idle_s: between two requests. in_all, per_address (of
    network_of): connections at a time. drained: bytes of a refused body that are still read.
    """

    head_bytes: int = 16_384
    head_fields: int = 100
    head_s: float = 5.0
    body_gap_s: float = 10.0
    body_bytes_per_s: int = 4_096
    idle_s: float = 15.0
    write_s: float = 20.0
    in_all: int = 4_000
    per_address: int = 1_000
    drained: int = 262_144


@lru_cache(maxsize=8_192)
def network_of(host: str) -> str:
    """The unit that bounds by address count: an IPv4 address, or an IPv6 /64 (one subscriber)."""
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))


class Connection(Protocol):
    """What Connections needs of a connection."""

    address: str
    proven: bool  # a whole request was answered on it
    beside: "dict[Connection, None]"  # those of its address that wait; for Connections alone

    def look(self, now_s: float) -> None:
        """Close it where its time is over."""
        ...

    def end(self) -> None:
        """Close it, as its idle time would."""
        ...


@dataclass(slots=True)
class _Address:
    """Connections of one address: how many, and which of them wait, the longest first."""

    count: int = 0
    waiting: dict[Connection, None] = field(default_factory=dict["Connection", None])


@dataclass(slots=True)
class Connections:
    """All connections of one server. Where there are too many, one that waits makes room."""

    limits: Limits
    door: str = "front"
    _all: dict[Connection, None] = field(default_factory=dict["Connection", None])
    _strange: dict[Connection, None] = field(default_factory=dict["Connection", None])
    _waiting: dict[Connection, None] = field(default_factory=dict["Connection", None])
    _addresses: dict[str, _Address] = field(default_factory=dict[str, _Address])
    _looking: bool = False

    def enter(self, connection: Connection) -> bool:
        """Take a connection in, closing an older one where it must; False: there is no room."""
        self._all[connection] = None
        address = self._addresses.setdefault(connection.address, _Address())
        address.count += 1
        connection.beside = address.waiting
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)
        telemetry.gauge(Metric.CONNECTIONS, len(self._all), self.door)
        fits = True
        if address.count > self.limits.per_address:
            fits = _end_first(address.waiting, "address-connections")
        elif len(self._all) > self.limits.in_all:
            fits = _end_first(self._strange or self._waiting, "connections")
        if fits:
            self.wait(connection)
        return fits

    def leave(self, connection: Connection) -> None:
        """A connection is gone."""
        self.stop_waiting(connection)
        self._all.pop(connection, None)
        address = self._addresses[connection.address]
        address.count -= 1
        if not address.count:
            del self._addresses[connection.address]
        telemetry.gauge(Metric.CONNECTIONS, len(self._all), self.door)

    def wait(self, connection: Connection) -> None:
        """It serves no request now, so it may be closed to make room for another."""
        (self._waiting if connection.proven else self._strange)[connection] = None
        connection.beside[connection] = None

    def stop_waiting(self, connection: Connection) -> None:
        """The head of a request is complete: it is not closed to make room."""
        (self._waiting if connection.proven else self._strange).pop(connection, None)
        connection.beside.pop(connection, None)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._all)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._all):
            connection.look(now)
        self._looking = bool(self._all)
        if self._looking:
            loop.call_later(LOOK_EVERY_S, self._look)


def _end_first(waiting: dict[Connection, None], limit: str) -> bool:
    telemetry.count(Metric.LIMITED, limit)
    oldest = next(iter(waiting), None)
    if oldest is None:
        return False
    del waiting[oldest]
    oldest.end()
    return True


def raise_descriptors() -> int:
    """Raise the limit of descriptors as far as the system allows, to DESCRIPTORS; gives it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return soft if soft != resource.RLIM_INFINITY else DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def fitting(limits: Limits, descriptors: int) -> Limits:
    """Limits whose connections leave the process its own descriptors."""
    most = max(descriptors - KEPT_BACK, descriptors // 2)
    return msgspec.structs.replace(
        limits, in_all=min(limits.in_all, most), per_address=min(limits.per_address, most)
    )

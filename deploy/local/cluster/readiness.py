"""Whether a server is ready: a record produced and consumed, a query answered."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil

from cluster import children, connections

ATTEMPT_S = 15.0
STEP_S = 0.05


class NotReady(Exception):
    """A server did not become ready in its time, or died."""


def wait_for_kafka(bootstrap: str, process: psutil.Process, *, wait_s: float) -> None:
    """Wait until the broker carries a record from a producer to a consumer."""
    port = int(bootstrap.rpartition(":")[2])
    deadline = time.monotonic() + wait_s
    _wait_for_port(port, process, deadline)
    _until(lambda: connections.carry_record(bootstrap), process, deadline)


def wait_for_postgres(dsn: str, process: psutil.Process, *, wait_s: float) -> None:
    """Wait until the server answers a query."""
    _until(lambda: connections.ask(dsn), process, time.monotonic() + wait_s)


def kafka_is_ready(bootstrap: str, *, wait_s: float) -> bool:
    """Whether a record goes through the broker now."""
    return _holds(lambda: connections.carry_record(bootstrap), wait_s)


def postgres_is_ready(dsn: str, *, wait_s: float) -> bool:
    """Whether a query is answered now."""
    return _holds(lambda: connections.ask(dsn), wait_s)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end on a loop of its own, also where a loop already runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


Check = Callable[[], Coroutine[Any, Any, None]]
NOT_YET = (*connections.REFUSALS, OSError, TimeoutError)


def _until(check: Check, process: psutil.Process, deadline: float) -> None:
    last: Exception | None = None
    while time.monotonic() < deadline:
        if not children.alive(process):
            raise NotReady(f"process {process.pid} died before it was ready")
        try:
            run(asyncio.wait_for(check(), ATTEMPT_S))
            return
        except NOT_YET as failure:
            last = failure
            time.sleep(STEP_S)
    raise NotReady(f"not ready in time; last: {last!r}")


def _holds(check: Check, wait_s: float) -> bool:
    try:
        run(asyncio.wait_for(check(), wait_s))
    except NOT_YET:
        return False
    return True


def _wait_for_port(port: int, process: psutil.Process, deadline: float) -> None:
    """Before a port is open there is nothing to ask, and Kafka's client would log each try."""
    while time.monotonic() < deadline:
        if not children.alive(process):
            raise NotReady(f"process {process.pid} died before it listened on {port}")
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(STEP_S)
    raise NotReady(f"nothing listens on port {port}")

"""A small OTLP/HTTP collector: it takes spans as protobuf and keeps them by trace."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One span. parent: span id, empty at the root; links: the trace ids it is linked to."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent: str
    links: tuple[str, ...]
    began_ns: int
    ended_ns: int
    attributes: dict[str, Any]


class Collector:
    """Listens on a port of this machine from entering to leaving it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._spans: list[Seen] = []
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.take = self._take
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def touching(self, trace_id: str) -> list[Seen]:
        """Spans of a trace, and those of others that are linked to it."""
        return [s for s in list(self._spans) if trace_id == s.trace_id or trace_id in s.links]

    def own_trace(self, caller: str, *, wait_s: float) -> str:
        """The trace the platform began for a caller's: its root has the caller's as attribute."""
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            for seen in list(self._spans):
                if seen.attributes.get("caller") == caller:
                    return seen.trace_id
            time.sleep(0.05)
        raise TimeoutError(f"no span of the caller {caller}")

    def wait(
        self, trace_id: str, enough: Callable[[list[Seen]], bool], *, wait_s: float
    ) -> list[Seen]:
        """The spans that touch a trace, as soon as they are enough; blocks."""
        deadline = time.monotonic() + wait_s
        while not enough(self.touching(trace_id)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.touching(trace_id)

    def _take(self, raw: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
            named = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self._spans += [_seen(named.get("service.name", ""), s) for s in scope.spans]


def _seen(service: str, span: Any) -> Seen:
    return Seen(
        service=service,
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(link.trace_id.hex() for link in span.links),
        began_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        attributes={
            a.key: getattr(a.value, a.value.WhichOneof("value") or "string_value")
            for a in span.attributes
        },
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    take: Callable[[bytes], None]


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  it alone starts this
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take one export."""
        self.server.take(self.rfile.read(int(self.headers["Content-Length"])))
        body = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

"""uvicorn's HTTP protocol with a bound on everything a stranger may begin (findings S3, S9).

Nothing here costs a request more than some comparisons: times are looked at by a beat, and
uvicorn's own timer of every answer is not armed.
"""

import functools
import math
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kit.base import errors, telemetry, web
from kit.base.settings import SettingsError
from kit.base.telemetry import Metric
from kit.server.connections import LINGER_S, Connections, Limits, network_of

PIPELINED_MAX: Final = 16  # requests sent ahead on one connection
_NO_UPGRADE: Final = frozenset({b"connection", b"upgrade", b"http2-settings"})
_STATUS: Final = {
    400: b"400 Bad Request",
    408: b"408 Request Timeout",
    414: b"414 URI Too Long",
    415: b"415 Unsupported Media Type",
    431: b"431 Request Header Fields Too Large",
    503: b"503 Service Unavailable",
}


class Refusal(Enum):
    """What the protocol itself refuses: status, code, English, Persian."""

    MALFORMED = (
        400,
        "malformed-request",
        "not HTTP/1.1 as RFC 9112 has it; correct the client",
        "درخواست بر پایهٔ HTTP/1.1 نیست؛ برنامهٔ فرستنده را درست کنید.",
    )
    BODY_WITH_READ = (
        400,
        "body-not-expected",
        "GET and HEAD carry no body; send none",
        "درخواست GET و HEAD بدنه ندارد؛ بی‌بدنه بفرستید.",
    )
    SLOW = (
        408,
        "request-too-slow",
        "the request did not come in time; send it again, whole",
        "درخواست به موقع کامل نرسید؛ همان را دوباره و کامل بفرستید.",
    )
    LONG_LINE = (
        414,
        "address-too-long",
        "the address is too long; compare it with the documentation",
        "نشانی بیش از اندازه دراز است؛ آن را با مستندات بسنجید.",
    )
    ENCODED = (
        415,
        "encoding-not-taken",
        "send the body as it is, without Content-Encoding; of Transfer-Encoding chunked alone",
        "بدنه را فشرده نکنید؛ بی Content-Encoding بفرستید.",
    )
    LARGE_HEAD = (
        431,
        "headers-too-large",
        "the headers are too large or too many; send fewer",
        "سرآیندها بیش از اندازه بزرگ یا پرشمارند؛ کمتر بفرستید.",
    )
    CROWDED = (
        503,
        "too-many-connections",
        "too many connections; close what you do not use and try again",
        "اتصال‌ها بیش از اندازه‌اند؛ اتصال‌های بی‌کار را ببندید و دوباره بفرستید.",
    )


def _rendered(refusal: Refusal) -> bytes:
    status, code, text, fa = refusal.value
    problem = errors.Problem(text, code=code, fa=fa)
    problem.status, problem.title = status, _STATUS[status][4:].decode()
    answer = web.problem(problem)
    head = b"HTTP/1.1 %s\r\nconnection: close\r\n" % _STATUS[status]
    fields = b"".join(b"%s: %s\r\n" % field for field in answer.raw_headers)
    return head + fields + b"\r\n" + bytes(answer.body)


_ANSWERS: Final = {refusal: _rendered(refusal) for refusal in Refusal}


# phases of reading a connection; plain numbers, since every request compares them
_IDLE: Final = 0
_HEAD: Final = 1
_BODY: Final = 2
_READ: Final = 3  # a whole request; what comes next belongs to another
_DRAIN: Final = 4  # answered and ending: what still comes is read and forgotten
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding", b"content-encoding"})


class _RefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class _Ending:
    """The transport as an answer sees it: where a body is still under way, closing waits for it."""

    def __init__(self, protocol: "Guarded") -> None:
        transport = protocol.transport
        self._protocol = protocol
        self.write = transport.write
        self.is_closing = transport.is_closing

    def close(self) -> None:
        self._protocol.finish()


class Guarded(HttpToolsProtocol):
    """One connection within its limits."""

    def __init__(self, *args: Any, held: Connections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = ""
        self.proven = False
        self.beside: Any = {}
        self._held = held
        self._limits: Limits = held.limits
        self._phase = _IDLE
        self._until = math.inf  # when the phase is over, in the loop's seconds
        self._write_until = math.inf
        self._head = 0  # bytes of the head so far
        self._body = 0
        self._body_began = 0.0
        self._drained = 0
        self._keep = True
        self._running: Any = None  # of the requests sent ahead, the one that is served

    # ------------------------------------------------------------------------------ connection

    def connection_made(self, transport: Any) -> None:
        """A caller connects; where there is no room he is refused."""
        super().connection_made(transport)
        self.address = network_of(self.client[0]) if self.client else ""
        self._until = self.loop.time() + self._limits.head_s
        self._ending = _Ending(self)
        if not self._held.enter(self):
            self.transport.write(_ANSWERS[Refusal.CROWDED])
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._held.leave(self)
        self._leave_running()
        super().connection_lost(exc)

    def end(self) -> None:
        """Make room for somebody else."""
        self._close()

    def look(self, now_s: float) -> None:
        """Close what has had its time; called on a beat."""
        if now_s < self._until and now_s < self._write_until:
            return
        if now_s >= self._write_until:
            self.transport.abort()
        elif self.transport.is_closing() or self._phase == _DRAIN:
            if self._write_until == math.inf:  # else he is still taking his answer
                self.transport.abort()
        elif self._phase == _IDLE:
            self._close()
        elif self.flow.read_paused:  # it is we who do not read
            self._until = now_s + self._limits.body_gap_s
        else:
            telemetry.count(Metric.LIMITED, "slow")
            self._refuse(Refusal.SLOW)

    def pause_writing(self) -> None:
        """The caller does not take his answer."""
        super().pause_writing()
        self._write_until = self.loop.time() + self._limits.write_s

    def resume_writing(self) -> None:
        """The caller reads again; a last answer still gets some time to go out."""
        super().resume_writing()
        self._write_until = math.inf
        if self.transport.is_closing():
            self._until = self.loop.time() + LINGER_S

    def finish(self) -> None:
        """Close once what is still under way has been read, so that the answer is not lost."""
        if self._phase == _BODY:
            self._drain()
        else:
            self._close()

    def _close(self) -> None:
        self._until = self.loop.time() + LINGER_S
        self.transport.close()

    def _drain(self) -> None:
        self._phase = _DRAIN
        self._held.wait(self)  # it is answered: it may make room
        self._until = self.loop.time() + LINGER_S
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _refuse(self, refusal: Refusal) -> None:
        cycle = self._leave_running()
        if cycle is not None and (cycle.response_started or self.pipeline):
            self._close()
            return
        self.transport.write(_ANSWERS[refusal])
        self._drain()

    def _leave_running(self) -> Any:
        """Mark the request being served as disconnected; None where there is none.

        uvicorn itself marks the newest of a pipeline, which waits behind the one being served.
        """
        cycle = self._running
        if cycle is None or cycle.response_complete:
            return None
        cycle.disconnected = True
        cycle.message_event.set()
        return cycle

    # --------------------------------------------------------------------------------- reading

    def data_received(self, data: bytes) -> None:
        """Feed the parser in pieces no larger than a head may be."""
        most = self._limits.head_bytes
        if len(data) <= most and self._phase != _DRAIN:
            self._feed(data)
            return
        for at in range(0, len(data), most):
            if self._phase == _DRAIN:
                self._drained += len(data) - at
                if self._drained > self._limits.drained:
                    self.transport.abort()
                return
            if self.transport.is_closing():
                return
            self._feed(data[at : at + most])

    def _feed(self, data: bytes) -> None:
        if self._phase <= _HEAD:
            self._head += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            known = error.__context__
            refused = known.refusal if isinstance(known, _RefusedError) else Refusal.MALFORMED
            self._refuse(refused)
        except httptools.HttpParserError:
            telemetry.count(Metric.LIMITED, "malformed")
            self._refuse(Refusal.MALFORMED)
        else:
            if self._phase <= _HEAD and self._head >= self._limits.head_bytes:
                telemetry.count(Metric.LIMITED, "head")
                self._refuse(Refusal.LARGE_HEAD if self.headers else Refusal.LONG_LINE)

    def _without_upgrade(self, rest: bytes) -> None:
        """Answer a request to upgrade to another protocol in HTTP/1.1 (findings S23).

        The parser drops the body of such a request: a fresh parser reads it without the upgrade.
        """
        method: bytes = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(Refusal.MALFORMED)
            return
        kept = [(n, v) for n, v in self.headers if n not in _NO_UPGRADE]
        wishes = b",".join(v for n, v in self.headers if n == b"connection").lower()
        if b"close" in (wish.strip() for wish in wishes.split(b",")):
            kept.append((b"connection", b"close"))
        version = self.parser.get_http_version().encode()
        line = b"%s %s HTTP/%s\r\n" % (method, self.url, version)
        fields = b"".join(b"%s: %s\r\n" % field for field in kept)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._head = 0
        self._feed(line + fields + b"\r\n" + rest)

    # ------------------------------------------------------------------------ parser's callbacks

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._phase = _HEAD
        self._until = self.loop.time() + self._limits.head_s

    def on_headers_complete(self) -> None:
        """Refuse what the limits do not allow; otherwise let uvicorn begin."""
        if self.parser.should_upgrade():
            return  # it is fed again, without the upgrade
        if len(self.headers) > self._limits.head_fields:
            raise _RefusedError(Refusal.LARGE_HEAD)
        if len(self.pipeline) >= PIPELINED_MAX:
            raise _RefusedError(Refusal.CROWDED)
        has_body = self._framed()
        if has_body and self.parser.get_method() in (b"GET", b"HEAD"):
            raise _RefusedError(Refusal.BODY_WITH_READ)
        self._head = 0
        self._held.stop_waiting(self)
        super().on_headers_complete()
        cycle: Any = self.cycle
        if not self.pipeline:
            self._running = cycle
        cycle.transport = self._ending
        # kept open only if all of the request has come by the time it is answered
        self._keep, cycle.keep_alive = cycle.keep_alive, False
        self._phase = _BODY
        self._body, self._body_began = 0, self.loop.time()
        self._until = self._body_began + self._limits.body_gap_s

    def _framed(self) -> bool:
        """Whether a body follows the head. Raises _RefusedError of one that is encoded."""
        has_body = False
        for name, value in self.headers:
            if name not in _FRAMING:
                continue
            if name == b"content-length":
                has_body = has_body or value.strip(b"0") != b""
            elif name == b"transfer-encoding":
                if value.lower() != b"chunked":
                    raise _RefusedError(Refusal.ENCODED)
                has_body = True
            elif value.lower() != b"identity":
                raise _RefusedError(Refusal.ENCODED)
        return has_body

    def on_body(self, body: bytes) -> None:
        """A piece of the body extends the deadline in proportion to its size."""
        self._body += len(body)
        now, limits = self.loop.time(), self._limits
        slowest = self._body_began + limits.body_gap_s + self._body / limits.body_bytes_per_s
        self._until = min(now + limits.body_gap_s, slowest)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come whole."""
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        cycle: Any = self.cycle
        if not cycle.response_started:
            cycle.keep_alive = self._keep
        self._phase = _READ
        self._until = math.inf

    def on_response_complete(self) -> None:
        """An answer is sent: serve the next request of the pipeline, or wait for one.

        As uvicorn's, without a timer for each answer: look() closes idle connections.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing() or self._phase == _DRAIN:
            return
        self.proven = True
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._running = cycle
            self._start_asgi_task(cycle, app)
            return
        if self._phase == _READ:
            self._phase = _IDLE
            self._until = self.loop.time() + self._limits.idle_s
        self._held.wait(self)


def server(
    asgi: Any, host: str, port: int, held: Connections, drain_s: float, tls: Sequence[str] = ()
) -> uvicorn.Server:
    """A server that keeps its callers within the limits of `held`; port 0: a free one.

    tls: files of a certificate and its key, or none. Raises SettingsError for half of it.
    """
    if len(tls) not in (0, 2):
        raise SettingsError("PEYVAND_HTTP_TLS: the files of a certificate and of its key")
    config = uvicorn.Config(
        asgi, host=host, port=port, loop="none", ws="none", lifespan="off",
        http=cast(Any, functools.partial(Guarded, held=held)),
        access_log=False, log_config=None, timeout_graceful_shutdown=int(drain_s),
        server_header=False, proxy_headers=False,
        **dict(zip(("ssl_certfile", "ssl_keyfile"), tls, strict=False)),
    )  # fmt: skip
    return uvicorn.Server(config)

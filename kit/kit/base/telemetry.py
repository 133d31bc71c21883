"""The closed list of metrics, and spans made by hand; nothing here raises."""

import re
import secrets
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import Enum
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from kit.base import logs

REGISTRY: Final = CollectorRegistry()
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

disable_created_metrics()  # a series a child more that nobody reads, and not of the list


class Metric(Enum):
    """Every metric of the platform: name, kind, labels, help."""

    HTTP_SECONDS = ("http_seconds", SECONDS, ("route", "status"), "Time of a request")
    BATCH_SECONDS = ("batch_seconds", SECONDS, ("consumer",), "Time of one poll's transaction")
    BATCH_EVENTS = ("batch_events", ROWS, ("consumer",), "Records of one poll")
    PUBLISH_SECONDS = ("publish_seconds", SECONDS, ("consumer",), "Time until acknowledged")
    REPEATS_DROPPED = ("repeats_dropped", Counter, ("consumer",), "Records dropped by number")
    EXPIRED_DROPPED = ("expired_dropped", Counter, ("consumer",), "Queries nobody waits for")
    STREAM_GAPS = ("stream_gaps", Counter, ("consumer",), "ALARM: numbers missing in a stream")
    STALE_GENERATIONS = ("stale_generations", Counter, ("consumer",), "ALARM: old generation")
    OFFSET_CAS_FAILURES = ("offset_cas_failures", Counter, ("consumer",), "Fenced transactions")
    ASSIGNMENTS = ("assignments", Counter, ("consumer",), "Rebalances")
    RETRIES = ("retries", Counter, ("consumer",), "Attempts that failed transiently")
    DEAD_LETTERS = ("dead_letters", Counter, ("consumer", "code"), "ALARM: records set aside")
    LAG = ("lag", Gauge, ("consumer",), "Records behind")
    POLL_AGE_SECONDS = ("poll_age_seconds", Gauge, ("consumer",), "Since a poll was finished")
    OUTBOX_UNSENT = ("outbox_unsent", Gauge, ("consumer",), "Committed batches unacknowledged")
    OUTBOX_AGE_SECONDS = ("outbox_age_seconds", Gauge, ("consumer",), "Age of the oldest of them")
    SENDS_UNKNOWN = ("sends_unknown", Counter, (), "Sends past their deadline")
    PRODUCER_REBUILDS = ("producer_rebuilds", Counter, (), "Producers rebuilt")
    LOOP_LAG_SECONDS = ("loop_lag_seconds", Gauge, (), "How late the event loop is")
    CONNECTIONS = ("connections", Gauge, ("door",), "Connections held")
    LOG_LINES_FOLDED = ("log_lines_folded", Counter, (), "Repeated log lines counted, not written")
    RSS_BYTES = ("rss_bytes", Gauge, (), "Resident memory")
    ELECTED = ("elected", Gauge, (), "1 where this process relays and runs elected jobs")
    JOB_SECONDS = ("job_seconds", SECONDS, ("job",), "Time of one run of a job")
    JOB_FAILURES = ("job_failures", Counter, ("job",), "Runs of a job that failed")
    TABLE_AGE_SECONDS = ("table_age_seconds", Gauge, ("table",), "Age of a local table's heartbeat")
    CLOCK_OFFSET_SECONDS = ("clock_offset_seconds", Gauge, (), "Own clock against the broker's")
    REPLIES_PENDING = ("replies_pending", Gauge, (), "Callers waiting for the road")
    REPLIES_LATE = ("replies_late", Counter, (), "Replies nobody waited for any more")
    OUTCOMES = ("outcomes", Counter, ("kind", "outcome"), "What a stage made of its records")
    LOOKUP_MISSES = ("lookup_misses", Counter, ("table",), "Local table misses asked of the owner")
    REFUSED = ("refused", Counter, ("room", "what"), "Callers without the key or the role")
    LIMITED = ("limited", Counter, ("limit",), "Requests refused by a limit of rate")
    ALARMS = ("alarms", Counter, ("alarm",), "ALARM: what a person must look at")
    PROVIDER_SECONDS = ("provider_seconds", SECONDS, ("provider",), "Time of an outside call")
    MESSAGES_SENT = (
        "messages_sent",
        Counter,
        ("lane", "outcome"),
        "Messages to people",
    )


_families: Final[dict[Metric, Any]] = {}
_children: Final[dict[tuple[Any, ...], Any]] = {}


def _child(metric: Metric, labels: tuple[str, ...]) -> Any:
    key = (metric, *labels)
    child = _children.get(key)
    if child is None:
        child = _children[key] = _metric_child(metric, labels)
    return child


def _metric_child(metric: Metric, labels: tuple[str, ...]) -> Any:
    family = _families.get(metric)
    if family is None:
        name, kind, names, text = metric.value
        name = f"peyvand_{name}"
        if isinstance(kind, tuple):
            family = Histogram(name, text, names, buckets=kind, registry=REGISTRY)
        else:
            family = kind(name, text, names, registry=REGISTRY)
        _families[metric] = family
    return family.labels(*labels) if labels else family


# Observing must never break what is observed: a wrong label or a lack of memory must not cost a
# sale, and once the gauge of a full process ended that process (findings S3).


def count(metric: Metric, *labels: str, by: float = 1) -> None:
    """Raise a counter; never raises."""
    try:
        _child(metric, labels).inc(by)
    except Exception:  # noqa: BLE001 - see above
        return


def gauge(metric: Metric, value: float, *labels: str) -> None:
    """Set a gauge; never raises."""
    try:
        _child(metric, labels).set(value)
    except Exception:  # noqa: BLE001 - see above
        return


def observe(metric: Metric, value: float, *labels: str) -> None:
    """Add to a histogram; never raises."""
    try:
        _child(metric, labels).observe(value)
    except Exception:  # noqa: BLE001 - see above
        return


# ------------------------------------------------------------------------------------------ spans

_UNSAMPLED: Final = "00"
_TRACEPARENT: Final = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACEPARENT_LENGTH: Final = 55
_state: Final[dict[str, Any]] = {"tracer": None, "ratio": 0.0}


def configure(room: str, *, level: str, endpoint: str = "", ratio: float = 0.0) -> None:
    """Set up logs, and the exporter of spans when there is an address."""
    logs.configure(room, level, lambda: count(Metric.LOG_LINES_FOLDED))
    if endpoint:
        provider = TracerProvider(resource=Resource({"service.name": room}))
        exporter = OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        _state.update(tracer=provider.get_tracer("kit"), ratio=ratio, provider=provider)


def shutdown() -> None:
    """Send what spans are left."""
    if _state["tracer"] is not None:
        _state["provider"].shutdown()


class Span:
    """traceparent: what to send onward. set() does nothing where the trace is not sampled."""

    __slots__ = ("_inner", "traceparent")

    def __init__(self, traceparent: str, inner: Any) -> None:
        self.traceparent = traceparent
        self._inner = inner

    def set(self, key: str, value: str | int | bool) -> None:
        """Add an attribute."""
        if self._inner is not None:
            with suppress(Exception):
                self._inner.set_attribute(key, value)


def inject(span: Span) -> tuple[str, bytes]:
    """The Kafka header that carries a span onward."""
    return ("traceparent", span.traceparent.encode())


def read_traceparent(text: str | bytes | None) -> str | None:
    """A traceparent in its one strict form (W3C Trace Context, version 00); None for all else."""
    if text is None or len(text) != _TRACEPARENT_LENGTH:
        return None
    plain = text if isinstance(text, str) else text.decode("latin-1")
    return plain if _TRACEPARENT.fullmatch(plain) is not None else None


def start_root(name: str, caller: str | None) -> AbstractContextManager[Span]:
    """The root of a new trace, sampled by ratio. caller: a stranger's traceparent, or None.

    A stranger chooses neither our trace ids nor what is sampled. The id of his trace, if valid,
    is kept as the attribute `caller` (findings S5).
    """
    sampled = _state["tracer"] is not None and secrets.randbelow(10_000) < _state["ratio"] * 10_000
    drawn = secrets.token_hex(24)  # both ids at once: asking the system costs more than the bytes
    root = f"00-{drawn[:32]}-{drawn[32:]}-{'01' if sampled else _UNSAMPLED}"
    return _Spanned(name, root, (), read_traceparent(caller) if sampled else None)


@contextmanager
def batch_span(name: str, links: Iterable[bytes | None]) -> Generator[Span | None]:
    """One span for a batch, within the first sampled message's trace and linked to the others."""
    if _state["tracer"] is None:
        yield None
        return
    known = (read_traceparent(link) for link in links if link is not None)
    sampled = [link for link in known if link is not None and link.endswith("-01")]
    if not sampled:
        yield None
        return
    with _Spanned(name, sampled[0], sampled[1:]) as span:
        yield span


class _Spanned:
    """An open span, its trace id in every log line; a class for speed, as every sale enters one."""

    __slots__ = ("_caller", "_inner", "_links", "_name", "_parent", "_token")

    def __init__(
        self, name: str, parent: str, links: Sequence[str] = (), caller: str | None = None
    ) -> None:
        self._name, self._parent, self._links, self._caller = name, parent, links, caller
        self._inner: Any = None
        self._token: Any = None

    def __enter__(self) -> Span:
        parent = self._parent
        self._token = logs.trace_id.set(parent[3:35])
        if _state["tracer"] is not None and parent.endswith("01"):
            self._inner = _begun(self._name, parent, self._links)
        if self._inner is None:
            return Span(parent, None)
        own = self._inner.get_span_context().span_id
        span = Span(f"00-{parent[3:35]}-{own:016x}-01", self._inner)
        if self._caller is not None:
            span.set("caller", self._caller[3:35])
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: object
    ) -> None:
        logs.trace_id.reset(self._token)
        if self._inner is None:
            return
        with suppress(Exception):
            if error is not None:
                self._inner.record_exception(error)
                self._inner.set_status(trace.StatusCode.ERROR)
        with suppress(Exception):
            self._inner.end()


def _begun(name: str, parent: str, links: Sequence[str]) -> Any:
    """A started span; None where the tracer fails."""
    with suppress(Exception):
        above = trace.set_span_in_context(trace.NonRecordingSpan(_context(parent)))
        others = [trace.Link(_context(link)) for link in links]
        return _state["tracer"].start_span(name, context=above, links=others)
    return None


def _context(traceparent: str) -> trace.SpanContext:
    return trace.SpanContext(
        trace_id=int(traceparent[3:35], 16),
        span_id=int(traceparent[36:52], 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )

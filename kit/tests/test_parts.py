"""Pure parts: ids, clocks, errors, telemetry, numbering, what a message carries."""

import json
import logging
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts import topics
from contracts.envelope import Envelope
from contracts.platform import ClockAdvanced
from kit.base import clock, errors, ids, logs, telemetry
from kit.base.telemetry import Metric
from kit.stream import consumer, kafka, outbox, sandbox_clock
from kit.stream.outbox import Message, StreamSequences

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def said(now: datetime = NOW) -> Envelope[ClockAdvanced]:
    return Envelope(
        id="1",
        type="clock-advanced.v1",
        key="platform",
        occurred_at=NOW,
        accepted_at=NOW,
        data=ClockAdvanced(now=now),
    )


def test_ids_are_ordered_by_time_and_of_version_seven() -> None:
    made = [ids.uuid7(NOW + timedelta(milliseconds=n)) for n in range(50)]
    assert made == sorted(made)
    assert {one[14] for one in made} == {"7"}
    assert {one[19] for one in made} <= set("89ab")
    assert len({ids.secret("p_") for _ in range(10)}) == 10


def test_a_sandbox_clock_never_falls() -> None:
    sandbox = sandbox_clock.SandboxClock()
    assert not sandbox.ready
    with pytest.raises(errors.Unavailable):
        sandbox.now()
    sandbox.advance(NOW)
    sandbox.advance(NOW - timedelta(days=1))
    assert (sandbox.ready, sandbox.now()) == (True, NOW)
    assert clock.SystemClock().now().tzinfo is UTC


def test_errors_carry_code_and_words() -> None:
    plain = errors.NotFound()
    assert (plain.status, plain.code, plain.detail) == (404, "not-found", "Not found")
    own = errors.Invalid("bad", code="bad-card", fa="کارت بد", field="card")
    assert (own.code, own.fa, own.extra) == ("bad-card", "کارت بد", {"field": "card"})
    assert isinstance(errors.SendUnknown(), errors.Unavailable)


def test_partitions_are_those_of_the_java_client() -> None:
    """Known murmur2 values of Kafka's own test (UtilsTest.testMurmur2)."""
    known = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}
    for key, value in known.items():
        assert kafka.partition_of(key, 2**31) == value & 0x7FFFFFFF


def test_a_message_knows_its_topic() -> None:
    made = outbox.message(topics.PLATFORM_CLOCK, said())
    assert (made.topic, made.partition, made.key, made.numbered) == (
        "platform.clock",
        0,
        b"platform",
        False,
    )
    assert outbox.message(topics.LEDGER_COMMANDS, said(), partition=3).numbered
    assert outbox.message(topics.LEDGER_COMMANDS, said()).partition is None


def test_numbers_run_per_stream_and_move_only_when_settled() -> None:
    numbers = StreamSequences("ledger", "road", 2, {("road:in:1", "out", 1): 41})
    batch = [Message("out", p, b"k", b"v", (("h", b"1"),), True) for p in (1, 2, 1)]
    batch.append(Message("replies", 0, b"k", b"v"))
    sources = [("in", 0), ("in", 1)]
    first = numbers.plan(batch, sources)
    assert numbers.plan(batch, sources) == first
    assert [
        (b.source, b.topic, b.partition, b.stream, b.first_n, len(b.messages)) for b in first
    ] == [
        (("in", 1), "out", 1, "ledger/road:in:1/2/1", 42, 2),
        (("in", 0), "out", 2, "ledger/road:in:0/2/2", 1, 1),
        (("in", 0), "replies", 0, None, 0, 1),
    ]
    going = list(first[0].numbered())
    assert [dict(m.headers) for m in going] == [
        {"h": b"1", "stream": b"ledger/road:in:1/2/1", "n": b"%d" % n} for n in (42, 43)
    ]
    numbers.settle(first)
    assert [b.first_n for b in numbers.plan(batch, sources)] == [44, 2, 0]


def test_a_numbered_message_needs_a_partition() -> None:
    with pytest.raises(errors.Alarm):
        StreamSequences("l", "r", 1, {}).plan(
            [Message("out", None, b"k", b"v", (), True)], [("in", 0)]
        )


def test_replies_go_where_the_headers_say() -> None:
    topic = topics.GATEWAY_REPLIES.name
    address = (
        ("reply-topic", topic.encode()),
        ("reply-partition", b"3"),
        ("correlation-id", b"c"),
    )
    event = consumer.event(topics.PLATFORM_CLOCK, said(), headers=(*address, ("traceparent", b"t")))
    reply = outbox.reply_message(event, b"answer")
    assert reply == Message(
        topic, 3, b"c", b"answer", (("correlation-id", b"c"), ("traceparent", b"t"))
    )
    assert event.onward == (*address, ("traceparent", b"t"))
    assert outbox.reply_message(consumer.event(topics.PLATFORM_CLOCK, said()), b"") is None


@pytest.mark.parametrize(
    ("topic", "partition"),
    [(b"gateway.replies", b"\xff"), (b"gateway.replies", b"-1"), (b"gateway.replies", b"1" * 30),
     (b"platform.clock", b"0"), (b"\xff", b"0")],
)  # fmt: skip
def test_an_answer_to_nowhere_is_left_out(topic: bytes, partition: bytes) -> None:
    headers = (("reply-topic", topic), ("reply-partition", partition), ("correlation-id", b"c"))
    event = consumer.event(topics.PLATFORM_CLOCK, said(), headers=headers)
    assert outbox.reply_message(event, b"answer") is None


@pytest.mark.parametrize(
    ("deadline", "expired"), [(b"1", True), (b"99999999999999", False), (b"x", False), (b"", False)]
)
def test_only_a_past_deadline_expires(deadline: bytes, expired: bool) -> None:
    event = consumer.event(topics.PLATFORM_CLOCK, said(), headers=(("deadline", deadline),))
    assert event.expired is expired
    assert event.data.now == NOW


def test_logs_are_json_with_the_trace() -> None:
    form = logs.JsonFormatter("ledger")
    record = logging.makeLogRecord({"name": "x", "msg": "a %s", "args": ("b",), "shard": 7})
    with telemetry.start_root("s", None) as span:
        line = json.loads(form.format(record))
    assert (line["room"], line["message"], line["shard"]) == ("ledger", "a b", 7)
    assert line["trace_id"] == span.traceparent[3:35]
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        record.exc_info = sys.exc_info()
    shown = json.loads(form.format(record))
    assert "ZeroDivisionError" in shown["error"]
    assert "trace_id" not in shown


def test_metrics_have_one_list_of_names() -> None:
    telemetry.count(Metric.RETRIES, "parts")
    telemetry.count(Metric.RETRIES, "parts", by=2)
    telemetry.gauge(Metric.LAG, 5, "parts")
    telemetry.observe(Metric.BATCH_SECONDS, 0.2, "parts")
    read: Any = telemetry.REGISTRY.get_sample_value
    assert read("peyvand_retries_total", {"consumer": "parts"}) == 3
    assert read("peyvand_lag", {"consumer": "parts"}) == 5
    assert read("peyvand_batch_seconds_count", {"consumer": "parts"}) == 1
    names = [metric.value[0] for metric in Metric]
    assert len(set(names)) == len(names)


@pytest.fixture
def spans() -> Any:
    """An exporter in memory in place of the address."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    before = dict(telemetry._state)
    telemetry._state.update(tracer=provider.get_tracer("t"), ratio=1.0, provider=provider)
    yield kept
    telemetry._state.clear()
    telemetry._state.update(before)


def test_one_trace_from_the_request_through_a_batch(spans: InMemorySpanExporter) -> None:
    with telemetry.start_root("http", None) as root:
        root.set("a", 1)
        header = telemetry.inject(root)[1]
    other = b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01"
    with telemetry.batch_span(
        "fraud", [None, b"00-" + b"3" * 32 + b"-" + b"4" * 16 + b"-00"]
    ) as no:
        assert no is None
    with telemetry.batch_span("fraud", [header, other]) as batch:
        assert batch is not None
    http, fraud = spans.get_finished_spans()
    assert http.context is not None
    assert fraud.context is not None
    assert http.context.trace_id == fraud.context.trace_id
    assert fraud.parent is not None
    assert fraud.parent.span_id == http.context.span_id
    assert [f"{link.context.trace_id:032x}" for link in fraud.links] == ["1" * 32]


def test_an_unsampled_trace_is_only_passed_on(spans: InMemorySpanExporter) -> None:
    telemetry._state.update(ratio=0.0)
    with telemetry.start_root("http", "00-" + "3" * 32 + "-" + "4" * 16 + "-01") as span:
        span.set("a", 1)
    assert span.traceparent.endswith("-00")
    assert "3" * 32 not in span.traceparent
    with telemetry.batch_span("fraud", [telemetry.inject(span)[1]]) as batch:
        assert batch is None
    assert spans.get_finished_spans() == ()

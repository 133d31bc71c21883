"""Logs: bounded lines, repeats counted, and nothing that a record holds can raise."""

import json
import logging
import sys
from typing import Any

import pytest

from kit.base import logs, telemetry


def record(text: Any = "a broker is away", *args: Any, **more: Any) -> logging.LogRecord:
    given = {"name": "aiokafka", "msg": text, "args": args, "levelno": 40, "levelname": "ERROR"}
    return logging.makeLogRecord(given | more)


def raised(depth: int) -> logging.LogRecord:
    def fall(left: int) -> None:
        if left:
            fall(left - 1)
        raise ZeroDivisionError("x" * 5_000)

    try:
        fall(depth)
    except ZeroDivisionError:
        return record("unforeseen error", exc_info=sys.exc_info())
    raise AssertionError


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_half_a_minute_without_kafka_is_some_tens_of_lines() -> None:
    """43,000 lines it was (findings N17): whatever the place, numbers in the text or not."""
    time = Time()
    folded = 0

    def fold() -> None:
        nonlocal folded
        folded += 1

    folding = logs.Folding(time, fold)
    written = 0
    for tick in range(43_000):
        time.now = tick * 30 / 43_000
        place = tick % 8
        written += folding.filter(record(f"node {tick} of place {'abcdefgh'[place]}: %s", tick))
    assert written == 8 * logs.FIRST
    assert written + folded == 43_000
    time.now = 61.0
    said = folding.settle()
    assert sum(line.__dict__["repeated"] for line in said) == folded
    assert folding.settle() == []


def test_an_error_is_traced_once_a_minute_and_place() -> None:
    time = Time()
    folding = logs.Folding(time)
    assert [folding.filter(raised(3)) for _ in range(5)] == [True, False, False, False, False]
    time.now = 61.0
    again = raised(3)
    assert folding.filter(again)
    assert json.loads(logs.JsonFormatter("r").format(again))["repeated"] == 4


def test_many_places_together_are_bounded_too() -> None:
    time = Time()
    folding = logs.Folding(time)
    written = 0
    for tick in range(50_000):
        time.now = tick / 5_000  # ten seconds
        text = "".join(chr(97 + (tick >> shift) % 16) for shift in (0, 4, 8, 12))
        written += folding.filter(record(text))
    assert written <= logs.BURST + 10 * logs.LINES_PER_S + 1
    assert len(folding._places) <= logs.PLACES_MAX


def test_each_declined_transaction_is_in_one_line_and_a_flood_of_them_writes_few(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = logs._Handler("ledger", logs.Folding(Time()))
    logger = logging.getLogger("kit.base.logs")
    logs.settle()  # what tests before left
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        for n in range(10_000):
            logs.declined(f"{n % 12}.t.3003.1.{n}", "points-too-few")
        logs.settle()
        logs.settle()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [one for line in lines for one in line["declined"]]
    assert told == [f"{n % 12}.t.3003.1.{n} points-too-few" for n in range(10_000)]
    assert len(lines) == 10_000 / logs.DECLINED_A_LINE


def test_a_line_is_bounded_however_deep_the_error() -> None:
    line = logs.JsonFormatter("gateway").format(raised(400))
    assert len(line) < 3 * logs.TRACE_CHARS_MAX
    assert "ZeroDivisionError" in json.loads(line)["error"]
    long = logs.JsonFormatter("gateway").format(record("x" * 10**6, extra="y" * 10**6))
    assert len(long) < 4 * logs.TEXT_CHARS_MAX


class Unsayable:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "given",
    [record("lone \udc80"), record("%d", "no number"), record("%s", Unsayable()),
     record(Unsayable()), record("a", odd=Unsayable()), record("a", odd="\ud800")],
)  # fmt: skip
def test_no_record_raises(given: logging.LogRecord) -> None:
    """Nor is it lost: that it cannot be rendered is told in its place."""
    assert logs.Folding().filter(given)
    assert json.loads(logs.JsonFormatter("r").format(given))["level"] == "ERROR"


GOOD = "00-" + "0af7651916cd43dd8448eb211c80319c" + "-" + "b7ad6b7169203331" + "-01"


@pytest.mark.parametrize(
    "text",
    ["", "x" * 55, "x" * 52 + "-01", GOOD.upper(), GOOD.replace("00-", "01-", 1),
     "00-" + "0" * 32 + GOOD[35:], GOOD[:36] + "0" * 16 + "-01", GOOD[:-2] + "0g", GOOD + "-",
     GOOD.replace("a", "\u0661"), GOOD.replace("-", "_"), GOOD[:-1] + "\n",
     GOOD.replace("0af", "ff ")],
)  # fmt: skip
def test_what_is_no_traceparent_is_ignored(text: str) -> None:
    assert telemetry.read_traceparent(text) is None
    assert telemetry.read_traceparent(text.encode()) is None
    with telemetry.start_root("x", text) as span:
        assert telemetry.read_traceparent(span.traceparent) == span.traceparent
        assert span.traceparent[3:35] not in text
    with telemetry.batch_span("x", [text.encode(), None]) as none:
        assert none is None


def test_a_traceparent_is_read_as_it_is() -> None:
    assert telemetry.read_traceparent(GOOD.encode()) == GOOD

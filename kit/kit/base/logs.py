"""Logs: one JSON object a line, a repeated line counted instead of written, and never an error."""

import logging
import re
import sys
import time
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

WINDOW_S: Final = 60.0
FIRST: Final = 3  # lines of one place in a window that are written; an error's trace once
PLACES_MAX: Final = 1_000
BURST: Final = 200.0  # lines of all places together, and then so many a second
LINES_PER_S: Final = 20.0
TEXT_CHARS_MAX: Final = 2_000
TRACE_CHARS_MAX: Final = 6_000
TRACE_FRAMES: Final = 20  # the innermost
DECLINED_A_LINE: Final = 50

trace_id: Final[ContextVar[str]] = ContextVar("trace_id", default="")
_KNOWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_NUMBERS: Final = re.compile(r"\d+")
_QUIET: Final = ("aiokafka", "uvicorn.access", "asyncio")


class JsonFormatter(logging.Formatter):
    """One JSON object a line, bounded, with the trace id and whatever `extra` brought."""

    def __init__(self, room: str) -> None:
        super().__init__()
        self._room = room

    def format(self, record: logging.LogRecord) -> str:
        """Render one record; one that cannot be rendered says so in its place."""
        try:
            return self._format(record)
        except Exception as error:  # noqa: BLE001 - who observes must not break what is observed
            return (
                f'{{"level":"ERROR","logger":"kit.base.logs","message":"a {type(error).__name__}"}}'
            )

    def _format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "room": self._room,
            "logger": record.name,
            "message": _cut(record.getMessage(), TEXT_CHARS_MAX),
        }
        if trace_id.get():
            line["trace_id"] = trace_id.get()
        line |= {k: _bounded(v) for k, v in record.__dict__.items() if k not in _KNOWN}
        if record.exc_info:
            frames = traceback.format_exception(*record.exc_info, limit=-TRACE_FRAMES)
            line["error"] = _cut("".join(frames), TRACE_CHARS_MAX)
        return msgspec.json.encode(line, enc_hook=str).decode()


def _bounded(value: Any) -> Any:
    return _cut(value, TEXT_CHARS_MAX) if isinstance(value, str) else value


def _cut(text: str, most: int) -> str:
    """Text that can be written, its middle left out where it is long."""
    if len(text) > most:
        text = f"{text[: most // 2]} [{len(text) - most} characters left out] {text[-most // 2 :]}"
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(slots=True)
class _Place:
    """Lines of one place in the window that began at a time; first: the one that was written."""

    began_s: float
    first: dict[str, Any]
    seen: int = 0
    folded: int = 0


@dataclass(slots=True)
class Folding:
    """Writes the lines of one place a few times a minute and counts the rest (findings N17).

    A place is a logger, its text before anything is filled in, and for an error its type and the
    line that raised it.
    """

    now: Callable[[], float] = time.monotonic
    on_folded: Callable[[], None] = lambda: None
    _places: dict[Any, _Place] = field(default_factory=dict[Any, _Place])
    _tokens: float = BURST
    _at: float = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; the count of folded lines is added. Never raises."""
        try:
            return self._filter(record)
        except Exception:  # noqa: BLE001 - the formatter reports what cannot be rendered
            return self._spend(self.now())

    def _filter(self, record: logging.LogRecord) -> bool:
        if "declined" in record.__dict__:
            return True  # a list of names, each of which is written once: few lines already
        now = self.now()
        key = _key(record)
        place = self._places.get(key)
        if place is None or now - place.began_s >= WINDOW_S:
            repeated = 0 if place is None else place.folded
            if place is None and len(self._places) >= PLACES_MAX:
                self._places.clear()
            place = self._places[key] = _Place(now, _bare(record))
            if repeated:
                record.__dict__["repeated"] = repeated
        place.seen += 1
        if place.seen <= (1 if record.exc_info else FIRST) and self._spend(now):
            return True
        place.folded += 1
        self.on_folded()
        return False

    def settle(self) -> list[logging.LogRecord]:
        """A record with the count for each place whose window is over and had folded lines."""
        now, summaries = self.now(), list[logging.LogRecord]()
        for key, place in list(self._places.items()):
            if now - place.began_s < WINDOW_S:
                continue
            del self._places[key]
            if place.folded:
                summaries.append(_summary(place))
        return summaries

    def _spend(self, now: float) -> bool:
        self._tokens = min(BURST, self._tokens + (now - self._at) * LINES_PER_S)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _key(record: logging.LogRecord) -> tuple[Any, ...]:
    exc_info = record.exc_info
    if not exc_info or exc_info[0] is None:
        text = _NUMBERS.sub("#", str(record.msg)[:TEXT_CHARS_MAX])
        return (record.name, record.levelno, text)
    step = exc_info[2]
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    where = None if step is None else (step.tb_frame.f_code.co_filename, step.tb_lineno)
    return (record.name, exc_info[0], where)


def _bare(record: logging.LogRecord) -> dict[str, Any]:
    """What is kept of a line for its summary: no frames, no arguments."""
    kept = ("name", "levelno", "levelname")
    return {k: record.__dict__[k] for k in kept} | {"msg": record.getMessage(), "args": None}


def _summary(place: _Place) -> logging.LogRecord:
    return logging.makeLogRecord(place.first | {"repeated": place.folded})


class _Handler(logging.StreamHandler[Any]):
    """Standard output, folded."""

    def __init__(self, room: str, folding: Folding) -> None:
        super().__init__(sys.stdout)
        self.folding = folding
        self.setFormatter(JsonFormatter(room))
        self.addFilter(folding.filter)


def configure(room: str, level: str, on_folded: Callable[[], None]) -> None:
    """Write all logs as JSON lines to standard output, repeats folded."""
    logging.raiseExceptions = False
    handler = _Handler(room, Folding(on_folded=on_folded))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)


_declined: Final[list[str]] = []


def declined(public_id: str, code: str) -> None:
    """Note a declined transaction. One log line lists many, so that each can be found.

    public_id: shard and name. code: of the reason; nothing else of a transaction is written.
    """
    _declined.append(f"{public_id} {code}")


def settle() -> None:
    """Write what was folded in windows that are over, and what was declined since."""
    while _declined:
        these, _declined[:DECLINED_A_LINE] = _declined[:DECLINED_A_LINE], []
        logging.getLogger(__name__).info("declined", extra={"declined": these})
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _Handler):
            for record in handler.folding.settle():
                handler.emit(record)

"""Settlement windows: their states, their times, and the markers that end them."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from contracts import envelope, values
from contracts import value as commands
from contracts.values import NameKind
from kit.base import errors

COMMAND: Final = "close-window.v1"
SCHEDULE: Final = "schedule"  # who cut a window that nobody cut by hand


class WindowState(StrEnum):
    """OPEN: counted into. CLOSING: its markers were sent. CLOSED: every shard has passed them."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class NotNext(errors.Conflict):
    """A window that is not the open one."""

    code = "not-the-next-window"
    fa = "نوبت این دوره نرسیده است؛ دوره‌ها به ترتیب و یکی پس از دیگری بسته می‌شوند."


class StillClosing(errors.Conflict):
    """The window before has not been closed on every shard."""

    code = "earlier-window-open"
    fa = "دورهٔ پیش هنوز بسته نشده است؛ چند لحظه بعد دوباره بفرستید."


class NotClosed(errors.Conflict):
    """A window that still counts has no positions and no statements."""

    code = "window-not-closed"
    fa = "این دوره هنوز بسته نشده است؛ پس از بستن آن بپرسید."


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A settlement window. opened_at: when the one before was cut; the rest is set as it closes.

    shards: how many have to answer. closed_at: decision time of the last marker.
    """

    window: int
    state: WindowState
    opened_at: datetime
    cut_at: datetime | None = None
    cut_by: str | None = None
    shards: int | None = None
    closed_at: datetime | None = None


def next_cut(opened_at: datetime, cut_minute: int) -> datetime:
    """The first time after opened_at at which Tehran's clock shows that minute of the day."""
    at = time(cut_minute // 60, cut_minute % 60)
    day = values.tehran_day(opened_at)
    cut = datetime.combine(day, at, values.TEHRAN)
    return cut if cut > opened_at else datetime.combine(day + timedelta(days=1), at, values.TEHRAN)


def command_name(window: int) -> str:
    """Name of a window's marker, the same on every shard."""
    return values.name(NameKind.WINDOW, window)


def window_of(name: str) -> int:
    """The window that a marker's name ends. Raises ValueError where it is no marker's."""
    kind, parts = values.name_parts(name)
    window = int(parts[0]) if parts[0].isascii() and parts[0].isdecimal() else 0
    if kind is not NameKind.WINDOW or window < 1:
        raise ValueError("not the name of a window's marker")
    return window


def command(window: int, shard: int, at: datetime) -> envelope.Envelope[commands.CloseWindow]:
    """The marker of a window for one shard."""
    name = command_name(window)
    return envelope.Envelope(
        id=envelope.derive_id(name, f"{COMMAND} {shard}"),
        type=COMMAND,
        key=name,
        occurred_at=at,
        accepted_at=at,
        data=commands.CloseWindow(name=name, window=window),
    )

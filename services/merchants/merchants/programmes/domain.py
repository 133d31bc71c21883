"""Rules of effective-dated versions: contiguous, never by surprise unless backdated on purpose."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.merchants import Programme, Terms
from kit import errors


class NotNext(errors.Conflict):
    """Versions are numbered without gaps."""

    code = "version-not-next"
    fa = "شمارهٔ نسخه باید یکی بیشتر از نسخهٔ پیشین باشد."


class TooSoon(errors.Invalid):
    """A version would take effect before the house has heard of it, or before the last one."""

    code = "effective-too-soon"
    fa = "زمان اجرای نسخه باید پس از نسخهٔ پیشین و دست‌کم ۶۰ ثانیه پس از اکنون باشد."


@dataclass(frozen=True, slots=True)
class LastVersion:
    """Number and start of the newest version there is."""

    version: int
    effective_from: datetime


def check_version(
    fresh: Programme | Terms,
    last: LastVersion | None,
    *,
    now: datetime,
    propagation_s: int,
    backdated: bool,
) -> None:
    """Whether a version may follow the last one (None: it is the first).

    Contiguous numbers from 1; in force not before the preceding version, and not before now +
    propagation_s seconds, unless it is the first or backdated (replay, demo set-up): a history
    brought in later may need a version from before all others.
    Raises NotNext, TooSoon. Source: architecture 2.8.
    """
    expected = 1 if last is None else last.version + 1
    if fresh.version != expected:
        raise NotNext(f"the next version is {expected}; send that number", expected=expected)
    if last is None or backdated:
        return
    if fresh.effective_from < last.effective_from:
        raise TooSoon(f"version {last.version} starts at {last.effective_from.isoformat()}")
    earliest = now + timedelta(seconds=propagation_s)
    if fresh.effective_from < earliest:
        raise TooSoon(f"effective_from must be at {earliest.isoformat()} or later")

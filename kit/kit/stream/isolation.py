"""What follows an error in handling a poll: a retry, halving, or one record is set aside.

Source: decision 0017.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from kit.base import errors, telemetry
from kit.base.telemetry import Metric
from kit.stream.dispatch import Way

if TYPE_CHECKING:
    from kit.base.db import Database, Tx
    from kit.stream.event import Event, Subscription

log = logging.getLogger(__name__)

FACTS_WAIT_S: Final = 2.0
FACTS_POLL_S: Final = 0.025
RETRY_BOUND_S: Final = 60.0
UNFORESEEN_MAX: Final = 3
OVERLONG_MAX: Final = 5
BESIDE_S: Final = 1.0  # a fifth of a statement's bound: what passes in it is not held up
FAULTS_IN_A_ROW_MAX: Final = 50  # records set aside with none handled between: the fault is ours
_NOT_OF_A_RECORD: Final = (
    errors.Fenced,
    errors.Alarm,
    errors.Unavailable,
    OSError,  # of a socket or a disk, time-outs too
    MemoryError,
)


def can_be_halved(error: Exception) -> bool:
    """Whether half of the poll may pass: it needs less, or the bad record is in the other half."""
    if isinstance(error, errors.TimedOut | TimeoutError | MemoryError):
        return True
    return not isinstance(error, _NOT_OF_A_RECORD)


def of_a_record(error: Exception) -> bool:
    """Whether an error that one record alone meets again and again is that record's fault.

    An error of a lost database or broker never is: a record once refused stays refused for ever.
    """
    return isinstance(error, errors.Overlong) or not isinstance(error, _NOT_OF_A_RECORD)


def describe(error: Exception) -> str:
    """Code and detail of an error, for a refusal or a dead letter."""
    if isinstance(error, errors.Problem):
        return f"{error.code}: {error}"
    return f"fault: {type(error).__name__}: {error}"


class Faults:
    """How many records in a row were set aside for what nobody foresaw."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def handled(self) -> None:
        """A record was handled."""
        self._in_a_row = 0

    def set_aside(self, error: Exception) -> None:
        """A record was set aside. Raises Alarm when all of them are: the fault is not theirs."""
        if isinstance(error, errors.Permanent):
            return
        self._in_a_row += 1
        if self._in_a_row > FAULTS_IN_A_ROW_MAX:
            raise errors.Alarm(
                f"{self._in_a_row} records in a row could not be handled; last: {error!r}"
            )


async def repeated(
    attempt: Callable[[], Awaitable[Any]],
    group: str,
    moved: Callable[[], bool] = lambda: False,
    *,
    divisible: bool = False,
    beside: Callable[[], Awaitable[bool]] | None = None,
) -> Any:
    """Repeat an attempt that fails transiently, within the bound; None once `moved` is true.

    divisible: an error that halving may cure is raised at once. beside: whether another record
    passes where one timed out. Raises Permanent, Fenced and Alarm at once, unforeseen errors after
    UNFORESEEN_MAX tries, Overlong where the record timed out as often while others passed.
    """
    started, unforeseen, overlong, slow, pause = time.monotonic(), 0, 0, 0, 0.02
    while True:
        try:
            return await attempt()
        except (errors.Permanent, errors.Fenced, errors.Alarm):
            raise
        except Exception as error:
            if divisible and can_be_halved(error):
                raise
            known = isinstance(error, errors.Unavailable | OSError)
            unforeseen += 0 if known else 1
            overlong += isinstance(error, errors.Overlong)
            if beside is not None and type(error) is errors.TimedOut:
                slow += await beside()
                if slow >= UNFORESEEN_MAX:
                    raise errors.Overlong(f"others pass, this one alone: {error}") from error
            telemetry.count(Metric.RETRIES, group)
            late = time.monotonic() - started > RETRY_BOUND_S
            if late or unforeseen >= UNFORESEEN_MAX or overlong >= OVERLONG_MAX:
                raise
            log.warning("%s tries again: %r", group, error)
        if moved():
            return None
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.5)


@dataclass(slots=True)
class Pieces:
    """Commits the events of a poll, in halves where they fail.

    attempt: one transaction of a piece; refused: the parts that do not get its one event, and why;
    way: how they refuse it. failing: the parts that the last attempt failed for. instead: whether
    others pass in the place of one.
    """

    group: str
    attempt: Callable[..., Awaitable[bool]]
    failing: Callable[["Event"], set[str]]
    instead: Callable[["Event", Sequence[Sequence["Event"]]], Awaitable[bool]]
    faults: Faults = field(default_factory=Faults)

    async def commit(self, events: Sequence["Event"], moved: Callable[[], bool]) -> bool:
        """Commit events; False when reassigned meanwhile. One that fails alone is set aside.

        Raises Fenced, Alarm, and what is no record's doing.
        """
        pieces = [list(events)]
        while pieces:
            piece = pieces.pop(0)
            alone = len(piece) == 1
            beside = partial(self.instead, piece[0], pieces) if alone else None
            how: dict[str, Any] = {"moved": moved, "beside": beside}
            try:
                attempt = partial(self.attempt, piece)
                if not await repeated(attempt, self.group, divisible=not alone, **how):
                    return False
                self.faults.handled()
            except Exception as error:
                if not alone and can_be_halved(error):
                    half = len(piece) // 2
                    pieces[:0] = [piece[:half], piece[half:]]
                elif not alone or not of_a_record(error):
                    raise
                elif not await self._give_up(piece[0], error, how):
                    return False
        return True

    async def _give_up(self, event: "Event", error: Exception, how: Mapping[str, Any]) -> bool:
        """Set a record aside for the parts that fail on it, by the fullest way that works: refused,
        refused as unreadable, a dead letter alone; the other parts handle it.

        False when reassigned meanwhile. Raises Alarm where all records fail.
        """
        if not isinstance(error, errors.Permanent):
            telemetry.count(Metric.ALARMS, "record-fault")
            place = (event.topic, event.partition, event.offset)
            log.error("a record cannot be handled: %s/%s@%s", *place, exc_info=error)
        ways, refused = list(Way), dict.fromkeys(self.failing(event), describe(error))
        while True:
            try:
                attempt = partial(self.attempt, [event], refused, ways[0])
                done = await repeated(attempt, self.group, **how)
                break
            except Exception as again:
                if not of_a_record(again):
                    raise
                more = self.failing(event) - refused.keys()
                refused |= dict.fromkeys(more, describe(again))
                if not more and len(ways) == 1:
                    raise
                ways = ways if more else ways[1:]
                log.exception("nor can it be refused")
        self.faults.set_aside(error)
        return bool(done)


class _RolledBack(Exception):
    """Rolls a transaction back that was only a trial."""


async def rehearsed(database: "Database", handle: Callable[["Tx"], Awaitable[None]]) -> bool:
    """Whether `handle` passes now, and quickly; its transaction is rolled back."""
    try:
        async with asyncio.timeout(BESIDE_S), database.transaction() as tx:
            await handle(tx)
            raise _RolledBack
    except _RolledBack:
        return True
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing is proved by it
        log.warning("another record does not pass either: %r", error)
        return False


async def await_facts(subscriptions: Iterable["Subscription"], events: Sequence["Event"]) -> None:
    """Wait a while for facts that events need and that have not arrived yet."""
    deadline = time.monotonic() + FACTS_WAIT_S
    for subscription in subscriptions:
        missing, name = subscription.dependencies_missing, subscription.topic.name
        if missing is None:
            continue
        mine: Sequence[Event] = [e for e in events if e.topic == name and e.envelope]
        while mine and time.monotonic() < deadline:
            mine = await _lacking(missing, mine)
            if mine:
                await asyncio.sleep(FACTS_POLL_S)


async def _lacking(
    missing: Callable[[Sequence["Event"]], Awaitable[bool]], events: Sequence["Event"]
) -> Sequence["Event"]:
    """The events to wait for: all of them, while any lacks a fact.

    An event whose check itself fails is not waited for: handling it will show why.
    """
    try:
        return events if await missing(events) else ()
    except Exception as error:
        if not of_a_record(error):
            if isinstance(error, errors.Unavailable | OSError):
                return events
            raise
        if len(events) == 1:
            log.warning("facts of a record cannot be asked for: %r", error)
            return ()
        half = len(events) // 2
        first = await _lacking(missing, events[:half])
        return (*first, *await _lacking(missing, events[half:]))

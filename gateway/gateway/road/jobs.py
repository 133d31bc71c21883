"""Clock door of the road: the gateway's clock is measured against the broker's."""

from functools import partial
from typing import Final

from gateway.road.usecases.clock_probe import measure_clock
from gateway.road.usecases.sending import Road
from kit.room import Job

CLOCK_EVERY_S: Final = 5.0


def jobs(road: Road) -> tuple[Job, ...]:
    """In every process: each has a clock and a reply partition of its own."""
    measure = partial(measure_clock, road.settings, road.producer, road.readiness)
    return (Job(name="measure-clock", every_s=CLOCK_EVERY_S, run=measure, elected=False),)

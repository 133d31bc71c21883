"""The road: what tills sent is allowed, held for review or declined."""

from datetime import timedelta

from fraud.screening import consumer, jobs
from fraud.screening.domain.decisions import Limits
from fraud.screening.usecases import ScreeningState
from fraud.settings import Settings
from kit.room import ROAD, Part, Resources


def part(opened: Resources) -> Part:
    """The road."""
    given: Settings = opened.settings
    return Part(
        name="screening",
        group=ROAD,
        hears=(consumer.road(ScreeningState(limits(given))),),
        jobs=jobs.jobs(opened.database, opened.clock, given),
    )


def limits(given: Settings) -> Limits:
    """The road's numbers; a sandbox's time is not the broker's, so its guard is off."""
    guard = timedelta(seconds=given.clock_ahead_max_s)
    return Limits(
        occurred_age_max=timedelta(hours=given.occurred_age_max_h),
        review=timedelta(hours=given.review_h),
        clock_ahead_max=None if given.sandbox else guard,
    )

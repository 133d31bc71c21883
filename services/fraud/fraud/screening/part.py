"""The road: transactions are allowed, put under review or declined."""

from datetime import timedelta

from fraud.screening import consumer, jobs
from fraud.screening.domain.decisions import Limits
from fraud.screening.usecases import ScreeningState
from fraud.settings import Settings
from kit.room import ROAD, Part, Resources


def part(opened: Resources) -> Part:
    """The road."""
    settings: Settings = opened.settings
    return Part(
        name="screening",
        group=ROAD,
        hears=(consumer.road(ScreeningState(limits(settings))),),
        jobs=jobs.jobs(opened.database, opened.clock, settings),
    )


def limits(settings: Settings) -> Limits:
    """Limits of the settings; a sandbox's time is not the broker's, so its clock guard is off."""
    guard = timedelta(seconds=settings.clock_ahead_max_s)
    return Limits(
        occurred_age_max=timedelta(hours=settings.occurred_age_max_h),
        review=timedelta(hours=settings.review_h),
        clock_ahead_max=None if settings.sandbox else guard,
    )

"""Posting: every command is decided, booked, sealed and answered; due ones are commanded."""

from kit.room import ROAD, Part, Resources
from ledger import settings
from ledger.posting import consumer, jobs
from ledger.settings import Settings


def part(opened: Resources) -> Part:
    """Commands, and what time does to lots, holds, clocks and ranges."""
    config: Settings = opened.settings
    ahead_max = None if config.sandbox else settings.CLOCK_AHEAD_MAX
    return Part(
        name="posting",
        group=ROAD,
        hears=consumer.subscriptions(ahead_max, config.shards),
        jobs=jobs.jobs(opened.database, opened.clock, config),
    )

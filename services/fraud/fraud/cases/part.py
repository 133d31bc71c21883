"""Earnings under review, until a reviewer decides them or their time is over."""

from fraud.cases import api, consumer, jobs
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """Cases."""
    return Part(
        name="cases",
        routes=(api.router,),
        hears=(consumer.LEDGER_ENTRIES,),
        jobs=jobs.jobs(opened.database, opened.clock),
    )

"""One name in two shards: alerts."""

from fraud.alerts import api, consumer, jobs
from fraud.settings import Settings
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """Alerts."""
    settings: Settings = opened.settings
    return Part(
        name="alerts",
        routes=(api.router,),
        hears=(consumer.FRAUD_TERMINALS,),
        jobs=jobs.jobs(opened.database, opened.clock, settings.names_seen_days),
    )

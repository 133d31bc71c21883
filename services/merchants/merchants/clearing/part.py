"""Settlement windows: cut by markers on every shard, counted from the ledger, and netted."""

from kit.room import Part, Resources
from merchants.clearing import api, consumer, jobs


def part(opened: Resources) -> Part:
    """Settlement windows: cut by markers on every shard, counted from the ledger, netted."""
    return Part(
        name="clearing",
        routes=(api.router,),
        hears=(consumer.OUTCOMES,),
        jobs=jobs.jobs(opened),
    )

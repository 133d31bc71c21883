"""Messages to members: queued from outcomes and notices, listed for operators."""

from kit.room import Part, Resources
from notify.sms_queue import api, consumer, jobs


def part(opened: Resources) -> Part:
    """The queue."""
    return Part(
        name="sms-queue",
        routes=(api.router,),
        hears=consumer.subscriptions(opened.settings),
        jobs=jobs.jobs(opened),
    )

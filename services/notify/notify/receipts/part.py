"""Delivery reports, called back or polled."""

from kit.base import clock
from kit.room import Part, Resources
from notify.receipts import api, jobs
from notify.receipts.usecases import DeliveryPoller, receipt_buffer
from notify.sms_provider import sms_provider


def part(opened: Resources) -> Part:
    """Receipts. The provider is opened by sending, which is before it in the service's list."""
    poller = DeliveryPoller(
        database=opened.database, provider=opened.shared(sms_provider), wall=clock.wall
    )
    return Part(
        name="receipts",
        routes=(api.internal,),
        open_paths=(api.RECEIPTS_PATH,),
        jobs=jobs.jobs(poller),
        tasks=(opened.shared(receipt_buffer).run,),
    )

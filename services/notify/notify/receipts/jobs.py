"""Clock door of receipts: polling deliveries that no callback reported."""

from functools import partial

from kit.room import Job
from notify import settings
from notify.receipts.usecases import DeliveryPoller


async def poll_deliveries(poller: DeliveryPoller) -> None:
    """One run of the poller."""
    await poller.run()


def jobs(poller: DeliveryPoller) -> tuple[Job, ...]:
    """What time passing makes receipts do, in one process only."""
    return (Job(name="poll", every_s=settings.POLL_EVERY_S, run=partial(poll_deliveries, poller)),)

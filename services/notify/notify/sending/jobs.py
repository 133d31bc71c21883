"""Clock door of sending."""

from functools import partial

from kit.room import Job
from notify import settings
from notify.sending.usecases import SmsSender


async def send_queued(sender: SmsSender) -> None:
    """Send the messages that are queued."""
    await sender.run()


def jobs(sender: SmsSender) -> tuple[Job, ...]:
    """What time passing makes sending do, in one process only."""
    return (Job(name="send", every_s=settings.SEND_EVERY_S, run=partial(send_queued, sender)),)

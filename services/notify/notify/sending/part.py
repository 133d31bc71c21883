"""Queued messages on their way to the provider."""

from kit.base import clock
from kit.room import Part, Resources
from notify.contacts import usecases as contacts
from notify.sending import jobs
from notify.sending.usecases import SmsSender
from notify.sms_provider import sms_provider


def part(opened: Resources) -> Part:
    """Sending. It opens the provider, which receipts polls too."""
    provider = opened.shared(sms_provider)
    sender = SmsSender(
        database=opened.database,
        provider=provider,
        clock=opened.clock,
        wall=clock.wall,
        ring=opened.shared(contacts.key_ring),
    )
    return Part(name="sending", jobs=jobs.jobs(sender), opened=(provider,))

"""Webhooks on their way to endpoints."""

from kit.base import clock
from kit.room import Part, Resources
from notify.webhook_client import webhook_client
from notify.webhook_endpoints import usecases as endpoints
from notify.webhook_sending.usecases import WebhookSender


def part(opened: Resources) -> Part:
    """Sending. It opens the client."""
    client = opened.shared(webhook_client)
    sender = WebhookSender(
        database=opened.database,
        client=client,
        wall=clock.wall,
        ring=opened.shared(endpoints.secret_ring),
    )
    return Part(name="webhook-sending", tasks=(sender.run,), opened=(client,))

"""Sending what is due, outside any transaction, at least once each.

A try is claimed before it is made, with a lease. A crash in between leads to another try under the
same webhook-id, by which the receiver knows a repeat (Standard Webhooks 1.0.0).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contracts import keys
from contracts.keys import Ring
from kit.base import telemetry
from kit.base.db import Database
from kit.base.telemetry import Metric
from notify import settings
from notify.webhook_client import WebhookClient
from notify.webhook_endpoints import usecases as endpoints
from notify.webhook_endpoints.domain import Endpoint
from notify.webhooks import domain
from notify.webhooks import usecases as webhooks
from notify.webhooks.domain import Answer, DueDelivery

log = logging.getLogger(__name__)
CHANNEL: Final = "webhook"


@dataclass(kw_only=True)
class WebhookSender:
    """Sends to the endpoints that have something due. Several processes may: a try is claimed.

    wall: the time of the world outside. serving: the endpoints that are being served here, each by
    one task, so that one which hangs takes one place of WEBHOOK_ENDPOINTS_AT_ONCE.
    """

    database: Database
    client: WebhookClient
    wall: Callable[[], datetime]
    ring: Ring
    serving: set[str] = field(default_factory=set[str], init=False)

    async def run(self) -> None:
        """Send what is due, until it is cancelled; tries under way are made again."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    await self.begin(tasks)
                except Exception:  # of the database: it is tried again
                    log.exception("due webhooks are not read")
                await asyncio.sleep(settings.WEBHOOK_EVERY_S)

    async def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Begin serving the endpoints that have something due and are not served yet."""
        free = settings.WEBHOOK_ENDPOINTS_AT_ONCE - len(self.serving)
        if free <= 0:
            return
        async with self.database.read() as tx:
            due = await webhooks.list_due_endpoints(
                tx, now=self.wall(), without=sorted(self.serving), limit=free
            )
        for endpoint in due:
            self.serving.add(endpoint)
            tasks.create_task(self._serve(endpoint))

    async def _serve(self, endpoint: str) -> None:
        try:
            while await self._send_batch(endpoint):
                pass
        except Exception:  # of one endpoint; the others go on, and this one is tried again
            log.exception("endpoint %s is not served", endpoint)
        finally:
            self.serving.discard(endpoint)

    async def _send_batch(self, name: str) -> bool:
        """Send the next batch of an endpoint; whether there may be more."""
        try:
            async with self.database.read() as tx:
                signing = await endpoints.find_signing(tx, name, now=self.wall(), ring=self.ring)
        except (keys.MissingKey, keys.Unsealable) as error:
            telemetry.count(Metric.ALARMS, "webhook-secret")
            log.error("webhooks of endpoint %s wait: %s", name, error)
            return False
        if signing is None:
            return False
        async with self.database.transaction() as tx:
            batch = await webhooks.claim_due(tx, name, now=self.wall())
        gate = asyncio.Semaphore(settings.WEBHOOK_TRIES_AT_ONCE)

        async def send(due: DueDelivery) -> bool:
            async with gate:
                return await self._send(signing[0], signing[1], due)

        delivered = await asyncio.gather(*(send(due) for due in batch))
        return len(batch) == settings.WEBHOOK_BATCH_MAX and any(delivered)

    async def _send(self, endpoint: Endpoint, secrets: list[bytes], due: DueDelivery) -> bool:
        started = time.monotonic()
        body = due.body.encode()
        headers = domain.signed_headers(due.message, body, secrets, self.wall())
        answer = await self.client.post(endpoint.url, body, headers)
        telemetry.observe(Metric.PROVIDER_SECONDS, time.monotonic() - started, CHANNEL)
        await self._record(endpoint, due, answer)
        return answer.delivered

    async def _record(self, endpoint: Endpoint, due: DueDelivery, answer: Answer) -> None:
        async with self.database.transaction() as tx:
            stopped = await webhooks.record_answer(
                tx, endpoint.endpoint, due, answer, now=self.wall()
            )
        state = "delivered" if answer.delivered else "failed"
        telemetry.count(Metric.MESSAGES_SENT, CHANNEL, state)
        if stopped is not None:
            telemetry.count(Metric.ALARMS, "webhook-endpoint-disabled")
            log.error("endpoint %s is disabled: %s", endpoint.endpoint, stopped)

"""Calls of notify about merchants' programs: endpoints, secrets, deliveries."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from peyvand.administration import Document, Page
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class WebhookCalls(Calls):
    """Calls about webhook endpoints and their deliveries. endpoint_id: a UUID."""

    async def put_endpoint(
        self,
        merchant: int,
        endpoint_id: str,
        *,
        url: str,
        events: Sequence[str],
        enabled: bool = True,
    ) -> Document:
        """Make an endpoint, or change it; `secret` is in the first answer only."""
        body = {"url": url, "events": list(events), "enabled": enabled}
        return await self.put(_path(merchant, endpoint_id), body)

    async def put_endpoint_secret(
        self, merchant: int, endpoint_id: str, secret_id: str, *, overlap_s: int = 0
    ) -> Document:
        """Give it another secret; those before sign along for overlap_s seconds."""
        path = _path(merchant, endpoint_id, "secrets", secret_id)
        return await self.put(path, {"overlap_s": overlap_s})

    async def endpoints(self, merchant: int) -> Document:
        """All endpoints of a merchant."""
        return await self.get(_path(merchant))

    async def endpoint(self, merchant: int, endpoint_id: str) -> Document:
        """One endpoint; `disabled_reason` where the platform stopped sending."""
        return await self.get(_path(merchant, endpoint_id))

    async def deliveries(
        self,
        merchant: int,
        endpoint_id: str,
        after: str | int | None = None,
        *,
        state: str | None = None,
    ) -> Page:
        """Deliveries in the order in which they were queued; state: pending, delivered, failed."""
        path = _path(merchant, endpoint_id, "deliveries", after=after, state=state, limit=LIMIT)
        return await self.page(path)

    async def put_endpoint_test(self, merchant: int, endpoint_id: str, test_id: str) -> Document:
        """Send an event of no meaning; the same again shows how it went."""
        return await self.put(_path(merchant, endpoint_id, "tests", test_id), {})

    async def replay_message(
        self, merchant: int, endpoint_id: str, message: str, *, key: str | None = None
    ) -> int:
        """Send one event again, by its webhook-id; key as replay_period."""
        return await self._replay(
            _path(merchant, endpoint_id, "replays"), {"message": message}, key
        )

    async def replay_period(
        self,
        merchant: int,
        endpoint_id: str,
        *,
        since: datetime,
        until: datetime,
        key: str | None = None,
    ) -> int:
        """Send again what was decided in between; how many events.

        key: the caller's name of this replay, for a repeat of the call; for the repeats within one
        call there is always one.
        """
        body = {"since": since.isoformat(), "until": until.isoformat()}
        return await self._replay(_path(merchant, endpoint_id, "replays"), body, key)

    async def _replay(self, path: str, body: object, key: str | None) -> int:
        key = key or str(uuid.uuid4())
        return (await self.post(path, body, idempotency_key=key))["events"]


def _path(merchant: int, *rest: str, **query: str | int | None) -> str:
    return path_of("merchants", merchant, "webhook-endpoints", *rest, **query)

"""The bare edge: a plain route, one decode, one produce, one wait for the reply."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts import envelope
from kit.base import ids
from kit.stream import kafka, outbox
from lab.bench.road.bare import words
from peyvand.models import Transaction

BUDGET_S: Final = 1.5
TRACE: Final = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")

_transaction: Final = msgspec.json.Decoder(Transaction).decode


@dataclass(slots=True)
class Edge:
    """Who waits for a reply, by correlation id."""

    producer: kafka.Producer
    shards: int
    waiting: dict[bytes, asyncio.Future[bytes]] = field(
        default_factory=dict[bytes, "asyncio.Future[bytes]"]
    )
    last: int = 0
    ready: bool = False

    async def post(self, request: Request) -> Response:
        """POST /v1/transactions: onto the road and back."""
        sent = _transaction(await request.body())
        now = datetime.now(UTC)
        shard, key = self._place(sent)
        submitted: envelope.Envelope[Transaction] = envelope.Envelope(
            id=ids.uuid7(now),
            type="transaction-submitted.v1",
            key=key,
            occurred_at=sent.occurred_at,
            accepted_at=now,
            data=sent,
        )
        self.last += 1
        correlation = b"%d" % self.last
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting[correlation] = future
        began = time.monotonic()
        try:
            await self.producer.send_one(
                outbox.Message(
                    words.SUBMITTED.name,
                    shard,
                    key.encode(),
                    envelope.encode(submitted),
                    (
                        ("reply-topic", words.REPLIES.name.encode()),
                        ("reply-partition", b"%d" % words.REPLY_PARTITION),
                        ("correlation-id", correlation),
                        TRACE,
                    ),
                ),
                deadline_s=BUDGET_S,
            )
            async with asyncio.timeout(BUDGET_S - time.monotonic() + began):
                body = await future
        except TimeoutError:
            return Response(b'{"id":"0.late"}', 202, media_type="application/json")
        finally:
            del self.waiting[correlation]
        return Response(body, 200, media_type="application/json")

    def _place(self, sent: Transaction) -> tuple[int, str]:
        """The partition and key: by the member's number, or the shard of the original."""
        if sent.identifier is not None:
            return int(sent.identifier.mobile[-7:]) % self.shards, sent.identifier.mobile
        named = sent.original.id if sent.original is not None else "0."
        return int(named.partition(".")[0]), named

    async def look(self, _: Request) -> Response:
        """GET /health/ready."""
        return Response(status_code=200 if self.ready else 503)

    async def listen(self, bootstrap: str) -> None:
        """Hand out replies for ever."""
        place = (words.REPLIES.name, words.REPLY_PARTITION)
        reader = await kafka.Assigned.open(
            bootstrap, client_id="bare-replies", start={place: None}, fetch_max_wait_ms=100
        )
        self.ready = True
        try:
            while True:
                for record in await reader.poll(max_records=500, timeout_ms=500):
                    self._hand(record.headers, record.value or b"")
        finally:
            await reader.close()

    def _hand(self, headers: Any, body: bytes) -> None:
        future = self.waiting.get(words.header(headers, "correlation-id"))
        if future is not None and not future.done():
            future.set_result(body)


async def run(config: words.Settings) -> None:
    """Serve until cancelled."""
    producer = await kafka.Producer.open(config.kafka_bootstrap, client_id=words.GATEWAY)
    edge = Edge(producer, config.shards)
    app = Starlette(
        routes=[
            Route("/v1/transactions", edge.post, methods=["POST"]),
            Route("/health/ready", edge.look),
        ]
    )
    settings: Mapping[str, Any] = {
        "loop": "none",
        "http": "httptools",
        "ws": "none",
        "lifespan": "off",
        "access_log": False,
        "log_config": None,
        "server_header": False,
    }
    server = uvicorn.Server(uvicorn.Config(app, config.http_host, config.http_port, **settings))
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(edge.listen(config.kafka_bootstrap))
            tasks.create_task(server.serve())
    finally:
        await producer.close()

"""`python -m lab.bench.ledger.worker`: the ledger's consumer alone, without HTTP and jobs."""

import asyncio
import signal
import sys

import uvloop

from kit import run
from kit.base import settings, telemetry
from kit.base.db import Database
from kit.stream import kafka
from kit.stream.consumer import Consumer
from ledger import main
from ledger.posting import consumer


async def consume() -> None:
    """Consume ledger.commands until told to end, then drain."""
    config = settings.load(settings.ServiceSettings, room=main.SERVICE.name)
    telemetry.configure(config.room, level=config.log_level)
    producer = await kafka.Producer.open(config.kafka_bootstrap, client_id=config.room)
    database = await Database.open(config.database_dsn)
    try:
        road = Consumer(consumer.GROUP, consumer.SUBSCRIPTIONS, database, producer, config)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, road.stop)
        run.calm_collector()
        await road.run()
    finally:
        await producer.close()
        await database.close()


if __name__ == "__main__":
    sys.exit(uvloop.run(consume()))

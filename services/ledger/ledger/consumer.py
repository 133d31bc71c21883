"""Kafka door: ledger.commands, whatever its records hold."""

from collections.abc import Sequence
from typing import Final

from contracts.topics import LEDGER_COMMANDS
from kit.consumer import Event, Poison, Subscription
from kit.db import Tx
from ledger import usecases

GROUP: Final = "ledger-road"


async def on_ledger_commands(tx: Tx, batch: Sequence[Event]) -> None:
    """Post a poll: all shards, all kinds, in partition order; unreadable records too."""
    await usecases.post_batch(tx, batch)


SUBSCRIPTIONS: Final = (
    Subscription(
        topic=LEDGER_COMMANDS,
        handle=on_ledger_commands,
        decoders=LEDGER_COMMANDS.events,
        poison=Poison.PASS,
        refuse=usecases.refuse_record,
    ),
)

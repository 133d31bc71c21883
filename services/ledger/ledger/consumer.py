"""Kafka door: ledger.commands, whatever its records hold."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from contracts.topics import LEDGER_COMMANDS
from kit.consumer import Event, Poison, Subscription
from kit.db import Tx
from ledger import usecases

GROUP: Final = "ledger-road"


async def on_ledger_commands(
    tx: Tx, batch: Sequence[Event], *, ahead_max: timedelta | None = None
) -> None:
    """Post a poll: all shards, all kinds, in partition order; unreadable records too."""
    await usecases.post_batch(tx, batch, ahead_max=ahead_max)


def subscriptions(ahead_max: timedelta | None) -> tuple[Subscription, ...]:
    """ahead_max: how far a command may be beyond its record; None in a sandbox house."""
    return (
        Subscription(
            topic=LEDGER_COMMANDS,
            handle=partial(on_ledger_commands, ahead_max=ahead_max),
            decoders=LEDGER_COMMANDS.events,
            poison=Poison.PASS,
            refuse=partial(usecases.refuse_record, ahead_max=ahead_max),
        ),
    )


SUBSCRIPTIONS: Final = subscriptions(None)  # for time that is not the broker's

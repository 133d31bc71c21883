"""Consumer of ledger.commands, unreadable records included."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from contracts.topics import LEDGER_COMMANDS
from contracts.values import SHARDS_MAX
from kit.base.db import Tx
from kit.stream.consumer import Event, Poison, Subscription
from ledger.posting import usecases

GROUP: Final = "ledger-road"  # as kit.room names it, for what posts without a service


async def on_ledger_commands(
    tx: Tx, batch: Sequence[Event], *, shards: int, ahead_max: timedelta | None
) -> None:
    """Post a poll: all shards, all kinds, in partition order; unreadable records too."""
    await usecases.post_batch(tx, batch, shards=shards, ahead_max=ahead_max)


def subscriptions(ahead_max: timedelta | None, shards: int) -> tuple[Subscription, ...]:
    """The subscription to ledger.commands. shards: of the platform.

    ahead_max: how far a command's time may be beyond its record's; None in a sandbox.
    """
    return (
        Subscription(
            topic=LEDGER_COMMANDS,
            handle=partial(on_ledger_commands, shards=shards, ahead_max=ahead_max),
            decoders=LEDGER_COMMANDS.events,
            poison=Poison.PASS,
            refuse=partial(usecases.refuse_record, ahead_max=ahead_max),
        ),
    )


SUBSCRIPTIONS: Final = subscriptions(None, SHARDS_MAX)  # for time that is not the broker's

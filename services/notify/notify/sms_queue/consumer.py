"""Kafka door of the queue: outcomes and notices that members are sent a message about."""

from collections.abc import Sequence
from functools import partial

from contracts import topics
from contracts.ledger import Outcome
from contracts.members import HoldingChanged
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from notify.settings import Settings
from notify.sms_queue import usecases


async def on_ledger_entries(
    tx: Tx, batch: Sequence[Event], *, segment_price_rial: int, support: str = ""
) -> None:
    """Queue the messages that the ledger's outcomes call for."""
    outcomes: list[tuple[int, Outcome]] = [(event.partition, event.data) for event in batch]
    await usecases.queue_outcomes(
        tx, outcomes, segment_price_rial=segment_price_rial, support=support
    )


async def on_members_notices(
    tx: Tx, batch: Sequence[Event], *, segment_price_rial: int, support: str = ""
) -> None:
    """Queue the messages about identifiers that were added to a member's account or left it."""
    notices: list[HoldingChanged] = [event.data for event in batch if event.envelope is not None]
    await usecases.queue_notices(
        tx, notices, segment_price_rial=segment_price_rial, support=support
    )


def subscriptions(config: Settings) -> tuple[Subscription, ...]:
    """The topics that call for messages, with the price and telephone number of the settings."""
    price_rial, support = config.sms_segment_price_rial, config.support_phone
    return (
        Subscription(
            topic=topics.LEDGER_ENTRIES,
            handle=partial(on_ledger_entries, segment_price_rial=price_rial, support=support),
            decoders={"outcome-recorded.v1": Outcome},
        ),
        Subscription(
            topic=topics.MEMBERS_NOTICES,
            handle=partial(on_members_notices, segment_price_rial=price_rial, support=support),
        ),
    )

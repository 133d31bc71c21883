"""Kafka door: campaigns.rules into the local table live_rules."""

from collections.abc import Sequence

from campaigns.rules import usecases
from contracts.campaigns import RulePublished
from kit.base.db import Tx
from kit.stream.consumer import Event


async def on_campaigns_rules(tx: Tx, batch: Sequence[Event]) -> None:
    """Keep versions of rules, also those that this process published itself."""
    rules = [e.data for e in batch if e.envelope is not None and isinstance(e.data, RulePublished)]
    if rules:
        await usecases.keep_rules(tx, rules)

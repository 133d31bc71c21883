"""What the bare road's processes share: topics, settings, names."""

from dataclasses import replace
from typing import Any, Final

from contracts import topics
from contracts.envelope import Envelope
from kit.base import settings
from peyvand.models import Transaction

PREFIX: Final = "bare."


def _same_as(topic: topics.Topic) -> topics.Topic:
    """Partitions, flushes and stamps of the real topic; nobody of the cluster hears it."""
    return replace(topic, name=PREFIX + topic.name, local_tables=(), consumers=())


SUBMITTED: Final = _same_as(topics.POS_TRANSACTIONS)
SCREENED: Final = _same_as(topics.FRAUD_SCREENED)
COMMANDS: Final = _same_as(topics.LEDGER_COMMANDS)
REPLIES: Final = _same_as(topics.GATEWAY_REPLIES)
TOPICS: Final = (SUBMITTED, SCREENED, COMMANDS, REPLIES)

GATEWAY, SCREEN, AWARD, POST = "bare-gateway", "bare-screen", "bare-award", "bare-post"
PROCESSES: Final = (POST, AWARD, SCREEN, GATEWAY)
DATABASE: Final = "bare"
REPLY_PARTITION: Final = 0

Carried = Envelope[Transaction]


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """What a process of the bare road is told: a room's own, no more."""


def load(name: str) -> Settings:
    """Settings of a process from its environment."""
    return settings.load(Settings, room=name)


Headers = tuple[tuple[str, bytes], ...]


def header(headers: Any, name: str) -> bytes:
    """A header's value, b"" where there is none."""
    return next((value for key, value in headers if key == name), b"")

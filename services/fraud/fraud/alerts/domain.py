"""Alerts: one name on two shards, seen by the stream that is keyed by terminal."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from contracts.fraud import NameSeen


class AlertKind(StrEnum):
    """Whether the two shards saw the same payload."""

    TWO_SHARDS = "name-on-two-shards"  # the same payload
    TWO_PAYLOADS = "name-with-two-payloads"  # on two shards, where the ledger cannot answer 422


class Alert(Struct, frozen=True, kw_only=True):
    """A name seen again, and where it was seen first. number: order of raising, 0 before that."""

    number: int = 0
    kind: AlertKind
    first: NameSeen
    second: NameSeen
    raised_at: datetime


def alerts(names_seen: Iterable[NameSeen]) -> list[Alert]:
    """One alert for every shard but the first that saw a name; names_seen: in order of arrival."""
    firsts: dict[str, NameSeen] = {}
    raised: list[Alert] = []
    for seen in names_seen:
        first = firsts.setdefault(seen.name, seen)
        if first.shard == seen.shard:
            continue
        alike = first.fingerprint == seen.fingerprint
        raised.append(
            Alert(
                kind=AlertKind.TWO_SHARDS if alike else AlertKind.TWO_PAYLOADS,
                first=first,
                second=seen,
                raised_at=max(first.seen_at, seen.seen_at),
            )
        )
    return raised

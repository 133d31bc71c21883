"""Versions of programmes and of the network's terms, and which of them is in force at a time."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct


class EffectiveVersion(Struct, frozen=True, array_like=True):
    """A version of a programme or of the network's terms; party: 0 where it is of no merchant."""

    version: int
    effective_from: datetime
    party: int = 0


def in_force(versions: Sequence[EffectiveVersion], at: datetime) -> EffectiveVersion | None:
    """The version in force at a time: of those effective by then the latest, ties to the newer."""
    best: EffectiveVersion | None = None
    for version in versions:
        if version.effective_from > at:
            continue
        if best is None or (version.effective_from, version.version) > (
            best.effective_from,
            best.version,
        ):
            best = version
    return best

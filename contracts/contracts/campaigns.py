"""Messages of campaigns: versions of its rules."""

from typing import Any

from msgspec import Struct

from contracts.values import Instant, Number, NumberOrZero


class RulePublished(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`rule-published.v1` on campaigns.rules, keyed rule@version.

    In force in [effective_from, effective_until). merchants empty: everywhere. condition, effect:
    JsonLogic-shaped typed trees, checked on save.
    """

    rule: str
    version: NumberOrZero
    effective_from: Instant
    effective_until: Instant | None
    merchants: tuple[Number, ...]
    funder: NumberOrZero  # party; 0: the merchant's own
    title_fa: str
    title_en: str
    condition: Any
    effect: Any
    retired: bool = False

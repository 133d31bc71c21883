"""What screening decides by, beside windows: rules in force, prices, and days above thresholds."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from msgspec import Struct

from contracts.merchants import Terms
from contracts.pos import PosTransaction
from contracts.values import AMOUNT_MAX, micros
from fraud.rules.domain import Rule, Subject
from fraud.screening.domain import windows
from fraud.sums.domain import Daily, DayKey
from kit.base import versions


class LiveRule(Struct, frozen=True):
    """A rule as the road uses it, with its fields looked up once."""

    rule: Rule
    name: str
    version: int
    threshold: int
    over: Subject
    value: windows.Value


_NO_SUMS: Final[Mapping[DayKey, Daily]] = {}


class Rulebook:
    """What the road decides by, beside windows; revision: of the tables it was read from.

    rules: all versions of all. terms: the network's, for what points are worth. sums: the days of
    terminals and merchants that passed a threshold, as they last did so.
    """

    __slots__ = ("_sets", "_since", "_terms", "revision", "sums")

    def __init__(
        self,
        rules: Iterable[Rule],
        revision: int,
        terms: Iterable[Terms] = (),
        sums: Mapping[DayKey, Daily] = _NO_SUMS,
    ) -> None:
        published = sorted(rules, key=lambda rule: rule.rule)
        chains = [versions.latest_first(of_one) for _, of_one in groupby(published, _name)]
        self.revision = revision
        self.sums = sums
        self._terms = {one.version: one for one in terms}
        starts = sorted({rule.effective_from for rule in published})
        self._since = [micros(start) for start in starts]
        self._sets = [_in_force(chains, start) for start in starts]

    def in_force(self, at: int) -> tuple[LiveRule, ...]:
        """The rules that count at a time in microseconds, by name."""
        place = bisect_right(self._since, at)
        return self._sets[place - 1] if place else ()

    def redeemed_rial(self, transaction: PosTransaction) -> int:
        """The value that a redemption asks to spend, in Rial at the price the gateway stamped.

        Where those terms are not known here, the whole basket: the ledger allows no more.
        """
        terms = self._terms.get(transaction.terms_version)
        if terms is None:
            return transaction.amount_rial
        points = transaction.points * terms.price_rial // terms.price_points
        return min(points + transaction.credit_rial, AMOUNT_MAX)


def _name(rule: Rule) -> str:
    return rule.rule


def _in_force(chains: Iterable[Sequence[Rule]], at: datetime) -> tuple[LiveRule, ...]:
    current = [versions.in_force(chain, at) for chain in chains]
    return tuple(
        LiveRule(
            rule,
            rule.rule,
            rule.version,
            rule.threshold,
            rule.over,
            windows.value_of(rule.counts, rule.measure, rule.window),
        )
        for rule in current
        if rule is not None and rule.enabled
    )
